"""Gradient norm, gradient x input, integrated gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import CELLS, Autodiff
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Direction, Layer
from rnnscope.numerics import denormals_are_flushed
from rnnscope.scores import GradientNorm, GradientTimesInput, IntegratedGradients
from tests.helpers import random_documents
from tests.reference import attributions
from tests.scores.networks import (
    SHAPES,
    ids_of,
    model_of,
    own_cell_model,
    same_in_any_batch,
    without_numba,
)

GRADIENTS = {
    GradientTimesInput: attributions.gradient_times_input,
    GradientNorm: attributions.gradient_norm,
}
DTYPES = [(torch.float64, 1e-12), (torch.float32, 1e-5)]


@pytest.mark.parametrize("method", GRADIENTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_are_the_references(shape, method):
    model = model_of(**shape)
    documents = random_documents(3, longest=4)
    for document, scores in zip(documents, method(model).score(documents), strict=True):
        expected = GRADIENTS[method](model, ids_of(document))
        np.testing.assert_allclose(scores.values, expected, atol=1e-8)
        assert scores.tokens == tuple(document)


@pytest.mark.parametrize("method", GRADIENTS)
@pytest.mark.parametrize("kind", sorted(CELLS))
def test_gradients_of_our_own_cells_with_an_initial_state(kind, method):
    model = own_cell_model(kind)
    document = ["good", "not", "film"]
    scores = method(model).score([document])[0]
    np.testing.assert_allclose(scores.values, GRADIENTS[method](model, ids_of(document)), atol=1e-8)


def test_gradients_of_a_cell_given_as_a_callable():
    model = own_cell_model("ugrnn")
    cell = model.layers[0].directions[0].cell
    same = Autodiff(function=cell.step, inputs=3, states=4, like=cell.W)
    direction = Direction(cell=same, initial=model.layers[0].directions[0].initial)
    wrapped = replace(model, layers=(Layer(directions=(direction,)),))
    for method in GRADIENTS:
        a = method(model).score([["good", "bad"]])[0].values
        b = method(wrapped).score([["good", "bad"]])[0].values
        torch.testing.assert_close(a, b, atol=1e-13, rtol=0)


@pytest.mark.parametrize("shape", [SHAPES[k] for k in (0, 1, 4, 6)], ids=str)
def test_integrated_gradients_are_the_references(shape):
    model = model_of(scale=0.7, **shape)
    document = ["good", "not"]
    method = IntegratedGradients(model, baseline="mean", tolerance=1e-9)
    baseline = model.embedding.mean(dim=0).tolist()
    expected = attributions.integrated_gradients(model, ids_of(document), baseline)
    np.testing.assert_allclose(method.score([document])[0].values, expected, atol=2e-3)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.get("pooling") != "max"], ids=str)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
def test_integrated_gradients_add_up_within_the_tolerance(shape, tolerance):
    model = model_of(scale=3.0, **shape)
    documents = random_documents(10)
    scores = IntegratedGradients(model, tolerance=tolerance).score(documents)
    outcome = scores.outcome
    assert outcome.converged.all()
    assert outcome.error.max() <= tolerance
    for document, error in zip(scores, outcome.error, strict=True):
        change = document.logits - document.bias - document.initial
        miss = (document.values.sum(dim=0) - change).abs() / change.abs().clamp(min=1)
        assert float(miss.max()) == pytest.approx(error, abs=1e-13)
        assert document.completeness <= tolerance * max(1, float(change.abs().max())) + 1e-13


def test_the_rest_of_integrated_gradients_is_the_baseline_documents_logit():
    model = model_of(**SHAPES[2])
    vector = torch.arange(3.0, dtype=torch.float64)
    scores = IntegratedGradients(model, baseline=vector).score([["good", "film"], ["bad"]])
    for document in scores:
        vectors = [vector.tolist()] * len(document.tokens)
        expected = torch.tensor(attributions.logits_of_vectors(model, vectors), dtype=torch.float64)
        torch.testing.assert_close(document.initial, expected - document.bias)


def test_each_document_takes_as_many_points_as_it_needs():
    model = model_of(scale=4.0)
    scores = IntegratedGradients(model, points=1, tolerance=1e-6).score(random_documents(20))
    assert len(set(scores.outcome.points.tolist())) > 1
    short = IntegratedGradients(model, points=1, max_points=2, tolerance=1e-12)
    outcome = short.score(random_documents(20)).outcome
    assert not outcome.converged.all()
    assert outcome.points.max() == 2


def test_named_baselines():
    model = model_of()
    for name, vector in {
        "zero": torch.zeros(3, dtype=torch.float64),
        "mean": model.embedding.mean(dim=0),
        "unknown": model.embedding[1],
    }.items():
        a = IntegratedGradients(model, baseline=name).score([["good", "film"]])[0].values
        b = IntegratedGradients(model, baseline=vector).score([["good", "film"]])[0].values
        assert torch.equal(a, b)


@pytest.mark.parametrize("method", [*GRADIENTS, IntegratedGradients])
@pytest.mark.parametrize(("dtype", "limit"), DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_padding_and_order_never_change_a_score(shape, dtype, limit, method):
    model = model_of(dtype, scale=1.0, **shape)
    same_in_any_batch(method(model), random_documents(8), limit)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 4), kind=st.sampled_from(sorted(CELLS)))
@settings(max_examples=8, deadline=None)
def test_batches_never_matter_whatever_the_weights(seed, scale, kind):
    model = own_cell_model(kind, seed=seed, scale=scale)
    for method in GRADIENTS:
        same_in_any_batch(method(model), random_documents(4, seed=seed), 1e-11)


@pytest.mark.parametrize("method", [*GRADIENTS, IntegratedGradients])
def test_with_and_without_the_compiled_steps(method, monkeypatch):
    model = model_of(torch.float32, units=20, width=20, scale=1.0)
    documents = random_documents(6)
    compiled = method(model).score(documents).values
    without_numba(monkeypatch)
    plain = method(model).score(documents).values
    torch.testing.assert_close(compiled, plain, atol=2e-6, rtol=0)
    exact = method(model.to(torch.float64)).score(documents).values
    torch.testing.assert_close(plain.double(), exact, atol=1e-5, rtol=0)


def test_the_norms_of_two_classes_are_equal_and_have_no_sign():
    values = GradientNorm(model_of()).score(random_documents(5)).values
    assert torch.equal(values[:, 0], values[:, 1])
    assert float(values.min()) >= 0


def test_nothing_of_the_callers_is_altered():
    model = model_of()
    before = {name: weight.clone() for name, weight in model.weights().items()}
    state, flushed = torch.random.get_rng_state(), denormals_are_flushed()
    with torch.inference_mode():
        for method in (*GRADIENTS, IntegratedGradients):
            assert method(model).score([["good", "bad"]])[0].values.shape == (2, 2)
    gru = model_of(kind="gru")
    with torch.no_grad():
        assert GradientTimesInput(gru).score([["good"]])[0].values.abs().sum() > 0
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert torch.equal(state, torch.random.get_rng_state())
    assert denormals_are_flushed() == flushed
    for name, weight in model.weights().items():
        assert torch.equal(weight, before[name])
        assert weight.grad is None
        assert not weight.requires_grad


@pytest.mark.parametrize("method", GRADIENTS)
def test_scores_that_add_up_to_nothing_say_so(method):
    scores = method(model_of()).score([["good", "bad"]])
    with pytest.raises(NotApplicable, match="no completeness"):
        _ = scores.completeness
    with pytest.raises(NotApplicable, match="no completeness"):
        _ = scores[0].completeness
    assert scores[0:1][0].tokens == ("good", "bad")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"baseline": "silence"}, "baseline must be known"),
        ({"baseline": [1.0, 2.0]}, "a finite vector"),
        ({"baseline": [1.0, 2.0, float("nan")]}, "a finite vector"),
        ({"baseline": object()}, "a finite vector"),
        ({"tolerance": 0.0}, "above zero"),
        ({"tolerance": float("nan")}, "above zero"),
        ({"points": 0}, "at least one point"),
        ({"points": 9, "max_points": 8}, "at least one point"),
    ],
)
def test_options_out_of_range_are_refused(options, error):
    with pytest.raises(UsageError, match=error):
        IntegratedGradients(model_of(), **options)


def test_bad_documents_are_refused():
    method = GradientTimesInput(model_of())
    with pytest.raises(DataError, match="at least one word"):
        method.score([["good"], []])
    vectors = GradientTimesInput(own_cell_model("lstm", embedding=False))
    with pytest.raises(DataError, match="finite"):
        vectors.score([np.full((2, 3), np.nan)])
    assert len(method.score([]).values) == 0


def test_vectors_are_scored_as_the_words_they_belong_to():
    words, vectors = own_cell_model("lstm"), own_cell_model("lstm", embedding=False)
    document = ["good", "not", "bad"]
    given_vectors = words.embedding[ids_of(document)].numpy()
    for method in (*GRADIENTS, IntegratedGradients):
        a = method(words).score([document])[0].values
        b = method(vectors).score([given_vectors])[0].values
        torch.testing.assert_close(a, b, atol=1e-13, rtol=0)
    for name in ("mean", "unknown"):
        with pytest.raises(NotApplicable, match="reads vectors"):
            IntegratedGradients(vectors, baseline=name)
    with pytest.raises(NotApplicable, match="no unknown word"):
        IntegratedGradients(replace(words, vocabulary=None), baseline="unknown")


def test_a_document_too_long_for_all_its_points_at_once(monkeypatch):
    model = model_of(scale=2.0)
    documents = random_documents(4)
    method = IntegratedGradients(model, tolerance=1e-7)
    whole = method.score(documents).values
    monkeypatch.setattr("rnnscope.scores.integrated_gradients.STRETCH", 7)
    torch.testing.assert_close(method.score(documents).values, whole, atol=1e-13, rtol=0)
