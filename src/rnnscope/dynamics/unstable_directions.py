"""Where the unstable directions of saddles lead: h* +- eps r followed to the attractor at its end.

A growing real mode is left both ways; the plane of a growing complex pair at several angles. The
network itself is iterated, so what is reached is reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import eigenvectors, heavy, inverse, norm
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.slow_flow import Attractor
from rnnscope.errors import UsageError
from rnnscope.models import Model

ANGLES = 8
LOOK = 20
"""Steps between two looks at where a state is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Connection:
    """One way out of a saddle.

    Attributes:
        root: the saddle, a row of ``points.roots``.
        eigenvalue: of the mode it is left along.
        direction: the unit vector, (N,).
        target: the root it leads to, a row of ``points.roots``; -1 for none.
        steps: steps taken.
        end: the last state, (N,).
        sentence: the same in words.
    """

    root: int
    eigenvalue: complex
    direction: Tensor
    target: int
    steps: int
    end: Tensor
    sentence: str


def follow_unstable(
    model: Model | Cell, points: FixedPoints, *, epsilon: float = 1e-3, max_steps: int = 20_000
) -> tuple[Connection, ...]:
    """Follow the unstable directions of every root that has some.

    Args:
        model: the network that the points belong to.
        points: what ``find_fixed_points`` gave.
        epsilon: how far from the root to start, in scales.
        max_steps: most steps of the network.

    Returns:
        One connection for each direction; none where every root attracts.

    Raises:
        UsageError: ``epsilon`` not above 0.
    """
    if not 0 < epsilon < float("inf"):
        raise UsageError("A saddle is left by a step.", expected="epsilon > 0", got=str(epsilon))
    roots = points.roots.states
    if not len(roots):
        return ()
    problem = Problem(cell=study_cell(model), x=points.held.vector).rows(points.roots.seed)
    with heavy():
        ways = [way for row in range(len(roots)) for way in _ways(problem, roots, row)]
        attractors = _attractors(problem, roots, points.scale)
        return tuple(
            _followed(problem, roots, row, value, r, attractors, points.scale, epsilon, max_steps)
            for row, value, r in ways
        )


def _ways(problem: Problem, roots: Tensor, row: int) -> list[tuple[int, complex, Tensor]]:
    """The root, the eigenvalue and the unit direction of every way out."""
    one = slice(row, row + 1)
    values, R = eigenvectors(problem.rows(one).tangent(roots[one]).matrix()[0])
    ways = []
    for k, value in enumerate(values.tolist()):
        if abs(value) <= 1 or value.imag < 0:
            continue
        r = R[:, k]
        if value.imag == 0:
            turns = [r.real, -r.real]
        else:
            angles = [2 * pi * a / ANGLES for a in range(ANGLES)]
            turns = [cos(a) * r.real - sin(a) * r.imag for a in angles]
        ways += [(row, complex(value), turn / norm(turn)) for turn in turns]
    return ways


def _attractors(problem: Problem, roots: Tensor, scale: float) -> dict[int, Attractor]:
    found = {}
    for row in range(len(roots)):
        one = slice(row, row + 1)
        A = problem.rows(one).jacobian(roots[one])
        if bool((eigenvectors(A)[0] + 1).abs().max() < 1):
            found[row] = Attractor(state=roots[row], inverse=inverse(A)[0], near=1e-6 * scale)
    return found


def _followed(
    problem: Problem,
    roots: Tensor,
    row: int,
    value: complex,
    r: Tensor,
    attractors: dict[int, Attractor],
    scale: float,
    epsilon: float,
    max_steps: int,
) -> Connection:
    here = problem.rows(slice(row, row + 1))
    h = (roots[row] + epsilon * scale * r)[None]
    target, steps = -1, 0
    while target < 0 and steps < max_steps and bool(torch.isfinite(h).all()):
        for _ in range(LOOK):
            h = here.step(h)
        steps += LOOK
        G = here.residual(h)
        target = next((k for k, one in attractors.items() if bool(one.captures(h, G))), -1)
    way = f"Along the mode of |lambda| = {abs(value):.4g} root {row} is left"
    if target >= 0:
        ending = f"for root {target}, reached within {steps} steps."
    elif not bool(torch.isfinite(h).all()):
        ending = f"without end: the state is not finite after {steps} steps."
    else:
        ending = f"for no root: after {steps} steps it is near none that attracts."
    return Connection(
        root=row,
        eigenvalue=value,
        direction=r,
        target=target,
        steps=steps,
        end=h[0],
        sentence=f"{way} {ending}",
    )
