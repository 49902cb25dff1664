"""Any differentiable step: Jacobians by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from rnnscope.cells.cell import Cell, Gates
from rnnscope.errors import ModelError

WIDEST = 2**24
"""The widest input or state that is tried."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Autodiff(Cell):
    """A cell from a callable ``function(x, h) -> h'`` that torch can differentiate.

    The callable must be batched over leading dimensions, each row on its own, and deterministic.

    Args:
        function: ``(..., input_size), (..., state_size) -> (..., state_size)``.
        inputs: width of ``x``.
        states: width of the state.
        like: a tensor whose dtype and device the callable works in; default float32 on the CPU.
        outputs: how many numbers of the state, from the first on, the next layer and the readout
            see; all when None. Of an LSTM-like state ``(h, c)`` joined it is the width of h.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    inputs: int
    states: int
    like: Tensor | None = None
    outputs: int | None = None

    kind: ClassVar[str] = "autodiff"
    gate_names: ClassVar[tuple[str, ...]] = ("h",)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ModelError(
                "The step of an autodiff cell must be callable.",
                expected="function(x, h) -> h'",
                got=type(self.function).__name__,
            )
        widths = (self.inputs, self.states, self.states if self.outputs is None else self.outputs)
        whole = all(type(n) is int for n in widths)
        if not whole or not 0 <= self.inputs < WIDEST or not 1 <= widths[2] <= self.states < WIDEST:
            raise ModelError(
                "The widths of an autodiff cell are whole numbers.",
                expected="inputs >= 0, states >= 1, outputs from 1 to states",
                got=f"inputs={self.inputs!r}, states={self.states!r}, outputs={self.outputs!r}",
            )
        if self.like is None:
            object.__setattr__(self, "like", torch.zeros(()))
        x = torch.zeros(2, self.inputs, dtype=self.dtype, device=self.device)
        with torch.no_grad():
            h = self.function(x, self.initial_state(2))
        if isinstance(h, Tensor) and h.dtype != self.dtype:
            raise ModelError(
                "The step must keep the dtype it is given.",
                expected=str(self.dtype),
                got=str(h.dtype),
                fix="pass like= in the dtype of the weights that the step holds",
            )
        if not isinstance(h, Tensor) or h.shape != (2, self.states):
            raise ModelError(
                "The step must return a state of the same width for each row of its batch.",
                expected=f"a tensor (2, {self.states}) for a batch of two",
                got=str(tuple(h.shape)) if isinstance(h, Tensor) else type(h).__name__,
            )

    @property
    def input_size(self) -> int:
        return self.inputs

    @property
    def hidden_size(self) -> int:
        return self.states if self.outputs is None else self.outputs

    @property
    def state_size(self) -> int:
        return self.states

    def output(self, state: Tensor) -> Tensor:
        return state[..., : self.hidden_size]

    def drive(self, x: Tensor) -> Tensor:
        return x

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        return {"h": self.function(drive, state)}

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        del state
        return gates["h"]

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        return self._jacobian(x, state, argnum=1)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        return self._jacobian(x, state, argnum=0)

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Self:
        """The same callable, told to work in another dtype.

        Raises:
            ModelError: the callable holds weights of its own in another dtype or device.
        """
        try:
            return super().to(dtype, device)
        except RuntimeError as error:
            raise ModelError(
                "The step of an autodiff cell must run in the dtype asked of it.",
                expected=f"a callable that works in {dtype}",
                got=str(error),
                fix="build the callable from float64 weights and pass like=torch.zeros((), "
                "dtype=torch.float64)",
            ) from error

    def _jacobian(self, x: Tensor, state: Tensor, argnum: int) -> Tensor:
        self._check(x, state)
        batch = torch.broadcast_shapes(x.shape[:-1], state.shape[:-1])
        flat = (
            x.expand(*batch, self.inputs).reshape(batch.numel(), self.inputs),
            state.expand(*batch, self.states).reshape(batch.numel(), self.states),
        )
        width = (self.inputs, self.states)[argnum]
        one = torch.func.jacrev(self.function, argnums=argnum)
        try:
            jacobian = torch.func.vmap(one)(*flat)
        except (RuntimeError, TypeError) as error:
            raise ModelError(
                "The step must be one that torch can differentiate, row by row.",
                expected="torch operations, none in place, none random, no branch on values",
                got=str(error).splitlines()[0],
            ) from error
        return jacobian.reshape(*batch, self.states, width).detach()
