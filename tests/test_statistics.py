"""Intervals and correlations on plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnscope.statistics import correlation, share


@given(hits=st.lists(st.booleans(), min_size=1, max_size=200))
@settings(max_examples=25, deadline=None)
def test_a_share_is_the_mean_inside_its_interval(hits):
    estimate = share(np.array(hits))
    assert estimate.value == pytest.approx(np.mean(hits))
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1
    assert estimate.count == len(hits)


def test_the_interval_of_a_share_has_the_binomials_width():
    hits = np.arange(400) % 4 == 0
    estimate = share(hits)
    width = 2 * 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert estimate.high - estimate.low == pytest.approx(width, rel=0.15)


@pytest.mark.parametrize("rank", [False, True])
def test_correlations_are_scipys(rank):
    rng = np.random.default_rng(1)
    a = rng.normal(size=50)
    b = a + rng.normal(size=50)
    expected = (stats.spearmanr if rank else stats.pearsonr)(a, b).statistic
    estimate = correlation(a, b, rank=rank)
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < estimate.value < estimate.high


def test_all_alike_is_not_certain():
    estimate = share(np.ones(10))
    assert estimate.value == 1
    assert estimate.low == pytest.approx(0.7225, abs=1e-3)


def test_nothing_to_measure_is_not_a_number():
    assert np.isnan(correlation(np.ones(5), np.arange(5)).value)
    assert np.isnan(share(np.array([])).value)


def test_the_same_seed_gives_the_same_interval():
    hits = np.arange(30) % 3 == 0
    pairs = np.arange(30), np.arange(30) % 7
    assert correlation(*pairs, seed=3) == correlation(*pairs, seed=3)
    assert f"{share(hits):.2f}".startswith("0.33 [")
