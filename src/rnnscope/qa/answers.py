"""Answers to questions, and how many of them are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnscope.qa.reading import Reading
from rnnscope.statistics import Estimate, share

__all__ = ["Answers"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """One answer a question.

    Attributes:
        reading: the questions with their documents.
        entities: the answers; "" where there is none.
        pair: (questions,), the question and document pair that holds the answer; -1 for none.
        place: (questions,), the word of that document; -1 for none.
        probability: (questions,), the answerer's; NaN where it gives none.
        contrast: (questions,), the network's log-odds there, output bias included; NaN for others.
        plausible: of each question, all entities that the answerer finds at least a fifth as
            probable as its answer, which is among them.
    """

    reading: Reading
    entities: tuple[str, ...]
    pair: np.ndarray
    place: np.ndarray
    probability: np.ndarray
    contrast: np.ndarray
    plausible: tuple[frozenset[str], ...]

    @classmethod
    def of(
        cls,
        reading: Reading,
        pair: np.ndarray,
        place: np.ndarray,
        probability: np.ndarray | None = None,
        contrast: np.ndarray | None = None,
        plausible: Sequence[frozenset[str]] | None = None,
    ) -> Self:
        """From where each answer stands."""
        nothing = np.full(len(pair), np.nan)
        entities = tuple(
            reading.token(p, t) if p >= 0 else ""
            for p, t in zip(pair.tolist(), place.tolist(), strict=True)
        )
        if plausible is None:
            plausible = [frozenset([entity] if entity else []) for entity in entities]
        return cls(
            reading=reading,
            entities=entities,
            plausible=tuple(plausible),
            pair=pair,
            place=place,
            probability=nothing if probability is None else probability,
            contrast=nothing if contrast is None else contrast,
        )

    def __len__(self) -> int:
        return len(self.entities)

    @property
    def right(self) -> np.ndarray:
        """(questions,), whether the answer is one of the right ones."""
        asked = self.reading.corpus.questions
        return np.array(
            [e in q.answers for e, q in zip(self.entities, asked, strict=True)], dtype=bool
        )

    @property
    def given(self) -> np.ndarray:
        """(questions,), whether there is an answer."""
        return self.pair >= 0

    @property
    def hits1(self) -> float:
        """Share of all questions answered rightly; a question without an answer counts."""
        return float(self.right.mean()) if len(self) else 0.0

    @property
    def estimate(self) -> Estimate:
        """hits@1 with its 95 % interval."""
        return share(self.right)

    def agreement(self, other: Answers | Sequence[str]) -> float:
        """Share of the questions to which another gives the same answer, or none as this does."""
        theirs = other.entities if isinstance(other, Answers) else tuple(other)
        same = [a == b for a, b in zip(self.entities, theirs, strict=True)]
        return float(np.mean(same)) if same else 0.0

    def plausibility(self, other: Answers) -> float:
        """Share of all questions whose answer another answerer finds plausible; none counts as
        plausible where the other gives none either."""
        same = [
            a in good or (not a and not good)
            for a, good in zip(self.entities, other.plausible, strict=True)
        ]
        return float(np.mean(same)) if same else 0.0

    def by_category(self) -> dict[str, tuple[int, float]]:
        """By the data's own category, the number of questions and hits@1; "" where it has none."""
        names = np.array([q.category for q in self.reading.corpus.questions])
        right = self.right
        return {
            str(name): (int((names == name).sum()), float(right[names == name].mean()))
            for name in np.unique(names)
        }

    def sentences(self) -> np.ndarray:
        """(questions,), the sentence of its document that holds the answer, from 0; -1 for none.

        Sentences end with the token "."."""
        found = np.full(len(self), -1)
        for row, (pair, place) in enumerate(zip(self.pair, self.place, strict=True)):
            if pair >= 0:
                found[row] = self.reading.words[int(pair)][: int(place)].count(".")
        return found

    def to_dict(self) -> dict[str, Any]:
        """hits@1, coverage and the table by category, JSON-safe."""
        return {
            "questions": len(self),
            "hits1": self.hits1,
            "interval": [self.estimate.low, self.estimate.high],
            "answered": float(self.given.mean()) if len(self) else 0.0,
            "by_category": {
                k: {"questions": n, "hits1": h} for k, (n, h) in self.by_category().items()
            },
        }
