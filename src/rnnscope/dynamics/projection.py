"""Projection onto the slow manifold: fast directions brought to rest, slow ones left alone.

A point h is on the slow manifold when the fast part of its residual vanishes,

(I - P(h)) G(h) = 0,   G = F(h) - h,   P the projector onto the slow directions of J

so that what motion is left, the drift ``P G``, is along the slow directions (Maas & Pope 1992). A
direction is slow when ``|lambda - 1| < 1 / slow_time``.

Newton's method in the fast directions only, ``d = -(1 - w(A)) A^-1 G`` with ``A = J - I`` and w
near 1 where ``|a| << 1 / slow_time``, near 0 where ``|a| >> 1 / slow_time``. The step is a function
of A applied to G, so ``krylov`` gives it from a few products with J, and the eigenvalues of the
small H split G into its slow and its fast part too. Points share nothing but products.

Narrow networks, and points that this does not settle, go by ``dense_projection``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.dynamics.dense_projection import project_by_matrices
from rnnscope.dynamics.krylov import Krylov
from rnnscope.dynamics.landing import Projection
from rnnscope.dynamics.linalg import in_threads, norm
from rnnscope.dynamics.problem import CPU, Problem

WIDE = 96
"""From this width on, products cost less than decompositions."""

CHUNK = 128
"""Points whose products are made together: their bases fit a processor's cache."""

JUDGES = 16
"""Products with J that tell the slow part of a residual from its fast part."""

DEPTHS = (8, 8, 12, *(JUDGES,) * 12, *(2 * JUDGES,) * 8)
"""Products with J in each round: the first steps need no fine split, the stragglers a finer one.
The last round only judges."""

HALVINGS = 6


def project(
    problem: Problem, starts: Tensor, *, slow_time: float, tolerance: float, scale: float
) -> Projection:
    """Project each start; points share nothing but products.

    Directions faster than ``slow_time`` are solved; the residual is judged on those at least twice
    as fast, so that a direction on the edge, which may change sides from point to point, decides
    nothing.

    Args:
        starts: (S, N) float64, finite.
        slow_time: steps that set slow apart from fast.
        tolerance: the fast residual to reach, in units of the state. What float32 cannot tell from
            its rounding is done again in float64.
        scale: the states' scale, that float32's rounding is held against.
    """
    if problem.width < WIDE or not problem.cell.matrix_free:

        def by_matrices(rows: slice) -> Projection:
            return project_by_matrices(
                problem.rows(rows),
                starts[rows],
                slow_time=slow_time,
                tolerance=min(tolerance, 1e-10 * scale),
            )

        chunks = list(problem.chunks(len(starts)))
        return _joined(in_threads(by_matrices, chunks, "projecting"))
    single = _in_chunks(problem, starts, torch.float32, slow_time, tolerance / 2)
    # A drift near float32's rounding says nothing.
    coarse = 2 * torch.finfo(torch.float32).eps * (scale + norm(starts))
    again = (norm(single.drift) < 100 * coarse) | (tolerance < 10 * coarse)
    again &= torch.isfinite(single.fast)
    k = again.nonzero().squeeze(-1)
    if len(k):
        # Where the first round came down well it is gone on from there.
        landed = single.fast[k] <= 10 * tolerance
        start = torch.where(landed[:, None], single.states[k], starts[k])
        double = _in_chunks(problem.rows(k), start, torch.float64, slow_time, tolerance / 2)
        for name in ("states", "drift", "slow", "fast", "slow_count"):
            getattr(single, name)[k] = getattr(double, name)
        single.steps[k] += double.steps
    return single


def _in_chunks(
    problem: Problem, starts: Tensor, dtype: torch.dtype, slow_time: float, tolerance: float
) -> Projection:
    """In float64 again whatever the precision of the work."""
    quick = problem.away(dtype)
    chunks = quick.parts(len(starts), CHUNK, 2 * max(DEPTHS))

    def work(rows: slice) -> Projection:
        return _project(quick.rows(rows), starts[rows].to(quick.x), slow_time, tolerance)

    return _joined(in_threads(work, chunks, "projecting"))


def _joined(parts: list[Projection]) -> Projection:
    def join(name: str) -> Tensor:
        values = torch.cat([getattr(part, name) for part in parts])
        return values.to(CPU, torch.float64 if values.is_floating_point() else values.dtype)

    names = ("states", "drift", "slow", "fast", "slow_count", "steps")
    return Projection(**{name: join(name) for name in names})


def _project(problem: Problem, starts: Tensor, slow_time: float, tolerance: float) -> Projection:
    h, rate = starts.clone(), 1 / slow_time
    size = len(h)
    drift, slow = torch.zeros_like(h), h.new_zeros(size)
    fast = h.new_full((size,), torch.inf)
    slow_count = torch.zeros_like(fast, dtype=torch.long)
    steps = slow_count.clone()
    active = torch.ones_like(fast, dtype=torch.bool)
    for left, depth in zip(range(len(DEPTHS) - 1, -1, -1), DEPTHS, strict=True):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        here = problem.rows(k)
        G = here.residual(h[k])
        space = Krylov.of(here.tangent(h[k]), G, depth)
        size_of = space.values.abs()
        f = space.coordinates((size_of >= 2 * rate).to(space.parts.dtype))
        part = space.expand(f)
        drift[k], fast[k] = G - part, norm(part)
        slow[k] = norm(space.coordinates((size_of < rate).to(space.parts.dtype)))
        slow_count[k] = (size_of < 2 * rate).sum(-1)
        landed = fast[k] <= here.rounding(h[k]).clamp_min(tolerance)
        going = torch.isfinite(fast[k]) & ~(landed & (depth >= JUDGES))
        active[k] = going
        if not left or not going.any():
            break
        # A sharper edge would let Ritz values that cross it throw a step about.
        weight = (size_of / rate) ** 3
        inverse = -(weight / (1 + weight)) / space.values
        d = space.expand(space.coordinates(torch.where(size_of > 0, inverse, 0)))[going]
        k = k[going]
        moved = _shorten(problem.rows(k), h[k], d, norm(G[going]))
        steps[k] += 1
        active[k] = (moved != h[k]).any(-1)
        h[k] = moved
    return Projection(
        states=h, drift=drift, slow=slow, fast=fast, slow_count=slow_count, steps=steps
    )


def _shorten(problem: Problem, h: Tensor, d: Tensor, speed: Tensor) -> Tensor:
    """``h + d``, each row's step halved until the speed falls, or rises by no more than a part in
    ten: along a bent manifold the drift may grow while the fast directions come to rest."""
    moved = h + d
    length = torch.ones_like(speed)
    for _ in range(HALVINGS):
        bad = ~(norm(problem.residual(moved)) <= 1.1 * speed)
        if not bad.any():
            return moved
        length = torch.where(bad, length / 2, length)
        moved = h + length[:, None] * d
    bad = ~(norm(problem.residual(moved)) <= 1.1 * speed)
    return torch.where(bad[:, None], h, moved)
