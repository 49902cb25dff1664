"""The plane in which a network's state space is shown: where its states vary most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from rnnscope.dynamics.points import FixedPoints


@dataclass(frozen=True, kw_only=True, eq=False)
class StatePlane:
    """The first two principal axes of the states that fixed points were sought from.

    Args:
        center: the mean of those states, (N,).
        axes: (2, N), unit rows; the first points along the readout where there is one. The second
            is zero where the states lie on a line.
        variance: each axis' share of the variance, (2,).
        readout: the unit direction of the readout in the plane, (2,); None without a readout.
    """

    center: Tensor
    axes: Tensor
    variance: tuple[float, float]
    readout: Tensor | None

    @classmethod
    def of(cls, points: FixedPoints) -> Self:
        """The plane of a search's seeds."""
        center = points.seeds.mean(dim=0)
        _, sigma, axes = torch.linalg.svd(points.seeds - center, full_matrices=False)
        plane = axes[:2]
        if len(plane) < 2:
            plane = torch.cat([plane, torch.zeros_like(plane)])[:2]
        if points.readout is not None and float(plane[0] @ points.readout) < 0:
            plane = plane * torch.tensor([[-1.0], [1.0]], dtype=plane.dtype)
        shares = (sigma**2 / (sigma**2).sum().clamp_min(1e-300)).tolist()
        readout = None
        if points.readout is not None:
            arrow = plane @ points.readout
            readout = arrow / arrow.norm().clamp_min(1e-300)
        first, second = (*shares, 0.0, 0.0)[:2]
        return cls(center=center, axes=plane, variance=(first, second), readout=readout)

    def project(self, states: Tensor) -> Tensor:
        """Where states (..., N) stand in the plane, (..., 2), float64 on the CPU."""
        return (states.detach().cpu().double() - self.center) @ self.axes.mT
