"""The data behind each figure as columns of one length: what the page saves as CSV, and what the
interactive view draws. Embedded once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

import numpy as np
from markupsafe import Markup

from rnnscope.report import text
from rnnscope.report.reading import class_names, name_of

Columns = dict[str, list[Any]]
SPACE = ("kind", "class", "x", "y", "z", "example", "document", "word", "token")


def figure_columns(account: dict[str, Any], name: str) -> Columns:
    """The columns of a figure's data; none where there is nothing to draw."""
    if name.startswith("way-"):
        return _way(account, int(name.removeprefix("way-")))
    make = _MAKERS.get(name)
    return {} if make is None else make(account)


def embedded(tables: dict[str, Columns]) -> Markup:
    """Columns as JSON that can stand in a page: a column of few values as those and their places,
    and nothing in it that could end the element or be taken for markup."""
    packed = {
        name: {key: _packed(values) for key, values in columns.items()}
        for name, columns in tables.items()
        if columns
    }
    return json_block(packed)


def json_block(value: Any) -> Markup:
    """A value as JSON in which nothing could be taken for markup."""
    written = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(written)


def _packed(values: list[Any]) -> Any:
    if len(values) > 20 and all(value is None or isinstance(value, str) for value in values):
        levels = list(dict.fromkeys(values))
        if len(levels) < len(values) / 2:
            place = {level: k for k, level in enumerate(levels)}
            return {
                "levels": [_short(v) for v in levels],
                "codes": [place[value] for value in values],
            }
    return [_short(value) for value in values]


def _short(value: Any) -> Any:
    """Five digits are more than a figure shows, and 200 characters more than a word has."""
    if isinstance(value, str):
        return text.clean(value)[:200]
    if not isinstance(value, float):
        return value
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _state_space(account: dict[str, Any]) -> Columns:
    """Everything in the space, one row a state."""
    held, names = account["figures"]["state_space"], class_names(account)
    examples = (account.get("scores") or {}).get("examples") or []
    rows: list[tuple[Any, ...]] = []

    def add(kind: str, states: Any, **columns: Iterable[Any]) -> None:
        xy = (states or {}).get("xy") or []
        z = states.get("z") or repeat(None) if states else ()
        rest = [iter(columns.get(name, repeat(None))) for name in (SPACE[1], *SPACE[5:])]
        for (x, y), third in zip(xy, z, strict=False):
            label, *more = (next(column, None) for column in rest)
            rows.append((kind, label, x, y, third, *more))

    states = held.get("states") or {}
    labels = [None if c is None else name_of(names, c) for c in states.get("class") or []]
    visited = held.get("visited") or {}
    add(
        "visited state", visited, document=visited.get("document", ()), word=visited.get("word", ())
    )
    add("final state", states, **{"class": labels, "document": range(len(labels))})
    for kind, points in (held.get("points") or {}).items():
        add(kind, points)
    for path in held.get("paths") or []:
        place = path.get("example")
        shown = examples[place] if place is not None and place < len(examples) else {}
        add(
            "path",
            path,
            **{
                "class": repeat(name_of(names, shown["predicted"]) if shown else None),
                "example": repeat(None if place is None else place + 1),
                "word": range(len(path["xy"])),
                "token": ["(start)", *(shown.get("tokens") or [])],
            },
        )
    return dict(zip(SPACE, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}


def _paths(account: dict[str, Any]) -> Columns:
    columns = _state_space(account)
    kept = [k for k, kind in enumerate(columns.get("kind", ())) if kind == "path"]
    return {name: [column[k] for k in kept] for name, column in columns.items()} if kept else {}


def _eigenvalues(account: dict[str, Any]) -> Columns:
    values = account["figures"]["eigenvalues"]["reference"]
    return {"real": [v[0] for v in values], "imaginary": [v[1] for v in values]}


def _time_constants(account: dict[str, Any]) -> Columns:
    held = account["figures"]["time_constants"]
    columns = {"position": held["position"]}
    for k, name in enumerate(("slowest", "second", "third")):
        columns[name] = [row[k] if k < len(row) else None for row in held["tau"]]
    return columns


def _integration(account: dict[str, Any]) -> Columns:
    held = account["figures"]["integration"]
    return {
        "position": held["position"],
        "x": [xy[0] for xy in held["xy"]],
        "y": [xy[1] for xy in held["xy"]],
        "direction_x": [xy[0] for xy in held["direction"]],
        "direction_y": [xy[1] for xy in held["direction"]],
    }


def _alignment(account: dict[str, Any]) -> Columns:
    held = account["figures"]["integration"]
    sets = {"slow direction": held["alignment"], **(held.get("nulls") or {})}
    rows = [(name, value) for name, values in sets.items() for value in values]
    return {"of": [row[0] for row in rows], "cosine": [row[1] for row in rows]}


def _valence(account: dict[str, Any]) -> Columns:
    return {f"{name} words": list(v) for name, v in account["figures"]["valence_pushes"].items()}


def _stories(account: dict[str, Any]) -> Columns:
    return _columns(account["join"]["words"]["list"], ("word", "count", "score", "push", "effect"))


def _pushes(account: dict[str, Any]) -> Columns:
    names = ("word", "push", "spread", "rating", "count")
    return _columns(account["figures"]["pushes"], names)


def _positions(account: dict[str, Any]) -> Columns:
    held = account["figures"]["positions"]
    return {"rating": list(held["valence"]), "position": list(held["position"])}


def _agreement(account: dict[str, Any]) -> Columns:
    rows = account["fidelity"]
    columns = _columns(rows, ("name", "agreement", "kappa", "accuracy", "coverage", "size"))
    for key in ("agreement", "accuracy"):
        bounds = [(row.get("intervals") or {}).get(key) or [None, None] for row in rows]
        columns[f"{key}_low"], columns[f"{key}_high"] = (list(c) for c in zip(*bounds, strict=True))
    return columns


def _way(account: dict[str, Any], place: int) -> Columns:
    shown = account["scores"]["examples"][place]
    tokens, way = shown.get("tokens") or [], shown.get("way")
    columns: Columns = {
        "word": list(range(len(tokens) + 1)),
        "token": ["(start)", *tokens],
    }
    if way:
        columns["position"] = list(way)
    scores = {name: shown.get(name) for name in ("gamma", "beta")} | (shown.get("others") or {})
    for name, values in scores.items():
        if values:
            columns[name] = [None, *values]
    return columns


def _columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Columns:
    return {name: [row.get(name) for row in rows] for name in names}


_MAKERS: dict[str, Callable[[dict[str, Any]], Columns]] = {
    "state_space": _state_space,
    "sentence_paths": _paths,
    "eigenvalues": _eigenvalues,
    "time_constants": _time_constants,
    "integration": _integration,
    "slow_alignment": _alignment,
    "valence_pushes": _valence,
    "two_stories": _stories,
    "pushes": _pushes,
    "positions": _positions,
    "agreement": _agreement,
}
