"""Positions along a curve of points by arc length.

Neighbours are joined (and, where that leaves pieces, all points nearer than the longest link of the
minimum spanning tree). The two ends are the points farthest apart along the graph, and the way from
the first end orders the points (Tenenbaum et al. 2000). That way zigzags between points that
scatter about the curve, so the curve is drawn through the means of successive points, and each
point stands where it is nearest to that (a principal curve: Hastie & Stuetzle 1989). A bent line
keeps its length and its order, which a projection on its main axis folds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from torch import Tensor

from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.errors import DataError, NotApplicable, UsageError

MOST = 1500
"""Points that the graph is made of; all are placed on the curve."""

FEWEST = 20
"""Distinct points below which it cannot be said whether a set is a curve with two ends."""

CUT = 8
"""Points nearer to the middle than the curve's length over this are taken out to see."""

KNOTS = 20
"""Means that the curve is drawn through, at most."""

PER_KNOT = 8
"""Points behind each mean, at least."""

SLACK = 1.25
"""Links beside the longest one that is needed may be this much longer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArcLength:
    """Positions along a curve of n points.

    Attributes:
        distance: each point's way from the first end, in units of the state, (n,).
        off: its distance from the curve, (n,).
        length: of the whole curve.
        position: theta, the same from -1 to 1, (n,).
        path: rows of the points on the shortest way from end to end.
        is_open: whether the ends do not meet and come apart when the middle is taken out: true of
            a line that is thin for its length, false of a ring or a surface. None below 20
            distinct points, or where the two halves are far apart.
    """

    distance: Tensor
    off: Tensor
    length: float
    position: Tensor
    path: Tensor
    is_open: bool | None

    def __len__(self) -> int:
        return len(self.distance)


def arc_length(states: Tensor, *, neighbours: int = 8, towards: Tensor | None = None) -> ArcLength:
    """Positions along the curve that points form.

    Args:
        states: (n, N) float64.
        neighbours: nearest points that each is joined to.
        towards: numbers (n,) that should grow along the curve; they choose its first end.

    Raises:
        DataError: no table, or numbers whose squares are not finite.
        NotApplicable: fewer than two distinct points.
        UsageError: ``neighbours`` below 1.
    """
    if neighbours < 1:
        raise UsageError("Points are joined to neighbours.", expected=">= 1", got=str(neighbours))
    points = numbers(states, "The points of a curve")
    if points.ndim != 2 or not bool(torch.isfinite(points.square().sum())):
        raise DataError(
            "The points of a curve are a table of numbers whose squares are finite.",
            expected="(points, width)",
            got=str(tuple(points.shape)) + ", not finite" * (points.ndim == 2),
        )
    spread = float((points - points.mean(0)).abs().amax()) if len(points) else 0.0
    if spread <= 1e-12 * max(1.0, float(points.abs().amax()) if len(points) else 0.0):
        raise NotApplicable(
            "A curve has a length only where its points differ.",
            expected="two distinct points or more",
            got=f"{len(points)} points" + (", all in one place" if len(points) > 1 else ""),
        )
    nodes = _nodes(points, spread)
    distances = _distances(points[nodes], points[nodes]).numpy()
    graph = _graph(distances, neighbours)
    first = int(np.argmax(dijkstra(graph, directed=False, indices=0)))
    away, before = dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    last = int(np.argmax(away))
    if towards is not None and _falls(away, towards[nodes].numpy()):
        first, last = last, first
        away, before = dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    path = [last]
    while path[-1] != first:
        path.append(int(before[path[-1]]))
    path.reverse()
    distance, off = along_line(_curve(points[nodes], away, path), points)
    distance = distance - distance.min()
    length = float(distance.max())
    return ArcLength(
        distance=distance,
        off=off,
        length=length,
        position=2 * distance / length - 1,
        path=nodes[torch.tensor(path)],
        is_open=_is_open(graph, away, path, distances[first, last])
        if len(nodes) >= FEWEST
        else None,
    )


def _curve(points: Tensor, away: np.ndarray, path: list[int]) -> Tensor:
    """The knots of the curve in order, (K, N): means of successive points; the points of the path
    themselves where there are too few."""
    count = min(KNOTS, len(points) // PER_KNOT)
    if count < 3:
        return points[path]
    order = torch.from_numpy(np.argsort(away, kind="stable"))
    return torch.stack([part.mean(0) for part in points[order].tensor_split(count)])


def along_line(knots: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Where on the line through the knots each point is nearest to it, and how near. The line goes
    on straight beyond its ends."""
    steps = knots.diff(dim=0)
    lengths = torch.linalg.vector_norm(steps, dim=-1)
    steps, starts = steps[lengths > 0], knots[:-1][lengths > 0]
    lengths = lengths[lengths > 0]
    before = lengths.cumsum(0) - lengths
    low, high = torch.zeros_like(lengths), torch.ones_like(lengths)
    low[0], high[-1] = -torch.inf, torch.inf
    where, off = [], []
    for part in points.split(1024):
        # |p - (a + t d)|^2 without the points' differences in full: (points, segments).
        along = (part @ steps.mT - (starts * steps).sum(-1)) / lengths**2
        t = along.clamp(low, high)
        square = _distances(part, starts).square() + (t * t - 2 * t * along) * lengths**2
        best = square.argmin(-1, keepdim=True)
        where.append((before + t * lengths).gather(-1, best).squeeze(-1))
        off.append(square.gather(-1, best).squeeze(-1).clamp_min(0).sqrt())
    return torch.cat(where), torch.cat(off)


