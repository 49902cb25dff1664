"""The data sets of a study: where they are read from, and how much of each."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rnnscope.arguments import check_fields
from rnnscope.data import Corpus, load_corpus
from rnnscope.errors import UsageError

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One data set.

    Attributes:
        name: what the tables call it.
        source: anything ``load_corpus`` reads by name or path; or give the splits' own files.
        train, validation, test: files of the splits, each like ``source``.
        text, label: columns.
        classes: the names of the classes in the order of the labels; by default the labels.
        drop: labels whose documents are left out, such as -1 for a neutral one.
        limit: documents of each split at most, drawn by seed 0; all when None.
        longest: words of a document that are read, its last ones; all when None.

    Raises:
        UsageError: neither a source nor a training file, both, or a number out of range.
    """

    name: str
    source: str | None = None
    train: str | None = None
    validation: str | None = None
    test: str | None = None
    text: str = "text"
    label: str | None = None
    classes: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    limit: int | None = None
    longest: int | None = None

    def __post_init__(self) -> None:
        for name in ("drop", "classes"):
            if isinstance(getattr(self, name), list):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        if isinstance(self.drop, tuple):
            object.__setattr__(self, "drop", tuple(map(str, self.drop)))
        check_fields(self)
        if not self.name or any(c in self.name for c in "/\\\0") or self.name.startswith("."):
            raise UsageError(
                "A data set of a study has a name that a file can have.",
                expected="letters, digits, - and _",
                got=repr(self.name),
            )
        if (self.source is None) == (self.train is None):
            raise UsageError(
                "A data set is read from one source, or from a file for each split.",
                expected="source = ..., or train = ... and test = ...",
                got="both" if self.source else "neither",
            )
        if self.train is not None and self.test is None:
            raise UsageError(
                "Networks are judged on test documents.", expected="test = ...", got="none"
            )
        for option in ("limit", "longest"):
            value = getattr(self, option)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise UsageError(
                    f"The option {option} must be a whole number above zero.",
                    expected="1 or more",
                    got=repr(value),
                )

    @classmethod
    def of(cls, name: str, options: dict[str, Any]) -> DataSource:
        """From a table of a study's file.

        Raises:
            UsageError: an option that does not exist.
        """
        known = [field.name for field in fields(cls) if field.name != "name"]
        for option in options:
            if option not in known:
                raise UsageError(
                    f"The data set {name!r} has no such option.",
                    expected=", ".join(known),
                    got=option,
                )
        return cls(name=name, **options)

    def beside(self, folder: Path) -> DataSource:
        """The same with relative paths taken from a folder."""

        def there(path: str | None) -> str | None:
            if path is None or ":" in path or path == "embedded":
                return path
            return str((folder / path).resolve())

        paths = {name: there(getattr(self, name)) for name in ("source", *SPLITS)}
        return replace(self, **paths)

    def to_dict(self) -> dict[str, Any]:
        """What decides which documents are read: files by their contents, wherever they lie."""
        told = asdict(self)
        for name in ("source", *SPLITS):
            path = told[name]
            if path is not None and Path(path).is_file():
                told[name] = {"file": Path(path).name, "sha256": _sha256(Path(path))}
        return told

    def load(self) -> Corpus:
        """Read it.

        Raises:
            UsageError, DataError: as of ``load_corpus``.
        """
        if self.source is not None:
            corpus = self._read(self.source)
        else:
            files = {split: getattr(self, split) for split in SPLITS}
            parts = {split: self._read(path) for split, path in files.items() if path}
            corpus = _joined(self.name, parts)
        return _cut(self.name, corpus, self.limit, self.longest)

    def _read(self, path: str) -> Corpus:
        classes = list(self.classes) if self.classes else None
        read: dict[str, Any] = {"text": self.text, "label": self.label, "classes": classes}
        if not self.drop:
            return load_corpus(path, **read)
        column = self.label or "label"
        table = _table(path)
        if column not in table.columns:
            raise UsageError(
                "Labels are dropped by a column of labels.",
                expected=", ".join(table.columns),
                got=column,
            )
        kept = table.filter(~pl.col(column).cast(pl.String).is_in(list(self.drop)))
        return load_corpus(kept, **read)


def _sha256(path: Path) -> str:
    told = path.stat()
    return _sha256_of(str(path), told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=256)
def _sha256_of(path: str, changed: int, size: int) -> str:
    del changed, size
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(path: str) -> pl.DataFrame:
    readers = {
        ".parquet": pl.read_parquet,
        ".csv": pl.read_csv,
        ".jsonl": pl.read_ndjson,
        ".ndjson": pl.read_ndjson,
    }
    reader = readers.get(Path(path).suffix.lower())
    if reader is None:
        raise UsageError(
            "Labels can be dropped from a table in a file.",
            expected=", ".join(readers),
            got=path,
        )
    try:
        return reader(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError("A data set's file must be readable.", got=f"{path}: {error}") from error


def _joined(name: str, parts: dict[str, Corpus]) -> Corpus:
    first = next(iter(parts.values()))
    labels = [part.labels for part in parts.values()]
    if any(one is None for one in labels):
        raise UsageError(
            "A study trains classifiers.",
            expected="a column of labels in every file",
            got="a file without labels",
            fix="name the column: label = ...",
        )
    return Corpus(
        name=name,
        documents=tuple(document for part in parts.values() for document in part.documents),
        labels=np.concatenate([np.asarray(one) for one in labels]),
        classes=first.classes,
        splits=np.concatenate([np.full(len(part), split) for split, part in parts.items()]),
    )


def _cut(name: str, corpus: Corpus, limit: int | None, longest: int | None) -> Corpus:
    rows = np.arange(len(corpus))
    if limit is not None:
        splits = corpus.splits if corpus.splits is not None else np.full(len(corpus), "")
        shuffled = np.random.default_rng(0).permutation(len(corpus))
        kept = [shuffled[splits[shuffled] == split][:limit] for split in np.unique(splits)]
        rows = np.sort(np.concatenate(kept))
    chosen = corpus.take(rows)
    if longest is None:
        return replace(chosen, name=name)
    documents = tuple(document[-longest:] for document in chosen.documents)
    # The texts are longer than what is read of them.
    return replace(chosen, name=name, documents=documents, texts=None)
