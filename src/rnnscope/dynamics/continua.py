"""Continua: which fixed points that are not isolated belong together, and what they form.

Each point is certified in the directions normal to its continuum: with the null directions of
``A = J - I`` held fixed, ``b K e <= 1/2`` (``certificate``) for ``b = 1 / sigma``, sigma the
smallest singular value that is not null, and the residual along the null directions at rounding
level.

Two points are joined where the middle between them, brought to rest, is a fixed point still between
them; so are chains of points, along the minimum spanning tree. A set in pieces falls into as many
continua.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.arc_length import arc_length
from rnnscope.dynamics.certificate import NULL
from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.levenberg_marquardt import minimise_speed
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.lipschitz import evaluation_error, lipschitz_bound
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.problem import Problem
from rnnscope.models import Model

FEWEST = 20
"""Points from which a curve's length, and whether it closes, can be told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Continuum:
    """Fixed points that hang together.

    Attributes:
        rows: of ``points.continua``, (n,); along a curve in their order.
        dimension: null directions of J - I at most of its points.
        length: of the curve, where the dimension is 1 and there are points enough; else None.
        closed: whether that curve is a ring; None where it is not known.
        normal: the smallest singular value of J - I across it: how strongly it holds, at its
            weakest point.
        certified: points certified in the normal directions.
    """

    rows: Tensor
    dimension: int
    length: float | None
    closed: bool | None
    normal: float
    certified: int

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        shape = {1: "a line", 2: "a surface"}.get(self.dimension, f"{self.dimension} dimensions")
        if self.closed:
            shape = "a ring"
        long = "" if self.length is None else f" of length {self.length:.3g}"
        return (
            f"{len(self.rows)} fixed points of one continuum, {shape}{long}; {self.certified} are "
            f"certified across it."
        )

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "points": len(self.rows),
            "dimension": self.dimension,
            "length": self.length,
            "closed": self.closed,
            "smallest_normal_singular_value": self.normal,
            "certified_points": self.certified,
            "sentence": self.sentence,
        }


def find_continua(model: Model | Cell, points: FixedPoints) -> tuple[Continuum, ...]:
    """What the continuum points of a search form, the largest continuum first.

    Args:
        model: the network that the points belong to.
        points: what ``find_fixed_points`` gave.

    Returns:
        One for every connected set; empty where no fixed point was found that is not isolated.
    """
    states = points.continua.states
    if not len(states):
        return ()
    problem = Problem(cell=study_cell(model), x=points.held.vector)
    problem = problem.rows(points.continua.seed)
    label = _components(problem, states, points.scale)
    normal, certified = _across(problem, states, points.scale)
    found = []
    for piece in range(int(label.max()) + 1):
        rows = (label == piece).nonzero().squeeze(-1)
        dimension = int(points.continua.slow_count[rows].median())
        length = closed = None
        if dimension == 1 and len(rows) >= FEWEST:
            curve = arc_length(states[rows])
            length = curve.length
            closed = None if curve.is_open is None else not curve.is_open
            if closed:
                length = _round(states[rows])
            else:
                rows = rows[curve.distance.argsort(stable=True)]
        found.append(
            Continuum(
                rows=rows,
                dimension=dimension,
                length=length,
                closed=closed,
                normal=float(normal[rows].min()),
                certified=int(certified[rows].sum()),
            )
        )
    return tuple(sorted(found, key=lambda one: -len(one.rows)))


def _components(problem: Problem, states: Tensor, scale: float) -> Tensor:
    """The connected set that each point belongs to, (n,)."""
    if len(states) == 1:
        return torch.zeros(1, dtype=torch.long)
    apart = torch.cdist(states, states, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    # Points in one place are joined too: a length of 0 would be no link.
    tree = minimum_spanning_tree(csr_matrix(np.maximum(apart, 1e-12 * scale))).tocoo()
    a, b = torch.from_numpy(tree.row).long(), torch.from_numpy(tree.col).long()
    middle, gap = (states[a] + states[b]) / 2, norm(states[a] - states[b])
    here = problem.rows(a)
    with heavy():
        rest = minimise_speed(
            here, middle, max_steps=60, stationarity=1e-12, reach=10 * scale
        ).states
    at_rest = norm(here.residual(rest)) <= 10 * here.rounding(rest) + 1e-11
    between = torch.maximum(norm(rest - states[a]), norm(rest - states[b])) <= gap * 0.999
    joined = (at_rest & (between | (gap <= 1e-9 * scale))).numpy()
    links = csr_matrix(
        (np.ones(joined.sum()), (tree.row[joined], tree.col[joined])), shape=apart.shape
    )
    _, label = connected_components(links, directed=False)
    return torch.from_numpy(label).long()


def _across(problem: Problem, states: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """The smallest singular value across the continuum, and whether the point is certified."""
    with heavy():
        U, sigma, _ = torch.linalg.svd(problem.jacobian(states))
    null = sigma <= NULL * sigma[:, :1].clamp_min(1)
    normal = torch.where(null, torch.inf, sigma).amin(-1)
    G = problem.residual(states)
    parts = (U.mT @ G.unsqueeze(-1)).squeeze(-1)
    error = evaluation_error(problem.cell, problem.x, states)
    along = norm(torch.where(null, parts, 0.0))
    across = norm(torch.where(null, 0.0, parts)) + error
    K = lipschitz_bound(problem.cell, problem.x, states, torch.full_like(normal, 1e-3 * scale))
    if K is None:
        return normal, torch.zeros(len(states), dtype=torch.bool)
    return normal, (K * across / normal**2 <= 0.5) & (along <= error)


def _round(states: Tensor) -> float:
    """The length of a closed curve: its points in the order of their angle in its main plane."""
    centred = states - states.mean(0)
    plane = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].mT
    order = torch.atan2(plane[:, 1], plane[:, 0]).argsort(stable=True)
    loop = states[torch.cat([order, order[:1]])]
    return float(norm(loop.diff(dim=0)).sum())