def _nodes(points: Tensor, spread: float) -> Tensor:
    """Rows of the distinct points that the graph is made of."""
    _, place = torch.unique((points / (1e-9 * spread)).round(), dim=0, return_inverse=True)
    count = int(place.max()) + 1
    rows = torch.full((count,), len(points)).scatter_reduce(
        0, place, torch.arange(len(points)), reduce="amin"
    )
    if count > MOST:
        generator = torch.Generator().manual_seed(0)
        rows = rows[torch.randperm(count, generator=generator)[:MOST]]
    return rows.sort().values


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """To the last digit also between points that are close to each other, (A, B)."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _graph(distances: np.ndarray, neighbours: int) -> csr_matrix:
    """Each point joined to its nearest, and the pieces to each other."""
    count = len(distances)
    near = min(neighbours, count - 1)
    columns = np.argsort(distances, axis=1, kind="stable")[:, 1 : near + 1]
    rows = np.repeat(np.arange(count), near)
    columns = columns.ravel()
    graph = csr_matrix((distances[rows, columns], (rows, columns)), shape=(count, count))
    if connected_components(graph, directed=False)[0] > 1:
        # All links no longer than the longest that is needed: one by one they would leave a ring
        # with a gap open.
        needed = float(minimum_spanning_tree(csr_matrix(distances)).max())
        graph = graph.maximum(csr_matrix(np.where(distances <= SLACK * needed, distances, 0.0)))
    return csr_matrix(graph.maximum(graph.T))


def _falls(away: np.ndarray, towards: np.ndarray) -> bool:
    return float((away - away.mean()) @ (towards - towards.mean())) < 0


def _is_open(graph: csr_matrix, away: np.ndarray, path: list[int], apart: float) -> bool | None:
    """Whether the ends, this far apart, do not meet, and once the middle is gone each keeps a good
    piece of the curve that the other is not in."""
    length = away[path[-1]]
    radius = length / CUT
    if apart <= radius:
        return False
    middle = path[int(np.argmin(np.abs(away[path] - length / 2)))]
    kept = np.flatnonzero(dijkstra(graph, directed=False, indices=middle) > radius)
    if not np.isin((path[0], path[-1]), kept).all():
        # No point is near the middle: what lies across a gap that wide cannot be told.
        return None
    left = graph[kept][:, kept]
    # Shorter than the piece that is gone, so that no step leads over the gap.
    left.data[left.data > 1.5 * radius] = 0
    left.eliminate_zeros()
    _, piece = connected_components(left, directed=False)
    ends = [piece[kept == end][0] for end in (path[0], path[-1])]
    spans = [float(np.ptp(away[kept[piece == end]])) for end in ends]
    return bool(ends[0] != ends[1] and min(spans) > length / 4)
