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
from rnnscope.cells.tangent import WithMemory, summed


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
        return self.tangent(x, state).matrix()

    def tangent(self, x: Tensor, state: Tensor) -> WithMemory:
        gates = self.gates(x, state)
        i, f, g, o = (gates[name] for name in self.gate_names)
        tanh_c = torch.tanh(self.memory(self.update(gates, state)))
        slopes = [g * i * (1 - i), self.memory(state) * f * (1 - f), i * (1 - g**2)]
        return WithMemory(
            V=self.V,
            slopes=torch.cat(slopes, dim=-1),
            forget=f,
            to_h=o * (1 - tanh_c**2),
            to_o=tanh_c * o * (1 - o),
        )

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        at = self.tangent(x, state)
        *_, W_o = self.W.chunk(4)
        dc = summed(at.slopes, self.W[: -len(W_o)], 3)
        dh = scale_rows(at.to_h, dc) + scale_rows(at.to_o, W_o)
        return torch.cat([dh if at.R is None else at.R @ dh, dc], dim=-2)
