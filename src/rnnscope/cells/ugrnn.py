"""The update-gate RNN (Collins, Sohl-Dickstein & Sussillo 2017), as in Maheswaranathan et al. 2019.

u  = sigm(W_u x + V_u h + b_u)
g  = tanh(W_g x + V_g h + b_g)
h' = u * h + (1 - u) * g
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rnnscope.cells.cell import AffineCell, Gates, scale_rows
from rnnscope.cells.tangent import Gated


@dataclass(frozen=True, kw_only=True, eq=False)
class UGRNN(AffineCell):
    """Update-gate RNN. Gates stacked u, g: ``W`` (2n, d), ``V`` (2n, n), ``b`` (2n)."""

    kind: ClassVar[str] = "ugrnn"
    gate_names: ClassVar[tuple[str, ...]] = ("u", "g")

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        u, g = (drive + state @ self.V.mT).chunk(2, dim=-1)
        return {"u": torch.sigmoid(u), "g": torch.tanh(g)}

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        u, g = gates["u"], gates["g"]
        return u * state + (1 - u) * g

    def keep(self, gates: Gates) -> Tensor:
        return gates["u"]

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        return self.tangent(x, state).matrix()

    def tangent(self, x: Tensor, state: Tensor) -> Gated:
        u, du, dg = self._slopes(x, state)
        return Gated(V=self.V, slopes=torch.cat([du, dg], dim=-1), keep=u)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        _, du, dg = self._slopes(x, state)
        W_u, W_g = self.W.chunk(2)
        return scale_rows(du, W_u) + scale_rows(dg, W_g)

    def _slopes(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``u``, and how ``h'`` moves with the pre-activations of u and g."""
        gates = self.gates(x, state)
        u, g = gates["u"], gates["g"]
        return u, (state - g) * u * (1 - u), (1 - u) * (1 - g**2)
