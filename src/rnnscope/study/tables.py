"""A study's tables, from its folder: one row a network, and the papers' tables over seeds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from rnnscope.storage import as_path, new_file
from rnnscope.study.plan import Study, Task

Row = dict[str, Any]
KEYS = ("data", "architecture", "units", "seed")
COLUMNS = {
    "accuracy": "test accuracy",
    "bag_of_words": "bag of words",
    "rules_agreement": "rules agree",
    "rules_accuracy": "rules' accuracy",
    "visited_variance": "variance of states on their first axis",
    "points_variance": "variance of points on theirs",
    "slow": "slowest time constant",
    "second": "second",
    "axis_readout": "axis and readout",
    "mode_tangent": "slow mode and the line",
    "positive_push": "push of positive words",
    "neutral_push": "neutral",
    "negative_push": "negative",
    "one_step": "one-step error",
    "no_change": "no change",
}
"""The measured columns of the table of networks, and what they are called."""


JUDGED = ("yes", "no", "cannot tell")
"""Findings of a prediction that was held against its nulls."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyTables:
    """What a study found so far.

    Attributes:
        networks: one row a finished network.
        predictions: one row a network and prediction of the line attractor, with its null.
        methods: one row a network and word score that rules were mined from.
        unfinished: networks that have no row.
    """

    networks: tuple[Row, ...]
    predictions: tuple[Row, ...]
    methods: tuple[Row, ...]
    unfinished: tuple[str, ...]

    def accuracies(self) -> list[Row]:
        """Paper B's Table 1: by data set, bag of words and each cell, mean and range over seeds."""
        return [
            {"data": data, "bag of words": _over([r["bag_of_words"] for r in rows])}
            | {
                cell: _over([r["accuracy"] for r in rows if r["architecture"] == cell])
                for cell in _distinct(self.networks, "architecture")
            }
            for data, rows in _by(self.networks, "data")
        ]

    def mechanism(self) -> list[Row]:
        """The measured columns by data set and cell, means over seeds."""
        return [
            {"data": data, "cell": cell, "networks": len(rows)}
            | {
                title: _over([row[name] for row in rows])
                for name, title in COLUMNS.items()
                if name not in ("accuracy", "bag_of_words")
            }
            for data, same in _by(self.networks, "data")
            for cell, rows in _by(same, "architecture")
        ]

    def findings(self) -> list[Row]:
        """Of how many networks each prediction holds against its nulls, by data set and cell."""
        rows = []
        names = _distinct(self.predictions, "prediction")
        for data, same in _by(self.predictions, "data"):
            for cell, found in _by(same, "architecture"):
                row: Row = {"data": data, "cell": cell}
                for name in names:
                    own = [one for one in found if one["prediction"] == name]
                    row[name] = _verdicts(own)
                rows.append(row)
        return rows

    def rules(self) -> list[Row]:
        """Paper A's table: accuracy of rules by the score they were mined from, over seeds."""
        rows = []
        names = _distinct(self.methods, "method")
        for data, same in _by(self.methods, "data"):
            for cell, found in _by(same, "architecture"):
                row: Row = {"data": data, "cell": cell}
                for name in names:
                    own = [one for one in found if one["method"] == name]
                    row[name] = _over([one["accuracy"] for one in own])
                    row[f"{name} agrees"] = _over([one["agreement"] for one in own])
                rows.append(row)
        return rows

    def save(self, folder: str | Path) -> list[Path]:
        """Write every table as CSV, and all but the rows as Markdown."""
        folder = as_path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name in ("networks", "predictions", "methods"):
            written.append(folder / f"{name}.csv")
            new_file(written[-1], as_csv(getattr(self, name)))
        text = []
        for name, title in TITLES.items():
            rows = getattr(self, name)()
            written.append(folder / f"{name}.csv")
            new_file(written[-1], as_csv(rows))
            text.append(f"## {title}\n\n{as_markdown(rows)}")
        written.append(folder / "tables.md")
        new_file(written[-1], "\n".join(text))
        return written


TITLES = {
    "accuracies": "Accuracy on held-out documents: mean [lowest, highest] over seeds",
    "findings": "The line attractor: networks of which each prediction holds against its nulls",
    "mechanism": "The mechanism: mean [lowest, highest] over seeds",
    "rules": "Rules by the score they are mined from: accuracy, and agreement with the network",
}


