"""Rows of n-grams added, in memory or a range of n-grams at a time, and kept in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from rnnscope.errors import DataError
from rnnscope.phrases.sums import COUNTS, LARGEST_OF, columns_of, product_names, scale_name
from rnnscope.phrases.words import Origin

ROWS = 2_000_000
"""Rows of all shards together that are added at a time when the sum is written to disk."""

EVERY = 1_024
"""Rows of a file of which one is looked at to choose those ranges."""

Frame = pl.DataFrame | pl.LazyFrame


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


def ranges(frames: Sequence[Frame]) -> list[tuple[int, int | None]]:
    """Ranges of the first key, each of some ``ROWS`` rows of all frames together."""
    cuts = _cuts(frames)
    return list(zip([0, *cuts], [*cuts, None], strict=True))


def add_range(
    frames: Sequence[Frame], origin: Origin, length: int, low: int, high: int | None
) -> pl.DataFrame:
    """The sum of the rows whose first key lies in a range."""
    key = pl.col("key_0")
    inside = key >= low if high is None else (key >= low) & (key < high)
    return add_frames([f.lazy().filter(inside).collect() for f in frames], origin, length)


def write_range(
    file: Path,
    frames: Sequence[Frame],
    origin: Origin,
    length: int,
    low: int,
    high: int | None,
) -> None:
    """``add_range``, written to a file."""
    write_rows(file, add_range(frames, origin, length, low, high))


def _cuts(frames: Sequence[Frame]) -> list[int]:
    """First keys that part all rows into ranges of some ``ROWS``; from a sample of each frame,
    as the keys of a great corpus are themselves more than memory should hold."""
    heads = [frame.lazy().select(pl.col("key_0").gather_every(EVERY)).collect() for frame in frames]
    ordered = pl.concat(heads)["key_0"].sort()
    step = max(1, ROWS // EVERY)
    return ordered.gather(np.arange(step, len(ordered), step)).unique().sort().to_list()


def empty_frame(origin: Origin, length: int) -> pl.DataFrame:
    """No n-gram of this length."""
    return pl.DataFrame(schema=columns_of(origin, length))


def write_frames(
    folder: Path, frames: Iterable[tuple[int, Frame]], origin: Origin, max_length: int
) -> None:
    """The frames of each length as files of the folder, as they come."""
    parts = [0] * max_length
    empty = ((k, empty_frame(origin, k)) for k in range(1, max_length + 1) if not parts[k - 1])
    for length, frame in chain(frames, empty):
        write_rows(file_of(folder, length, parts[length - 1]), frame)
        parts[length - 1] += 1


def write_rows(file: Path, frame: Frame) -> None:
    """Fast to write, and in row groups that a filter on keys can skip."""
    frame.lazy().sink_parquet(file, compression="lz4", row_group_size=1 << 18)


def file_of(folder: Path, length: int, part: int) -> Path:
    """The file of one part of one length."""
    return folder / f"length_{length:02d}_{part:05d}.parquet"


def scan_frames(folder: Path, max_length: int) -> tuple[pl.LazyFrame, ...]:
    """What ``write_frames`` wrote, left on disk."""
    return tuple(
        pl.scan_parquet(sorted(folder.glob(f"length_{k:02d}_*.parquet")))
        for k in range(1, max_length + 1)
    )
