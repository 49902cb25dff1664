"""Phrases: contiguous runs of words with their importance and statistics over a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
import polars as pl


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """One phrase.

    Args:
        words: the words, in order.
        class_index, class_name: the class it speaks for, C.
        importance: S, its importance for that class against the others.
        count: occurrences in the corpus it was mined from.
        documents: documents it occurs in.
        precision: the share of those that the network puts in the phrase's class.
    """

    words: tuple[str, ...]
    class_index: int
    class_name: str
    importance: float
    count: int
    documents: int
    precision: float

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseOptions:
    """Murdoch & Szlam's choices, named.

    Args:
        word_threshold: c, how important every word of a candidate must be for one class.
        max_length: words in a phrase at most.
        min_count: occurrences in the corpus at least.
        test: what is held against c. "ratio": beta_i over the geometric mean of the other
            classes' beta, which adding a vector to every row of the readout does not change.
            "raw": beta_i itself, as the paper writes it.
        importance: what S is. "mean_ratio": the mean over occurrences of the product of those
            ratios. "ratio_of_means": the paper's, the mean product of beta_i over the (geometric
            mean of the other classes') mean product, which depends on that vector.
    """

    word_threshold: float = 1.1
    max_length: int = 5
    min_count: int = 5
    test: Literal["ratio", "raw"] = "ratio"
    importance: Literal["mean_ratio", "ratio_of_means"] = "mean_ratio"


@dataclass(frozen=True, kw_only=True, eq=False)
class Phrases(Sequence[Phrase]):
    """The phrases of a corpus, most important first (ties: more frequent, then alphabetical).

    Args:
        words: the words of each phrase.
        log_importance: (phrases, classes), log S_i.
        counts: (phrases,), occurrences.
        document_counts: (phrases, classes), documents it occurs in, by the network's class.
        classes: the names of the classes.
        predicted: (classes,), all documents by the network's class.
        method: the score the phrases were mined from.
        fingerprint: the network's.
        options: how.
        tokenizer: how the corpus' texts are cut into words.
    """

    words: tuple[tuple[str, ...], ...]
    log_importance: np.ndarray
    counts: np.ndarray
    document_counts: np.ndarray
    classes: tuple[str, ...]
    predicted: np.ndarray
    method: str
    fingerprint: str
    options: PhraseOptions
    tokenizer: str = "words"

    @property
    def class_index(self) -> np.ndarray:
        """(phrases,): C, the class of the largest S_i."""
        return self.log_importance.argmax(axis=1)

    @property
    def importance(self) -> np.ndarray:
        """(phrases,): S, the largest S_i."""
        return np.exp(self.log_importance.max(axis=1))

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Phrase]:
        return (self._phrase(k) for k in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Phrase: ...
    @overload
    def __getitem__(self, index: slice) -> list[Phrase]: ...
    def __getitem__(self, index: int | slice) -> Phrase | list[Phrase]:
        if isinstance(index, slice):
            return [self._phrase(k) for k in range(*index.indices(len(self)))]
        return self._phrase(range(len(self))[index])

    def _phrase(self, k: int) -> Phrase:
        label = int(self.log_importance[k].argmax())
        documents = int(self.document_counts[k].sum())
        return Phrase(
            words=self.words[k],
            class_index=label,
            class_name=self.classes[label],
            importance=float(np.exp(self.log_importance[k, label])),
            count=int(self.counts[k]),
            documents=documents,
            precision=float(self.document_counts[k, label] / documents),
        )

    def to_frame(self) -> pl.DataFrame:
        """One row a phrase: phrase, class, importance, count, documents, precision."""
        rows: list[dict[str, Any]] = [
            {
                "phrase": phrase.text,
                "class": phrase.class_name,
                "importance": phrase.importance,
                "count": phrase.count,
                "documents": phrase.documents,
                "precision": phrase.precision,
            }
            for phrase in self
        ]
        schema = {
            "phrase": pl.String,
            "class": pl.String,
            "importance": pl.Float64,
            "count": pl.Int64,
            "documents": pl.Int64,
            "precision": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema)

    def __repr__(self) -> str:
        lines = [f"Phrases({len(self)}, from {self.method})"]
        lines += [
            f"  {p.importance:9.2f}  {p.class_name:10s} {p.count:6d}  {p.text}" for p in self[:10]
        ]
        return "\n".join(lines)
