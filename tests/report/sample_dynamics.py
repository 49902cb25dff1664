"""The dynamics of the sample account: an imagined line attractor and its figures."""

from __future__ import annotations

from typing import Any

import numpy as np

GOOD = ["good", "great", "excellent", "wonderful", "funny"]
GOOD += ["love", "brilliant", "charming", "superb", "moving"]
BAD = ["bad", "boring", "awful", "dull", "terrible", "poor", "waste", "mess", "worst", "weak"]


def dynamics(
    rng: np.random.Generator, classes: list[str], examples: list[dict[str, Any]]
) -> dict[str, Any]:
    """The keys ``dynamics`` and ``figures``."""
    count = 810
    group = rng.integers(0, len(classes), count)
    side = 2 * group / (len(classes) - 1) - 1
    along = side * rng.gamma(6, 0.5, count) + rng.normal(0, 0.4, count)
    states = np.stack([along, 0.06 * along**2 + rng.normal(0, 0.25, count)], -1)
    theta = np.linspace(-1, 1, 90)
    line = np.stack([4.2 * theta, 0.06 * (4.2 * theta) ** 2 - 0.2], -1)
    paths = []
    for place, example in enumerate(examples[:6]):
        x = np.cumsum([0.0, *example["gamma"]])
        xy = np.stack([x, 0.06 * x**2 + rng.normal(0, 0.15, len(x))], -1)
        third = rng.normal(0, 0.1, len(x))
        paths.append({"xy": xy.tolist(), "z": third.tolist(), "example": place})
    angle = rng.uniform(0, np.pi, 31)
    size = rng.uniform(0, 0.9, 31)
    circle = np.stack([size * np.cos(angle), size * np.sin(angle)], -1)
    values = np.concatenate([[[0.9889, 0.0], [0.81, 0.0]], circle, circle * [1, -1]])
    values = values[np.argsort(-np.hypot(*values.T), kind="stable")]
    tau = np.stack([90 - 55 * theta**2, 6 - 2 * theta**2, 3 + 0 * theta], -1)
    tau *= np.exp(rng.normal(0, 0.06, tau.shape))
    taus: list[list[float | None]] = [[float(value) for value in row] for row in tau]
    taus[44][0] = None
    pushes = [
        {
            "word": word,
            "push": float(sign * rng.uniform(0.1, 0.5)),
            "spread": float(rng.uniform(0.01, 0.06)),
            "rating": float(sign * rng.uniform(1, 3)) if place != 4 else None,
            "count": int(rng.integers(5, 90)),
        }
        for words, sign in ((GOOD, 1), (BAD, -1))
        for place, word in enumerate(words)
    ]
    valence = rng.normal(0, 2, 400)
    position = 0.3 * valence + rng.normal(0, 0.6, 400)
    return {
        "dynamics": {
            "points": {
                "root": 2,
                "continuum": 0,
                "ghost": 5,
                "manifold": 90,
                "seeds": 512,
                "inside_visited_region": {"root": 1, "continuum": 0, "ghost": 4, "manifold": 88},
                "outcomes": {"root": 120, "continuum": 0, "ghost": 380, "not_converged": 12},
            },
            "input": {"name": "zero", "distance_from_mean": 0.34},
            "visited_on": {"name": "ratings", "split": "test", "documents": 810},
            "eigenvalues": values[:12].tolist(),
            "time_constants": [89.23, 5.1, 3.0],
            "growing": 0.022,
            "alignment": {
                "axis_readout": {"value": 0.97, "null_median": 0.09, "null_95": 0.24},
                "r1_axis": {"value": 0.94, "null_median": 0.09, "null_95": 0.24},
            },
            "verdict": {
                "sentence": "From 512 seeds, 3 of 4 predictions exceed their null.",
                "predictions": [
                    _prediction("dimension", 0.9312, 0.41, "The first axis holds 93.1%."),
                    _prediction("stability", 89.23, 5.1, "The slowest mode lasts 89.2 steps."),
                    _prediction("integration", 0.94, 0.24, "The slow mode lies on the line."),
                    _prediction("readout", None, None, "The readout is not known."),
                ],
            },
            "speeds": {
                "root": {"median_q_paper": 1.3e-31, "median_q_finder": 4.2e-30},
                "continuum": {"median_q_paper": None, "median_q_finder": None},
                "ghost": {"median_q_paper": 2.2e-7, "median_q_finder": 7.0e-6},
                "manifold": {"median_q_paper": 4.1e-6, "median_q_finder": 1.3e-4},
            },
        },
        "figures": {
            "state_space": {
                "axes_variance": [0.843, 0.071, 0.02],
                "states": {
                    "xy": states.tolist(),
                    "z": rng.normal(0, 0.1, count).tolist(),
                    "class": group.tolist(),
                },
                "visited": {
                    "xy": (0.8 * states[:200]).tolist(),
                    "z": rng.normal(0, 0.1, 200).tolist(),
                    "document": [k // 10 for k in range(200)],
                    "word": [k % 10 + 1 for k in range(200)],
                },
                "points": {
                    "manifold": {"xy": line.tolist()},
                    "root": {"xy": [[-4.4, 1.0], [4.4, 1.0]]},
                    "ghost": {"xy": [[0.3, -0.4], [1.0, -0.3], [2.2, 0.3], [-1.4, -0.2], [-2, 0]]},
                    "continuum": {"xy": []},
                },
                "paths": paths,
                "readout": {"xy": [0.98, 0.2]},
            },
            "eigenvalues": {"reference": values.tolist()},
            "time_constants": {"position": theta.tolist(), "tau": taus},
            "pushes": pushes,
            "valence_pushes": {
                name: rng.normal(mean, 0.2, 90).tolist()
                for name, mean in (("positive", 1.2), ("negative", -1.2), ("neutral", 0.0))
            },
            "integration": {
                "xy": line.tolist(),
                "direction": [[0.98, 0.1]] * 90,
                "position": theta.tolist(),
                "axes_variance": [0.843, 0.071],
                "alignment": rng.uniform(0.8, 1, 90).tolist(),
                "nulls": {"drawn at random": rng.uniform(0, 0.3, 200).tolist()},
            },
            "positions": {"position": position.tolist(), "valence": valence.tolist()},
        },
    }


def _prediction(
    name: str, value: float | None, null: float | None, sentence: str
) -> dict[str, Any]:
    return {"name": name, "value": value, "null": null, "sentence": sentence}
