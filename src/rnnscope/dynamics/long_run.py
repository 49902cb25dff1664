"""What becomes of a network that is left alone: rest, a cycle, a closed curve, or none of these.

Every seed is iterated, and looked at after 64, 128, 256, ... steps:

rest, cycle     the state is back, to rounding, after p steps (1 for rest); or it is in the linear
                neighbourhood of an attracting one that Newton's method finds there (``orbits``)
closed curve    its last states lie on a closed curve that no longer changes, on which it turns
                (``invariant_circle``)

What is none of these when the steps run out is not settled, and said to be.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.fates import Fate, LongRun
from rnnscope.dynamics.fed_inputs import fed_inputs
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.dynamics.invariant_circle import WINDOW, Circle, circle_of, record
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.orbits import Orbit, attracting_orbit, captured
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.seeds import gather_seeds, seed_scale
from rnnscope.dynamics.systems import Network
from rnnscope.errors import UsageError

FIRST = 64
"""Steps before the first look."""

LOOKS = 3
"""States from which, at one look, an attractor not known yet is sought."""

BYTES = 128 * 2**20
"""What the recorded states of some seeds may take at once."""

SAME = 1e-6
"""Two orbits this close, in scales, are one."""


def long_run(
    model: Network,
    seeds: Any,
    inputs: Any = "zero",
    *,
    steps: int = 16_384,
    max_period: int = 64,
    count: int = 64,
    rng: int = 0,
) -> LongRun:
    """Iterate every seed under an input held fixed until it is known what becomes of it.

    Args:
        model: a model, a system or a bare cell; not changed.
        seeds, inputs: as of ``find_fixed_points``; one input for all.
        steps: most steps of the network.
        max_period: the longest cycle that is looked for.
        count, rng: states drawn from documents, and the seed of the draw.

    Raises:
        UsageError: an option out of range.
        DataError, ModelError, NotApplicable: as of ``find_fixed_points``.
    """
    if not isinstance(steps, int) or steps < FIRST:
        raise UsageError(
            "A long run takes some steps.", expected=f"{FIRST} or more", got=repr(steps)
        )
    if not isinstance(max_period, int) or not 1 <= max_period <= WINDOW // 4:
        raise UsageError(
            "The longest period is a number of steps.",
            expected=f"1 to {WINDOW // 4}",
            got=repr(max_period),
        )
    cell = study_cell(model)
    held = hold_input(model, cell, inputs, fed_inputs(model, seeds))
    states = gather_seeds(model, cell, seeds, count=count, rng=rng)
    problem = Problem(cell=cell, x=held.common)
    with heavy():
        return settle(problem, states, seed_scale(states), steps=steps, max_period=max_period)


def settle(
    problem: Problem, starts: Tensor, scale: float, *, steps: int, max_period: int
) -> LongRun:
    """``long_run`` from states (S, N), to be called inside ``heavy``."""
    work = _Work(problem, starts, scale, max_period)
    at = FIRST
    while at <= steps and work.active.any():
        work.run_to(at)
        work.look_for_orbits()
        if 2 * at > steps or at >= 2 * WINDOW:
            work.look_for_circles()
        at *= 2
    return work.result()


class _Work:
    """The seeds under way. Everything is written in place."""

    def __init__(self, problem: Problem, starts: Tensor, scale: float, longest: int) -> None:
        self.problem, self.scale, self.longest = problem, scale, longest
        size = len(starts)
        self.h, self.at = starts.clone(), 0
        self.fates = [Fate.NOT_SETTLED] * size
        self.active = torch.ones(size, dtype=torch.bool)
        self.period, self.attractor = torch.zeros(size).long(), torch.full((size,), -1)
        self.steps = torch.zeros(size).long()
        nan = torch.full((size,), torch.nan, dtype=torch.float64)
        self.rotation, self.error, self.amplitude = nan.clone(), nan.clone(), nan.clone()
        self.ends: list[Orbit | Circle] = []

    def run_to(self, at: int) -> None:
        k = self._rows()
        h = self.h[k]
        for _ in range(at - self.at):
            h = self.problem.step(h)
        self.h[k], self.steps[k], self.at = h, at, at
        lost = k[~torch.isfinite(h).all(-1)]
        self.active[lost] = False
        for row in lost.tolist():
            self.fates[row] = Fate.NOT_FINITE

    def look_for_orbits(self) -> None:
        looks = LOOKS
        for k in self._chunks(2 * self.longest + 1):
            window = record(self.problem, self.h[k], 2 * self.longest)
            if not bool(torch.isfinite(window).all()):
                continue
            left = self._returned(k, window)
            for end in [one for one in self.ends if isinstance(one, Orbit)]:
                left = self._capture(end, k, window, left)
            while looks and left.any():
                looks -= 1
                row = int(left.nonzero()[0])
                found = attracting_orbit(self.problem, window[row], self.longest, self.scale)
                if found is None:
                    # Others may be closer to their end.
                    left[row] = False
                    continue
                left = self._capture(found, k, window, left)
                left[row] = False

    def _returned(self, k: Tensor, window: Tensor) -> Tensor:
        """Mark what is back to rounding, and tell what is left."""
        apart = norm(window[:, 1 : self.longest + 1] - window[:, :1])
        periods = torch.arange(1, self.longest + 1)
        back = apart <= periods * self.problem.rounding(window[:, 0])[:, None]
        for row in back.any(-1).nonzero().squeeze(-1).tolist():
            p = int(back[row].long().argmax()) + 1
            self._end(int(k[row]), Orbit.reached(window[row, :p]))
        return ~back.any(-1)

    def _capture(self, end: Orbit, k: Tensor, window: Tensor, left: Tensor) -> Tensor:
        caught = left & captured(end, window, near=SAME * self.scale)
        for row in k[caught].tolist():
            self._end(row, end)
        return left & ~caught

    def look_for_circles(self) -> None:
        for k in self._chunks(WINDOW):
            window = record(self.problem, self.h[k], WINDOW - 1)
            for row, states in zip(k.tolist(), window, strict=True):
                circle = circle_of(states, rounding=float(self.problem.rounding(states[0])))
                if circle is not None:
                    self._end(row, circle)

    def _end(self, row: int, end: Orbit | Circle) -> None:
        known = [k for k, one in enumerate(self.ends) if one.same(end, SAME * self.scale)]
        if not known:
            known = [len(self.ends)]
            self.ends.append(end)
        self.active[row] = False
        self.attractor[row] = known[0]
        self.amplitude[row] = end.amplitude / self.scale
        if isinstance(end, Circle):
            self.fates[row] = Fate.CIRCLE
            self.rotation[row], self.error[row] = end.rotation, end.error
        else:
            self.period[row] = len(end.states)
            self.fates[row] = Fate.REST if len(end.states) == 1 else Fate.CYCLE

    def _rows(self) -> Tensor:
        return self.active.nonzero().squeeze(-1)

    def _chunks(self, length: int) -> list[Tensor]:
        """Active rows, so many that windows of this length fit."""
        rows = self._rows()
        size = max(1, BYTES // (8 * length * self.problem.width))
        return list(rows.split(size)) if len(rows) else []

    def result(self) -> LongRun:
        return LongRun(
            fates=tuple(self.fates),
            period=self.period,
            rotation=self.rotation,
            rotation_error=self.error,
            amplitude=self.amplitude,
            attractor=self.attractor,
            steps=self.steps,
            states=self.h,
            orbits=tuple(one.states if isinstance(one, Orbit) else None for one in self.ends),
            multipliers=tuple(
                one.multipliers if isinstance(one, Orbit) else None for one in self.ends
            ),
            scale=self.scale,
        )
