"""The figures of Maheswaranathan et al. 2019 for any network: one by one, and side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnscope.errors import UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.report import text
from rnnscope.report.attractor_material import (
    AttractorMaterial,
    LineLike,
    ModesLike,
    PointsLike,
)
from rnnscope.report.attractor_panels import Panel, panels_of, word_effects_at
from rnnscope.report.attractor_spectra import spectra
from rnnscope.report.drawing import blank, finished, nothing
from rnnscope.report.svg import styled

SUMMARY = ("points", "spectra", "time_constants", "input_projections", "alignment")
"""The columns of the summary."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PaperFigures(ShowsItself):
    """Figures by name, and why others are left out.

    Attributes:
        figures: unit_traces (1), variance (2a), states (2b), points (2c), chosen_points (3a),
            spectra (3b), time_constants (3c), all_time_constants (3d), word_effects (4a),
            slow_directions (4b), input_projections (4c), alignment (4d), linear_error (5), summary
            (6), relaxation and appendix.
        left_out: for each that the material does not allow, a sentence.
    """

    figures: dict[str, Figure]
    left_out: dict[str, str]

    def __getitem__(self, name: str) -> Figure:
        if name in self.figures:
            return self.figures[name]
        raise UsageError(
            f"There is no figure {name!r}.",
            expected=", ".join(self.figures),
            got=self.left_out.get(name, name),
        )

    def __repr__(self) -> str:
        lines = [f"PaperFigures: {', '.join(self.figures)}"]
        return "\n  ".join([*lines, *(f"no {name}: {why}" for name, why in self.left_out.items())])


def paper_figures(
    points: PointsLike, modes: ModesLike, line: LineLike, *, name: str = "network", **material: Any
) -> PaperFigures:
    """Every figure that the material allows.

    Args:
        points: what ``find_fixed_points`` gave.
        modes: what ``linearize(model, points)`` gave.
        line: what ``fit_manifold(points, modes)`` gave.
        name: of the network, in the summary.
        material: ``states``, ``labels``, ``words`` and more; see ``AttractorMaterial``.

    Raises:
        DataError: an array that does not fit the network.
    """
    held = AttractorMaterial(points=points, modes=modes, line=line, **material)
    panels, left_out = panels_of(held)
    figures = {
        key: draw.figure(*given, **options) for key, (draw, given, options) in panels.items()
    }
    if "spectra" in panels:
        figures["spectra"] = spectra(held.spectra, held.theta[held.chosen])
    if "word_effects" in panels:
        figures["word_effects"] = _three_effects(held)
    figures["summary"] = summary_grid({name: held})
    figures["appendix"] = appendix_page(held, title=name)
    return PaperFigures(figures=figures, left_out=left_out)


def summary_grid(networks: Mapping[str, AttractorMaterial]) -> Figure:
    """One row a network: its points, eigenvalues, time constants, word pushes, alignment (Fig. 6).

    Raises:
        UsageError: no network.
    """
    if not networks:
        raise UsageError("A summary has one row a network.", expected="networks", got="none")
    with styled():
        figure = blank(3.5 * len(SUMMARY), 3.4 * len(networks))
        grid = figure.subplots(len(networks), len(SUMMARY), squeeze=False)
        for row, (name, material) in zip(grid, networks.items(), strict=True):
            panels, left_out = panels_of(material)
            for ax, key in zip(row, SUMMARY, strict=True):
                _fill(ax, key, panels, left_out)
            row[0].set_title(text.token(name, 40, count=False), loc="left", fontweight="bold")
        return finished(figure)


def appendix_page(material: AttractorMaterial, *, title: str = "", columns: int = 3) -> Figure:
    """Every panel that one network's material allows, on one page (appendix)."""
    panels, _ = panels_of(material)
    with styled():
        rows = ceil(len(panels) / columns)
        figure = blank(4.4 * columns, 3.7 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, key in zip(grid, panels, strict=False):
            _fill(ax, key, panels, {})
        for ax in grid[len(panels) :]:
            ax.set_axis_off()
        if title:
            figure.suptitle(text.token(title, 80, count=False), fontweight="bold")
        return finished(figure)


def _fill(ax: Axes, key: str, panels: dict[str, Panel], left_out: dict[str, str]) -> None:
    if key not in panels:
        nothing(ax, left_out.get(key, ""))
        return
    draw, given, options = panels[key]
    draw.on(ax, *given, **options)


def _three_effects(material: AttractorMaterial) -> Figure:
    """The effects of words at three points side by side."""
    simple = set(material.simple.tolist())
    rows: list[int | None] = [row for row in material.chosen if row in simple] or [None]
    with styled():
        figure = blank(3.6 * len(rows), 4.0)
        for ax, row in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, strict=True):
            draw, given, options = word_effects_at(material, row)
            draw.on(ax, *given, **options)
        return finished(figure)
