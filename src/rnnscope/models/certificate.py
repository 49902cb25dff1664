"""How far our equations are from the module they were read from, as it is stored with a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How far our equations are from the user's module, on the documents named.

    Args:
        states: largest absolute difference of any hidden output, at any position and layer top;
            None where the module's states cannot be watched (a step given as a callable).
        logits: the same for the logits; None when the module's own forward could not be run.
        documents: how many documents were compared; ``words``: how many positions.
        tolerance: what was allowed, relative to max(1, largest value).
        output: what the module's forward returns: logits, log-probabilities or probabilities.
        data: which documents: "yours", or "random" when none were given.
        precisions: "float32" and "float64" -> the largest difference of "states" and "logits" when
            a copy of the module and ours both run in it, on at most 32 of the documents.
        note: what could not be checked, and why; empty when all was.
    """

    states: float | None
    logits: float | None
    documents: int
    words: int
    tolerance: float
    output: str = "logits"
    data: str = "yours"
    note: str = ""
    precisions: dict[str, dict[str, float | None]] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = {"states": self.states, "logits": self.logits}
        gaps = " and ".join(
            f"{name} to {gap:.1e}" for name, gap in parts.items() if gap is not None
        )
        whose = "random documents" if self.data == "random" else "your documents"
        said = f"certified: {gaps or 'nothing compared'} on {self.documents} of {whose}"
        return f"{said}; {self.note}" if self.note else said

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)
