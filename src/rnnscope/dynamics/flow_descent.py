"""Every seed to the root that the network itself flows to: leaps, then chord steps.

``slow_flow`` brings a state into the linear neighbourhood of a stable root; there
``d = -(J* - I)^-1 G``, with the root's own J for all of them, takes it to rounding level. What
comes to no stable root is left to ``shifted_newton``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.dynamics.levenberg_marquardt import Descent
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.seeds import seed_scale
from rnnscope.dynamics.shifted_newton import shifted_newton
from rnnscope.dynamics.slow_flow import Attractor, slow_flow
from rnnscope.dynamics.stable_root import stable_root

CHORDS = 12


def flow_descent(
    problem: Problem, starts: Tensor, *, max_steps: int, stationarity: float, reach: float
) -> Descent:
    """Follow each start to a root.

    Args and result as of ``levenberg_marquardt.minimise_speed``.
    """
    scale = seed_scale(starts)

    def look(here: Problem, h: Tensor) -> Attractor | None:
        found = stable_root(here, h, scale=scale)
        return None if found is None else found.attractor

    flow = slow_flow(problem, starts, scale=scale, stable_root=look)
    h, steps = flow.states.double(), flow.leaps.clone()
    with heavy():
        for place, attractor in enumerate(flow.attractors):
            k = (flow.basin == place).nonzero().squeeze(-1)
            for _ in range(CHORDS):
                here = problem.rows(k)
                G = here.residual(h[k])
                going = norm(G) > here.rounding(h[k])
                k, G = k[going], G[going]
                if not len(k):
                    break
                h[k] -= G @ attractor.inverse.mT
                steps[k] += 1
    stationary = torch.zeros(len(h), dtype=h.dtype)
    speed = norm(problem.residual(h))
    k = (torch.isfinite(speed) & (speed > 10 * problem.rounding(h))).nonzero().squeeze(-1)
    if len(k):
        rest = shifted_newton(
            problem.rows(k), starts[k], max_steps=max_steps, stationarity=stationarity, reach=reach
        )
        h[k], stationary[k] = rest.states, rest.stationarity
        steps[k] += rest.steps
    return Descent(states=h, steps=steps, stationarity=stationary)
