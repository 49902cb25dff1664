"""A slow manifold of one dimension as a curve with its length and its drift (``trace_curve``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.arc_length import along_line
from rnnscope.notebook import ShowsItself


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveRoot:
    """Where the drift along the curve changes its sign.

    Attributes:
        position: where, in units of the state from the first end.
        state: the fixed point of the network there; else the curve's own point, (N,).
        isolated: whether a fixed point of the network is there, and not only rest along the curve.
        attracts: whether the drift on either side leads to it.
    """

    position: float
    state: Tensor
    isolated: bool
    attracts: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowCurve(ShowsItself):
    """A curve of P points along the slow manifold. float64.

    Attributes:
        states: in their order, (P, N).
        position: the way from the first, in units of the state, (P,).
        drift: the motion along the curve without input, a step, positive towards the last, (P,).
        sideways: length of the motion in the other slow directions, (P,); 0 where there are none.
        modes: the unit slow mode at each, pointing towards the last, (P, N).
        slow: its eigenvalue, (P,).
        next: the eigenvalue nearest to 1 beside it, (P,) complex.
        dimension: slow directions at each, (P,).
        nearest: distance to the nearest seed, in scales, (P,).
        roots: where the drift is 0.
        neutral: whether the drift is at rounding level everywhere: an exact line.
        closed: whether it is a ring; its last point is then its first again.
        ends: why it ends at its first and at its last point.
        scale: the seeds' mean distance to their centroid.
    """

    states: Tensor
    position: Tensor
    drift: Tensor
    sideways: Tensor
    modes: Tensor
    slow: Tensor
    next: Tensor
    dimension: Tensor
    nearest: Tensor
    roots: tuple[CurveRoot, ...]
    neutral: bool
    closed: bool
    ends: tuple[str, str]
    scale: float

    def __len__(self) -> int:
        return len(self.states)

    @property
    def length(self) -> float:
        """In units of the state."""
        return float(self.position[-1])

    @property
    def time_constants(self) -> Tensor:
        """Steps in which the slow mode decays, or grows, by e, (P,)."""
        return 1 / self.slow.abs().log().abs()

    def place(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Where on the curve states (S, N) are nearest to it, and how far off they are, (S,) each,
        in units of the state. The curve goes on straight beyond its ends."""
        return along_line(self.states, states.detach().to("cpu", torch.float64))

    @property
    def sentence(self) -> str:
        """The curve in words."""
        what = "A ring" if self.closed else "A curve"
        if self.neutral:
            inner = "every point of it is a fixed point"
        else:
            stable = sum(root.attracts for root in self.roots)
            count = len(self.roots)
            inner = f"it rests at {count} point{'s' * (count != 1)}, {stable} attracting along it"
        per = float(self.drift.abs().median()) / self.scale
        several = int(self.dimension.max())
        beside = f"; up to {several} directions are slow there" if several > 1 else ""
        return (
            f"{what} {self.length / self.scale:.3g} scales long; {inner}; the median drift is "
            f"{per:.2g} scales a step; its eigenvalue is {float(self.slow.min()):.4g} to "
            f"{float(self.slow.max()):.4g}, the next {float(self.next.abs().median()):.3g}{beside}."
        )

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "points": len(self),
            "length": self.length,
            "length_in_scales": self.length / self.scale,
            "closed": self.closed,
            "neutral": self.neutral,
            "roots": [
                {"position": r.position, "isolated": r.isolated, "attracts": r.attracts}
                for r in self.roots
            ],
            "median_drift": float(self.drift.abs().median()),
            "median_sideways_drift": float(self.sideways.median()),
            "slow_eigenvalue": [float(self.slow.min()), float(self.slow.max())],
            "median_next_eigenvalue_modulus": float(self.next.abs().median()),
            "slow_directions": int(self.dimension.max()),
            "ends": list(self.ends),
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return f"SlowCurve({len(self)} points): {self.sentence}"
