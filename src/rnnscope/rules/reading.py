"""Files of rule lists and phrase models, read with care: people edit them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.rules.files import VERSION, Kind
from rnnscope.storage import DESCRIPTION_BYTES, read_whole


def header_and_entries(kind: Kind, path: str | Path) -> tuple[dict[str, Any], list[Any]]:
    """The header and the entries of a JSON file of this kind."""
    try:
        text = read_whole(Path(path), DESCRIPTION_BYTES).decode("utf-8-sig")
    except (OSError, ValueError, TypeError) as error:
        wrong = isinstance(error, UnicodeDecodeError)
        raise (DataError if wrong else UsageError)(
            f"A {kind.name} is a JSON file in UTF-8." if wrong else f"There must be a {kind.name}.",
            expected=f"a file that {kind.written_by} wrote as .json",
            got=f"{str(path)[:80]!r}: {error}",
        ) from error
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise DataError(
            f"A {kind.name} is a JSON file.",
            got=f"{path}, line {error.lineno}, column {error.colno}: {error.msg}",
            fix="look for a missing or an extra comma, quote or bracket there",
        ) from error
    except RecursionError as error:
        raise DataError(f"A {kind.name} is a JSON file.", got=f"{path}: nested too deep") from error
    except DataError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise DataError(f"A {kind.name} is a JSON file.", got=f"{path}: {error}") from error
    if not isinstance(found, dict) or found.get("format") != kind.format:
        raise DataError(
            f"A {kind.name} says what it is.",
            expected=f'an object with "format": "{kind.format}"',
            got=f"{path}: another kind of JSON file",
        )
    if found.get("version") != VERSION:
        raise DataError(
            "The format must be one that this version reads.",
            expected=f"version {VERSION}",
            got=f"version {found.get('version')!r} in {path}",
            fix="install a newer rnnscope",
        )
    check_names(kind, found, ("format", "version", *kind.header, kind.entries), "the file")
    entries = found.get(kind.entries)
    if not isinstance(entries, list):
        raise DataError(
            f"A {kind.name} has its {kind.entries} in a list.",
            got=f'"{kind.entries}": {entries!r:.60}',
        )
    return found, entries


def classes(kind: Kind, header: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the classes."""
    classes = header.get("classes")
    if (
        not isinstance(classes, list)
        or not classes
        or not all(isinstance(name, str) for name in classes)
        or len(set(classes)) < len(classes)
    ):
        raise DataError(
            f"A {kind.name} names its classes, each once.",
            expected='such as ["negative", "positive"], in the order of the network\'s',
            got=repr(classes)[:80],
        )
    return tuple(classes)


def origin(header: Mapping[str, Any]) -> dict[str, str]:
    """Tokenizer, method and fingerprint."""
    texts = {
        "tokenizer": header.get("tokenizer", "words"),
        "method": header.get("method", ""),
        "fingerprint": header.get("fingerprint", ""),
    }
    for key, value in texts.items():
        if not isinstance(value, str):
            raise DataError(f'"{key}" is a string.', got=repr(value)[:80])
    return texts


def phrase(kind: Kind, phrase: Any, tokenizer: str, where: str) -> tuple[str, ...]:
    """A phrase given as a text or as a list of words."""
    if isinstance(phrase, str):
        if tokenizer != "words":
            raise DataError(
                f"The phrases of this {kind.name} were mined with a tokenizer that is not stored.",
                expected="a list of words",
                got=f"a text as the phrase of {where}: {phrase[:40]!r}",
            )
        words = tuple(tokenize(phrase))
    elif isinstance(phrase, list | tuple) and all(isinstance(word, str) for word in phrase):
        words = tuple(phrase)
    else:
        raise DataError(
            "A phrase is a text or a list of words.",
            expected='"not good" or ["not", "good"]',
            got=f"{phrase!r:.60} in {where}",
        )
    if not words:
        raise DataError("A phrase has at least one word.", got=f"{phrase!r:.60} in {where}")
    return words


def is_number(value: Any, *, whole: bool = False) -> bool:
    """Whether a value is a finite number, and none that Python makes of true or false."""
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def check_names(kind: Kind, found: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    """Raise DataError if there is a name that is not known."""
    for name in found:
        if name not in names:
            raise DataError(
                f"A name in a {kind.name} must be one that is known.",
                expected=", ".join(names),
                got=f"{name!r} in {where}",
            )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DataError(
            "A name stands once in an object; of two, one would be lost.",
            got=f"{{{', '.join(f'{name!r}: {value!r:.60}' for name, value in pairs)}}}",
        )
    return found
