"""The derivative of one step as a map, without its matrix: ``J_rec v`` and ``J_rec^T u``.

A product with the recurrent weights serves every point and every vector at once, so that applying
the derivative at many points runs at the speed of a matrix product and takes the memory of the
vectors alone; the matrices would take N^2 numbers a point.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from torch import Tensor


class Tangent(ABC):
    """``J_rec`` at P points, (P, N, N), as a map.

    ``v`` and ``u`` are (P, N), one vector a point, or (P, k, N), k vectors a point.
    """

    @abstractmethod
    def push(self, v: Tensor) -> Tensor:
        """``J_rec v``, how a change of the state moves the next state."""

    @abstractmethod
    def pull(self, u: Tensor) -> Tensor:
        """``J_rec^T u``, what a change of the next state asks of the state."""

    @abstractmethod
    def rows(self, k: Tensor) -> Tangent:
        """The same at some of the points."""

    @abstractmethod
    def matrix(self) -> Tensor:
        """``J_rec`` itself, (P, N, N)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense(Tangent):
    """From the matrices themselves: any cell, at the price of their memory.

    Args:
        J: (P, N, N).
    """

    J: Tensor

    def push(self, v: Tensor) -> Tensor:
        return v @ self.J.mT if v.ndim == 3 else (self.J @ v.unsqueeze(-1)).squeeze(-1)

    def pull(self, u: Tensor) -> Tensor:
        return u @ self.J if u.ndim == 3 else (u.unsqueeze(-2) @ self.J).squeeze(-2)

    def rows(self, k: Tensor) -> Tangent:
        return Dense(J=self.J[k])

    def matrix(self) -> Tensor:
        return self.J


@dataclass(frozen=True, kw_only=True, eq=False)
class Gated(Tangent):
    """``J = diag(keep) + sum_g diag(slopes_g) V_g``: cells whose gates all read ``V h``.

    Args:
        V: (G n, n), the recurrent weights.
        slopes: how ``h'`` moves with each gate's pre-activation, (P, G n).
        keep: the direct path from h to ``h'``, (P, n); None where there is none.
    """

    V: Tensor
    slopes: Tensor
    keep: Tensor | None = None

    def push(self, v: Tensor) -> Tensor:
        moved = v @ self.V.mT
        moved *= _beside(self.slopes, v)
        moved = moved.unflatten(-1, (-1, v.shape[-1])).sum(-2)
        return moved if self.keep is None else moved.addcmul_(_beside(self.keep, v), v)

    def pull(self, u: Tensor) -> Tensor:
        gates = self.V.shape[0] // self.V.shape[1]
        moved = (_beside(self.slopes, u) * u.tile(gates)) @ self.V
        return moved if self.keep is None else moved.addcmul_(_beside(self.keep, u), u)

    def rows(self, k: Tensor) -> Tangent:
        keep = None if self.keep is None else self.keep[k]
        return Gated(V=self.V, slopes=self.slopes[k], keep=keep)

    def matrix(self) -> Tensor:
        J = summed(self.slopes, self.V, self.V.shape[0] // self.V.shape[1])
        if self.keep is not None:
            J.diagonal(dim1=-2, dim2=-1).add_(self.keep)
        return J


@dataclass(frozen=True, kw_only=True, eq=False)
class WithMemory(Tangent):
    """An LSTM's: the state is ``(h, c)``, the gates read ``V h``.

    dc' = forget dc + sum_{i,f,g} diag(slopes) V dh
    dh' = R (to_h dc' + diag(to_o) V_o dh)

    Args:
        V: (4n, p), gates i, f, g, o; p is the width of h.
        slopes: how ``c'`` moves with the pre-activations of i, f, g, (P, 3n).
        forget: f, (P, n).
        to_h: how ``o * tanh(c')`` moves with ``c'``, (P, n).
        to_o: how ``o * tanh(c')`` moves with the pre-activation of o, (P, n).
        R: the projection, (p, n); None where ``h' = o * tanh(c')``.
    """

    V: Tensor
    slopes: Tensor
    forget: Tensor
    to_h: Tensor
    to_o: Tensor
    R: Tensor | None = None

    def push(self, v: Tensor) -> Tensor:
        p, n = self.V.shape[1], self.forget.shape[-1]
        moved = v[..., :p] @ self.V.mT
        dc = (moved[..., : 3 * n] * _beside(self.slopes, v)).unflatten(-1, (3, n)).sum(-2)
        dc.addcmul_(_beside(self.forget, v), v[..., p:])
        dh = moved[..., 3 * n :] * _beside(self.to_o, v)
        dh.addcmul_(_beside(self.to_h, v), dc)
        return torch.cat([dh if self.R is None else dh @ self.R.mT, dc], dim=-1)

    def pull(self, u: Tensor) -> Tensor:
        p = self.V.shape[1]
        h = u[..., :p] if self.R is None else u[..., :p] @ self.R
        c = torch.addcmul(u[..., p:], _beside(self.to_h, u), h)
        gates = torch.cat([c.tile(3) * _beside(self.slopes, u), h * _beside(self.to_o, u)], dim=-1)
        return torch.cat([gates @ self.V, c * _beside(self.forget, u)], dim=-1)

    def rows(self, k: Tensor) -> Tangent:
        return replace(
            self,
            slopes=self.slopes[k],
            forget=self.forget[k],
            to_h=self.to_h[k],
            to_o=self.to_o[k],
        )

    def matrix(self) -> Tensor:
        p, n = self.V.shape[1], self.forget.shape[-1]
        dc_dh = summed(self.slopes, self.V[: 3 * n], 3)
        dh_dh = self.to_h.unsqueeze(-1) * dc_dh
        dh_dh.addcmul_(self.to_o.unsqueeze(-1), self.V[3 * n :])
        dh_dc = torch.diag_embed(self.to_h * self.forget)
        if self.R is not None:
            dh_dh, dh_dc = self.R @ dh_dh, self.R * (self.to_h * self.forget).unsqueeze(-2)
        J = self.V.new_zeros(*self.forget.shape[:-1], p + n, p + n)
        J[..., :p, :p], J[..., :p, p:], J[..., p:, :p] = dh_dh, dh_dc, dc_dh
        J[..., p:, p:].diagonal(dim1=-2, dim2=-1).copy_(self.forget)
        return J


def summed(slopes: Tensor, V: Tensor, count: int) -> Tensor:
    """``sum_g diag(slopes_g) V_g``, ``count`` gates stacked along the first axis of V (G n, k)."""
    blocks = V.chunk(count)
    factors = slopes.unsqueeze(-1).chunk(count, dim=-2)
    total = factors[0] * blocks[0]
    for factor, block in zip(factors[1:], blocks[1:], strict=True):
        total.addcmul_(factor, block)
    return total


def _beside(factor: Tensor, v: Tensor) -> Tensor:
    """A point's factors, set beside its one vector or each of its k."""
    return factor.unsqueeze(-2) if v.ndim > factor.ndim else factor
