"""``J_rec = dF/dh`` and ``J_inp = dF/dx`` at points or along a path, whole or streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.eigenmodes import eigenmodes, uncut
from rnnscope.dynamics.inputs import HeldInput, hold_input, study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.paths import StatePath, checked_inputs
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.problem import WORKSPACE
from rnnscope.dynamics.readout import readout_direction
from rnnscope.dynamics.seeds import checked_states
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model, Trajectory
from rnnscope.progress import told_rows

Which = Literal["rec", "inp", "both"]
Result = TypeVar("Result")

LARGEST = 4 * 2**30
"""Bytes of Jacobians that are returned at once."""

TEMPORARIES = 4
"""Matrices that the closed forms hold beside each that they return."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Jacobians:
    """The derivatives of one step at P points. float64 on the CPU.

    Attributes:
        rec: ``dF/dh``, (P, N, N); None where not asked.
        inp: ``dF/dx``, (P, N, input_size); None where not asked.
        rows: which of all the points these are.
    """

    rec: Tensor | None
    inp: Tensor | None
    rows: slice

    def __len__(self) -> int:
        return self.rows.stop - self.rows.start

    @property
    def square(self) -> Tensor:
        """``rec``, where it was asked for.

        Raises:
            UsageError: it was not.
        """
        if self.rec is None:
            raise UsageError("J_rec was not asked for.", expected="'rec' or 'both'", got="'inp'")
        return self.rec


def jacobians(
    model: Model | Cell, points: Any, inputs: Any = None, *, which: Which = "both"
) -> Jacobians:
    """The Jacobians at each point, or of each step of a path under the input it reads.

    Args:
        model: the model or cell.
        points: a path (``follow``), what ``find_fixed_points`` gave, one kind of it, or states
            (P, N).
        inputs: "zero", "mean", a word, a vector, or one vector a state (P, input_size); None for
            the path's own, the one the points were found under, or zero.
        which: "rec", "inp" or "both".

    Raises:
        DataError: states or inputs of the wrong shape or not finite.
        UsageError: an unknown ``which``, inputs beside a path's own, or more than 4 GiB of
            Jacobians: stream those with ``map_jacobians``.

    Source:
        Maheswaranathan et al. 2019
    """
    place = _Place.of(model, points, inputs, which)
    if place.bytes * len(place.states) > LARGEST:
        raise UsageError(
            "Jacobians are returned at once where they fit.",
            expected=f"at most {LARGEST / 2**30:.3g} GiB",
            got=f"{len(place.states)} points of {place.bytes / 2**20:.3g} MiB",
            fix="use map_jacobians, which holds a few of them at a time",
        )
    count, (N, d) = len(place.states), (place.cell.state_size, place.cell.input_size)
    rec = None if which == "inp" else torch.empty(count, N, N, dtype=torch.float64)
    inp = None if which == "rec" else torch.empty(count, N, d, dtype=torch.float64)

    def put(J: Jacobians) -> None:
        if rec is not None and J.rec is not None:
            rec[J.rows] = J.rec
        if inp is not None and J.inp is not None:
            inp[J.rows] = J.inp

    for _ in _stream(put, place, WORKSPACE):
        pass
    return Jacobians(rec=rec, inp=inp, rows=slice(0, count))


def map_jacobians(
    function: Callable[[Jacobians], Result],
    model: Model | Cell,
    points: Any,
    inputs: Any = None,
    *,
    which: Which = "both",
    memory: int = WORKSPACE,
) -> Iterator[Result]:
    """``function`` of the Jacobians of a few points at a time, in the points' order.

    Args:
        function: takes ``Jacobians`` of consecutive points, ``.rows`` of all; called on one torch
            thread.
        model, points, inputs, which: as for ``jacobians``.
        memory: bytes that the closed forms may take at once; one point is always taken.

    Raises:
        DataError, UsageError: as ``jacobians``, when called; also a memory that is not positive.
    """
    if not memory > 0:
        raise UsageError("Memory is a number of bytes.", expected="> 0", got=repr(memory))
    return _stream(function, _Place.of(model, points, inputs, which), memory)


