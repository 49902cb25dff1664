"""The page of a study: its networks side by side. A plain dictionary in, one string of HTML out."""

from __future__ import annotations

from importlib import resources
from typing import Any

from markupsafe import Markup

from rnnscope.report.page import environment
from rnnscope.report.palette import declarations
from rnnscope.report.study_figures import study_accuracies, study_findings
from rnnscope.report.svg import inline


def render_study(study: dict[str, Any]) -> str:
    """One self-contained page: no network access, no script, every word escaped.

    Args:
        study: ``name``; ``sentences``; ``networks`` and ``predictions``, rows; ``tables``, pairs of
            a title and rows; ``unfinished``, names.
    """
    panels = {}
    if any(row.get("accuracy") is not None for row in study["networks"]):
        panels["accuracies"] = inline(
            study_accuracies(study["networks"]),
            "study-accuracies",
            "Accuracy of every network by data set, beside a bag of words.",
        )
    if study["predictions"]:
        panels["findings"] = inline(
            study_findings(study["predictions"]),
            "study-findings",
            "Of how many networks each prediction of the line attractor exceeds its nulls.",
        )
    return environment().get_template("study.html.j2").render(
        study=study,
        panels=panels,
        css=Markup(resources.files("rnnscope.report").joinpath("style.css").read_text("utf-8")),
        light=Markup(declarations(dark=False)),
        dark=Markup(declarations(dark=True)),
    )  # fmt: skip
