"""What becomes of each seed of a network that is left alone (``long_run``)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from rnnscope.notebook import ShowsItself


class Fate(Enum):
    """What becomes of a seed. The value is the sentence's beginning."""

    REST = "It comes to rest"
    CYCLE = "It ends in a cycle"
    CIRCLE = "It never comes to rest: it turns on a closed curve"
    NOT_SETTLED = "It has not settled"
    NOT_FINITE = "It grows without bound"


@dataclass(frozen=True, kw_only=True, eq=False)
class LongRun(ShowsItself):
    """The long-run behaviour of S seeds.

    Attributes:
        fates: one a seed.
        period: steps after which it is back: 1 at rest, p on a cycle; 0 otherwise, (S,).
        rotation: turns a step on a closed curve, 0 to 1/2; nan otherwise, (S,).
        rotation_error: how much that still changed within the window, (S,).
        amplitude: the farthest that the states it ends among lie from their mean, in scales; 0 at
            rest, nan where it did not settle, (S,).
        attractor: which seeds end in the same place: a number for each distinct end, from 0; -1
            where it did not settle, (S,).
        steps: steps after which that was seen, (S,).
        states: the last state of each, (S, N).
        orbits: the states of each distinct rest or cycle, (p, N) each; None for closed curves.
        multipliers: moduli of the multipliers of each, falling; None for closed curves, and for
            orbits that were reached to rounding without being attracting and isolated.
        scale: the seeds' mean distance to their centroid.
    """

    fates: tuple[Fate, ...]
    period: Tensor
    rotation: Tensor
    rotation_error: Tensor
    amplitude: Tensor
    attractor: Tensor
    steps: Tensor
    states: Tensor
    orbits: tuple[Tensor | None, ...]
    multipliers: tuple[Tensor | None, ...]
    scale: float

    def __len__(self) -> int:
        return len(self.fates)

    @property
    def counts(self) -> dict[str, int]:
        """Seeds by fate, every fate named."""
        found = Counter(self.fates)
        return {fate.name.lower(): found[fate] for fate in Fate}

    def sentence(self, seed: int) -> str:
        """What becomes of one seed, in words."""
        fate, steps = self.fates[seed], int(self.steps[seed])
        text, wide = fate.value, f"{float(self.amplitude[seed]):.2g} scales wide"
        if fate is Fate.REST:
            return f"{text}, at attractor {int(self.attractor[seed])}, seen after {steps} steps."
        if fate is Fate.CYCLE:
            period = int(self.period[seed])
            return f"{text} of {period} steps, {wide}, seen after {steps} steps."
        if fate is Fate.CIRCLE:
            turn = 1 / float(self.rotation[seed])
            return f"{text}, once in {turn:.5g} steps, {wide}, seen after {steps} steps."
        if fate is Fate.NOT_FINITE:
            return f"{text}: the state is not finite after {steps} steps."
        return f"{text} after {steps} steps: no rest, no short cycle, no closed curve."

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        seeds = torch.bincount(self.attractor[self.attractor >= 0], minlength=len(self.orbits))
        first = [int((self.attractor == k).nonzero()[0]) for k in range(len(self.orbits))]
        return {
            "seeds": len(self),
            "fates": self.counts,
            "attractors": [
                {
                    "fate": self.fates[row].name.lower(),
                    "seeds": int(seeds[k]),
                    "period": int(self.period[row]) or None,
                    "steps_a_turn": _turn(float(self.rotation[row])),
                    "amplitude_in_scales": float(self.amplitude[row]),
                }
                for k, row in enumerate(first)
            ],
        }

    def __repr__(self) -> str:
        found = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in self.counts.items() if n)
        return f"LongRun of {len(self)} seeds: {found}; {len(self.orbits)} attractors"


def _turn(rotation: float) -> float | None:
    return 1 / rotation if rotation == rotation and rotation > 0 else None
