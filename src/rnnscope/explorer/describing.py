"""What the page is told of each network before a sentence is typed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rnnscope.explorer.exhibit import MAX_WORDS, Exhibit
from rnnscope.explorer.sentence import SLOWER, rounded

SHOWN_STATES = 600
"""Ends of texts drawn in the plane at most."""


def describe(exhibit: Exhibit) -> dict[str, Any]:
    """A network's name, classes and state space, with all its fixed points."""
    model, corpus = exhibit.model, exhibit.corpus
    return {
        "name": exhibit.name,
        "architecture": model.architecture,
        "classes": list(model.classes),
        "shown": exhibit.shown,
        "words": len(model.vocabulary or ()),
        "corpus": {"name": corpus.name, "documents": len(corpus), "note": corpus.note},
        "rules": None if exhibit.rules is None else exhibit.rules.size,
        "slower": list(SLOWER),
        "max_words": MAX_WORDS,
        "plane": _plane(exhibit),
        "examples": _examples(exhibit),
        "left_out": {name: why.splitlines()[0] for name, why in exhibit.left_out.items()},
    }


def _plane(exhibit: Exhibit) -> dict[str, Any] | None:
    sites = exhibit.sites
    if sites is None:
        return None
    ends = exhibit.background
    every = max(1, -(-len(ends) // SHOWN_STATES))
    answers = exhibit.end_classes[::every].tolist()
    tau = sites.modes.time_constants[:, 0]
    return {
        "variance": list(sites.plane.variance),
        "readout": None if sites.plane.readout is None else rounded(sites.plane.readout),
        "input": sites.points.held.name,
        "states": {"xy": rounded(ends[::every], 3), "class": answers},
        "points": {
            "xy": rounded(sites.plane.project(sites.modes.states), 4),
            "kind": list(sites.kinds),
            "tau": [t if np.isfinite(t) else None for t in rounded(tau, 2)],
            "grows": sites.modes.growing[:, 0].tolist(),
        },
    }


def _examples(exhibit: Exhibit) -> list[str]:
    """Held-out sentences to begin with: the surest of each class and the least sure."""
    documents = exhibit.material.judged
    varied = [len(set(document)) > 0.8 * len(document) for document in documents]
    lengths = np.array([len(document) for document in documents])
    readable = np.flatnonzero((lengths >= 6) & (lengths <= 24) & varied)
    if not len(readable):
        return []
    probabilities = exhibit.model.probabilities([documents[int(k)] for k in readable]).cpu()
    sure = probabilities.max(dim=-1).values
    answers = probabilities.argmax(dim=-1)
    chosen: list[int] = []
    for label in range(probabilities.shape[1]):
        own = torch.where(answers == label, sure, torch.zeros_like(sure))
        if float(own.max()) > 0:
            chosen.append(int(own.argmax()))
    chosen.append(int(sure.argmin()))
    texts = exhibit.material.seeds.texts or [" ".join(document) for document in documents]
    return [texts[int(readable[k])] for k in dict.fromkeys(chosen)]