def trajectory_modes(
    model: Model | Cell, path: StatePath, *, count: int = 8, memory: int = WORKSPACE
) -> Modes:
    """The modes of ``J_rec`` at each step of a path, each under the input it reads.

    The Jacobians are streamed: what is kept of each step is its eigenvalues and ``count`` vectors.

    Args:
        model: the model or cell that the path belongs to.
        path: T steps (``follow``).
        count: modes whose vectors are kept; one more where that cuts a conjugate pair.
        memory: bytes that the Jacobians may take at once.

    Raises:
        UsageError: ``count`` below 1, or something other than a path.
    """
    if not isinstance(path, StatePath):
        raise UsageError(
            "Modes along a trajectory need its inputs.",
            expected="a path, follow(model, document)",
            got=type(path).__name__,
            fix="use linearize for states under one input",
        )
    if count < 1:
        raise UsageError("At least one mode is kept.", expected="count >= 1", got=str(count))
    cell = study_cell(model)
    readout = readout_direction(model, cell)
    width = cell.state_size

    def decompose(J: Jacobians) -> tuple[Tensor, Tensor, Tensor]:
        return eigenmodes(J.square, count=min(count, width), readout=readout, spare=True)

    # What eig takes beside the closed forms: complex vectors, their inverse, copies of both.
    parts = list(map_jacobians(decompose, model, path, which="rec", memory=max(1, memory // 4)))
    values, right, left = (torch.cat(part) for part in zip(*parts, strict=True))
    kept = uncut(values, min(count, width))
    return Modes(
        states=path.before,
        eigenvalues=values,
        right=right[..., :kept].clone(),
        left=left[:, :kept].clone(),
        held=HeldInput(name="each step's own", vector=path.inputs),
        readout=readout,
        cell=cell,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Place:
    """Where Jacobians are taken: states (P, N), the input at each (P, d) or one for all (d,)."""

    cell: Cell
    states: Tensor
    x: Tensor
    which: Which

    @classmethod
    def of(cls, model: Model | Cell, points: Any, inputs: Any, which: Which) -> _Place:
        if which not in ("rec", "inp", "both"):
            raise UsageError(
                "Which Jacobians is one of three.",
                expected="'rec', 'inp' or 'both'",
                got=repr(which),
            )
        cell = study_cell(model)
        if isinstance(points, StatePath):
            if inputs is not None:
                raise UsageError(
                    "A path has its own input at each step.",
                    expected="no inputs",
                    got=type(inputs).__name__,
                    fix="hand over path.before for its states under other inputs",
                )
            states, x = checked_states(points.before, cell), points.inputs
            return cls(cell=cell, states=states, x=x, which=which)
        if isinstance(points, Trajectory):
            raise UsageError(
                "A trajectory does not hold what it read.",
                expected="a path, or states",
                got="a trajectory",
                fix="use follow(model, document), or its states with inputs of your own",
            )
        if isinstance(points, FixedPoints):
            inputs = points.held.vector if inputs is None else inputs
            points = points.line_states
        states = checked_states(points.states if isinstance(points, Points) else points, cell)
        x = _input(model, cell, "zero" if inputs is None else inputs, len(states))
        return cls(cell=cell, states=states, x=x, which=which)

    @property
    def bytes(self) -> int:
        """Of the Jacobians of one point."""
        columns = {"rec": self.cell.state_size, "inp": self.cell.input_size}
        size = sum(columns.values()) if self.which == "both" else columns[self.which]
        return 8 * self.cell.state_size * size

    def take(self, rows: slice) -> Jacobians:
        h = self.states[rows]
        x = self.x[rows] if self.x.ndim == 2 else self.x.expand(len(h), -1)
        with torch.no_grad():
            return Jacobians(
                rec=None if self.which == "inp" else self.cell.J_rec(x, h),
                inp=None if self.which == "rec" else self.cell.J_inp(x, h),
                rows=rows,
            )


def _stream(
    function: Callable[[Jacobians], Result], place: _Place, memory: int
) -> Iterator[Result]:
    count, size = len(place.states), max(1, memory // (TEMPORARIES * place.bytes))
    parts = [slice(k, min(k + size, count)) for k in range(0, count, size)]
    for rows in told_rows(parts, "taking Jacobians"):
        with heavy():
            result = function(place.take(rows))
        yield result


def _input(model: Model | Cell, cell: Cell, inputs: Any, count: int) -> Tensor:
    if not _is_table(inputs):
        return hold_input(model, cell, inputs).vector
    x = checked_inputs(inputs, cell)
    if len(x) != count:
        raise DataError(
            "Inputs are one for all states, or one a state.",
            expected=f"({count}, {cell.input_size})",
            got=str(tuple(x.shape)),
        )
    return x


def _is_table(inputs: Any) -> bool:
    try:
        return not isinstance(inputs, str) and np.ndim(inputs) == 2
    except ValueError:
        return False
