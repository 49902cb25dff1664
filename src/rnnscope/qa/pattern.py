"""A pattern that finds an answer in a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnnscope.errors import DataError
from rnnscope.qa.reading import ENTITY, NUMBER

__all__ = ["Pattern"]

ANSWER, ANSWER_NUMBER = "<answer>", "<answer:number>"
START, END, ANYTHING = "<start>", "<end>", "..."


def slot_kind(word: str) -> str | None:
    """Of what type the answer is that a pattern's word stands for: "" for any, None where it
    stands for no answer."""
    if word == ANSWER:
        return ""
    typed = word.startswith("<answer:") and word.endswith(">")
    return word.removeprefix("<answer:").removesuffix(">") if typed else None


def typed_slot(kind: str) -> str:
    """The word for an answer of a type."""
    return f"<answer:{kind}>" if kind else ANSWER


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Words that stand in this order in a document, for questions of one category.

    Some words stand for others: ``<entity>`` is any entity, ``<number>`` any number, ``<start>``
    and ``<end>`` the document's ends, ``<asked1>`` the question's first entity, ``...`` any words
    or none. ``<answer>`` is a candidate, ``<answer:number>`` one that is a number and
    ``<answer:genre>`` one of that type in the data; what it stands for is the answer. A pattern
    without any of them gives the first candidate within some words of its last word, itself
    included.

    Attributes:
        words: of the pattern.
        category: of the questions it is for.
        score: S of the pattern, or in v1 its place's ratio of counts; None where made by hand.
        count: the questions it was found in; None where made by hand.
        precision: the share of the mined questions with a match in which the first match is an
            answer that the network finds plausible; None where made by hand.

    Raises:
        DataError: no words, nothing but ``...``, or two answers.
    """

    words: tuple[str, ...]
    category: str
    score: float | None = None
    count: int | None = None
    precision: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        ends = {self.words[0], self.words[-1]} if self.words else {ANYTHING}
        if not all(isinstance(w, str) and w for w in self.words) or ANYTHING in ends:
            raise DataError(
                "A pattern begins and ends with a word.", got=f"{' '.join(map(str, self.words))!r}"
            )
        if sum(slot_kind(word) is not None for word in self.words) > 1:
            raise DataError("A pattern has one answer at most.", got=self.text)

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)

    @property
    def slot(self) -> str | None:
        """How the answer is written in it, or None where it stands beyond."""
        return next((word for word in self.words if slot_kind(word) is not None), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        known = {
            "category": self.category,
            "pattern": self.text if not any(" " in w for w in self.words) else list(self.words),
            "score": None if self.score is None else float(f"{min(self.score, 1e12):.6g}"),
            "count": self.count,
            "precision": None if self.precision is None else round(self.precision, 4),
        }
        return {key: value for key, value in known.items() if value is not None}


def generalised(
    words: Sequence[str], entities: Sequence[bool], numbers: Sequence[bool]
) -> list[str]:
    """The words with entities as placeholders, numbers as theirs."""
    return [
        NUMBER if number and entity else ENTITY if entity else word
        for word, entity, number in zip(words, entities, numbers, strict=True)
    ]
