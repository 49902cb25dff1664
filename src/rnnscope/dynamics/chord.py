"""Chord steps with a few shared inverses, accelerated (Anderson 1965; Walker & Ni 2011).

d = (mu - A_c)^-1 G

with one factorization for all the states around a centre c, so that a step costs products alone.
Anderson's mixing takes the best combination of the last few steps, each point its own. A point
whose residual stops falling is left to ``shifted_newton``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.dynamics.levenberg_marquardt import Descent
from rnnscope.dynamics.linalg import heavy, inverse, norm
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.shifted_newton import shifted_newton

CENTRES = 16
SHIFT = 0.01
DEPTH = 5
"""Steps that are mixed."""
PATIENCE = 8
"""Steps without a residual a tenth lower than the best before, after which a point is left."""


def chord(
    problem: Problem, starts: Tensor, *, max_steps: int, stationarity: float, reach: float
) -> Descent:
    """Descend ``||G||`` from each start with shared inverses.

    Args and result as of ``levenberg_marquardt.minimise_speed``. Under inputs of their own points
    share nothing, and ``shifted_newton`` takes all of them.
    """
    steps = torch.zeros(len(starts), dtype=torch.long)
    h = starts
    if problem.x.ndim == 1 and len(starts):
        with heavy():
            h, steps = _mixed(problem, starts, max_steps=4 * max_steps, reach=reach)
    stationary = torch.zeros(len(h), dtype=h.dtype)
    speed = norm(problem.residual(h))
    k = (torch.isfinite(speed) & (speed > problem.rounding(h))).nonzero().squeeze(-1)
    if len(k):
        rest = shifted_newton(
            problem.rows(k), h[k], max_steps=max_steps, stationarity=stationarity, reach=reach
        )
        h, steps = h.clone(), steps.clone()
        h[k], stationary[k] = rest.states, rest.stationarity
        steps[k] += rest.steps
    return Descent(states=h, steps=steps, stationarity=stationary)


def _centres(states: Tensor) -> tuple[Tensor, Tensor]:
    """Rows far apart from each other, and the nearest of them for each state."""
    chosen, apart = [0], norm(states - states[0])
    while len(chosen) < min(CENTRES, len(states)) and float(apart.max()) > 0:
        chosen.append(int(apart.argmax()))
        apart = torch.minimum(apart, norm(states - states[chosen[-1]]))
    rows = torch.tensor(chosen)
    return rows, torch.cdist(states, states[rows]).argmin(-1)


def _mixed(
    problem: Problem, starts: Tensor, *, max_steps: int, reach: float
) -> tuple[Tensor, Tensor]:
    rows, centre = _centres(starts)
    A = problem.jacobian(starts[rows])
    A.diagonal(dim1=-2, dim2=-1).sub_(SHIFT)
    B = inverse(A)
    h = starts.clone()
    best = norm(problem.residual(h))
    stale, steps = torch.zeros(len(h)), torch.zeros(len(h), dtype=torch.long)
    dh = h.new_zeros(DEPTH, *h.shape)
    df = torch.zeros_like(dh)
    old_h, old_f = h.clone(), torch.zeros_like(h)
    kept = h.clone()
    active = torch.isfinite(best) & torch.isfinite(B).flatten(1).all(-1)[centre]
    for step in range(max_steps):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        G = problem.residual(h[k])
        f = torch.zeros_like(G)
        for c in range(len(rows)):
            mine = centre[k] == c
            f[mine] = -G[mine] @ B[c].mT
        speed = norm(G)
        better = speed < 0.9 * best[k]
        stale[k] = torch.where(better, 0.0, stale[k] + 1)
        kept[k] = torch.where((speed < best[k])[:, None], h[k], kept[k])
        best[k] = torch.minimum(best[k], speed)
        d = f
        if step:
            slot = (step - 1) % DEPTH
            dh[slot, k], df[slot, k] = h[k] - old_h[k], f - old_f[k]
            F = df[: min(step, DEPTH), k].permute(1, 2, 0)
            gram = F.mT @ F
            damp = 1e-10 * gram.diagonal(dim1=-2, dim2=-1).sum(-1).clamp_min(1e-300)
            gram.diagonal(dim1=-2, dim2=-1).add_(damp[:, None])
            weights = torch.linalg.solve_ex(gram, F.mT @ f.unsqueeze(-1))[0]
            X = dh[: min(step, DEPTH), k].permute(1, 2, 0) + F
            mixed = f - (X @ weights).squeeze(-1)
            d = torch.where(torch.isfinite(mixed).all(-1)[:, None], mixed, f)
        old_h[k], old_f[k] = h[k], f
        steps[k] += 1
        done = speed <= problem.rounding(h[k])
        lost = (stale[k] > PATIENCE) | (norm(h[k] + d - starts[k]) > reach)
        active[k] = ~(done | lost | ~torch.isfinite(norm(d)))
        h[k] = torch.where(done[:, None], h[k], h[k] + d)
    return kept, steps
