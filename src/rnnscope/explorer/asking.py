"""What a browser may ask, and how what it sends is read: strictly, nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar, get_type_hints

from rnnscope.arguments import described, fits
from rnnscope.errors import UsageError
from rnnscope.explorer.browsing import find_phrase, look_at_point
from rnnscope.explorer.changes import look_at_word
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.explorer.sentence import look_at, slower_score

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class OfSentence:
    """All about a sentence."""

    text: str
    network: int = 0

    def answer(self, exhibit: Exhibit) -> dict[str, Any]:
        return look_at(exhibit, self.text)


@dataclass(frozen=True, kw_only=True)
class OfScore:
    """One of the slower scores of a sentence."""

    text: str
    method: str
    network: int = 0

    def answer(self, exhibit: Exhibit) -> dict[str, Any]:
        return slower_score(exhibit, self.text, self.method)


@dataclass(frozen=True, kw_only=True)
class OfWord:
    """What changes with one word of a sentence."""

    text: str
    position: int
    replacement: str | None = None
    network: int = 0

    def answer(self, exhibit: Exhibit) -> dict[str, Any]:
        return look_at_word(exhibit, self.text, self.position, self.replacement)


@dataclass(frozen=True, kw_only=True)
class OfPhrase:
    """Where a phrase stands in the corpus."""

    text: str
    network: int = 0

    def answer(self, exhibit: Exhibit) -> dict[str, Any]:
        return find_phrase(exhibit, self.text)


@dataclass(frozen=True, kw_only=True)
class OfPoint:
    """One fixed point."""

    index: int
    network: int = 0

    def answer(self, exhibit: Exhibit) -> dict[str, Any]:
        return look_at_point(exhibit, self.index)


Question = OfSentence | OfScore | OfWord | OfPhrase | OfPoint

QUESTIONS: dict[str, Callable[..., Question]] = {
    "sentence": OfSentence,
    "score": OfScore,
    "word": OfWord,
    "search": OfPhrase,
    "point": OfPoint,
}
"""By the name under /api."""


def answer(kind: Any, body: bytes, exhibits: Sequence[Exhibit]) -> dict[str, Any]:
    """Read a question and answer it.

    Args:
        kind: one of ``QUESTIONS``.
        body: JSON.
        exhibits: the networks.

    Raises:
        UsageError: no JSON object, unknown or missing fields, fields of another kind, no such
            network; or what the answer raises.
    """
    question = read(kind, body)
    if not 0 <= question.network < len(exhibits):
        raise UsageError(
            "A network is named by its place among those served.",
            expected=f"0 to {len(exhibits) - 1}",
            got=str(question.network),
        )
    return question.answer(exhibits[question.network])


def read(kind: type[T], body: bytes) -> T:
    """One question out of JSON.

    Raises:
        UsageError: as for ``answer``.
    """
    try:
        given = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError("A question is JSON.", got=str(error)[:120]) from None
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    needed = [name for name, one in known.items() if one.default is MISSING]
    if not isinstance(given, dict):
        raise UsageError(
            "A question is a JSON object.",
            expected=f"one with {', '.join(known)}",
            got=type(given).__name__,
        )
    wrong = [name for name in given if name not in known]
    missing = [name for name in needed if name not in given]
    if wrong or missing:
        got = [f"an unknown {name[:40]!r}" for name in wrong[:4]]
        raise UsageError(
            "A question has the fields that it is asked with, and no others.",
            expected=", ".join(known),
            got=", ".join(got + [f"no {name}" for name in missing]),
        )
    hints = get_type_hints(kind)
    for name, value in given.items():
        if not fits(value, hints[name]):
            raise UsageError(
                f"The field {name} must be of its kind.",
                expected=described(hints[name]),
                got=type(value).__name__,
            )
    return kind(**given)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
