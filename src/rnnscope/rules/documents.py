"""Documents as rules and phrase models read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from rnnscope.data import tokenize
from rnnscope.errors import DataError


def as_tokens(documents: Iterable[Any], tokenizer: str) -> Iterator[Any]:
    """Token lists as they are, texts cut into words.

    Raises:
        DataError: one text instead of a list, or a text where the tokenizer is not stored.
    """
    if isinstance(documents, str):
        raise DataError(
            "Documents come as a list.",
            expected="a list of token lists or texts",
            got=f"one text, {documents[:40]!r}",
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
        DataError: not one finite number, 0 or more, for each.
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
    return given
