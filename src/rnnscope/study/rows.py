"""What a study's folder holds, read as plain rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rnnscope.study.plan import Task

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


def results(task: Task, root: Path) -> dict[str, Any] | None:
    """Every analysis of a network; None while one is missing."""
    parts = {name: _result(root / task.folder / task.file(name)) for name in task.analyses}
    found = {name: part for name, part in parts.items() if part is not None}
    return found if len(found) == len(parts) else None


def key_of(task: Task) -> Row:
    """What tells a network from the others."""
    t = task.training
    values = (task.data.name, t.architecture, t.units, t.seed)
    return dict(zip(KEYS, values, strict=True)) | {"folder": task.folder}


def network_row(found: dict[str, Any]) -> Row:
    """The measured columns of one network; None for what was not measured."""
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


def prediction_rows(found: dict[str, Any]) -> list[Row]:
    """One row a prediction of the line attractor, with its null."""
    verdict = _get(found, "account", "dynamics", "verdict", "predictions") or []
    return [_prediction(one) for one in verdict]


def method_rows(found: dict[str, Any]) -> list[Row]:
    """One row a word score that rules were mined from."""
    rows = []
    for name, one in (_get(found, "methods", "methods") or {}).items():
        if "not_applied" not in one:
            row = {"method": name, "rules": one["size"], "coverage": one["coverage"]}
            figures = {n: _get(one, n, "value") for n in ("accuracy", "agreement")}
            rows.append(row | figures)
    return rows


def long_run_rows(found: dict[str, Any]) -> list[Row]:
    """What becomes of the network when it is left alone, and whether its slowest mode turns: one
    row, or none."""
    run = found.get("long_run") or {}
    if "run" not in run:
        return []
    ends = run["run"]["attractors"]
    cycles = [one["period"] for one in ends if one["fate"] == "cycle"]
    turns = [one["steps_a_turn"] for one in ends if one["fate"] == "circle"]
    seeds = run["run"]["seeds"]
    row: Row = {name: count / seeds for name, count in run["run"]["fates"].items()}
    return [
        row
        | {
            "ends": len(ends),
            "longest_cycle": max(cycles, default=None),
            "steps_a_turn": max((turn for turn in turns if turn is not None), default=None),
            "turning": run["turning"],
            "period": run["period"],
            "saddles": run["saddles"],
        }
    ]


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
