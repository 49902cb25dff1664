"""The LSTM (Hochreiter & Schmidhuber 1997; Gers et al. 2000), as in both papers.

i = sigm(W_i x + V_i h + b_i)
f = sigm(W_f x + V_f h + b_f)
g = tanh(W_g x + V_g h + b_g)
o = sigm(W_o x + V_o h + b_o)
c' = f * c + i * g
h' = o * tanh(c')

The state is ``(h, c)`` joined, so ``J_rec`` is 2n x 2n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rnnscope.cells.cell import AffineCell, Gates, scale_rows


@dataclass(frozen=True, kw_only=True, eq=False)
class LSTM(AffineCell):
    """LSTM. Gates stacked i, f, g, o: ``W`` (4n, d), ``V`` (4n, n), ``b`` (4n)."""

    kind: ClassVar[str] = "lstm"
    gate_names: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")

    @property
    def state_size(self) -> int:
        return 2 * self.hidden_size

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        i, f, g, o = (drive + self.output(state) @ self.V.mT).chunk(4, dim=-1)
        return {
            "i": torch.sigmoid(i),
            "f": torch.sigmoid(f),
            "g": torch.tanh(g),
            "o": torch.sigmoid(o),
        }

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        c = gates["f"] * self.memory(state) + gates["i"] * gates["g"]
        return torch.cat([self.expose(c, gates), c], dim=-1)

    def output(self, state: Tensor) -> Tensor:
        return state[..., : self.hidden_size]

    def memory(self, state: Tensor) -> Tensor:
        return state[..., self.hidden_size :]

    def keep(self, gates: Gates) -> Tensor:
        return gates["f"]

    def expose(self, memory: Tensor, gates: Gates) -> Tensor:
        return gates["o"] * torch.tanh(memory)

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        gates, tanh_c, to_h = self._slopes(x, state)
        dc_dh, dh_dh = self._through_gates(gates, tanh_c, to_h, state, self.V)
        dc_dc = torch.diag_embed(gates["f"])
        dh_dc = torch.diag_embed(to_h * gates["f"])
        top = self._shown(torch.cat([dh_dh, dh_dc], dim=-1))
        return torch.cat([top, torch.cat([dc_dh, dc_dc], dim=-1)], dim=-2)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        gates, tanh_c, to_h = self._slopes(x, state)
        dc_dx, dh_dx = self._through_gates(gates, tanh_c, to_h, state, self.W)
        return torch.cat([self._shown(dh_dx), dc_dx], dim=-2)

    def _shown(self, rows: Tensor) -> Tensor:
        """What ``h'`` keeps of the rows (..., n, k) that belong to ``o * tanh(c')``."""
        return rows

    def _slopes(self, x: Tensor, state: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The gates, ``tanh(c')``, and how ``o * tanh(c')`` moves with ``c'``."""
        gates = self.gates(x, state)
        tanh_c = torch.tanh(self.memory(self.update(gates, state)))
        return gates, tanh_c, gates["o"] * (1 - tanh_c**2)

    def _through_gates(
        self, gates: Gates, tanh_c: Tensor, to_h: Tensor, state: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """How ``c'`` and ``o * tanh(c')`` move through what ``weight`` feeds."""
        i, f, g, o = (gates[name] for name in self.gate_names)
        M_i, M_f, M_g, M_o = weight.chunk(4)
        dc = (
            scale_rows(g * i * (1 - i), M_i)
            + scale_rows(self.memory(state) * f * (1 - f), M_f)
            + scale_rows(i * (1 - g**2), M_g)
        )
        return dc, scale_rows(to_h, dc) + scale_rows(tanh_c * o * (1 - o), M_o)
