"""Where seeds came down on the slow manifold."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Where each seed came down on the slow manifold.

    Attributes:
        states: (S, N).
        drift: the slow part ``P G`` of the residual, (S, N).
        slow: length of what of the drift lies along directions slower than ``slow_time`` itself,
            not only than half of it, (S,).
        fast: ``||(I - P) G||``, 0 on the slow manifold, (S,).
        slow_count: slow directions that the residual has a part in, (S,).
        steps: steps tried, (S,).
    """

    states: Tensor
    drift: Tensor
    slow: Tensor
    fast: Tensor
    slow_count: Tensor
    steps: Tensor
