"""Intervals and correlations on plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnscope.statistics import (
    balanced_agreement,
    correlation,
    kappa,
    mean,
    over_runs,
    paired_difference,
    share,
)
from tests.reference import fidelity as slow


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
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_correlations_are_scipys(rank, shift):
    rng = np.random.default_rng(1)
    a = rng.normal(size=50)
    b = a + rng.normal(size=50) + shift
    expected = (stats.spearmanr if rank else stats.pearsonr)(a, b).statistic
    estimate = correlation(a, b, rank=rank)
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < estimate.value < estimate.high


def test_a_correlation_is_bootstrapped_pair_by_pair():
    rng = np.random.default_rng(5)
    a = rng.normal(size=40)
    b = a + rng.normal(size=40)
    rng = np.random.default_rng(7)
    draws = [rng.integers(0, 40, size=40) for _ in range(1000)]
    expected = np.quantile([np.corrcoef(a[k], b[k])[0, 1] for k in draws], [0.025, 0.975])
    estimate = correlation(a, b, seed=7)
    assert [estimate.low, estimate.high] == pytest.approx(expected.tolist())


def test_all_alike_is_not_certain():
    estimate = share(np.ones(10))
    assert estimate.value == 1
    assert estimate.low == pytest.approx(0.7225, abs=1e-3)


def test_nothing_to_measure_is_not_a_number():
    assert np.isnan(correlation(np.ones(5), np.arange(5)).value)
    assert np.isnan(share(np.array([])).value)
    assert np.isnan(mean(np.array([])).value)
    assert np.isnan(paired_difference(np.array([]), np.array([])).value)
    assert not kappa(np.array([0, 1]), np.array([1, 1])).known


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1])
def test_a_constant_has_no_correlation_whatever_rounding_leaves_of_it(value):
    """The mean of three 0.1 is not 0.1, which once made a correlation out of rounding."""
    assert not correlation(np.full(3, value), np.array([1.0, 2.0, 5.0])).known


def test_the_same_seed_gives_the_same_interval():
    hits = np.arange(30) % 3 == 0
    pairs = np.arange(30), np.arange(30) % 7
    assert correlation(*pairs, seed=3) == correlation(*pairs, seed=3)
    assert f"{share(hits):.2f}".startswith("0.33 [")


def test_a_mean_has_the_width_of_its_standard_error():
    values = np.random.default_rng(2).normal(3, 2, size=500)
    estimate = mean(values)
    assert estimate.value == pytest.approx(values.mean())
    width = 2 * 1.96 * values.std() / np.sqrt(500)
    assert estimate.high - estimate.low == pytest.approx(width, rel=0.1)


def test_what_belongs_together_is_drawn_together():
    """Ten copies of an item are one item: the interval must not shrink."""
    values = np.random.default_rng(3).normal(size=60)
    copies, groups = np.repeat(values, 10), np.repeat(np.arange(60), 10)
    assert mean(copies, groups=groups).low == pytest.approx(mean(values).low)
    other = values + np.random.default_rng(4).normal(size=60)
    paired = correlation(copies, np.repeat(other, 10), groups=groups)
    assert paired.low == pytest.approx(correlation(values, other).low)
    assert paired.value == pytest.approx(correlation(values, other).value)


def test_a_single_item_has_no_interval():
    estimate = mean(np.array([2.5]))
    assert estimate.value == 2.5
    assert np.isnan([estimate.low, estimate.high]).all()
    assert np.isnan(mean(np.array([1.0, 2.0]), groups=np.array([7, 7])).low)


classes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=60)


@given(pairs=classes)
@settings(max_examples=40, deadline=None)
def test_kappa_and_balanced_agreement_by_definition(pairs):
    given_, reference = np.array(pairs).T
    for fast, reference_fast in ((kappa, slow.kappa), (balanced_agreement, slow.balanced)):
        estimate = fast(given_, reference)
        if len(set(reference.tolist())) < 2:
            assert not estimate.known
            continue
        expected = reference_fast(given_.tolist(), reference.tolist())
        assert estimate.value == pytest.approx(expected)
        assert estimate.low <= estimate.value <= estimate.high


def test_a_constant_guess_does_not_look_good():
    network = np.array([1] * 90 + [0] * 10)
    guess = np.ones(100, dtype=int)
    assert share(guess == network).value == 0.9
    assert kappa(guess, network).value == 0
    assert balanced_agreement(guess, network).value == 0.5
    assert kappa(network, network).value == 1
    assert kappa(network, network).low < 1


def test_a_difference_is_of_pairs():
    """Two descriptions that err on the same documents differ more surely than their own
    intervals say."""
    rng = np.random.default_rng(0)
    a = rng.random(400) < 0.8
    b = a.copy()
    b[np.flatnonzero(a)[:20]] = False
    estimate = paired_difference(a, b)
    assert estimate.value == pytest.approx(0.05)
    assert estimate.low > 0
    assert share(a).low < share(b).high
    assert paired_difference(b, a).value == -estimate.value
    never = paired_difference(a[:30], a[:30])
    assert never.value == 0
    assert never.low < 0 < never.high


@pytest.mark.parametrize("figure", ["share", "mean", "kappa", "balanced", "difference", "rank"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(figure):
    """200 samples of 80: an interval of 95 % misses about 10 of them."""
    rng = np.random.default_rng(11)
    held = 0
    for seed in range(200):
        network = (rng.random(80) < 0.7).astype(int)
        right = rng.random((2, 80)) < np.array([[0.85], [0.75]])
        given_ = np.where(right[0], network, 1 - network)
        if figure == "share":
            estimate, truth = share(right[0]), 0.85
        elif figure == "mean":
            estimate, truth = mean(rng.exponential(size=80), seed=seed), 1.0
        elif figure == "kappa":
            expected = 0.7 * 0.64 + 0.3 * 0.36
            estimate = kappa(given_, network, seed=seed)
            truth = (0.85 - expected) / (1 - expected)
        elif figure == "balanced":
            estimate, truth = balanced_agreement(given_, network, seed=seed), 0.85
        elif figure == "difference":
            estimate, truth = paired_difference(*right, seed=seed), 0.1
        else:
            x, y = rng.normal(size=(2, 80))
            estimate, truth = correlation(x, x + y, seed=seed), np.sqrt(0.5)
        held += estimate.low <= truth <= estimate.high
    assert 176 <= held <= 200


def test_a_mean_over_runs_has_students_interval():
    values = np.array([0.81, 0.84, 0.80, 0.83])
    found = over_runs(values)
    wanted = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], wanted, rtol=1e-12)
    assert found.value == pytest.approx(values.mean())
    alone = over_runs(values[:1])
    assert alone.value == 0.81
    assert np.isnan(alone.low)
    assert not over_runs(values[:0]).known
