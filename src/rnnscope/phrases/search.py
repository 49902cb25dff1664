"""Where a phrase stands in a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Self

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseSearch:
    """A corpus' words as numbers in one row, to be searched for phrases of any length.

    Args:
        numbers: each word's.
        words: the corpus, (words,), int32.
        starts: where each document begins, (documents + 1,).
    """

    numbers: dict[str, int]
    words: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, documents: Sequence[Sequence[str]]) -> Self:
        """Number the words of documents."""
        numbers: dict[str, int] = {}
        flat = chain.from_iterable(documents)
        words = np.fromiter((numbers.setdefault(w, len(numbers)) for w in flat), np.int32)
        starts = np.cumsum([0, *map(len, documents)])
        return cls(numbers=numbers, words=words, starts=starts)

    def find(self, phrase: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Every place where the words stand next to each other within one document.

        Returns:
            the documents and the positions in them, each (occurrences,), in the corpus' order.
        """
        wanted = [self.numbers.get(word, -1) for word in phrase]
        none = np.empty(0, np.int64)
        if not wanted or min(wanted) < 0 or len(wanted) > len(self.words):
            return none, none
        last = len(self.words) - len(wanted) + 1
        at = np.flatnonzero(self.words[:last] == wanted[0])
        for k, number in enumerate(wanted[1:], 1):
            at = at[self.words[at + k] == number]
        documents = np.searchsorted(self.starts, at, side="right") - 1
        whole = at + len(wanted) <= self.starts[documents + 1]
        documents, at = documents[whole], at[whole]
        return documents, at - self.starts[documents]

    def between(self, before: str | None, after: str | None) -> np.ndarray:
        """Which words stand in such a place somewhere in the corpus, (distinct words,) bool.

        Args:
            before: the word that stands before them; None where a document begins.
            after: the word that stands after them; None where a document ends.
        """
        return self._beside(before, 1) & self._beside(after, -1)

    def _beside(self, word: str | None, step: int) -> np.ndarray:
        """The words that stand one step from a word, or at that end of a document."""
        if word is None:
            places = self._edges[0] if step > 0 else self._edges[1]
        else:
            order, begins = self._places
            number = self.numbers.get(word)
            at = order[:0] if number is None else order[begins[number] : begins[number + 1]]
            places = at[self._follows[at + 1] if step > 0 else self._follows[at]] + step
        found = np.zeros(len(self.numbers), dtype=bool)
        found[self.words[places]] = True
        return found

    @property
    def counts(self) -> np.ndarray:
        """How often each word stands in the corpus, by its number."""
        return np.bincount(self.words, minlength=len(self.numbers))

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each word stands, word after word, and where in that row each word's begin."""
        begins = np.concatenate([[0], np.cumsum(self.counts)])
        return np.argsort(self.words, kind="stable"), begins

    @cached_property
    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        """The first and the last word of each document that has any."""
        filled = np.diff(self.starts) > 0
        return self.starts[:-1][filled], self.starts[1:][filled] - 1

    @cached_property
    def _follows(self) -> np.ndarray:
        """Whether each word, and one past the last, follows another of its document."""
        follows = np.ones(len(self.words) + 1, dtype=bool)
        follows[self.starts] = False
        return follows
