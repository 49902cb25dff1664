"""The table of the n-grams of a corpus that no memory holds, mined shard by shard."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from rnnscope.phrases import PhraseTable
from rnnscope.phrases.table import spilled
from rnnscope.progress import counted, showing
from rnnscope.scores import Score
from rnnscope.study.devices import gpu
from rnnscope.study.parts import Parts, PartsOnDisk
from rnnscope.study.shards import AHEAD, Shard, at_least_one, ordered, shards_of


def mine_on(
    score: Score,
    documents: Iterable[Any],
    executor: Executor | None = None,
    *,
    shard: int = 5_000,
    max_length: int = 5,
    ahead: int = AHEAD,
    path: str | Path | None = None,
    device: str | None = None,
    progress: bool = False,
) -> PhraseTable:
    """The n-gram table of documents that need not fit into memory, on an executor.

    Args:
        score: a word score with its model, which goes to every worker.
        documents: token lists, looked at once; or shards, each a function that gives its documents
            where it is called, such as ``functools.partial(read, path)``: a worker reads it itself,
            so that the text need not pass through this process.
        executor: any; here and now when None.
        shard: documents at a time, where they are not shards already.
        max_length: words in an n-gram at most.
        ahead: shards under way at once.
        path: keep the table, and what it is added up from, on disk in this directory, and scan
            it: memory then holds the shards under way, whatever the corpus. The executor's workers
            must see its folder under the same path: they write the parts, and add them up. What
            is stopped, by Ctrl-C or a kill, goes on from its last shard when called again with
            the same documents.
        device: where each worker scores, as torch names it. None for a GPU where the worker has
            one, and else where the model is.
        progress: show a bar on standard error.

    Returns:
        The table of all documents: its counts are those of one run exactly, its sums to rounding.

    Raises:
        UsageError: a size below 1, or other work is under way at the path.
        DataError: no documents, or others than those that were begun with; DataError and
            NotApplicable as of ``PhraseTable.of``.
    """
    at_least_one(shard=shard, ahead=ahead, max_length=max_length)
    parts = (
        Parts(executor, ahead)
        if path is None
        else PartsOnDisk(executor, ahead, path, score, shard, max_length)
    )
    with parts, showing(progress), counted(None, "mining", "document") as count:
        count(parts.documents)
        jobs = (
            (score, k, part, max_length, parts.place(0, k), device)
            for k, part in parts.missing(shards_of(documents, shard))
        )
        for k, table in ordered(_mine, jobs, executor, ahead):
            parts.add(0, k, table)
            count(table.documents)
        return parts.total()


def _mine(
    score: Score,
    k: int,
    shard: Shard,
    max_length: int,
    place: Path | None,
    device: str | None,
) -> tuple[int, PhraseTable]:
    where = device or _own(score)
    if where is not None:
        score = score.to(device=where)
    documents = shard() if callable(shard) else shard
    table = PhraseTable.of(score.score(documents), max_length=max_length)
    return k, table if place is None else spilled(table, place)


def _own(score: Score) -> str | None:
    """A GPU, for a model that nobody has put on a device."""
    return gpu() if score.model.device.type == "cpu" else None
