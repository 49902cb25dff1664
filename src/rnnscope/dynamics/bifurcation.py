"""Fixed points as a function of a constant input: ``F(h, x* + s d) = h`` followed in (h, s).

The branch is followed by its own length (``pseudo_arclength``), so it may turn back in s. What
happens on it shows in the eigenvalues of J: where one passes 1 the branch folds (ds changes sign)
or meets another branch, where one passes -1 a cycle of two steps is born, where a pair passes the
circle a turning one (Kuznetsov 2004, chapter 4). Folds are then located to rounding (``fold``),
the others by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.branch import Bifurcation, Branch
from rnnscope.dynamics.certificate import polish
from rnnscope.dynamics.fold import locate_fold
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.dynamics.linalg import heavy, norm, singular_values
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.pseudo_arclength import correct, tangent, trace
from rnnscope.dynamics.seeds import checked_states
from rnnscope.dynamics.systems import Network, System
from rnnscope.errors import DataError, NotApplicable, UsageError

CLOSE = 1e-9
"""Length, on the branch, that a bifurcation is enclosed in."""

MERGED = 1e-5
"""Changes closer on the branch than this are one: where branches cross, noise makes more of it."""

ALONG = 1e-3
"""A push of the input, along what is left over at a singular J - I, that counts as none."""


def continue_in_input(
    model: Network,
    state: Any,
    direction: Any,
    inputs: Any = "zero",
    *,
    span: tuple[float, float] = (-1.0, 1.0),
    step: float = 0.03,
    max_points: int = 500,
) -> Branch:
    """Follow a fixed point both ways while the constant input moves along a direction.

    Args:
        model: a model, a system or a bare cell; not changed.
        state: a fixed point under ``inputs``, (N,): one of ``points.roots.states``.
        direction: d, (input_size,); or a word, and then s = 1 holds that word.
        inputs: the input at s = 0, as of ``find_fixed_points``.
        span: s from where to where; it contains 0.
        step: the longest step along the branch: root-mean-square change of a unit, and of s as a
            part of the span.
        max_points: most points each way.

    Raises:
        DataError: the state is no fixed point; a wrong width; values that are not finite.
        UsageError: a direction of length 0, a span without 0, a step not above 0, an unknown word.
        NotApplicable: the fixed point is not isolated, and does not follow the input either.

    Source:
        Keller 1977; Govaerts 2000; Kuznetsov 2004
    """
    low, high = _checked(span, step, max_points)
    cell = study_cell(model)
    held = hold_input(model, cell, inputs)
    problem = Problem(cell=cell, x=held.common)
    aim = hold_input(model, cell, direction).vector
    named = isinstance(direction, str)
    d = aim - held.common if named else aim
    if d.ndim > 1 or not float(norm(d)) > 0:
        raise UsageError(
            "A direction of the input has a length.",
            expected="a vector that is not 0, or a word other than the one held",
            got="0" if d.ndim == 1 else f"{len(d)} vectors",
        )
    family = _Family(problem=problem, direction=d, width=high - low)
    with heavy():
        h = _root(problem, checked_states(state, cell), System.of(model).name)
        u = family.pack(h, 0.0)
        sigma = singular_values(family(u)[1])
        if float(sigma[-1]) <= 1e-9 * max(1.0, float(sigma[0])):
            raise NotApplicable(
                "A branch can be followed only where one curve of fixed points passes.",
                expected="a regular fixed point, or a simple fold",
                got="one with others beside it, or a crossing of branches",
                fix="start at another input, a little away from this one",
            )
        return _followed(family, u, (low, high), step, max_points, direction if named else None)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Family:
    """The fixed-point equation in ``u = (h / sqrt(N), s / width)``."""

    problem: Problem
    direction: Tensor
    width: float

    @property
    def unit(self) -> float:
        """What one unit of u is in h."""
        return sqrt(self.problem.width)

    def pack(self, h: Tensor, s: float) -> Tensor:
        return torch.cat([h / self.unit, h.new_tensor([s / self.width])])

    def state(self, u: Tensor) -> Tensor:
        return u[:-1] * self.unit

    def s(self, u: Tensor) -> float:
        return float(u[-1]) * self.width

    def at(self, u: Tensor) -> Problem:
        x = self.problem.x + self.s(u) * self.direction
        return Problem(cell=self.problem.cell, x=x)

    def __call__(self, u: Tensor) -> tuple[Tensor, Tensor]:
        here, h = self.at(u), self.state(u)[None]
        with torch.no_grad():
            F_s = here.cell.J_inp(here.x[None], h)[0] @ self.direction
        columns = [here.jacobian(h)[0] * self.unit, F_s[:, None] * self.width]
        return here.residual(h)[0], torch.cat(columns, dim=1)

    def tolerance(self, u: Tensor) -> float:
        here = self.at(u)
        return 4 * float(here.rounding(self.state(u)))

    def eigenvalues(self, u: Tensor) -> Tensor:
        """Of J, by falling modulus, (N,)."""
        J = self.at(u).jacobian(self.state(u)[None])[0]
        values = torch.linalg.eigvals(J) + 1
        return values[values.abs().argsort(descending=True, stable=True)]

    def push(self, u: Tensor) -> float:
        """How far the input pushes out of the range of J - I, as a part of its push."""
        DH = self(u)[1]
        w = torch.linalg.svd(DH[:, :-1]).U[:, -1]
        return float((w @ DH[:, -1]).abs() / norm(DH[:, -1]).clamp_min(1e-300))

    def signature(self, u: Tensor, t: Tensor) -> tuple[int, bool]:
        """What changes at a bifurcation: the growing modes, and the way s goes."""
        return int((self.eigenvalues(u).abs() > 1).sum()), bool(t[-1] > 0)


def _root(problem: Problem, states: Tensor, name: str) -> Tensor:
    if len(states) != 1:
        raise DataError("A branch starts from one state.", expected="(N,)", got=f"{len(states)}")
    h = polish(problem, states, most=12)
    left, moved = float(norm(problem.residual(h))[0]), float(norm(h - states)[0])
    if not left <= 10 * float(problem.rounding(h)[0]) or moved > 0.1 * (1 + float(norm(h)[0])):
        raise DataError(
            "A branch starts from a fixed point.",
            expected=f"a root of the {name} under the input held fixed, e.g. points.roots.states",
            got=f"a state that Newton's method moved by {moved:.2g}, to a residual of {left:.2g}",
        )
    return h[0]


def _followed(
    family: _Family,
    u: Tensor,
    span: tuple[float, float],
    step: float,
    most: int,
    word: str | None,
) -> Branch:
    rising = torch.zeros_like(u)
    rising[-1] = 1
    # By the null vector: at a fold, s is no coordinate that the first tangent could lean on.
    first = torch.linalg.svd(family(u)[1]).Vh[-1]
    first = first if float(first[-1]) >= 0 else -first

    def leaves(new: Tensor, t: Tensor) -> str:
        del t
        s = family.s(new)
        if span[0] <= s <= span[1]:
            return ""
        return f"s reached {span[0] if s < span[0] else span[1]:g}."

    def way(sign: int) -> tuple[Tensor, Tensor, str, bool]:
        found = trace(family, u, sign * first, step=step, most=most, leaves=leaves)
        points, tangents = found.points, found.tangents
        if found.beyond is not None:
            a, b = points[-1], found.beyond
            end = (span[0] if family.s(b) < span[0] else span[1]) / family.width
            guess = a + (end - a[-1]) / (b[-1] - a[-1]) * (b - a)
            landed = correct(family, guess, rising)
            if landed is not None and float(norm(landed - guess)) < step:
                points = torch.cat([points, landed[None]])
                tangents = torch.cat([tangents, tangent(family, landed, tangents[-1])[None]])
        return points, tangents, found.stop, found.closed

    ahead, t_ahead, stop_ahead, closed = way(1)
    if closed:
        points, tangents, start, stop_behind = ahead, t_ahead, 0, stop_ahead
    else:
        behind, t_behind, stop_behind, _ = way(-1)
        points = torch.cat([behind.flip(0)[:-1], ahead])
        tangents = torch.cat([-t_behind.flip(0)[:-1], t_ahead])
        start = len(behind) - 1
    values = [family.eigenvalues(point) for point in points]
    unstable = torch.tensor([int((one.abs() > 1).sum()) for one in values])
    events: list[Bifurcation] = []
    for k in range(len(points) - 1):
        signatures = [(int(unstable[j]), bool(tangents[j, -1] > 0)) for j in (k, k + 1)]
        if signatures[0] != signatures[1]:
            length = float(tangents[k] @ (points[k + 1] - points[k]))
            events += _between(family, points[k], tangents[k], length, signatures)
    states = torch.stack([family.state(point) for point in points])
    s = torch.tensor([family.s(point) for point in points], dtype=torch.float64)
    return Branch(
        states=states,
        s=s,
        unstable=unstable,
        leading=torch.stack([one[0] for one in values]),
        residual=torch.stack([norm(family(point)[0]) for point in points]),
        bifurcations=tuple(events),
        start=start,
        ends=(stop_behind, stop_ahead),
        closed=closed,
        direction=family.direction,
        name="direction" if word is None else word,
    )


def _between(
    family: _Family,
    u: Tensor,
    t: Tensor,
    length: float,
    signatures: list[tuple[int, bool]],
) -> list[Bifurcation]:
    """Every change of signature on the way from u along t, by bisection."""
    found: list[tuple[float, tuple[int, bool], tuple[int, bool]]] = []
    left = [(0.0, length, signatures[0], signatures[1])]
    while left:
        a, b, before, after = left.pop(0)
        middle = (a + b) / 2
        point = correct(family, u + middle * t, t) if b - a > CLOSE else None
        if point is None:
            if found and middle - found[-1][0] <= MERGED:
                middle, before = found[-1][0], found.pop()[1]
            found.append((middle, before, after))
            continue
        here = family.signature(point, tangent(family, point, t))
        halves = ((a, middle, before, here), (middle, b, here, after))
        left[:0] = [half for half in halves if half[2] != half[3]]
    return [_judged(family, u + middle * t, t, *change) for middle, *change in found]


def _judged(
    family: _Family, guess: Tensor, t: Tensor, before: tuple[int, bool], after: tuple[int, bool]
) -> Bifurcation:
    point = correct(family, guess, t)
    u = guess if point is None else point
    values = family.eigenvalues(u)
    critical = complex(values[(values.abs() - 1).abs().argmin()])
    state, s, exact = family.state(u), family.s(u), False
    if before[1] != after[1]:
        kind = "fold"
        fold = locate_fold(family.problem, family.direction, state, s)
        if fold is not None and fold.simple and abs(fold.s - s) <= 1e-4 * family.width:
            state, s, exact, critical = fold.state, fold.s, True, 1 + 0j
        elif family.push(u) <= ALONG:
            # s turns, but not because J - I lacks the input's direction: branches cross there.
            kind = "branch point"
    elif abs(critical.imag) > 1e-6:
        kind = "Neimark-Sacker"
    else:
        kind = "branch point" if critical.real > 0 else "period doubling"
    return Bifurcation(
        kind=kind,
        s=s,
        state=state,
        eigenvalue=critical,
        exact=exact,
        unstable=(before[0], after[0]),
    )


def _checked(span: tuple[float, float], step: float, most: int) -> tuple[float, float]:
    low, high = float(span[0]), float(span[1])
    if not -inf < low <= 0 <= high < inf or low == high:
        raise UsageError(
            "The span of s starts below 0 or at it and ends above, as the branch starts at 0.",
            expected="(low, high) with low <= 0 <= high",
            got=str(span),
        )
    if not 0 < step < inf or most < 2:
        raise UsageError(
            "A branch is followed by steps.",
            expected="step > 0, max_points >= 2",
            got=f"step={step}, max_points={most}",
        )
    return low, high
