"""The slowest modes without a full decomposition: block Krylov spaces of the shifted inverse.

B = (J - (1 + sigma) I)^-1 stretches most what lies along eigenvalues near 1. The space V spanned
by X, B X, B^2 X, ... holds the slowest right vectors first, the eigenvectors of V^T B V (Arnoldi's
method; Saad 2011); the same with B^T gives the left ones. The two small bases that come out are
then made biorthogonal, and J between them gives values and vectors of both kinds. The search is in
float32, on whole chunks of points; that last step, and the residuals reported, are in float64 and
without the matrices.

Modes that are large by modulus but far from 1, fast oscillations, are no part of these spaces. A
Krylov space of J itself looks for any, and a point where one shows, or where a residual is too
large, gets the full decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.cells.tangent import Tangent
from rnnscope.dynamics.eigenmodes import by_modulus, eigenmodes
from rnnscope.dynamics.krylov import Krylov
from rnnscope.dynamics.linalg import eigenvectors, in_threads, norm
from rnnscope.dynamics.problem import Problem

SHIFT = 0.003
"""Just beyond 1: the distance from here orders eigenvalues near 1 as their moduli do."""

BLOCK = 2
BLOCKS = 28
"""Columns of a block, and blocks that a space is made of."""

SPARE = 3
"""Vectors kept beside those wanted: the eigenvalues next to them may lie close."""

RESTARTS = 6
AGAIN = 3
"""Spaces made anew from the vectors kept, and the blocks of each."""

CHUNK = 32
OUTSIDE = 24
"""Products with J that look for large eigenvalues far from 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowModes:
    """The slowest modes of P points.

    Attributes:
        values: by falling |lambda|, pairs whole, (P, count).
        right, left: unit columns (P, N, count) and rows (P, count, N), ``left @ right = I``.
        residuals: ``||J r - lambda r||`` in float64, (P, count).
        dense: points that got the full decomposition, (P,).
    """

    values: Tensor
    right: Tensor
    left: Tensor
    residuals: Tensor
    dense: Tensor


def slow_modes(problem: Problem, h: Tensor, *, count: int, tolerance: float = 1e-5) -> SlowModes:
    """The ``count`` slowest modes at each state (P, N), and one more, so that no pair is cut.

    Args:
        tolerance: the largest residual ``||J r - lambda r||``.
    """
    chunks = [slice(k, k + CHUNK) for k in range(0, len(h), CHUNK)]

    def work(rows: slice) -> SlowModes:
        return _chunk(problem.rows(rows), h[rows], count=count + 1, tolerance=tolerance)

    parts = in_threads(work, chunks, "linearizing")
    names = ("values", "right", "left", "residuals", "dense")
    return SlowModes(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})


def _chunk(problem: Problem, h: Tensor, *, count: int, tolerance: float) -> SlowModes:
    size, width = h.shape
    J = problem.to(torch.float32).tangent(h.float()).matrix()
    A = J.clone()
    A.diagonal(dim1=-2, dim2=-1).sub_(1 + SHIFT)
    LU, pivots, _ = torch.linalg.lu_factor_ex(A)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(width, BLOCK, generator=generator).expand(size, -1, -1)
    tangent = problem.tangent(h)
    best, radius = _restarted(tangent, LU, pivots, start, count, tolerance)
    far = _has_large_far_values(problem, h, radius, best.values[:, -1].abs())
    bad = far | ~(best.residuals <= tolerance).all(-1)
    bad |= ~torch.isfinite(best.left).flatten(1).all(-1)
    return _with_dense(problem, h, best, bad, count)


def _restarted(
    tangent: Tangent, LU: Tensor, pivots: Tensor, start: Tensor, count: int, tolerance: float
) -> tuple[SlowModes, Tensor]:
    """The modes, and the radius within which they are all; spaces are made anew where needed."""
    keep = count + SPARE
    X, radius = _slowest(LU, pivots, start, keep=keep, blocks=BLOCKS, adjoint=False)
    Y, _ = _slowest(LU, pivots, start, keep=keep, blocks=BLOCKS, adjoint=True)
    best = _between(tangent, X.double(), Y.double(), count)
    for _ in range(RESTARTS):
        k = (~(best.residuals <= tolerance).all(-1)).nonzero().squeeze(-1)
        if not len(k):
            break
        X[k], radius[k] = _slowest(LU[k], pivots[k], X[k], keep=keep, blocks=AGAIN, adjoint=False)
        Y[k], _ = _slowest(LU[k], pivots[k], Y[k], keep=keep, blocks=AGAIN, adjoint=True)
        better = _between(tangent.rows(k), X[k].double(), Y[k].double(), count)
        for name, value in vars(best).items():
            value[k] = getattr(better, name)
    return best, radius


