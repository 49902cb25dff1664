"""The LSTM with a projected output (Sak et al. 2014), torch's ``nn.LSTM(proj_size=p)``.

i, f, g, o   as in the LSTM, from ``W x + V h + b`` with ``h`` (p)
c' = f * c + i * g
h' = R (o * tanh(c'))

The state is ``(h, c)`` joined, p + n wide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from rnnscope.arguments import check_fields
from rnnscope.cells.cell import Gates, check_weights
from rnnscope.cells.lstm import LSTM
from rnnscope.cells.tangent import WithMemory
from rnnscope.errors import ModelError


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectedLSTM(LSTM):
    """LSTM whose output is ``R (o * tanh(c))``, p wide, from a memory ``c`` of n units.

    Gates stacked i, f, g, o: ``W`` (4n, d), ``V`` (4n, p), ``b`` (4n), ``R`` (p, n).
    ``hidden_size`` is p, what the next layer and the readout see.
    """

    R: Tensor

    kind: ClassVar[str] = "lstm_projected"

    def __post_init__(self) -> None:
        check_fields(self)
        if self.R.ndim != 2:
            raise ModelError(
                "The projection is a matrix.", expected="R (p, n)", got=str(tuple(self.R.shape))
            )
        rows, p = 4 * self.R.shape[-1], self.hidden_size
        shapes = {"W": (rows, self.input_size), "V": (rows, p), "b": (rows,)}
        check_weights(self, shapes | {"R": (p, self.R.shape[-1])})

    @property
    def state_size(self) -> int:
        return self.hidden_size + self.R.shape[-1]

    def expose(self, memory: Tensor, gates: Gates) -> Tensor:
        return super().expose(memory, gates) @ self.R.mT

    def tangent(self, x: Tensor, state: Tensor) -> WithMemory:
        return replace(super().tangent(x, state), R=self.R)
