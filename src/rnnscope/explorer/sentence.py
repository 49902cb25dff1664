"""All that the page shows of one sentence, from one call."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import NotApplicable, UsageError
from rnnscope.explorer.changes import Changes, every_change
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.rules import Firing
from rnnscope.scores import (
    CellDifference,
    ContextualDecomposition,
    IntegratedGradients,
    against_others,
    beta_and_gamma,
    read_changes,
    word_gradients,
)

MATCHES = 12
"""Rules listed of those that occur."""

SLOWER = {
    "integrated gradients": IntegratedGradients,
    "contextual decomposition": ContextualDecomposition,
}
"""Scores computed only when they are asked for."""


def look_at(exhibit: Exhibit, text: str) -> dict[str, Any]:
    """What a network does with a sentence.

    The probabilities after each word, every word's score by each method that is quick enough, the
    path through the state space, the rules that occur, and what the network would say with each
    word removed, moved, or replaced by the word that matters most.

    Args:
        exhibit: the network.
        text: the sentence.

    Raises:
        DataError: no words, too many, or one that the vocabulary cannot place.
    """
    started = time.perf_counter()
    model, words = exhibit.model, exhibit.words_of(text)
    (document,) = model.encode([words])
    gradients = word_gradients(model, document, exhibit.shown)
    changes = every_change(exhibit, words, document, gradients)
    reading = read_changes(model, document, changes.versions)
    scores, missing = _scores(
        exhibit, words, document, gradients, reading.steps[-1], changes, reading.changed
    )
    probabilities = torch.softmax(reading.steps.double(), dim=-1)
    return {
        "words": [
            {"text": word, "known": model.vocabulary is None or word in model.vocabulary}
            for word in words
        ],
        "probabilities": rounded(probabilities),
        "predicted": int(probabilities[-1].argmax()),
        "shown": exhibit.shown,
        "scores": scores,
        "missing": missing,
        "slower": list(SLOWER),
        "path": _path(exhibit, reading.states),
        "rules": _rules(exhibit, words, int(probabilities[-1].argmax())),
        "changes": changes.to_dict(torch.softmax(reading.changed.double(), dim=-1)),
        "milliseconds": round(1000 * (time.perf_counter() - started), 1),
    }


def slower_score(exhibit: Exhibit, text: str, method: str) -> dict[str, Any]:
    """One of the scores that take longer.

    Raises:
        UsageError: no such score.
        NotApplicable: it has no meaning for this network.
        DataError: as for ``look_at``.
    """
    if method not in SLOWER:
        raise UsageError(
            "The score must be one that is computed when asked for.",
            expected=", ".join(SLOWER),
            got=repr(method)[:60],
        )
    words = exhibit.words_of(text)
    score = SLOWER[method](exhibit.model)
    return _strip(exhibit, method, score.score([words])[0].values, sums=score.complete)


def rounded(values: Tensor, digits: int = 5) -> list[Any]:
    """As lists: a page shows no more."""
    return np.round(values.detach().cpu().double().numpy(), digits).tolist()


# Scores ------------------------------------------------------------------------------------


def _scores(
    exhibit: Exhibit,
    words: list[str],
    document: np.ndarray,
    gradients: Tensor,
    logits: Tensor,
    changes: Changes,
    changed: Tensor,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    model, missing = exhibit.model, {}
    strips: list[dict[str, Any]] = []
    try:
        beta, gamma = beta_and_gamma(model, [words])
        strips += [
            _strip(exhibit, "gamma", gamma[0].values, sums=True),
            _strip(exhibit, "beta", beta[0].values, sums=True),
        ]
    except NotApplicable as error:
        missing["gamma"] = error.rule
        try:
            found = CellDifference(model).score([words])[0]
            strips.append(_strip(exhibit, "beta", found.values, sums=True))
        except NotApplicable as worse:
            missing["beta"] = worse.rule
    vectors: Any = model.embedding
    product = (gradients * vectors[torch.as_tensor(document)]).sum(dim=-1)
    strips.append(_named("gradient x input", product, sums=False))
    for name, rows in (("leave one out", changes.removed), ("occlusion", changes.blanked)):
        strips.append(_strip(exhibit, name, logits - changed[rows], sums=False))
    sites = exhibit.sites
    if sites is not None and sites.pushes is not None:
        strips.append(
            _named("push along the slow mode", torch.as_tensor(sites.pushes[document]), sums=False)
        )
    else:
        missing["push along the slow mode"] = "No fixed point of this network has a real slow mode."
    return strips, missing


def _strip(exhibit: Exhibit, name: str, values: Tensor, *, sums: bool) -> dict[str, Any]:
    """Scores of the shown class against the mean of the others."""
    return _named(name, against_others(values)[:, exhibit.shown], sums=sums)


def _named(name: str, values: Tensor, *, sums: bool) -> dict[str, Any]:
    return {
        "method": name,
        "values": rounded(values, 4),
        "sums": sums,
        "total": round(float(values.sum()), 4) if sums else None,
    }


# Path --------------------------------------------------------------------------------------


def _path(exhibit: Exhibit, states: Tensor | None) -> dict[str, Any] | None:
    """The way through the plane, and at each step the nearest fixed point."""
    sites = exhibit.sites
    if sites is None or states is None:
        return None
    away = torch.cdist(states.cpu(), sites.states) / sites.points.scale
    nearest = away.min(dim=1)
    return {
        "xy": rounded(sites.plane.project(states), 4),
        "nearest": nearest.indices.tolist(),
        "distance": rounded(nearest.values, 3),
    }


# Rules -------------------------------------------------------------------------------------


def _rules(exhibit: Exhibit, words: list[str], predicted: int) -> dict[str, Any] | None:
    rules = exhibit.rules
    if rules is None:
        return None
    found = rules.matches(words)
    seen: dict[int, Firing] = {}
    for one in found:
        seen.setdefault(one.rank, one)
    says = found[0].class_index if found else rules.default
    return {
        "says": says,
        "agrees": says == predicted,
        "default": rules.default,
        "size": rules.size,
        "occur": len(seen),
        "list": [
            {
                "rank": one.rank + 1,
                "words": list(one.rule.words),
                "class": one.class_index,
                "position": one.position,
                "importance": one.rule.importance,
                "count": one.rule.count,
                "precision": one.rule.precision,
            }
            for one in list(seen.values())[:MATCHES]
            if one.rule is not None
        ],
    }
