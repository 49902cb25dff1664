"""The text cut by first word into parts that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnnscope.phrases.levels import levels
from rnnscope.phrases.words import Words

OCCURRENCES = 1 << 17
"""Occurrences of a first word, or of several, that are looked at together."""


def windows(words: Words, longest: int) -> Iterator[Words]:
    """Words that hold, of each known word, itself and those that follow, side by side.

    Each part holds all occurrences of some words, in the order of their indices; and an n-gram
    starts at the first word of a window alone. So the n-grams of the parts, one part after the
    other, are those of the whole in its order. To bring equal n-grams together jumps through all
    of the text, a wait for far memory at every step; here each place is visited once.
    """
    ids, values = _windows(words.ids.astype(np.int32), longest), _windows(words.values, longest)
    for level in levels(words, 1):
        for part in level.parts(OCCURRENCES):
            at = part.positions
            reach = np.zeros((len(at), longest), dtype=words.reach.dtype)
            reach[:, 0] = np.minimum(words.reach[at], longest)
            yield replace(
                words,
                ids=ids[at].view(np.int32),
                owner=np.repeat(words.owner[at], longest),
                values=values[at].view(words.values.dtype).reshape(len(at) * longest, -1),
                reach=reach.ravel(),
            )


def _windows(rows: np.ndarray, longest: int) -> np.ndarray:
    """(N,), each row and those that follow as one item, copied at once; zeros beyond the last."""
    padded = np.zeros((len(rows) + longest - 1, *rows.shape[1:]), dtype=rows.dtype)
    padded[: len(rows)] = rows
    item = np.dtype((np.void, longest * rows.strides[0]))
    return np.ndarray(len(rows), dtype=item, buffer=padded.data, strides=rows.strides[:1])
