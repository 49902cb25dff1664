"""Adam on the speed (Kingma & Ba 2015), for comparison: what the field's finders do.

Each point has its own stop, and the gradient ``A^T G`` is closed-form. It remains a first-order
method on a valley: along a slow manifold its speeds stay where they are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.dynamics.levenberg_marquardt import Descent
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.problem import Problem

RATE = 0.01
BETAS = 0.9, 0.999
ITERATIONS = 50
"""Iterations for each step of ``max_steps``: one costs two products where others solve systems."""


def adam(
    problem: Problem, starts: Tensor, *, max_steps: int, stationarity: float, reach: float
) -> Descent:
    """Descend q by Adam, at a rate of ``RATE`` that falls to 0 as a cosine.

    Args and result as of ``levenberg_marquardt.minimise_speed``.
    """
    h = starts.clone()
    size, total = len(h), max_steps * ITERATIONS
    first, second = torch.zeros_like(h), torch.zeros_like(h)
    steps = torch.zeros(size, dtype=torch.long)
    stationary = torch.full((size,), torch.inf, dtype=h.dtype)
    active = torch.isfinite(problem.residual(h)).all(-1)
    for step in range(1, total + 1):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        here = problem.rows(k)
        G = here.residual(h[k])
        g = here.tangent(h[k]).pull(G) - G
        stationary[k] = norm(g) / norm(G).clamp_min(1e-300)
        first[k] = BETAS[0] * first[k] + (1 - BETAS[0]) * g
        second[k] = BETAS[1] * second[k] + (1 - BETAS[1]) * g * g
        rate = RATE * (1 + torch.cos(torch.tensor(torch.pi * step / total))) / 2
        scaled = (second[k] / (1 - BETAS[1] ** step)).sqrt().add(1e-12)
        new = h[k] - rate * first[k] / (1 - BETAS[0] ** step) / scaled
        going = (norm(G) > here.rounding(h[k])) & (stationary[k] > stationarity)
        going &= norm(new - starts[k]) <= reach
        h[k] = torch.where(going[:, None], new, h[k])
        steps[k] += 1
        active[k] = going
    return Descent(states=h, steps=steps, stationarity=stationary)
