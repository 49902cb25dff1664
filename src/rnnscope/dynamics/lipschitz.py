"""How fast ``J_rec`` can change: a proved Lipschitz constant on a ball, from the cell's equations.

``||J(a) - J(b)|| <= K ||a - b||`` (spectral norm) for all a, b within ``radius`` of h, with K the
largest norm that the second derivative ``D^2 F[w, .]`` can have for a unit w. Every term of it is a
diagonal between products with the recurrent weights, so its norm is at most the diagonal's largest
entry times the weights' spectral norm; in the diagonals stand

|sigma'| <= 1/4,   |sigma''| <= 1 / (6 sqrt 3),   |tanh'| <= 1,   |tanh''| <= 4 / (3 sqrt 3)

and what the state can be on the ball. The bounds are crude, a few to a few hundred times what is
attained; b K e at a polished root is so small that it does not matter.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rnnscope.cells import GRU, LSTM, UGRNN, Cell, ProjectedLSTM, ResetFirstGRU, Vanilla
from rnnscope.dynamics.linalg import norm

SIGMOID_1, SIGMOID_2 = 1 / 4, 1 / (6 * 3**0.5)
TANH_2 = 4 / (3 * 3**0.5)


class _Weights(NamedTuple):
    """One gate's recurrent weights V, as far as the bounds need them."""

    norm: Tensor
    rows: Tensor

    @property
    def row(self) -> Tensor:
        return self.rows.amax(-1)


def lipschitz_bound(cell: Cell, x: Tensor, h: Tensor, radius: Tensor) -> Tensor | None:
    """K at each of S states, (S,); None where the cell's equations give none.

    Args:
        cell: float64.
        x: the input, (d,) or (S, d).
        h: (S, N).
        radius: of each ball, (S,).
    """
    if isinstance(cell, Vanilla):
        return _vanilla(cell, x, h, radius)
    if isinstance(cell, UGRNN):
        V_u, V_g = _gates(cell.V, 2)
        first, row, second = V_g.norm, V_g.row, TANH_2 * V_g.row * V_g.norm
        return _interpolating(h, radius, V_u, first, row, second)
    if isinstance(cell, GRU):
        return _gru(cell, h, radius)
    if isinstance(cell, ResetFirstGRU):
        return _reset_first(cell, h, radius)
    if isinstance(cell, LSTM):
        return _lstm(cell, h, radius)
    return None


def distance_to_kink(cell: Cell, x: Tensor, h: Tensor) -> Tensor:
    """How far each state (S, N) is from where a relu network's J jumps, (S,); inf if smooth."""
    if not isinstance(cell, Vanilla) or cell.nonlinearity != "relu":
        return torch.full((len(h),), torch.inf, dtype=h.dtype)
    before = cell.drive(x) + h @ cell.V.mT
    return (before.abs() / norm(cell.V).clamp_min(1e-300)).amin(-1)


def evaluation_error(cell: Cell, x: Tensor, h: Tensor) -> Tensor:
    """A bound on what rounding does to ``F(h) - h`` as it is computed, (S,).

    A product of n terms is off by at most about n eps times the sum of their sizes; no gate's
    slope exceeds 1, and what the gates multiply is the state and numbers below 1.
    """
    weights = cell.parameters
    size = sum(float(torch.linalg.vector_norm(w)) for w in weights.values())
    terms = cell.state_size + cell.input_size + 16
    eps = torch.finfo(h.dtype).eps
    inner = size * (1 + norm(h) + torch.linalg.vector_norm(x, dim=-1))
    return eps * (terms * inner * (1 + h.abs().amax(-1)) + h.shape[-1] ** 0.5 + norm(h))


def _gates(V: Tensor, count: int) -> list[_Weights]:
    return [
        _Weights(norm=torch.linalg.matrix_norm(block, 2), rows=norm(block))
        for block in V.chunk(count)
    ]


