"""How few numbers a trained network can be run in: the reduced model on IMDB, by ablation.

Run: OMP_NUM_THREADS=1 python benchmarks/reduced_model.py [--documents 3000] [--write]

A GRU(128) trained on IMDB (the last 400 words of each review; kept under runs/reduced) is replaced
by systems in k = 1, 2, 3 numbers, and each is judged on held-out reviews by the fidelity module,
beside bags of words fitted to the network's answers. Charts and tables are made from training text.

Prints progress to standard error and one JSON object as the last line of standard output:
    accuracy    the network's own, on the reviews judged
    rows        description -> numbers it holds, agreement with the network and accuracy with their
                intervals, size
    best        by k, the best agreement of the systems that run without the network
    one_step, rollout, relaxation    how far linearizations hold, and what happens without input
    modifiers   the words that change most what the next word does
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import review_data as data
import torch

import rnnscope as rs
from rnnscope.dynamics import FixedPoints, find_fixed_points, linearize
from rnnscope.dynamics.approximation import one_step_error, rollout_error
from rnnscope.dynamics.charts import (
    Chart,
    balanced_chart,
    principal_chart,
    slow_chart,
    with_directions,
    with_readout,
)
from rnnscope.dynamics.linear_rnn import train_linear_rnn
from rnnscope.dynamics.modifiers import Modifiers, find_modifiers
from rnnscope.dynamics.piecewise_linear import linearized_network
from rnnscope.dynamics.reduced import reduced_model
from rnnscope.dynamics.relaxation import relax
from rnnscope.dynamics.sensitivity import answer_gradients
from rnnscope.dynamics.visited import visited_steps
from rnnscope.fidelity import compare

OPTIONS = {"units": 128, "embedding": 128, "batch": 64, "min_count": 5, "epochs": 3}
FITTED = 1500
"""Training reviews that charts are made from."""

LEARNT = 10_000
"""Training reviews that linear RNNs are trained on, three passes."""

FREQUENT = 3000
"""Words among which modifiers are sought: the most frequent ones."""

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results" / "reduced_model.json"


def say(text: str) -> None:
    print(f"{time.perf_counter() - START:6.0f} s  {text}", file=sys.stderr, flush=True)


class Ablation:
    """What charts are made of: points, modes, visited states, the answer's gradients."""

    def __init__(self, model: rs.Model, fitted: list[Any]) -> None:
        self.model = model
        self.states = visited_steps(model, fitted, count=20_000).after
        self.gradients = answer_gradients(model, fitted)
        self.points: FixedPoints = find_fixed_points(model, fitted, count=128, basins=False)
        say(repr(self.points))
        self.modes = linearize(model, self.points, count=8)
        order = self.modes.simple_points
        line = self.modes.states[order] @ self.points.readout
        self.middle = int(order[line.argsort()[len(line) // 2]])
        self.slow = slow_chart(self.modes, self.middle, 1)
        words = model.vocabulary.words[:FREQUENT]
        self.modifiers: Modifiers = find_modifiers(
            model, self.modes.states[self.middle], words, beside=self.slow
        )

    def one_mode(self) -> Iterator[tuple[str, Any]]:
        """From the linear expansion to a curve with two to four numbers for each word."""
        flat, curve = self.slow, self.slow.curved(self.states)
        name = "1 slow mode"
        yield f"{name}: expansion at one point", self._run(flat, "expansion")
        yield f"{name}: expansion, curved readout", self._run(curve, "expansion")
        yield f"{name}: whole pushes", self._run(flat, "pushes")
        yield f"{name}: whole pushes, curved readout", self._run(curve, "pushes")
        yield f"{name}: expansions switched along the manifold", self._switched(flat)
        yield f"{name}: expansions switched along the curve", self._switched(curve)
        yield f"{name}: network's step, flat", self._run(flat, "lifted")
        yield f"{name}: network's step, curve", self._run(curve, "lifted")
        for degree, what in enumerate(("a push", "and a decay", "of degree 2", "of degree 3")):
            table = reduced_model(self.model, curve, "table", degree=degree)
            yield f"{name}: curve, each word {what}", table

    def coordinates(self) -> Iterator[tuple[str, Any]]:
        """Other coordinates, and more of them."""
        for k in (1, 2, 3):
            charts = {
                "slow": slow_chart(self.modes, self.middle, k) if self._whole(k) else None,
                "principal": principal_chart(self.states, k),
                "balanced": balanced_chart(self.states, self.gradients, k),
                "random": self._random(k),
            }
            for kind, flat in charts.items():
                if flat is None or (kind == "slow" and k == 1):
                    continue
                curve = flat.curved(self.states)
                say(f"{k} {kind}: {curve.error(self.states):.3f} of the variance is left out")
                yield f"{k} {kind}: network's step, curve", self._run(curve, "lifted")
                if kind != "balanced":
                    continue
                yield f"{k} {kind}: network's step, flat", self._run(flat, "lifted")
                yield f"{k} {kind}: expansion at one point", self._run(flat, "expansion")
                yield f"{k} {kind}: whole pushes", self._run(flat, "pushes")
                for degree, what in ((1, "a push and a decay"), (3, "of degree 3")):
                    table = reduced_model(self.model, curve, "table", degree=degree)
                    yield f"{k} {kind}: curve, each word {what}", table

    def additions(self) -> Iterator[tuple[str, Any]]:
        """The slow mode with coordinates that have a meaning: the readout, modifiers."""
        readout = self.points.readout
        ends = with_readout(self.slow, readout, self.states).curved(self.states)
        yield "1 slow mode + readout: network's step, curve", self._run(ends, "lifted")
        for m in (1, 2):
            directions = self.modifiers.directions(m)
            chart = with_directions(self.slow, directions, name="modifiers").curved(self.states)
            yield (
                f"1 slow mode + {m} of modifiers: network's step, curve",
                self._run(chart, "lifted"),
            )

    def _run(self, chart: Chart, step: Any) -> Any:
        return reduced_model(self.model, chart, step)

    def _switched(self, chart: Chart) -> Any:
        return reduced_model(self.model, chart, "switched", points=self.points)

    def _whole(self, k: int) -> bool:
        """Whether k modes cut no complex pair."""
        return float(self.modes.eigenvalues[self.middle, k - 1].imag) <= 0

    def _random(self, k: int) -> Chart:
        """k directions at random, each state where the visited ones of its coordinates are."""
        rng = torch.Generator().manual_seed(k)
        left = torch.randn(k, self.states.shape[-1], generator=rng, dtype=torch.float64)
        cov = torch.cov(self.states.mT)
        right = torch.linalg.solve(left @ cov @ left.mT, left @ cov).mT
        return Chart(center=self.states.mean(0), right=right, left=left, name="random")


if __name__ == "__main__":
    START = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--folder", type=Path, default=Path("runs/reduced"))
    parser.add_argument("--write", action="store_true", help="to docs/results/reduced_model.json")
    args = parser.parse_args()
    corpus = data.imdb()
    where = args.folder / "imdb_gru"
    if (where / "model").exists():
        model = rs.load(where / "model")
    else:
        model = rs.train(corpus, architecture="gru", seed=0, directory=where, **OPTIONS)
    train, test = corpus.split("train"), corpus.split("test")
    chosen = np.random.default_rng(0).permutation(len(test.documents))[: args.documents]
    held = [test.documents[k] for k in chosen]
    labels = np.asarray(test.labels)[chosen]
    answers = model.predict(held)
    accuracy = float((answers == labels).mean())
    say(f"the network is right on {accuracy:.3f} of {len(held)} reviews")
    some = [list(d) for d in train.documents]
    fitted = some[:FITTED]
    ablation = Ablation(model, fitted)
    rows: dict[str, Any] = {}
    for part in (ablation.one_mode, ablation.additions, ablation.coordinates):
        rows |= dict(part())
    whole = linearized_network(model, ablation.points, point=ablation.middle)
    rows["all coordinates: one linearization"] = whole
    say("training linear RNNs")
    few = some[:LEARNT]
    rows["linear RNN trained on its answers"] = train_linear_rnn(model, few, epochs=3)
    rows["linear RNN trained on the labels"] = train_linear_rnn(
        model, few, train.labels[:LEARNT], epochs=3
    )
    say("judging")
    table = compare(
        rows, held, network=answers, labels=labels, fitted_on=(some, model.predict(some))
    )
    print(table, file=sys.stderr)
    short = held[:400]
    result: dict[str, Any] = {
        "network": "GRU(128), IMDB",
        "accuracy": accuracy,
        "documents": len(held),
        "rows": [
            {"numbers": getattr(rows.get(row["name"]), "width", None)} | row
            for row in table.to_frame().to_dicts()
        ],
        "one_step": one_step_error(model, ablation.points, short).summary(),
        "rollout": rollout_error(model, ablation.points, short).summary(),
        "relaxation": relax(model, ablation.states[:512], documents=short).summary(),
        "modifiers": ablation.modifiers.strongest(30),
    }
    result["best"] = {
        k: max(
            (row["agreement"], row["name"])
            for row in result["rows"]
            if row["numbers"] == k
            and "network's step" not in row["name"]
            and "switched" not in row["name"]
        )
        for k in (1, 2, 3)
    }
    for name in ("one_step", "rollout", "relaxation"):
        say(result[name]["sentence"])
    say(str(result["best"]))
    if args.write:
        RESULTS.write_text(json.dumps(result, indent=1, default=float) + "\n")
    print(json.dumps(result, default=float))
