"""The verdict in words and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.join import Join
from rnnscope.account.material import Material
from rnnscope.account.rules_half import RulesHalf
from rnnscope.dynamics import LineAttractorVerdict, Prediction
from rnnscope.models import Model
from rnnscope.statistics import Estimate

ENDLESS = 1e6
"""Words beyond which a memory is as good as endless."""

TILES = 5
"""Numbers at the top of the page."""

NAMED = 3
"""Words named for each class in the verdict."""


def sentences(
    model: Model,
    material: Material,
    rules: RulesHalf | None,
    dynamics: DynamicsHalf | None,
    join: Join | None,
) -> list[str]:
    """What the network does, in two sentences for a reader who knows neither paper."""
    told = [] if rules is None else [_what_it_decides(model, material, rules)]
    how = _how_it_decides(model, rules, join) or (findings(rules, dynamics) or [""])[0]
    return [*told, how] if how else told


def findings(rules: RulesHalf | None, dynamics: DynamicsHalf | None) -> list[str]:
    """What was measured of the rules, and then of the dynamics, a sentence each."""
    told = [] if rules is None else _about_rules(rules)
    return told + ([] if dynamics is None else _about_dynamics(dynamics))


def _what_it_decides(model: Model, material: Material, rules: RulesHalf) -> str:
    kind, units = model.architecture.rstrip(")").split("(")
    what = f"Reading word by word, this {kind} network of {units} unit{'s' * (units != '1')}"
    first, last = ", ".join(model.classes[:-1]), model.classes[-1]
    does = f"tells {first} from" if len(model.classes) == 2 else f"decides between {first} and"
    given = sorted(set(rules.predictions.tolist()))
    if len(given) == 1:
        does, last = "gives one class only on the held-out texts:", model.classes[given[0]]
    if rules.accuracy is None or material.labels is None:
        return f"{what} {does} {last}."
    commonest = np.bincount(material.labels).max() / len(material.labels)
    return (
        f"{what} {does} {last}; it is right on {rules.accuracy.value:.0%} of "
        f"{len(material.judged):,} held-out texts, where always giving the commonest class would "
        f"be right on {commonest:.0%}."
    )


def _how_it_decides(model: Model, rules: RulesHalf | None, join: Join | None) -> str:
    """As a tally, where one number does better than a constant answer, in the whole interval."""
    if join is None or join.tally is None or rules is None:
        return ""
    majority = rules.named("majority class")
    if majority is None or not join.tally.low > majority.agreement.value:
        return ""
    low, high = ([], []) if join.words is None else join.words.telling(NAMED)
    moves = "each word moves one number inside it towards one class or the other"
    if low and high:
        moves = (
            f"words such as {_listed(high)} move one number inside it towards "
            f"{model.classes[1]}, words such as {_listed(low)} towards {model.classes[0]}"
        )
    return (
        f"It keeps a tally: {moves}, and the side on which that number ends gives the network's "
        f"answer on {join.tally.value:.0%} of the texts."
    )


def _listed(words: list[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


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


def _lasts(verdict: LineAttractorVerdict) -> str:
    """What a time constant is, growth told apart from decay."""
    grows = verdict.growing_share
    if grows > 0.95:
        return "words over which a push on its state grows to nearly three times its size"
    besides = (
        f", or, at {grows:.0%} of the places, nearly three times of it" if grows > 0.05 else ""
    )
    return f"words a push on its state lasts: after so many about a third of it is left{besides}"


def tiles(
    rules: RulesHalf | None, dynamics: DynamicsHalf | None, join: Join | None
) -> list[dict[str, Any]]:
    """The numbers at the top of the page: the first five that apply, the telling ones first."""
    shown: list[dict[str, Any]] = []

    def add(label: str, value: Any, unit: str, meaning: str) -> None:
        interval = None
        if isinstance(value, Estimate):
            value, interval = value.value, [value.low, value.high]
        entry = {"label": label, "value": value, "interval": interval, "unit": unit}
        shown.append({**entry, "meaning": meaning})

    def agrees(name: str, label: str, meaning: str) -> None:
        found = None if rules is None else rules.named(name)
        if found is not None:
            add(label, found.agreement, "share", meaning.format(found.size))

    if rules is not None and rules.accuracy is not None:
        add("right answers", rules.accuracy, "share", "held-out texts that the network gets right")
    if join is not None and join.tally is not None:
        add(
            "one number gives its answer",
            join.tally,
            "share",
            "texts on which the side of one inner number, the tally, gives the network's answer",
        )
    method = "" if rules is None else rules.method
    agrees(
        f"rules ({method})",
        "one phrase gives its answer",
        "texts on which the first phrase of a list of {:,} that occurs gives the network's answer",
    )
    if dynamics is not None and dynamics.verdict is not None:
        add("memory", dynamics.verdict.stability.value, "words", _lasts(dynamics.verdict))
    agrees(
        f"phrase model ({method})",
        "phrases added up give its answer",
        "texts on which {:,} phrases with weights, added up, give the network's answer",
    )
    agrees(
        "bag of words",
        "word counts give its answer",
        "texts on which a sum over words, fitted to its answers, gives the network's answer",
    )
    if dynamics is not None:
        kinds = (dynamics.points.roots, dynamics.points.continua, dynamics.points.manifold)
        add(
            "resting places",
            sum(len(kind) for kind in kinds),
            "count",
            "states at which it rests, or drifts only slowly, with the input held fixed",
        )
        if dynamics.line is not None:
            add(
                "on one line",
                float(dynamics.line.variance[0]),
                "share",
                "of the spread of those places lies along one direction",
            )
    return shown[:TILES]