def _vanilla(cell: Vanilla, x: Tensor, h: Tensor, radius: Tensor) -> Tensor:
    (V,) = _gates(cell.V, 1)
    if cell.nonlinearity == "tanh":
        return (TANH_2 * V.row * V.norm).expand(len(h))
    inside = radius < distance_to_kink(cell, x, h)
    return torch.where(inside, 0.0, torch.inf).to(h.dtype)


def _interpolating(
    h: Tensor, radius: Tensor, V_z: _Weights, first: Tensor, row: Tensor, second: Tensor
) -> Tensor:
    """``h' = z h + (1 - z) n``, from bounds on ``||Dn||``, its rows, and ``||D^2 n[w, .]||``.

    z'' (V_z w)(V_z v)(h - n) + z' (V_z v)(w - Dn w) + z' (V_z w)(v - Dn v) + (1 - z) D^2 n[w, v]
    """
    apart = h.abs() + radius[:, None] + 1
    return (
        SIGMOID_2 * (V_z.rows * apart).amax(-1) * V_z.norm
        + SIGMOID_1 * (1 + row) * V_z.norm
        + SIGMOID_1 * V_z.row * (1 + first)
        + second
    )


def _gru(cell: GRU, h: Tensor, radius: Tensor) -> Tensor:
    """n = tanh(m),  m = d + r s,  s = V_n h + a."""
    V_r, V_z, V_n = _gates(cell.V, 3)
    s = (h @ cell.V.chunk(3)[2].mT + cell.a).abs() + V_n.rows * radius[:, None]
    row = (SIGMOID_1 * V_r.rows * s + V_n.rows).amax(-1)
    first = SIGMOID_1 * s.amax(-1) * V_r.norm + V_n.norm
    inner = (
        SIGMOID_2 * (V_r.rows * s).amax(-1) * V_r.norm
        + SIGMOID_1 * V_n.row * V_r.norm
        + SIGMOID_1 * V_r.row * V_n.norm
    )
    return _interpolating(h, radius, V_z, first, row, TANH_2 * row * first + inner)


def _reset_first(cell: ResetFirstGRU, h: Tensor, radius: Tensor) -> Tensor:
    """n = tanh(d + V_n q),  q = r h."""
    V_r, V_z, V_n = _gates(cell.V, 3)
    size = h.abs() + radius[:, None]
    dq = SIGMOID_1 * size.amax(-1) * V_r.norm + 1
    d2q = (
        SIGMOID_2 * (V_r.rows * size).amax(-1) * V_r.norm
        + SIGMOID_1 * V_r.norm
        + SIGMOID_1 * V_r.row
    )
    row, first = V_n.row * dq, V_n.norm * dq
    return _interpolating(h, radius, V_z, first, row, TANH_2 * row * first + V_n.norm * d2q)


def _lstm(cell: LSTM, h: Tensor, radius: Tensor) -> Tensor:
    """c' = f c + i g,  h' = o tanh(c'), over unit w = (w_h, w_c)."""
    V_i, V_f, V_g, V_o = _gates(cell.V, 4)
    c = cell.memory(h).abs() + radius[:, None]
    row = (SIGMOID_1 * (V_f.rows * c + V_i.rows) + 1 + V_g.rows).amax(-1)
    first = SIGMOID_1 * (c.amax(-1) * V_f.norm + V_i.norm) + 1 + V_g.norm
    second_c = (
        SIGMOID_2 * ((V_f.rows * c).amax(-1) * V_f.norm + V_i.row * V_i.norm)
        + SIGMOID_1 * (V_f.norm + V_f.row + V_i.row * V_g.norm + V_g.row * V_i.norm)
        + TANH_2 * V_g.row * V_g.norm
    )
    second_h = (
        SIGMOID_2 * V_o.row * V_o.norm
        + SIGMOID_1 * (row * V_o.norm + V_o.row * first)
        + TANH_2 * row * first
        + second_c
    )
    if isinstance(cell, ProjectedLSTM):
        second_h = second_h * torch.linalg.matrix_norm(cell.R, 2)
    return (second_c**2 + second_h**2).sqrt()
