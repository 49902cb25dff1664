"""The vanilla RNN: ``h' = phi(W x + V h + b)``, phi = tanh (Maheswaranathan et al.) or relu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from rnnscope.cells.cell import AffineCell, Gates, scale_rows
from rnnscope.cells.tangent import Gated
from rnnscope.errors import ModelError


@dataclass(frozen=True, kw_only=True, eq=False)
class Vanilla(AffineCell):
    """Vanilla RNN (Elman). ``W`` (n, d), ``V`` (n, n), ``b`` (n)."""

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    kind: ClassVar[str] = "vanilla"
    gate_names: ClassVar[tuple[str, ...]] = ("h",)

    def __post_init__(self) -> None:
        if self.nonlinearity not in ("tanh", "relu"):
            raise ModelError(
                "A vanilla RNN's nonlinearity must be known.",
                expected="'tanh' or 'relu'",
                got=repr(self.nonlinearity),
            )
        super().__post_init__()

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        phi = torch.tanh if self.nonlinearity == "tanh" else torch.relu
        return {"h": phi(drive + state @ self.V.mT)}

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        del state
        return gates["h"]

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        return self.tangent(x, state).matrix()

    def tangent(self, x: Tensor, state: Tensor) -> Gated:
        return Gated(V=self.V, slopes=self._slope(x, state))

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        return scale_rows(self._slope(x, state), self.W)

    def _slope(self, x: Tensor, state: Tensor) -> Tensor:
        h = self.gates(x, state)["h"]
        return 1 - h**2 if self.nonlinearity == "tanh" else (h > 0).to(h.dtype)
