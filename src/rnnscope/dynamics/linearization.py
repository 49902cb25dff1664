"""``linearize``: the modes of the network at each point.

dh_t = J_rec dh_{t-1} + J_inp x_t,    J_rec = R Lambda L,  L = R^-1

Columns of R are right eigenvectors r_a (unit length), rows of L left eigenvectors l_a^T, so
``L R = I``; sorted by |lambda|, the slowest mode first. A mode's time constant is
``tau = |1 / ln |lambda||`` steps: of decay, or of growth where |lambda| > 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.dynamics.linalg import eigenvectors, heavy, inverse
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.readout import readout_direction
from rnnscope.dynamics.seeds import checked_states
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Model


def linearize(
    model: Model | Cell,
    points: FixedPoints | Points | Tensor | Sequence[Any],
    inputs: Any = None,
    *,
    count: int = 8,
) -> Modes:
    """The modes of ``J_rec`` at each point.

    Args:
        model: the model or cell that the points belong to.
        points: what ``find_fixed_points`` gave: its manifold points, then its continua, then its
            roots in the visited region, in this order; or one kind of them; or states (P, N).
        inputs: the input held fixed; None for the one the points were found under, or zero.
        count: modes whose vectors are kept; conjugate pairs are not cut, so one more may be.

    Raises:
        DataError: states of the wrong width or not finite.
        UsageError: ``count`` below 1.
        NotApplicable: the result holds no manifold point, continuum or root to linearize at.

    Source:
        Maheswaranathan et al. 2019
    """
    if count < 1:
        raise UsageError("At least one mode is kept.", expected="count >= 1", got=str(count))
    cell = study_cell(model)
    if inputs is None:
        inputs = points.held.vector if isinstance(points, FixedPoints) else "zero"
    held = hold_input(model, cell, inputs)
    if isinstance(points, FixedPoints) and torch.equal(held.vector, points.held.vector):
        held = points.held
    states = checked_states(_states(points), cell)
    problem = Problem(cell=cell, x=held.vector)
    readout = readout_direction(model, cell)
    with heavy():
        parts = [
            _decompose(problem, states[rows], count=min(count, problem.width), readout=readout)
            for rows in problem.chunks(len(states), matrices=24)
        ]
    values, right, left = (torch.cat(part) for part in zip(*parts, strict=True))
    return Modes(
        states=states,
        eigenvalues=values,
        right=right,
        left=left,
        held=held,
        readout=readout,
        cell=cell,
    )


def _states(points: FixedPoints | Points | Tensor | Sequence[Any]) -> Any:
    if isinstance(points, FixedPoints):
        if not len(points.line_states):
            raise NotApplicable(
                "A network is linearized at fixed or slow points where the data goes.",
                expected="at least one manifold point, continuum, or root in the visited region",
                got=", ".join(f"{n} {name}" for name, n in points.counts.items() if n),
                fix="hand over one kind, e.g. points.roots, or states of your own",
            )
        return points.line_states
    return points.states if isinstance(points, Points) else points


def _decompose(
    problem: Problem, h: Tensor, *, count: int, readout: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Sorted eigenvalues, the first right columns and left rows at each state."""
    J = problem.jacobian(h)
    J.diagonal(dim1=-2, dim2=-1).add_(1)
    values, R = eigenvectors(J)
    order = torch.stack([_order(row) for row in values])
    values = values.gather(-1, order)
    R = R.gather(-1, order[:, None, :].expand_as(R))
    if bool((values[:, count - 1].imag > 0).any()) and count < values.shape[-1]:
        count += 1
    R = R * _signs(values, R, readout)[:, None, :]
    return values, R[..., :count].clone(), inverse(R)[:, :count].clone()


def _order(values: Tensor) -> Tensor:
    """Largest |lambda| first, ties by real part; pairs adjacent, positive imaginary part first."""
    # LAPACK lists a pair side by side, positive first, with moduli equal to the last bit.
    rows = enumerate(values.tolist())
    keys = [(-abs(v), -v.real, abs(v.imag), k - (v.imag < 0), k) for k, v in rows]
    return torch.tensor([key[-1] for key in sorted(keys)])


def _signs(values: Tensor, R: Tensor, readout: Tensor | None) -> Tensor:
    """The sign of each column, (P, N).

    Largest component positive; for a real column, along the readout where it sees it.
    """
    largest = R.abs().argmax(-2, keepdim=True)
    along = R.gather(-2, largest).squeeze(-2).real
    if readout is not None:
        seen = (R.real * readout[:, None]).sum(-2)
        sees = (values.imag == 0) & (seen.abs() > 1e-12 * readout.norm())
        along = torch.where(sees, seen, along)
    return torch.where(along < 0, -1.0, 1.0)
