"""The documents worth showing word by word: by several scores, and on their way along the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.material import Material
from rnnscope.account.rules_half import RulesHalf, as_words
from rnnscope.errors import NotApplicable
from rnnscope.models import Model
from rnnscope.scores import GradientTimesInput, IntegratedGradients, LeaveOneOut, against_others

SHORT, LONG = 3, 60
"""Words in a document that is shown."""

OTHERS: tuple[Callable[[Model], Any], ...] = (GradientTimesInput, IntegratedGradients, LeaveOneOut)
"""Scores shown beside the two that rules are mined from."""


def examples(
    model: Model,
    material: Material,
    rules: RulesHalf,
    dynamics: DynamicsHalf | None,
    count: int,
) -> tuple[list[int], list[dict[str, Any]]]:
    """Judged documents worth reading word by word: their rows, and what the page shows."""
    rows = _choose(material, rules, count)
    shown = [_example(model, material, rules, r, why) for r, why in rows]
    documents = [material.judged[row] for row, _ in rows]
    _add_others(model, documents, shown)
    _add_ways(model, documents, dynamics, shown)
    return [row for row, _ in rows], shown


def _add_others(model: Model, documents: list[Any], shown: list[dict[str, Any]]) -> None:
    """Further scores of the same words, those that apply to the network."""
    for make in OTHERS:
        try:
            scores = make(model).score(documents)
        except NotApplicable:
            continue
        for example, found in zip(shown, scores, strict=True):
            of = model.classes.index(example["shown_class"])
            example["others"][scores.method] = against_others(found.values.double())[:, of].tolist()


def _add_ways(
    model: Model,
    documents: list[Any],
    dynamics: DynamicsHalf | None,
    shown: list[dict[str, Any]],
) -> None:
    """Where the state lies along the line before the first word and after each."""
    if dynamics is None or dynamics.position is None:
        return
    start = torch.cat([layer.directions[0].start for layer in model.layers])
    for example, document in zip(shown, documents, strict=True):
        states = torch.cat([start[None], model.trajectory([document]).states[0]])
        example["way"] = [float(f"{x:.5g}") for x in dynamics.position(states).tolist()]


def _choose(material: Material, rules: RulesHalf, count: int) -> list[tuple[int, str]]:
    lengths = np.array([len(document) for document in material.judged])
    readable = (lengths >= SHORT) & (lengths <= LONG)
    if not readable.any():
        readable = lengths <= np.sort(lengths)[: max(count, 1)].max()
    confidence = rules.probabilities.max(dim=-1).values.numpy()
    candidates: list[tuple[str, np.ndarray, np.ndarray]] = []
    right = np.ones(len(lengths), dtype=bool)
    if material.labels is not None:
        right = rules.predictions == material.labels
    for label in range(rules.probabilities.shape[1]):
        sure = readable & right & (rules.predictions == label)
        candidates.append(("the network is sure", sure, -confidence))
    if rules.rules is not None:
        differ = rules.rules.predict(as_words(material.judged)) != rules.predictions
        candidates.append(("the rules disagree with the network", readable & differ, -confidence))
    if material.labels is not None:
        candidates.append(("the network is wrong and sure", readable & ~right, -confidence))
    candidates.append(("the network is least sure", readable, confidence))
    order = np.random.default_rng(0).permutation(len(lengths)).astype(float)
    candidates += [("drawn at random", readable, order)] * count
    chosen: list[tuple[int, str]] = []
    for why, among, key in candidates:
        left = among.copy()
        left[[row for row, _ in chosen]] = False
        if left.any() and len(chosen) < count:
            chosen.append((int(np.flatnonzero(left)[key[left].argmin()]), why))
    return chosen


def _example(
    model: Model, material: Material, rules: RulesHalf, row: int, why: str
) -> dict[str, Any]:
    predicted = int(rules.predictions[row])
    # Two classes are shown as the second against the first, so that colours mean classes.
    shown = 1 if len(model.classes) == 2 else predicted
    strips = dict.fromkeys(("beta", "gamma")) | {
        name: against_others(scores[row].values.double())[:, shown].tolist()
        for name, scores in rules.scores.items()
    }
    tokens = [str(word) for word in material.judged[row]]
    if rules.scores:
        tokens = list(next(iter(rules.scores.values()))[row].tokens)
    firing = None if rules.rules is None else rules.rules.explain(tokens)
    fired = None
    if firing is not None and firing.rule is not None:
        fired = {
            "phrase": list(firing.rule.words),
            "class": firing.class_name,
            "rank": firing.rank,
            "position": firing.position,
        }
    label = None if material.labels is None else model.classes[int(material.labels[row])]
    return {
        "tokens": tokens,
        **strips,
        "shown_class": model.classes[shown],
        "predicted": model.classes[predicted],
        "label": label,
        "probability": float(rules.probabilities[row, predicted]),
        "valence": None if material.valence is None else float(material.valence[row]),
        "rule": fired,
        "rules_say": None if firing is None else firing.class_name,
        "why_shown": why,
        "others": {},
        "way": None,
    }
