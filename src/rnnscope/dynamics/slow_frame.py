"""The slow directions at a point, followed from a point near by, and Newton's method across them.

A point is on the slow manifold where its residual lies in the slow directions (Maas & Pope 1992),

G(h) = R v,   R (N, k) an orthonormal basis of the slow subspace of J

so v is the drift in that basis. Newton's step under a fixed R solves

[ A    -R ] [dh]   [R v - G]
[ R^T   0 ] [dv] = [   0   ],   A = J - I

which is regular where A is singular along the manifold: at roots, and on exact continua.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from scipy.sparse.linalg import ArpackError, eigs
from torch import Tensor

from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.dynamics.linalg import norm, solve
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.problem import Problem
from rnnscope.errors import DataError, NotApplicable

MODES = 20
"""Modes next to 1 that are sought in a wide network."""

SLOWEST = 12
"""Of so many at most the residual is left alone; it is judged on what none of ``MODES`` explains,
so that a mode on the edge between slow and fast, which may change sides, decides nothing."""

FINE = 1e-11
"""The residual in fast directions that counts as none, in scales."""

DENSE = 64
"""Up to this width all are."""

NEWTON = 12
PASSES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowModes:
    """The modes of J nearest to 1 at one point.

    Attributes:
        rates: eigenvalues of J - I, nearest to 0 first, (p,) complex.
        vectors: their unit right eigenvectors, (N, p) complex.
    """

    rates: Tensor
    vectors: Tensor

    def slow(self, rate: float) -> int:
        """How many are slower than this, ``SLOWEST`` at most; a pair is not cut."""
        count = min(int((self.rates.abs() < rate).sum()), SLOWEST)
        pairs = int((self.rates[:count].imag > 0).sum()), int((self.rates[:count].imag < 0).sum())
        return count - abs(pairs[0] - pairs[1])

    def frame(self, count: int) -> Tensor:
        """An orthonormal basis of the first ``count``, (N, count); a pair is not cut."""
        whole = self.rates[:count]
        if int((whole.imag > 0).sum()) != int((whole.imag < 0).sum()):
            count -= 1
        chosen = self.vectors[:, :count]
        both = torch.cat([chosen.real, chosen.imag], dim=1)
        U, s, _ = torch.linalg.svd(both, full_matrices=False)
        return U[:, :count] if float(s[count - 1]) > 1e-12 else U[:, :0]


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowPoint:
    """A point of the slow manifold.

    Attributes:
        h: (N,).
        residual: G, (N,).
        frame: R, (N, k).
        modes: the modes there.
    """

    h: Tensor
    residual: Tensor
    frame: Tensor
    modes: SlowModes


def modes_next_to_one(A: Tensor, start: Tensor | None = None) -> SlowModes | None:
    """The eigenvalues of ``A = J - I`` (N, N) nearest to 0, and their vectors: all of a narrow
    matrix, ``MODES`` of a wide one, by shift-invert Arnoldi. None where that does not converge.

    Args:
        start: the vector that it starts from, (N,).
    """
    N = len(A)
    if N <= DENSE:
        values, vectors = torch.linalg.eig(A)
    else:
        # Off 0, as A may be singular to the last digit along an exact line.
        shift = -1e-10 * float(torch.linalg.matrix_norm(A))
        v0 = torch.ones(N, dtype=A.dtype) if start is None else start
        try:
            found = eigs(A.numpy(), k=MODES, sigma=shift, v0=v0.numpy())
        except (ArpackError, RuntimeError):
            return None
        values, vectors = torch.from_numpy(found[0]), torch.from_numpy(found[1])
    order = values.abs().argsort(stable=True)
    return SlowModes(rates=values[order], vectors=vectors[:, order])


class SlowManifold:
    """The slow manifold of one search: its problem, its region, and what counts as slow there.

    Args:
        problem: the network under the input of the search.
        points: what ``find_fixed_points`` gave.
    """

    def __init__(self, problem: Problem, points: FixedPoints) -> None:
        self.problem, self.seeds, self.scale = problem, points.seeds, points.scale
        self.region = points.options.region
        self.rate = 1 / points.options.slow_time
        self.tolerance = points.options.fast_tolerance * points.scale

    def at(self, h: Tensor, near: SlowModes | None) -> SlowPoint | None:
        """The point of it near a state (N,); see ``land``."""
        fine = FINE * self.scale
        return land(self.problem, h, near, rate=self.rate, tolerance=self.tolerance, fine=fine)

    def apart(self, h: Tensor) -> float:
        """How far a state is from the nearest seed, in scales."""
        return float(norm(self.seeds - h).min()) / self.scale

    def rests(self, states: Tensor, speed: Tensor) -> bool:
        """Whether the motion (P,) at states (P, N) is at rounding level everywhere."""
        zero = (10 * self.problem.rounding(states)).clamp_min(10 * FINE * self.scale)
        return bool((speed <= zero).all())


def land(
    problem: Problem,
    guess: Tensor,
    near: SlowModes | None,
    *,
    rate: float,
    tolerance: float,
    fine: float,
) -> SlowPoint | None:
    """The point of the slow manifold near a guess (N,): Newton's method under the slow directions
    of where it stands, which are then renewed, until they no longer change. None where it does not
    come to rest, or no direction is slow.

    Args:
        near: the modes at a point near by.
        rate: directions whose eigenvalue is closer to 1 are slow.
        tolerance: the residual that may be left in fast directions.
        fine: what is sought.
    """
    start = None if near is None else near.vectors.real.sum(-1)
    best, least, h = None, torch.inf, guess
    count: int | None = None
    for _ in range(PASSES):
        A, G = problem.jacobian(h[None])[0], problem.residual(h)
        if not bool(torch.isfinite(A).all() & torch.isfinite(G).all()):
            break
        modes = modes_next_to_one(A, start)
        if modes is None:
            break
        count = modes.slow(rate) if count is None else count
        if count == 0:
            break
        R = modes.frame(count)
        left = float(norm(G - R @ (R.mT @ G)))
        found = SlowPoint(h=h, residual=G, frame=R, modes=modes)
        if left <= max(fine, float(problem.rounding(h))):
            return found
        wide = modes.frame(len(modes.rates)) if len(A) > DENSE else R
        if float(norm(G - wide @ (wide.mT @ G))) <= tolerance:
            if best is not None and left > least / 2:
                return best
            best, least = found, left
        moved = _across(problem, h, R, fine)
        if moved is None:
            break
        h = moved
    return best


def manifold_start(points: FixedPoints, start: Any) -> Tensor:
    """The state that a slow manifold is followed from, (N,)."""
    if start is not None:
        h = numbers(start, "The start")
        if h.shape != points.seeds.shape[1:] or not bool(torch.isfinite(h).all()):
            raise DataError(
                "A manifold is followed from one finite state.",
                expected=f"({points.seeds.shape[1]},)",
                got=f"{tuple(h.shape)}",
            )
        return h
    kinds = (points.manifold, points.continua)
    slow = torch.cat([kind.states[kind.slow_count > 0] for kind in kinds])
    # A root in the middle of a ring is on no manifold.
    states = slow if len(slow) else points.line_states
    if not len(states):
        raise NotApplicable(
            "A manifold is followed from a point on it.",
            expected="manifold points, continua, or roots in the visited region",
            got="none of them",
            fix="hand over a start, or search from more seeds",
        )
    return states[norm(states - states.mean(0)).argmin()]


def slow_parts(point: SlowPoint) -> Tensor:
    """The slow part of the residual by the modes it is made of, (N, k) complex; they sum to it."""
    R = point.modes.vectors[:, : point.frame.shape[1]]
    slow = (point.frame @ (point.frame.mT @ point.residual)).to(R.dtype)
    return R * torch.linalg.lstsq(R, slow[:, None]).solution[:, 0]


def _across(problem: Problem, h: Tensor, R: Tensor, fine: float) -> Tensor | None:
    """Newton's method under fixed slow directions R."""
    N, k = R.shape
    bordered = h.new_zeros(N + k, N + k)
    bordered[:N, N:], bordered[N:, :N] = -R, R.mT
    last = torch.inf
    for _ in range(NEWTON):
        G = problem.residual(h)
        rest = G - R @ (R.mT @ G)
        left = float(norm(rest))
        if left <= max(fine / 4, float(problem.rounding(h))):
            return h
        if not left < 10 * last:
            return None
        last = min(last, left)
        bordered[:N, :N] = problem.jacobian(h[None])[0]
        d = solve(bordered, torch.cat([-rest, rest.new_zeros(k)]))
        if not bool(torch.isfinite(d).all()):
            return None
        h = h + d[:N]
    return None
