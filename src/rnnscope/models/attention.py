"""Attention pooling: the positions' outputs averaged with weights that the outputs decide.

e_t = steps(y_t)               learned, one number a position (Yang et al. 2016)
e_t = scale * <y_t, y_last>    by the last output (Luong et al. 2015)
a   = softmax(e) over the positions of the document
pooled = sum_t a_t y_t
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from rnnscope.cells import Steps, through, width_after
from rnnscope.errors import ModelError


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """How much each position counts.

    Args:
        steps: from an output to one number; empty where the last output is the query.
        scale: the factor on the products with the last output.
    """

    steps: Steps = ()
    scale: float = 1.0

    def check(self, width: int) -> None:
        """Hold it against the width of what it reads.

        Raises:
            ModelError: the steps do not take it, or give more than one number.
        """
        if self.steps and width_after(self.steps, width) != 1:
            raise ModelError(
                "Attention gives each position one number.",
                expected="steps that end in width 1",
                got=f"width {width_after(self.steps, width)}",
            )

    def weights(self, outputs: Tensor, last: Tensor, padding: Tensor) -> Tensor:
        """The weights (B, T), zero in the padding, of outputs (B, T, H) and last ones (B, H)."""
        if self.steps:
            scores = through(self.steps, outputs).squeeze(-1)
        else:
            scores = self.scale * (outputs @ last.unsqueeze(-1)).squeeze(-1)
        return torch.softmax(scores.masked_fill(padding, -torch.inf), dim=-1)

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """This with ``function`` applied to each weight."""
        return replace(self, steps=tuple(step.map(function) for step in self.steps))
