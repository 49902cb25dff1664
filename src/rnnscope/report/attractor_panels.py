"""The panels of Maheswaranathan et al. 2019 on one pair of axes each: what draws, from what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rnnscope.errors import NotApplicable
from rnnscope.report.attractor_density import state_density
from rnnscope.report.attractor_histograms import (
    alignment,
    input_projections,
    linear_error,
    relaxation,
)
from rnnscope.report.attractor_material import (
    AttractorMaterial,
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
    spectrum,
    variance_curve,
)
from rnnscope.report.attractor_traces import chosen_points, unit_traces
from rnnscope.report.drawing import Drawing, along, array

Panel = tuple[Drawing[...], tuple[Any, ...], dict[str, Any]]
"""What draws, and what it is given."""


def panels_of(material: AttractorMaterial) -> tuple[dict[str, Panel], dict[str, str]]:
    """The panels on one pair of axes that the material allows; for the others the reason."""
    makers: dict[str, Callable[[AttractorMaterial], Panel]] = {
        "unit_traces": _unit_traces,
        "variance": _variance,
        "states": _states,
        "points": _points,
        "chosen_points": _chosen_points,
        "spectra": _spectrum,
        "time_constants": _time_constants,
        "all_time_constants": _all_time_constants,
        "word_effects": partial(word_effects_at, row=None),
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


def _unit_traces(material: AttractorMaterial) -> Panel:
    if not len(material.paths):
        raise NotApplicable("No trajectory of a document was given (paths).")
    return unit_traces, (material.paths[0],), {}


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


def _chosen_points(material: AttractorMaterial) -> Panel:
    options = {"shares": material.plane[2][:2]}
    places = material.project(material.modes.states)
    return chosen_points, (places, material.theta, material.chosen), options


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


def word_effects_at(material: AttractorMaterial, row: int | None) -> Panel:
    """The effects of words at one point; at that in the middle when None."""
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
