"""beta and gamma: equal to their loop-by-loop references, complete, free of padding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnscope.models as models
from rnnscope.cells import CELLS
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.scores import CellDecomposition, CellDifference, against_others
from tests.helpers import WORDS, random_cell, random_documents, random_module
from tests.reference.scores import word_scores

METHODS = {"beta": CellDifference, "gamma": CellDecomposition}
SHAPES = [
    {"kind": "lstm"},
    {"kind": "lstm", "classes": 1},
    {"kind": "lstm", "classes": 3, "bidirectional": True},
    {"kind": "lstm", "layers": 2},
    {"kind": "lstm", "pooling": "mean"},
    {"kind": "lstm", "pooling": "max", "bidirectional": True},
    {"kind": "gru", "classes": 3},
    {"kind": "gru", "layers": 2, "bidirectional": True, "pooling": "mean"},
]


def model_of(dtype=torch.float64, **shape):
    pooling = shape.get("pooling", "last")
    module = random_module(dtype=dtype, scale=2.0, **shape)
    return models.from_torch(module, vocabulary=WORDS, pooling=pooling)


def own_cell_model(kind, *, initial=False, seed=0):
    """A model around one of the cells that torch does not have, or with an initial state."""
    rng = torch.Generator().manual_seed(seed)
    cell = random_cell(kind, seed=seed)
    start = torch.randn(cell.state_size, generator=rng, dtype=torch.float64) if initial else None
    return models.Model(
        layers=(models.Layer(directions=(models.Direction(cell=cell, initial=start),)),),
        embedding=torch.randn(len(WORDS), 3, generator=rng, dtype=torch.float64),
        vocabulary=models.model.Vocabulary.of(WORDS),
        readout=models.Readout.of(torch.randn(3, 4, generator=rng, dtype=torch.float64)),
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_scores_are_the_references(shape, method):
    model = model_of(**shape)
    documents = random_documents(6)
    got = METHODS[method](model).score(documents)
    for document, scores in zip(documents, got, strict=True):
        expected, initial = word_scores(model, method, [WORDS.index(w) for w in document])
        np.testing.assert_allclose(scores.values, expected, atol=1e-12)
        np.testing.assert_allclose(scores.initial, initial, atol=1e-12)
        assert scores.tokens == tuple(document)


@pytest.mark.parametrize("kind", ["ugrnn", "gru_reset_first", "gru", "lstm"])
@pytest.mark.parametrize("method", METHODS)
def test_initial_states_and_our_own_cells(kind, method):
    model = own_cell_model(kind, initial=True)
    document = ["good", "not", "bad", "film"]
    scores = METHODS[method](model).score([document])[0]
    expected, initial = word_scores(model, method, [WORDS.index(w) for w in document])
    np.testing.assert_allclose(scores.values, expected, atol=1e-12)
    np.testing.assert_allclose(scores.initial, initial, atol=1e-12)
    assert float(scores.initial.abs().max()) > 1e-3
    assert scores.completeness <= 1e-12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_scores_are_complete(shape, dtype, limit, method):
    model = model_of(dtype, **shape)
    scores = METHODS[method](model).score(random_documents(30))
    assert scores.completeness.relative <= limit
    logits = model.logits([document.tokens for document in scores])
    for document, expected in zip(scores, logits, strict=True):
        total = document.values.sum(dim=0)
        scale = max(1.0, float(document.values.abs().sum()))
        assert float((total - (expected - model.readout.bias)).abs().max()) <= limit * scale


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_padding_and_order_never_change_a_score(shape, dtype, limit, method):
    model = model_of(dtype, **shape)
    documents = random_documents(20)
    together = METHODS[method](model).score(documents)
    backwards = METHODS[method](model).score(documents[::-1])
    for k, document in enumerate(documents):
        alone = METHODS[method](model).score([document])[0].values
        scale = max(1.0, float(alone.abs().max()))
        assert float((together[k].values - alone).abs().max()) <= limit * scale
        assert float((backwards[19 - k].values - alone).abs().max()) <= limit * scale


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 8), kind=st.sampled_from(sorted(CELLS)))
@settings(max_examples=40, deadline=None)
def test_completeness_holds_whatever_the_weights(seed, scale, kind):
    model = own_cell_model(kind, seed=seed)
    model = replace(model, layers=tuple(layer.map(lambda w: w * scale) for layer in model.layers))
    methods = METHODS.values() if kind != "vanilla" else [CellDifference]
    for method in methods:
        assert method(model).score(random_documents(4, seed=seed)).completeness.relative <= 1e-12


def test_the_output_bias_belongs_to_no_word():
    model = model_of()
    moved = replace(model, readout=replace(model.readout, bias=model.readout.bias + 5))
    document = [["good", "bad"]]
    for method in METHODS.values():
        a, b = method(model).score(document)[0], method(moved).score(document)[0]
        assert torch.equal(a.values, b.values)


def test_the_contrast_sums_to_the_logit_of_a_one_logit_network():
    model = model_of(classes=1)
    scores = CellDifference(model).score([["good", "film"]])[0]
    logits = model.logits([["good", "film"]])[0]
    bias = model.readout.bias
    expected = (logits[1] - logits[0]) - (bias[1] - bias[0])
    torch.testing.assert_close(scores.contrast.sum(), expected)


@pytest.mark.parametrize("classes", [2, 3])
def test_comparing_classes_is_free_of_the_gauge(classes):
    """Adding one vector to every row of the readout changes no probability and no comparison."""
    model = model_of(classes=classes)
    readout = model.readout
    gauge = replace(readout, weight=readout.weight + torch.arange(5.0, dtype=torch.float64))
    a = CellDecomposition(model).score(random_documents(5)).values
    b = CellDecomposition(replace(model, readout=gauge)).score(random_documents(5)).values
    assert float((a - b).abs().max()) > 1e-3
    torch.testing.assert_close(against_others(a), against_others(b), atol=1e-12, rtol=0)


def test_gamma_refuses_a_vanilla_network():
    with pytest.raises(NotApplicable, match="no gate that keeps"):
        CellDecomposition(model_of(kind="vanilla"))
    assert CellDifference(model_of(kind="vanilla")).score([["good"]]).completeness.error <= 1e-12


def test_a_network_without_readout_is_refused():
    with pytest.raises(NotApplicable, match="no readout"):
        CellDifference(models.from_torch(torch.nn.LSTM(3, 4)))


def test_what_is_no_model_is_refused():
    with pytest.raises(UsageError, match="from_torch"):
        CellDifference(random_module())
    assert len(CellDifference(model_of()).score([iter(["good", "bad"])])[0].tokens) == 2


def test_texts_and_indices_and_vectors():
    model = model_of()
    words = CellDifference(model).score([["good", "film"]])[0]
    text = CellDifference(model).score(["Good film"])[0]
    ids = CellDifference(model).score([np.array([5, 4])])[0]
    assert words.tokens == text.tokens == ids.tokens
    assert torch.equal(words.values, text.values)
    assert torch.equal(words.values, ids.values)
    with pytest.raises(DataError, match="come as a list"):
        CellDifference(model).score("good film")


def test_the_contrast_of_three_classes_is_refused():
    with pytest.raises(NotApplicable, match="two classes"):
        _ = CellDifference(model_of(classes=3)).score([["good"]])[0].contrast


def test_an_index_beyond_the_end():
    scores = CellDifference(model_of()).score([["good"], ["bad"]])
    assert scores[-1].tokens == ("bad",)
    assert [d.tokens for d in scores[0:2]] == [("good",), ("bad",)]
    with pytest.raises(IndexError):
        scores[2]


@pytest.mark.parametrize("row", [0, 3, 6])
def test_completeness_finds_the_one_document_that_does_not_add_up(row):
    class Wrong(CellDifference):
        def batches(self, documents):
            for batch in super().batches(documents):
                values = batch.values.clone()
                for k, index in enumerate(batch.indices.tolist()):
                    values[k, 0, 1] += 0.5 * (index == row)
                yield replace(batch, values=values)

    scores = Wrong(model_of()).score(random_documents(7))
    assert scores.completeness.error == pytest.approx(0.5)
    assert scores[row].completeness == pytest.approx(0.5)
    size = max(1.0, float(scores[row].values.abs().sum(dim=0)[1]))
    assert scores.completeness.relative == pytest.approx(0.5 / size)
