"""The numbers behind the page's figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.material import Material
from rnnscope.dynamics import StatePlane
from rnnscope.errors import NotApplicable
from rnnscope.models import Model
from rnnscope.report import AttractorMaterial

SHOWN_STATES = 800
VISITED = 3000
"""States along documents, for the view that can be turned and zoomed."""
DRAWN = 400
"""Directions kept of each null."""
SHOWN_WORDS = 12
"""Words shown at each end of the slow mode."""


def figure_data(
    model: Model,
    material: Material,
    dynamics: DynamicsHalf,
    rows: list[int],
) -> dict[str, Any]:
    """Everything the figures draw, JSON-safe."""
    figures: dict[str, Any] = {"state_space": _state_space(model, material, dynamics, rows)}
    modes, line = dynamics.modes, dynamics.line
    if modes is not None:
        values = modes.eigenvalues[dynamics.reference]
        figures["eigenvalues"] = {"reference": pairs(values)}
    if modes is not None and line is not None:
        tau = modes.time_constants[:, :3]
        coordinate = line.coordinate(modes.states)
        theta = 2 * (coordinate - coordinate.min()) / (coordinate.max() - coordinate.min()) - 1
        figures["time_constants"] = {"position": rounded(theta), "tau": tau.tolist()}
    if modes is not None and line is not None:
        figures["integration"] = _integration(model, dynamics)
    if dynamics.evidence is not None and dynamics.evidence.effects is not None:
        effects = dynamics.evidence.effects.by_point
        figures["valence_pushes"] = {name: rounded(pushes) for name, pushes in effects.items()}
    if dynamics.pushes is not None:
        figures["pushes"] = _pushes(model, dynamics)
    if dynamics.rated is not None:
        figures["positions"] = {
            "position": rounded(torch.tensor(dynamics.rated.position)),
            "valence": rounded(torch.tensor(dynamics.rated.ratings)),
        }
    return figures


def pairs(values: Tensor) -> list[list[float]]:
    """Complex numbers as [real, imaginary]."""
    return torch.view_as_real(values.contiguous()).tolist()


def rounded(values: Tensor) -> list[Any]:
    """As a list, to six significant digits: a figure shows no more."""
    return np.vectorize(lambda v: float(f"{v:.6g}"), otypes=[float])(values.numpy()).tolist()


def _state_space(
    model: Model,
    material: Material,
    dynamics: DynamicsHalf,
    rows: list[int],
) -> dict[str, Any]:
    """The space of the visited states' first three principal axes, and what lies in it: the first
    two as ``xy``, the third as ``z``."""
    space = StatePlane.of(dynamics.points, dimensions=3)

    def project(states: Tensor) -> dict[str, list[Any]]:
        found = space.project(states)
        return {"xy": rounded(found[:, :2]), "z": rounded(found[:, 2])}

    shown = dynamics.visited.judged[:SHOWN_STATES]
    finals = model.final_states(shown)
    classes: list[Any] = [None] * len(shown)
    if model.readout is not None:
        classes = [model.classes[label] for label in model.predict(shown)]
    points = dynamics.points
    kinds = (points.roots, points.continua, points.ghosts, points.manifold)
    start = torch.cat([layer.directions[0].start for layer in model.layers])
    paths = []
    for place, row in enumerate(rows):
        states = model.trajectory([material.judged[row]]).states[0]
        paths.append({**project(torch.cat([start[None], states])), "example": place})
    readout = None if space.readout is None else {"xy": rounded(space.readout)}
    return {
        "axes_variance": list(space.variance),
        "states": {**project(finals), "class": classes},
        "visited": _on_the_way(model, dynamics.visited.judged, project),
        "points": {kind.kind: project(kind.states) for kind in kinds},
        "paths": paths,
        "readout": readout,
    }


def _on_the_way(
    model: Model, documents: Sequence[Any], project: Callable[[Tensor], dict[str, list[Any]]]
) -> dict[str, list[Any]]:
    """States that documents pass, of whole documents until there are enough."""
    states, rows, steps = [], [], []
    for row, document in enumerate(documents):
        passed = model.trajectory([document]).states[0]
        states.append(passed)
        rows += [row] * len(passed)
        steps += range(1, len(passed) + 1)
        if len(rows) >= VISITED:
            break
    kept = project(torch.cat(states)[:VISITED])
    return {**kept, "document": rows[:VISITED], "word": steps[:VISITED]}


def _integration(model: Model, dynamics: DynamicsHalf) -> dict[str, Any] | None:
    """The slow direction at every point, in the plane and against the line's axis."""
    held = AttractorMaterial(
        points=dynamics.points,
        modes=dynamics.modes,  # type: ignore[arg-type]
        line=dynamics.line,  # type: ignore[arg-type]
        classes=model.classes or ("negative", "positive"),
    )
    try:
        rows = held.simple
    except NotApplicable:
        return None
    along, nulls = held.alignments()
    return {
        "xy": rounded(torch.tensor(held.project(held.modes.states)[rows])),
        "direction": rounded(torch.tensor(held.turn(held.first_right))),
        "position": rounded(torch.tensor(held.theta[rows])),
        "axes_variance": held.plane[2][:2].tolist(),
        "alignment": rounded(torch.tensor(along)),
        "nulls": {name: rounded(torch.tensor(drawn[:DRAWN])) for name, drawn in nulls.items()},
    }


def _pushes(model: Model, dynamics: DynamicsHalf) -> list[dict[str, Any]]:
    """The words at both ends of the slow mode, of those that stand in enough rated texts."""
    pushes: Any = dynamics.pushes
    by_word = {} if dynamics.rated is None else dynamics.rated.by_word
    known = [k for k, word in enumerate(pushes.words) if not by_word or by_word.get(word)]
    special = set()
    if model.vocabulary is not None:
        special = {model.vocabulary.unknown, model.vocabulary.padding}
    frequent = [
        k
        for k in known
        if pushes.words[k] not in special and (not by_word or by_word[pushes.words[k]][1] >= 10)
    ]
    order = sorted(frequent, key=lambda k: float(pushes.mean[k]))
    ends = order[:SHOWN_WORDS] + order[-SHOWN_WORDS:] if len(order) > 2 * SHOWN_WORDS else order
    return [
        {
            "word": pushes.words[k],
            "push": float(pushes.mean[k]),
            "spread": float(pushes.spread[k]),
            "rating": by_word[pushes.words[k]][0] if pushes.words[k] in by_word else None,
            "count": by_word[pushes.words[k]][1] if pushes.words[k] in by_word else None,
        }
        for k in ends
    ]
