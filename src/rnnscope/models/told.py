"""A bar on standard error while an import is certified, where it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
_shown: ContextVar[bool] = ContextVar("rnnscope import progress", default=False)


@contextmanager
def showing(progress: bool) -> Iterator[None]:
    """Show bars inside, where ``progress`` says so."""
    token = _shown.set(bool(progress))
    try:
        yield
    finally:
        _shown.reset(token)


def refresh() -> float:
    """Seconds between two states of a bar: in a log each would be a line of its own."""
    return 0.1 if sys.stderr.isatty() else 600


def told(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items one after the other, with a bar."""
    shown = _shown.get()
    yield from tqdm(items, desc=what, unit="doc", disable=not shown, mininterval=refresh())
