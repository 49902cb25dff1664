"""How fast the comparison methods of word scores are, beside torch's own nn.LSTM in the same run.

Run: OMP_NUM_THREADS=1 python benchmarks/score_methods.py [--rounds 5] [--only NAME ...]

An LSTM(256) with last-state readout and two classes, a vocabulary of 20,000 words, embeddings of
128, documents of 200 words drawn uniformly, float32, one thread; the forward pass is that of 256
documents. Two networks: torch's initial weights, which forget within some thirty words, so that
occlusion and contextual decomposition drop most of their work; and the same with 4 added to the
forget gates' bias, which keep what they read to the end, so that nothing is dropped. Integrated
gradients is not timed on the second: its logits swing so often between the baseline and the
document that 256 points still miss by 0.07, where 0.001 is asked. Each round
times every row once, in turn; a row's figure is its best round, by the processor's clock.

Prints a table to standard error and one JSON object as the last line of standard output:
    over_forward      row -> time a word over the forward pass's
    words_per_second  row -> words a second
    points            points that integrated gradients took -> documents
    skipped           row -> why it was not run
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

import rnnscope as rs
from rnnscope.scores import (
    ContextualDecomposition,
    GradientNorm,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
)

Call = Callable[[rs.Model, list[np.ndarray]], object]

TARGET = 1
ROWS: dict[str, Call] = {
    "gradient_times_input": lambda m, d: GradientTimesInput(m).attribute(d, TARGET),
    "gradient_times_input_all_classes": lambda m, d: GradientTimesInput(m).score(d).values,
    "gradient_norm": lambda m, d: GradientNorm(m).score(d).values,
    "integrated_gradients": lambda m, d: IntegratedGradients(m).attribute(d, TARGET),
    "integrated_gradients_all_classes": lambda m, d: IntegratedGradients(m).score(d).values,
    "occlusion": lambda m, d: Occlusion(m).score(d).values,
    "leave_one_out": lambda m, d: LeaveOneOut(m).score(d).values,
    "contextual_decomposition": lambda m, d: ContextualDecomposition(m).score(d).values,
}
"""Each method from a model and its documents to finished scores: of one class as captum gives
them, or of all classes."""

DOCUMENTS = {
    "gradient_times_input": 256,
    "gradient_times_input_all_classes": 256,
    "gradient_norm": 256,
}
FEW = 20
"""Documents for the rows that are not named above."""


class Classifier(nn.Module):
    def __init__(self, words: int = 20_000, width: int = 128, units: int = 256) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.recurrent = nn.LSTM(width, units, batch_first=True)
        self.readout = nn.Linear(units, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.embedding(ids))

    def head(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.readout(self.recurrent(vectors)[0][:, -1])


def remembering(model: rs.Model, amount: float = 4.0) -> rs.Model:
    """The model with its forget gates' bias raised."""
    (direction,) = model.layers[0].directions
    bias = direction.cell.b.clone()
    bias[256:512] += amount
    cell = replace(direction.cell, b=bias)
    layer = replace(model.layers[0], directions=(replace(direction, cell=cell),))
    return replace(model, layers=(layer,))


def rivals(module: Classifier) -> dict[str, tuple[Callable[[torch.Tensor], object], int]]:
    """captum's calls, and on how many documents each is timed; empty where it is missing."""
    try:
        from captum import attr
    except ImportError:
        return {}

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.whole = module

        def forward(self, vectors: torch.Tensor) -> torch.Tensor:
            return self.whole.head(vectors)

    head = Head()

    def vectors(ids: torch.Tensor) -> torch.Tensor:
        return module.embedding(ids).detach().requires_grad_()

    def occlusion(ids: torch.Tensor) -> object:
        with torch.no_grad():
            window = (1, module.embedding.embedding_dim)
            return attr.Occlusion(head).attribute(vectors(ids), window, target=TARGET)

    return {
        "captum InputXGradient": (
            lambda ids: attr.InputXGradient(head).attribute(vectors(ids), target=TARGET),
            128,
        ),
        "captum IG-50": (
            lambda ids: attr.IntegratedGradients(head).attribute(
                vectors(ids), target=TARGET, n_steps=50, internal_batch_size=128
            ),
            4,
        ),
        "captum Occlusion": (occlusion, 8),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = Classifier().eval()
    ids = torch.randint(0, 20_000, (256, 200))
    documents = list(ids.numpy())
    networks = {"": rs.from_torch(module)}
    networks[" (remembering)"] = remembering(networks[""])

    def forward() -> object:
        with torch.no_grad():
            return module.recurrent(module.embedding(ids))

    timed: dict[str, tuple[Callable[[], object], int]] = {}
    for suffix, model in networks.items():
        for name, call in ROWS.items():
            if suffix and name.startswith("integrated_gradients"):
                continue
            count = DOCUMENTS.get(name, FEW)
            timed[name + suffix] = (_bound(call, model, documents[:count]), count)
    for name, (rival, count) in rivals(module).items():
        timed[name] = (_bound(rival, ids[:count]), count)
    if arguments.only is not None:
        timed = {name: row for name, row in timed.items() if name in arguments.only}
    timed = {"forward": (forward, len(ids)), **timed}

    best = dict.fromkeys(timed, float("inf"))
    for call, _ in timed.values():
        call()
    for _ in range(arguments.rounds):
        for name, (call, count) in timed.items():
            forward()
            best[name] = min(best[name], _seconds(call) / (count * ids.shape[1]))
            best["forward"] = min(best["forward"], _seconds(forward) / ids.numel())
    points = _points(networks[""], documents[:FEW])
    result: dict[str, Any] = {
        "over_forward": {name: round(s / best["forward"], 2) for name, s in best.items()},
        "words_per_second": {name: round(1 / s) for name, s in best.items()},
        "points": points,
        "skipped": {} if rivals(module) else {"captum": "captum is not installed"},
    }
    for name, ratio in result["over_forward"].items():
        print(f"{name:50} {ratio:8.2f} x forward", file=sys.stderr)
    print(json.dumps(result))


def _bound(call: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: call(*arguments)


def _seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _points(model: rs.Model, documents: list[np.ndarray]) -> dict[str, int]:
    outcome = IntegratedGradients(model).score(documents).outcome
    values, counts = np.unique(outcome.points, return_counts=True)
    return {str(p): int(c) for p, c in zip(values, counts, strict=True)}


if __name__ == "__main__":
    main()
