"""Words are told apart where the network does so, and not where labels were shuffled."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.dynamics import linearize, word_separability
from rnnscope.dynamics.separability import RIDGE, _folds, _left_out, _within, pair_order
from rnnscope.errors import DataError, UsageError
from tests.dynamics import line_networks as ln

STATES = torch.zeros(3, 24, dtype=torch.float64)


def study(width=16, count=60, **options):
    model = ln.line_network(width=width, count=count, **options)
    return model, linearize(model, STATES)


def test_a_line_tells_words_apart():
    model, modes = study()
    found = word_separability(model, modes, ln.classes(60))
    assert found.auc.value > 0.99
    assert found.accuracy.value > 0.95
    assert found.auc_null < 0.7
    assert found.accuracy_null < 0.7
    assert found.auc.low < found.auc.value <= found.auc.high
    assert found.accuracy.low < found.accuracy.value
    json.dumps(found.summary(), allow_nan=False)
    assert "60 positive" in repr(found)


def test_200_shuffled_words_in_128_dimensions_are_not_told_apart():
    """Though every such set of words is linearly separable."""
    model = ln.line_network(units=140, width=128, count=100)
    modes = linearize(model, torch.zeros(1, 140, dtype=torch.float64), count=2)
    for seed in range(4):
        found = word_separability(model, modes, ln.classes(100, shuffled=seed), draws=50)
        assert found.auc.low < found.auc_null
        assert found.accuracy.low < found.accuracy_null
    X = modes.effects(model.embedding[:200])[0].numpy()
    labels = np.repeat([1.0, -1.0], 100)[np.random.default_rng(0).permutation(200)]
    fitted = np.linalg.lstsq(np.c_[X, np.ones(200)], labels, rcond=None)[0]
    assert (np.sign(np.c_[X, np.ones(200)] @ fitted) == labels).mean() > 0.85


def test_words_that_push_the_other_way_are_not_in_order():
    model, modes = study()
    turned = replace(
        ln.classes(60), positive=ln.names(60)["negative"], negative=ln.names(60)["positive"]
    )
    found = word_separability(model, modes, turned, draws=20)
    assert found.auc.value < 0.01
    assert found.accuracy.value > 0.95
    bare = replace(modes, readout=None)
    assert word_separability(model, bare, turned, draws=20).auc.value > 0.99


def test_classes_in_the_other_order_are_turned_round():
    model, modes = study()
    words = ln.names(60)
    named = replace(
        ln.classes(60),
        positive=words["negative"],
        negative=words["positive"],
        classes=("good", "bad"),
    )
    assert word_separability(model, modes, named, draws=20).auc.value > 0.99


@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.integers(0, 1000))
def test_pairs_in_order_by_counting(values, seed):
    labels = np.random.default_rng(seed).integers(0, 2, len(values))
    labels[0], labels[-1] = 0, 1
    x = np.array(values, dtype=float)
    pairs = [(a > b) + (a == b) / 2 for a in x[labels == 1] for b in x[labels == 0]]
    assert pair_order(x, labels) == pytest.approx(np.mean(pairs))
    both = np.stack([labels, 1 - labels])
    np.testing.assert_allclose(pair_order(x, both), [np.mean(pairs), 1 - np.mean(pairs)])


def test_words_left_out_by_a_loop():
    """Ridge regression in the features' own coordinates, one fold at a time."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4)) + np.repeat([[1.0], [0.0]], 15, axis=0)
    labels = np.repeat([1, 0], 15)
    fold = _folds(labels, 5, rng)
    assert [int((labels[fold == k]).sum()) for k in range(5)] == [3] * 5
    shuffled = _within(labels, fold, rng)
    assert [int((shuffled[fold == k]).sum()) for k in range(5)] == [3] * 5
    right = _left_out(torch.from_numpy(X), labels, shuffled[None], fold)
    for row, truth in enumerate((labels, shuffled)):
        for k in range(5):
            out = fold == k
            center = X[~out].mean(0)
            A, y = X[~out] - center, 2.0 * truth[~out] - 1
            penalty = RIDGE * (A * A).sum() / len(A)
            w = np.linalg.solve(A.T @ A + penalty * np.eye(4), A.T @ (y - y.mean()))
            said = (X[out] - center) @ w + y.mean()
            np.testing.assert_array_equal(right[row, out], (said > 0) == (truth[out] == 1))


def test_effects_that_are_all_alike_say_nothing():
    model, modes = study()
    flat = replace(model, embedding=torch.zeros_like(model.embedding))
    found = word_separability(flat, modes, ln.classes(60), shuffles=10, draws=10)
    assert found.auc.value == 0.5
    assert found.accuracy.value == 0.5


def test_bad_input():
    model, modes = study()
    with pytest.raises(DataError, match="3 positive"):
        word_separability(model, modes, ln.classes(3))
    with pytest.raises(UsageError, match="two folds"):
        word_separability(model, modes, ln.classes(20), folds=1)
