"""Levenberg-Marquardt on the speed: stationary points of q, each point under its own control.

(A^T A + mu I) d = -A^T G,   A = J - I,  G = F(h) - h

The damping follows the gain ratio (Nielsen 1999; Madsen, Nielsen & Tingleff 2004, algorithm 3.16).
Each point has its own damping, steps and stop; points share nothing but the call into LAPACK.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import apply, in_threads, norm, solve_positive
from rnnscope.dynamics.problem import CPU, Problem


@dataclass(frozen=True, kw_only=True, eq=False)
class Descent:
    """Where each point came to rest.

    Attributes:
        states: (S, N).
        steps: steps tried, (S,).
        stationarity: ``||A^T G|| / ||G||``, how far the residual is from a left null vector
            of A; 0 at a stationary point of q that is no root, (S,).
    """

    states: Tensor
    steps: Tensor
    stationarity: Tensor


def minimise_speed(
    problem: Problem,
    starts: Tensor,
    *,
    max_steps: int,
    stationarity: float,
    reach: float,
    damping: float = 1e-3,
) -> Descent:
    """Descend q from each start until it stops.

    A point stops when its residual is at rounding level, its relative gradient is below
    ``stationarity``, its step no longer changes it, it is ``reach`` away from its start, or it has
    tried ``max_steps`` steps.

    Args:
        starts: (S, N), finite.
        damping: the first damping, relative to the largest diagonal entry of ``A^T A``.
    """

    there = problem.away(problem.dtype)

    def work(rows: slice) -> Descent:
        return _minimise(
            there.rows(rows),
            starts[rows].to(there.x),
            max_steps=max_steps,
            stationarity=stationarity,
            reach=reach,
            damping=damping,
        )

    parts = in_threads(work, list(there.chunks(len(starts))), "descending")
    return Descent(
        states=torch.cat([part.states for part in parts]).to(CPU),
        steps=torch.cat([part.steps for part in parts]).to(CPU),
        stationarity=torch.cat([part.stationarity for part in parts]).to(CPU),
    )


def _minimise(
    problem: Problem,
    starts: Tensor,
    *,
    max_steps: int,
    stationarity: float,
    reach: float,
    damping: float,
) -> Descent:
    h = starts.clone()
    G, M, g = _linear_model(problem, h)
    mu = damping * M.diagonal(dim1=-2, dim2=-1).amax(-1)
    nu = torch.full_like(mu, 2.0)
    steps = torch.zeros_like(mu, dtype=torch.long)
    active = _moving(problem, h, G, g, stationarity)
    for _ in range(max_steps):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        d = solve_positive(M[k], mu[k], -g[k])
        new = h[k] + d
        here = problem.rows(k)
        new_G = here.residual(new)
        gained = (G[k] ** 2).sum(-1) - (new_G**2).sum(-1)
        promised = (d * (mu[k, None] * d - g[k])).sum(-1)
        ratio = gained / promised
        better = (gained > 0) & (promised > 0)
        steps[k] += 1

        mu[k] = torch.where(better, mu[k] * (1 - (2 * ratio - 1) ** 3).clamp(1 / 3), mu[k] * nu[k])
        nu[k] = torch.where(better, 2.0, nu[k] * 2)
        stuck = norm(d) <= 1e-15 * (1 + norm(h[k]))
        lost = ~torch.isfinite(mu[k]) | (norm(new - starts[k]) > reach)

        moved = k[better]
        h[moved] = new[better]
        if len(moved):
            G[moved], M[moved], g[moved] = _linear_model(problem.rows(moved), h[moved])
        active[k] = ~(stuck | lost) & _moving(here, h[k], G[k], g[k], stationarity)
    return Descent(states=h, steps=steps, stationarity=norm(g) / norm(G).clamp_min(1e-300))


def _linear_model(problem: Problem, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``G``, ``A^T A`` and ``A^T G``, zeroed damping-proof where F is not finite."""
    G, A = problem.residual(h), problem.jacobian(h)
    return G, A.mT @ A, apply(A.mT, G)


def _moving(problem: Problem, h: Tensor, G: Tensor, g: Tensor, stationarity: float) -> Tensor:
    speed = norm(G)
    finite = torch.isfinite(speed) & torch.isfinite(norm(g))
    return finite & (speed > problem.rounding(h)) & (norm(g) > stationarity * speed)
