"""The dynamics half of an account as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.figures import pairs

LISTED_EIGENVALUES = 12


def dynamics_entry(half: DynamicsHalf) -> dict[str, Any]:
    points = half.points
    kinds = (points.roots, points.continua, points.ghosts, points.manifold)
    contents: dict[str, Any] = {
        "points": {
            **{kind.kind: len(kind) for kind in kinds},
            "seeds": len(points),
            "inside_visited_region": {kind.kind: int(kind.inside.sum()) for kind in kinds},
            "outcomes": points.counts,
        },
        "input": {"name": points.held.name, "distance_from_mean": points.held.distance},
        "visited_on": {
            "name": half.visited.description["name"],
            **half.visited.description["judged_on"],
        },
        "speeds": {
            kind.kind: {
                "median_q_paper": float(kind.q.median()) if len(kind) else None,
                "median_q_finder": float(kind.finder_q.median()) if len(kind) else None,
            }
            for kind in kinds
        },
        "eigenvalues": None,
        "time_constants": None,
        "growing": None,
        "alignment": None,
        "verdict": None,
        "words": None,
        "untrained": None,
        "delayed": None,
        "dimension": None,
    }
    if half.modes is not None:
        reference = half.modes.eigenvalues[half.reference]
        contents["eigenvalues"] = pairs(reference[:LISTED_EIGENVALUES])
        median = np.median(half.modes.time_constants[:, :3].numpy(), axis=0)
        contents["time_constants"] = median.tolist()
        contents["growing"] = float(half.modes.growing[:, 0].double().mean())
    if half.line is not None:
        contents["alignment"] = {
            "axis_readout": _alignment(half.line.readout),
            "r1_axis": _alignment(half.line.modes),
            "r1_tangent": _alignment(half.line.tangents),
        }
    if half.verdict is not None:
        contents["verdict"] = {
            "sentence": half.verdict.sentence,
            "predictions": [{"name": p.name, **p.summary()} for p in half.verdict.predictions],
            "ghost_share": half.verdict.ghost_share,
        }
    if half.evidence is not None:
        contents |= half.evidence.to_dict()
    return contents


def _alignment(alignment: Any) -> dict[str, float] | None:
    if alignment is None:
        return None
    return {
        "value": alignment.median,
        "null_median": alignment.null_median,
        "null_95": alignment.null_high,
        "isotropic_median": alignment.isotropic_median,
    }


def valence_entry(half: DynamicsHalf) -> dict[str, Any]:
    rated: Any = half.rated
    estimates = {"position": rated.of_position, "logit": rated.of_logit, "words": rated.of_words}
    return {
        "texts": rated.texts,
        **{name: None if e is None else e.to_dict() for name, e in estimates.items()},
    }
