"""How many dimensions a set of points has, by four estimators, each with an interval.

variance             shares of the principal axes' variances v, and how many hold 90 %
participation ratio  (sum v)^2 / sum v^2
nearest neighbours   1 / mean_i mean_{j < k} ln(T_k(i) / T_j(i)),  T_j(i): the distance from point i
                     to its j-th nearest (Levina & Bickel 2004, averaged over points as by MacKay &
                     Ghahramani 2005, which leaves no bias)
correlation          slope of ln C(r) over ln r, C(r) the share of pairs nearer than r (Grassberger
                     & Procaccia 1983), r from the 2.5 to the 97.5 percentile of the distances

The first two see the flat space that holds the points, the last two the set itself: a ring has two
dimensions by variance and one by its neighbours. All fall short where points are few for their
dimension or lie near an edge, the correlation dimension most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import pdist, squareform
from torch import Tensor

from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.dynamics.resampling import centred, halves
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.numerics import single_thread
from rnnscope.statistics import Estimate

MOST = 1000
"""Points used: the table of distances grows with their square."""

FEWEST_PAIRED = 10
"""Distinct points below which distances say nothing of a dimension."""

SAME = 1e-9
"""Points this near each other, in units of their spread, are one."""

RADII = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Dimension(ShowsItself):
    """The dimension of a set of points. Intervals (95 %) are over halves of the points.

    Attributes:
        count: distinct points used.
        shares: each principal axis's share of the variance, (min(n, N),).
        participation: the participation ratio.
        neighbours: the nearest neighbours' estimate, for each k that fits into half of the points.
        correlation: the correlation dimension; unknown below 10 points.
        sentence: all of it, in words.
    """

    count: int
    shares: Tensor
    participation: Estimate
    neighbours: dict[int, Estimate]
    correlation: Estimate
    sentence: str

    def axes_for(self, share: float) -> int:
        """How many principal axes hold this share of the variance.

        Raises:
            UsageError: a share outside (0, 1].
        """
        if not 0 < share <= 1:
            raise UsageError("A share lies between 0 and 1.", got=f"share={share}")
        return int((self.shares.cumsum(0) < share - 1e-12).sum()) + 1

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "count": self.count,
            "shares": self.shares[:10].tolist(),
            "axes_for_90": self.axes_for(0.9),
            "participation": self.participation.to_dict(),
            "neighbours": {str(k): value.to_dict() for k, value in self.neighbours.items()},
            "correlation": self.correlation.to_dict(),
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return self.sentence


def estimate_dimension(
    states: Any,
    *,
    neighbours: Sequence[int] = (10, 25, 50, 100),
    draws: int = 100,
    rng: int = 0,
) -> Dimension:
    """The dimension of states or of fixed points.

    Args:
        states: (n, N). Copies of a point count once; of more than 1,000 as many are drawn.
        neighbours: values of k; those that half of the points cannot give are left out.
        draws: halves behind each interval.
        rng: seed of the draws.

    Raises:
        DataError: not a table of finite numbers.
        NotApplicable: all points are one.
        UsageError: a k or ``draws`` below 2.
    """
    if any(k < 2 for k in neighbours) or draws < 2:
        raise UsageError(
            "Two neighbours or more are compared, over two halves or more.",
            expected="k >= 2, draws >= 2",
            got=f"neighbours={tuple(neighbours)}, draws={draws}",
        )
    points = _distinct(_table(states), rng)
    count = len(points)
    deviations = torch.from_numpy(points - points.mean(0))
    with single_thread():
        U, sigma, _ = torch.linalg.svd(deviations, full_matrices=False)
    scores, table = (U * sigma).numpy(), squareform(pdist(points))
    ks = [k for k in sorted(set(neighbours)) if k < count // 2]
    drawn = [
        _figures(scores[rows], table[np.ix_(rows, rows)], ks)
        for rows in halves(count, draws, rng=rng)
    ]
    own = _figures(scores, table, ks)
    participation, correlation, *nearest = (
        centred(value, np.array(column), count)
        for value, column in zip(own, zip(*drawn, strict=True), strict=True)
    )
    shares = sigma**2 / (sigma**2).sum()
    by_k = dict(zip(ks, nearest, strict=True))
    return Dimension(
        count=count,
        shares=shares,
        participation=participation,
        neighbours=by_k,
        correlation=correlation,
        sentence=_sentence(count, shares, participation, by_k, correlation),
    )


def _table(states: Any) -> np.ndarray:
    table = numbers(states, "Points").numpy()
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise DataError(
            "The dimension is that of a table of points.",
            expected="(points, width), finite",
            got=f"{table.shape}" + ("" if np.isfinite(table).all() else ", not all finite"),
        )
    return table


def _distinct(points: np.ndarray, rng: int) -> np.ndarray:
    """The points without copies, at most ``MOST`` of them."""
    spread = float(np.abs(points - points.mean(0)).max())
    if spread <= 1e-12 * max(1.0, float(np.abs(points).max())):
        raise NotApplicable(
            "A dimension is that of points that differ.",
            expected="two distinct points or more",
            got=f"{len(points)} points, all in one place",
        )
    _, first = np.unique((points / (SAME * spread)).round(), axis=0, return_index=True)
    if len(first) > MOST:
        first = np.random.default_rng(rng).permutation(first)[:MOST]
    return points[np.sort(first)]


def _figures(scores: np.ndarray, distances: np.ndarray, ks: Sequence[int]) -> list[float]:
    """Participation ratio, correlation dimension, and the neighbours' estimate for each k."""
    paired = len(scores) >= FEWEST_PAIRED // 2
    correlation = correlation_dimension(distances) if paired else np.nan
    return [participation_ratio(scores), correlation, *neighbour_dimension(distances, ks)]