def study_tables(study: Study, folder: str | Path) -> StudyTables:
    """Read what a study found so far.

    Raises:
        nothing: what is not finished has no row, and is named.
    """
    root = as_path(folder)
    networks: list[Row] = []
    predictions: list[Row] = []
    methods: list[Row] = []
    unfinished = []
    for task in study.tasks:
        parts = {name: _result(root / task.folder / task.file(name)) for name in task.analyses}
        if any(part is None for part in parts.values()):
            unfinished.append(str(task))
            continue
        found = {name: part for name, part in parts.items() if part is not None}
        key = _key(task)
        networks.append(key | _network(found))
        verdict = _get(found, "account", "dynamics", "verdict", "predictions") or []
        predictions += [key | _prediction(one) for one in verdict]
        for name, one in (_get(found, "methods", "methods") or {}).items():
            if "not_applied" not in one:
                row = {"method": name, "rules": one["size"], "coverage": one["coverage"]}
                figures = {n: _get(one, n, "value") for n in ("accuracy", "agreement")}
                methods.append(key | row | figures)
    return StudyTables(
        networks=tuple(networks),
        predictions=tuple(predictions),
        methods=tuple(methods),
        unfinished=tuple(unfinished),
    )


def as_csv(rows: Iterable[Row]) -> str:
    """A table as CSV; empty where there are no rows."""
    rows = list(rows)
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(rows: Sequence[Row]) -> str:
    """A table as Markdown."""
    if not rows:
        return "none yet\n"

    def line(cells: Iterable[Any]) -> str:
        shown = ["" if cell is None else str(cell).replace("|", "\\|") for cell in cells]
        return "| " + " | ".join(shown) + " |"

    head = list(rows[0])
    return "\n".join(
        [line(head), line("---" for _ in head), *(line(row.values()) for row in rows), ""]
    )


def _key(task: Task) -> Row:
    t = task.training
    values = (task.data.name, t.architecture, t.units, t.seed)
    return dict(zip(KEYS, values, strict=True)) | {"folder": task.folder}


def _network(found: dict[str, Any]) -> Row:
    account = found.get("account", {})
    rules = next(
        (f for f in account.get("fidelity") or [] if str(f.get("name")).startswith("rules")), {}
    )
    times = _get(account, "dynamics", "time_constants") or [None, None]
    classes = _get(account, "dynamics", "words", "classes") or {}
    errors = _get(found, "approximation", "one_step", "errors") or {}
    predictions = _get(account, "dynamics", "verdict", "predictions") or []
    named = {one["name"]: one for one in predictions}
    values = (
        _get(found, "accuracy", "network", "value"),
        _get(found, "accuracy", "bag_of_words", "value"),
        rules.get("agreement"),
        rules.get("accuracy"),
        _first(_get(account, "dynamics", "dimension", "visited", "shares")),
        _first(_get(account, "dynamics", "dimension", "points", "shares")),
        times[0],
        times[1] if len(times) > 1 else None,
        _get(account, "dynamics", "alignment", "axis_readout", "value"),
        _get(account, "dynamics", "alignment", "r1_tangent", "value"),
        *(_get(classes, c, "effect", "mean") for c in ("positive", "neutral", "negative")),
        _get(errors, "nearest point", "mean"),
        _get(errors, "no change", "mean"),
    )
    row = dict(zip(COLUMNS, values, strict=True))
    points = _get(account, "dynamics", "points") or {}
    row |= {kind: points.get(kind) for kind in ("root", "continuum", "ghost", "manifold")}
    return row | {"findings": sum(one["finding"] == "yes" for one in named.values())}


def _prediction(one: dict[str, Any]) -> Row:
    low, high = one.get("interval") or (None, None)
    return {
        "prediction": one["name"],
        "value": one["value"],
        "low": low,
        "high": high,
        "null": one.get("null"),
        "finding": one["finding"],
        "sentence": one["sentence"],
    }


def _verdicts(rows: list[Row]) -> str:
    """Of how many networks it holds; or why that cannot be said; and the mean value."""
    if not rows:
        return ""
    values = [row["value"] for row in rows if row["value"] is not None]
    value = f" ({mean(values):.3g})" if values else ""
    judged = [row for row in rows if row["finding"] in JUDGED]
    if not judged:
        return ", ".join(dict.fromkeys(row["finding"] for row in rows)) + value
    holds = sum(row["finding"] == "yes" for row in judged)
    return f"{holds} of {len(judged)}{value}"


def _over(values: Iterable[float | None]) -> str:
    known = [float(value) for value in values if value is not None]
    if not known:
        return ""
    if len(known) == 1:
        return f"{known[0]:.3g}"
    return f"{mean(known):.3g} [{min(known):.3g}, {max(known):.3g}]"


def _by(rows: Iterable[Row], name: str) -> list[tuple[Any, list[Row]]]:
    rows = list(rows)
    return [(v, [r for r in rows if r[name] == v]) for v in _distinct(rows, name)]


def _distinct(rows: Iterable[Row], name: str) -> list[Any]:
    return list(dict.fromkeys(row[name] for row in rows))


def _result(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["result"]
    except (OSError, ValueError, KeyError):
        return None


def _get(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _first(values: Any) -> float | None:
    return float(values[0]) if values else None
