"""A stack of cells as one system in the joint state of its layers.

h_1' = F_1(h_1, x),  h_l' = F_l(h_l, output_{l-1}(h_{l-1}')): the Jacobian is block triangular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from rnnscope.arguments import check_fields
from rnnscope.cells.cell import Cell, Gates
from rnnscope.errors import ModelError


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack(Cell):
    """Layers run one above the other; the state is the layers' states joined, lowest first."""

    layers: tuple[Cell, ...]

    kind: ClassVar[str] = "stack"
    gate_names: ClassVar[tuple[str, ...]] = ("states",)

    def __post_init__(self) -> None:
        check_fields(self)
        if not len(self.layers):
            raise ModelError("A stack needs at least one layer.", expected="cells", got="none")
        for k, (lower, upper) in enumerate(zip(self.layers, self.layers[1:], strict=False), 1):
            if upper.input_size != lower.hidden_size:
                raise ModelError(
                    "Each layer of a stack must read what the layer below puts out.",
                    expected=f"input width {lower.hidden_size} in layer {k + 1}",
                    got=str(upper.input_size),
                )

    @property
    def input_size(self) -> int:
        return self.layers[0].input_size

    @property
    def hidden_size(self) -> int:
        return self.layers[-1].hidden_size

    @property
    def state_size(self) -> int:
        return sum(layer.state_size for layer in self.layers)

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {
            f"layer{k}.{name}": weight
            for k, layer in enumerate(self.layers)
            for name, weight in layer.parameters.items()
        }

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(layers=tuple(layer.map(function) for layer in self.layers))

    def drive(self, x: Tensor) -> Tensor:
        return self.layers[0].drive(x)

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        after: list[Tensor] = []
        for layer, own in zip(self.layers, self.split(state), strict=True):
            after.append(layer.update(layer.activate(drive, own), own))
            if layer is not self.layers[-1]:
                drive = self.layers[len(after)].drive(layer.output(after[-1]))
        return {"states": torch.cat(after, dim=-1)}

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        del state
        return gates["states"]

    def output(self, state: Tensor) -> Tensor:
        return self.layers[-1].output(self.split(state)[-1])

    def split(self, state: Tensor) -> tuple[Tensor, ...]:
        """The joint state cut into each layer's own."""
        return state.split([layer.state_size for layer in self.layers], dim=-1)

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        self._check(x, state)
        rows: list[Tensor] = []
        for layer, own, inputs, below, after in self._walk(x, state):
            row = layer.J_rec(inputs, own)
            if below is not None:
                seen = below.seen(rows[-1], after)
                row = torch.cat([layer.J_inp(inputs, own) @ seen, row], dim=-1)
            rows.append(row)
        width = self.state_size
        padded = [torch.nn.functional.pad(row, (0, width - row.shape[-1])) for row in rows]
        return torch.cat(padded, dim=-2)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        self._check(x, state)
        rows: list[Tensor] = []
        for layer, own, inputs, below, after in self._walk(x, state):
            row = layer.J_inp(inputs, own)
            if below is not None:
                row = row @ below.seen(rows[-1], after)
            rows.append(row)
        return torch.cat(rows, dim=-2)

    def _walk(
        self, x: Tensor, state: Tensor
    ) -> Iterator[tuple[Cell, Tensor, Tensor, Cell | None, Tensor]]:
        """Each layer, its own state, the input it gets, the layer below it and that one's new
        state."""
        inputs, below, after = x, None, state
        for layer, own in zip(self.layers, self.split(state), strict=True):
            yield layer, own, inputs, below, after
            after = layer.step(inputs, own)
            inputs, below = layer.output(after), layer
