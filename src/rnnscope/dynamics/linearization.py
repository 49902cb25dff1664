"""``linearize``: the modes of the network at each point.

dh_t = J_rec dh_{t-1} + J_inp x_t,    J_rec = R Lambda L,  L = R^-1

Columns of R are right eigenvectors r_a (unit length), rows of L left eigenvectors l_a^T, so
``L R = I``; sorted by |lambda|, the slowest mode first. A mode's time constant is
``tau = |1 / ln |lambda||`` steps: of decay, or of growth where |lambda| > 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.eigenmodes import eigenmodes, signs, uncut
from rnnscope.dynamics.inputs import hold_input, one_for_each, study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.projection import WIDE
from rnnscope.dynamics.readout import readout_direction
from rnnscope.dynamics.seeds import checked_states
from rnnscope.dynamics.shift_invert import slow_modes
from rnnscope.dynamics.systems import Network
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.progress import told_rows

METHODS = ("auto", "dense", "krylov")

MANY = 16
"""Points from which "auto" takes the Krylov method."""


def linearize(
    model: Network,
    points: FixedPoints | Points | Tensor | Sequence[Any],
    inputs: Any = None,
    *,
    count: int = 8,
    method: str = "auto",
) -> Modes:
    """The modes of ``J_rec`` at each point.

    Args:
        model: the model, cell or system that the points belong to.
        points: what ``find_fixed_points`` gave: its manifold points, then its continua, then its
            roots in the visited region, in this order; or one kind of them; or states (P, N).
        inputs: the input held fixed, or one a point; None for what the points were found under,
            each under its seed's own where those had one, or zero.
        count: modes whose vectors are kept; conjugate pairs are not cut, so one more may be.
        method: "dense", every eigenvalue, by a full decomposition; "krylov", the first ``count``
            modes alone, many times sooner for a wide network, each with its residual
            (``shift_invert``); "auto", the latter for many points of a wide network.

    Raises:
        DataError: states of the wrong width or not finite.
        UsageError: ``count`` below 1, or an unknown method.
        NotApplicable: the result holds no manifold point, continuum or root to linearize at.

    Source:
        Maheswaranathan et al. 2019
    """
    if count < 1:
        raise UsageError("At least one mode is kept.", expected="count >= 1", got=str(count))
    if method not in METHODS:
        raise UsageError(
            "The method of a linearization must be known.",
            expected=", ".join(METHODS),
            got=repr(method),
        )
    cell = study_cell(model)
    states = checked_states(_states(points), cell)
    if inputs is None and isinstance(points, FixedPoints):
        held = points.held
        if held.vector.ndim == 2:
            held = replace(held, vector=held.vector[points.line_seeds])
    else:
        held = hold_input(model, cell, "zero" if inputs is None else inputs)
        if isinstance(points, FixedPoints) and torch.equal(held.vector, points.held.vector):
            held = points.held
    one_for_each(held, len(states))
    problem = Problem(cell=cell, x=held.vector)
    readout = readout_direction(model, cell)
    if method == "auto":
        few = 4 * count <= problem.width
        wide = problem.width >= WIDE and cell.matrix_free
        method = "krylov" if wide and few and len(states) >= MANY else "dense"
    if method == "krylov":
        found = slow_modes(problem, states, count=count)
        kept = uncut(found.values, min(count, found.values.shape[-1]))
        values, right = found.values[:, :kept], found.right[..., :kept]
        sign = signs(values, right, readout)
        right, left = right * sign[:, None, :], found.left[:, :kept] * sign[..., None]
        residuals = found.residuals[:, :kept]
    else:
        residuals = None
        with heavy():
            parts = [
                eigenmodes(
                    problem.rows(rows).tangent(states[rows]).matrix(),
                    count=min(count, problem.width),
                    readout=readout,
                    spare=True,
                )
                for rows in told_rows(problem.chunks(len(states), matrices=24), "linearizing")
            ]
        values, right, left = (torch.cat(part) for part in zip(*parts, strict=True))
        kept = uncut(values, min(count, problem.width))
        right, left = right[..., :kept].clone(), left[:, :kept].clone()
    return Modes(
        states=states,
        eigenvalues=values,
        right=right,
        left=left,
        held=held,
        readout=readout,
        cell=cell,
        complete=residuals is None,
        residuals=residuals,
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
