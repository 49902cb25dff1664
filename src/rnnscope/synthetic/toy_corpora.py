"""Toy languages whose labels are sums over words: what a network must remember of them is known.

Categories that are counted each on its own need K - 1 numbers (a simplex); ordered ones need a
single number, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnnscope.data import Corpus
from rnnscope.errors import UsageError

ORDERED_WORDS = {"awesome": 2, "good": 1, "the": 0, "bad": -1, "awful": -2}
_ROUND = 256


def categorical_corpus(
    *, classes: int = 3, count: int = 600, length: int = 20, rng: int = 0
) -> Corpus:
    """Documents whose class is the one that most of their words speak for.

    Words are class_0, class_1, ... and the, which speaks for none; documents whose count ties are
    not made. Every class has the same number of documents, one more for the first if need be.

    Raises:
        UsageError: fewer than two classes, or no documents or words.

    Source:
        Aitken et al. 2021: their synthetic categorical data
    """
    _check(classes, count, length)
    words = (*(f"class_{k}" for k in range(classes)), "the")

    def label(drawn: np.ndarray) -> np.ndarray:
        votes = (drawn[..., None] == np.arange(classes)).sum(1)
        best = votes.max(-1, keepdims=True)
        return np.where((votes == best).sum(-1) == 1, votes.argmax(-1), -1)

    drawn, labels = _balanced(label, len(words), classes, count, length, rng)
    return Corpus(
        documents=tuple(tuple(words[k] for k in row) for row in drawn),
        labels=labels,
        classes=words[:classes],
        name=f"categorical-{classes}",
        source="Made up: the class that most words speak for (after Aitken et al. 2021).",
    )


def ordered_corpus(*, classes: int = 3, count: int = 600, length: int = 20, rng: int = 0) -> Corpus:
    """Documents whose class is a range of their words' summed score, from -L to L for L words.

    The ranges are of equal width; scores beyond -L or L belong to the outermost. The score per
    word is the corpus's ``valence``.

    Raises:
        UsageError: fewer than two classes, or no documents or words.

    Source:
        Aitken et al. 2021: their synthetic ordered data
    """
    _check(classes, count, length)
    words, values = tuple(ORDERED_WORDS), np.array(list(ORDERED_WORDS.values()))

    def label(drawn: np.ndarray) -> np.ndarray:
        # In whole numbers: a score on an edge belongs to the range above it.
        place = (values[drawn].sum(-1) + length) * classes // (2 * length)
        return np.clip(place, 0, classes - 1)

    drawn, labels = _balanced(label, len(words), classes, count, length, rng)
    return Corpus(
        documents=tuple(tuple(words[k] for k in row) for row in drawn),
        labels=labels,
        classes=tuple(f"range_{k}" for k in range(classes)),
        valence=values[drawn].mean(-1),
        name=f"ordered-{classes}",
        source="Made up: the range of the words' summed score (after Aitken et al. 2021).",
    )


def _balanced(
    label: Callable[[np.ndarray], np.ndarray],
    words: int,
    classes: int,
    count: int,
    length: int,
    rng: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Documents as rows of word numbers, as many of each class; a label of -1 is left out."""
    random = np.random.default_rng(rng)
    wanted = np.full(classes, count // classes) + (np.arange(classes) < count % classes)
    rows: list[np.ndarray] = []
    labels: list[int] = []
    while wanted.any():
        # A mixture of words for each document, so that the sums spread over their whole range.
        mixtures = random.dirichlet(np.full(words, 0.5), size=_ROUND)
        chosen = random.random((_ROUND, length, 1)) > mixtures.cumsum(-1)[:, None, :-1]
        drawn = chosen.sum(-1)
        for row, found in zip(drawn, label(drawn).tolist(), strict=True):
            if found >= 0 and wanted[found]:
                wanted[found] -= 1
                rows.append(row)
                labels.append(found)
    order = random.permutation(count)
    return np.stack(rows)[order], np.array(labels)[order]


def _check(classes: int, count: int, length: int) -> None:
    if classes < 2 or count < 1 or length < 1:
        raise UsageError(
            "A toy corpus has classes to tell apart and words to tell them by.",
            expected="2 classes or more, 1 document or more, 1 word or more",
            got=f"{classes} classes, {count} documents, {length} words",
        )
