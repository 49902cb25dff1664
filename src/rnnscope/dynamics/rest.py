"""What the layers below put out when they are at rest: an input to hold a layer at.

h_l* = F_l(h_l*, x_l),   x_{l+1} = output_l(h_l*)      for each direction of each layer below
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.certificate import polish
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.systems import System
from rnnscope.errors import NotApplicable, UsageError

LOOK = 50
"""Steps between two looks at whether a layer is at rest."""

CLOSE = 1e-6
"""A residual from which Newton's method is tried, of the state's size."""

JUMP = 1e-3
"""Farther than this, of the state's size, Newton's method has gone to another root."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rest:
    """The output of the layers below at rest, as the input that one layer is held at.

    Args:
        inputs: what the network reads meanwhile: "zero", "mean", a word, or a vector.
        steps: most steps that each layer is given to come to rest from its initial state.

    Raises:
        UsageError: ``steps`` below 1.
    """

    inputs: Any = "zero"
    steps: int = 10_000

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int) or self.steps < 1:
            raise UsageError(
                "A layer is given some steps to come to rest.",
                expected="steps >= 1",
                got=repr(self.steps),
            )


def output_at_rest(system: System, x: Tensor, *, steps: int) -> Tensor:
    """What the layer below a system puts out at rest under a constant input to the network.

    Args:
        system: one layer alone, above others.
        x: the network's input, (width,) float64.

    Raises:
        NotApplicable: there is no layer below, or one does not come to rest.
    """
    below = system.below()
    if not below:
        raise NotApplicable(
            "Only a layer above another one reads what that puts out at rest.",
            expected="study_system(model, layer=k) with k above 0",
            got=system.name,
            fix="hold the input at zero, a word or a vector",
        )
    for k, directions in enumerate(below):
        outputs: list[Tensor] = []
        for direction in directions:
            cell = direction.cell.to(torch.float64, "cpu").map(lambda weight: weight.detach())
            start = direction.start.detach().to("cpu", torch.float64)
            outputs.append(cell.output(_rest(cell, x, start, layer=k, steps=steps)))
        x = torch.cat(outputs, dim=-1)
    return x


def _rest(cell: Cell, x: Tensor, h: Tensor, *, layer: int, steps: int) -> Tensor:
    """The root that a cell comes to, (N,)."""
    problem, h = Problem(cell=cell, x=x), h[None].clone()
    with heavy():
        for _ in range(0, steps, LOOK):
            size = 1 + norm(h)
            moving = norm(problem.residual(h))
            if bool(moving <= problem.rounding(h)):
                return h[0]
            if bool(moving <= CLOSE * size):
                found = polish(problem, h)
                still = norm(problem.residual(found)) <= 10 * problem.rounding(found)
                if bool(still & (norm(found - h) <= JUMP * size)):
                    return found[0]
            for _ in range(LOOK):
                h = problem.step(h)
        moving = norm(problem.residual(h))
    raise NotApplicable(
        "A layer can be held at what the layer below puts out at rest only if that comes to rest.",
        expected=f"layer {layer} at rest within {steps} steps of its initial state",
        got=f"a change of {float(moving):.2g} a step",
        fix="hold it at the 'mean' of what the layer below puts out, at 'zero', or at a vector",
    )
