"""Work on more than one machine holds: corpora mined, and seeds searched, shard by shard.

A shard's result is small and adds up: tables of n-grams exactly in their counts, roots by the
balls in which each is the only one. So the shards may run anywhere, in any order, on any
``concurrent.futures.Executor``, and only as many are under way as keep its workers busy.
"""

from __future__ import annotations

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from rnnscope.dynamics import FixedPointOptions, find_fixed_points
from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.phrases import PhraseTable
from rnnscope.phrases.table import saved_sum, spilled
from rnnscope.scores import Score

AHEAD = 8
"""Shards under way at once: what keeps some workers busy, and what memory must hold."""

FAN = 16
"""Tables of one size that are added at a time."""

Shard = list[Any] | Callable[[], Iterable[Any]]
"""Documents, or what gives them."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def mine_on(
    score: Score,
    documents: Iterable[Any],
    executor: Executor | None = None,
    *,
    shard: int = 5_000,
    max_length: int = 5,
    ahead: int = AHEAD,
    path: str | Path | None = None,
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
            must see its folder under the same path: they write the parts, and add them up.

    Returns:
        The table of all documents: its counts are those of one run exactly, its sums to rounding.

    Raises:
        UsageError: a size below 1.
        DataError: no documents; DataError and NotApplicable as of ``PhraseTable.of``.
    """
    _at_least_one(shard=shard, ahead=ahead, max_length=max_length)
    with _Parts(path, executor, ahead) as parts:
        jobs = (
            (score, part, max_length, parts.place(f"shard-{k:06d}"))
            for k, part in enumerate(_shards(documents, shard))
        )
        for table in _ordered(_mine, jobs, executor, ahead):
            parts.add(table)
        return parts.total(path)


class _Parts:
    """Tables that are still to be added, in memory or in a folder that goes again.

    As soon as there are ``FAN`` of one level they become one of the next: few are open at a time,
    and a row is written as often as there are levels. Sums on disk are added by the executor, a
    range of n-grams at a time.
    """

    def __init__(self, path: str | Path | None, executor: Executor | None, ahead: int) -> None:
        beside = None if path is None else Path(path).absolute()
        self.folder = None if beside is None else beside.with_name(f".{beside.name}.parts")
        self.executor, self.ahead = executor, ahead
        self.sums = 0
        self.stack: list[tuple[int, PhraseTable, Path | None]] = []

    def __enter__(self) -> _Parts:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, name: str) -> Path | None:
        """Where a table's rows go; None in memory."""
        return None if self.folder is None else self.folder / name

    def add(self, shard: tuple[PhraseTable, Path | None]) -> None:
        self.stack.append((0, *shard))
        while len(self.stack) >= FAN and self.stack[-FAN][0] == self.stack[-1][0]:
            last = self.stack[-FAN:]
            level, tables = last[0][0] + 1, [table for _, table, _ in last]
            self.sums += 1
            place = self.place(f"sum-{self.sums:06d}")
            if place is None:
                total = PhraseTable.merge(tables)
            else:
                total = spilled(tables, place, self._work)
            self.stack[-FAN:] = [(level, total, place)]
            for _, _, folder in last:
                if folder is not None:
                    shutil.rmtree(folder)

    def total(self, path: str | Path | None) -> PhraseTable:
        tables = [table for _, table, _ in self.stack]
        if not tables:
            raise DataError("A table is made of documents.", expected="one or more", got="none")
        return PhraseTable.merge(tables) if path is None else saved_sum(tables, path, self._work)

    def _work(self, function: Callable[..., None], jobs: Iterable[tuple[Any, ...]]) -> None:
        for _ in _ordered(function, jobs, self.executor, self.ahead):
            pass


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyRoots(ShowsItself):
    """What very many seeds led to.

    Attributes:
        roots: each once, (R, N).
        isolation: radius within which each is the only one, (R,).
        proved: whether that is proved, (R,).
        basin_sizes: seeds that the network takes to each, (R,).
        to_none: seeds that it takes to none.
        outcomes: seeds by verdict.
        manifold: a sample of the manifold points, (M, N).
        seeds: how many there were.
    """

    roots: Tensor
    isolation: Tensor
    proved: Tensor
    basin_sizes: Tensor
    to_none: int
    outcomes: dict[str, int]
    manifold: Tensor
    seeds: int

    def __len__(self) -> int:
        return self.seeds

    def __repr__(self) -> str:
        found = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return f"ManyRoots of {self.seeds} seeds: {len(self.roots)} roots; {found}"


