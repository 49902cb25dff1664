"""The line attractor as a curve: followed along its slowest mode, with its length and its drift.

From a point of the slow manifold a step is taken along the slowest mode r, and the fast directions
are brought to rest again (``slow_frame``). Where r is the only slow direction the curve is the slow
manifold. Where others are slow too, it is the curve in it that is everywhere along r.

Along it the network's own motion is the drift ``v = l . G / (l . r)``, l the left vector: fixed
points of the motion along the curve are where it is 0, and they attract where it falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.orbits import newton_orbit
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.slow_curve import CurveRoot, SlowCurve
from rnnscope.dynamics.slow_frame import SlowManifold, SlowPoint, manifold_start, slow_parts
from rnnscope.dynamics.systems import Network
from rnnscope.errors import NotApplicable, UsageError

BEND = 0.95
"""Least cosine between one slow mode and the next."""

EASY = 0.99
SHORTEST = 1e-3
"""Steps below this part of the longest one are given up."""


def trace_slow_curve(
    model: Network,
    points: FixedPoints,
    start: Any = None,
    *,
    step: float = 0.05,
    max_points: int = 1000,
) -> SlowCurve:
    """Follow the slowest mode both ways until the curve leaves the visited region, its mode is no
    longer slow, or it closes.

    Args:
        model: the network that the points belong to; not changed.
        points: what ``find_fixed_points`` gave: the input, the visited region, its scale, and the
            ``slow_time`` that tells slow from fast.
        start: a state (N,) near the manifold; of the points found on it the one nearest to their
            mean where it is None.
        step: the longest step, in scales.
        max_points: most points each way.

    Raises:
        NotApplicable: there is no slow point to start from, or no real slow mode at it.
        DataError: the start has the wrong shape.
        UsageError: ``step`` not above 0, or fewer than 2 points.

    Source:
        Maheswaranathan et al. 2019; Maas & Pope 1992
    """
    if not 0 < step < inf or max_points < 2:
        raise UsageError(
            "A curve is followed by steps.",
            expected="step > 0, max_points >= 2",
            got=f"step={step}, max_points={max_points}",
        )
    problem = Problem(cell=study_cell(model), x=points.held.common)
    h = manifold_start(points, start)
    with heavy():
        manifold = SlowManifold(problem, points)
        walk = _Walk(manifold, step)
        first = walk.first(h)
        ahead, stop_ahead, closed = walk.go(first, max_points)
        if closed:
            rows, ends = ahead, (stop_ahead, stop_ahead)
        else:
            behind, stop_behind, _ = walk.go(first.turned(), max_points)
            rows = [*(one.turned() for one in behind[:0:-1]), *ahead]
            ends = (stop_behind, stop_ahead)
        return _curve(manifold, rows, ends, closed)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Place:
    """A point of the curve and the mode it goes along, a column of the point's modes."""

    point: SlowPoint
    column: int
    r: Tensor

    def turned(self) -> _Place:
        return _Place(point=self.point, column=self.column, r=-self.r)


