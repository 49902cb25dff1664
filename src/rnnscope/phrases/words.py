"""The scored words of some documents in one row of flat arrays, and where they came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.scores import WordScores

UNNAMED = 1 << 25
"""Room for word indices where the network came without a vocabulary."""

EXTREME = 1e6
"""A log score beyond this comes from a network that has diverged."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What two sets of statistics must share to be added.

    Args:
        method: the word score.
        fingerprint: the network's.
        classes: the names of the classes.
        vocabulary: the words, by index; None where the network came without.
        tokenizer: how texts are cut into words.
        signed: whether scores are for or against a class; False for norms.
    """

    method: str
    fingerprint: str
    classes: tuple[str, ...]
    vocabulary: tuple[str, ...] | None
    tokenizer: str
    signed: bool = True

    @classmethod
    def of(cls, scores: WordScores, *, signed: bool) -> Origin:
        named = scores.vocabulary
        return cls(
            method=scores.method,
            fingerprint=scores.fingerprint,
            classes=tuple(scores.classes),
            vocabulary=None if named is None else named.words,
            tokenizer="words" if named is None else named.tokenizer,
            signed=signed,
        )

    @property
    def size(self) -> int:
        """Word indices are below this."""
        return UNNAMED if self.vocabulary is None else len(self.vocabulary)

    @property
    def bits(self) -> int:
        """Bits of a packed word."""
        return max(1, (self.size - 1).bit_length())

    @property
    def packed(self) -> int:
        """Words in one 64-bit key."""
        return 64 // self.bits

    def keys(self, length: int) -> list[str]:
        """The columns that spell an n-gram of so many words."""
        return [f"key_{k}" for k in range(-(-length // self.packed))]

    def pack(self, ids: np.ndarray) -> list[np.ndarray]:
        """(phrases, length) word indices as the key columns of that length, uint64."""
        columns: list[np.ndarray] = []
        for place, words in enumerate(ids.T.astype(np.uint64)):
            append_word(columns, words, place, self)
        return columns

    def unpack(self, columns: list[np.ndarray], length: int) -> np.ndarray:
        """The word indices, (phrases, length)."""
        ids = np.empty((len(columns[0]), length), dtype=np.int64)
        mask = np.uint64((1 << self.bits) - 1)
        for place in range(length):
            column, inside = divmod(place, self.packed)
            held = min(self.packed, length - column * self.packed)
            shift = np.uint64((held - 1 - inside) * self.bits)
            ids[:, place] = (columns[column] >> shift) & mask
        return ids

    def spell(self, ids: np.ndarray) -> list[tuple[str, ...]]:
        """The words of each row of word indices."""
        if self.vocabulary is None:
            return [tuple(map(str, row)) for row in ids.tolist()]
        name = self.vocabulary.__getitem__
        return [tuple(map(name, row)) for row in ids.tolist()]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            "method": self.method,
            "fingerprint": self.fingerprint,
            "classes": list(self.classes),
            "vocabulary": None if self.vocabulary is None else list(self.vocabulary),
            "tokenizer": self.tokenizer,
            "signed": self.signed,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Origin:
        """What ``to_dict`` wrote."""
        named = values["vocabulary"]
        return cls(
            **values
            | {
                "classes": tuple(values["classes"]),
                "vocabulary": None if named is None else tuple(named),
            }
        )

    def require_same(self, other: Origin) -> None:
        """Refuse, by name, what differs."""
        for name in ("method", "fingerprint", "classes", "tokenizer", "signed", "vocabulary"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine != its:
                raise DataError(
                    f"Statistics are added where the {name} is the same.",
                    expected=_short(mine),
                    got=_short(its),
                    fix="mine them apart: their numbers do not mean the same",
                )


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) > 20:
        return f"{len(value)} words, in an order of their own"
    return repr(value)


def append_word(
    columns: list[np.ndarray], words: np.ndarray, place: int, origin: Origin
) -> list[np.ndarray]:
    """Put the word at this place of an n-gram behind those packed before; changes the list."""
    if place % origin.packed == 0:
        columns.append(words.astype(np.uint64))
    else:
        columns[-1] = (columns[-1] << np.uint64(origin.bits)) | words.astype(np.uint64)
    return columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """N words of D documents, one after the other.

    Args:
        origin: where they came from.
        ids: (N,) the vocabulary's index.
        owner: (N,) the document.
        values: (N, W): log beta of each class, as it was scored; for scores without a sign W = 1,
            the share of the document's largest.
        reach: (N,) how many words from here on, within the document, the vocabulary knows.
        predictions: (D,) the network's class.
        documents: (D,) the row of each document in the scores.
        starts: (D,) the word at which each document starts.
    """

    origin: Origin
    ids: np.ndarray
    owner: np.ndarray
    values: np.ndarray
    reach: np.ndarray
    predictions: np.ndarray
    documents: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(
        cls, scores: WordScores, *, signed: bool = True, rows: np.ndarray | None = None
    ) -> Words:
        """The words of the scores, or of the documents where the mask ``rows`` is true."""
        if not isinstance(scores, WordScores):
            raise UsageError(
                "Phrases are mined from word scores.",
                expected="what CellDecomposition(model).score(corpus) gives",
                got=type(scores).__name__,
            )
        if scores.ids is None:
            raise NotApplicable(
                "Phrases are made of words.",
                expected="a network with an embedding",
                got="a network that reads vectors",
            )
        origin = Origin.of(scores, signed=signed)
        lengths = np.diff(scores.offsets)
        documents = np.arange(len(scores)) if rows is None else np.flatnonzero(rows)
        values = scores.values.detach().numpy()
        _require_finite(values, scores.logits.detach().numpy())
        ids = np.concatenate([*(np.asarray(d) for d in scores.ids), np.empty(0, np.int64)])
        if rows is not None:
            inside = np.repeat(rows, lengths)
            values, ids, lengths = values[inside], ids[inside], lengths[documents]
        ids = ids.astype(np.int64, copy=False)
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < origin.size:
            raise DataError(
                "Word indices are rows of the vocabulary.",
                expected=f"0..{origin.size - 1}",
                got=f"{ids.min()}..{ids.max()}",
            )
        owner = np.repeat(np.arange(len(documents), dtype=np.int32), lengths)
        if not signed:
            values = _shares(values.astype(np.float64), owner, len(documents))[:, None]
        known = np.ones(len(ids), dtype=bool)
        for word in _special(scores):
            known &= ids != word
        return cls(
            origin=origin,
            ids=ids,
            owner=owner,
            values=np.ascontiguousarray(values),
            reach=run_lengths(known, owner),
            predictions=np.asarray(scores.predictions)[documents],
            documents=documents,
            starts=np.cumsum(lengths) - lengths,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def logs(self, positions: np.ndarray | slice, test: str) -> np.ndarray:
        """(positions, W), float64: each class against the others ("ratio") or alone ("raw")."""
        values = self.values[positions].astype(np.float64)
        if test == "raw" or not self.origin.signed:
            return values
        # against_others, class by class, so that compiled code can do the same to the last bit.
        total = values[:, 0].copy()
        for column in values.T[1:]:
            total += column
        classes = values.shape[1]
        values -= (total / classes)[:, None]
        values *= classes / (classes - 1)
        return values

    @cached_property
    def peak(self) -> float:
        """The furthest from 0 that a score of a class against the others may lie."""
        # At most twice as far as the furthest class alone.
        return 2 * max(float(self.values.max()), -float(self.values.min()))

    def passing(self, test: str, bar: float) -> np.ndarray:
        """(W, N): known words whose log score exceeds the bar."""
        rows = slice(0, len(self))
        return (self.logs(rows, test) > bar).T & (self.reach > 0)


def run_lengths(flags: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """For each position, how many flags in a row are set from it on, within its document."""
    total = len(flags)
    stop = ~flags
    if total:
        stop[:-1] |= owner[1:] != owner[:-1]
        stop[-1] = True
    places = np.flatnonzero(stop).astype(np.int32)
    # A run that ends with its document takes in the last word.
    ends = places + flags[places]
    reach = np.repeat(ends, np.diff(places, prepend=-1))
    reach -= np.arange(total, dtype=np.int32)
    return reach


def _shares(values: np.ndarray, owner: np.ndarray, documents: int) -> np.ndarray:
    """Each word's norm over the largest in its document; several columns count by their largest."""
    norms = values.max(axis=1)
    if len(norms) and norms.min() < 0:
        raise DataError(
            "Scores without a sign are not negative.",
            got=f"{norms.min():.3g}",
            fix="sum is for norms; for scores with a sign choose another importance",
        )
    largest = np.zeros(documents)
    np.maximum.at(largest, owner, norms)
    return norms / np.where(largest > 0, largest, 1.0)[owner]


def _require_finite(values: np.ndarray, logits: np.ndarray) -> None:
    for array in (values, logits):
        # One pass each: NaN is neither below nor above.
        if array.size and not -EXTREME < array.min() <= array.max() < EXTREME:
            wrong = int((~(np.abs(array) < EXTREME)).sum())
            raise DataError(
                "Scores must be finite numbers.",
                expected=f"natural logs between {-EXTREME:g} and {EXTREME:g}",
                got=f"{wrong} that are not",
                fix="look for NaN or extreme weights in the network",
            )


def _special(scores: WordScores) -> list[int]:
    """The indices that stand for no word."""
    named = scores.vocabulary
    if named is None:
        return []
    return [named.index(word) for word in (named.unknown, named.padding) if word is not None]
