"""A network's linear approximations as a system: at each step that of the nearest point.

h' = F(h*, x*) + J_rec (h - h*) + J_inp (x - x*),    h* = argmin over points of ||h - h*||

With one point it is the linearized network; with many the linearizations are switched (Smith et al.
2021 learn such points; here they are the network's own). At a fixed point ``F(h*, x*) = h*``; on a
slow manifold it is h* plus its drift there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.cells.cell import Gates
from rnnscope.dynamics.inputs import HeldInput, hold_input, study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.seeds import checked_states
from rnnscope.dynamics.stand_in import StandIn
from rnnscope.dynamics.visited import initial_state, one_system
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model

MOST = 256
"""Points that are linearized at: as many Jacobians are held at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PiecewiseLinear(Cell):
    """A cell that is linear around each of P points.

    Attributes:
        centers: h*, (P, N).
        values: F(h*, x*), (P, N).
        recurrent: J_rec at each, (P, N, N).
        reading: J_inp at each, (P, N, d).
        x: x*, (d,).
        of: the cell it approximates, which says what a readout sees of a state.
    """

    centers: Tensor
    values: Tensor
    recurrent: Tensor
    reading: Tensor
    x: Tensor
    of: Cell

    kind: ClassVar[str] = "piecewise linear"
    gate_names: ClassVar[tuple[str, ...]] = ("h",)

    @classmethod
    def at(cls, cell: Cell, states: Tensor, x: Tensor) -> Self:
        """The linearizations of a cell at states (P, N) under the input (d,)."""
        inputs = x.expand(len(states), -1)
        with torch.no_grad(), heavy():
            return cls(
                centers=states,
                values=cell.step(inputs, states),
                recurrent=cell.J_rec(inputs, states),
                reading=cell.J_inp(inputs, states),
                x=x,
                of=cell,
            )

    def __len__(self) -> int:
        return len(self.centers)

    @property
    def input_size(self) -> int:
        return len(self.x)

    @property
    def hidden_size(self) -> int:
        return self.of.hidden_size

    @property
    def state_size(self) -> int:
        return self.centers.shape[-1]

    def output(self, state: Tensor) -> Tensor:
        return self.of.output(state)

    def drive(self, x: Tensor) -> Tensor:
        return x

    def nearest(self, state: Tensor) -> Tensor:
        """The row of the point nearest to each state, (...)."""
        if len(self) == 1:
            return torch.zeros(state.shape[:-1], dtype=torch.long, device=state.device)
        flat = state.reshape(-1, state.shape[-1])
        return torch.cdist(flat, self.centers).argmin(-1).reshape(state.shape[:-1])

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        return {"h": self.from_points(self.nearest(state), drive, state)}

    def from_points(self, points: Tensor, x: Tensor, state: Tensor) -> Tensor:
        """One step of the linearizations at given points, whichever is nearest: (...), (..., d),
        (..., N) -> (..., N)."""
        batch = torch.broadcast_shapes(x.shape[:-1], state.shape[:-1])
        h = state.expand(*batch, -1).reshape(-1, self.state_size)
        dx = (x - self.x).expand(*batch, -1).reshape(-1, self.input_size)
        flat = points.expand(batch).reshape(-1)
        after = torch.empty_like(h)
        # Point by point: a Jacobian for each state would not fit.
        for p in flat.unique().tolist():
            rows = flat == p
            change = (h[rows] - self.centers[p]) @ self.recurrent[p].mT
            after[rows] = self.values[p] + change + dx[rows] @ self.reading[p].mT
        return after.reshape(*batch, -1)

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        del state
        return gates["h"]

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        self._check(x, state)
        return self.recurrent[self.nearest(state)]

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        self._check(x, state)
        return self.reading[self.nearest(state)]


def linearized_network(
    model: Model, points: Any, inputs: Any = None, *, point: int | None = None
) -> StandIn:
    """The network with its step replaced by one linearization, or by the nearest of several.

    Args:
        model: with words or vectors, one recurrent system and a readout of its last state.
        points: what ``find_fixed_points`` gave (its manifold points, continua and roots in the
            visited region), one kind of them, modes, or states (P, N). Of more than 256 as many
            are taken, evenly spaced in their order.
        inputs: the input held fixed; None for the one the points were found under, or zero.
        point: the one row to linearize at; None for all, switched.

    Raises:
        NotApplicable: no points; a readout that sees more than the last state; two directions.
        UsageError: no such row.
    """
    model = one_system(model)
    model.require_readout()
    states, held = gathered_points(model, points, inputs)
    if point is not None:
        if not -len(states) <= point < len(states):
            raise UsageError(
                "The network is linearized at a point there is.",
                expected=f"a row from 0 to {len(states) - 1}",
                got=str(point),
            )
        states = states[[point]]
    cell = PiecewiseLinear.at(study_cell(model), thinned(states), held.common)
    name = "one linearization" if len(cell) == 1 else f"{len(cell)} linearizations, switched"
    return standing_in(model, cell, initial_state(model), name=name)


def standing_in(model: Model, cell: Cell, initial: Tensor, *, name: str) -> StandIn:
    """The model with its recurrent system replaced."""
    direction = Direction(cell=cell, initial=initial)
    replaced = replace(model, layers=(Layer(directions=(direction,)),), certificate=None, record={})
    return StandIn(
        model=replaced,
        width=cell.state_size,
        size=sum(weight.numel() for weight in replaced.weights().values()),
        name=name,
    )


def gathered_points(model: Model | Cell, points: Any, inputs: Any) -> tuple[Tensor, HeldInput]:
    """States (P, N) to linearize at, and the input held fixed.

    Raises:
        NotApplicable: the result holds no manifold point, continuum or root in the visited region.
    """
    cell = study_cell(model)
    held = points.held if isinstance(points, FixedPoints | Modes) else None
    if held is None or inputs is not None:
        held = hold_input(model, cell, "zero" if inputs is None else inputs)
    states = points
    if isinstance(points, FixedPoints):
        states = points.line_states
    elif isinstance(points, Points | Modes):
        states = points.states
    if isinstance(states, Tensor) and states.ndim and not len(states):
        raise NotApplicable(
            "A network is linearized at fixed or slow points where the data goes.",
            expected="at least one manifold point, continuum, or root in the visited region",
            got="none",
            fix="hand over states of your own",
        )
    return checked_states(states, cell), held


def thinned(states: Tensor, most: int = MOST) -> Tensor:
    """At most so many of the states, evenly spaced in their order."""
    if len(states) <= most:
        return states
    return states[torch.linspace(0, len(states) - 1, most).round().long()]
