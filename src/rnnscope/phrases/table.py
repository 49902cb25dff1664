"""The statistics of every n-gram as a table; tables of different documents add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.phrases.files import as_path, describe, description_of, new_folder, reading
from rnnscope.phrases.levels import levels
from rnnscope.phrases.options import LONGEST
from rnnscope.phrases.sums import (
    COUNTS,
    LARGEST_OF,
    columns_of,
    group_sums,
    product_names,
    scale_name,
)
from rnnscope.phrases.windows import windows
from rnnscope.phrases.words import Origin, Words
from rnnscope.scores import WordScores

KIND = "phrase_table"
ROWS = 2_000_000
"""Rows of all shards together that are added at a time when the sum is written to disk."""

Frame = pl.DataFrame | pl.LazyFrame


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
        return _finish(words.origin, frames, max_length, predicted_by(words), len(words), path)

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
        first = listed[0]
        frames = (
            (k + 1, frame)
            for k in range(first.max_length)
            for frame in _added(
                [table.frames[k] for table in listed], first.origin, k + 1, path is not None
            )
        )
        predicted = np.sum([table.predicted for table in listed], axis=0)
        words = sum(table.words for table in listed)
        return _finish(first.origin, frames, first.max_length, predicted, words, path)

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
        frames = enumerate(self.frames, 1)
        return _write(self.origin, frames, self.max_length, self.predicted, self.words, path)

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
            frames = tuple(
                pl.scan_parquet(sorted(folder.glob(f"length_{k:02d}_*.parquet")))
                for k in range(1, found["max_length"] + 1)
            )
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


def add_frames(frames: Sequence[pl.DataFrame], origin: Origin, length: int) -> pl.DataFrame:
    """Rows of the same n-gram added, in the order of the frames."""
    scaled = [
        name
        for name in product_names(origin)
        if any(scale_name(name) in frame.columns for frame in frames)
    ]
    zero = [pl.lit(0, dtype=pl.Int32).alias(scale_name(name)) for name in scaled]
    frames = [
        frame.with_columns([z for z in zero if z.meta.output_name() not in frame.columns])
        for frame in frames
    ]
    kinds = columns_of(origin, length)
    names = [*kinds, *map(scale_name, scaled)]
    keys = origin.keys(length)
    rows = pl.concat([frame.select(names) for frame in frames]).sort(keys, maintain_order=True)
    columns = [rows[key].to_numpy() for key in keys]
    new = np.zeros(rows.height, dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(new)
    if len(starts) == rows.height:
        return rows
    held: dict[str, pl.Series] = {
        key: pl.Series(column[starts]) for key, column in zip(keys, columns, strict=True)
    }
    group = np.cumsum(new) - 1
    for name in names[len(keys) :]:
        values = rows[name].to_numpy()
        if name.startswith(COUNTS):
            total = np.add.reduceat(values, starts, dtype=np.uint64)
            if kinds[name] == pl.UInt32 and total.max() >= 1 << 32:
                raise DataError("A table counts up to 2^32.", got=f"{total.max()} in {name}")
        elif name.startswith(LARGEST_OF) or name not in kinds:
            total = np.maximum.reduceat(values, starts)
        else:
            if name in scaled:
                scales = rows[scale_name(name)].to_numpy()
                values = np.ldexp(values, scales - np.maximum.reduceat(scales, starts)[group])
            total = np.add.reduceat(values, starts)
        held[name] = pl.Series(total, dtype=kinds.get(name, pl.Int32))
    return pl.DataFrame(held)


def _added(
    frames: list[Frame], origin: Origin, length: int, in_parts: bool
) -> Iterator[pl.DataFrame]:
    """The sum of one length; part by part, each a range of the first key, where asked."""
    if not in_parts:
        yield add_frames([frame.lazy().collect() for frame in frames], origin, length)
        return
    key = pl.col("key_0")
    heads = [frame.lazy().select(key).collect()["key_0"] for frame in frames]
    total = sum(len(head) for head in heads)
    cuts: list[int] = []
    if total > ROWS:
        ordered = pl.concat(heads).sort()
        cuts = ordered.gather(np.arange(ROWS, total, ROWS)).unique().sort().to_list()
    for low, high in zip([0, *cuts], [*cuts, None], strict=True):
        inside = key >= low if high is None else (key >= low) & (key < high)
        parts = [frame.lazy().filter(inside).collect() for frame in frames]
        yield add_frames(parts, origin, length)


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


def _finish(
    origin: Origin,
    frames: Iterable[tuple[int, pl.DataFrame]],
    max_length: int,
    predicted: np.ndarray,
    words: int,
    path: str | Path | None,
) -> PhraseTable:
    """The table of these parts of each length, in memory or written to the path."""
    if path is not None:
        return PhraseTable.scan(_write(origin, frames, max_length, predicted, words, path))
    held: list[list[pl.DataFrame]] = [[] for _ in range(max_length)]
    for length, frame in frames:
        held[length - 1].append(frame)
    return PhraseTable(
        origin=origin,
        frames=tuple(
            pl.concat(parts, rechunk=False) if parts else empty_frame(origin, length)
            for length, parts in enumerate(held, 1)
        ),
        predicted=predicted,
        words=words,
    )


def empty_frame(origin: Origin, length: int) -> pl.DataFrame:
    """No n-gram of this length."""
    return pl.DataFrame(schema=columns_of(origin, length))


def _write(
    origin: Origin,
    frames: Iterable[tuple[int, Frame]],
    max_length: int,
    predicted: np.ndarray,
    words: int,
    path: str | Path,
) -> Path:
    with new_folder(path, KIND) as draft:
        parts = [0] * max_length

        def write(length: int, frame: Frame) -> None:
            file = draft / f"length_{length:02d}_{parts[length - 1]:05d}.parquet"
            # Fast to write, and a row group is what a filter on keys can skip.
            frame.lazy().sink_parquet(file, compression="lz4", row_group_size=1 << 18)
            parts[length - 1] += 1

        for length, frame in frames:
            write(length, frame)
        for length in range(1, max_length + 1):
            if not parts[length - 1]:
                write(length, empty_frame(origin, length))
        describe(
            draft,
            KIND,
            {
                "origin": origin.to_dict(),
                "max_length": max_length,
                "predicted": predicted.tolist(),
                "words": words,
            },
        )
    return Path(path)
