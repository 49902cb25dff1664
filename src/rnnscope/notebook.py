"""Results that show themselves in a notebook: plain HTML, escaped, without script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite, isnan
from typing import Any

LIMIT = 50
"""Rows of a table that are shown."""

DIGEST = re.compile(r"[0-9a-f]{64}")
"""Fingerprints: their beginning tells two apart, and their whole is in what is saved."""

FEW = 12
"""Entries of a list that are shown in one cell."""


def html_table(
    title: str, rows: Iterable[Sequence[object]], *, head: Sequence[str] = (), limit: int = LIMIT
) -> str:
    """One table under a title; rows beyond the limit are counted, not shown.

    Args:
        title: the caption.
        rows: the cells of each row. None and NaN stay empty, numbers keep three digits.
        head: the columns' names.
        limit: most rows shown.
    """
    body = [tuple(row) for row in rows]
    shown = "".join(f"<tr>{_cells('td', row)}</tr>" for row in body[:limit])
    names = f"<thead><tr>{_cells('th', head)}</tr></thead>" if head else ""
    more = f"<p>{len(body) - limit:,} more rows</p>" if len(body) > limit else ""
    caption = f"<caption>{_escaped(title)}</caption>"
    return f"<table>{caption}{names}<tbody>{shown}</tbody></table>{more}"


class ShowsItself:
    """A result that shows itself in a notebook: its figures by name, under what it prints first."""

    def _repr_html_(self) -> str:
        lines = repr(self).splitlines()
        for name in ("summary", "to_dict", "describe"):
            if hasattr(self, name):
                return html_table(lines[0], named_rows(getattr(self, name)()))
        return f"<p>{'<br>'.join(_escaped(line) for line in lines)}</p>"


def named_rows(value: Any, prefix: str = "") -> list[tuple[str, object]]:
    """Nested figures as rows of a dotted name and one cell; a long list by its length."""
    if isinstance(value, dict):
        if "interval" in value and value.get("value") is not None:
            low, high = value["interval"] or (None, None)
            cell = _written(value["value"])
            known = low is not None and high is not None
            return [(prefix, f"{cell} [{_written(low)}, {_written(high)}]" if known else cell)]
        return [
            row
            for key, item in value.items()
            for row in named_rows(item, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list | tuple):
        nested = any(isinstance(item, dict | list | tuple) for item in value)
        if nested or len(value) > FEW:
            return [(prefix, f"{len(value):,} entries")]
        return [(prefix, ", ".join(_written(item) for item in value))]
    return [(prefix, value)]


def _cells(tag: str, row: Sequence[object]) -> str:
    return "".join(f"<{tag}>{_escaped(_written(cell))}</{tag}>" for cell in row)


def _written(cell: object) -> str:
    if getattr(cell, "shape", None) == ():
        cell = cell.item()  # type: ignore[attr-defined]
    if cell is None or (isinstance(cell, float) and isnan(cell)):
        return ""
    if isinstance(cell, float):
        return f"{cell:.3g}" if isfinite(cell) else ("∞" if cell > 0 else "-∞")
    if isinstance(cell, complex):
        return f"{cell:.3g}"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    text = str(cell)
    return f"{text[:12]}…" if DIGEST.fullmatch(text) else text


def visible(text: str) -> str:
    """Text as it can stand in a line: what cannot be seen, or turns the line around, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _escaped(text: str) -> str:
    return escape(visible(text))
