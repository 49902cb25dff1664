"""Functions of ``A = J - I`` applied to a vector, without the matrix (Arnoldi 1951; Saad 1992).

A V_m = V_m H_m + (what is left),   V_m orthonormal, from the vector g = beta v_1
f(A) g ~ beta V_m f(H_m) e_1

H_m is small, so f is taken on its eigenvalues. m products with J serve every f, and what they
cost is m steps of the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from rnnscope.cells.tangent import Tangent
from rnnscope.dynamics.linalg import eigenvectors, norm


@dataclass(frozen=True, kw_only=True, eq=False)
class Krylov:
    """The Krylov spaces of P vectors g under their own A.

    Attributes:
        basis: V_m as rows, (P, m, N).
        values: Ritz values, the eigenvalues of H_m, (P, m) complex.
        vectors: the eigenvectors of H_m, (P, m, m) complex.
        parts: ``beta`` times the coordinates of e_1 in them, (P, m) complex.
    """

    basis: Tensor
    values: Tensor
    vectors: Tensor
    parts: Tensor

    @classmethod
    def of(cls, tangent: Tangent, g: Tensor, depth: int) -> Self:
        """From vectors (P, N), with ``depth`` products each.

        A space that A maps into itself ends early: its further rows are 0.
        """
        size, width = g.shape
        depth = min(depth, width)
        tiny = torch.finfo(g.dtype).tiny ** 0.5
        V = g.new_zeros(size, depth, width)
        H = g.new_zeros(size, depth, depth)
        beta = norm(g)
        V[:, 0] = g / beta.clamp_min(tiny)[:, None]
        for j in range(depth):
            w = tangent.push(V[:, j]) - V[:, j]
            before, B = norm(w), V[:, : j + 1]
            # Twice is enough (Giraud, Langou & Rozloznik 2005).
            for _ in range(2):
                c = (B @ w.unsqueeze(-1)).squeeze(-1)
                w = w - (c.unsqueeze(-2) @ B).squeeze(-2)
                H[:, : j + 1, j] += c
            if j + 1 == depth:
                break
            length = norm(w)
            ended = length <= 100 * torch.finfo(g.dtype).eps * before
            length = torch.where(ended, 0.0, length)
            H[:, j + 1, j] = length
            V[:, j + 1] = torch.where(
                ended[:, None], torch.zeros_like(w), w / length.clamp_min(tiny)[:, None]
            )
        finite = torch.isfinite(H).flatten(1).all(-1)
        values, vectors = eigenvectors(torch.where(finite[:, None, None], H, 0.0))
        first = torch.zeros_like(vectors[..., :1])
        first[:, 0] = 1
        parts = torch.linalg.solve_ex(vectors, first)[0].squeeze(-1) * beta[:, None]
        usable = finite & torch.isfinite(parts.abs()).all(-1)
        return cls(
            basis=V,
            values=torch.where(usable[:, None], values, torch.nan),
            vectors=vectors,
            parts=torch.where(usable[:, None], parts, torch.nan),
        )

    def coordinates(self, f: Tensor) -> Tensor:
        """``f(A) g`` in the basis, from f at the Ritz values (P, m): (P, m) real."""
        return (self.vectors @ (f * self.parts).unsqueeze(-1)).squeeze(-1).real

    def expand(self, coordinates: Tensor) -> Tensor:
        """Coordinates (P, m) as vectors (P, N)."""
        return (coordinates.unsqueeze(-2) @ self.basis).squeeze(-2)
