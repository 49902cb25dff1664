"""Which phrases occur in a document, and where: one automaton over one code point per word."""

from __future__ import annotations

from collections.abc import Sequence

import daachorse

from rnnscope.errors import DataError

SURROGATES = range(0xD800, 0xE000)
LIMIT = 0x10FFFF - len(SURROGATES) - 1


class Matcher:
    """Finds the phrases of a list in a document, exactly on word boundaries.

    Args:
        phrases: each a sequence of words; the position in the list is the phrase's rank.
    """

    def __init__(self, phrases: Sequence[tuple[str, ...]]) -> None:
        words = sorted({word for phrase in phrases for word in phrase})
        if len(words) > LIMIT:
            raise DataError(
                "A rule list can hold so many distinct words.",
                expected=f"at most {LIMIT}",
                got=str(len(words)),
            )
        # Code point 1 stands for every word that is in no phrase.
        self._codes = {word: _code_point(k + 2) for k, word in enumerate(words)}
        patterns = [self._spell(phrase) for phrase in phrases]
        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(patterns)

    def first(self, document: Sequence[str]) -> tuple[int, int]:
        """The lowest rank that occurs and the first position where it does; (-1, -1) if none."""
        found = self._automaton.find_overlapping(self._spell(document))
        if not found:
            return -1, -1
        rank, start = min((rank, start) for start, _, rank in found)
        return rank, start

    def all(self, document: Sequence[str]) -> list[tuple[int, int]]:
        """Every occurrence as (rank, position), by rank."""
        found = self._automaton.find_overlapping(self._spell(document))
        return sorted((rank, start) for start, _, rank in found)

    def _spell(self, words: Sequence[str]) -> str:
        return "".join([self._codes.get(word, "\x01") for word in words])


def _code_point(k: int) -> str:
    return chr(k if k < SURROGATES.start else k + len(SURROGATES))
