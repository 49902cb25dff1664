"""What every cell offers: one step of recurrence ``h' = F(h, x)`` and its derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor

from rnnscope.arguments import check_fields
from rnnscope.cells.tangent import Dense, Tangent
from rnnscope.errors import DataError, ModelError, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable

Gates = Mapping[str, Tensor]


class Cell(ABC):
    """One step of recurrence, ``h' = F(h, x)``.

    Every method is batched over any leading dimensions and runs in the dtype and on the device of
    the weights. ``x`` is (..., input_size), a state is (..., state_size). Cells are frozen; the
    weights are the field values, in the order of the equations in each cell's own file.
    """

    kind: ClassVar[str]
    gate_names: ClassVar[tuple[str, ...]]

    # The equations -------------------------------------------------------------------------

    @abstractmethod
    def drive(self, x: Tensor) -> Tensor:
        """What the input adds to the gates: (..., input_size) -> (..., drive_size).

        Affine in ``x``; computed once per vocabulary row when a model runs on text.
        """

    @abstractmethod
    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        """The gates, by name, each (..., hidden_size), given ``drive(x)`` and the state."""

    @abstractmethod
    def update(self, gates: Gates, state: Tensor) -> Tensor:
        """The next state from the gates and the state: (..., state_size)."""

    @abstractmethod
    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        """``dF/dh`` at ``(state, x)`` in closed form: (..., state_size, state_size)."""

    @abstractmethod
    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        """``dF/dx`` at ``(state, x)`` in closed form: (..., state_size, input_size)."""

    def tangent(self, x: Tensor, state: Tensor) -> Tangent:
        """``J_rec`` at P states (P, state_size) as a map on vectors; see ``tangent``."""
        return Dense(J=self.J_rec(x, state))

    @property
    def matrix_free(self) -> bool:
        """Whether ``tangent`` does without the matrices."""
        return type(self).tangent is not Cell.tangent

    def gates(self, x: Tensor, state: Tensor) -> dict[str, Tensor]:
        """The gates by name at ``(state, x)``, each (..., hidden_size)."""
        self._check(x, state)
        return self.activate(self.drive(x), state)

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """``F(h, x)``: the next state, (..., state_size).

        Raises:
            DataError: a width or dtype does not fit the cell.
        """
        self._check(x, state)
        return self.update(self.activate(self.drive(x), state), state)

    # The additive memory (Murdoch & Szlam 2017) --------------------------------------------

    def memory(self, state: Tensor) -> Tensor:
        """The part of the state that is carried additively: ``c`` of an LSTM, else ``h``."""
        return state

    def output(self, state: Tensor) -> Tensor:
        """The part of the state that the next layer and the readout see: (..., hidden_size)."""
        return state

    def seen(self, rows: Tensor, state: Tensor) -> Tensor:
        """How the output moves with what moves the state: ``d output/d state @ rows`` at a state.

        Args:
            rows: (..., state_size, k), how the state moves with k other numbers.
            state: (..., state_size).

        Returns:
            (..., hidden_size, k).
        """
        del state
        return rows[..., : self.hidden_size, :]

    def keep(self, gates: Gates) -> Tensor:
        """The factor on the old memory: ``memory' = keep * memory + write``."""
        del gates
        raise NotApplicable(
            f"A {self.kind} cell has no gate that keeps its memory, "
            "so its state is not a sum of one term per word.",
            expected="a cell with a forget or update gate: LSTM, GRU, UGRNN",
            got=self.kind,
            fix="use CellDifference, which needs no such gate",
        )

    @property
    def keeps(self) -> bool:
        """Whether the cell has a gate that keeps its memory."""
        return type(self).keep is not Cell.keep

    def expose(self, memory: Tensor, gates: Gates) -> Tensor:
        """The output that a memory gives under these gates: ``o * tanh(c)`` for an LSTM."""
        del gates
        return memory

    # Sizes, dtype, device ------------------------------------------------------------------

    @property
    @abstractmethod
    def input_size(self) -> int:
        """Width of ``x``."""

    @property
    @abstractmethod
    def hidden_size(self) -> int:
        """Number of units."""

    @property
    def state_size(self) -> int:
        """Width of the state: ``hidden_size``, or twice that for an LSTM's ``(h, c)``."""
        return self.hidden_size

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The weights by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights."""
        return next(iter(self.parameters.values())).dtype

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(iter(self.parameters.values())).device

    def initial_state(self, *batch: int) -> Tensor:
        """The zero state, (*batch, state_size)."""
        return torch.zeros(*batch, self.state_size, dtype=self.dtype, device=self.device)

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Self:
        """This cell with its weights in another dtype or on another device."""
        return self.map(lambda weight: weight.to(device=device, dtype=dtype))

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """This cell with ``function`` applied to each weight."""
        changed: Any = {name: function(weight) for name, weight in self.parameters.items()}
        return replace(self, **changed)  # type: ignore[type-var]

    # Checks --------------------------------------------------------------------------------

    def _check(self, x: Tensor, state: Tensor) -> None:
        expected = (("input", x, self.input_size), ("state", state, self.state_size))
        for name, value, width in expected:
            if not isinstance(value, Tensor) or value.layout != torch.strided:
                raise DataError(
                    f"The {name} of a {self.kind} cell must be a dense tensor.",
                    got=type(value).__name__,
                )
            if value.shape[-1:] != (width,):
                raise DataError(
                    f"The {name} of a {self.kind} cell must have its width last.",
                    expected=f"(..., {width})",
                    got=str(tuple(value.shape)),
                    fix="a state of an LSTM is h and c joined, twice the units unless projected"
                    if self.kind.startswith("lstm") and name == "state"
                    else "check the array's last axis",
                )
            if value.dtype != self.dtype:
                raise DataError(
                    f"The {name} must have the dtype of the cell's weights.",
                    expected=str(self.dtype),
                    got=str(value.dtype),
                    fix=f"convert the {name}, or the cell with cell.to({value.dtype})",
                )
        try:
            torch.broadcast_shapes(x.shape[:-1], state.shape[:-1])
        except RuntimeError:
            raise DataError(
                "Inputs and states must come in batches that fit each other.",
                expected="the same leading shape, or one row for all",
                got=f"inputs {tuple(x.shape)}, states {tuple(state.shape)}",
            ) from None


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineCell(Cell):
    """A cell whose G gates all read ``W x + V h + b``, each with a nonlinearity of its own.

    ``W`` (G n, d), ``V`` (G n, n), ``b`` (G n): the gates stacked in the order of ``gate_names``.
    """

    W: Tensor
    V: Tensor
    b: Tensor

    def __post_init__(self) -> None:
        check_fields(self)
        rows = len(self.gate_names) * self.hidden_size
        shapes = {"W": (rows, self.input_size), "V": (rows, self.hidden_size), "b": (rows,)}
        check_weights(self, shapes)

    @property
    def input_size(self) -> int:
        return self.W.shape[-1] if self.W.ndim else 0

    @property
    def hidden_size(self) -> int:
        return self.V.shape[-1] if self.V.ndim else 0

    def drive(self, x: Tensor) -> Tensor:
        return x @ self.W.mT + self.b


def check_weights(cell: Cell, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Hold a cell's weights against the shapes its equations need.

    Raises:
        ModelError: a weight has another shape or dtype.
    """
    for name, shape in shapes.items():
        weight: Tensor = getattr(cell, name)
        if tuple(weight.shape) != shape or weight.layout != torch.strided:
            raise ModelError(
                f"The weight {name} of a {cell.kind} cell has the wrong shape.",
                expected=str(shape),
                got=str(tuple(weight.shape)),
                fix="gates are stacked along the first axis, in the order "
                + ", ".join(cell.gate_names),
            )
        if not weight.is_floating_point() or weight.dtype != cell.dtype:
            raise ModelError(
                "All weights of a cell must share one floating point dtype.",
                expected=str(cell.dtype),
                got=f"{name}: {weight.dtype}",
            )


def scale_rows(diagonal: Tensor, matrix: Tensor) -> Tensor:
    """``diag(d) @ M``, batched over the leading dimensions of ``d``."""
    return diagonal.unsqueeze(-1) * matrix


def scale_columns(matrix: Tensor, diagonal: Tensor) -> Tensor:
    """``M @ diag(d)``, batched over the leading dimensions of ``d``."""
    return matrix * diagonal.unsqueeze(-2)
