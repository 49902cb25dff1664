"""The statistics of every n-gram as a table; tables of different documents add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.phrases.files import as_path, describe, description_of, new_folder, reading
from rnnscope.phrases.levels import levels
from rnnscope.phrases.options import LONGEST
from rnnscope.phrases.rows import (
    Frame,
    add_frames,
    empty_frame,
    file_of,
    ranges,
    scan_frames,
    write_frames,
    write_range,
)
from rnnscope.phrases.sums import (
    columns_of,
    group_sums,
)
from rnnscope.phrases.windows import windows
from rnnscope.phrases.words import Origin, Words
from rnnscope.scores import WordScores

KIND = "phrase_table"


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseTable(ShowsItself):
    """Counts and sums of every n-gram of some documents, exact: no hash stands for an n-gram.

    ``a + b`` is the table of the documents of both. Counts are those of the whole bit for bit,
    sums to 1e-12 of the sum of their absolute terms; the same tables in the same order give the
    same bits. An n-gram never crosses documents, nor a word that the vocabulary does not know:
    the network cannot tell it from any other such word.

    Make one with ``PhraseTable.of(scores)``, read one with ``load`` (into memory) or ``scan``
    (stays on disk).

    Args:
        origin: the method, network and vocabulary; what two tables must share to be added.
        frames: of each length from 1, one row per n-gram in the order of its packed words; the
            columns are described in ``rnnscope.phrases.sums``. On disk, a LazyFrame.
        predicted: (classes,), the documents by the network's class.
        words: how many, known or not, the documents hold.
    """

    origin: Origin
    frames: tuple[Frame, ...]
    predicted: np.ndarray
    words: int

    @classmethod
    def of(
        cls,
        scores: WordScores,
        *,
        max_length: int = 5,
        signed: bool = True,
        path: str | Path | None = None,
    ) -> PhraseTable:
        """The table of the documents of some word scores.

        Args:
            scores: what a score's ``score(documents)`` gives.
            max_length: words in an n-gram at most.
            signed: False for scores without a sign (see ``PhraseOptions``, "sum").
            path: write each length to this directory as it is done, and scan that.

        Raises:
            NotApplicable: the network reads vectors, not words.
            DataError: scores that are not finite.
        """
        if type(max_length) is not int or not 1 <= max_length <= LONGEST:
            raise UsageError(
                f"An n-gram has one word or more, and at most {LONGEST}.",
                expected=f"max_length from 1 to {LONGEST}",
                got=repr(max_length)[:40],
            )
        words = Words.of(scores, signed=signed)
        frames = (
            (level.length, frame)
            for window in windows(words, max_length)
            for level in levels(window, max_length)
            for frame in group_sums(window, level, whole=words)
        )
        table = cls(
            origin=words.origin,
            frames=tuple(empty_frame(words.origin, k + 1) for k in range(max_length)),
            predicted=predicted_by(words),
            words=len(words),
        )
        return _held(frames, table) if path is None else _write(frames, table, path)

    @property
    def max_length(self) -> int:
        """The longest n-grams counted."""
        return len(self.frames)

    @property
    def documents(self) -> int:
        """How many documents."""
        return int(self.predicted.sum())

    def __add__(self, other: PhraseTable) -> PhraseTable:
        return PhraseTable.merge([self, other])

    @staticmethod
    def merge(tables: Iterable[PhraseTable], *, path: str | Path | None = None) -> PhraseTable:
        """The table of the documents of all tables, added in their order.

        Args:
            tables: of different documents.
            path: write the sum to this directory, a range of n-grams at a time, and scan that;
                tables that are scanned are then never in memory as a whole.

        Raises:
            DataError: tables of different networks, methods or vocabularies, or of different
                lengths; the same table twice; none.
        """
        listed = list(tables)
        _require_addable(listed)
        if path is not None:
            return saved_sum(listed, path)
        total = _total(listed)
        frames = (
            (k + 1, add_frames([t.frames[k].lazy().collect() for t in listed], total.origin, k + 1))
            for k in range(total.max_length)
        )
        return _held(frames, total)

    def lazy(self, length: int) -> pl.LazyFrame:
        """The n-grams of one length."""
        return self.frames[length - 1].lazy()

    def __len__(self) -> int:
        """How many different n-grams."""
        return sum(int(f.lazy().select(pl.len()).collect().item()) for f in self.frames)

    def occurrences(self) -> int:
        """How many n-grams, counted as often as they occur."""
        counts = [f"count_{k}" for k in range(len(self.origin.classes))]
        sums = [f.lazy().select(pl.col(counts).cast(pl.Int64).sum()).collect() for f in self.frames]
        return sum(int(frame.sum_horizontal().item()) for frame in sums)

    def save(self, path: str | Path) -> Path:
        """Write the table to a directory: JSON and Parquet."""
        _write(enumerate(self.frames, 1), self, path)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> PhraseTable:
        """Read a saved table into memory.

        Raises:
            UsageError: there is none at the path.
            DataError: a file is damaged or missing.
        """
        table = cls.scan(path)
        with reading(as_path(path)):
            return PhraseTable(
                origin=table.origin,
                frames=tuple(frame.lazy().collect() for frame in table.frames),
                predicted=table.predicted,
                words=table.words,
            )

    @classmethod
    def scan(cls, path: str | Path) -> PhraseTable:
        """A saved table that stays on disk; what is asked of it is read when asked."""
        folder = as_path(path)
        found = description_of(folder, KIND)
        with reading(folder):
            origin = Origin.from_dict(found["origin"])
            frames = scan_frames(folder, found["max_length"])
            for k, frame in enumerate(frames, 1):
                missing = set(columns_of(origin, k)) - set(frame.collect_schema().names())
                if missing:
                    raise DataError("A saved table has all its columns.", got=f"no {missing}")
            return cls(
                origin=origin,
                frames=frames,
                predicted=np.array(found["predicted"], dtype=np.int64),
                words=found["words"],
            )

    def __repr__(self) -> str:
        return (
            f"PhraseTable({self.documents:,} documents, {self.words:,} words, n-grams up to "
            f"{self.max_length} words, from {self.origin.method})"
        )


def predicted_by(words: Words) -> np.ndarray:
    """(classes,), documents by the network's class."""
    return np.bincount(words.predictions, minlength=len(words.origin.classes))


