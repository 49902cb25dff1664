"""What alignment chance gives: directions drawn with the covariance of the visited states.

Random unit vectors of a wide space are nearly orthogonal to everything, a straw man; the visited
states fill few dimensions, and so do the directions drawn from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import beta
from torch import Tensor

from rnnscope.dynamics.linalg import norm


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment:
    """How well directions agree, |cos| from 0 to 1, beside what chance gives.

    Attributes:
        values: |cos| of each pair compared, (n,).
        median, low, high: their median and 5 % and 95 % quantiles.
        null_median, null_high: median and 95 % quantile for directions drawn with the
            covariance of the visited states. Where those already lie along a line, this null
            holds most of the effect itself.
        isotropic_median: median for directions drawn at random in the whole space.
    """

    values: Tensor
    median: float
    low: float
    high: float
    null_median: float
    null_high: float
    isotropic_median: float

    @classmethod
    def of(cls, values: Tensor, null: Tensor, *, width: int) -> Alignment:
        """The summary of these values and of the null's, in a space of this width."""
        low, median, high = _quantiles(values, 0.05, 0.5, 0.95)
        null_median, null_high = _quantiles(null, 0.5, 0.95)
        return cls(
            values=values,
            median=median,
            low=low,
            high=high,
            null_median=null_median,
            null_high=null_high,
            # The squared cosine with a fixed direction is Beta(1/2, (n - 1)/2).
            isotropic_median=float(beta.median(0.5, (width - 1) / 2) ** 0.5) if width > 1 else 1.0,
        )

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        names = ("median", "low", "high", "null_median", "null_high", "isotropic_median")
        return {name: getattr(self, name) for name in names}


def draw_directions(states: Tensor, *, draws: int, rng: int) -> Tensor:
    """Unit vectors with the covariance of the states (S, N), (draws, N)."""
    return unit(draw_states(states, draws=draws, rng=rng))


def draw_states(states: Tensor, *, draws: int, rng: int) -> Tensor:
    """Normal vectors of mean 0 with the covariance of the states (S, N), (draws, N)."""
    generator = torch.Generator().manual_seed(rng)
    weights = torch.randn(draws, len(states), generator=generator, dtype=states.dtype)
    return weights @ (states - states.mean(0)) / max(1, len(states) - 1) ** 0.5


def unit(v: Tensor) -> Tensor:
    """Vectors at length 1; a zero vector stays."""
    return v / norm(v).clamp_min(1e-300).unsqueeze(-1)


def _quantiles(values: Tensor, *levels: float) -> list[float]:
    return torch.quantile(values, torch.tensor(levels, dtype=values.dtype)).tolist()
