"""Bars on standard error while long work is under way, where they are asked for.

Work that goes in parts says how far it is; whether that is shown is the caller's to say, around any
of it (``show_progress``) or in the call (``progress=True``). What takes a moment shows nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

DELAY = 1.0
"""Seconds of work before its bar is shown."""

KNOWN = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{unit} [{elapsed}<{remaining}]"
"""How a bar looks whose end is known."""

Item = TypeVar("Item")
_shown: ContextVar[bool] = ContextVar("rnnscope progress", default=False)


@contextmanager
def show_progress(shown: bool = True) -> Iterator[None]:
    """Show a bar on standard error for all long work inside.

    Running, scoring, mining, the search for fixed points, linearization, null models and the
    certificates of imports say how far they are. Bars are for people: on a standard error that is
    no terminal one line is written for work of ten minutes or more.

    Args:
        shown: False for none, whatever is asked for around it.

    Example:
        >>> with show_progress():
        ...     points = find_fixed_points(model, corpus)
    """
    token = _shown.set(bool(shown))
    try:
        yield
    finally:
        _shown.reset(token)


@contextmanager
def showing(progress: bool) -> Iterator[None]:
    """Inside a function with an argument ``progress``: that, or what is asked for around it."""
    with show_progress(bool(progress) or _shown.get()):
        yield


def refresh() -> float:
    """Seconds between two states of a bar: in a log each would be a line of its own."""
    return 0.1 if sys.stderr.isatty() else 600


@contextmanager
def counted(total: int | None, what: str, unit: str) -> Iterator[Callable[[int], object]]:
    """A bar; what it gives is called with what has been done since."""
    if not _shown.get():
        yield lambda _: None
        return
    # A bar within a bar goes when it is full; the outermost stays.
    with tqdm(
        total=total,
        desc=what,
        unit=f" {unit}s",
        unit_scale=total is None,
        bar_format=None if total is None else KNOWN,
        delay=DELAY,
        mininterval=refresh(),
        leave=None,  # pyright: ignore[reportArgumentType]
    ) as bar:
        yield bar.update


def told(
    items: Iterable[Item],
    what: str,
    *,
    total: int | None = None,
    unit: str = "document",
    size: Callable[[Item], int] | None = None,
) -> Iterator[Item]:
    """The items one after the other, with a bar.

    Args:
        what: is being done.
        total: of all sizes; the number of items where it is known and no sizes are given.
        unit: of the sizes.
        size: how many units an item is; one each without.
    """
    if total is None and size is None and isinstance(items, Sized):
        total = len(items)
    with counted(total, what, unit) as count:
        for item in items:
            yield item
            count(1 if size is None else size(item))


def told_rows(chunks: Iterable[slice], what: str) -> Iterator[slice]:
    """Slices of a batch of points one after the other, with a bar that counts the points."""
    listed = list(chunks)
    total = sum(map(_rows, listed))
    return told(listed, what, total=total, unit="point", size=_rows)


def _rows(chunk: slice) -> int:
    return chunk.stop - chunk.start
