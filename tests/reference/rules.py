"""Rules, written as the sentences that define them: slow, loop by loop, nothing shared."""

from __future__ import annotations

from collections.abc import Sequence


def occurs_at(phrase: Sequence[str], document: Sequence[str]) -> list[int]:
    """Every position at which the words of the phrase stand next to each other."""
    positions = []
    for start in range(len(document) - len(phrase) + 1):
        if all(document[start + k] == phrase[k] for k in range(len(phrase))):
            positions.append(start)
    return positions


def first(phrases: Sequence[Sequence[str]], document: Sequence[str]) -> tuple[int, int]:
    """The first phrase of the list that occurs, and where; (-1, -1) if none does."""
    for rank, phrase in enumerate(phrases):
        for position in occurs_at(phrase, document):
            return rank, position
    return -1, -1


def counts(phrases: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]) -> list[list[int]]:
    """How often each phrase occurs in each document."""
    return [[len(occurs_at(phrase, d)) for phrase in phrases] for d in documents]


def decide(
    rules: Sequence[tuple[Sequence[str], int]], default: int, document: Sequence[str]
) -> int:
    """The class that a rule list gives a document."""
    rank, _ = first([phrase for phrase, _ in rules], document)
    return default if rank < 0 else rules[rank][1]
