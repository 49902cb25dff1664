"""Agreement, coverage, intervals and nulls, on plain arrays. Imports nothing else of rnnscope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

DRAWS = 1000
"""Bootstrap samples behind an interval."""

CHUNK = 2_000_000
"""Resampled items held at once: bounds the memory, never changes a result."""

Z = float(special.ndtri(0.975))
"""Standard deviations on either side of the mean that hold 95 % of a normal distribution."""

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval.

    Args:
        value: the figure.
        low, high: the interval.
        count: how many items it was measured on.
    """

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def unknown(cls, count: int = 0) -> Estimate:
        """What could not be measured: every figure is NaN."""
        return cls(value=NAN, low=NAN, high=NAN, count=count)

    @property
    def known(self) -> bool:
        """Whether there is a figure at all."""
        return bool(np.isfinite(self.value))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        interval = [finite(self.low), finite(self.high)]
        return {"value": finite(self.value), "interval": interval, "count": self.count}

    def __format__(self, spec: str) -> str:
        spec = spec or ".3f"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


def finite(value: float) -> float | None:
    """The number, or None where JSON has no word for it."""
    return float(value) if np.isfinite(value) else None


def wilson(hits: Any, counts: Any) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % interval of ``hits`` out of ``counts`` (1 or more), elementwise."""
    hits, counts = np.asarray(hits, dtype=float), np.asarray(counts, dtype=float)
    value = hits / counts
    spread = Z * np.sqrt(value * (1 - value) / counts + (Z / (2 * counts)) ** 2)
    centre, scale = value + Z**2 / (2 * counts), 1 + Z**2 / counts
    # At 0 and at 1 one end is the value itself, which rounding would miss.
    low = np.where(hits == 0, 0.0, (centre - spread) / scale)
    high = np.where(hits == counts, 1.0, (centre + spread) / scale)
    return low, high


def share(hits: np.ndarray) -> Estimate:
    """The mean of true/false items, with Wilson's interval: not empty even where all are alike."""
    hits = np.asarray(hits, dtype=float)
    count = len(hits)
    if count == 0:
        return Estimate.unknown()
    low, high = wilson(hits.sum(), count)
    value = float(hits.mean())
    low, high = float(low), float(high)
    return Estimate(value=value, low=low, high=high, count=count)


def mean(values: np.ndarray, *, groups: np.ndarray | None = None, seed: int = 0) -> Estimate:
    """The mean of any numbers, with a bootstrap interval over the items.

    A single item (or group) has a mean and no interval.

    Args:
        values: (N,).
        groups: (N,), which items belong together; whole groups are drawn. Each by itself if None.
        seed: of the draws.
    """
    values = np.asarray(values, dtype=float)
    if not len(values):
        return Estimate.unknown()
    sums = _sums_by_group(np.stack([np.ones_like(values), values]), groups)
    draws = [drawn[:, 1] / drawn[:, 0] for drawn in _resampled(sums, seed)]
    return _estimate(float(values.mean()), np.concatenate(draws), len(values), len(sums))


