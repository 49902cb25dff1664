"""Tables for a notebook: plain HTML, escaped, without script."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

LIMIT = 50
"""Rows of a table that are shown."""


def shown(text: str) -> str:
    """Text as it can stand in a line: what cannot be seen, or turns the line around, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def html_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """One table. Cells that are None or NaN stay empty; numbers are rounded to three places."""
    head = "".join(f"<th>{_escaped(name)}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{_escaped(_written(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f"<table><caption>{_escaped(title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _written(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float):
        return f"{cell:.3g}" if abs(cell) >= 1000 else f"{cell:.3f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _escaped(text: str) -> str:
    return html.escape(shown(text))
