"""Changed versions of a text in one batch, and the words worth putting in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rnnscope as rs
from rnnscope.models import from_torch
from rnnscope.scores import (
    NOTHING,
    Replacements,
    against_others,
    read_changes,
    word_gradients,
)
from tests.helpers import random_module

DOCUMENT = np.array([2, 5, 4, 7, 2, 6, 3])
VERSIONS = [
    DOCUMENT,
    DOCUMENT[:-1],
    DOCUMENT[:3],
    np.append(DOCUMENT, [1, 2, 3]),
    DOCUMENT[::-1],
    np.delete(DOCUMENT, 2),
    np.delete(DOCUMENT, 0),
    np.array([9, 8]),
    np.append(DOCUMENT[:3], [9, 8, 7, 6, 5, 4, 3]),
]
SHAPES = [
    {},
    {"layers": 2},
    {"bidirectional": True},
    {"pooling": "mean"},
    {"layers": 2, "bidirectional": True, "pooling": "max"},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_every_version_is_what_the_network_says_of_it(kind, shape):
    model = from_torch(random_module(kind, **shape))
    found = read_changes(model, DOCUMENT, VERSIONS)
    torch.testing.assert_close(found.changed, model.logits(VERSIONS), rtol=0, atol=1e-12)
    parts = [DOCUMENT[:t] for t in range(1, 8)]
    torch.testing.assert_close(found.steps[1:], model.logits(parts), rtol=0, atol=1e-12)
    if shape.get("bidirectional"):
        assert found.states is None
    else:
        states = model.trajectory([DOCUMENT]).states[0]
        torch.testing.assert_close(found.states[1:], states, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_word_blanked_or_left_out_is_occlusion_and_leave_one_out(shape):
    model = from_torch(random_module("lstm", **shape))
    blanked = DOCUMENT.copy()
    blanked[3] = NOTHING
    found = read_changes(model, DOCUMENT, [blanked, np.delete(DOCUMENT, 3)])
    for score, logits in zip((rs.Occlusion, rs.LeaveOneOut), found.changed, strict=True):
        (own,) = score(model).score([DOCUMENT])
        torch.testing.assert_close(found.steps[-1] - logits, own.values[3], rtol=0, atol=1e-10)


def test_no_words_leave_the_state_before_the_first():
    model = from_torch(random_module())
    found = read_changes(model, DOCUMENT[:1], [DOCUMENT[:0]])
    torch.testing.assert_close(found.changed[0], found.steps[0])
    (own,) = rs.LeaveOneOut(model).score([DOCUMENT[:1]])
    torch.testing.assert_close(found.steps[1] - found.changed[0], own.values[0])


def test_what_cannot_be_changed():
    model = from_torch(random_module())
    for document, versions in (
        (DOCUMENT[:0], []),
        (DOCUMENT, [np.array([10])]),
        (DOCUMENT, [np.array([-2])]),
    ):
        with pytest.raises(rs.DataError, match="word indices"):
            read_changes(model, document, versions)


@pytest.mark.parametrize("classes", [2, 3])
def test_gradients_times_vectors_are_the_score(classes):
    model = from_torch(random_module("gru", classes=classes))
    (own,) = rs.GradientTimesInput(model).score([DOCUMENT])
    for k in range(classes):
        found = word_gradients(model, DOCUMENT, k)
        product = (found * model.embedding[torch.as_tensor(DOCUMENT)]).sum(dim=-1)
        torch.testing.assert_close(product, against_others(own.values)[:, k])


def test_proposals_are_the_best_to_first_order():
    model = from_torch(random_module())
    gradients = word_gradients(model, DOCUMENT, 1)
    words = np.array([1, 3, 4, 5, 6, 8, 9])
    every = Replacements.of(model, words)
    for j, proposed in enumerate(every.propose(DOCUMENT, gradients, 2)):
        free = words[words != DOCUMENT[j]]
        gain = (model.embedding[free] @ gradients[j]).numpy()
        order = free[np.argsort(-gain)]
        assert proposed.tolist() == [*order[:2], *order[::-1][:2]]
    allowed = np.zeros((7, 7), dtype=bool)
    allowed[:, :2] = True
    for j, proposed in enumerate(every.propose(DOCUMENT, gradients, 2, allowed)):
        assert set(proposed) == {1, 3} - {DOCUMENT[j]}
    assert allowed.sum() == 14
    assert [len(one) for one in every.propose(DOCUMENT, gradients, 1, ~allowed & allowed)] == [
        0
    ] * 7
