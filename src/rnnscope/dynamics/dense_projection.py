"""The projection of ``projection`` from the matrices: exact splits, for narrow networks.

1. damped Gauss-Newton, ``(A^T A + mu I) d = -A^T G`` with mu fixed at ``1 / slow_time^2``: cheap
   and robust; what A stretches by much more than sqrt(mu) is solved, by much less stays. It splits
   by singular directions, so a non-normal J leaves a fast residual;
2. where it does, chord steps ``d = -(A + P)^-1 (I - P) G``, which solve the fast directions and do
   not move along the slow ones.

Every step must lower its merit (``||G||``, then ``||(I - P) G||``), else it is halved.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnnscope.dynamics.landing import Projection
from rnnscope.dynamics.linalg import apply, inverse, norm, solve_positive
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.spectral import Split

HALVINGS = 8


def project_by_matrices(
    problem: Problem,
    starts: Tensor,
    *,
    slow_time: float,
    tolerance: float,
    descents: int = 15,
    splits: int = 3,
    chords: int = 8,
) -> Projection:
    """Project each start; points share nothing but the call into LAPACK.

    Args:
        starts: (S, N), finite.
        slow_time: steps that set slow apart from fast.
        tolerance: the fast residual to reach, in units of the state.
        descents: most damped Gauss-Newton steps.
        splits: most times the split is computed.
        chords: most chord steps with one split.
    """
    h, steps = _descend(problem, starts, mu=slow_time**-2, tolerance=tolerance, most=descents)
    drift, slow = problem.residual(h), torch.zeros(len(h), dtype=h.dtype)
    fast = torch.full((len(h),), torch.inf, dtype=h.dtype)
    slow_count = torch.zeros(len(h), dtype=torch.long)
    active = torch.isfinite(norm(drift))
    for round_ in range(splits):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        here = problem.rows(k)
        A = here.jacobian(h[k])
        split = Split.of(A, 2 / slow_time)
        P, slow_count[k] = split.slow(2 / slow_time)
        G = here.residual(h[k])
        drift[k] = apply(P, G)
        strict = split.slow(1 / slow_time)[0]
        slow[k] = norm(apply(strict, G))
        fast[k] = norm(G - drift[k])
        active[k] = fast[k] > torch.maximum(here.rounding(h[k]), torch.tensor(tolerance))
        going = active[k]
        k, A, P = k[going], A[going], strict[going]
        if round_ == splits - 1 or not len(k):
            break
        before = h[k]
        h[k], tried = _chord(problem.rows(k), before, A, P, tolerance=tolerance, most=chords)
        steps[k] += tried
        active[k] = (h[k] != before).any(-1)
    return Projection(
        states=h, drift=drift, slow=slow, fast=fast, slow_count=slow_count, steps=steps
    )


def _descend(
    problem: Problem, starts: Tensor, *, mu: float, tolerance: float, most: int
) -> tuple[Tensor, Tensor]:
    """Stage 1: damped Gauss-Newton steps while they move the point."""
    h, steps = starts.clone(), torch.zeros(len(starts), dtype=torch.long)
    active = torch.ones(len(h), dtype=torch.bool)
    for _ in range(most):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        here = problem.rows(k)
        G, A = here.residual(h[k]), here.jacobian(h[k])
        d = -solve_positive(A.mT @ A, h.new_full((len(k),), mu), apply(A.mT, G))
        moved = _shorten(h[k], d, norm(G), lambda new, here=here: norm(here.residual(new)))
        steps[k] += 1
        active[k] = norm(moved - h[k]) > tolerance
        h[k] = moved
    return h, steps


def _chord(
    problem: Problem, h: Tensor, A: Tensor, P: Tensor, *, tolerance: float, most: int
) -> tuple[Tensor, Tensor]:
    """Stage 2: chord steps with one split, while each at least halves the fast residual."""
    h, steps = h.clone(), torch.zeros(len(h), dtype=torch.long)
    K = inverse(A + P)

    def fast_part(new: Tensor, rows: Tensor) -> Tensor:
        G = problem.rows(rows).residual(new)
        return G - apply(P[rows], G)

    active = torch.ones(len(h), dtype=torch.bool)
    for _ in range(most):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        fast = fast_part(h[k], k)
        moved = _shorten(
            h[k], -apply(K[k], fast), norm(fast), lambda new, k=k: norm(fast_part(new, k))
        )
        steps[k] += 1
        left = norm(fast_part(moved, k))
        active[k] = (left > tolerance / 10) & (left < norm(fast) / 2)
        h[k] = moved
    return h, steps


def _shorten(h: Tensor, d: Tensor, merit: Tensor, measure: Callable[[Tensor], Tensor]) -> Tensor:
    """``h + d``, each row's step halved until its merit falls; ``h`` where it never does."""
    length = torch.ones(len(h), dtype=h.dtype)
    for _ in range(HALVINGS):
        worse = ~(measure(h + length[:, None] * d) < merit)
        if not worse.any():
            break
        length = torch.where(worse, length / 2, length)
    worse = ~(measure(h + length[:, None] * d) < merit)
    return torch.where(worse[:, None], h, h + length[:, None] * d)
