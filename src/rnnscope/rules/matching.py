"""Which phrases occur in which documents, and where: exactly, on word boundaries.

A document becomes a row of word numbers, and the phrases a trie over those numbers. Both steps are
compiled where numba is installed and there is enough text for it; else an Aho-Corasick automaton
reads the word numbers as the code points of a string. The result is the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any

import daachorse
import numpy as np
from scipy.sparse import csr_matrix

from rnnscope.errors import DataError, UsageError

if TYPE_CHECKING:
    from rnnscope.rules.compiled import Trie

Found = tuple[np.ndarray, np.ndarray]

BATCH = 256
"""Documents encoded at once: few enough to stay in the processor's cache."""

ENOUGH = 1_000_000
"""Words of one call after which compiling, about a second, has paid for itself."""

SURROGATES = range(0xD800, 0xE000)
LIMIT = 0x10FFFF - len(SURROGATES) - 1
COMPILED = "rnnscope.rules.compiled"


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """Documents as the word numbers of one matcher; it can be matched again and again.

    Args:
        ids: (words,), every document's words in one row; -1 for a word that is in no phrase.
        offsets: (documents + 1,), where each begins, and the end.
        matcher: whose numbers they are.
    """

    ids: np.ndarray
    offsets: np.ndarray
    matcher: Matcher

    def __len__(self) -> int:
        return len(self.offsets) - 1


class _Numbers(dict[str, int]):
    def __missing__(self, word: str) -> int:
        return -1


