"""Which documents a question is about: those that hold one of its rare words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rnnscope.errors import UsageError

__all__ = ["Retriever"]


class Retriever:
    """Finds documents by a question's rare words (Murdoch & Szlam 2017, v1).

    A word is rare where fewer than ``below`` documents hold it. All documents with a rare word of
    the question are returned: by tf-idf, so those first that hold more of them, rarer ones or more
    often; of equal ones that in which a rare word stands earlier, such as in the title.

    Args:
        documents: the tokens of each.
        below: a word in so many documents or more finds nothing.
        limit: at most so many documents a question; all when None.

    Raises:
        UsageError: a bound below 1.
    """

    def __init__(
        self, documents: Sequence[Sequence[str]], *, below: int = 1000, limit: int | None = None
    ) -> None:
        if below < 1 or (limit is not None and limit < 1):
            raise UsageError(
                "Retrieval has bounds of at least 1.", got=f"below={below}, limit={limit}"
            )
        self.limit, self._holders = limit, {}
        holders: dict[str, list[tuple[int, int, int]]] = {}
        for k, document in enumerate(documents):
            counts = Counter(document)
            for word, count in counts.items():
                holders.setdefault(word, []).append((k, count, document.index(word)))
        self._holders = {word: found for word, found in holders.items() if len(found) < below}
        self._count = len(documents)

    def __call__(self, words: Sequence[str]) -> tuple[int, ...]:
        """The documents for a question's words."""
        weights: dict[int, float] = {}
        places: dict[int, int] = {}
        for word in dict.fromkeys(words):
            found = self._holders.get(word, ())
            for k, count, place in found:
                weights[k] = weights.get(k, 0.0) + count * math.log(self._count / len(found))
                places[k] = min(places.get(k, place), place)
        best = sorted(weights, key=lambda k: (-round(weights[k], 9), places[k], k))
        return tuple(best[: self.limit])
