"""A run on a closed curve that it never repeats: is it one, and how fast does it turn?

The angle about the mean, in the plane of the largest variance, orders the states of a long
window. On a closed curve the line through all of them in that order is as long as the line through
every fourth; through states that fill a band, or hop about, it is several times as long. Averages
weighted by ``exp(-1 / (u (1 - u)))``, u from 0 to 1 over the window, converge faster than any power
of its length on such a curve (Das, Saiki, Sander & Yorke 2017), so that of the two halves agree
unless the run is still changing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.orbits import steps
from rnnscope.dynamics.problem import Problem

WINDOW = 2048
"""States that are looked at. What turns once in more than an eighth of it is not recognised."""

LONGER = 1.1
"""How much longer the line through all states may be than that through every fourth."""

STEADY = 1e-4
"""How much, relative to its size, the curve may differ between the halves of the window."""

TURNING = 1e-5
"""How much the turns a step may differ between them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Circle:
    """A closed curve that a run turns on.

    Attributes:
        centre: the mean along the run, (N,).
        amplitude: the farthest that a state lies from it.
        rotation: turns a step, from 0 to 1/2.
        error: how much that differs between the halves of the window.
    """

    centre: Tensor
    amplitude: float
    rotation: float
    error: float

    def same(self, other: object, near: float) -> bool:
        """Whether another end is this curve."""
        if not isinstance(other, Circle):
            return False
        within = max(near, 10 * STEADY * self.amplitude)
        return (
            float(norm(self.centre - other.centre)) <= within
            and abs(self.amplitude - other.amplitude) <= 1e-2 * self.amplitude
            and abs(self.rotation - other.rotation) <= 10 * TURNING
        )


def record(problem: Problem, h: Tensor, count: int) -> Tensor:
    """h (S, N) and the ``count`` states after it, (S, count + 1, N)."""
    return steps(problem, h, count)


def circle_of(window: Tensor, *, rounding: float) -> Circle | None:
    """The closed curve that the states of a run (T, N) lie on; None where they lie on none."""
    if not bool(torch.isfinite(window).all()):
        return None
    half = len(window) // 2
    weights = _bump(half)
    centre = weights @ window[:half]
    away = window - centre
    size = float(norm(away).max())
    if size <= 1e3 * rounding:
        return None
    moved = float(norm(weights @ window[half : 2 * half] - centre))
    spread = norm(away).square()
    first, second = float(weights @ spread[:half]), float(weights @ spread[half : 2 * half])
    if moved > STEADY * size or abs(second - first) > STEADY * size * size:
        return None
    plane = torch.linalg.eigh(away.mT @ away).eigenvectors[:, -2:]
    if plane.shape[1] < 2:
        return None
    seen = away @ plane
    angles = torch.atan2(seen[:, 1], seen[:, 0])
    order = angles.argsort(stable=True)
    if not _length(window[order]) <= LONGER * _length(window[order[::4]]):
        return None
    turns = _turns(angles)
    slow, fast = float(weights @ turns[:half]), float(weights @ turns[half - 1 : 2 * half - 1])
    if abs(fast - slow) > TURNING or abs(slow) < 8 / len(window):
        return None
    return Circle(
        centre=centre,
        amplitude=size,
        rotation=min(abs(fast), 1 - abs(fast)),
        error=abs(fast - slow),
    )


def _bump(size: int) -> Tensor:
    u = (torch.arange(size, dtype=torch.float64) + 1) / (size + 1)
    weights = torch.exp(-1 / (u * (1 - u)))
    return weights / weights.sum()


def _length(states: Tensor) -> float:
    """Of the closed line through states in their order."""
    return float(norm(states - states.roll(1, dims=0)).sum())


def _turns(angles: Tensor) -> Tensor:
    """Turns at each step, all within half a turn of their mean."""
    step = angles.diff()
    mean = torch.atan2(step.sin().mean(), step.cos().mean())
    return (mean + (step - mean + pi).remainder(2 * pi) - pi) / (2 * pi)
