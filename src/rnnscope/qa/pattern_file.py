"""Pattern lists as files: JSON, one pattern a line, to edit by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnscope.errors import DataError
from rnnscope.qa import standalone
from rnnscope.qa.categories import Categories
from rnnscope.qa.pattern import Pattern
from rnnscope.qa.pattern_list import PatternList
from rnnscope.rules import files, reading

KIND = files.Kind(
    name="pattern list",
    entry="pattern",
    entries="patterns",
    header=("gap", "within", "occurrence", "method", "fingerprint", "categories"),
    written_by="PatternList.export",
    does="answers questions",
)
ENTRY = ("category", "pattern", "score", "count", "precision")


def export_patterns(patterns: PatternList, path: str | Path) -> Path:
    """Write a list; see ``PatternList.export``."""
    writers = {".json": lambda: _to_json(patterns), ".py": lambda: _to_python(patterns)}
    return files.write(KIND, path, writers)


def _to_json(patterns: PatternList) -> str:
    header = {
        "gap": patterns.gap,
        "within": patterns.within,
        "occurrence": patterns.occurrence,
        "method": patterns.method,
        "fingerprint": patterns.fingerprint,
        "categories": {name: dict(w) for name, w in patterns.categories.weights.items()},
    }
    entries = [pattern.to_dict() for pattern in patterns.patterns]
    return files.as_json(KIND, header, entries)


def _to_python(patterns: PatternList) -> str:
    """The list as a Python file: its data, and ``standalone``'s source."""
    listed = [f"    ({str(p.category)!a}, {files.plain(p.words)!a})," for p in patterns.patterns]
    categories = {
        str(name): {str(part): float(weight) for part, weight in weights.items()}
        for name, weights in patterns.categories.weights.items()
    }
    settings = (int(patterns.gap), int(patterns.within), str(patterns.occurrence))
    data = [
        f"METHOD, FINGERPRINT = {files.plain((patterns.method, patterns.fingerprint))!a}",
        f"GAP, WITHIN, OCCURRENCE = {settings!a}",
        "# What each word, or pair of words, of a question says for a category.",
        f"CATEGORIES = {categories!a}",
        "# In order: the first that matches answers.",
        *(["PATTERNS = (", *listed, ")"] if listed else ["PATTERNS = ()"]),
    ]
    return files.as_python(KIND, data, files.copied(standalone, standalone.COPIED))


def load_patterns(path: str | Path) -> PatternList:
    """Read a list; see ``PatternList.load``."""
    header, entries = reading.header_and_entries(KIND, path)
    return PatternList(
        patterns=tuple(_pattern(entry, k) for k, entry in enumerate(entries, 1)),
        categories=Categories(weights=_categories(header.get("categories"))),
        gap=header.get("gap", 0),
        within=header.get("within", 5),
        occurrence=header.get("occurrence", "first"),
        method=str(header.get("method", "")),
        fingerprint=str(header.get("fingerprint", "")),
    )


def _pattern(entry: Any, place: int) -> Pattern:
    where = f"pattern {place}"
    if not isinstance(entry, dict):
        raise DataError(
            "A pattern is its words and a category.",
            expected='{"category": "directed_by", "pattern": "directed by <answer>"}',
            got=f"{entry!r:.60} as {where}",
        )
    reading.check_names(KIND, entry, ENTRY, where)
    words, category = entry.get("pattern"), entry.get("category")
    if isinstance(words, str):
        words = words.split()
    if not isinstance(category, str) or not isinstance(words, list):
        raise DataError("A pattern is its words and a category.", got=f"{entry!r:.60} as {where}")
    numbers: dict[str, Any] = {}
    for key in ("score", "count", "precision"):
        value = entry.get(key)
        if value is not None and not reading.is_number(value, whole=key == "count"):
            raise DataError(f'"{key}" is a number, or left out.', got=f"{value!r:.60} in {where}")
        numbers[key] = value
    try:
        return Pattern(words=tuple(words), category=category, **numbers)
    except DataError as error:
        raise DataError(error.rule, got=f"{error.got} in {where}") from None


def _categories(found: Any) -> dict[str, dict[str, float]]:
    right = isinstance(found, dict) and all(
        isinstance(weights, dict) and all(map(reading.is_number, weights.values()))
        for weights in found.values()
    )
    if not right:
        raise DataError(
            "The categories of a pattern list are weights of words, by category.",
            expected='{"directed_by": {"directed": 1.5}, ...}',
            got=f"{found!r:.60}",
        )
    return {name: {part: float(w) for part, w in ws.items()} for name, ws in found.items()}
