"""Word vectors that a network starts from, such as GloVe's, instead of random ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnscope.errors import DataError, UsageError


@dataclass(frozen=True, kw_only=True, eq=False)
class WordVectors:
    """A table of vectors, one a word.

    Args:
        words: the words.
        table: (words, width), float32.

    Raises:
        UsageError: it is no mapping from words to vectors.
        DataError: vectors of different widths, or not of finite numbers.
    """

    words: tuple[str, ...]
    table: np.ndarray

    @classmethod
    def of(cls, vectors: Mapping[str, np.ndarray]) -> WordVectors:
        """Check a mapping from each word to its vector."""
        if not isinstance(vectors, Mapping) or not vectors:
            raise UsageError(
                "Word vectors come as a mapping.",
                expected="{word: vector, ...}, at least one word",
                got=type(vectors).__name__,
            )
        rows = [_as_array(word, vector) for word, vector in vectors.items()]
        widths = {row.shape for row in rows}
        if len(widths) > 1 or rows[0].ndim != 1 or not rows[0].size:
            raise DataError(
                "All word vectors have one width.",
                expected="one-dimensional arrays of one length",
                got=", ".join(str(shape) for shape in sorted(widths)[:3]),
            )
        with np.errstate(over="ignore"):  # what is too large for float32 is found below
            table = np.array(rows, dtype=np.float32)
        if not np.isfinite(table).all():
            word = list(vectors)[int(np.argmin(np.isfinite(table).all(axis=1)))]
            raise DataError("Word vectors are finite numbers.", got=f"those of {word!r} are not")
        return cls(words=tuple(vectors), table=table)

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return self.table.shape[1]

    @property
    def fingerprint(self) -> str:
        """A digest of the words and their vectors."""
        digest = hashlib.sha256("\0".join(self.words).encode("utf-8", "surrogatepass"))
        digest.update(self.table.tobytes())
        return digest.hexdigest()

    def put_into(self, rows: np.ndarray, index: Mapping[str, int]) -> None:
        """Write each known word's vector over the first columns of its row.

        Raises:
            UsageError: the rows are narrower than the vectors.
        """
        if rows.shape[1] < self.width:
            raise UsageError(
                "The embedding must be as wide as the word vectors, or wider.",
                expected=f"embedding={self.width} or more",
                got=f"embedding={rows.shape[1]}",
            )
        for word, vector in zip(self.words, self.table, strict=True):
            if word in index:
                rows[index[word], : self.width] = vector


def _as_array(word: object, vector: object) -> np.ndarray:
    try:
        row = np.asarray(vector)
    except (TypeError, ValueError):
        row = np.empty(0, dtype=object)
    if row.size and row.dtype.kind not in "fiu":
        raise DataError(
            "Word vectors are finite numbers.", got=f"{word!r} has values of type {row.dtype}"
        )
    return row
