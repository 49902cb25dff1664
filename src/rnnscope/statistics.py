"""Agreement, coverage, intervals and nulls, on plain arrays. Imports nothing else of rnnscope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

DRAWS = 1000
"""Bootstrap samples behind an interval."""


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

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {"value": self.value, "interval": [self.low, self.high], "count": self.count}

    def __format__(self, spec: str) -> str:
        spec = spec or ".3f"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


def share(hits: np.ndarray) -> Estimate:
    """The mean of true/false items, with Wilson's interval: not empty even where all are alike."""
    hits = np.asarray(hits, dtype=float)
    count = len(hits)
    if count == 0:
        return Estimate(value=float("nan"), low=float("nan"), high=float("nan"), count=0)
    value = float(hits.mean())
    interval = stats.binomtest(round(hits.sum()), count).proportion_ci(method="wilson")
    return Estimate(value=value, low=float(interval.low), high=float(interval.high), count=count)


def correlation(a: np.ndarray, b: np.ndarray, *, seed: int = 0, rank: bool = False) -> Estimate:
    """Pearson's (or Spearman's) correlation, with a bootstrap interval over the pairs.

    Constant input has no correlation: every figure is NaN.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if rank:
        a, b = stats.rankdata(a), stats.rankdata(b)

    def pearson(rows: np.ndarray) -> float:
        x, y = a[rows] - a[rows].mean(), b[rows] - b[rows].mean()
        size = np.sqrt((x @ x) * (y @ y))
        return float(x @ y / size) if size > 0 else float("nan")

    return _bootstrap(pearson, len(a), seed)


def _bootstrap(statistic: Callable[[np.ndarray], float], count: int, seed: int) -> Estimate:
    if count == 0:
        return Estimate(value=float("nan"), low=float("nan"), high=float("nan"), count=0)
    rng = np.random.default_rng(seed)
    draws = [statistic(rng.integers(0, count, size=count)) for _ in range(DRAWS)]
    known = [draw for draw in draws if np.isfinite(draw)]
    low, high = np.quantile(known, [0.025, 0.975]) if known else (np.nan, np.nan)
    return Estimate(
        value=statistic(np.arange(count)), low=float(low), high=float(high), count=count
    )
