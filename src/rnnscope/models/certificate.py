"""How far our equations are from the module they were read from, as it is stored with a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How far our equations are from the user's module, on the documents named.

    Args:
        states: largest absolute difference of any hidden output, at any position and layer top.
        logits: the same for the logits; None when the module's own forward could not be run.
        documents: how many documents were compared; ``words``: how many positions.
        tolerance: what was allowed, relative to max(1, largest value).
        output: what the module's forward returns: logits, log-probabilities or probabilities.
        data: which documents: "yours", or "random" when none were given.
        note: what could not be checked, and why; empty when all was.
    """

    states: float
    logits: float | None
    documents: int
    words: int
    tolerance: float
    output: str = "logits"
    data: str = "yours"
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)
