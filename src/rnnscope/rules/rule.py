"""One rule, and what a rule list says of a document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Rule:
    """If these words stand next to each other in the document, it is of this class.

    Args:
        words: the phrase.
        class_index: the class.
        importance: S of the phrase; None for a rule made by hand.
        count: its occurrences in the text it was mined from; None for a rule made by hand.
        precision: the share of the documents it occurs in that the network puts in the class;
            None for a rule made by hand.
    """

    words: tuple[str, ...]
    class_index: int
    importance: float | None = None
    count: int | None = None
    precision: float | None = None

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True)
class Firing:
    """Why a rule list gave a document its class.

    Args:
        class_index, class_name: the class.
        rule: the rule that fired, or None when none did and the default was given.
        rank: its place in the list, from 0; -1 for the default.
        position: the word at which its phrase first stands; -1 for the default.
    """

    class_index: int
    class_name: str
    rule: Rule | None
    rank: int
    position: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Decisions:
    """What a rule list says of many documents.

    Args:
        labels: (documents,), the class index.
        ranks: (documents,), the rule that decides; -1 for the default.
        positions: (documents,), the word at which its phrase first stands; -1 for the default.
    """

    labels: np.ndarray
    ranks: np.ndarray
    positions: np.ndarray
