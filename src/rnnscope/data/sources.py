"""Whatever a corpus can be made from, as a table of rows."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

from rnnscope.data.corpus import SPLITS
from rnnscope.data.embedded import EMBEDDED
from rnnscope.data.readers import Row, Table, open_file
from rnnscope.errors import DataError, UsageError

__all__ = ["SPLIT_NAMES", "open_table"]

SPLIT_NAMES = {**{name: name for name in SPLITS}, "valid": "validation", "dev": "validation"}

_ADVICE = f"; or a data set's name: embedded, {', '.join(EMBEDDED)}; or hub:owner/name"


def open_table(source: Any, *, streaming: bool = False) -> Table:
    """A table of the rows of `source`: a file, a frame, a hub data set, a mapping or an iterable.

    Raises:
        UsageError: the source does not exist or is of no known kind.
        DataError: its beginning cannot be read.
    """
    if isinstance(source, str) and source.startswith("hub:"):
        return _from_hub(source.removeprefix("hub:"), streaming=streaming)
    if isinstance(source, str | PathLike):
        return open_file(Path(source), advice=_ADVICE)
    package = type(source).__module__.split(".")[0]
    if package in ("pandas", "polars") and type(source).__name__ == "DataFrame":
        return _from_frame(source)
    if hasattr(source, "column_names") and not isinstance(source, Mapping):
        return _from_dataset(source, "dataset")
    if isinstance(source, Mapping):
        return _from_splits(source, "dataset")
    # An array of no dimension claims to be iterable and is not.
    single = getattr(source, "ndim", 1) == 0
    if isinstance(source, bytes) or single or not isinstance(source, Iterable):
        raise UsageError(
            "A corpus is made from a file, a frame, a data set or an iterable of texts.",
            got=f"{type(source).__name__}",
        )
    return _from_items(iter(source))


def _from_frame(frame: Any) -> Table:
    package = type(frame).__module__.split(".")[0]
    places = {str(name): place for place, name in enumerate(frame.columns)}
    if len(places) < len(frame.columns):
        names = [str(name) for name in frame.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            "The columns of a frame must have different names.",
            expected="each name once",
            got="twice: " + ", ".join(twice),
        )

    def read(wanted: tuple[str, ...]) -> Iterator[Row]:
        if package == "polars":
            yield from enumerate(frame.select(wanted).iter_rows(), 1)
        else:
            columns = [frame.iloc[:, places[name]] for name in wanted]
            yield from enumerate(zip(*columns, strict=True), 1)

    return Table(
        columns=tuple(places),
        read=read,
        where=f"the {package} DataFrame",
        name="frame",
        source=f"Taken from a {package} DataFrame in memory.",
    )


def _from_items(items: Iterator[Any]) -> Table:
    first = next(items, None)
    items = items if first is None else chain([first], items)
    where, source = "the iterable", "Taken from an iterable in memory."
    if isinstance(first, Mapping):
        columns = tuple(map(str, first))

        def read(wanted: tuple[str, ...]) -> Iterator[Row]:
            for number, item in enumerate(items, 1):
                if not isinstance(item, Mapping):
                    raise _unlike_the_first(number, item)
                yield number, tuple(item.get(name) for name in wanted)

    else:
        paired = _is_pair(first)
        columns = ("text", "label")[: 2 if paired else 1]

        def read(wanted: tuple[str, ...]) -> Iterator[Row]:
            for number, item in enumerate(items, 1):
                if _is_pair(item) != paired or isinstance(item, Mapping):
                    raise _unlike_the_first(number, item)
                values: tuple[Any, ...] = item if paired else (item,)
                yield number, tuple(values[columns.index(name)] for name in wanted)

    return Table(columns=columns, read=read, where=where, name="texts", source=source)


def _is_pair(item: object) -> bool:
    if not isinstance(item, tuple) or len(item) != 2:
        return False
    return isinstance(item[0], str | list | tuple)


def _unlike_the_first(number: int, item: object) -> DataError:
    return DataError(
        "The items of an iterable are all alike.",
        expected="only texts or token lists, only pairs (text, label) as tuples, or only mappings",
        got=f"{type(item).__name__} in row {number}, unlike row 1",
    )


def _from_dataset(dataset: Any, name: str) -> Table:
    rows = iter(dataset)
    columns = dataset.column_names
    if columns is None:
        first = next(rows, {})
        columns, rows = tuple(first), chain([first] if first else [], rows)
    features = getattr(dataset, "features", None) or {}
    names = {
        column: tuple(feature.names)
        for column, feature in features.items()
        if getattr(feature, "names", None)
    }

    def read(wanted: tuple[str, ...]) -> Iterator[Row]:
        for number, row in enumerate(rows, 1):
            yield number, tuple(class_name(column, row[column]) for column in wanted)

    def class_name(column: str, value: Any) -> Any:
        if column in names and isinstance(value, int):
            return names[column][value] if value >= 0 else None
        return value

    return Table(
        columns=tuple(columns),
        read=read,
        where=name,
        name=name,
        source=f"Taken from the Hugging Face data set {name}.",
        class_names=names,
    )


def _from_splits(datasets: Mapping[Any, Any], name: str) -> Table:
    if not datasets or not all(hasattr(part, "column_names") for part in datasets.values()):
        raise UsageError(
            "A mapping stands for a data set with splits.",
            expected="a mapping from the names of splits to data sets",
            got=f"a mapping with the keys {[str(key) for key in datasets][:10]}",
            fix="Turn columns into a DataFrame, or rows into pairs (text, label).",
        )
    known = {key: part for key, part in datasets.items() if str(key) in SPLIT_NAMES}
    if not known:
        raise UsageError(
            "A data set with splits has train, validation or test.",
            expected=", ".join(SPLIT_NAMES),
            got=", ".join(map(str, datasets)),
            fix="Pass the one you want.",
        )
    tables = {str(key): _from_dataset(part, name) for key, part in known.items()}
    first = next(iter(tables.values()))

    def read(wanted: tuple[str, ...]) -> Iterator[Row]:
        number = 0
        for split, table in tables.items():
            for _, values in table.read(tuple(column for column in wanted if column != "split")):
                number += 1
                left = iter(values)
                yield number, tuple(split if c == "split" else next(left) for c in wanted)

    return Table(
        columns=(*(column for column in first.columns if column != "split"), "split"),
        read=read,
        where=f"{name} ({', '.join(tables)})",
        name=name,
        source=f"Taken from the Hugging Face data set {name}, splits {', '.join(tables)}.",
        class_names=first.class_names,
    )


def _from_hub(address: str, *, streaming: bool) -> Table:
    name, _, split = address.partition(":")
    try:
        datasets: Any = importlib.import_module("datasets")
    except ImportError as error:
        raise UsageError(
            "Data sets of the Hugging Face hub need the package datasets.",
            got=f"hub:{address}, and no such package",
            fix="pip install rnnscope[hub]",
        ) from error
    try:
        loaded = datasets.load_dataset(name, split=split or None, streaming=streaming)
    except Exception as error:
        raise UsageError(
            "A hub data set is named hub:owner/name or hub:owner/name:split.",
            got=f"hub:{address}: {error}",
            fix="Check the name, the split and the connection.",
        ) from error
    if isinstance(loaded, Mapping):
        return _from_splits(loaded, name)
    return _from_dataset(loaded, name)
