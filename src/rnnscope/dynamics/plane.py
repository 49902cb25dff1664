"""The plane, or space, in which a network's state space is shown: where its states vary most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from rnnscope.dynamics.points import FixedPoints


@dataclass(frozen=True, kw_only=True, eq=False)
class StatePlane:
    """The first principal axes of the states that fixed points were sought from: two, or three.

    Args:
        center: the mean of those states, (N,).
        axes: (D, N), unit rows; the first points along the readout where there is one. One is zero
            where the states have no such dimension.
        variance: each axis' share of the variance, (D,).
        readout: the unit direction of the readout in the plane of the first two, (2,); None without
            a readout.
    """

    center: Tensor
    axes: Tensor
    variance: tuple[float, ...]
    readout: Tensor | None

    @classmethod
    def of(cls, points: FixedPoints, *, dimensions: int = 2) -> Self:
        """The plane of a search's seeds, or their space of three dimensions."""
        center = points.seeds.mean(dim=0)
        _, sigma, found = torch.linalg.svd(points.seeds - center, full_matrices=False)
        axes = torch.cat([found, found.new_zeros(dimensions, found.shape[1])])[:dimensions]
        readout = None
        if points.readout is not None:
            if float(axes[0] @ points.readout) < 0:
                axes = torch.cat([-axes[:1], axes[1:]])
            arrow = axes[:2] @ points.readout
            readout = arrow / arrow.norm().clamp_min(1e-300)
        shares = (sigma**2 / (sigma**2).sum().clamp_min(1e-300)).tolist()
        variance = tuple([*shares, *[0.0] * dimensions][:dimensions])
        return cls(center=center, axes=axes, variance=variance, readout=readout)

    def project(self, states: Tensor) -> Tensor:
        """Where states (..., N) stand, (..., D), float64 on the CPU."""
        return (states.detach().cpu().double() - self.center) @ self.axes.mT
