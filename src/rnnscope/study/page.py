"""The page and the figures of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnscope.report import render_study, study_accuracies, study_findings
from rnnscope.storage import new_file
from rnnscope.study.plan import Study
from rnnscope.study.tables import JUDGED, TITLES, StudyTables, study_tables

HELD = {
    "stability": "one mode is slower than the next and than any of untrained networks, as a line "
    "attractor needs.",
    "separability": "the slow mode tells positive from negative words that it was not fitted to.",
}
"""What is said of the networks in which a prediction exceeds its nulls."""


def save_study(study: Study, folder: str | Path) -> list[Path]:
    """Write a study's tables, figures and page, of what is finished, into its folder.

    Args:
        folder: where ``run_study`` kept it.

    Returns:
        What was written: ``study.html`` first, then ``tables/`` and ``figures/``.
    """
    root = Path(folder)
    tables = study_tables(study, root)
    written = tables.save(root / "tables")
    figures = root / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Any] = {}
    if any(row["accuracy"] is not None for row in tables.networks):
        drawn["accuracies"] = study_accuracies.figure(tables.networks)
    if tables.predictions:
        drawn["findings"] = study_findings.figure(tables.predictions)
    for name, figure in drawn.items():
        for ending in ("svg", "png"):
            written.append(figures / f"{name}.{ending}")
            figure.savefig(written[-1], dpi=150)
    page = root / "study.html"
    new_file(page, render_study(study_page(study, tables, root)), errors="backslashreplace")
    return [page, *written]


def study_page(study: Study, tables: StudyTables, root: Path) -> dict[str, Any]:
    """What the page shows, JSON-safe."""
    networks = []
    for row in tables.networks:
        page = f"{row['folder']}/report.html"
        networks.append(dict(row) | {"page": page if (root / page).exists() else None})
    return {
        "name": study.name,
        "sentences": _sentences(tables),
        "networks": networks,
        "predictions": list(tables.predictions),
        "tables": [(title, getattr(tables, name)()) for name, title in TITLES.items()],
        "unfinished": list(tables.unfinished),
    }


def _sentences(tables: StudyTables) -> list[str]:
    both = [
        (row["accuracy"], row["bag_of_words"])
        for row in tables.networks
        if row["accuracy"] is not None and row["bag_of_words"] is not None
    ]
    told = []
    if both:
        better = sum(network > words for network, words in both)
        told.append(
            f"{better} of {len(both)} networks classify held-out documents better than a bag of "
            "words does."
        )
    for prediction, sentence in HELD.items():
        findings = [row["finding"] for row in tables.predictions if row["prediction"] == prediction]
        judged = [one for one in findings if one in JUDGED]
        if judged:
            told.append(f"In {judged.count('yes')} of {len(judged)} of them {sentence}")
    return told
