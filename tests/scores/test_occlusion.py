"""Occlusion and leave-one-out: interventions, run from the changed word on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import CELLS
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.scores import LeaveOneOut, Occlusion
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

METHODS = [Occlusion, LeaveOneOut]


def expected_of(method, model, document, baseline=(0.0, 0.0, 0.0)):
    if method is Occlusion:
        return attributions.occlusion(model, ids_of(document), list(baseline))
    return attributions.leave_one_out(model, ids_of(document))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_drops_are_the_references(shape, method):
    model = model_of(**shape)
    documents = random_documents(5, longest=6)
    for document, scores in zip(documents, method(model).score(documents), strict=True):
        np.testing.assert_allclose(scores.values, expected_of(method, model, document), atol=1e-12)
        torch.testing.assert_close(scores.logits, model.logits([document])[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", sorted(CELLS))
def test_drops_of_our_own_cells_with_an_initial_state(kind, method):
    model = own_cell_model(kind)
    for document in (["good"], ["good", "not", "film"]):
        scores = method(model).score([document])[0]
        np.testing.assert_allclose(scores.values, expected_of(method, model, document), atol=1e-12)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "vanilla"])
@pytest.mark.parametrize("method", METHODS)
def test_variants_that_come_back_to_the_original_lose_nothing(kind, pooling, method):
    """A forgetful network: most variants leave long before their document ends."""
    model = model_of(kind=kind, pooling=pooling, bidirectional=True, scale=0.4)
    documents = random_documents(4, longest=60, seed=3)
    assert max(map(len, documents)) > 40
    options = {} if method is LeaveOneOut else {"baseline": "unknown"}
    fast = method(model, **options).score(documents)
    for document, scores in zip(documents, fast, strict=True):
        if len(document) == 1:
            continue
        changed = [ids_of(document) for _ in document]
        for j, ids in enumerate(changed):
            ids[j : j + 1] = [] if method is LeaveOneOut else [1]
        drops = model.logits([document]) - model.logits([np.array(ids) for ids in changed])
        torch.testing.assert_close(scores.values, drops, atol=1e-13, rtol=0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_padding_and_order_never_change_a_score(shape, dtype, limit, method):
    model = model_of(dtype, scale=1.0, **shape)
    same_in_any_batch(method(model), random_documents(8), limit)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 3), kind=st.sampled_from(sorted(CELLS)))
@settings(max_examples=8, deadline=None)
def test_leaving_out_is_running_the_shorter_text(seed, scale, kind):
    model = own_cell_model(kind, seed=seed, scale=scale)
    (document,) = random_documents(2, longest=20, seed=seed)[1:]
    scores = LeaveOneOut(model).score([document])[0].values
    for j in range(len(document) if len(document) > 1 else 0):
        drop = model.logits([document]) - model.logits([document[:j] + document[j + 1 :]])
        torch.testing.assert_close(scores[j], drop[0], atol=1e-11, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_with_and_without_the_compiled_steps(method, monkeypatch):
    model = model_of(torch.float32, units=20, width=20, scale=1.0)
    documents = random_documents(6)
    compiled = method(model).score(documents).values
    without_numba(monkeypatch)
    plain = method(model).score(documents).values
    torch.testing.assert_close(compiled, plain, atol=2e-6, rtol=0)
    exact = method(model.to(torch.float64)).score(documents).values
    torch.testing.assert_close(plain.double(), exact, atol=1e-5, rtol=0)


def test_the_word_in_the_place_of_another_can_be_named():
    model = model_of()
    document = ["good", "not", "bad"]
    drops = Occlusion(model, baseline="unknown").score([document])[0].values
    for j in range(3):
        changed = [*document[:j], "<unk>", *document[j + 1 :]]
        drop = model.logits([document]) - model.logits([changed])
        torch.testing.assert_close(drops[j], drop[0], atol=1e-13, rtol=0)
    with pytest.raises(UsageError, match="baseline must be known"):
        Occlusion(model, baseline="blank")


@pytest.mark.parametrize("layers", [1, 2])
def test_vectors(layers):
    words = model_of(layers=layers, bidirectional=layers > 1)
    vectors = replace(words, embedding=None, vocabulary=None)
    document = ["good", "not", "bad"]
    for method in METHODS:
        a = method(words).score([document])[0].values
        b = method(vectors).score([words.embedding[ids_of(document)].numpy()])[0].values
        torch.testing.assert_close(a, b, atol=1e-13, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_said_is_refused(method):
    scores = method(model_of()).score([["good", "bad"]])
    with pytest.raises(NotApplicable, match="no completeness"):
        _ = scores.completeness
    with pytest.raises(DataError, match="at least one word"):
        method(model_of()).score([[]])
