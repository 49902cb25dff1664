"""A slow manifold of two dimensions as a surface: a lattice of points, grown node by node.

From a node with an orthonormal frame (e1, e2) of its two slowest directions the four neighbours are
sought a step along ``+-e1`` and ``+-e2`` and brought to rest in the fast directions
(``slow_frame``). A neighbour's frame is turned onto the one it came from, so that on a flat surface
the lattice is a square one, and on a bent one as square as the surface allows.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.orbits import newton_orbit
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.slow_frame import SlowManifold, SlowPoint, manifold_start, slow_parts
from rnnscope.dynamics.slow_surface import SlowSurface, SurfaceRoot
from rnnscope.dynamics.systems import Network
from rnnscope.errors import NotApplicable, UsageError

BEND = 0.8
"""Least cosine between the slow planes of neighbours."""

WIDEST = 1.7
"""Points farther apart, in steps, are no neighbours: on a bent surface two ways may not meet."""

AROUND = ((1, 0), (0, 1), (-1, 0), (0, -1))


def trace_slow_surface(
    model: Network,
    points: FixedPoints,
    start: Any = None,
    *,
    step: float = 0.15,
    max_points: int = 600,
) -> SlowSurface:
    """Grow a lattice over a slow manifold of two dimensions until it leaves the visited region, its
    modes are no longer slow, or it meets itself.

    Args:
        model: the network that the points belong to; not changed.
        points: what ``find_fixed_points`` gave: the input, the visited region, its scale, and the
            ``slow_time`` that tells slow from fast.
        start: a state (N,) near the manifold; of the points found on it the one nearest to their
            mean where it is None.
        step: of the lattice, in scales.
        max_points: most points.

    Raises:
        NotApplicable: there is no slow point to start from, or fewer than two slow modes at it.
        DataError: the start has the wrong shape.
        UsageError: ``step`` not above 0, or fewer than 4 points.

    Source:
        Henderson 2002 (continuation of manifolds); Maas & Pope 1992
    """
    if not 0 < step < inf or max_points < 4:
        raise UsageError(
            "A surface is grown by steps.",
            expected="step > 0, max_points >= 4",
            got=f"step={step}, max_points={max_points}",
        )
    problem = Problem(cell=study_cell(model), x=points.held.common)
    h = manifold_start(points, start)
    with heavy():
        lattice = _Lattice(SlowManifold(problem, points), step)
        lattice.grow(h, max_points)
        return lattice.result()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Node:
    point: SlowPoint
    frame: Tensor
    """e1, e2, (N, 2)."""


class _Lattice:
    """The lattice under way."""

    def __init__(self, manifold: SlowManifold, step: float) -> None:
        self.manifold, self.step = manifold, step * manifold.scale
        self.nodes: dict[tuple[int, int], _Node] = {}
        self.ends: Counter[str] = Counter()
        self.mismatch = 0.0

    def grow(self, h: Tensor, most: int) -> None:
        point = self.manifold.at(h, None)
        plane = None if point is None else _plane(point)
        if point is None or plane is None:
            raise NotApplicable(
                "A surface is grown where two directions are slow.",
                expected=f"two eigenvalues within {self.manifold.rate:.3g} of 1",
                got="no slow point" if point is None else f"{point.frame.shape[1]}",
                fix="trace_slow_curve for one dimension; another start; a smaller slow_time",
            )
        self.nodes[0, 0] = _Node(point=point, frame=plane)
        queue = deque([(0, 0)])
        while queue and len(self.nodes) < most:
            here = queue.popleft()
            for way in AROUND:
                place = (here[0] + way[0], here[1] + way[1])
                if len(self.nodes) < most and self.reach(here, way, place):
                    queue.append(place)
        if queue:
            self.ends[f"It was grown to {most} points."] += 1

    def reach(self, here: tuple[int, int], way: tuple[int, int], place: tuple[int, int]) -> bool:
        """Whether there is a new point at this place."""
        node = self.nodes[here]
        guess = node.point.h + self.step * (node.frame @ torch.tensor(way, dtype=torch.float64))
        if place in self.nodes:
            apart = float(norm(self.nodes[place].point.h - guess)) / self.step
            self.mismatch = max(self.mismatch, apart)
            return False
        point = self.manifold.at(guess, node.point.modes)
        plane = None if point is None else _plane(point)
        if point is None or plane is None or float(norm(point.h - guess)) > self.step:
            self.ends["No slow plane is found beyond there."] += 1
            return False
        U, cosines, Vh = torch.linalg.svd(plane.mT @ node.frame)
        if float(cosines.min()) < BEND:
            self.ends["Its slow plane turns away."] += 1
            return False
        if self.manifold.apart(point.h) > self.manifold.region:
            self.ends["It leaves the visited region."] += 1
            return False
        others = torch.stack([one.point.h for one in self.nodes.values()])
        if float(norm(others - point.h).min()) < self.step / 2:
            self.ends["It meets itself."] += 1
            return False
        self.nodes[place] = _Node(point=point, frame=plane @ (U @ Vh))
        return True

    def result(self) -> SlowSurface:
        places, nodes = list(self.nodes), list(self.nodes.values())
        row = {place: k for k, place in enumerate(places)}
        cells = [((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)) for i, j in places]
        faces = [[row[one] for one in cell] for cell in cells if self.is_face(cell)]
        states = torch.stack([node.point.h for node in nodes])
        slow = torch.stack([slow_parts(node.point).sum(-1).real for node in nodes])
        frames = torch.stack([node.frame for node in nodes])
        drift = (slow[:, None] @ frames).squeeze(1)
        quads = torch.tensor(faces, dtype=torch.long).reshape(-1, 4)
        neutral = self.manifold.rests(states, norm(drift))
        return SlowSurface(
            states=states,
            grid=torch.tensor(places, dtype=torch.long),
            frames=frames,
            drift=drift,
            rates=torch.stack([node.point.modes.rates[:2] + 1 for node in nodes]),
            faces=quads,
            area=_area(states, quads),
            roots=() if neutral else self.roots(states, drift, row, places),
            neutral=neutral,
            ends=dict(self.ends),
            mismatch=self.mismatch,
            step=self.step,
            scale=self.manifold.scale,
        )

    def is_face(self, cell: tuple[tuple[int, int], ...]) -> bool:
        """Whether there are points all round, no farther apart than neighbours are."""
        if not all(place in self.nodes for place in cell):
            return False
        corners = torch.stack([self.nodes[place].point.h for place in cell])
        return float(norm(corners - corners.roll(1, dims=0)).max()) <= WIDEST * self.step

    def roots(
        self,
        states: Tensor,
        drift: Tensor,
        row: dict[tuple[int, int], int],
        places: list[tuple[int, int]],
    ) -> tuple[SurfaceRoot, ...]:
        """Fixed points near the nodes whose drift is the smallest of those around them."""
        found: list[SurfaceRoot] = []
        speed = norm(drift).tolist()
        for k, (i, j) in enumerate(places):
            around = [row[i + a, j + b] for a, b in AROUND if (i + a, j + b) in row]
            if any(speed[n] < speed[k] for n in around):
                continue
            found_there = newton_orbit(self.manifold.problem, states[k : k + 1], 1, 1.5 * self.step)
            if found_there is None:
                continue
            h = found_there[0]
            if any(float(norm(h - one.state)) < 1e-6 * self.manifold.scale for one in found):
                continue
            A = self.manifold.problem.jacobian(h[None])[0]
            values = torch.linalg.eigvals(A) + 1
            slowest = values[(values - 1).abs().argsort()[:2]]
            attracts = bool((slowest.abs() < 1).all())
            found.append(SurfaceRoot(node=k, state=h, attracts=attracts))
        return tuple(found)


def _plane(point: SlowPoint) -> Tensor | None:
    """An orthonormal basis of the two slowest directions, (N, 2); None where there are not two, or
    the second is one of a pair."""
    if point.frame.shape[1] < 2:
        return None
    plane = point.modes.frame(2)
    return plane if plane.shape[1] == 2 else None


def _area(states: Tensor, faces: Tensor) -> float:
    if not len(faces):
        return 0.0
    a, b, c, d = (states[faces[:, k]] for k in range(4))

    def triangle(u: Tensor, v: Tensor) -> Tensor:
        gram = (u * u).sum(-1) * (v * v).sum(-1) - (u * v).sum(-1) ** 2
        return gram.clamp_min(0).sqrt() / 2

    return float((triangle(b - a, d - a) + triangle(b - c, d - c)).sum())
