"""Results that show themselves in a notebook: plain HTML, escaped, without script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite, isnan

LIMIT = 50
"""Rows of a table that are shown."""


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
    return str(cell)


def visible(text: str) -> str:
    """Text as it can stand in a line: what cannot be seen, or turns the line around, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _escaped(text: str) -> str:
    return escape(visible(text))
