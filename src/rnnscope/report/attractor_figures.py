"""The figures of Maheswaranathan et al. 2019 for any network: one by one, and side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnscope.errors import NotApplicable, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.report import text
from rnnscope.report.attractor_density import state_density
from rnnscope.report.attractor_histograms import (
    alignment,
    input_projections,
    linear_error,
    relaxation,
)
from rnnscope.report.attractor_material import (
    AttractorMaterial,
    LineLike,
    ModesLike,
    PointsLike,
    principal,
    time_constants,
)
from rnnscope.report.attractor_plane import (
    points_in_plane,
    slow_directions,
    word_effects,
)
from rnnscope.report.attractor_spectra import (
    all_time_constants,
    at,
    slow_time_constants,
    spectra,
    spectrum,
    variance_curve,
)
from rnnscope.report.drawing import Drawing, along, array, blank, finished, nothing
from rnnscope.report.svg import styled

Panel = tuple[Drawing[...], tuple[Any, ...], dict[str, Any]]
"""What draws, and what it is given."""

SUMMARY = ("points", "spectra", "time_constants", "input_projections", "alignment")
"""The columns of the summary."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PaperFigures(ShowsItself):
    """Figures by name, and why others are left out.

    Attributes:
        figures: variance (2a), states (2b), points (2c), spectra (3b), time_constants (3c),
            all_time_constants (3d), word_effects (4a), slow_directions (4b), input_projections
            (4c), alignment (4d), linear_error (5), summary (6), relaxation and appendix.
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
    panels, left_out = _panels(held)
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
            panels, left_out = _panels(material)
            for ax, key in zip(row, SUMMARY, strict=True):
                _fill(ax, key, panels, left_out)
            row[0].set_title(text.token(name, 40, count=False), loc="left", fontweight="bold")
        return finished(figure)


def appendix_page(material: AttractorMaterial, *, title: str = "", columns: int = 3) -> Figure:
    """Every panel that one network's material allows, on one page (appendix)."""
    panels, _ = _panels(material)
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


def _panels(material: AttractorMaterial) -> tuple[dict[str, Panel], dict[str, str]]:
    """The panels on one pair of axes that the material allows; for the others the reason."""
    makers: dict[str, Callable[[AttractorMaterial], Panel]] = {
        "variance": _variance,
        "states": _states,
        "points": _points,
        "spectra": _spectrum,
        "time_constants": _time_constants,
        "all_time_constants": _all_time_constants,
        "word_effects": partial(_word_effects, row=None),
        "slow_directions": _slow_directions,
        "input_projections": _input_projections,
        "alignment": _alignment,
        "linear_error": _linear_error,
        "relaxation": _relaxation,
    }
    panels: dict[str, Panel] = {}
    left_out: dict[str, str] = {}
    for name, make in makers.items():
        try:
            panels[name] = make(material)
        except NotApplicable as error:
            left_out[name] = str(error)
    return panels, left_out


def _variance(material: AttractorMaterial) -> Panel:
    shares = {"visited states": material.plane[2]}
    if material.untrained is not None:
        shares["untrained network"] = principal(material.untrained)[2]
    shares["fixed and slow points"] = array(material.line.variance)
    return variance_curve, (shares,), {}


def _states(material: AttractorMaterial) -> Panel:
    options: dict[str, Any] = {"shares": material.plane[2][:2]}
    options["paths"] = [material.project(path) for path in material.paths]
    if material.readouts is not None:
        weights = array(material.readouts)
        options["readout"] = material.turn(weights - weights.mean(0))
    elif len(material.classes) == 2 and material.points.readout is not None:
        readout = array(material.points.readout)
        options["readout"] = material.turn(readout)
        if material.offset is not None:
            options["offset"] = float(material.offset + readout @ material.plane[0])
    return (
        state_density,
        (material.project(material.visited), material.labels, material.classes),
        (options),
    )


def _points(material: AttractorMaterial) -> Panel:
    kinds = {"root": material.points.roots, "ghost": material.points.ghosts}
    options = {
        "marks": {name: material.project(kind.states) for name, kind in kinds.items()},
        "states": material.project(material.visited),
        "shares": material.plane[2][:2],
        "point_shares": material.line.variance,
        "colours": along(material.classes),
    }
    return points_in_plane, (material.project(material.modes.states), material.theta), options


def _spectrum(material: AttractorMaterial) -> Panel:
    middle = int(abs(material.theta[material.chosen]).argmin())
    title = f"at {at(material.theta[material.chosen[middle]])}"
    return spectrum, (material.spectra[middle],), {"title": title}


def _time_constants(material: AttractorMaterial) -> Panel:
    tau, grows = time_constants(array(material.modes.eigenvalues)[:, :3])
    return slow_time_constants, (material.theta, tau, grows), {}


def _all_time_constants(material: AttractorMaterial) -> Panel:
    tau, grows = time_constants(material.spectra)
    options = {"colours": along(material.classes)}
    return all_time_constants, (tau, material.theta[material.chosen], grows), options


def _word_effects(material: AttractorMaterial, row: int | None) -> Panel:
    _need_words(material)
    simple = material.simple.tolist()
    if row is None:
        row = int(simple[int(abs(material.theta[simple]).argmin())])
    left = material.turn(material.first_left[simple.index(row)])
    title = f"at {at(float(material.theta[row]))}"
    return word_effects, (material.effects(row), left, material.classes), {"title": title}


def _slow_directions(material: AttractorMaterial) -> Panel:
    rows = material.simple
    places = material.project(array(material.modes.states)[rows])
    directions = material.turn(material.first_right)
    return (
        slow_directions,
        (places, directions, material.theta[rows]),
        {"shares": material.plane[2][:2], "colours": along(material.classes)},
    )


def _input_projections(material: AttractorMaterial) -> Panel:
    _need_words(material)
    return input_projections, (material.pushes(), material.classes), {}


def _alignment(material: AttractorMaterial) -> Panel:
    return alignment, material.alignments(), {}


def _linear_error(material: AttractorMaterial) -> Panel:
    if not material.errors:
        raise NotApplicable("No one-step errors of a linear approximation were given (errors).")
    return linear_error, (material.errors,), {}


def _relaxation(material: AttractorMaterial) -> Panel:
    if material.relaxation is None:
        raise NotApplicable("No speeds without input were given (relaxation).")
    return relaxation, (material.relaxation,), {}


def _need_words(material: AttractorMaterial) -> None:
    if not material.words:
        raise NotApplicable("No classes of words with their inputs were given (words).")


def _three_effects(material: AttractorMaterial) -> Figure:
    """The effects of words at three points side by side."""
    simple = set(material.simple.tolist())
    rows: list[int | None] = [row for row in material.chosen if row in simple] or [None]
    with styled():
        figure = blank(3.6 * len(rows), 4.0)
        for ax, row in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, strict=True):
            draw, given, options = _word_effects(material, row)
            draw.on(ax, *given, **options)
        return finished(figure)
