"""The page of a study: its networks side by side. A plain dictionary in, one string of HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from rnnscope.report.page import environment
from rnnscope.report.palette import declarations
from rnnscope.report.study_figures import study_accuracies, study_findings, study_measures
from rnnscope.report.svg import inline

HEADINGS = {
    "accuracies": "How well they classify",
    "findings": "Do they integrate evidence along a line?",
    "variance": "How they do it",
    "rules": "Rules read out of them",
}
"""Above the first figure of each part."""

PANELS: dict[str, tuple[str, dict[str, Any]]] = {
    "variance": (
        "Variance on the first principal axis, of the visited states and of the fixed points. "
        "Near 1: the network lives on a line.",
        {
            "measures": {"visited_variance": "states", "points_variance": "points"},
            "label": "share of the variance",
        },
    ),
    "time_constants": (
        "Time constants of the slowest mode and of the next, medians over the points, in words. "
        "A gap: one direction is remembered, the others are forgotten.",
        {
            "measures": {"slow": "slowest", "second": "second"},
            "label": "time constant in words",
            "log": True,
        },
    ),
    "alignment": (
        "How far the line's axis agrees with the readout, and the direction of integration with "
        "the line: absolute cosines. The findings say which of these exceed their nulls.",
        {
            "measures": {"axis_readout": "axis and readout", "mode_tangent": "mode and line"},
            "label": "absolute cosine",
        },
    ),
    "pushes": (
        "How far a positive, neutral and negative word moves the state along the slow direction, "
        "means. Evidence is integrated where the three lie apart and the neutral ones near 0.",
        {
            "measures": {
                "positive_push": "positive",
                "negative_push": "negative",
                "neutral_push": "neutral",
            },
            "label": "push along the slow direction",
            "zero": True,
        },
    ),
    "one_step": (
        "Error of the next state, relative to its length: predicted by the linearization at the "
        "nearest fixed point, and by no change at all.",
        {
            "measures": {"one_step": "linearized", "no_change": "no change"},
            "label": "relative error of one step",
        },
    ),
}
"""Panels of measures: what to see in them, and how they are drawn."""

RULES: tuple[str, dict[str, Any]] = (
    "Accuracy of the rules mined from each word score, on held-out documents.",
    {
        "measures": {"gamma": "gamma", "beta": "beta", "gradient": "gradient"},
        "label": "accuracy of the rules",
    },
)


def study_figures(study: dict[str, Any]) -> dict[str, tuple[str, Figure]]:
    """Every figure of a study that there is something for, with what to see in it.

    Args:
        study: ``networks``, ``predictions`` and ``methods``, rows.
    """
    found: dict[str, tuple[str, Figure]] = {}
    networks = study["networks"]
    if any(row.get("accuracy") is not None for row in networks):
        found["accuracies"] = (
            "One mark a seed; the bar is a bag of words fitted to the same labels. Where the marks "
            "lie below it, counting words does as well.",
            study_accuracies.figure(networks),
        )
    if study["predictions"]:
        figure = study_findings.figure(study["predictions"])
        groups = {(row["data"], row["architecture"]) for row in study["predictions"]}
        figure.set_figheight(1.1 + 0.32 * len(groups))
        found["findings"] = (
            "Networks in which each prediction of the line attractor exceeds its nulls (directions "
            "drawn with the covariance of the visited states, untrained networks, shuffled words), "
            "of those in which it could be judged. A dash: it holds by construction there, or is "
            "not known.",
            figure,
        )
    for name, (caption, options) in PANELS.items():
        if any(row.get(measure) is not None for row in networks for measure in options["measures"]):
            found[name] = (caption, study_measures.figure(networks, **options))
    methods = _by_network(study["methods"], RULES[1]["measures"])
    if methods:
        found["rules"] = (RULES[0], study_measures.figure(methods, **RULES[1]))
    return found


def _by_network(methods: Sequence[dict[str, Any]], names: Iterable[str]) -> list[dict[str, Any]]:
    """One row a network, its methods' accuracies as columns."""
    keys = ("data", "architecture", "units", "seed")
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in methods:
        key = tuple(one[name] for name in keys)
        row = rows.setdefault(key, dict(zip(keys, key, strict=True)) | dict.fromkeys(names, None))
        row[one["method"]] = one["accuracy"]
    return list(rows.values())


def render_study(study: dict[str, Any]) -> str:
    """One self-contained page: no network access, no script, every word escaped.

    Args:
        study: ``name``; ``sentences``; ``networks``, ``predictions`` and ``methods``, rows;
            ``tables``, pairs of a title and rows; ``unfinished``, names.
    """
    panels = [
        (name, HEADINGS.get(name), inline(figure.axes[0], f"study-{name}", caption), caption)
        for name, (caption, figure) in study_figures(study).items()
    ]
    return environment().get_template("study.html.j2").render(
        study=study,
        panels=panels,
        css=Markup(resources.files("rnnscope.report").joinpath("style.css").read_text("utf-8")),
        light=Markup(declarations(dark=False)),
        dark=Markup(declarations(dark=True)),
    )  # fmt: skip
