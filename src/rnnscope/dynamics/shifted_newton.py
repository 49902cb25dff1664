"""Shifted Newton: ``(mu I - A) d = G``, the shift driven to 0, each point under its own control.

Near a root with mu = 0 this is Newton's method, which finds saddles as well as stable points. A
large mu takes short steps along the network's own motion, an implicit Euler step of length 1 / mu
(Kelley & Keyes 1998). Steps that do not lower ``||G||`` are refused and the shift raised; a point
whose shift is beyond ``MOST`` is stuck, as every point at a local minimum of q is, and is left to
``levenberg_marquardt``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.dynamics.levenberg_marquardt import Descent, minimise_speed
from rnnscope.dynamics.linalg import in_threads, norm
from rnnscope.dynamics.newton_system import solve_shifted
from rnnscope.dynamics.problem import Problem

FIRST = 0.05
MOST = 10.0
CHUNK = 16
FEW = 50
"""Steps that are taken on from a stuck point where only some of them are."""


def shifted_newton(
    problem: Problem,
    starts: Tensor,
    *,
    max_steps: int,
    stationarity: float,
    reach: float,
    most_stuck: int | None = None,
    first: float = FIRST,
) -> Descent:
    """Descend ``||G||`` from each start until it is at rounding level or no step lowers it.

    Args and result as of ``levenberg_marquardt.minimise_speed``, which takes over where a point is
    stuck, at ``most_stuck`` points if given: at those of the smallest speed. ``first`` is the shift
    of the first step: below 0 it goes against the motion, towards roots that repel.
    """
    chunks = [slice(k, k + CHUNK) for k in range(0, len(starts), CHUNK)]

    def work(rows: slice) -> Descent:
        return _descend(
            problem.rows(rows),
            starts[rows],
            max_steps=max_steps,
            reach=reach,
            first=first,
        )

    parts = in_threads(work, chunks, "descending")
    h = torch.cat([part.states for part in parts])
    steps = torch.cat([part.steps for part in parts])
    speed = norm(problem.residual(h))
    stationary = torch.zeros_like(speed)
    stuck = torch.isfinite(speed) & (speed > problem.rounding(h))
    stationary[stuck] = torch.inf
    k = stuck.nonzero().squeeze(-1)
    k = k[speed[k].argsort(stable=True)[:most_stuck]]
    if len(k):
        rest = minimise_speed(
            problem.rows(k),
            h[k],
            max_steps=max_steps if most_stuck is None else min(max_steps, FEW),
            stationarity=stationarity,
            reach=reach,
        )
        h[k], stationary[k] = rest.states, rest.stationarity
        steps[k] += rest.steps
    return Descent(states=h, steps=steps, stationarity=stationary)


def _descend(
    problem: Problem, starts: Tensor, *, max_steps: int, reach: float, first: float
) -> Descent:
    h, size = starts.clone(), len(starts)
    speed = norm(problem.residual(h))
    mu = torch.full_like(speed, first)
    steps = torch.zeros(size, dtype=torch.long)
    stuck = torch.zeros(size, dtype=torch.bool)
    active = torch.isfinite(speed) & (speed > problem.rounding(h))
    for _ in range(max_steps):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        here = problem.rows(k)
        G = here.residual(h[k])
        d = solve_shifted(here.tangent(h[k]), mu[k], G)
        new = h[k] + d
        left = norm(here.residual(new))
        better = left < speed[k]
        steps[k] += 1
        h[k] = torch.where(better[:, None], new, h[k])
        gain = (left / speed[k]).clamp(1e-3, 0.5)
        speed[k] = torch.where(better, left, speed[k])
        mu[k] = torch.where(better, mu[k] * gain, mu[k] * 8)
        mu[k] = torch.where(mu[k] < 1e-8, 0.0, mu[k])
        mu[k] = torch.where(~better & (mu[k] == 0), 1e-6, mu[k])
        done = speed[k] <= here.rounding(h[k])
        stuck[k] = mu[k] > MOST
        active[k] = ~(done | stuck[k] | (norm(new - starts[k]) > reach))
    return Descent(states=h, steps=steps, stationarity=torch.zeros_like(speed))
