"""Contextual decomposition: its split, its conventions, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.scores import ContextualDecomposition
from tests.helpers import random_documents
from tests.reference.attributions import contextual_decomposition
from tests.scores.networks import (
    LSTMS,
    ids_of,
    model_of,
    own_cell_model,
    same_in_any_batch,
    without_numba,
)

CONVENTIONS = ["inclusive", "reference-2018"]


def all_spans(documents):
    return [
        (k, start, stop)
        for k, document in enumerate(documents)
        for start in range(len(document))
        for stop in range(start + 1, len(document) + 1)
    ]


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("shape", LSTMS, ids=str)
def test_every_phrase_is_the_references(shape, convention):
    model = model_of(**shape)
    documents = random_documents(4, longest=5)
    spans = all_spans(documents)
    got = ContextualDecomposition(model, bias=convention).score_phrases(documents, spans)
    for k, (document, start, stop) in enumerate(spans):
        ids = ids_of(documents[document])
        relevant, irrelevant = contextual_decomposition(model, ids, start, stop, convention)
        np.testing.assert_allclose(got.relevant[k], relevant, atol=1e-12)
        np.testing.assert_allclose(got.irrelevant[k], irrelevant, atol=1e-12)
    assert got.completeness <= 1e-12
    assert len(got) == len(spans)


@pytest.mark.parametrize("shape", LSTMS, ids=str)
def test_a_words_score_is_that_of_its_phrase(shape):
    model = model_of(**shape)
    documents = random_documents(6, longest=12)
    method = ContextualDecomposition(model)
    for k, scores in enumerate(method.score(documents)):
        spans = [(k, j, j + 1) for j in range(len(documents[k]))]
        phrases = method.score_phrases(documents, spans)
        torch.testing.assert_close(scores.values, phrases.relevant, atol=1e-13, rtol=0)
        torch.testing.assert_close(scores.logits, phrases.logits[0], atol=1e-13, rtol=0)


def test_of_a_whole_document_nothing_is_irrelevant():
    model = model_of(layers=2, scale=2.0)
    document = ["good", "not", "bad", "film"]
    whole = ContextualDecomposition(model).score_phrase(document, 0, 4)
    assert float(whole.irrelevant.abs().max()) <= 1e-14
    other = ContextualDecomposition(model, bias="reference-2018").score_phrase(document, 0, 4)
    assert float(other.irrelevant.abs().max()) > 1e-4
    assert other.completeness <= 1e-14


def test_an_initial_state_is_irrelevant():
    model = own_cell_model("lstm")
    document = ["good", "not", "bad"]
    got = ContextualDecomposition(model).score_phrase(document, 0, 3)
    relevant, irrelevant = contextual_decomposition(model, ids_of(document), 0, 3)
    np.testing.assert_allclose(got.relevant[0], relevant, atol=1e-13)
    np.testing.assert_allclose(got.irrelevant[0], irrelevant, atol=1e-13)
    assert float(got.irrelevant.abs().max()) > 1e-3


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_phrase_of_which_nothing_is_left_scores_nothing(pooling):
    model = model_of(pooling=pooling, scale=0.5)
    document = random_documents(2, longest=90, seed=1)[1] * 3
    assert len(document) > 100
    words = ContextualDecomposition(model).score([document])[0].values
    for j in (0, 5, len(document) - 3):
        relevant, _ = contextual_decomposition(model, ids_of(document), j, j + 1)
        np.testing.assert_allclose(words[j], relevant, atol=1e-13)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 6))
@settings(max_examples=8, deadline=None)
def test_the_parts_add_up_whatever_the_weights(seed, scale):
    model = own_cell_model("lstm", seed=seed, scale=scale)
    documents = random_documents(3, seed=seed)
    method = ContextualDecomposition(model)
    phrases = method.score_phrases(documents, all_spans(documents))
    document, start, stop = phrases.spans[seed % len(phrases)]
    ids = ids_of(documents[document])
    relevant, irrelevant = contextual_decomposition(model, ids, start, stop)
    row = seed % len(phrases)
    np.testing.assert_allclose(phrases.relevant[row], relevant, atol=1e-11)
    np.testing.assert_allclose(phrases.irrelevant[row], irrelevant, atol=1e-11)
    logits = model.logits(documents)[phrases.spans[:, 0]]
    torch.testing.assert_close(phrases.logits, logits, atol=1e-12, rtol=0)
    same_in_any_batch(method, documents, 1e-11)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("shape", LSTMS, ids=str)
def test_padding_and_order_never_change_a_score(shape, dtype, limit):
    model = model_of(dtype, scale=1.0, **shape)
    same_in_any_batch(ContextualDecomposition(model), random_documents(8), limit)


def test_with_and_without_the_compiled_steps(monkeypatch):
    model = model_of(torch.float32, units=20, width=20, scale=1.0)
    documents = random_documents(6)
    compiled = ContextualDecomposition(model).score(documents).values
    without_numba(monkeypatch)
    plain = ContextualDecomposition(model).score(documents).values
    torch.testing.assert_close(compiled, plain, atol=2e-6, rtol=0)
    exact = ContextualDecomposition(model.to(torch.float64)).score(documents).values
    torch.testing.assert_close(plain.double(), exact, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"kind": "gru"}, "plain LSTM"),
        ({"kind": "vanilla"}, "plain LSTM"),
        ({"units": 4, "projection": 3}, "without projection"),
        ({"layers": 2, "bidirectional": True}, "one reading direction"),
    ],
)
def test_other_networks_are_refused(shape, sentence):
    with pytest.raises(NotApplicable, match=sentence):
        ContextualDecomposition(model_of(**shape))


@pytest.mark.parametrize("span", [(0, 0, 0), (0, 1, 4), (0, -1, 1), (1, 0, 1), (-1, 0, 1)])
def test_phrases_outside_the_text_are_refused(span):
    with pytest.raises(DataError, match="A phrase"):
        ContextualDecomposition(model_of()).score_phrases([["good", "bad", "film"]], [span])


def test_bad_input_is_refused():
    method = ContextualDecomposition(model_of())
    with pytest.raises(DataError, match="whole numbers"):
        method.score_phrases([["good"]], [(0, 1)])
    with pytest.raises(DataError, match="at least one word"):
        method.score_phrase([], 0, 1)
    with pytest.raises(UsageError, match="bias convention"):
        ContextualDecomposition(model_of(), bias="exclusive")
    with pytest.raises(NotApplicable, match="no completeness"):
        _ = method.score([["good"]]).completeness
    assert len(method.score_phrases([["good"]], [])) == 0
    assert method.score_phrases([["good"]], []).completeness == 0.0
