"""Files of rows: CSV, TSV, JSON lines and Parquet, read row by row in bounded memory."""

from __future__ import annotations

import csv
import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from rnnscope.errors import DataError, UsageError
from rnnscope.storage import as_path

__all__ = ["SUFFIXES", "Row", "Table", "open_file"]

SUFFIXES = (
    *(".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"),
    *(".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz"),
)

_FIELD_LIMIT = 16 * 2**20
_PARQUET_ROWS = 50_000
_CSV_LOCK = threading.Lock()

Row = tuple[int, tuple[object, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows that can be read once.

    Attributes:
        columns: the names of the columns.
        read: given some of these names, yields (row number, values in the order of the names).
        where: how messages call the source.
        name: a short name for the corpus.
        source: one sentence on where the rows come from.
        class_names: for columns of class indices that declare them, the names of the classes.
    """

    columns: tuple[str, ...]
    read: Callable[[tuple[str, ...]], Iterator[Row]]
    where: str
    name: str
    source: str
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def open_file(path: Path, *, advice: str = "") -> Table:
    """The table in the file at `path`; its columns are known, its rows not yet read.

    CSV and TSV follow the usual quoting rules: a field that holds the separator, a line break or
    begins with a quotation mark is quoted, and quotation marks in it are doubled.

    Raises:
        UsageError: no such file, a directory, or an unknown kind of file. `advice` ends the list
            of what there is instead.
        DataError: the beginning of the file cannot be read.
    """
    path = as_path(path)
    kind = _suffix(path)
    if path.is_dir():
        raise UsageError(
            "A corpus is read from one file.",
            expected=_files_in(path),
            got=f"the directory {path}",
        )
    if kind is None:
        raise UsageError(
            "The end of a file's name says how to read it.",
            expected=", ".join(SUFFIXES) + advice,
            got=str(path),
        )
    if not path.is_file():
        raise UsageError(
            "A corpus is read from a file that exists.",
            expected=_files_in(path.parent) + advice,
            got=str(path),
        )
    if path.stat().st_size == 0:
        raise DataError("A corpus has rows.", got=f"{path.name} is empty")
    opened = {".csv": _open_csv, ".tsv": _open_csv, ".parquet": _open_parquet}
    columns, read = opened.get(kind.removesuffix(".gz"), _open_jsonl)(path)
    return Table(
        columns=columns,
        read=read,
        where=path.name,
        name=path.name.lower().removesuffix(kind),
        source=f"Read from the file {path.name}.",
    )


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(s)), None)


def _files_in(folder: Path) -> str:
    if not folder.is_dir():
        return f"a file (there is no directory {folder})"
    names = sorted(entry.name for entry in folder.iterdir() if _suffix(entry) and entry.is_file())
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more if names else f"a data file (there is none in {folder})"


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    number = 0
    try:
        with opener(path, "rb") as file:
            while raw := file.readline(_FIELD_LIMIT + 1):
                number += 1
                if len(raw) > _FIELD_LIMIT:
                    raise DataError(
                        f"A line has at most {_FIELD_LIMIT:,} bytes.",
                        got=f"more in line {number} of {path.name}",
                    )
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                if "\0" in line:
                    raise DataError(
                        "Texts hold no NUL bytes.",
                        got=f"one in line {number} of {path.name}",
                        fix="Save the file as UTF-8 text; UTF-16 files look like this.",
                    )
                yield line
    except UnicodeDecodeError as error:
        raise DataError(
            "Text files are encoded in UTF-8.",
            got=f"the byte 0x{error.object[error.start]:02x} in line {number} of {path.name}",
            fix="Save the file as UTF-8.",
        ) from error
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            "A file can be read to its end.",
            got=f"{error} after line {number} of {path.name}",
        ) from error


def _records(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    separator = "\t" if str(_suffix(path)).startswith(".tsv") else ","
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        # The limit belongs to the whole process, so it is raised for one record at a time.
        with _CSV_LOCK:
            usual = csv.field_size_limit(_FIELD_LIMIT)
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise DataError(
                    "Fields are quoted by the rules of CSV and hold at most"
                    f" {_FIELD_LIMIT:,} characters.",
                    got=f"{error}, in the record that ends in line {reader.line_num} of"
                    f" {path.name}",
                    fix="Quote fields that begin with a quotation mark and double the marks in"
                    " them.",
                ) from error
            finally:
                csv.field_size_limit(usual)
        if record is None:
            return
        if record:
            yield reader.line_num, record


def _open_csv(path: Path) -> tuple[tuple[str, ...], Callable[[tuple[str, ...]], Iterator[Row]]]:
    records = _records(path, _lines(path))
    _, header = next(records, (0, []))
    columns = tuple(name.strip() for name in header)
    if not any(columns):
        raise DataError("The first line of a file names the columns.", got=f"none in {path.name}")
    _check_different(columns, path)

    def read(wanted: tuple[str, ...]) -> Iterator[Row]:
        places = [columns.index(name) for name in wanted]
        for number, (line, record) in enumerate(records, 1):
            if len(record) != len(columns):
                raise DataError(
                    "Every row has one field for each column.",
                    expected=f"{len(columns)} fields: {', '.join(columns)}",
                    got=f"{len(record)} in row {number} (line {line}) of {path.name}",
                    fix="Quote texts that hold the separator.",
                )
            yield number, tuple(record[place] for place in places)

    return columns, read


def _check_different(columns: tuple[str, ...], path: Path) -> None:
    named = [name for name in columns if name]
    repeated = next((name for name in named if named.count(name) > 1), None)
    if repeated is not None:
        raise DataError(
            "Columns have different names.", got=f"{repeated!r} more than once in {path.name}"
        )


def _open_jsonl(path: Path) -> tuple[tuple[str, ...], Callable[[tuple[str, ...]], Iterator[Row]]]:
    first = next(_objects(path), None)
    columns = () if first is None else tuple(first[1])

    def read(wanted: tuple[str, ...]) -> Iterator[Row]:
        for number, values in _objects(path):
            yield number, tuple(values.get(name) for name in wanted)

    return columns, read


def _objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                "Every line of a JSON lines file is one JSON object.",
                got=f"{error} in row {number} of {path.name}",
            ) from error
        if not isinstance(values, dict):
            raise DataError(
                "Every line of a JSON lines file is one JSON object.",
                got=f"a {type(values).__name__} in row {number} of {path.name}",
            )
        yield number, values


def _open_parquet(path: Path) -> tuple[tuple[str, ...], Callable[[tuple[str, ...]], Iterator[Row]]]:
    try:
        frame = pl.scan_parquet(path, glob=False)
        columns = tuple(frame.collect_schema().names())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _broken(path, error) from error

    def read(wanted: tuple[str, ...]) -> Iterator[Row]:
        start = 0
        while True:
            try:
                part = frame.select(wanted).slice(start, _PARQUET_ROWS).collect()
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
                raise _broken(path, error) from error
            yield from enumerate(part.iter_rows(), start + 1)
            start += _PARQUET_ROWS
            if part.height < _PARQUET_ROWS:
                return

    return columns, read


def _broken(path: Path, error: Exception) -> DataError:
    return DataError("A Parquet file can be read.", got=f"{path.name}: {error}")
