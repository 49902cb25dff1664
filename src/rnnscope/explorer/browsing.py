"""The corpus searched for a phrase, and fixed points one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from rnnscope.errors import NotApplicable, UsageError
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.explorer.sentence import rounded
from rnnscope.statistics import wilson

EXAMPLES = 8
"""Texts shown of those that hold a phrase, or whose states are nearest to a point."""

AROUND = 10
"""Words shown on either side."""

MODES = 8
"""Time constants listed of a point."""


def find_phrase(exhibit: Exhibit, text: str) -> dict[str, Any]:
    """How often a phrase stands in the corpus, what the network says there, and examples.

    The examples are spread over the network's probabilities: the surest each way and those between.

    Args:
        exhibit: the network.
        text: the phrase.

    Raises:
        DataError: no words, too many, or one that the vocabulary cannot place.
    """
    phrase = exhibit.words_of(text)
    documents, positions = exhibit.search.find(phrase)
    holding, first = np.unique(documents, return_index=True)
    probabilities = exhibit.probabilities.double().numpy()
    answers = np.bincount(probabilities[holding].argmax(axis=1), minlength=probabilities.shape[1])
    low, high = wilson(answers, np.full(len(answers), max(1, len(holding))))
    order = np.argsort(-probabilities[holding, exhibit.shown], kind="stable")
    places = np.unique(np.linspace(0, max(0, len(order) - 1), EXAMPLES).round().astype(int))
    return {
        "words": phrase,
        "occurrences": len(documents),
        "documents": len(holding),
        "of": len(exhibit.corpus),
        "answers": answers.tolist(),
        "intervals": np.round(np.stack([low, high], axis=1), 4).tolist(),
        "overall": np.bincount(
            probabilities.argmax(axis=1), minlength=probabilities.shape[1]
        ).tolist(),
        "examples": [
            _example(exhibit, int(holding[k]), int(positions[first[k]]), len(phrase))
            for k in order[places[: len(order)]]
        ],
    }


def look_at_point(exhibit: Exhibit, index: int) -> dict[str, Any]:
    """One fixed point: its kind, spectrum and time constants, and the texts that come nearest.

    Args:
        exhibit: the network.
        index: its place in the list of all points.

    Raises:
        NotApplicable: the network has no fixed points to look at.
        UsageError: no such point.
    """
    sites = exhibit.sites
    if sites is None:
        raise NotApplicable(
            "Fixed points are looked at where a network has them.",
            got=exhibit.left_out.get("fixed points", "none were found").splitlines()[0],
        )
    if not 0 <= index < len(sites):
        raise UsageError(
            "A point is named by its place in the list.",
            expected=f"0 to {len(sites) - 1}",
            got=str(index),
        )
    kind, modes = sites.kinds[index], sites.modes
    own = {
        one.kind: one
        for one in (
            sites.points.roots,
            sites.points.continua,
            sites.points.ghosts,
            sites.points.manifold,
        )
    }[kind]
    row = int(sites.rows[index])
    values = modes.eigenvalues[index]
    tau, period = modes.time_constants[index], modes.periods[index]
    away = torch.linalg.vector_norm(sites.visited - sites.states[index], dim=-1)
    return {
        "index": index,
        "kind": kind,
        "speed": float(own.q[row]),
        "seeds": int(own.count[row]),
        "inside": bool(own.inside[row]),
        "error": _finite(float(own.error[row])),
        "proved": bool(own.proved[row]),
        "stability": modes.stability(index).sentence,
        "eigenvalues": rounded(torch.view_as_real(values.contiguous())),
        "complete": modes.complete,
        "modes": [
            {
                "value": rounded(torch.view_as_real(values[k])),
                "tau": _finite(float(tau[k])),
                "grows": bool(modes.growing[index, k]),
                "period": _finite(float(period[k])),
            }
            for k in range(min(MODES, len(values)))
            if float(values[k].imag) >= 0
        ],
        "nearest": _nearest(exhibit, away),
    }


def _nearest(exhibit: Exhibit, away: torch.Tensor) -> list[dict[str, Any]]:
    """The nearest states of different texts."""
    sites = exhibit.sites
    if sites is None:
        return []
    seen: dict[int, int] = {}
    for k in away.argsort(stable=True).tolist():
        seen.setdefault(int(sites.document[k]), k)
        if len(seen) == EXAMPLES:
            break
    return [
        {
            "before": " ".join(sites.texts[one][max(0, at - AROUND) : at]),
            "word": sites.texts[one][at],
            "after": " ".join(sites.texts[one][at + 1 : at + 1 + AROUND]),
            "cut": [at > AROUND, len(sites.texts[one]) > at + 1 + AROUND],
            "distance": round(float(away[k]) / sites.points.scale, 3),
        }
        for one, k in seen.items()
        for at in [int(sites.position[k])]
    ]


def _example(exhibit: Exhibit, document: int, position: int, length: int) -> dict[str, Any]:
    words, corpus = exhibit.corpus.documents[document], exhibit.corpus
    end = position + length
    labels = exhibit.labels
    return {
        "document": document,
        "before": " ".join(words[max(0, position - AROUND) : position]),
        "phrase": " ".join(words[position:end]),
        "after": " ".join(words[end : end + AROUND]),
        "cut": [position > AROUND, len(words) > end + AROUND],
        "text": " ".join(words[:200]),
        "probabilities": rounded(exhibit.probabilities[document]),
        "label": None if labels is None else labels[document],
        "split": None if corpus.splits is None else str(corpus.splits[document]),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
