"""Batches: every sequence once, within the budget; padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.data import bucketed, pad
from rnnscope.errors import DataError, UsageError

lengths_lists = st.lists(st.integers(0, 60), max_size=80)


@given(lengths_lists, st.integers(1, 200), st.none() | st.integers(0, 9))
def test_every_index_once_within_the_budget(lengths, tokens, seed):
    shuffle = None if seed is None else np.random.default_rng(seed)
    batches = bucketed(lengths, tokens=tokens, shuffle=shuffle)
    assert sorted(i for batch in batches for i in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert batch.dtype == np.int64
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * max(longest, 1) <= tokens


@given(lengths_lists, st.integers(1, 200))
def test_deterministic(lengths, tokens):
    def listed(seed=None):
        rng = None if seed is None else np.random.default_rng(seed)
        return [batch.tolist() for batch in bucketed(lengths, tokens=tokens, shuffle=rng)]

    assert listed() == listed()
    assert listed(3) == listed(3)
    flat = [lengths[i] for batch in listed() for i in batch]
    assert flat == sorted(lengths)


def test_little_padding_and_real_shuffling():
    lengths = np.random.default_rng(0).integers(1, 300, 3000)
    for seed in (None, 1):
        rng = None if seed is None else np.random.default_rng(seed)
        batches = bucketed(lengths, shuffle=rng)
        padded = sum(len(batch) * lengths[batch].max() for batch in batches)
        assert padded < 1.25 * lengths.sum()
    rng = np.random.default_rng(1)
    first, second = (bucketed(lengths, shuffle=rng) for _ in range(2))
    assert [set(b.tolist()) for b in first] != [set(b.tolist()) for b in second]


def test_refusals():
    with pytest.raises(UsageError):
        bucketed([1], tokens=0)
    for wrong in ([-1], [1.5], [[1]]):
        with pytest.raises(DataError):
            bucketed(wrong)


@given(st.lists(st.lists(st.integers(-5, 5), max_size=7), max_size=6), st.integers(-1, 1))
def test_pad(sequences, fill):
    stacked, lengths = pad([np.array(s, dtype=np.int64) for s in sequences], fill=fill)
    assert stacked.shape == (len(sequences), max(map(len, sequences), default=0))
    assert lengths.tolist() == [len(s) for s in sequences]
    for row, sequence in zip(stacked, sequences, strict=True):
        assert row[: len(sequence)].tolist() == sequence
        assert (row[len(sequence) :] == fill).all()


def test_pad_names_a_wrong_shape():
    with pytest.raises(DataError, match="position 1"):
        pad([np.zeros(2), np.zeros((2, 2))])
