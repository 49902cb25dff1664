"""What does not apply to a network is left out of its account, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rnnscope.errors import NotApplicable

Part = TypeVar("Part")


def attempt(left_out: dict[str, str], name: str, make: Callable[[], Part]) -> Part | None:
    """A part of the account; None where it does not apply, which ``left_out`` then says."""
    try:
        return make()
    except NotApplicable as error:
        left_out[name] = str(error)
        return None
