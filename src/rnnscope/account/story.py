"""The verdict in words and numbers, and the documents worth showing word by word."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.material import Material
from rnnscope.account.rules_half import RulesHalf, as_words
from rnnscope.dynamics import LineAttractorVerdict, Prediction
from rnnscope.models import Model
from rnnscope.scores import against_others
from rnnscope.statistics import Estimate

ENDLESS = 1e6
"""Words beyond which a memory is as good as endless."""

SHORT, LONG = 3, 60
"""Words in a document that is shown."""


def sentences(
    model: Model, material: Material, rules: RulesHalf | None, dynamics: DynamicsHalf | None
) -> list[str]:
    """What the network does, for a reader who knows neither paper."""
    told: list[str] = []
    if rules is not None:
        kind, units = model.architecture.rstrip(")").split("(")
        what = f"This {kind} network of {units} unit{'s' * (units != '1')}"
        first, last = ", ".join(model.classes[:-1]), model.classes[-1]
        does = f"tells {first} from" if len(model.classes) == 2 else f"decides between {first} and"
        given = sorted(set(rules.predictions.tolist()))
        if len(given) == 1:
            does, last = "gives one class only on the held-out texts:", model.classes[given[0]]
        told.append(f"{what} {does} {last}" + _how_well(rules, len(material.judged)))
        told += _about_rules(rules)
    if dynamics is not None:
        told += _about_dynamics(dynamics)
    return told


def _how_well(rules: RulesHalf, judged: int) -> str:
    if rules.accuracy is None:
        return "."
    return f" and is right on {rules.accuracy.value:.0%} of {judged:,} held-out texts."


def _about_rules(rules: RulesHalf) -> list[str]:
    own = rules.named(f"rules ({rules.method})")
    bag, majority = rules.named("bag of words"), rules.named("majority class")
    if own is None or majority is None:
        return []
    model = rules.named(f"phrase model ({rules.method})")
    beside = ""
    if model is not None:
        beside = f"{model.size:,} phrases weighed and added up give {model.agreement.value:.0%}, "
    if bag is not None:
        beside += f"word counts fitted to its answers {bag.agreement.value:.0%}, "
    return [
        f"Going down a list of {own.size:,} phrases read out of it, and taking the first that "
        f"occurs, gives its answer on {own.agreement.value:.0%} of them; {beside}always the same "
        f"class {majority.agreement.value:.0%}."
    ]


def _about_dynamics(dynamics: DynamicsHalf) -> list[str]:
    told: list[str] = []
    verdict, line = dynamics.verdict, dynamics.line
    if verdict is not None:
        name = dynamics.points.held.name
        held = {"zero": "Without input", "mean": "With its average input"}.get(
            name, f"With its input held at {name!r}"
        )
        length = dynamics.visited.description["mean_length"]
        told.append(f"{held}, {_memory(verdict)}; a text has {length:.0f} words on average.")
    if line is not None and line.readout is not None:
        told.append(
            f"The line of its resting points agrees with the direction in which the decision is "
            f"read to {line.readout.median:.2f} of 1 (1 in 20 directions drawn from its states "
            f"exceeds {line.readout.null_high:.2f}; at random {line.readout.isotropic_median:.2f})."
        )
    if verdict is not None and verdict.separability is not None:
        told += _about_words(verdict.separability)
    if dynamics.rated is not None:
        logit = dynamics.rated.of_logit
        beside = "" if logit is None else f" (of its output: {logit.value:.2f})"
        told.append(
            f"Where a text ends along the slow direction goes with how people rated it: "
            f"correlation {dynamics.rated.of_position.value:.2f}{beside}."
        )
    return told


def _about_words(apart: Prediction) -> list[str]:
    """Whether words push along the slow direction as the labels of their texts say."""
    if apart.value is None or apart.null is None:
        return []
    return [
        f"A word that stands with one class pushes further to that side than a word that stands "
        f"with the other in {apart.value:.0%} of such pairs (1 in 20 shuffles of the words, or "
        f"untrained networks, exceeds {apart.null:.0%})."
    ]


def _memory(verdict: LineAttractorVerdict) -> str:
    """How long a difference lasts, growth told apart from decay."""
    slow, fast = verdict.stability.value, verdict.stability.null
    if slow is None or not slow < ENDLESS:
        text = "a difference along the slowest direction does not fade"
    else:
        grows = verdict.growing_share
        how = "grows" if grows > 0.95 else "fades"
        if 0.05 <= grows <= 0.95:
            how = f"fades, or at {grows:.0%} of the points grows,"
        text = f"a difference along the slowest direction {how} over about {slow:,.0f} words"
    if fast is not None and fast < ENDLESS:
        text += f", along the next over {fast:,.1f}" if fast >= 0.5 else ", along the next at once"
    return text


def tiles(rules: RulesHalf | None, dynamics: DynamicsHalf | None) -> list[dict[str, Any]]:
    """The numbers at the top of the page."""
    shown: list[dict[str, Any]] = []

    def add(label: str, value: Any, unit: str, meaning: str) -> None:
        interval = None
        if isinstance(value, Estimate):
            value, interval = value.value, [value.low, value.high]
        shown.append(
            {
                "label": label,
                "value": value,
                "interval": interval,
                "unit": unit,
                "meaning": meaning,
            }
        )

    if rules is not None:
        if rules.accuracy is not None:
            add("accuracy", rules.accuracy, "share", "held-out documents the network gets right")
        own = rules.named(f"rules ({rules.method})")
        if own is not None:
            add(
                "rules agree",
                own.agreement,
                "share",
                f"held-out documents where {own.size:,} rules give the network's answer",
            )
        bag = rules.named("bag of words")
        if bag is not None:
            add(
                "bag of words agrees",
                bag.agreement,
                "share",
                "the same for word counts fitted to the network's answers",
            )
    if dynamics is not None and dynamics.verdict is not None:
        add(
            "memory",
            dynamics.verdict.stability.value,
            "steps",
            "words over which a difference along the slowest direction fades or grows",
        )
    if dynamics is not None and dynamics.rated is not None:
        add(
            "position and rating",
            dynamics.rated.of_position,
            "correlation",
            "final position on the slow direction against human ratings",
        )
    return shown


def examples(
    model: Model, material: Material, rules: RulesHalf, count: int
) -> tuple[list[int], list[dict[str, Any]]]:
    """Judged documents worth reading word by word: their rows, and what the page shows."""
    rows = _choose(material, rules, count)
    return [row for row, _ in rows], [_example(model, material, rules, r, why) for r, why in rows]


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
    }
