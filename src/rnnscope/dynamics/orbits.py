"""Periodic orbits: ``F^p(h) = h`` by Newton's method, and which states an attracting one draws in.

The Jacobian of the p-fold step comes of the chain rule, ``M(h) = J(h_{p-1}) ... J(h_1) J(h_0)``;
its eigenvalues are the orbit's multipliers. p = 1 is a fixed point.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import eigenvectors, inverse, norm, solve
from rnnscope.dynamics.problem import Problem

CAPTURED = 0.25
"""A state whose Newton step, with the orbit's own M, ends this close to it, as a part of its
distance, is in its linear neighbourhood."""

CLOSER = 0.5
"""A shorter period is preferred unless a longer one brings the state back this much closer."""

NEWTON = 20

NEUTRAL = 1e-9
"""A multiplier this close to 1 leaves it open whether an orbit attracts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Orbit:
    """A periodic orbit.

    Attributes:
        states: in their order, (p, N).
        multipliers: their moduli, falling, (N,); None where it was reached, not found by Newton.
        inverse: ``(M - I)^-1`` at the first state, (N, N); None likewise.
    """

    states: Tensor
    multipliers: Tensor | None = None
    inverse: Tensor | None = None

    @classmethod
    def reached(cls, states: Tensor) -> Orbit:
        """One that a state has come to, to rounding."""
        return cls(states=states.clone())

    @property
    def amplitude(self) -> float:
        """The farthest that its states lie from their mean."""
        return float(norm(self.states - self.states.mean(0)).max())

    def same(self, other: object, near: float) -> bool:
        """Whether another end is this orbit."""
        if not isinstance(other, Orbit) or len(other.states) != len(self.states):
            return False
        return bool(norm(self.states - other.states[0]).min() <= near)


def steps(problem: Problem, h: Tensor, count: int) -> Tensor:
    """h (S, N) and the states after it, (S, count + 1, N)."""
    states = [h]
    for _ in range(count):
        states.append(problem.step(states[-1]))
    return torch.stack(states, dim=1)


def monodromy(problem: Problem, orbit: Tensor) -> Tensor:
    """The Jacobian of as many steps as the orbit (S, p + 1, N) has, (S, N, N)."""
    M = problem.tangent(orbit[:, 0]).matrix()
    for k in range(1, orbit.shape[1] - 1):
        M = problem.tangent(orbit[:, k]).matrix() @ M
    return M


def likely_period(window: Tensor, longest: int) -> int:
    """The steps after which the first state of (T, N) is most nearly back."""
    apart = norm(window[1 : longest + 1] - window[0])
    return int((apart <= apart.min() / CLOSER).long().argmax()) + 1


def attracting_orbit(problem: Problem, window: Tensor, longest: int, scale: float) -> Orbit | None:
    """The attracting orbit near the states (T, N) of a run: of the period after which they are
    most nearly back, else a fixed point; None where Newton's method finds none."""
    for period in dict.fromkeys((likely_period(window, longest), 1)):
        h = newton_orbit(problem, window[:1], period, 2 * scale)
        if h is None:
            continue
        orbit = steps(problem, h, period)
        # A shorter orbit is found under its own period, or not at all.
        returns = norm(orbit[0, 1:period] - orbit[0, 0])
        if period > 1 and bool((returns <= 1e-6 * scale).any()):
            continue
        M = monodromy(problem, orbit)[0]
        moduli = eigenvectors(M)[0].abs().sort(descending=True).values
        if not float(moduli[0]) < 1 - NEUTRAL:
            continue
        M.diagonal().sub_(1)
        return Orbit(states=orbit[0, :period], multipliers=moduli, inverse=inverse(M))
    return None


def captured(orbit: Orbit, window: Tensor, *, near: float) -> Tensor:
    """Which of the runs (S, T, N), T > 2p, are in the orbit's linear neighbourhood, (S,)."""
    p, home = len(orbit.states), orbit.states[0]
    apart = norm(window[:, :p] - home)
    phase = apart.argmin(-1)
    rows = torch.arange(len(window))
    if orbit.inverse is None:
        return apart[rows, phase] <= near
    h = window[rows, phase]
    G = window[rows, phase + p] - h
    landed = norm(h - home - G @ orbit.inverse.mT)
    return landed <= (CAPTURED * apart[rows, phase]).clamp_min(near)


def newton_orbit(problem: Problem, h: Tensor, period: int, reach: float) -> Tensor | None:
    """``F^period(h) = h`` by plain Newton steps from one state (1, N): near an orbit no more is
    needed. None where they do not settle, or go farther than ``reach``."""
    start, most = h, period * 10
    for _ in range(NEWTON):
        orbit = steps(problem, h, period)
        G = orbit[:, -1] - h
        if bool(norm(G) <= most * problem.rounding(h)):
            return h
        A = monodromy(problem, orbit)
        A.diagonal(dim1=-2, dim2=-1).sub_(1)
        h = h - solve(A, G)
        if not bool(norm(h - start) <= reach):
            return None
    return None
