"""Run by ``test_searching``: fixed points on a second device, beside the CPU's; written as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch

import rnnscope as rs
from rnnscope.cells import GRU, LSTM, UGRNN, Autodiff, Stack, Vanilla
from rnnscope.study import searching
from tests.devices.pretend import NAME, second_device
from tests.dynamics.wide import wide_bistable, wide_leaky_line, wide_random
from tests.helpers import random_cell

PARTS = ("states", "residual", "drift", "seed", "steps", "isolation", "proved")


def networks():
    """Name, cell, whether each seed has an input of its own, and options."""
    yield "narrow", random_cell("gru", n=6), False, {}
    yield "descended", random_cell("gru", n=6), False, {"solver": "levenberg_marquardt"}
    layers = random_cell("ugrnn", n=4), random_cell("lstm_projected", d=4, n=3)
    yield "two layers", Stack(layers=layers), False, {"solver": "levenberg_marquardt"}
    yield "wide, inputs", wide_random("lstm"), True, {}
    yield "wide line", wide_leaky_line()[0], False, {}
    yield "wide, two memories", wide_bistable()[0], False, {}


def seeds_of(cell, count=10):
    rng = torch.Generator().manual_seed(1)
    return 0.5 * torch.randn(count, cell.state_size, generator=rng, dtype=torch.float64)


def watched(calls):
    """Counts, while it is around, the products and the steps that run on the second device."""
    for cls in (GRU, LSTM, UGRNN, Vanilla):
        for name in ("activate", "tangent"):
            plain = getattr(cls, name)

            def counted(self, *args, plain=plain):
                calls[self.device.type] = calls.get(self.device.type, 0) + 1
                return plain(self, *args)

            setattr(cls, name, counted)


def main() -> None:
    rows = []
    calls: dict[str, int] = {}
    watched(calls)
    for name, cell, own, options in networks():
        seeds = seeds_of(cell)
        held = seeds[:, : cell.input_size] / 2 if own else "zero"
        plain = rs.find_fixed_points(cell, seeds, held, **options)
        calls.clear()
        try:
            with second_device():
                there = rs.find_fixed_points(cell, seeds, held, device=NAME, **options)
        except Exception as error:
            rows.append({"network": name, "error": f"{type(error).__name__}: {error}"[:300]})
            continue
        rows.append(
            {
                "network": name,
                "calls": dict(calls),
                "difference": difference(plain, there),
                "outcomes": [plain.outcomes == there.outcomes, plain.counts],
                "basins": [plain.basin.tolist(), there.basin.tolist()],
            }
        )
    json.dump({"points": rows, "shards": shards(), "callable": callables()}, sys.stdout)


def difference(a, b) -> float:
    """The largest between two results, infinite where they do not have the same points."""
    worst = 0.0
    for kind in ("roots", "continua", "ghosts", "manifold"):
        for part in PARTS:
            x, y = (getattr(getattr(one, kind), part) for one in (a, b))
            if x.shape != y.shape or y.device.type != "cpu":
                return float("inf")
            gap = (x.double() - y.double()).nan_to_num().abs()
            worst = max(worst, float(gap.max()) if gap.numel() else 0.0)
    return worst


def shards() -> dict[str, object]:
    """Shards searched where the worker has a second device, stopped and gone on with on the CPU."""
    cell = random_cell("gru", n=6)
    seeds = seeds_of(cell, 12)
    here = rs.find_on(cell, seeds, shard=4)
    asked: list[str] = []
    searching.gpu = lambda: asked.append(NAME) or NAME
    with tempfile.TemporaryDirectory() as folder, second_device():
        path = Path(folder) / "search"
        there = rs.find_on(cell, seeds, shard=4, path=path)
        again = rs.find_on(cell, seeds, shard=4, path=path, device="cpu")
    return {
        "asked": len(asked),
        "roots": [float((here.roots - one.roots).abs().max()) for one in (there, again)],
        "outcomes": [one.outcomes for one in (here, there, again)],
    }


def callables() -> dict[str, int]:
    """A step that is a callable stays on the CPU, whatever it holds."""
    weights = torch.randn(4, 4, dtype=torch.float64) / 4
    cell = Autodiff(
        function=lambda x, h: torch.tanh(h @ weights.T), inputs=1, states=4, like=weights[:0]
    )
    with second_device():
        return rs.find_fixed_points(cell, seeds_of(cell, 8), device=NAME).counts


if __name__ == "__main__":
    main()