Work = Callable[[Callable[..., None], Iterable[tuple[Any, ...]]], None]
"""Calls a function with each tuple of arguments, in any order and anywhere; back when all is
done."""


def here(function: Callable[..., None], jobs: Iterable[tuple[Any, ...]]) -> None:
    """One after another."""
    for job in jobs:
        function(*job)


def saved_sum(
    tables: Sequence[PhraseTable], path: str | Path, work: Work = here, *, digests: bool = True
) -> PhraseTable:
    """The sum of tables as a saved table, left on disk."""
    with new_folder(path, KIND) as draft:
        total = _write_sum(tables, draft, work)
        _describe(total, draft, digests=digests)
    return replace(total, frames=scan_frames(Path(path), total.max_length))


def spilled(table: PhraseTable, path: Path) -> PhraseTable:
    """A table left on disk for what is added up further and goes again: whole or not at all, but
    without digests, which cost a twentieth of mining it."""
    return _write(enumerate(table.frames, 1), table, path, digests=False)


def _write_sum(tables: Sequence[PhraseTable], folder: Path, work: Work) -> PhraseTable:
    total = _total(tables)
    jobs = (
        (file_of(folder, k + 1, part), frames, total.origin, k + 1, low, high)
        for k in range(total.max_length)
        for frames in [[table.frames[k] for table in tables]]
        for part, (low, high) in enumerate(ranges(frames))
    )
    work(write_range, jobs)
    return total


def _total(tables: Sequence[PhraseTable]) -> PhraseTable:
    """The sum of tables but for its rows, which are those of the first."""
    predicted = np.sum([table.predicted for table in tables], axis=0)
    return replace(tables[0], predicted=predicted, words=sum(table.words for table in tables))


def _require_addable(tables: list[PhraseTable]) -> None:
    if not tables or not all(isinstance(table, PhraseTable) for table in tables):
        raise DataError(
            "Phrase tables are added.",
            expected="one PhraseTable or more",
            got=", ".join(sorted({type(table).__name__ for table in tables})) or "none",
        )
    if len({id(table) for table in tables}) < len(tables):
        raise DataError(
            "Tables of different documents are added.",
            got="the same table twice",
            fix="name each shard once, or its documents count double",
        )
    for table in tables[1:]:
        tables[0].origin.require_same(table.origin)
        if table.max_length != tables[0].max_length:
            raise DataError(
                "Statistics are added where the n-grams are equally long.",
                expected=f"max_length={tables[0].max_length}",
                got=f"max_length={table.max_length}",
            )


def _held(frames: Iterable[tuple[int, pl.DataFrame]], table: PhraseTable) -> PhraseTable:
    """A table with these parts of each length, in memory."""
    held: list[list[pl.DataFrame]] = [[] for _ in range(table.max_length)]
    for length, frame in frames:
        held[length - 1].append(frame)
    whole = (
        pl.concat(parts, rechunk=False) if parts else empty_frame(table.origin, length)
        for length, parts in enumerate(held, 1)
    )
    return replace(table, frames=tuple(whole))


def _write(
    frames: Iterable[tuple[int, Frame]],
    table: PhraseTable,
    path: str | Path,
    *,
    digests: bool = True,
) -> PhraseTable:
    """A table with these parts of each length, saved and left on disk."""
    with new_folder(path, KIND) as draft:
        write_frames(draft, frames, table.origin, table.max_length)
        _describe(table, draft, digests=digests)
    return replace(table, frames=scan_frames(Path(path), table.max_length))


def _describe(table: PhraseTable, folder: Path, *, digests: bool) -> None:
    describe(
        folder,
        KIND,
        {
            "origin": table.origin.to_dict(),
            "max_length": table.max_length,
            "predicted": table.predicted.tolist(),
            "words": table.words,
        },
        digests=digests,
    )