def find_on(
    model: Any,
    seeds: Tensor | Iterable[Tensor],
    executor: Executor | None = None,
    *,
    inputs: Any = "zero",
    shard: int = 2_048,
    ahead: int = AHEAD,
    sample: int = 64,
    options: FixedPointOptions | None = None,
    **changes: Any,
) -> ManyRoots:
    """Fixed points from seeds that need not fit into memory, on an executor.

    Args:
        model: a model, a system or a bare cell, which goes to every worker.
        seeds: states (S, N), or an iterable of such.
        executor: any; here and now when None.
        inputs: the input held fixed, one for all.
        shard: seeds at a time.
        ahead: shards under way at once.
        sample: manifold points kept of each shard.
        options, changes: as of ``find_fixed_points``.

    Raises:
        UsageError: a size below 1, or an unknown option.
        DataError: no seeds; DataError, ModelError and NotApplicable as of ``find_fixed_points``.
    """
    _at_least_one(shard=shard, ahead=ahead)
    chosen = FixedPointOptions.of(options, changes)
    blocks = [seeds] if isinstance(seeds, Tensor) else seeds
    parts = (part for block in blocks for part in _states(block).split(shard))
    jobs = ((model, part, inputs, chosen, sample) for part in parts)
    total: ManyRoots | None = None
    for found in _ordered(_find, jobs, executor, ahead):
        total = found if total is None else _joined(total, found)
    if total is None:
        raise DataError("Fixed points are sought from seeds.", expected="one or more", got="none")
    return total


def _states(block: Any) -> Tensor:
    states = numbers(block, "Seeds")
    if states.ndim != 2:
        raise DataError(
            "Seeds are states, one a row.", expected="(S, N)", got=str(tuple(states.shape))
        )
    return states


def _mine(
    score: Score, shard: Shard, max_length: int, folder: Path | None
) -> tuple[PhraseTable, Path | None]:
    documents = shard() if callable(shard) else shard
    table = PhraseTable.of(score.score(documents), max_length=max_length)
    return (table if folder is None else spilled([table], folder)), folder


def _find(
    model: Any, seeds: Tensor, inputs: Any, options: FixedPointOptions, sample: int
) -> ManyRoots:
    points = find_fixed_points(model, seeds, inputs, options=options)
    return ManyRoots(
        roots=points.roots.states,
        isolation=points.roots.isolation,
        proved=points.roots.proved,
        basin_sizes=points.basin_sizes,
        to_none=int((points.basin < 0).sum()),
        outcomes=points.counts,
        manifold=points.manifold.states[:: max(1, -(-len(points.manifold) // sample))].clone(),
        seeds=len(points),
    )


def _joined(a: ManyRoots, b: ManyRoots) -> ManyRoots:
    """Both: a root of ``b`` in whose ball, or in the ball of which, one of ``a`` lies is that."""
    roots, isolation, proved = list(a.roots), a.isolation.tolist(), a.proved.tolist()
    sizes = a.basin_sizes.tolist()
    for root, radius, sure, size in zip(
        b.roots, b.isolation.tolist(), b.proved.tolist(), b.basin_sizes.tolist(), strict=True
    ):
        apart = [float((root - one).norm()) for one in roots]
        same = [k for k, d in enumerate(apart) if d <= max(radius, isolation[k])]
        if same:
            sizes[same[0]] += size
            continue
        roots.append(root)
        isolation.append(radius)
        proved.append(sure)
        sizes.append(size)
    return ManyRoots(
        roots=torch.stack(roots) if roots else a.roots,
        isolation=torch.tensor(isolation, dtype=torch.float64),
        proved=torch.tensor(proved, dtype=torch.bool),
        basin_sizes=torch.tensor(sizes, dtype=torch.long),
        to_none=a.to_none + b.to_none,
        outcomes=dict(Counter(a.outcomes) + Counter(b.outcomes)),
        manifold=torch.cat([a.manifold, b.manifold]),
        seeds=a.seeds + b.seeds,
    )


def _ordered(
    work: Callable[..., Result],
    jobs: Iterable[tuple[Any, ...]],
    executor: Executor | None,
    ahead: int,
) -> Iterator[Result]:
    """The results in the order of the jobs, with no more than ``ahead`` under way."""
    if executor is None:
        for job in jobs:
            yield work(*job)
        return
    pending: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            pending.append(executor.submit(work, *job))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _shards(documents: Iterable[Any], size: int) -> Iterator[Shard]:
    rest = iter(documents)
    first = list(islice(rest, 1))
    if first and callable(first[0]):
        yield from chain(first, rest)
    else:
        yield from _parts(chain(first, rest), size)


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def _at_least_one(**sizes: int) -> None:
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise UsageError(
                f"The size {name} must be a whole number.", expected="1 or more", got=repr(value)
            )
