"""How exact the equations are: completeness of the scores, closed-form Jacobians, parity.

Run: python benchmarks/exactness.py [--model runs/demo]

Prints a table to standard error and one JSON object as the last line of standard output:
    completeness    method -> dtype -> largest |sum - (logit - bias)| / max(1, sum of |scores|)
                    on the embedded test sentences, by the model named
    jacobians       cell -> largest |closed form - autograd| over 100 random states, float64,
                    relative to max(1, largest entry)
    parity          cell -> largest |torch's module - our equations| on the logits, float64
"""

from __future__ import annotations

import argparse
import json
import sys

import torch
from torch import nn

import rnnscope as rs

GATES = {"vanilla": 1, "ugrnn": 2, "gru": 3, "gru_reset_first": 3, "lstm": 4, "lstm_projected": 4}
METHODS = {"beta": rs.CellDifference, "gamma": rs.CellDecomposition}


def completeness(path: str) -> dict[str, dict[str, float]]:
    texts = rs.load_corpus("embedded:sentences").split("test").documents
    model = rs.load(path)
    return {
        name: {
            str(dtype).removeprefix("torch."): method(model.to(dtype))
            .score(texts)
            .completeness.relative
            for dtype in (torch.float32, torch.float64)
        }
        for name, method in METHODS.items()
    }


def jacobians(units: int = 32, width: int = 16) -> dict[str, float]:
    worst = {}
    for kind, cell_type in rs.CELLS.items():
        rng = torch.Generator().manual_seed(0)

        def normal(*shape: int, rng: torch.Generator = rng) -> torch.Tensor:
            return torch.randn(*shape, generator=rng, dtype=torch.float64)

        rows = GATES[kind] * units
        weights = {"W": normal(rows, width), "V": normal(rows, units), "b": normal(rows)}
        if kind == "gru":
            weights["a"] = normal(units)
        if kind == "lstm_projected":
            weights["V"] = normal(rows, units // 2)
            weights["R"] = normal(units // 2, units)
        cell = cell_type(**weights)
        x, h = normal(100, width), normal(100, cell.state_size)
        worst[kind] = 0.0
        for k in range(100):
            found = cell.J_inp(x[k], h[k]), cell.J_rec(x[k], h[k])
            expected = torch.autograd.functional.jacobian(cell.step, (x[k], h[k]))
            for a, b in zip(found, expected, strict=True):
                gap = float((a - b).abs().max()) / max(1.0, float(b.abs().max()))
                worst[kind] = max(worst[kind], gap)
    return worst


class Classifier(nn.Module):
    def __init__(self, recurrent: type[nn.RNNBase]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 50)
        self.recurrent = recurrent(50, 64, num_layers=2, bidirectional=True)
        self.readout = nn.Linear(128, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        _, hidden = self.recurrent(self.embedding(ids))
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return self.readout(torch.cat([hidden[-2], hidden[-1]], dim=-1))


def parity() -> dict[str, float]:
    found = {}
    torch.manual_seed(0)
    for name, kind in (("vanilla", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)):
        certificate = rs.from_torch(Classifier(kind).double(), pooling="last").certificate
        found[name] = certificate.logits
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="runs/demo")
    arguments = parser.parse_args()
    result = {
        "completeness": completeness(arguments.model),
        "jacobians": jacobians(),
        "parity": parity(),
    }
    for part, figures in result.items():
        for name, value in figures.items():
            print(f"{part:14} {name:16} {value}", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
