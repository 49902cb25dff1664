"""Shards of a corpus or of seeds, worked on by any executor.

A shard's result is small and adds up, so the shards may run anywhere, in any order, on any
``concurrent.futures.Executor``, and only as many are under way as keep its workers busy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import chain, islice
from typing import Any, TypeVar

from rnnscope.errors import UsageError

AHEAD = 8
"""Shards under way at once: what keeps some workers busy, and what memory must hold."""

Shard = list[Any] | Callable[[], Iterable[Any]]
"""Documents, or what gives them."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered(
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


def shards_of(documents: Iterable[Any], size: int) -> Iterator[Shard]:
    """Documents some at a time; shards that are functions as they are."""
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


def at_least_one(**sizes: int) -> None:
    """Refuse sizes below 1, by name."""
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise UsageError(
                f"The size {name} must be a whole number.", expected="1 or more", got=repr(value)
            )
