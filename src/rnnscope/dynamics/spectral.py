"""The split of the state space at a point into slow and fast directions.

A direction is slow when its eigenvalue lambda of J_rec has ``|lambda - 1| < 1 / slow_time``: left
alone it moves by less than a part in ``slow_time`` of itself a step. The split is by
eigen-directions, not by singular directions: it is the dynamics' own clock, does not change with
the coordinates, and on a slow manifold the residual lies along slow *right* eigenvectors, the
manifold's tangent. The valley of q, which singular directions give, has the residual along *left*
vectors instead; for a non-normal J the two differ, and only the first moves as the network moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import eigenvectors, inverse, norm

FEW = 24
"""Directions that the iteration follows; points with more slow ones get a full decomposition."""

SWEEPS = 12
SMALL = 96
"""Below this width a full decomposition is as fast."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Directions:
    """Eigen-directions of ``A = J_rec - I`` at some rows of a batch.

    Attributes:
        rows: which points these are, (R,).
        values: eigenvalues a = lambda - 1, (R, k) complex: all of them, or the smallest.
        right: columns, (R, N, k) complex.
        left: rows of the inverse, (R, k, N) complex; not finite where A is defective.
    """

    rows: Tensor
    values: Tensor
    right: Tensor
    left: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """The slow eigen-directions at each of a batch of points.

    Attributes:
        groups: the batch's points, those found by iteration and those decomposed in full.
        shape: (S, N).
    """

    groups: tuple[Directions, ...]
    shape: tuple[int, int]

    @classmethod
    def of(cls, A: Tensor, rate: float) -> Self:
        """The directions at each of (S, N, N), complete for ``|a| <= rate``."""
        rows = torch.arange(len(A))
        if A.shape[-1] < SMALL:
            return cls(groups=(_all_directions(A, rows),), shape=(len(A), A.shape[-1]))
        found = _smallest_directions(A)
        settled = _complete(A, found, rate)
        part = Directions(
            rows=rows[settled],
            values=found.values[settled],
            right=found.right[settled],
            left=found.left[settled],
        )
        rest = rows[~settled]
        groups = (part, _all_directions(A[rest], rest)) if len(rest) else (part,)
        return cls(groups=groups, shape=(len(A), A.shape[-1]))

    def slow(self, rate: float) -> tuple[Tensor, Tensor]:
        """The projector onto the directions with ``|a| < rate`` along the others, and its rank.

        Returns:
            P, real, (S, N, N), which commutes with A; its rank, (S,).
        """
        size, width = self.shape
        P = torch.zeros(size, width, width, dtype=torch.float64)
        rank = torch.zeros(size, dtype=torch.long)
        for group in self.groups:
            slow = group.values.abs() < rate
            some = slow.any(0)
            right = group.right[:, :, some] * slow[:, None, some]
            P[group.rows] = (right @ group.left[:, some]).real
            rank[group.rows] = slow.sum(-1)
        return P, rank


def _all_directions(A: Tensor, rows: Tensor) -> Directions:
    values, right = eigenvectors(A)
    return Directions(rows=rows, values=values, right=right, left=inverse(right))


def _smallest_directions(A: Tensor) -> Directions:
    """Block inverse iteration from both sides, then the small eigenproblem on the two spans."""
    size, width = A.shape[:2]
    # Off 0, so that the slow directions of an exact integrator can be inverted too.
    B = inverse(A - 1e-7 * torch.eye(width, dtype=A.dtype))
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(width, FEW, generator=generator, dtype=A.dtype)
    X, Y = start.expand(size, -1, -1), start.expand(size, -1, -1)
    for _ in range(SWEEPS):
        X = torch.linalg.qr(B @ X).Q
        Y = torch.linalg.qr(B.mT @ Y).Q
    overlap = inverse(Y.mT @ X)
    values, W = eigenvectors(torch.nan_to_num(overlap @ (Y.mT @ A @ X)))
    right = X.to(W.dtype) @ W
    left = inverse(W) @ (overlap @ Y.mT).to(W.dtype)
    return Directions(rows=torch.arange(size), values=values, right=right, left=left)


def _complete(A: Tensor, found: Directions, rate: float) -> Tensor:
    """Whether all directions with ``|a| <= rate`` were found, to working accuracy, (S,)."""
    error = norm((A.to(found.right.dtype) @ found.right - found.right * found.values[:, None]).mT)
    wanted = found.values.abs() <= rate
    accurate = (~wanted | (error <= 1e-7 * norm(found.right.mT))).all(-1)
    beyond = found.values.abs().amax(-1) > 1.5 * rate
    return accurate & beyond & torch.isfinite(found.left).flatten(1).all(-1)
