"""Scores of documents in stretches are those of documents at once, whatever the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope import models
from rnnscope.errors import NotApplicable
from rnnscope.models import kernels, streaming
from rnnscope.scores import (
    CellDecomposition,
    CellDifference,
    GradientNorm,
    GradientTimesInput,
    gradient,
    memory,
    stretches,
)
from tests.models.test_numerics import WORDS, random_module

SCORES = [CellDifference, CellDecomposition, GradientTimesInput, GradientNorm]
SHAPES = [
    {"kind": "gru"},
    {"kind": "gru", "layers": 2},
    {"kind": "gru", "bidirectional": True},
    {"kind": "vanilla", "layers": 2},
    {"kind": "lstm", "layers": 2},
    {"kind": "lstm", "bidirectional": True},
]
DOCUMENTS = [np.random.default_rng(k).integers(2, 10, size=n) for k, n in enumerate((3, 50, 17))]


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("shape", SHAPES)
def test_in_stretches_and_at_once(shape, pooling, monkeypatch):
    model = models.from_torch(random_module(pooling=pooling, **shape), vocabulary=WORDS)
    for score in SCORES:
        try:
            whole = [one.values for one in score(model).score(DOCUMENTS)]
        except NotApplicable:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(memory, "steps_at_once", lambda *_, **__: 16)
            patch.setattr(gradient, "words_at_once", lambda *_, **__: 16)
            found = score(model).score(DOCUMENTS)
            for got, expected in zip(found, whole, strict=True):
                torch.testing.assert_close(got.values, expected, atol=1e-12, rtol=0)
            if score.complete:
                assert found.completeness.relative <= 1e-12


def test_what_is_read_in_stretches(monkeypatch):
    """So that the test above compares two ways, and not one with itself."""
    seen = []
    monkeypatch.setattr(memory, "steps_at_once", lambda *_, **__: 16)
    monkeypatch.setattr(gradient, "words_at_once", lambda *_, **__: 16)
    for module, name in ((memory, "memory_scores"), (gradient, "map_gradients")):
        own = getattr(stretches, name)

        def watched(*given, name=name, own=own):
            seen.append(name)
            return own(*given)

        monkeypatch.setattr(module, name, watched)
    model = models.from_torch(random_module("gru"), vocabulary=WORDS)
    for score in SCORES:
        _ = score(model).score(DOCUMENTS).values
    assert seen == ["memory_scores"] * 4 + ["map_gradients"] * 4


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_kernels_are_the_equations(kind):
    model = models.from_torch(random_module(kind), vocabulary=WORDS)
    cell, document = model.cell, DOCUMENTS[1]
    assert kernels.has_kernel(cell)
    states = model.trajectory([document]).states[0]
    start = cell.initial_state()
    outputs, last = kernels.run_fast(cell, streaming.vectors_of(model, document), start)
    torch.testing.assert_close(outputs, cell.output(states), atol=1e-13, rtol=0)
    torch.testing.assert_close(last, states[-1], atol=1e-13, rtol=0)