class _Walk:
    """Steps along one slow mode."""

    def __init__(self, manifold: SlowManifold, step: float) -> None:
        self.manifold, self.step = manifold, step * manifold.scale

    def first(self, h: Tensor) -> _Place:
        point = self.manifold.at(h, None)
        if point is not None:
            rates = point.modes.rates[: point.frame.shape[1]]
            real = (rates.imag == 0).nonzero().squeeze(-1)
            if len(real):
                column = int(real[0])
                r = point.modes.vectors[:, column].real
                return _Place(point=point, column=column, r=r / norm(r))
        raise NotApplicable(
            "A curve is followed along a slow mode.",
            expected=f"a real eigenvalue within {self.manifold.rate:.3g} of 1",
            got="none at the start" if point is None else "complex ones only",
            fix="another start, or a search with a smaller slow_time",
        )

    def ahead(self, here: _Place, length: float) -> tuple[_Place | None, float]:
        """The next point of the curve and the cosine of its turn; None where there is none."""
        point = self.manifold.at(here.point.h + length * here.r, here.point.modes)
        if point is None or not length / 4 <= float(norm(point.h - here.point.h)) <= 2 * length:
            return None, 0.0
        count = point.frame.shape[1]
        real = point.modes.rates[:count].imag == 0
        R = point.modes.vectors[:, :count].real
        along = (here.r @ R) * real
        column = int(along.abs().argmax())
        cosine = float(along[column].abs())
        if cosine < BEND:
            return None, cosine
        r = R[:, column] * along[column].sign()
        return _Place(point=point, column=column, r=r / norm(r)), cosine

    def outside(self, h: Tensor) -> str:
        apart = self.manifold.apart(h)
        if apart > self.manifold.region:
            return f"It leaves the visited region: the nearest seed is {apart:.2g} scales away."
        return ""

    def go(self, start: _Place, most: int) -> tuple[list[_Place], str, bool]:
        """One way along the curve: its points, why it ended, and whether it closed."""
        found, length, away = [start], self.step / 4, False
        while len(found) < most:
            here = found[-1]
            new, cosine = self.ahead(here, length)
            if new is None:
                length /= 2
                if length >= SHORTEST * self.step:
                    continue
                return found, self.lost(here), False
            if reason := self.outside(new.point.h):
                # The end is approached, not jumped over.
                if length > self.step / 16:
                    length /= 2
                    continue
                return found, reason, False
            found.append(new)
            apart = float(norm(new.point.h - start.point.h))
            if away and apart <= length and float(new.r @ start.r) > 0:
                found[-1] = start
                return found, "It came back to its start.", True
            away |= apart > 2 * self.step
            if cosine > EASY:
                length = min(self.step, 1.5 * length)
        return found, f"It was followed for {most} points.", False

    def lost(self, here: _Place) -> str:
        value = 1 + float(here.point.modes.rates[here.column].real)
        return (
            f"No slow point is found beyond there: its mode, at {value:.4g}, stops being slow or "
            "real, or the manifold has an end or a corner."
        )


def _curve(
    manifold: SlowManifold, rows: list[_Place], ends: tuple[str, str], closed: bool
) -> SlowCurve:
    states = torch.stack([one.point.h for one in rows])
    position = torch.cat([states.new_zeros(1), norm(states.diff(dim=0)).cumsum(0)])
    drift, sideways = _drift(rows)
    neutral = manifold.rests(states, drift.abs())
    return SlowCurve(
        states=states,
        position=position,
        drift=drift,
        sideways=sideways,
        modes=torch.stack([one.r for one in rows]),
        slow=torch.stack([one.point.modes.rates[one.column].real + 1 for one in rows]),
        next=torch.stack([_next(one) for one in rows]),
        dimension=torch.tensor([one.point.frame.shape[1] for one in rows]),
        nearest=torch.tensor([manifold.apart(h) for h in states], dtype=torch.float64),
        roots=() if neutral else _roots(manifold.problem, states, position, drift),
        neutral=neutral,
        closed=closed,
        ends=ends,
        scale=manifold.scale,
    )


def _drift(rows: list[_Place]) -> tuple[Tensor, Tensor]:
    """The residual along the curve's mode, and the length of its other slow part."""
    drift, sideways = [], []
    for one in rows:
        parts = slow_parts(one.point)
        own = parts[:, one.column].real
        drift.append(one.r @ own)
        sideways.append(norm(parts.sum(-1).real - own))
    return torch.stack(drift), torch.stack(sideways)


def _next(one: _Place) -> Tensor:
    """The eigenvalue of J nearest to 1 beside the curve's own."""
    rates = one.point.modes.rates
    keep = torch.arange(len(rates)) != one.column
    if not keep.any():
        return torch.zeros((), dtype=torch.complex128)
    rest = rates[keep]
    return rest[rest.abs().argmin()] + 1


def _roots(
    problem: Problem, states: Tensor, position: Tensor, drift: Tensor
) -> tuple[CurveRoot, ...]:
    """Where the drift changes its sign, and the fixed point there, by Newton's method."""
    found = []
    for k in range(len(states) - 1):
        a, b = float(drift[k]), float(drift[k + 1])
        if a == 0 or a * b > 0:
            continue
        part = a / (a - b)
        guess = states[k] + part * (states[k + 1] - states[k])
        gap = float(position[k + 1] - position[k])
        h = newton_orbit(problem, guess[None], 1, gap)
        found.append(
            CurveRoot(
                position=float(position[k]) + part * gap,
                state=guess if h is None else h[0],
                isolated=h is not None,
                attracts=a > b,
            )
        )
    return tuple(found)
