"""Is a point where the residual is at rounding level an isolated fixed point?

Newton-Kantorovich: with A = J - I, ``b = ||A^-1||``, ``e = ||A^-1 G||`` and K a Lipschitz constant
of A on the ball of radius rho around h, if ``b K e <= 1/2`` there is a root within

r- = 2 e / (1 + sqrt(1 - 2 b K e))        of h, and no other within
r+ = (1 + sqrt(1 - 2 b K e)) / (b K)      (at most rho).

For the closed-form cells K is proved (``lipschitz``; relu's J is constant up to its next kink),
and the rounding of F is bounded and added to e: the root is *proved*. For any other cell K is
sampled in random directions on the ball and next to h: *verified, not proved*, and 1/100 is asked
of b K e in place of 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.levenberg_marquardt import minimise_speed
from rnnscope.dynamics.linalg import norm, singular_values, solve
from rnnscope.dynamics.lipschitz import distance_to_kink, evaluation_error, lipschitz_bound
from rnnscope.dynamics.problem import Problem, finder_speed

PROVED, SAMPLED = 0.5, 0.01
"""What b K e may be, for a proved and for a sampled K."""

NULL = 1e-9
"""A singular value of A below this part of the largest (or of 1) is zero."""

DIRECTIONS = 4
WALK = 1e-2
"""How far along a null direction another fixed point is looked for, in scales."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """The test's outcome at each point, all (S,).

    Attributes:
        nullity: number of null directions of A.
        product: b K e; inf where A is singular.
        error: r-, how far the true root is; nan without a certificate.
        isolation: r+, within which it is the only one; nan without a certificate.
        lipschitz: K.
        proved: whether K is.
    """

    nullity: Tensor
    product: Tensor
    error: Tensor
    isolation: Tensor
    lipschitz: Tensor
    proved: Tensor

    @property
    def isolated(self) -> Tensor:
        """Whether the point is a certified isolated fixed point, (S,)."""
        return (self.nullity == 0) & (self.product <= _margin(self.proved))


def polish(problem: Problem, h: Tensor, *, most: int = 6) -> Tensor:
    """Plain Newton steps, each kept only where it lowers the residual."""
    h = h.clone()
    speed = norm(problem.residual(h))
    active = speed > 0
    for _ in range(most):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        here = problem.rows(k)
        new = h[k] - solve(here.jacobian(h[k]), here.residual(h[k]))
        left = norm(here.residual(new))
        better = left < speed[k]
        h[k[better]] = new[better]
        speed[k[better]] = left[better]
        active[k] = better
    return h


def certify(problem: Problem, h: Tensor, *, radius: float) -> Certificate:
    """Test each point of (S, N), with K on the ball of this radius around it, or up to the next
    kink."""
    A, G = problem.jacobian(h), problem.residual(h)
    sigma = singular_values(A)
    nullity = (sigma <= NULL * sigma[:, :1].clamp_min(1)).sum(-1)
    b = 1 / sigma[:, -1]
    cell, x = problem.cell, problem.x
    ball = (distance_to_kink(cell, x, h) / 2).clamp_max(radius)
    bound = lipschitz_bound(cell, x, h, ball)
    proved = torch.full((len(h),), bound is not None)
    if bound is None:
        e = norm(solve(A, G)) + b * problem.rounding(h)
        inner = (2 * e).clamp_max(radius)
        K = torch.maximum(_lipschitz(problem, h, A, inner), _lipschitz(problem, h, A, ball))
    else:
        e = norm(solve(A, G)) + b * evaluation_error(cell, x, h)
        K = bound
    product = b * K * e
    root = (1 - 2 * product).clamp_min(0).sqrt()
    error = 2 * e / (1 + root)
    # The root must lie in the ball that K holds on.
    product = torch.where((nullity > 0) | (error > ball), torch.inf, product)
    ok = product <= _margin(proved)
    isolation = torch.minimum((1 + root) / (b * K), ball)
    return Certificate(
        nullity=nullity,
        product=product,
        error=torch.where(ok, error, torch.nan),
        isolation=torch.where(ok, isolation, torch.nan),
        lipschitz=K,
        proved=proved,
    )


def no_certificate(size: int) -> Certificate:
    """The certificates of points that none was sought for, to be filled."""
    nan = torch.full((size,), torch.nan, dtype=torch.float64)
    return Certificate(
        nullity=torch.zeros(size, dtype=torch.long),
        product=nan.clone(),
        error=nan.clone(),
        isolation=nan.clone(),
        lipschitz=nan.clone(),
        proved=torch.zeros(size, dtype=torch.bool),
    )


def _margin(proved: Tensor) -> Tensor:
    return torch.where(proved, PROVED, SAMPLED).double()


def continues(problem: Problem, h: Tensor, *, scale: float, tolerance: float) -> bool:
    """Whether other fixed points lie beside one that is not isolated, (N,).

    Steps ``WALK`` scales along its null or flattest directions, descends, and asks whether that
    ends at rest somewhere else close by.
    """
    length = WALK * scale
    _, _, Vh = torch.linalg.svd(problem.jacobian(h[None])[0])
    null = Vh[-2:] if len(Vh) > 1 else Vh
    starts = torch.cat([h + length * null, h - length * null])
    found = minimise_speed(
        problem, starts, max_steps=50, stationarity=1e-12, reach=10 * length
    ).states
    moved = norm(found - h)
    at_rest = finder_speed(problem.residual(found)) <= tolerance
    return bool((at_rest & (moved > length / 10) & (moved < 2 * length)).any())


def _lipschitz(problem: Problem, h: Tensor, A: Tensor, radius: Tensor) -> Tensor:
    """The largest ``||A(h + d) - A(h)|| / ||d||`` over ``||d|| = radius``, in the same sampled
    directions at every point, (S,)."""
    generator = torch.Generator().manual_seed(0)
    K = torch.zeros(len(h), dtype=h.dtype)
    for _ in range(DIRECTIONS):
        d = torch.randn(h.shape[-1], generator=generator, dtype=h.dtype)
        moved = h + radius[:, None] * (d / norm(d))
        change = torch.linalg.matrix_norm(problem.jacobian(moved) - A)
        K = torch.maximum(K, change / radius)
    return K
