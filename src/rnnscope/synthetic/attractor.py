"""A network whose fixed points are known, and the pieces such networks are built from.

Weights are chosen so that the answers hold in float64 to rounding, most of them exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import torch
from scipy.optimize import brentq
from torch import Tensor

from rnnscope.cells import Cell, Vanilla

SATURATED = 40.0
"""sigm(40) is exactly 1 in float64."""


def _none(width: int = 0) -> Tensor:
    return torch.empty(0, width, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attractor:
    """A cell whose fixed points under zero input are known.

    Attributes:
        cell: the network, float64.
        sentence: what it does.
        roots: all its isolated fixed points, (R, N).
        unstable: growing modes at each, (R,).
        ghosts: all local minima of the speed that are no fixed points, (G, N).
        eigenvalues: at each root, by falling value, (R, N); empty where not known.
        continuum: its fixed points that are not isolated, as a function of positions (M, D) along
            them; None without.
        dimension: D, how many dimensions they have; 0 without.
        continuum_eigenvalues: at every point of the continuum, by falling value, (N,).
        reach: seeds are drawn from the cube of this half-width around 0.
    """

    cell: Cell
    sentence: str
    roots: Tensor = field(default_factory=_none)
    unstable: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))
    ghosts: Tensor = field(default_factory=_none)
    eigenvalues: Tensor = field(default_factory=_none)
    continuum: Callable[[Tensor], Tensor] | None = None
    dimension: int = 0
    continuum_eigenvalues: Tensor = field(default_factory=lambda: _none().flatten())
    reach: float = 1.0

    def seeds(self, count: int, *, rng: int = 0) -> Tensor:
        """States to search from, (count, N)."""
        generator = torch.Generator().manual_seed(rng)
        cube = torch.rand(count, self.cell.state_size, generator=generator, dtype=torch.float64)
        return self.reach * (2 * cube - 1)


def zero_between(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a function that changes sign from ``low`` to ``high``, to rounding."""
    return cast(float, brentq(function, low, high, xtol=1e-15))


def tanh_cell(V: Tensor, *, inputs: int = 1) -> Vanilla:
    """``h' = tanh(V h + 4 x)``: the first units read one input each."""
    units = len(V)
    return Vanilla(W=input_weights(units, inputs), V=V, b=V.new_zeros(units))


def input_weights(units: int, inputs: int) -> Tensor:
    """Strong enough to saturate a tanh at an input of 1, (units, inputs)."""
    return 4 * torch.eye(units, dtype=torch.float64)[:, :inputs].clone()


def rotation(units: int, rng: int) -> Tensor:
    """A random orthogonal matrix."""
    generator = torch.Generator().manual_seed(rng)
    return torch.linalg.qr(torch.randn(units, units, generator=generator, dtype=torch.float64)).Q
