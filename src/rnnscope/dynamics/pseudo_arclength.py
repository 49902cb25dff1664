"""A curve of solutions followed by its own length, so that it may turn back in any coordinate.

``H(u) = 0``, n equations in n + 1 unknowns. From a point with unit tangent t the next one solves

H(u) = 0,   t . (u - u_guess) = 0,   u_guess = u + step t

by Newton's method, and its tangent solves ``DH t' = 0, t . t' = 1`` (Keller 1977). The matrix is
regular where the curve turns back, though the part of it that a parameter would need is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import norm, solve

BEND = 0.97
"""Least cosine between one tangent and the next."""

EASY = 0.997
"""A cosine above this lets the step grow."""

SHORTEST = 1e-4
"""Steps below this part of the longest one are given up."""

NEWTON = 20


class Equations(Protocol):
    """n equations in n + 1 unknowns, scaled so that lengths in u mean something."""

    def __call__(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """``H`` (n,) and ``DH`` (n, n + 1)."""
        ...

    def tolerance(self, u: Tensor) -> float:
        """What ``||H||`` is zero."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One way along a curve.

    Attributes:
        points: (P, n + 1), the start first.
        tangents: unit tangents in the direction of the way, (P, n + 1).
        stop: why it ended, a sentence.
        closed: whether it came back to its start, which is then its last point.
        beyond: the point that ``leaves`` refused, (n + 1,); None where it refused none.
    """

    points: Tensor
    tangents: Tensor
    stop: str
    closed: bool
    beyond: Tensor | None


def correct(equations: Equations, guess: Tensor, across: Tensor) -> Tensor | None:
    """Newton's method onto the curve in the plane through the guess normal to ``across``; None
    where it does not come to rest."""
    u = guess.clone()
    for _ in range(NEWTON):
        H, DH = equations(u)
        rest = torch.cat([H, (across @ (u - guess)).reshape(1)])
        if not bool(torch.isfinite(rest).all()):
            return None
        if float(norm(rest)) <= equations.tolerance(u):
            return u
        u = u - solve(torch.cat([DH, across[None]]), rest)
    return None


def tangent(equations: Equations, u: Tensor, before: Tensor) -> Tensor:
    """The unit tangent at u, on the side of ``before``; not finite where there is none."""
    _, DH = equations(u)
    side = torch.zeros_like(before)
    side[-1] = 1
    t = solve(torch.cat([DH, before[None]]), side)
    return t / norm(t)


def trace(
    equations: Equations,
    start: Tensor,
    first: Tensor,
    *,
    step: float,
    most: int,
    leaves: Callable[[Tensor, Tensor], str],
) -> Trace:
    """Follow the curve from a point on it.

    Args:
        start: (n + 1,), on the curve.
        first: the unit tangent there, in the direction to go.
        step: the longest step.
        most: most points.
        leaves: asked for each new point and its tangent; a sentence where the way ends before it.
    """
    points, tangents = [start], [first]
    length, stop = step / 4, f"It was followed for {most} points."
    closed, away, beyond = False, False, None
    while len(points) < most:
        u, t = points[-1], tangents[-1]
        new = correct(equations, u + length * t, t)
        turned = None
        if new is not None and float(norm(new - u)) <= 2 * length:
            turned = tangent(equations, new, t)
        cosine = float(turned @ t) if turned is not None else float("nan")
        if new is None or turned is None or not cosine >= BEND:
            length /= 2
            if length < SHORTEST * step:
                stop = "No point of it was found within the shortest step."
                break
            continue
        if reason := leaves(new, turned):
            stop, beyond = reason, new
            break
        points.append(new)
        tangents.append(turned)
        apart = float(norm(new - start))
        if away and apart <= 1.01 * length and float(turned @ first) > BEND:
            points[-1], tangents[-1] = start, first
            stop, closed = "It came back to its start.", True
            break
        away |= apart > 2 * step
        if cosine > EASY:
            length = min(step, 1.5 * length)
    return Trace(
        points=torch.stack(points),
        tangents=torch.stack(tangents),
        stop=stop,
        closed=closed,
        beyond=beyond,
    )
