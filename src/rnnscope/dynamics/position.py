"""Where documents end along the slow mode: ``l_1^T (h_T - h*)``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.manifold import Manifold
from rnnscope.dynamics.modes import Modes
from rnnscope.errors import NotApplicable
from rnnscope.models import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowPosition:
    """Documents along the slow mode.

    Attributes:
        values: ``l_1^T (h_T - h*)``, in the documents' order, (D,).
        point: the row of the modes whose state is h*.
        reference: h*, (N,).
    """

    values: Tensor
    point: int
    reference: Tensor

    def __len__(self) -> int:
        return len(self.values)


def slow_position(
    model: Model, modes: Modes, line: Manifold, documents: Iterable[Any]
) -> SlowPosition:
    """How far along the slow mode each document's last state lies.

    h* is the linearized point in the middle of the line: of those with a real, well-defined
    slowest mode, the one of median position.

    Raises:
        NotApplicable: no linearized point has such a mode.
    """
    usable = modes.simple_points
    if not len(usable):
        raise NotApplicable(
            "A position along the slow mode needs a real, well-defined slow mode.",
            expected="at least one point where the slowest mode is real",
            got=f"a complex pair or a repeated eigenvalue at all {len(modes)} points",
            fix="use line.coordinate(states), the position along the manifold's axis",
        )
    order = line.coordinate(modes.states[usable]).argsort(stable=True)
    point = int(usable[order[(len(usable) - 1) // 2]])
    reference, left = modes.states[point], modes.left[point, 0].real
    final = model.final_states(documents).detach().to(torch.float64)
    return SlowPosition(values=(final - reference) @ left, point=point, reference=reference)
