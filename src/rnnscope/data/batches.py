"""Batches of sequences of similar length, and their padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnscope.errors import DataError, UsageError

__all__ = ["bucketed", "pad"]

_NOISE = 0.1


def bucketed(
    lengths: Sequence[int] | np.ndarray,
    *,
    tokens: int = 8192,
    shuffle: np.random.Generator | None = None,
) -> list[np.ndarray]:
    """Group sequences of similar length so that little of a padded batch is padding.

    Args:
        lengths: the length of each sequence, shape (B,).
        tokens: the largest padded size of a batch, its count times its longest length. A single
            longer sequence is a batch of its own.
        shuffle: without it the batches run from the shortest to the longest and are always the
            same; with it lengths are compared with up to 10 % noise and the batches come in
            random order, as training wants.

    Returns:
        int64 index arrays; every index of `lengths` stands in exactly one of them.

    Raises:
        UsageError: `tokens` is below 1.
        DataError: `lengths` is not a list of non-negative whole numbers.
    """
    if tokens < 1:
        raise UsageError("A batch holds at least one token.", got=f"tokens={tokens}")
    sizes = np.asarray(lengths)
    if sizes.ndim != 1 or (sizes.size and (sizes.dtype.kind not in "iu" or sizes.min() < 0)):
        raise DataError(
            "Lengths are non-negative whole numbers, one a sequence.",
            got=f"shape {sizes.shape} of {sizes.dtype}",
        )
    keys: np.ndarray = sizes
    if shuffle is not None:
        keys = sizes * shuffle.uniform(1 - _NOISE, 1 + _NOISE, len(sizes)) + shuffle.random(
            len(sizes)
        )
    order = np.argsort(keys, kind="stable").astype(np.int64)

    batches: list[np.ndarray] = []
    start, longest = 0, 1
    for place, size in enumerate(sizes[order].tolist()):
        longest = max(longest, size)
        if place > start and (place - start + 1) * longest > tokens:
            batches.append(order[start:place])
            start, longest = place, max(size, 1)
    if len(order):
        batches.append(order[start:])
    if shuffle is None:
        return batches
    return [batches[place] for place in shuffle.permutation(len(batches))]


def pad(sequences: Sequence[np.ndarray], fill: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Stack sequences of different lengths, filled up at the end.

    Args:
        sequences: B one-dimensional arrays.
        fill: the value after the end of a sequence.

    Returns:
        the stack, shape (B, T) with T the longest length, in the common dtype of the sequences
        (int64 where there are none), and the lengths, int64, shape (B,).

    Raises:
        DataError: a sequence that is not one-dimensional; the message names it.
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    for position, array in enumerate(arrays):
        if array.ndim != 1:
            raise DataError(
                "Sequences are one-dimensional.",
                got=f"shape {array.shape} at position {position}",
            )
    lengths = np.array([len(array) for array in arrays], dtype=np.int64)
    dtype = np.result_type(*arrays) if arrays else np.dtype(np.int64)
    stacked = np.full((len(arrays), int(lengths.max(initial=0))), fill, dtype=dtype)
    for row, array in enumerate(arrays):
        stacked[row, : len(array)] = array
    return stacked, lengths
