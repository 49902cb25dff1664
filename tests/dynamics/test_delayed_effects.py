"""Effects of words k steps before the end: exact on a linear network, and by slow loops."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnscope.dynamics import delayed_effects, linearize
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model, from_torch
from tests.dynamics import line_networks as ln
from tests.helpers import WORDS, random_documents, random_module


def slow_truth(model: Model, document, k: int, held: torch.Tensor, w: torch.Tensor) -> float:
    """Read the document word by word, twice."""
    exact = model.to(torch.float64)
    rows = model.encode([document])[0]
    finals = []
    for replaced in (False, True):
        h = torch.cat([layer.directions[0].start for layer in exact.layers])
        for t, row in enumerate(rows):
            x = held if replaced and t == len(rows) - 1 - k else exact.embedding[row]
            h = exact.cell.step(x, h)
        finals.append(h)
    return float(w @ (finals[0] - finals[1]))


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_true_and_predicted_effects_by_slow_loops(kind):
    model = from_torch(random_module(kind, scale=2.0), vocabulary=WORDS)
    documents = random_documents(8, seed=2)
    width = model.cell.state_size
    generator = torch.Generator().manual_seed(0)
    states = 0.1 * torch.randn(3, width, generator=generator, dtype=torch.float64)
    modes = linearize(model, states, "mean", count=width)
    found = delayed_effects(model, modes, documents, horizon=4)
    exact = model.to(torch.float64)
    for row, document in enumerate(documents):
        encoded = model.encode([document])[0]
        for k in range(5):
            if k >= len(document):
                assert torch.isnan(found.true[row, k])
                assert torch.isnan(found.predicted[row, k])
                assert int(found.point[row, k]) == -1
                continue
            truth = slow_truth(model, document, k, modes.held.vector, modes.readout)
            assert float(found.true[row, k]) == pytest.approx(truth, abs=1e-10)
            h = torch.cat([layer.directions[0].start for layer in exact.layers])
            for word in encoded[: len(encoded) - 1 - k]:
                h = exact.cell.step(exact.embedding[word], h)
            point = int((states - h).norm(dim=-1).argmin())
            assert int(found.point[row, k]) == point
            J = modes.cell.J_rec(modes.held.vector, states[point])
            effect = modes.J_inp[point] @ (exact.embedding[encoded[-1 - k]] - modes.held.vector)
            effect = torch.linalg.matrix_power(J, k) @ effect
            expected = float(modes.readout @ effect)
            assert float(found.predicted[row, k]) == pytest.approx(expected, abs=1e-9)


def test_few_modes_are_the_sum_of_their_terms():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    states = torch.zeros(1, model.cell.state_size, dtype=torch.float64)
    modes = linearize(model, states, count=3)
    found = delayed_effects(model, modes, [["good"] * 6], horizon=3, count=3)
    size = 3 - int(modes.eigenvalues[0, 2].imag > 0)
    x = model.to(torch.float64).embedding[model.vocabulary.index("good")]
    for k in range(4):
        total = sum(
            (modes.readout.to(torch.complex128) @ modes.right[0, :, a])
            * modes.eigenvalues[0, a] ** k
            * (modes.left[0, a] @ (modes.J_inp[0] @ x).to(torch.complex128))
            for a in range(size)
        )
        assert float(found.predicted[0, k]) == pytest.approx(float(total.real), abs=1e-10)


def test_a_nearly_linear_line_is_predicted_at_every_distance():
    model = ln.line_network(gain=1e-4)
    documents = ln.documents(model, 60)
    modes = linearize(model, torch.zeros(1, 24, dtype=torch.float64))
    for along in ("readout", "slow"):
        found = delayed_effects(model, modes, documents, horizon=12, along=along)
        assert found.horizon == 12
        for one, error, null in zip(found.correlation, found.error, found.null_high, strict=True):
            assert one.value > 0.9999
            assert error.value < 1e-3
            assert one.low <= one.value <= one.high
            assert null < 0.4
    # What a word does fades as the slow mode does.
    true = found.true
    assert one.count == int((~torch.isnan(true[:, 12])).sum()) < 60
    json.dumps(found.summary(), allow_nan=False)
    assert "k = 12" in repr(found)


def test_modes_of_another_place_predict_worse():
    """A random linearization does not pass: the error says so where the correlation may not."""
    model = ln.random_gru()
    far = torch.full((1, 32), 0.9, dtype=torch.float64)
    documents = ln.documents(model, 60)
    near = delayed_effects(model, linearize(model, 0 * far, count=32), documents, horizon=3)
    wrong = delayed_effects(model, linearize(model, far, count=32), documents, horizon=3)
    assert all(a.value < b.value for a, b in zip(near.error, wrong.error, strict=True))


def test_vectors_as_inputs_and_a_single_document():
    model = ln.line_network()
    bare = replace(model, embedding=None, vocabulary=None)
    modes = linearize(bare, torch.zeros(1, 24, dtype=torch.float64))
    rng = np.random.default_rng(0)
    found = delayed_effects(bare, modes, [rng.normal(size=(5, 16))], horizon=7)
    assert torch.isnan(found.true[0, 5:]).all()
    assert torch.isfinite(found.true[0, :5]).all()
    assert not found.correlation[0].known
    json.dumps(found.summary(), allow_nan=False)


def test_a_replaced_word_that_is_the_held_input_does_nothing():
    model = ln.line_network()
    modes = linearize(model, torch.zeros(1, 24, dtype=torch.float64), "positive0")
    found = delayed_effects(model, modes, [["positive0"] * 4] * 5, horizon=3)
    assert float(found.true.abs().max()) == float(found.predicted.abs().max()) == 0
    assert not found.error[0].known


def test_bad_input():
    model = ln.line_network()
    modes = linearize(model, torch.zeros(1, 24, dtype=torch.float64))
    documents = ln.documents(model, 4)
    for options in ({"horizon": -1}, {"count": 0}, {"count": 99}, {"along": "m"}):
        with pytest.raises(UsageError, match="kept modes"):
            delayed_effects(model, modes, documents, **options)
    with pytest.raises(DataError, match="one or more"):
        delayed_effects(model, modes, [])
    with pytest.raises(NotApplicable, match="along='slow'"):
        delayed_effects(model, replace(modes, readout=None), documents)
