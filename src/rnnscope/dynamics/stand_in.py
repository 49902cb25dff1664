"""A system run in place of a network, judged like any other description of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from rnnscope.models import Model
from rnnscope.notebook import ShowsItself


@dataclass(frozen=True, kw_only=True, eq=False)
class StandIn(ShowsItself):
    """A model whose recurrent system stands in for another's.

    Attributes:
        model: the system with its words and its readout, as a model of its own: it gives
            trajectories, and its fixed points can be sought as any network's.
        width: how many numbers it holds while it reads, the width of its state.
        size: how many numbers it is made of, word weights included.
        name: what it is called in a table.
    """

    model: Model
    width: int
    size: int
    name: str = "stand-in"

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each document, (documents,)."""
        return self.model.predict(documents)

    def logits(self, documents: Iterable[Any]) -> Tensor:
        """The class logits, (documents, classes)."""
        return self.model.logits(documents)

    def states(self, documents: Iterable[Any]) -> Tensor:
        """The state after the last word of each document, (documents, width)."""
        return self.model.final_states(documents)

    def __repr__(self) -> str:
        return f"StandIn({self.name}: {self.width} numbers, made of {self.size:,})"
