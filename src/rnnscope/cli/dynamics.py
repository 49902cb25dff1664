"""``rnnscope dynamics``: what a network computes."""

from __future__ import annotations

from typing import Any

from rnnscope.account.material import Material
from rnnscope.cli.common import (
    DEMO,
    Json,
    Source,
    Where,
    print_json,
    say,
)
from rnnscope.data import load_corpus
from rnnscope.dynamics import find_fixed_points, fit_manifold, line_attractor_verdict, linearize
from rnnscope.errors import NotApplicable
from rnnscope.models import load


def dynamics(
    model: Where = DEMO,
    data: Source = "embedded:documents",
    inputs: str = "zero",
    points: int = 200,
    text: str = "text",
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Find the fixed points and slow modes, and say how far they form a line attractor.

    Example: rnnscope dynamics --model runs/demo --points 200

    Args:
        model: a saved model's directory.
        data: a file or an embedded set; states are taken from its test split.
        inputs: the input held fixed: zero, mean, or a word.
        points: states from which fixed points are sought.
        text: the column of texts.
        seed: of the sample.
        as_json: print as JSON.
    """
    network, corpus = load(model), load_corpus(data, text=text)
    material = Material.of(network, corpus, seed=seed)
    say(f"finding fixed points from {points} states")
    found = find_fixed_points(network, material.judged, inputs, count=points, rng=seed)
    parts: dict[str, Any] = {"points": found, "modes": None, "manifold": None, "verdict": None}
    left_out = ""
    try:
        modes = parts["modes"] = linearize(network, found)
        line = parts["manifold"] = fit_manifold(found, modes)
        parts["verdict"] = line_attractor_verdict(found, modes, line)
    except NotApplicable as error:
        left_out = str(error)
    if as_json:
        summaries = {name: p if p is None else p.summary() for name, p in parts.items()}
        print_json(summaries | {"not_applied": left_out})
        return
    for part in filter(None, parts.values()):
        print(part, end="\n\n")
    if left_out:
        print(f"left out: {left_out}")
