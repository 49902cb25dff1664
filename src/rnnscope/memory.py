"""How much memory large work may take at once: a budget that the user sets.

Work that can go in parts takes them as large as the budget allows; it changes when things are
computed, never what. Work that needs one array above the budget is refused before it begins.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rnnscope.errors import UsageError

VARIABLE = "RNNSCOPE_MEMORY"
"""The environment variable with a budget in GiB, for commands and worker processes."""

DEFAULT = 4 * 2**30
"""Bytes that one piece of work may take where no budget is set."""

_set: ContextVar[int | None] = ContextVar("rnnscope memory budget", default=None)


@contextmanager
def memory_budget(gib: float) -> Iterator[None]:
    """Keep the work inside to so much memory at a time.

    Running, scoring, mining, certificates and the search for fixed points choose the size of their
    batches by it. It counts the arrays of the work under way; the network, the documents and the
    results come on top. Commands, and processes that studies start, read it from the environment
    variable RNNSCOPE_MEMORY.

    Args:
        gib: in GiB (2**30 bytes); 4 where none is set.

    Raises:
        UsageError: not a number above 0.01.

    Example:
        >>> with memory_budget(0.5):
        ...     assert budget() == 2**29
    """
    token = _set.set(_bytes(gib, "the budget"))
    try:
        yield
    finally:
        _set.reset(token)


def budget() -> int:
    """The bytes that one piece of work may take."""
    return _asked() or DEFAULT


def at_once(most: int, each: float) -> int:
    """How many things of ``each`` bytes may be held at a time: ``most``, or as many as the budget
    has room for where one is set; one at least."""
    asked = _asked()
    return most if asked is None else max(1, min(most, int(asked / max(each, 1))))


def _asked() -> int | None:
    inside = _set.get()
    if inside is not None:
        return inside
    outside = os.environ.get(VARIABLE, "")
    return _bytes(outside, VARIABLE) if outside else None


def _bytes(gib: float | str, name: str) -> int:
    try:
        value = float(gib)
    except (TypeError, ValueError):
        value = math.nan
    if isinstance(gib, bool) or not 0.01 <= value < 2**20:
        raise UsageError(
            "A memory budget is a number of GiB.",
            expected="0.01 or more",
            got=f"{name}: {str(gib)[:60]!r}",
        )
    return int(value * 2**30)