def _slowest(
    LU: Tensor, pivots: Tensor, X: Tensor, *, keep: int, blocks: int, adjoint: bool
) -> tuple[Tensor, Tensor]:
    """A real basis of the ``keep`` vectors that B stretches most, from a block (P, N, k); and the
    distance from 1 within which they are all, (P,)."""
    basis = torch.empty(*X.shape[:-1], 0)
    images = torch.empty_like(basis)
    X = torch.linalg.qr(X.contiguous()).Q
    for _ in range(blocks):
        basis = torch.cat([basis, X], dim=-1)
        image = torch.linalg.lu_solve(LU, pivots, X.contiguous(), adjoint=adjoint)
        images = torch.cat([images, image], dim=-1)
        X = image / norm(image.mT).clamp_min(1e-30)[:, None, :]
        for _ in range(2):
            X = X - basis @ (basis.mT @ X)
        X = torch.linalg.qr(X).Q
    values, S = eigenvectors(torch.nan_to_num(basis.mT @ images))
    order = values.abs().argsort(dim=-1, descending=True, stable=True)[:, :keep]
    values = values.gather(-1, order)
    S = S.gather(-1, order[:, None, :].expand(-1, S.shape[-2], -1))
    radius = (1 / values.abs().amin(-1).clamp_min(1e-30)) - SHIFT
    # Of a pair, whose two vectors are conjugate, the imaginary part stands for the second.
    real = torch.where((values.imag < 0)[:, None, :], S.imag, S.real)
    return torch.linalg.qr(basis @ real).Q, radius


def _between(tangent: Tangent, X: Tensor, Y: Tensor, count: int) -> SlowModes:
    """The modes of J between a right and a left basis (P, N, k), the largest ``count``."""
    images = tangent.push(X.mT.contiguous()).mT
    inverse = torch.linalg.inv_ex(Y.mT @ X)[0]
    values, S = eigenvectors(torch.nan_to_num(inverse @ (Y.mT @ images)))
    order = by_modulus(values)[:, :count]
    values = values.gather(-1, order)
    T = torch.linalg.inv_ex(S)[0].gather(-2, order[:, :, None].expand(-1, -1, S.shape[-1]))
    S = S.gather(-1, order[:, None, :].expand(-1, S.shape[-1], -1))
    right = X.to(S.dtype) @ S
    length = norm(right.mT).clamp_min(1e-300)
    left = (T @ (inverse @ Y.mT).to(S.dtype)) * length.unsqueeze(-1)
    residuals = norm((images.to(S.dtype) @ S).mT - values.unsqueeze(-1) * right.mT) / length
    none = torch.zeros(len(values), dtype=torch.bool)
    right = right / length[:, None, :]
    return SlowModes(values=values, right=right, left=left, residuals=residuals, dense=none)


def _has_large_far_values(problem: Problem, h: Tensor, radius: Tensor, least: Tensor) -> Tensor:
    """Whether J has an eigenvalue as large as ``least`` farther from 1 than ``radius``."""
    generator = torch.Generator().manual_seed(1)
    g = torch.randn(problem.width, generator=generator).expand(len(h), -1).contiguous()
    quick = problem.to(torch.float32)
    space = Krylov.of(quick.tangent(h.float()), g, OUTSIDE)
    beyond = space.values.abs() > radius[:, None].to(space.values.real.dtype)
    large = (space.values + 1).abs() > least[:, None]
    return (beyond & large).any(-1)


def _with_dense(
    problem: Problem, h: Tensor, found: SlowModes, bad: Tensor, count: int
) -> SlowModes:
    k = bad.nonzero().squeeze(-1)
    if not len(k):
        return found
    J = problem.rows(k).tangent(h[k]).matrix()
    values, right, left = eigenmodes(J, count=count - 1, spare=True)
    for name, new in (("values", values[:, :count]), ("right", right), ("left", left)):
        getattr(found, name)[k] = new
    images = J.to(right.dtype) @ right
    found.residuals[k] = norm((images - right * values[:, None, :count]).mT)
    found.dense[k] = True
    return found
