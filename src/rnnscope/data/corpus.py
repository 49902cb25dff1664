"""A corpus: tokenised documents with whatever is known about them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnnscope.arguments import check_fields
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself

__all__ = ["SPLITS", "Corpus"]

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class Corpus(ShowsItself):
    """N documents, each a sequence of tokens, with labels, ratings and splits where known.

    Attributes:
        documents: the tokens of each document; no document is empty.
        texts: the original strings, or None.
        labels: class indices, int64, shape (N,), or None. Read-only, as all arrays here.
        classes: the names of the classes, in the order of the indices; empty where unlabelled.
        valence: human ratings, float64, shape (N,), or None.
        splits: "train", "validation" or "test" for each document, shape (N,), or None.
        name: a short name.
        source: one sentence on where it came from, with licence and citation when known.
        note: what a reader must know about it, such as that documents were composed; or "".

    Raises:
        DataError: lengths disagree, a document is empty or holds something else than strings, a
            label is out of range, a rating is not finite, a split has another name. Rows count
            from 1.
    """

    documents: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...] | None = None
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    valence: np.ndarray | None = None
    splits: np.ndarray | None = None
    name: str = "corpus"
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        for row, document in enumerate(self.documents, 1):
            if isinstance(document, str):
                raise DataError(
                    "Documents are sequences of strings.",
                    expected="tokens",
                    got=f"one text, {document[:40]!r}, in row {row}",
                    fix="load_corpus cuts texts into tokens",
                )
        if not all(isinstance(document, Iterable) for document in self.documents):
            raise DataError("Documents are sequences of strings.", got="other things")
        self._set("documents", tuple(map(tuple, self.documents)))
        if self.texts is not None:
            self._set("texts", tuple(self.texts))
        self._set("classes", tuple(self.classes))
        for row, document in enumerate(self.documents, 1):
            if not document:
                raise DataError("Every document has at least one token.", got=f"none in row {row}")
            if not all(isinstance(token, str) for token in document):
                raise DataError(
                    "Documents are sequences of strings.", got=f"{document[:5]!r} in row {row}"
                )
        for field in ("texts", "labels", "valence", "splits"):
            value = getattr(self, field)
            if value is not None and np.ndim(value) != 1:
                raise DataError(
                    f"A corpus has one entry of {field} for each document.",
                    got=f"an array of shape {np.shape(value)}",
                )
            if value is not None and len(value) != len(self.documents):
                raise DataError(
                    f"A corpus has one entry of {field} for each document.",
                    expected=f"{len(self.documents)}",
                    got=f"{len(value)}",
                )
        self._check_labels()
        self._check_valence()
        self._check_splits()

    def _set(self, field: str, value: object) -> None:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        object.__setattr__(self, field, value)

    def _check_labels(self) -> None:
        if self.labels is None:
            self._set("classes", ())
            return
        labels = np.array(self.labels)
        if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
            raise DataError(
                "Labels are class indices, one whole number a document.",
                got=f"{labels.dtype}, shape {labels.shape}",
            )
        named = all(isinstance(name, str) for name in self.classes)
        if not named or len(set(self.classes)) != len(self.classes):
            raise DataError("Classes have different names.", got=f"{self.classes!r}")
        wrong = np.flatnonzero((labels < 0) | (labels >= len(self.classes)))
        if len(wrong):
            raise DataError(
                "Labels are indices of the classes.",
                expected=f"0..{len(self.classes) - 1} for {self.classes!r}",
                got=f"{labels[wrong[0]]} in row {wrong[0] + 1}",
            )
        self._set("labels", labels.astype(np.int64))

    def _check_valence(self) -> None:
        if self.valence is None:
            return
        valence = np.array(self.valence, dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(valence))
        if len(wrong):
            raise DataError(
                "Ratings are finite numbers.", got=f"{valence[wrong[0]]} in row {wrong[0] + 1}"
            )
        self._set("valence", valence)

    def _check_splits(self) -> None:
        if self.splits is None:
            return
        splits = np.array(self.splits, dtype=np.str_)
        wrong = np.flatnonzero(~np.isin(splits, SPLITS))
        if len(wrong):
            raise DataError(
                "A document stands in one of three splits.",
                expected=", ".join(SPLITS),
                got=f"{str(splits[wrong[0]])!r} in row {wrong[0] + 1}",
            )
        self._set("splits", splits)

    def __len__(self) -> int:
        return len(self.documents)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self.documents)

    def __getitem__(self, index: int) -> tuple[str, ...]:
        return self.documents[index]

    def __repr__(self) -> str:
        classes = ", ".join(self.classes) or "unlabelled"
        return f"Corpus({self.name!r}, {len(self):,} documents, {classes})"

    def take(self, indices: Sequence[int] | np.ndarray) -> Corpus:
        """The documents at `indices` (0-based, in that order) or where a boolean mask is true.

        Raises:
            UsageError: an index is out of range, or a mask has another length.
        """
        chosen = np.asarray(indices)
        if chosen.dtype == bool and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        elif chosen.size == 0:
            chosen = np.zeros(0, dtype=np.int64)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise UsageError(
                "Documents are taken by index, or by a mask as long as the corpus.",
                got=f"{chosen.dtype}, shape {chosen.shape}",
            )
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(self):
            raise UsageError(
                "Documents are taken by indices that exist.",
                expected=f"0..{len(self) - 1}",
                got=f"{chosen.min()}..{chosen.max()}",
            )
        rows = chosen.tolist()
        texts = self.texts
        return replace(
            self,
            documents=tuple(self.documents[row] for row in rows),
            texts=None if texts is None else tuple(texts[row] for row in rows),
            labels=None if self.labels is None else self.labels[chosen],
            valence=None if self.valence is None else self.valence[chosen],
            splits=None if self.splits is None else self.splits[chosen],
        )

    def has_split(self, name: str) -> bool:
        """Whether some document stands in the split `name`."""
        return self.splits is not None and name in self.splits

    def split(self, name: str) -> Corpus:
        """The documents of one split, in order; UsageError lists the splits there are."""
        if self.splits is None or not self.has_split(name):
            present = [split for split in SPLITS if self.has_split(split)]
            raise UsageError(
                "A corpus is split by a name it has.",
                expected=", ".join(present) or "nothing: this corpus has no splits",
                got=repr(name),
                fix="" if present else "Make splits with corpus.split_by_seed().",
            )
        return self.take(self.splits == name)

    def split_by_seed(self, *, fraction: float = 0.8, seed: int = 0) -> Corpus:
        """The same documents with new splits "train" and "test".

        Documents with the same tokens fall in the same split, so the share of training documents
        comes as near to `fraction` as that allows; neither split is empty.

        Raises:
            UsageError: `fraction` is not between 0 and 1.
            DataError: fewer than two different documents.
        """
        if not 0 < fraction < 1:
            raise UsageError(
                "The share of training documents lies between 0 and 1.", got=f"fraction={fraction}"
            )
        group_of: dict[tuple[str, ...], int] = {}
        groups = np.array(
            [group_of.setdefault(document, len(group_of)) for document in self.documents],
            dtype=np.int64,
        )
        if len(group_of) < 2:
            raise DataError(
                "A corpus is split between different documents.",
                expected="at least 2 different documents",
                got=f"{len(group_of)}",
            )
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(group_of))
        sizes = np.bincount(groups)[order]
        reached = np.cumsum(sizes)[:-1]
        count = int(np.argmin(np.abs(reached - fraction * len(self)))) + 1
        in_train = np.isin(groups, order[:count])
        return replace(self, splits=np.where(in_train, "train", "test"))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of tokens, labels and splits; the same in every process."""
        digest = hashlib.sha256()
        for document in self.documents:
            digest.update(json.dumps(document).encode())
        for array in (self.labels, self.splits):
            digest.update(json.dumps(None if array is None else array.tolist()).encode())
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        """What the corpus holds, as JSON-safe values."""
        lengths = [len(document) for document in self.documents]
        labels = [] if self.labels is None else self.labels.tolist()
        counts = Counter(labels)
        return {
            "name": self.name,
            "source": self.source,
            "note": self.note,
            "documents": len(self),
            "words": sum(lengths),
            "mean_length": sum(lengths) / len(lengths) if lengths else 0.0,
            "splits": (
                {}
                if self.splits is None
                else {
                    name: int(np.sum(self.splits == name))
                    for name in SPLITS
                    if self.has_split(name)
                }
            ),
            "classes": {name: counts[row] for row, name in enumerate(self.classes)},
            "valence": self.valence is not None,
            "fingerprint": self.fingerprint,
        }
