"""The linear system of a Newton step with a shift: ``(mu - A) d = G``, ``A = J - I``.

An LSTM's ``c`` enters its own update and ``h``'s through diagonals alone,

A = [[B, diag(p)], [C, diag(s)]]

so c is eliminated, and a system half as wide is left:

(mu - B - diag(p / (mu - s)) C) dh = G_h + p / (mu - s) G_c,    dc = (G_c + C dh) / (mu - s)
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.cells.tangent import Tangent, WithMemory, summed
from rnnscope.dynamics.linalg import apply, solve


def solve_shifted(tangent: Tangent, mu: Tensor, G: Tensor) -> Tensor:
    """``(mu - A)^-1 G``, (S, N), for shifts (S,); not finite where that is singular."""
    if isinstance(tangent, WithMemory) and tangent.R is None:
        return _eliminated(tangent, mu, G)
    M = tangent.matrix().neg()
    M.diagonal(dim1=-2, dim2=-1).add_((1 + mu)[:, None])
    return solve(M, G)


def _eliminated(tangent: WithMemory, mu: Tensor, G: Tensor) -> Tensor:
    n = tangent.forget.shape[-1]
    G_h, G_c = G[:, :n], G[:, n:]
    C = summed(tangent.slopes, tangent.V[: 3 * n], 3)
    p = tangent.to_h * tangent.forget
    inverse = 1 / (mu[:, None] + 1 - tangent.forget)
    # B = to_h C + diag(to_o) V_o - I; the two parts through C are taken together.
    through = tangent.to_h + p * inverse
    M = through.neg().unsqueeze(-1) * C
    M.addcmul_(tangent.to_o.unsqueeze(-1), tangent.V[3 * n :], value=-1)
    M.diagonal(dim1=-2, dim2=-1).add_((1 + mu)[:, None])
    d_h = solve(M, G_h + p * inverse * G_c)
    return torch.cat([d_h, (G_c + apply(C, d_h)) * inverse], dim=-1)
