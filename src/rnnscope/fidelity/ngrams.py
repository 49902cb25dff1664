"""How often which n-gram stands in which document, as a sparse matrix of a whole corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from rnnscope.errors import DataError

LARGEST = 2**62
"""Keys and documents are sorted as one whole number each, as long as it stays below this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ngrams:
    """The n-grams of a corpus that enough of its documents hold.

    Args:
        words: each word's number.
        tables: for each length, its n-grams as sorted keys: the column of the n-gram without its
            last word, within that length, times the number of words, plus that word.
    """

    words: dict[str, int]
    tables: tuple[np.ndarray, ...]

    @classmethod
    def fit(
        cls, documents: Sequence[Any], *, max_length: int, min_documents: int
    ) -> tuple[Self, sparse.csr_matrix]:
        """Find the n-grams, and count them in each document, (documents, n-grams)."""
        words: dict[str, int] = {}
        _require_words(documents)
        for document in documents:
            for word in document:
                words.setdefault(word, len(words))
        tables: list[np.ndarray] = []

        def frequent(keys: np.ndarray) -> np.ndarray:
            distinct, held_by = np.unique(keys, return_counts=True)
            tables.append(distinct[held_by >= min_documents])
            return tables[-1]

        blocks = list(_levels(documents, words, [frequent] * max_length))
        return cls(words=words, tables=tuple(tables)), _joined(blocks, len(documents))

    def matrix(self, documents: Sequence[Any]) -> sparse.csr_matrix:
        """How often each document holds each n-gram, (documents, n-grams)."""
        _require_words(documents)
        known = [lambda keys, table=table: table for table in self.tables]
        return _joined(list(_levels(documents, self.words, known)), len(documents))

    def __len__(self) -> int:
        return sum(map(len, self.tables))


def _require_words(documents: Sequence[Any]) -> None:
    for row, document in enumerate(documents):
        if isinstance(document, str):
            raise DataError(
                "A bag of words is of words, not of letters.",
                expected="token lists",
                got=f"a text as document {row}: {document[:40]!r}",
                fix="cut it with model.tokenize(text)",
            )


def _levels(
    documents: Sequence[Any], words: dict[str, int], tables: list[Any]
) -> Iterator[sparse.csr_matrix]:
    """One matrix per length. A table is given the keys once per document that holds them, and
    gives the sorted keys to keep; an n-gram is only looked for where its beginning was kept."""
    count, size = len(documents), max(1, len(words))
    lengths = np.fromiter(map(len, documents), dtype=np.int64, count=count)
    flat = (words.get(word, -1) for document in documents for word in document)
    ids = np.fromiter(flat, dtype=np.int64, count=int(lengths.sum()))
    owner = np.repeat(np.arange(count), lengths)
    ends = np.repeat(np.cumsum(lengths), lengths)
    at = np.flatnonzero(ids >= 0)
    codes = np.zeros(len(at), dtype=np.int64)
    for length, table in enumerate(tables):
        inside = at + length < ends[at]
        at, codes = at[inside], codes[inside]
        word = ids[at + length]
        at, codes, word = at[word >= 0], codes[word >= 0], word[word >= 0]
        keys = codes * size + word
        held, rows, times = _once_per_document(keys, owner[at], count)
        kept = table(held)
        column = _places(kept, held)
        inside = column >= 0
        cells = times[inside].astype(float), (rows[inside], column[inside])
        yield sparse.csr_matrix(cells, shape=(count, len(kept)))
        codes = _places(kept, keys)
        at, codes = at[codes >= 0], codes[codes >= 0]


def _once_per_document(
    keys: np.ndarray, owner: np.ndarray, documents: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct pairs of a key and a document that holds it, and how often it does, by key,
    then by document."""
    if not len(keys):
        return keys, owner, owner
    spelled = None
    if int(keys.max()) >= LARGEST // documents:
        spelled, keys = np.unique(keys, return_inverse=True)
    pairs = np.sort(keys * documents + owner)
    first = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1]))
    times = np.diff(np.append(first, len(pairs)))
    keys, owner = np.divmod(pairs[first], documents)
    return (keys if spelled is None else spelled[keys]), owner, times


def _places(table: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Where each key stands in the sorted table; -1 where it does not."""
    if not len(table):
        return np.full(len(keys), -1)
    places = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[places] == keys, places, -1)


def _joined(blocks: list[sparse.csr_matrix], documents: int) -> sparse.csr_matrix:
    if not blocks:
        return sparse.csr_matrix((documents, 0))
    return sparse.csr_matrix(sparse.hstack(blocks, format="csr"))
