"""A study's tables, from its folder: one row a network, and the papers' tables over seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from rnnscope.statistics import over_runs
from rnnscope.storage import as_path, new_file
from rnnscope.study.plan import Study
from rnnscope.study.rows import (
    COLUMNS,
    Row,
    key_of,
    long_run_rows,
    method_rows,
    network_row,
    prediction_rows,
    results,
)

JUDGED = ("yes", "no", "cannot tell")
"""Findings of a prediction that was held against its nulls."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyTables:
    """What a study found so far.

    Attributes:
        networks: one row a finished network.
        predictions: one row a network and prediction of the line attractor, with its null.
        methods: one row a network and word score that rules were mined from.
        long_runs: one row a network that was left alone until it settled.
        unfinished: networks that have no row.
    """

    networks: tuple[Row, ...]
    predictions: tuple[Row, ...]
    methods: tuple[Row, ...]
    long_runs: tuple[Row, ...] = ()
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

    def differences(self) -> list[Row]:
        """Accuracies compared within each network: the mean difference with Student's 95 %
        interval over seeds, and in how many networks it is positive."""
        rows = []
        for data, same in _by(self.networks, "data"):
            for cell, networks in _by(same, "architecture"):
                row: Row = {"data": data, "cell": cell}
                pairs = [(one["accuracy"], one["bag_of_words"]) for one in networks]
                row["network - bag of words"] = _difference(pairs)
                for first, second in ORDER:
                    by = {
                        (one["seed"], one["units"], one["method"]): one["accuracy"]
                        for one in self.methods
                        if (one["data"], one["architecture"]) == (data, cell)
                    }
                    pairs = [
                        (value, by.get((seed, units, second)))
                        for (seed, units, method), value in by.items()
                        if method == first
                    ]
                    row[f"{first} - {second}"] = _difference(pairs)
                rows.append(row)
        return rows

    def fates(self) -> list[Row]:
        """What becomes of the networks when they are left alone, means over seeds."""
        return [
            {"data": data, "cell": cell, "networks": len(rows)}
            | {title: _over([row[name] for row in rows]) for name, title in FATES.items()}
            for data, same in _by(self.long_runs, "data")
            for cell, rows in _by(same, "architecture")
        ]

    def save(self, folder: str | Path) -> list[Path]:
        """Write every table as CSV, and all but the rows as Markdown."""
        folder = as_path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name in ROWS:
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


ROWS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {
    "networks": lambda found: [network_row(found)],
    "predictions": prediction_rows,
    "methods": method_rows,
    "long_runs": long_run_rows,
}
"""The tables of single networks, and what gives their rows."""

ORDER = (("gamma", "beta"), ("beta", "gradient"), ("gamma", "gradient"))
"""Word scores whose rules are compared."""

FATES = {
    "rest": "come to rest",
    "cycle": "end in a cycle",
    "circle": "turn on a closed curve",
    "not_settled": "not settled",
    "ends": "different ends",
    "turning": "points where the slowest mode oscillates",
    "period": "steps a turn there",
    "saddles": "points where a mode grows",
}

TITLES = {
    "accuracies": "Accuracy on held-out documents: mean [lowest, highest] over seeds",
    "findings": "The line attractor: networks of which each prediction holds against its nulls",
    "mechanism": "The mechanism: mean [lowest, highest] over seeds",
    "rules": "Rules by the score they are mined from: accuracy, and agreement with the network",
    "differences": "Order of evidence: differences in accuracy, mean [95 % interval over seeds] "
    "and in how many networks they are positive",
    "fates": "Left alone without input from states that documents lead to: shares of those states, "
    "mean [lowest, highest] over seeds",
}


def study_tables(study: Study, folder: str | Path) -> StudyTables:
    """Read what a study found so far.

    Raises:
        nothing: what is not finished has no row, and is named.
    """
    root = as_path(folder)
    tables: dict[str, list[Row]] = {name: [] for name in ROWS}
    unfinished = []
    for task in study.tasks:
        found = results(task, root)
        if found is None:
            unfinished.append(str(task))
            continue
        for name, rows_of in ROWS.items():
            tables[name] += [key_of(task) | row for row in rows_of(found)]
    return StudyTables(
        **{name: tuple(rows) for name, rows in tables.items()}, unfinished=tuple(unfinished)
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


def _difference(pairs: Iterable[tuple[float | None, float | None]]) -> str:
    known = np.array([a - b for a, b in pairs if a is not None and b is not None])
    if not len(known):
        return ""
    found = over_runs(known)
    interval = f" [{found.low:+.3f}, {found.high:+.3f}]" if len(known) > 1 else ""
    return f"{found.value:+.3f}{interval}, {int((known > 0).sum())} of {len(known)}"


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
