"""Entities: found in a text as the longest names that fit, each becoming one token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rnnscope.data import tokenize

__all__ = ["EntityNames", "is_number", "joined"]

_NUMBER = re.compile(r"[+-]?\d+(?:[.,:]\d+)*")
_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def joined(name: str) -> str:
    """An entity's name as one token: "Woody Allen" -> "Woody_Allen"."""
    return "_".join(name.replace(" ,", ",").split())


def is_number(token: str) -> bool:
    """Whether a token is a number, as a year is."""
    return _NUMBER.fullmatch(token) is not None


class EntityNames:
    """Cuts texts into tokens such that each entity is one.

    At every place the longest name that fits is taken, in the case in which it is listed; all
    other words go through the default tokenizer, in lower case.

    Args:
        names: the entities as they are written.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, dict[tuple[str, ...], str]] = {}
        for name in names:
            pieces = tuple(_PIECE.findall(name))
            if pieces:
                self._names.setdefault(pieces[0], {})[pieces] = joined(name)
        self._longest = {
            first: max(map(len, found), default=0) for first, found in self._names.items()
        }

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order."""
        pieces: Sequence[str] = _PIECE.findall(text)
        found: list[str] = []
        plain: list[str] = []
        k = 0
        while k < len(pieces):
            names = self._names.get(pieces[k], {})
            for length in range(min(self._longest.get(pieces[k], 0), len(pieces) - k), 0, -1):
                name = names.get(tuple(pieces[k : k + length]))
                if name is not None:
                    found += tokenize(" ".join(plain))
                    plain = []
                    found.append(name)
                    k += length
                    break
            else:
                plain.append(pieces[k])
                k += 1
        return found + tokenize(" ".join(plain))