def participation_ratio(points: np.ndarray) -> float:
    """``(tr C)^2 / tr C^2`` of the covariance C of points (n, N); nan for one point."""
    X = points - points.mean(0)
    gram = X.T @ X if len(X) > X.shape[1] else X @ X.T
    square = float((gram * gram).sum())
    return float(np.trace(gram)) ** 2 / square if square > 0 else np.nan


def neighbour_dimension(distances: np.ndarray, ks: Sequence[int]) -> list[float]:
    """The nearest neighbours' estimate for each k < n, from distances (n, n) of distinct points."""
    if not ks:
        return []
    nearest = np.sort(np.partition(distances, max(ks), axis=1)[:, : max(ks) + 1], axis=1)[:, 1:]
    logs = np.log(nearest)
    return [1 / float((logs[:, k - 1 : k] - logs[:, : k - 1]).mean()) for k in ks]


def correlation_dimension(distances: np.ndarray) -> float:
    """The slope of ln C(r) over ln r, from distances (n, n) of distinct points."""
    pairs = np.sort(distances[np.triu_indices(len(distances), 1)])
    low, high = np.quantile(pairs, [0.025, 0.975])
    if not 0 < low < high:
        return np.nan
    radii = np.geomspace(low, high, RADII)
    nearer = np.searchsorted(pairs, radii, side="right") / len(pairs)
    return float(np.polyfit(np.log(radii), np.log(nearer), 1)[0])


def _sentence(
    count: int,
    shares: Tensor,
    participation: Estimate,
    neighbours: dict[int, Estimate],
    correlation: Estimate,
) -> str:
    axes = int((shares.cumsum(0) < 0.9 - 1e-12).sum()) + 1
    hold = "axis holds" if axes == 1 else "axes hold"
    text = (
        f"Of {count} distinct points {axes} {hold} 90 % of the variance "
        f"(the first {float(shares[0]):.1%}); participation ratio {participation:.2f}"
    )
    if neighbours:
        listed = ", ".join(f"{value:.2f} (k = {k})" for k, value in neighbours.items())
        text += f"; dimension by nearest neighbours {listed}"
    if correlation.known:
        text += f"; correlation dimension {correlation:.2f}"
    return text + "."