class Matcher:
    """Finds the phrases of a list in documents.

    Args:
        phrases: each a sequence of words; the position in the list is the phrase's rank.
        compiled: use numba: True, False, or None for where it is installed and worth it.

    Raises:
        DataError: a phrase without words, a phrase given twice, or other things than words.
        UsageError: ``compiled`` is asked for and numba is not installed.
    """

    def __init__(self, phrases: Iterable[Sequence[str]], *, compiled: bool | None = None) -> None:
        self.phrases = _checked(phrases)
        words = sorted({word for phrase in self.phrases for word in phrase})
        if len(words) > LIMIT:
            raise DataError(
                "A rule list can hold so many distinct words.",
                expected=f"at most {LIMIT}",
                got=str(len(words)),
            )
        installed = importlib.util.find_spec("numba") is not None and sys.byteorder == "little"
        if compiled and not installed:
            raise UsageError(
                "Compiled matching needs numba.",
                got="no numba in this environment",
                fix="pip install numba, or leave compiled at None",
            )
        self._compiled = compiled if installed else False
        self._numbers = _Numbers(zip(words, range(len(words)), strict=True))

    def __len__(self) -> int:
        return len(self.phrases)

    def __getstate__(self) -> dict[str, Any]:
        # Built again when needed: a pickle must load where numba is not installed.
        return {k: v for k, v in vars(self).items() if k not in ("_trie", "_automaton")}

    def first(self, document: Sequence[str]) -> tuple[int, int]:
        """The lowest rank that occurs and the first position where it does; (-1, -1) if none."""
        rank, position = self.first_of([document])
        return int(rank[0]), int(position[0])

    def all(self, document: Sequence[str]) -> list[tuple[int, int]]:
        """Every occurrence as (rank, position), by rank."""
        found = self._automaton.find_overlapping(self._spell(self.encode([document]))[0])
        return sorted((rank, start) for start, _, rank in found)

    def first_of(self, documents: Iterable[Sequence[str]] | Encoded) -> Found:
        """For each document the lowest rank that occurs, and the first position where it does.

        Args:
            documents: token lists, read in batches, or what ``encode`` gave.

        Returns:
            ranks and positions, each (documents,), int64; -1 where no phrase occurs.
        """
        parts = [
            self._trie.first(e.ids, e.offsets) if compiled else self._first_plain(e)
            for e, compiled in self._batches(documents)
        ]
        none = np.empty(0, np.int64)
        return (
            np.concatenate([none, *(ranks for ranks, _ in parts)]),
            np.concatenate([none, *(positions for _, positions in parts)]),
        )

    def occurrences(self, documents: Iterable[Sequence[str]] | Encoded) -> csr_matrix:
        """How often each phrase occurs in each document, overlapping occurrences all counted.

        Returns:
            (documents, phrases), int64, indices sorted.
        """
        lengths, columns = [np.zeros(1, np.int64)], [np.empty(0, np.int64)]
        for e, compiled in self._batches(documents):
            count, ranks = self._trie.every(e.ids, e.offsets) if compiled else self._every_plain(e)
            lengths.append(count)
            columns.append(ranks)
        starts, indices = np.cumsum(np.concatenate(lengths)), np.concatenate(columns)
        shape = len(starts) - 1, len(self)
        counts = csr_matrix((np.ones(len(indices), np.int64), indices, starts), shape=shape)
        counts.sum_duplicates()
        return counts

    def encode(self, documents: Iterable[Sequence[str]]) -> Encoded:
        """Documents as word numbers, for matching them more than once.

        Raises:
            DataError: a document is a text, or holds other things than words.
        """
        parts = [encoded for encoded, _ in self._batches(documents)]
        lengths = [np.diff(encoded.offsets) for encoded in parts]
        return Encoded(
            ids=np.concatenate([np.empty(0, np.int32), *(encoded.ids for encoded in parts)]),
            offsets=np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths])),
            matcher=self,
        )

    def encode_ids(
        self, ids: np.ndarray, offsets: np.ndarray, words: Sequence[str | None]
    ) -> Encoded:
        """The same for documents that are indices into a vocabulary already: one look-up each.

        Args:
            ids: (words,), every document's indices in one row.
            offsets: (documents + 1,), where each begins, and the end.
            words: the word of each index; None for one that stands for no word.
        """
        table = np.array(
            [-1 if word is None else self._numbers[word] for word in words], dtype=np.int32
        )
        ids, offsets = np.asarray(ids), np.ascontiguousarray(offsets, dtype=np.int64)
        if len(ids) and (ids.min() < 0 or ids.max() >= len(table)):
            raise DataError(
                "Every index must stand for a word.",
                expected=f"0 to {len(table) - 1}",
                got=f"{ids.min()} to {ids.max()}",
            )
        if (
            not len(offsets)
            or offsets[0]
            or offsets[-1] != len(ids)
            or (np.diff(offsets) < 0).any()
        ):
            raise DataError(
                "Offsets say where each document begins.",
                expected=f"numbers that rise from 0 to {len(ids)}",
                got=str(offsets[:10]),
            )
        numbers = table[ids] if len(ids) else np.empty(0, np.int32)
        return Encoded(ids=numbers, offsets=offsets, matcher=self)

    def _batches(
        self, documents: Iterable[Sequence[str]] | Encoded
    ) -> Iterator[tuple[Encoded, bool]]:
        """Encoded batches, and whether to search each with the compiled trie."""
        if isinstance(documents, Encoded):
            if documents.matcher is not self:
                raise UsageError(
                    "Word numbers belong to the matcher that gave them.",
                    got="documents that another matcher encoded",
                    fix="encode them with this one",
                )
            yield documents, self._worth_it(len(documents.ids))
            return
        if isinstance(documents, str):
            raise DataError(
                "Documents come as a list.",
                expected="a list of token lists",
                got=f"one text, {documents[:40]!r}",
            )
        seen, row, rest = 0, 0, iter(documents)
        while batch := list(islice(rest, BATCH)):
            batch = [words_of(document, row + k) for k, document in enumerate(batch)]
            compiled = self._worth_it(seen)
            encoded = self._encode(batch, row, compiled)
            yield encoded, compiled
            seen += len(encoded.ids)
            row += len(batch)

    def _worth_it(self, words: int) -> bool:
        if self._compiled is not None:
            return self._compiled
        if COMPILED in sys.modules:
            return True
        if words >= ENOUGH:
            try:
                importlib.import_module(COMPILED)
            # numba refuses to load where it does not know the processor or can keep no cache.
            except (ImportError, OSError, RuntimeError):
                self._compiled = False
            else:
                return True
        return False

    def _encode(self, batch: Sequence[Sequence[str]], row: int, compiled: bool) -> Encoded:
        try:
            lines = ["\0".join(document) for document in batch]
        except TypeError:
            check_words(batch, row)
            raise
        offsets = np.cumsum(np.fromiter(chain([0], map(len, batch)), np.int64, len(batch) + 1))
        total = int(offsets[-1])
        if compiled and total:
            # A document without words must not leave an empty word between two separators.
            if not all(batch):
                lines = [line for line, document in zip(lines, batch, strict=True) if document]
            text = "\0".join(lines)
            numbers = self._trie.encode(text, total)
            if numbers is not None:
                return Encoded(ids=numbers, offsets=offsets, matcher=self)
        words = chain.from_iterable(batch)
        ids = np.fromiter(map(self._numbers.__getitem__, words), np.int32, total)
        return Encoded(ids=ids, offsets=offsets, matcher=self)

    def _first_plain(self, encoded: Encoded) -> Found:
        search = self._automaton.find_overlapping
        found = [
            min([(rank, start) for start, _, rank in search(text)], default=(-1, -1))
            for text in self._spell(encoded)
        ]
        ranks, positions = np.array(found, dtype=np.int64).reshape(-1, 2).T
        return ranks, positions

    def _every_plain(self, encoded: Encoded) -> Found:
        search = self._automaton.find_overlapping
        found = [[rank for _, _, rank in search(text)] for text in self._spell(encoded)]
        counts = np.array([len(ranks) for ranks in found], dtype=np.int64)
        return counts, np.array(list(chain.from_iterable(found)), dtype=np.int64)

    @cached_property
    def _trie(self) -> Trie:
        from rnnscope.rules.compiled import Trie

        return Trie(self.phrases, self._numbers)

    @cached_property
    def _automaton(self) -> Any:
        ids = [self._numbers[word] for phrase in self.phrases for word in phrase]
        offsets = np.cumsum([0, *map(len, self.phrases)])
        patterns = Encoded(ids=np.array(ids, dtype=np.int64), offsets=offsets, matcher=self)
        return daachorse.CharwiseDoubleArrayAhoCorasick(self._spell(patterns))

    def _spell(self, encoded: Encoded) -> list[str]:
        """One code point per word: 1 for a word that is in no phrase, and none for surrogates."""
        points = encoded.ids.astype("<u4") + np.uint32(2)
        points[points >= SURROGATES.start] += np.uint32(len(SURROGATES))
        text = points.tobytes().decode("utf-32-le")
        ends = encoded.offsets.tolist()
        return [text[a:b] for a, b in pairwise(ends)]


