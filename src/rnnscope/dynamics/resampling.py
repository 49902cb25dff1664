"""Intervals for figures of a set of points, by drawing some of the points again and again.

Where a point may stand twice without harm (a median, a covariance), points are drawn with
replacement, the bootstrap. Where it may not, since its copy would be its own nearest neighbour,
halves are drawn without replacement: the spread over halves of a sample is that of the figure
itself over samples (a jackknife that deletes half: Shao & Wu 1989). Figures that are biased on
fewer or repeated points, such as the share of a first axis, are centred on that of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rnnscope.statistics import NAN, Estimate

LEVELS = (0.025, 0.975)


def halves(count: int, draws: int, *, rng: int) -> Iterator[np.ndarray]:
    """Rows of random halves of ``count`` items, each (count // 2,)."""
    generator = np.random.default_rng(rng)
    for _ in range(draws):
        yield generator.permutation(count)[: count // 2]


def resamples(count: int, draws: int, *, rng: int) -> np.ndarray:
    """Rows of bootstrap samples, (draws, count)."""
    return np.random.default_rng(rng).integers(0, count, size=(draws, count))


def centred(value: float, drawn: np.ndarray, count: int) -> Estimate:
    """A figure and its interval from what it was on halves or samples, their own bias taken off."""
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(drawn) < 2:
        return Estimate(value=value, low=NAN, high=NAN, count=count)
    low, high = value + np.quantile(drawn - drawn.mean(), LEVELS)
    return Estimate(value=value, low=float(low), high=float(high), count=count)


def between(value: float, drawn: np.ndarray, count: int) -> Estimate:
    """A figure and the quantiles of what it was on bootstrap samples; infinite ones count."""
    drawn = drawn[~np.isnan(drawn)]
    if count < 2 or not len(drawn):
        return Estimate(value=value, low=NAN, high=NAN, count=count)
    # Between a number and infinity there is nothing to interpolate.
    low, high = np.quantile(drawn, LEVELS, method="inverted_cdf")
    return Estimate(
        value=value, low=float(min(low, value)), high=float(max(high, value)), count=count
    )


def bootstrap(
    statistic: Callable[[np.ndarray], float], values: np.ndarray, *, draws: int, rng: int
) -> Estimate:
    """A statistic of items (n, ...), with a bootstrap interval over the items."""
    rows = resamples(len(values), draws, rng=rng)
    drawn = np.array([statistic(values[row]) for row in rows])
    return between(float(statistic(values)), drawn, len(values))
