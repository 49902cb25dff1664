"""A fold located to rounding: where a branch of fixed points turns back in its input.

``G(h, s) = F(h, x* + s d) - h = 0`` together with ``g(h, s) = 0``, where g comes of

[ A   b ] [v]   [0]
[ c^T 0 ] [g] = [1],   A = dG/dh

and is 0 exactly where A is singular (Griewank & Reddien 1984; Govaerts 2000). Its derivative is
``-w^T dA v`` with w of the transposed system, so Newton's method needs second derivatives of F in
one direction only.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import norm, solve
from rnnscope.dynamics.problem import Problem

STEPS = 12
GENERIC = 1e-6
"""A bend below this is zero: the fold is no simple one."""

PUSHED = 1e-4
"""So is a push of the input below this part of all that it does: where branches cross, and not one
folds, Newton's method still comes near a solution."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """A solution of the fold's equations.

    Attributes:
        state: (N,).
        s: the input's position.
        null: the unit null vector v of A, the direction in which two roots meet, (N,).
        residual: ``||G||``.
        singular: ``||A v||``.
        push: ``w . dF/ds``, not 0 at a fold.
        bend: ``w . F_hh[v, v]``, not 0 at a simple fold.
        simple: whether the residual is at rounding level, ``A v`` zero, and the last two are not.
    """

    state: Tensor
    s: float
    null: Tensor
    residual: float
    singular: float
    push: float
    bend: float
    simple: bool


def locate_fold(problem: Problem, direction: Tensor, h: Tensor, s: float) -> Fold | None:
    """Newton's method from a point near a fold; None where it does not come to rest.

    Args:
        problem: the network at s = 0.
        direction: d, (input_size,).
        h: (N,).
    """
    n = len(h)
    cell, x = problem.cell, problem.x

    def step(state: Tensor, at: Tensor) -> Tensor:
        return cell.step(x + at * direction, state)

    def slope(state: Tensor, at: Tensor, w: Tensor, v: Tensor) -> Tensor:
        pull = torch.func.vjp(lambda z: step(z, at), state)[1]
        return pull(w)[0] @ v

    at = torch.tensor(s, dtype=h.dtype)
    here = Problem(cell=cell, x=x + at * direction)
    U, _, Vh = torch.linalg.svd(here.jacobian(h[None])[0])
    b, c = U[:, -1], Vh[-1]
    one = torch.zeros(n + 1, dtype=h.dtype)
    one[-1] = 1
    v, w = c, b
    for _ in range(STEPS):
        here = Problem(cell=cell, x=x + at * direction)
        G, A = here.residual(h[None])[0], here.jacobian(h[None])[0]
        bordered = torch.cat(
            [
                torch.cat([A, b[:, None]], dim=1),
                torch.cat([c, c.new_zeros(1)])[None],
            ]
        )
        right, left = solve(bordered, one), solve(bordered.mT.contiguous(), one)
        if not bool(torch.isfinite(right).all() & torch.isfinite(left).all()):
            return None
        v, w, g = right[:-1], left[:-1], right[-1:]
        dg_h, dg_s = torch.func.grad(slope, argnums=(0, 1))(h, at, w, v)
        F_s = cell.J_inp(here.x[None], h[None])[0] @ direction
        M = torch.cat(
            [
                torch.cat([A, F_s[:, None]], dim=1),
                torch.cat([-dg_h, -dg_s.reshape(1)])[None],
            ]
        )
        d = -solve(M, torch.cat([G, g]))
        if not bool(torch.isfinite(d).all()):
            return None
        h, at = (h + d[:-1]).detach(), (at + d[-1]).detach()
        b, c = w / norm(w), v / norm(v)
        if float(norm(d)) <= 1e-14 * (1 + float(norm(h))):
            break
    else:
        return None
    here = Problem(cell=cell, x=x + at * direction)
    A, v, w = here.jacobian(h[None])[0], v / norm(v), w / norm(w)
    F_s = cell.J_inp(here.x[None], h[None])[0] @ direction
    bend = float(torch.func.grad(slope)(h, at, w, v).detach() @ v)
    residual, singular = float(norm(here.residual(h))), float(norm(A @ v))
    push = float(w @ F_s)
    exact = residual <= 10 * float(here.rounding(h)) and singular <= 1e-9 * max(
        1.0, float(torch.linalg.matrix_norm(A))
    )
    return Fold(
        state=h,
        s=float(at),
        null=v,
        residual=residual,
        singular=singular,
        push=push,
        bend=bend,
        simple=exact and abs(push) > PUSHED * float(norm(F_s)) and abs(bend) > GENERIC,
    )
