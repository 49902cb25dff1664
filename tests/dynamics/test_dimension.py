"""Dimension estimates: known sets, slow references, and intervals that hold what they should."""

from __future__ import annotations

import json
from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.dynamics.dimension import (
    correlation_dimension,
    estimate_dimension,
    neighbour_dimension,
    participation_ratio,
)
from rnnscope.errors import DataError, NotApplicable, UsageError


def turned(points, width=12, seed=0):
    """Points of few coordinates, turned into a wide space."""
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]
    return points @ Q[: points.shape[1]]


def ring(count=300, seed=0):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    return turned(np.c_[np.cos(angle), np.sin(angle)])


def cube(size, count, seed=0):
    return turned(np.random.default_rng(seed).uniform(size=(count, size)))


@pytest.mark.parametrize(("size", "count"), [(1, 300), (2, 500), (3, 800)])
def test_cubes(size, count):
    found = estimate_dimension(cube(size, count), draws=20)
    assert found.count == count
    assert found.participation.value == pytest.approx(size, rel=0.05)
    assert found.neighbours[10].value == pytest.approx(size, rel=0.08)
    # Few points for their dimension, near an edge: the estimators fall short, by no more than this.
    assert 0.8 * size < found.neighbours[50].value < 1.05 * size
    assert 0.65 * size < found.correlation.value < 1.05 * size
    assert found.axes_for(0.999) == size
    assert float(found.shares.sum()) == pytest.approx(1)


def test_a_ring_has_one_dimension_in_a_plane_of_two():
    found = estimate_dimension(ring(), draws=20)
    assert found.participation.value == pytest.approx(2, abs=0.05)
    assert found.axes_for(0.9) == 2
    for one in (*found.neighbours.values(), found.correlation):
        assert one.value == pytest.approx(1, abs=0.12)


def test_normal_points_have_the_dimension_of_their_covariance():
    rng = np.random.default_rng(0)
    scales = np.array([3.0, 2.0, 1.0])
    points = turned(rng.normal(size=(1000, 3)) * scales)
    found = estimate_dimension(points, draws=20)
    true = (scales**2).sum() ** 2 / (scales**4).sum()
    assert found.participation.low < true < found.participation.high


def test_slow_references():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(25, 4))
    distances = np.array([[np.linalg.norm(a - b) for b in points] for a in points])
    k, terms = 6, []
    for row in distances:
        near = sorted(row)[1 : k + 1]
        terms += [log(near[k - 1] / near[j]) for j in range(k - 1)]
    # k - 1 terms for each point.
    expected = 1 / (sum(terms) / len(terms))
    assert neighbour_dimension(distances, [k]) == [pytest.approx(expected, rel=1e-12)]
    pairs = [distances[i, j] for i in range(25) for j in range(i)]
    low, high = np.quantile(pairs, [0.025, 0.975])
    x = [log(low) + k / 19 * log(high / low) for k in range(20)]
    y = [log(sum(p <= np.exp(r) * (1 + 1e-12) for p in pairs) / len(pairs)) for r in x]
    a, b = np.array(x) - np.mean(x), np.array(y) - np.mean(y)
    assert correlation_dimension(distances) == pytest.approx(float(a @ b / (a @ a)), rel=2e-2)
    values = np.linalg.eigvalsh(np.cov(points.T))
    assert participation_ratio(points) == pytest.approx(values.sum() ** 2 / (values**2).sum())


def test_an_interval_is_as_wide_as_the_figure_varies_over_samples():
    values, widths = [], []
    for seed in range(25):
        found = estimate_dimension(ring(200, seed), neighbours=(10,), draws=60, rng=seed)
        values.append(found.neighbours[10].value)
        widths.append(found.neighbours[10].high - found.neighbours[10].low)
    assert 0.5 < np.mean(widths) / (3.92 * np.std(values)) < 2


def test_copies_count_once():
    points = ring(60)
    once = estimate_dimension(points, draws=10)
    thrice = estimate_dimension(np.concatenate([points, points, points]), draws=10)
    assert thrice.count == 60
    assert thrice.neighbours[10].value == pytest.approx(once.neighbours[10].value)
    assert set(once.neighbours) == {10, 25}


def test_few_points_say_what_they_can():
    found = estimate_dimension(np.eye(3), draws=5)
    assert found.neighbours == {}
    assert not found.correlation.known
    assert found.participation.value == pytest.approx(2)
    json.dumps(found.summary(), allow_nan=False)
    assert "3 distinct points" in repr(found)


@settings(max_examples=20, deadline=None)
@given(
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-10, 10),
    seed=st.integers(0, 5),
    width=st.integers(2, 6),
)
def test_turning_moving_and_scaling_change_nothing(scale, shift, seed, width):
    points = np.random.default_rng(seed).normal(size=(40, 2))
    here = estimate_dimension(points, draws=2)
    there = estimate_dimension(turned(points, width, seed) * scale + shift * scale, draws=2)
    assert there.correlation.value == pytest.approx(here.correlation.value, rel=1e-4)
    assert there.neighbours[10].value == pytest.approx(here.neighbours[10].value, rel=1e-4)
    assert there.participation.value == pytest.approx(here.participation.value, rel=1e-6)


def test_the_same_seed_gives_the_same_intervals_and_nothing_is_changed():
    points = torch.from_numpy(ring(80))
    before = points.clone()
    first, second = (estimate_dimension(points, draws=10, rng=3) for _ in range(2))
    assert first.summary() == second.summary()
    assert torch.equal(points, before)


@pytest.mark.parametrize(
    ("states", "error", "message"),
    [
        ([1.0, 2.0], DataError, "table of points"),
        ([[1.0, np.nan]], DataError, "not all finite"),
        ([["a"]], DataError, "array of real numbers"),
        (np.zeros((0, 3)), DataError, "table of points"),
        (np.ones((5, 2)), NotApplicable, "all in one place"),
    ],
)
def test_bad_points(states, error, message):
    with pytest.raises(error, match=message):
        estimate_dimension(states)


def test_bad_options():
    with pytest.raises(UsageError, match="k >= 2"):
        estimate_dimension(ring(50), neighbours=(1,))
    with pytest.raises(UsageError, match="draws=1"):
        estimate_dimension(ring(50), draws=1)
    with pytest.raises(UsageError, match="between 0 and 1"):
        estimate_dimension(ring(50), draws=2).axes_for(0)
