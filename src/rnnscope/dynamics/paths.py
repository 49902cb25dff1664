"""A path: one run of the network step by step, ``h_t = F(h_{t-1}, x_t)``, with its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.cells.tangent import Tangent
from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.problem import WORKSPACE
from rnnscope.dynamics.seeds import checked_states
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself


@dataclass(frozen=True, kw_only=True, eq=False)
class StatePath(ShowsItself):
    """T steps of a network. float64 on the CPU.

    Attributes:
        cell: the network's step, in float64.
        states: (T + 1, N): the state before the first step, then the state after each.
        inputs: what each step reads, (T, input_size).
    """

    cell: Cell
    states: Tensor
    inputs: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def before(self) -> Tensor:
        """The state that each step starts from, (T, N): where its Jacobians are taken."""
        return self.states[:-1]

    @property
    def after(self) -> Tensor:
        """The state that each step leads to, (T, N)."""
        return self.states[1:]

    def tangents(self, first: int, last: int, *, back: bool = False) -> Iterator[Tangent]:
        """``J_rec`` of the steps first, ..., last - 1 as maps on vectors, one step at a time, in
        this order or from the last to the first. At most a bounded stretch is held at once."""
        size = max(1, WORKSPACE // (32 * self.states.shape[-1] ** 2))
        starts = range(first, last, size)
        for start in reversed(starts) if back else starts:
            rows = slice(start, min(start + size, last))
            with torch.no_grad(), heavy():
                stretch = self.cell.tangent(self.inputs[rows], self.before[rows])
            steps = range(rows.stop - start)
            for k in reversed(steps) if back else steps:
                yield stretch.rows(torch.tensor([k]))

    def __repr__(self) -> str:
        return f"StatePath of a {self.cell.kind}, {len(self)} steps"


def follow(model: Model | Cell, document: Any, *, start: Any = None) -> StatePath:
    """Run a network on one document in float64 and keep every state and input.

    Args:
        model: a model, or a bare cell. Not changed.
        document: for a model what ``model.trajectory`` takes as one document (words, a text, word
            indices, vectors); for a cell the inputs, (T, input_size).
        start: the state before the first step, (N,); None for the model's own, zero for a cell.

    Raises:
        DataError: no steps, inputs or a start of the wrong width or not finite, an unknown word.
        NotApplicable: the model reads in two directions and is two systems.
    """
    cell = study_cell(model)
    inputs = _inputs(model, cell, document)
    if start is not None:
        h = checked_states(start, cell)
        if len(h) != 1:
            raise DataError(
                "A path starts from one state.",
                expected=f"({cell.state_size},)",
                got=f"{len(h)} states",
            )
    elif isinstance(model, Model):
        own = [layer.directions[0].start.detach() for layer in model.layers]
        h = torch.cat(own).to("cpu", torch.float64)[None]
    else:
        h = cell.initial_state(1)
    states = torch.empty(len(inputs) + 1, cell.state_size, dtype=torch.float64)
    states[0] = h
    with torch.no_grad(), heavy():
        for t, x in enumerate(inputs):
            h = cell.step(x[None], h)
            states[t + 1] = h
    bad = (~torch.isfinite(states).all(-1)).nonzero().squeeze(-1)
    if len(bad):
        raise DataError(
            "A path is followed while its states are finite.",
            expected="finite states",
            got=f"a state that is not, after step {int(bad[0])} of {len(inputs)}",
            fix="follow fewer steps; the network grows without bound on these inputs",
        )
    return StatePath(cell=cell, states=states, inputs=inputs)


def _inputs(model: Model | Cell, cell: Cell, document: Any) -> Tensor:
    if isinstance(model, Model):
        encoded = model.encode([document])[0]
        if model.embedding is not None:
            rows = torch.as_tensor(encoded, device=model.embedding.device)
            return model.embedding[rows].detach().to("cpu", torch.float64)
        return torch.as_tensor(encoded).to("cpu", torch.float64, copy=True)
    return checked_inputs(document, cell)


def checked_inputs(inputs: Any, cell: Cell) -> Tensor:
    """Inputs, one a row, as (T, input_size) float64 on the CPU, a copy.

    Raises:
        DataError: none, the wrong width, or not finite.
        UsageError: words for a bare cell.
    """
    expected = f"(steps, {cell.input_size}), finite"
    try:
        array = inputs.detach() if isinstance(inputs, Tensor) else np.asarray(inputs, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "A cell reads inputs as numbers.",
            expected=expected,
            got=type(inputs).__name__,
            fix="hand over the model to read words",
        ) from error
    result = torch.as_tensor(array).to("cpu", torch.float64, copy=True)
    fits = result.ndim == 2 and len(result) and result.shape[-1] == cell.input_size
    if not fits or not torch.isfinite(result).all():
        raise DataError(
            "Inputs are finite and as wide as the cell's input, one a step.",
            expected=expected,
            got=str(tuple(result.shape)) + (" with values that are not finite" if fits else ""),
        )
    return result
