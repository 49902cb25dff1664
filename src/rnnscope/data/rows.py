"""Rows of a table, checked one by one and gathered into corpora."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnscope.data.corpus import Corpus
from rnnscope.data.labels import Labels, is_missing
from rnnscope.data.readers import Row, Table
from rnnscope.data.sources import SPLIT_NAMES
from rnnscope.errors import DataError, UsageError

__all__ = ["Options", "Rows", "Tokenizer"]

Tokenizer = Callable[[str], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to read from a table; the fields are the arguments of `load_corpus`."""

    text: str
    label: str | None
    valence: str | None
    split: str | None
    classes: tuple[str, ...] | None
    tokenizer: Tokenizer
    name: str | None


class Rows:
    """Reads rows of a table, checks them, and makes corpora of what it has read.

    Raises:
        UsageError: a named column does not exist.
    """

    def __init__(self, table: Table, options: Options, *, streaming: bool = False) -> None:
        self._table, self._options = table, options
        self._label = options.label or ("label" if "label" in table.columns else None)
        self._split = options.split or ("split" if "split" in table.columns else None)
        named = {
            "text": options.text,
            "label": self._label,
            "valence": options.valence,
            "split": self._split,
        }
        for option, column in named.items():
            if column is not None and table.columns and column not in table.columns:
                raise UsageError(
                    f"The {option} column exists.",
                    expected=", ".join(table.columns),
                    got=f"{column!r}, which {table.where} does not have",
                    fix=f"Name one of its columns: {option}=...",
                )
        self._columns = tuple(dict.fromkeys(c for c in named.values() if c is not None))
        self._rows: Iterator[Row] = table.read(self._columns)
        classes = options.classes or table.class_names.get(self._label or "")
        self._labels = Labels(classes, table.where, streaming=streaming)
        self._begun = False
        self._clear()

    def _clear(self) -> None:
        self._documents: list[tuple[str, ...]] = []
        self._texts: list[str] = []
        self._valences: list[float] = []
        self._splits: list[str] = []
        # One string object for each word keeps the tokens of large corpora small.
        self._same: dict[str, str] = {}

    def read(self, limit: int | None) -> int:
        """Read at most `limit` rows; the number read."""
        while limit is None or len(self._documents) < limit:
            row = next(self._rows, None)
            if row is None:
                break
            self._add(row[0], dict(zip(self._columns, row[1], strict=True)))
        return len(self._documents)

    def _add(self, number: int, values: dict[str, Any]) -> None:
        same = self._same.setdefault
        tokens = self._tokens(number, values[self._options.text])
        self._documents.append(tuple(same(token, token) for token in tokens))
        if self._label is not None:
            self._labels.add(values[self._label], number)
        if self._options.valence is not None:
            self._valences.append(self._number(number, values[self._options.valence]))
        if self._split is not None:
            self._add_split(number, values[self._split])
        self._begun = True

    def _tokens(self, number: int, value: Any) -> Sequence[str]:
        where = self._place(number, self._options.text)
        if isinstance(value, str):
            if "\0" in value:
                raise DataError("Texts hold no NUL characters.", got=f"one in {where}")
            self._texts.append(value)
            tokens = self._options.tokenizer(value)
        elif isinstance(value, list | tuple | np.ndarray):
            tokens = list(value)
        else:
            raise DataError(
                "Texts are strings or lists of tokens.",
                got=f"{reprlib.repr(value)} ({type(value).__name__}) in {where}",
                fix="Leave out the rows without a text." if is_missing(value) else "",
            )
        if not len(tokens):
            raise DataError(
                "Every text has at least one token.",
                got=f"none in {reprlib.repr(value)}, {where}",
                fix="Leave out the empty texts.",
            )
        for position, token in enumerate(tokens):
            if not isinstance(token, str):
                raise DataError(
                    "Tokens are strings.",
                    got=f"{reprlib.repr(token)} ({type(token).__name__}) at position {position}"
                    f" in {where}",
                    fix="A document with its label is a tuple: (tokens, label).",
                )
        return tokens

    def _place(self, number: int, column: str | None) -> str:
        return f"row {number}, column {column!r} of {self._table.where}"

    def _number(self, number: int, value: Any) -> float:
        try:
            rating = float(value)
        except (TypeError, ValueError, OverflowError):
            rating = math.nan
        if not math.isfinite(rating):
            raise DataError(
                "Ratings are finite numbers.",
                got=f"{value!r} in {self._place(number, self._options.valence)}",
            )
        return rating

    def _add_split(self, number: int, value: Any) -> None:
        known = SPLIT_NAMES.get(value.strip().lower()) if isinstance(value, str) else None
        if known is not None:
            self._splits.append(known)
        elif self._options.split is None and not self._begun:
            # A column that merely happens to be called "split".
            self._split = None
        else:
            raise DataError(
                "Splits have one of the known names.",
                expected=", ".join(SPLIT_NAMES),
                got=f"{value!r} in {self._place(number, self._split)}",
            )

    def corpus(self) -> Corpus:
        """What was read since the last call; DataError where that is nothing."""
        if not self._documents:
            raise DataError("A corpus has rows.", got=f"none in {self._table.where}")
        labels, classes = self._labels.take()
        whole = len(self._texts) == len(self._documents)
        corpus = Corpus(
            documents=tuple(self._documents),
            texts=tuple(self._texts) if whole else None,
            labels=labels,
            classes=classes,
            valence=np.array(self._valences) if self._valences else None,
            splits=np.array(self._splits) if self._splits else None,
            name=self._options.name or self._table.name,
            source=self._table.source,
        )
        self._clear()
        return corpus
