"""Corpora from files, frames, hub data sets, iterables and the embedded data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rnnscope.data.corpus import Corpus
from rnnscope.data.embedded import load_embedded
from rnnscope.data.labels import check_classes
from rnnscope.data.rows import Options, Rows, Tokenizer
from rnnscope.data.sources import open_table
from rnnscope.data.tokenizer import tokenize
from rnnscope.errors import UsageError

__all__ = ["load_corpus", "stream_corpus"]


def load_corpus(
    source: Any,
    *,
    text: str = "text",
    label: str | None = None,
    valence: str | None = None,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    tokenizer: Tokenizer = tokenize,
    name: str | None = None,
    view: str = "sentences",
    limit: int | None = None,
) -> Corpus:
    """Read a corpus.

    `source` is one of:

    - "embedded" (with `view`), "embedded:sentences" or "embedded:documents";
    - a path to a .csv, .tsv, .jsonl, .ndjson or .parquet file; all but the last may end in .gz;
    - a pandas or polars DataFrame, which is left as it is;
    - "hub:owner/name" or "hub:owner/name:split", a Hugging Face data set, or such an object;
    - an iterable of texts, of token sequences, of mappings from column to value, or of pairs
      (text or tokens, label). A tuple of two strings is a pair (text, label); a list of two
      strings is a document of two tokens;
    - a `Corpus`, which comes back as it is (but for `limit`).

    Labels may be names, whole numbers or truth values; see `classes`. Rows without a label (None,
    NaN, empty, -1) are allowed only if every row is one.

    Args:
        text: the column of texts (or of token lists, which are not tokenised).
        label: the column of labels; by default "label" where there is one.
        valence: the column of human ratings; none by default.
        split: the column of splits (train, validation, valid, dev, test); by default "split",
            where there is one that begins with such a name.
        classes: the names of the classes in the order of the class indices. By default the
            distinct labels, numbers by size and names by alphabet.
        tokenizer: turns a text into tokens.
        name: the name of the corpus; by default that of the source.
        view: "sentences" or "documents" of the embedded data set.
        limit: read only so many rows.

    Raises:
        UsageError: a file, data set, column, view or option that does not exist.
        DataError: rows that cannot be read, are empty or do not fit; the message names the row
            (counted from 1 after the header) and the column.
    """
    if limit is not None and limit < 1:
        raise UsageError("A corpus has at least one row.", got=f"limit={limit}")
    ready = _ready_made(source, view=view, tokenizer=tokenizer)
    if ready is not None:
        return ready if limit is None else ready.take(range(min(limit, len(ready))))
    options = Options(
        text=text,
        label=label,
        valence=valence,
        split=split,
        classes=check_classes(classes),
        tokenizer=tokenizer,
        name=name,
    )
    rows = Rows(open_table(source), options)
    rows.read(limit)
    return rows.corpus()


def stream_corpus(
    source: Any,
    *,
    text: str = "text",
    label: str | None = None,
    valence: str | None = None,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    tokenizer: Tokenizer = tokenize,
    name: str | None = None,
    view: str = "sentences",
    limit: int | None = None,
    chunk: int = 4096,
) -> Iterator[Corpus]:
    """Read a corpus in chunks of at most `chunk` documents; joined they equal `load_corpus`.

    Files, iterables and hub data sets are read as the chunks are asked for, in memory bounded by
    the chunk; rows keep counting from the first. The other options are those of `load_corpus`;
    labelled sources need `classes`, unless the data set declares them, because a chunk cannot
    know the labels of the next.

    Raises:
        UsageError: as `load_corpus`, at the call; or labels without `classes`, at the first row.
        DataError: as `load_corpus`, when the row is reached.
    """
    if chunk < 1 or (limit is not None and limit < 1):
        raise UsageError("A chunk has at least one row.", got=f"chunk={chunk}, limit={limit}")
    ready = _ready_made(source, view=view, tokenizer=tokenizer)
    if ready is not None:
        count = len(ready) if limit is None else min(limit, len(ready))
        return (
            ready.take(range(start, min(start + chunk, count))) for start in range(0, count, chunk)
        )
    options = Options(
        text=text,
        label=label,
        valence=valence,
        split=split,
        classes=check_classes(classes),
        tokenizer=tokenizer,
        name=name,
    )
    rows = Rows(open_table(source, streaming=True), options, streaming=True)
    return _chunks(rows, chunk, limit)


def _ready_made(source: Any, *, view: str, tokenizer: Tokenizer) -> Corpus | None:
    if isinstance(source, Corpus):
        return source
    if isinstance(source, str) and source.split(":")[0] == "embedded":
        return load_embedded(source.partition(":")[2] or view, tokenizer=tokenizer)
    return None


def _chunks(rows: Rows, chunk: int, limit: int | None) -> Iterator[Corpus]:
    left = limit
    first = True
    while left is None or left > 0:
        count = rows.read(chunk if left is None else min(chunk, left))
        if count == 0 and not first:
            return
        yield rows.corpus()
        first = False
        left = None if left is None else left - count
