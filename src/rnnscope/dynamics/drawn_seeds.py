"""Seeds that are made rather than visited: in a box, or drawn like visited states; and the states
that a network without words visits when it is run on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.errors import DataError, UsageError


@dataclass(frozen=True, kw_only=True, eq=False)
class Box:
    """States drawn evenly from a box.

    Attributes:
        low, high: its corners, a number or (N,).
        count: how many.
    """

    low: Any
    high: Any
    count: int = 256

    def draw(self, width: int, *, rng: int) -> Tensor:
        """(count, width) float64.

        Raises:
            DataError: corners of another width, not finite, or the wrong way round.
            UsageError: ``count`` below 1.
        """
        _positive(self.count)
        low, high = (
            torch.as_tensor(np.asarray(corner, dtype=np.float64))
            for corner in (self.low, self.high)
        )
        fits = all(tuple(corner.shape) in ((), (width,)) for corner in (low, high))
        if not fits or not bool((torch.isfinite(low + high)).all() and (low <= high).all()):
            raise DataError(
                "A box has a low and a high corner.",
                expected=f"finite numbers or vectors ({width},), low <= high",
                got=f"shapes {tuple(low.shape)} and {tuple(high.shape)}"
                if not fits
                else "a corner that is not finite, or low above high",
            )
        generator = torch.Generator().manual_seed(rng)
        even = torch.rand(self.count, width, generator=generator, dtype=torch.float64)
        return low + even * (high - low)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """States drawn with the mean and the covariance of visited ones.

    Attributes:
        source: documents, a trajectory, states, or ``Runs``: anything that seeds can be.
        count: how many.
        visited: visited states that mean and covariance are taken over.
    """

    source: Any
    count: int = 256
    visited: int = 2048


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """States that a network visits when it is run on arrays of inputs.

    Attributes:
        inputs: (B, T, d).
        lengths: steps of each run, (B,); None for all.
        initial: the state before the first step, (N,); None for zero.
    """

    inputs: Any
    lengths: Any = None
    initial: Any = None

    def draw(self, cell: Cell, *, count: int, rng: int) -> Tensor:
        """At most ``count`` of the visited states, (S, N) float64.

        Raises:
            DataError: inputs of another width, not finite, none, or lengths that do not fit.
        """
        x = torch.as_tensor(np.asarray(self.inputs, dtype=np.float64))
        if x.ndim != 3 or x.shape[-1] != cell.input_size or not x.numel():
            raise DataError(
                "Runs are arrays of inputs.",
                expected=f"(runs, steps, {cell.input_size})",
                got=str(tuple(x.shape)),
            )
        if not torch.isfinite(x).all():
            raise DataError("Inputs must be finite.", got="values that are not")
        runs, steps = x.shape[:2]
        lengths = torch.full((runs,), steps)
        if self.lengths is not None:
            lengths = torch.as_tensor(np.asarray(self.lengths))
            if lengths.shape != (runs,) or int(lengths.min()) < 1 or int(lengths.max()) > steps:
                raise DataError(
                    "Each run has a length.",
                    expected=f"{runs} whole numbers from 1 to {steps}",
                    got=str(lengths.tolist()[:8]),
                )
        h = cell.initial_state(runs)
        if self.initial is not None:
            h = h + torch.as_tensor(np.asarray(self.initial, dtype=np.float64))
        visited = []
        with torch.no_grad(), heavy():
            for t in range(steps):
                h = cell.step(x[:, t], h)
                visited.append(h[lengths > t])
        states = torch.cat(visited)
        generator = torch.Generator().manual_seed(rng)
        return states[torch.randperm(len(states), generator=generator)[:count]]


def like(states: Tensor, *, count: int, rng: int) -> Tensor:
    """Normal states with the mean and covariance of these (S, N), (count, N)."""
    _positive(count)
    generator = torch.Generator().manual_seed(rng)
    weights = torch.randn(count, len(states), generator=generator, dtype=torch.float64)
    centre = states.mean(0)
    return centre + weights @ (states - centre) / max(1, len(states) - 1) ** 0.5


def _positive(count: Any) -> None:
    if not isinstance(count, int) or count < 1:
        raise UsageError("At least one seed is drawn.", expected="count >= 1", got=repr(count))
