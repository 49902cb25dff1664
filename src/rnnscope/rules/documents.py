"""Documents as rules and phrase models read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnnscope.data import tokenize
from rnnscope.errors import DataError


def as_tokens(documents: Iterable[Any], tokenizer: str) -> Iterator[Any]:
    """Token lists as they are, texts cut into words.

    Raises:
        DataError: one text instead of a list, or a text where the tokenizer is not stored.
    """
    flat = getattr(documents, "ndim", 1) == 0
    if isinstance(documents, str) or flat or not isinstance(documents, Iterable):
        raise DataError(
            "Documents come as a list.",
            expected="a list of token lists or texts",
            got=f"{'one text, ' * isinstance(documents, str)}{documents!r:.40}",
            fix="wrap it: [text]",
        )
    for row, document in enumerate(documents):
        if isinstance(document, str):
            if tokenizer != "words":
                raise DataError(
                    "These phrases were mined with a tokenizer that is not stored.",
                    expected="token lists",
                    got=f"a text as document {row}",
                )
            document = tokenize(document)
        yield document


def checked_weights(weights: np.ndarray | None, documents: int) -> np.ndarray | None:
    """How much each document counts, float64; None for all alike.

    Raises:
        DataError: not one finite number, 0 or more, for each, or none above 0.
    """
    if weights is None:
        return None
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (documents,) or not (np.isfinite(given).all() and (given >= 0).all()):
        raise DataError(
            "Documents are weighed by numbers, 0 or more.",
            expected=f"({documents},)",
            got=f"{given.shape}, from {given.min(initial=np.inf)}",
        )
    if documents and not given.any():
        raise DataError("Some document must count.", got="weights that are all 0")
    return given


def check_phrases(phrases: Sequence[Any], classes: Sequence[str], *, kind: str) -> None:
    """Raise DataError unless each phrase is a tuple of words and stands once, as each class does.

    Args:
        phrases: those of a list, in order.
        classes: the names of its classes.
        kind: what a phrase is there: "rule" or "phrase".
    """
    if len(set(classes)) < len(classes):
        raise DataError("Each class has a name of its own.", got=f"{tuple(classes)!r:.80}")
    places: dict[tuple[str, ...], int] = {}
    for place, words in enumerate(phrases, 1):
        if not isinstance(words, tuple) or not all(isinstance(word, str) for word in words):
            raise DataError(
                "A phrase is a tuple of words.",
                expected='such as ("not", "good")',
                got=f"{words!r:.60} in {kind} {place}",
            )
        if not words:
            raise DataError("A phrase has at least one word.", got=f"none in {kind} {place}")
        if words in places:
            raise DataError(
                "Each phrase stands once.",
                got=f"{' '.join(words)!r} as {kind} {places[words]} and as {kind} {place}",
                fix="leave one out",
            )
        places[words] = place
