"""The gated recurrent unit, twice: torch's (reset after the product) and the original.

r  = sigm(W_r x + V_r h + b_r)
z  = sigm(W_z x + V_z h + b_z)
n  = tanh(W_n x + b_n + r * (V_n h + a_n))      GRU, as in torch (Cho et al. 2014, version 3)
n  = tanh(W_n x + b_n + V_n (r * h))            ResetFirstGRU (Cho et al. 2014, version 1)
h' = z * h + (1 - z) * n
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rnnscope.cells.cell import AffineCell, Gates, check_weights, scale_columns, scale_rows
from rnnscope.cells.tangent import Gated


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gated(AffineCell):
    """What both units share. Gates stacked r, z, n: ``W`` (3n, d), ``V`` (3n, n), ``b`` (3n)."""

    gate_names: ClassVar[tuple[str, ...]] = ("r", "z", "n")

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        z, n = gates["z"], gates["n"]
        return z * state + (1 - z) * n

    def keep(self, gates: Gates) -> Tensor:
        return gates["z"]

    def _slopes(self, gates: Gates, state: Tensor) -> tuple[Tensor, Tensor]:
        """How ``h'`` moves with the pre-activations of z and n."""
        z, n = gates["z"], gates["n"]
        return (state - n) * z * (1 - z), (1 - z) * (1 - n**2)


@dataclass(frozen=True, kw_only=True, eq=False)
class GRU(_Gated):
    """torch's GRU: the reset gate acts after the recurrent product. ``a`` (n) is ``b_hn``."""

    a: Tensor

    kind: ClassVar[str] = "gru"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weights(self, {"a": (self.hidden_size,)})

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        drive_r, drive_z, drive_n = drive.chunk(3, dim=-1)
        rec_r, rec_z, rec_n = (state @ self.V.mT).chunk(3, dim=-1)
        r, z = torch.sigmoid(drive_r + rec_r), torch.sigmoid(drive_z + rec_z)
        return {"r": r, "z": z, "n": torch.tanh(drive_n + r * (rec_n + self.a))}

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        return self.tangent(x, state).matrix()

    def tangent(self, x: Tensor, state: Tensor) -> Gated:
        gates = self.gates(x, state)
        dz, dn = self._slopes(gates, state)
        slopes = torch.cat([dn * self._dr(gates, state), dz, dn * gates["r"]], dim=-1)
        return Gated(V=self.V, slopes=slopes, keep=gates["z"])

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        gates = self.gates(x, state)
        dz, dn = self._slopes(gates, state)
        W_r, W_z, W_n = self.W.chunk(3)
        through_r = scale_rows(dn * self._dr(gates, state), W_r)
        return scale_rows(dz, W_z) + scale_rows(dn, W_n) + through_r

    def _dr(self, gates: Gates, state: Tensor) -> Tensor:
        """How the pre-activation of n moves with that of r."""
        r, V_n = gates["r"], self.V.chunk(3)[2]
        return (state @ V_n.mT + self.a) * r * (1 - r)


@dataclass(frozen=True, kw_only=True, eq=False)
class ResetFirstGRU(_Gated):
    """The original GRU: the reset gate acts on the state before the recurrent product."""

    kind: ClassVar[str] = "gru_reset_first"

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        drive_r, drive_z, drive_n = drive.chunk(3, dim=-1)
        V_r, V_z, V_n = self.V.chunk(3)
        r = torch.sigmoid(drive_r + state @ V_r.mT)
        z = torch.sigmoid(drive_z + state @ V_z.mT)
        return {"r": r, "z": z, "n": torch.tanh(drive_n + (r * state) @ V_n.mT)}

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        gates = self.gates(x, state)
        dz, dn = self._slopes(gates, state)
        r = gates["r"]
        V_r, V_z, V_n = self.V.chunk(3)
        inner = torch.diag_embed(r) + scale_rows(state * r * (1 - r), V_r)
        return torch.diag_embed(gates["z"]) + scale_rows(dz, V_z) + scale_rows(dn, V_n @ inner)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        gates = self.gates(x, state)
        dz, dn = self._slopes(gates, state)
        r = gates["r"]
        W_r, W_z, W_n = self.W.chunk(3)
        V_n = self.V.chunk(3)[2]
        inner = W_n + scale_columns(V_n, state * r * (1 - r)) @ W_r
        return scale_rows(dz, W_z) + scale_rows(dn, inner)
