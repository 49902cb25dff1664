"""How far a linearization is from what its eigenvalues alone say.

A normal J has orthogonal modes and ``||J^k|| = radius^k``. Otherwise changes can grow for a while
though every mode decays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.linalg import singular_values
from rnnscope.dynamics.step_jacobians import Jacobians, map_jacobians
from rnnscope.errors import UsageError
from rnnscope.models import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class NonNormality:
    """Of ``J_rec`` at P points.

    Attributes:
        departure: Henrici's departure from normality, as a share of the Frobenius norm, (P,): 0
            for a normal matrix, 1 for a nilpotent one. Exact to about 1e-7.
        growth: ``||J^k||_2`` for k = 1, ..., steps, (P, steps): the most that any change has grown
            after k steps.
        radius: the largest |lambda|, (P,); radius^k is what the eigenvalues alone say.
    """

    departure: Tensor
    growth: Tensor
    radius: Tensor

    @property
    def peak(self) -> Tensor:
        """The most that any change has grown by, over these steps, (P,); at least 1."""
        return self.growth.amax(-1).clamp_min(1)

    @property
    def peak_step(self) -> Tensor:
        """After how many steps, (P,); 0 where nothing ever grows."""
        top, step = self.growth.max(-1)
        return torch.where(top > 1, step + 1, 0)

    @property
    def transient(self) -> Tensor:
        """Whether some change grows for a while though every mode decays, (P,)."""
        return (self.radius < 1) & (self.peak > 1 + 1e-12)


def non_normality(
    model: Model | Cell, points: Any, inputs: Any = None, *, steps: int = 20
) -> NonNormality:
    """Departure from normality and transient growth at each point, streamed.

    Args:
        model, points, inputs: as for ``jacobians``.
        steps: how many powers of J are taken.

    Raises:
        DataError, UsageError: as ``jacobians``; also steps below 1.

    Source:
        Henrici 1962; Trefethen & Embree 2005
    """
    if steps < 1:
        raise UsageError("At least one step is taken.", expected="steps >= 1", got=str(steps))

    def measure(J: Jacobians) -> tuple[Tensor, Tensor, Tensor]:
        return _measure(J.square, steps)

    parts = map_jacobians(measure, model, points, inputs, which="rec")
    departure, growth, radius = (torch.cat(part) for part in zip(*parts, strict=True))
    return NonNormality(departure=departure, growth=growth, radius=radius)


def _measure(J: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    modulus = torch.linalg.eigvals(J).abs()
    size = (J * J).sum((-1, -2))
    rest = (size - (modulus * modulus).sum(-1)).clamp_min(0)
    departure = torch.where(size > 0, (rest / size.clamp_min(1e-300)).sqrt(), 0.0)
    growth, power = J.new_empty(len(J), steps), J
    for k in range(steps):
        power = power if k == 0 else power @ J
        growth[:, k] = singular_values(power)[:, 0]
    return departure, growth, modulus.amax(-1)
