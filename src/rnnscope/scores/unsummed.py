"""Word scores that are not terms of a sum, so that adding them up says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from rnnscope.errors import NotApplicable
from rnnscope.scores.word_scores import Completeness, DocumentScores, WordScores


@dataclass(frozen=True, kw_only=True, eq=False)
class UnsummedDocumentScores(DocumentScores):
    """The scores of one document, by a method that does not split the logits into terms."""

    method: str

    @property
    def completeness(self) -> float:
        """Refused: these scores are not meant to add up to the logits."""
        refuse_completeness(self.method)


class UnsummedScores(WordScores):
    """The scores of a corpus, by a method that does not split the logits into terms."""

    @property
    def completeness(self) -> Completeness:
        """Refused: these scores are not meant to add up to the logits."""
        refuse_completeness(self.method)

    def __getitem__(self, index):  # type: ignore[override]
        found = super().__getitem__(index)
        if isinstance(found, list):
            return found
        return UnsummedDocumentScores(
            tokens=found.tokens,
            values=found.values,
            initial=found.initial,
            logits=found.logits,
            bias=found.bias,
            method=self.method,
        )


def refuse_completeness(method: str) -> NoReturn:
    """Raise the sentence on why there is no sum to hold the scores against."""
    raise NotApplicable(
        f"The scores of {method} are not terms of a sum, so they have no completeness.",
        expected="a method whose scores add up: beta, gamma or integrated gradients",
        got=method,
        fix="compare the scores with deletion, or use IntegratedGradients",
    )
