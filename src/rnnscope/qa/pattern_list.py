"""An ordered list of patterns: the first that matches gives the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from rnnscope.errors import DataError, UsageError
from rnnscope.qa.answers import Answers
from rnnscope.qa.categories import Categories
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.matching import Texts, one_per_question
from rnnscope.qa.pattern import Pattern
from rnnscope.qa.reading import Reading

__all__ = ["PatternAnswers", "PatternList", "Reason"]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a question was answered as it was.

    Attributes:
        answer: the entity, or "" where no pattern matched.
        pattern: the pattern that decided, or None.
        rank: its place in the list, from 0; -1 for none.
        document: the corpus's document in which it matched; -1 for none.
        first, last: the words between which it matched.
        place: the answer's word.
        excerpt: the words from the first to the answer or the last.
    """

    answer: str
    pattern: Pattern | None
    rank: int
    document: int
    first: int
    last: int
    place: int
    excerpt: tuple[str, ...]

    def __str__(self) -> str:
        if self.pattern is None:
            return "no pattern matched"
        found = " ".join(self.excerpt)
        return (
            f"{self.answer}: pattern {self.rank + 1}, {self.pattern.text!r}, "
            f"in document {self.document}, words {self.first} to {self.last}: {found}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PatternAnswers(Answers):
    """Answers with the pattern that gave each.

    Attributes:
        rank: (questions,), -1 where no pattern matched.
        first, last: (questions,), the words between which it matched.
    """

    rank: np.ndarray
    first: np.ndarray
    last: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class PatternList:
    """Answers questions without the network (Murdoch & Szlam 2017).

    Each question has a category by its words; the patterns of that category are tried in order,
    each on the question's documents in their order, and the first match gives the answer.

    Attributes:
        patterns: in order, those of all categories together.
        categories: tells a question's category.
        gap: words between two words of a pattern, at most.
        within: how far after the last word the answer may stand, for patterns that name none.
        occurrence: whether the "first" or the "last" match in a document gives the answer.
        method: the score that the patterns were mined from; "" for patterns made by hand.
        fingerprint: of the data they were mined from.

    Raises:
        UsageError: a negative gap or reach, or no such occurrence. A gap of 0 is allowed: words
            then stand next to each other.
        DataError: a pattern of a category that does not exist, or that stands twice.
    """

    patterns: tuple[Pattern, ...]
    categories: Categories
    gap: int = 0
    within: int = 5
    occurrence: str = "first"
    method: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", tuple(self.patterns))
        for name in ("gap", "within"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UsageError(
                    "Words between are counted by a whole number, 0 or more.",
                    got=f"{name}={value!r}",
                )
        if self.occurrence not in ("first", "last"):
            raise UsageError(
                "The first or the last match decides.",
                expected="'first' or 'last'",
                got=repr(self.occurrence),
            )
        seen: dict[tuple[str, tuple[str, ...]], int] = {}
        for place, pattern in enumerate(self.patterns, 1):
            if pattern.category not in self.categories.names:
                raise DataError(
                    "A pattern is for a category of the list.",
                    expected=", ".join(self.categories.names),
                    got=f"{pattern.category!r} in pattern {place}, {pattern.text!r}",
                )
            key = pattern.category, pattern.words
            if key in seen:
                raise DataError(
                    "A pattern stands once in its category.",
                    got=f"{pattern.text!r} as pattern {seen[key]} and {place}",
                )
            seen[key] = place

    def __len__(self) -> int:
        return len(self.patterns)

    def answer(self, corpus: QuestionCorpus | Reading) -> PatternAnswers:
        """Answer every question; one that no pattern matches, or that has no candidate, by ""."""
        reading = corpus if isinstance(corpus, Reading) else Reading.of(corpus)
        count = len(reading.question_words)
        pair, place, rank, first, last = (np.full(count, -1) for _ in range(5))
        of = self.categories.of(reading)
        of_pair = of[reading.question]
        for k, category in enumerate(self.categories.names):
            listed = [(r, p) for r, p in enumerate(self.patterns) if p.category == category]
            pairs = np.flatnonzero(of_pair == k)
            if not listed or not len(pairs):
                continue
            texts, size = Texts.of(reading, pairs), len(pairs)
            for number, pattern in listed:
                found = texts.matches(pattern, gap=self.gap, within=self.within)
                asked, at = one_per_question(reading, found, last=self.occurrence == "last")
                new = rank[asked] < 0
                asked, at = asked[new], at[new]
                rank[asked] = number
                pair[asked], place[asked] = found.pair[at], found.place[at]
                first[asked], last[asked] = found.first[at], found.last[at]
                if len(asked):
                    pairs = pairs[rank[reading.question[pairs]] < 0]
                if 3 * len(pairs) < size:
                    # What is answered need not be matched again.
                    texts, size = Texts.of(reading, pairs), len(pairs)
                if not size:
                    break
        base = Answers.of(reading, pair, place)
        return PatternAnswers(**vars(base), rank=rank, first=first, last=last)

    def explain(self, corpus: QuestionCorpus, question: Question | int = 0) -> Reason:
        """Which pattern answers a question, and where it matched.

        Args:
            corpus: holds the documents.
            question: one of its questions, by index, or another one over its documents.
        """
        asked = corpus.questions[question] if isinstance(question, int) else question
        found = self.answer(corpus.having([asked]))
        if found.rank[0] < 0:
            return Reason(
                answer="", pattern=None, rank=-1, document=-1, first=-1, last=-1, place=-1,
                excerpt=(),
            )  # fmt: skip
        pair, first, last = int(found.pair[0]), int(found.first[0]), int(found.last[0])
        place = int(found.place[0])
        return Reason(
            answer=found.entities[0],
            pattern=self.patterns[int(found.rank[0])],
            rank=int(found.rank[0]),
            document=int(found.reading.document[pair]),
            first=first,
            last=last,
            place=place,
            excerpt=corpus.documents[int(found.reading.document[pair])][
                max(0, min(first, place)) : max(last, place) + 1
            ],
        )

    def judge(
        self, corpus: QuestionCorpus | Reading, network: Answers | Sequence[str] | None = None
    ) -> dict[str, Any]:
        """hits@1 in all and by category, coverage, and agreement with the network, JSON-safe."""
        found = self.answer(corpus)
        judged = found.to_dict() | {"patterns": len(self)}
        if network is not None:
            judged["agreement"] = found.agreement(network)
        return judged

    def first_ones(self, most: int) -> Self:
        """The first so many patterns of each category."""
        left = dict.fromkeys(self.categories.names, most)
        kept = []
        for pattern in self.patterns:
            left[pattern.category] -= 1
            if left[pattern.category] >= 0:
                kept.append(pattern)
        return replace(self, patterns=tuple(kept))

    def having(self, patterns: Iterable[Pattern]) -> Self:
        """The same list with other patterns."""
        return replace(self, patterns=tuple(patterns))

    def export(self, path: str | Path) -> Path:
        """Write the list as JSON, one pattern a line, to be edited and loaded again; or, to a path
        that ends in .py, as one Python file that answers questions and needs nothing but Python.

        Raises:
            UsageError: another ending, a path that cannot be written or that holds
                something other than a pattern list.
        """
        from rnnscope.qa.pattern_file import export_patterns

        return export_patterns(self, path)

    @classmethod
    def load(cls, path: str | Path) -> PatternList:
        """Read a list that ``export`` wrote, edited by hand or not. Executes nothing.

        Raises:
            UsageError: there is no file to read.
            DataError: it is no pattern list; the line, or the pattern, is named.
        """
        from rnnscope.qa.pattern_file import load_patterns

        return load_patterns(path)