def over_runs(values: np.ndarray) -> Estimate:
    """The mean over independent runs, such as seeds of a training, with Student's 95 % interval:
    a bootstrap of three values says nothing. One run has a mean and no interval."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        return Estimate.unknown()
    value, count = float(values.mean()), len(values)
    if count == 1:
        return Estimate(value=value, low=NAN, high=NAN, count=1)
    reach = stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)
    return Estimate(value=value, low=value - float(reach), high=value + float(reach), count=count)


def correlation(
    a: np.ndarray,
    b: np.ndarray,
    *,
    seed: int = 0,
    rank: bool = False,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Pearson's (or Spearman's) correlation, with a bootstrap interval over the pairs.

    Constant input has no correlation: every figure is NaN.

    Args:
        a, b: (N,).
        seed: of the draws.
        rank: Spearman's; the ranks are those in the whole sample.
        groups: (N,), which pairs belong together; whole groups are drawn.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Estimate.unknown(len(a))
    if rank:
        a, b = stats.rankdata(a), stats.rankdata(b)
    x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    sums = _sums_by_group(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y]), groups)
    draws = [_pearson(drawn) for drawn in _resampled(sums, seed)]
    value = float(_pearson(sums.sum(axis=0, keepdims=True))[0])
    return _estimate(value, np.concatenate(draws), len(x), len(sums))


def kappa(given: np.ndarray, reference: np.ndarray, *, seed: int = 0) -> Estimate:
    """Cohen's kappa (1960): agreement beyond that of two raters who do not look at the text.

    0 for a guess that is always the same. NaN where the reference has one class only. The
    interval is a Bayesian bootstrap (Rubin 1981) of the table of both, with one further item
    spread over its cells, so that it is not empty where all agree.
    """

    def statistic(table: np.ndarray) -> np.ndarray:
        total = table.sum(axis=(-2, -1))
        observed = np.trace(table, axis1=-2, axis2=-1) / total
        expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / total**2
        return (observed - expected) / (1 - expected)

    return _of_table(statistic, given, reference, seed)


def balanced_agreement(given: np.ndarray, reference: np.ndarray, *, seed: int = 0) -> Estimate:
    """The share of agreement within each class of the reference, averaged over those classes.

    1 / classes for a guess that is always the same. NaN where the reference has one class only.
    The interval as for ``kappa``.
    """

    def statistic(table: np.ndarray) -> np.ndarray:
        rows = table.sum(axis=-1)
        hits = np.diagonal(table, axis1=-2, axis2=-1)
        occurs = rows > 0
        shares = np.divide(hits, rows, out=np.zeros_like(hits), where=occurs)
        return shares.sum(axis=-1) / occurs.sum(axis=-1)

    return _of_table(statistic, given, reference, seed)


def paired_difference(a: np.ndarray, b: np.ndarray, *, seed: int = 0) -> Estimate:
    """The share of hits of a minus that of b, on the same items.

    The interval is a bootstrap of the pairs, as for ``kappa``: not empty where a and b never
    differ, since they may on other items.

    Args:
        a, b: (N,) true/false.
    """
    a, b = np.asarray(a, dtype=int), np.asarray(b, dtype=int)
    if not len(a):
        return Estimate.unknown()
    cells = np.bincount(a - b + 1, minlength=3).astype(float)

    def statistic(draws: np.ndarray) -> np.ndarray:
        return (draws[..., 2] - draws[..., 0]) / draws.sum(axis=-1)

    return _of_cells(statistic, cells, seed)


def _of_table(
    statistic: Callable[[np.ndarray], np.ndarray],
    given: np.ndarray,
    reference: np.ndarray,
    seed: int,
) -> Estimate:
    """A statistic of the table (reference, given) of two lists of classes."""
    given, reference = np.asarray(given), np.asarray(reference)
    if len(np.unique(reference)) < 2:
        return Estimate.unknown(len(reference))
    classes = np.unique(np.concatenate([given, reference]))
    rows, columns = np.searchsorted(classes, reference), np.searchsorted(classes, given)
    size = len(classes)
    cells = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    return _of_cells(statistic, cells.astype(float), seed)


def _of_cells(
    statistic: Callable[[np.ndarray], np.ndarray], cells: np.ndarray, seed: int
) -> Estimate:
    # A class that the reference never gives is not one that it might give elsewhere.
    possible = np.ones_like(cells, dtype=bool)
    if cells.ndim == 2:
        possible &= cells.sum(axis=1, keepdims=True) > 0
    weight = np.where(possible, cells + 1 / possible.sum(), 0.0)
    rng = np.random.default_rng(seed)
    draws = statistic(rng.standard_gamma(weight, size=(DRAWS, *cells.shape)))
    value = float(statistic(cells))
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(
        value=value,
        low=float(min(low, value)),
        high=float(max(high, value)),
        count=int(cells.sum()),
    )


def _sums_by_group(terms: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """(terms, N) -> (groups, terms)."""
    if groups is None:
        return terms.T
    owner = np.unique(groups, return_inverse=True)[1]
    return np.stack([np.bincount(owner, weights=term) for term in terms], axis=1)


def _resampled(sums: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """The totals of DRAWS bootstrap samples of the rows, some draws at a time, (draws, terms)."""
    rng, count = np.random.default_rng(seed), len(sums)
    at_once = max(1, CHUNK // count)
    for start in range(0, DRAWS, at_once):
        draws = min(at_once, DRAWS - start)
        rows = rng.integers(0, count, size=(draws, count))
        cells = rows + count * np.arange(draws)[:, None]
        yield np.bincount(cells.ravel(), minlength=draws * count).reshape(draws, count) @ sums


def _pearson(sums: np.ndarray) -> np.ndarray:
    """From the totals of 1, x, y, xx, yy, xy; NaN where x or y is constant in the sample."""
    n, x, y, xx, yy, xy = sums.T
    spread = np.maximum(xx - x * x / n, 0) * np.maximum(yy - y * y / n, 0)
    # Standardised items: what rounding leaves of a constant sample is far below this.
    flat = spread <= 1e-20 * n * n
    return np.where(flat, np.nan, (xy - x * y / n) / np.sqrt(np.where(flat, 1, spread)))


def _estimate(value: float, draws: np.ndarray, count: int, groups: int) -> Estimate:
    known = draws[np.isfinite(draws)]
    if groups < 2 or not len(known):
        return Estimate(value=value, low=NAN, high=NAN, count=count)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value=value, low=float(low), high=float(high), count=count)
