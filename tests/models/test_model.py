"""The model against its loop-by-loop reference, and its freedom from padding and batching."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnscope.models as models
from rnnscope.cells import Stack
from rnnscope.errors import DataError, ModelError, NotApplicable
from rnnscope.models.layers import flip
from tests.helpers import WORDS, random_cell, random_documents, random_module
from tests.reference.models import run_model

SHAPES = [
    {"kind": "lstm"},
    {"kind": "gru", "pooling": "mean"},
    {"kind": "vanilla", "pooling": "max"},
    {"kind": "lstm", "layers": 2, "bidirectional": True, "classes": 3},
    {"kind": "gru", "bidirectional": True, "pooling": "max", "classes": 1},
    {"kind": "relu", "layers": 3},
]


def model_of(**shape):
    pooling = shape.get("pooling", "last")
    return models.from_torch(random_module(**shape), vocabulary=WORDS, pooling=pooling)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_logits_are_the_references(shape):
    model = model_of(**shape)
    documents = random_documents()
    logits = model.logits(documents)
    for row, document in enumerate(documents):
        expected = run_model(model, [WORDS.index(w) for w in document])[2]
        np.testing.assert_allclose(logits[row], expected, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_batching_never_changes_a_result(shape, dtype, limit):
    model = model_of(**shape, dtype=dtype)
    documents = random_documents(20)
    together = model.logits(documents)
    apart = torch.cat([model.logits([document]) for document in documents])
    backwards = model.logits(documents[::-1]).flip(0)
    scale = max(1.0, float(together.abs().max()))
    assert float((together - apart).abs().max()) <= limit * scale
    assert float((together - backwards).abs().max()) <= limit * scale


def test_trajectories_cover_each_document_once():
    model = model_of(kind="lstm")
    documents = random_documents(20)
    seen = []
    for part in model.trajectories(documents, batch_tokens=16, gates=True):
        seen += part.indices.tolist()
        assert part.visited().shape == (int(part.lengths.sum()), 10)
        for row, k in enumerate(part.indices.tolist()):
            states, _, _ = run_model(model, [WORDS.index(w) for w in documents[k]])
            length = len(documents[k])
            np.testing.assert_allclose(part.states[row, :length], states[0], atol=1e-12)
            np.testing.assert_allclose(part.final()[row], states[0][-1], atol=1e-12)
    assert sorted(seen) == list(range(20))


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_flip_is_its_own_inverse(lengths, seed):
    rng = torch.Generator().manual_seed(seed)
    batch = torch.randn(len(lengths), max(lengths), 2, generator=rng)
    counts = torch.tensor(lengths)
    flipped = flip(batch, counts)
    assert torch.equal(flip(flipped, counts), batch)
    for row, n in enumerate(lengths):
        assert torch.equal(flipped[row, :n], batch[row, :n].flip(0))


def test_one_logit_is_two_classes():
    module = random_module(classes=1)
    model = models.from_torch(module, vocabulary=WORDS)
    document = ["good", "film"]
    with torch.no_grad():
        z = module.eval()(torch.tensor([[WORDS.index(w) for w in document]]))
    logits = model.logits([document])
    assert logits.shape == (1, 2)
    torch.testing.assert_close(logits[0, 1] - logits[0, 0], z[0, 0])
    torch.testing.assert_close(model.probabilities([document])[0, 1], torch.sigmoid(z[0, 0]))


def test_cell_of_a_stack_is_one_system():
    model = model_of(kind="lstm", layers=2)
    assert isinstance(model.cell, Stack)
    trajectory = model.trajectory([["good", "film"]])
    state = model.cell.initial_state(1)
    for t, word in enumerate(("good", "film")):
        state = model.cell.step(model.embedding[[WORDS.index(word)]], state)
        torch.testing.assert_close(trajectory.states[:, t], state)


def test_a_bidirectional_network_has_no_one_cell():
    model = model_of(bidirectional=True)
    with pytest.raises(NotApplicable, match="two dynamical systems"):
        _ = model.cell
    with pytest.raises(NotApplicable, match="two dynamical systems"):
        _ = model.trajectory([["good"]]).states


def test_a_learned_initial_state_is_used():
    cell = random_cell("gru")
    start = torch.tensor([0.1, -0.2, 0.3, 0.4], dtype=torch.float64)
    layer = models.Layer(directions=(models.Direction(cell=cell, initial=start),))
    model = models.Model(layers=(layer,))
    x = torch.ones(1, 3, dtype=torch.float64)
    torch.testing.assert_close(model.trajectory([x]).states[0, 0], cell.step(x[0], start))


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ("good film", "come as a list"),
        ([["good"], []], "document 1 is empty"),
        ([""], "document 0 is empty"),
        ([[99]], "document 0 holds 99"),
        ([[0.5]], "whole numbers"),
        ([["good", 3]], "string"),
        (None, "come as a list"),
        ([None], "document 0: NoneType"),
    ],
)
def test_bad_documents_are_named(documents, message):
    with pytest.raises(DataError, match=message):
        model_of().logits(documents)


def test_unknown_words_without_an_unknown_token():
    words = tuple(f"w{k}" for k in range(len(WORDS)))
    model = models.from_torch(random_module(), vocabulary=words)
    with pytest.raises(DataError, match="zebra"):
        model.logits([["w1", "zebra"]])


def test_weights_that_are_not_finite_are_named():
    module = random_module()
    with torch.no_grad():
        module.rnn.weight_hh_l0[0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"layer0\.forward\.V"):
        models.from_torch(module, vocabulary=WORDS)


def test_vectors_of_another_width_are_named():
    model = models.from_torch(torch.nn.GRU(3, 4))
    with pytest.raises(DataError, match=r"\(steps, 3\)"):
        list(model.trajectories([np.ones((5, 2))]))
    with pytest.raises(NotApplicable, match="no readout"):
        model.logits([np.ones((5, 3))])
