"""A cell whose output passes through pointwise steps before the next layer or a pooling reads it.

The recurrence is that of the cell inside; only what others see of its state is another thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from rnnscope.cells.cell import Cell, Gates
from rnnscope.cells.pointwise import Steps, through, width_after
from rnnscope.cells.tangent import Tangent


@dataclass(frozen=True, kw_only=True, eq=False)
class Transformed(Cell):
    """``output(h) = steps(inner.output(h))``, for example a layer norm between two layers.

    Args:
        inner: the recurrence.
        steps: what its output passes through, in order.
    """

    inner: Cell
    steps: Steps

    kind: ClassVar[str] = "transformed"
    gate_names: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        width_after(self.steps, self.inner.hidden_size)

    @property
    def input_size(self) -> int:
        return self.inner.input_size

    @property
    def hidden_size(self) -> int:
        return width_after(self.steps, self.inner.hidden_size)

    @property
    def state_size(self) -> int:
        return self.inner.state_size

    @property
    def parameters(self) -> dict[str, Tensor]:
        named = dict(self.inner.parameters)
        for k, step in enumerate(self.steps):
            named |= {f"step{k}.{name}": weight for name, weight in step.parameters.items()}
        return named

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        steps = tuple(step.map(function) for step in self.steps)
        return type(self)(inner=self.inner.map(function), steps=steps)

    def drive(self, x: Tensor) -> Tensor:
        return self.inner.drive(x)

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        return self.inner.activate(drive, state)

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        return self.inner.update(gates, state)

    def memory(self, state: Tensor) -> Tensor:
        return self.inner.memory(state)

    def output(self, state: Tensor) -> Tensor:
        return through(self.steps, self.inner.output(state))

    def seen(self, rows: Tensor, state: Tensor) -> Tensor:
        inner = self.inner.output(state)
        flat = inner.reshape(-1, inner.shape[-1])
        J = torch.func.vmap(torch.func.jacrev(lambda x: through(self.steps, x)))(flat).detach()
        J = J.reshape(*inner.shape[:-1], *J.shape[-2:])
        return J @ self.inner.seen(rows, state)

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        return self.inner.J_rec(x, state)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        return self.inner.J_inp(x, state)

    def tangent(self, x: Tensor, state: Tensor) -> Tangent:
        return self.inner.tangent(x, state)