def words_of(document: Any, row: int) -> Sequence[str]:
    """A document as a list of words; DataError for a text, or for nothing that holds words."""
    if isinstance(document, list | tuple):
        return document
    flat = getattr(document, "ndim", 1) == 0
    if isinstance(document, str | bytes) or flat or not isinstance(document, Iterable):
        raise DataError(
            "A document is a sequence of words.",
            expected="a list of strings",
            got=f"{type(document).__name__} as document {row}",
        )
    return list(document)


def check_words(documents: Sequence[Sequence[Any]], row: int = 0) -> None:
    """Raise DataError if a document, the first of which is ``row``, holds other things."""
    for k, document in enumerate(documents, row):
        for position, word in enumerate(document):
            if not isinstance(word, str):
                raise DataError(
                    "A document is a sequence of words.",
                    expected="strings",
                    got=f"other things in document {k}: {word!r} at position {position}",
                )


def _checked(phrases: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    ranks: dict[tuple[str, ...], int] = {}
    if not isinstance(phrases, Iterable) or getattr(phrases, "ndim", 1) == 0:
        raise DataError("Phrases come as a list.", got=type(phrases).__name__)
    for rank, phrase in enumerate(phrases):
        if isinstance(phrase, str) or not isinstance(phrase, Iterable):
            raise DataError(
                "A phrase is a sequence of words.",
                expected='such as ("not", "good")',
                got=f"{phrase!r} as phrase {rank}",
            )
        words = tuple(phrase)
        if not words or not all(isinstance(word, str) for word in words):
            raise DataError(
                "A phrase has at least one word, and words are strings.",
                got=f"{words!r} as phrase {rank}",
            )
        if words in ranks:
            raise DataError(
                "Each phrase stands once in a list: the second could never decide.",
                got=f"{' '.join(words)!r} as phrase {ranks[words]} and as phrase {rank}",
                fix="leave one out",
            )
        ranks[words] = rank
    return tuple(ranks)
