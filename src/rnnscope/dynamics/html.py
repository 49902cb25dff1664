"""A result as a table in a notebook: plain HTML, escaped, without script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite, isnan

import torch

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
    if isinstance(cell, torch.Tensor) and cell.ndim == 0:
        cell = cell.item()
    if cell is None or (isinstance(cell, float) and isnan(cell)):
        return ""
    if isinstance(cell, float):
        return f"{cell:.3g}" if isfinite(cell) else ("∞" if cell > 0 else "-∞")
    if isinstance(cell, complex):
        return f"{cell:.3g}"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return str(cell)


def _escaped(text: str) -> str:
    # What cannot be seen, or turns the line around, is shown as an escape.
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
