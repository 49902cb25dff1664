"""Ghosts: local minima of q that are no fixed points, certified by the full Hessian.

At any stationary point of q that is no root ``A^T G = 0``, so A is singular and the Gauss-Newton
part ``A^T A`` of the Hessian has a null direction *by construction*: that J has an eigenvalue 1
there is no finding. Only the full Hessian, second derivatives of F included, tells a minimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import apply, norm
from rnnscope.dynamics.problem import Problem, finder_speed
from rnnscope.numerics import single_thread

FLAT = 1e-10
"""An eigenvalue of the Hessian below this part of the largest is zero."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ghost:
    """A stationary point of q.

    Attributes:
        state: (N,).
        curvature: smallest eigenvalue of the Hessian of q'.
        flat: number of its eigenvalues at rounding level.
        minimum: whether all of its eigenvalues are above 0 by more than rounding. Where q is flat
            in a direction, as along a slow line or under a uniform drift, nothing bounds the point.
        newton: length of the Newton step left, how far the stationary point still is.
    """

    state: Tensor
    curvature: float
    flat: int
    minimum: bool
    newton: float


def settle(problem: Problem, start: Tensor, *, most: int = 8) -> Ghost:
    """Newton's method on q' from a nearly stationary point (N,), then the Hessian's verdict.

    Steps descend: an eigenvalue enters by its absolute value, and a step is taken only where it
    lowers q'.
    """
    h = start.clone()
    while True:
        with torch.no_grad():
            g = apply(problem.jacobian(h[None]).mT, problem.residual(h[None]))[0]
        with single_thread():
            w, V = torch.linalg.eigh(problem.hessian(h))
        flat = w.abs() <= FLAT * w.abs().max()
        inverse = torch.where(flat, 0.0, 1 / torch.where(flat, 1.0, w.abs()))
        d = -V @ (inverse * (V.mT @ g))
        most -= 1
        new = h + d
        lower = finder_speed(problem.residual(new)) < finder_speed(problem.residual(h))
        if most < 0 or not lower:
            return Ghost(
                state=h,
                curvature=float(w.min()),
                flat=int(flat.sum()),
                minimum=bool((~flat & (w > 0)).all()),
                newton=float(norm(d)),
            )
        h = new
