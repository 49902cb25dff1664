"""A slow manifold of two dimensions as a surface: a lattice of points (``trace_surface``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import norm
from rnnscope.notebook import ShowsItself


@dataclass(frozen=True, kw_only=True, eq=False)
class SurfaceRoot:
    """A fixed point of the network on the surface.

    Attributes:
        node: the lattice point nearest to it.
        state: (N,).
        attracts: whether no direction along the surface grows there.
    """

    node: int
    state: Tensor
    attracts: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowSurface(ShowsItself):
    """A two-dimensional slow manifold as a lattice of P points. float64.

    Attributes:
        states: (P, N).
        grid: each point's place in the lattice, the start at (0, 0), (P, 2).
        frames: e1 and e2 there, orthonormal, (P, N, 2).
        drift: the motion along them without input, a step, (P, 2).
        rates: the two slowest eigenvalues of J, (P, 2) complex.
        faces: the points round each cell of the lattice, (F, 4).
        area: of all faces, in squared units of the state.
        roots: fixed points on it.
        neutral: whether the drift is at rounding level everywhere: an exact plane.
        ends: why it goes on no further, and at how many places.
        mismatch: how far at most a point lies from where its other neighbours expect it, in steps.
        step: the lattice's, in units of the state.
        scale: the seeds' mean distance to their centroid.
    """

    states: Tensor
    grid: Tensor
    frames: Tensor
    drift: Tensor
    rates: Tensor
    faces: Tensor
    area: float
    roots: tuple[SurfaceRoot, ...]
    neutral: bool
    ends: dict[str, int]
    mismatch: float
    step: float
    scale: float

    def __len__(self) -> int:
        return len(self.states)

    def place(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Where on the surface states (S, N) are nearest to it: lattice coordinates in units of
        the state (S, 2), and how far off they are (S,), by the tangent plane of the nearest
        point."""
        points = states.detach().to("cpu", torch.float64)
        node = torch.cdist(points, self.states).argmin(-1)
        away = points - self.states[node]
        along = (away[:, None] @ self.frames[node]).squeeze(1)
        off = norm(away - (self.frames[node] @ along[:, :, None]).squeeze(-1))
        return self.grid[node].double() * self.step + along, off

    @property
    def sentence(self) -> str:
        """The surface in words."""
        if self.neutral:
            inner = "every point of it is a fixed point"
        else:
            stable = sum(root.attracts for root in self.roots)
            count = len(self.roots)
            inner = f"{count} fixed point{'s' * (count != 1)} on it, {stable} attracting along it"
        per = float(norm(self.drift).median()) / self.scale
        size = self.rates.abs()
        return (
            f"A surface of {self.area / self.scale**2:.3g} squared scales; {inner}; the median "
            f"drift is {per:.2g} scales a step; its eigenvalues have moduli from "
            f"{float(size.min()):.4g} to {float(size.max()):.4g}."
        )

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "points": len(self),
            "faces": len(self.faces),
            "area_in_squared_scales": self.area / self.scale**2,
            "neutral": self.neutral,
            "roots": [{"node": root.node, "attracts": root.attracts} for root in self.roots],
            "median_drift": float(norm(self.drift).median()),
            "largest_mismatch_in_steps": self.mismatch,
            "ends": self.ends,
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return f"SlowSurface({len(self)} points): {self.sentence}"
