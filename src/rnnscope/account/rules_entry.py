"""The rules half of an account as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.rules_half import RulesHalf, as_words
from rnnscope.fidelity import Fidelity
from rnnscope.rules import RuleEvidence
from rnnscope.statistics import Estimate

LISTED_RULES = 200
"""Rules listed, in order."""

WITH_EVIDENCE = 40
"""Rules shown with what speaks against them: those that decide most."""

TELLING = 15
"""Phrases of several words listed of the phrase model."""

JUDGED = ("agreement", "accuracy", "balanced", "kappa", "confident", "unsure")


def rules_entry(
    half: RulesHalf, material: Material, options: ExplainOptions
) -> dict[str, Any] | None:
    """The rule list, judged rule by rule; None where there is none."""
    if half.rules is None or half.phrases is None:
        return None
    entry: Any = fidelity_entry(half.named(f"rules ({half.method})"))
    evidence = half.rules.evidence(
        as_words(material.judged),
        network=half.probabilities.numpy(),
        labels=material.labels,
        examples=1,
    )
    listed = half.rules.to_dict(limit=LISTED_RULES)["rules"]
    for rule, found in zip(listed, evidence[:LISTED_RULES], strict=True):
        rule["fired"] = found.decides
        rule["agreed"] = found.agreement.value if found.decides else None
        rule["intervals"] = {"agreed": _interval(found.agreement)}
    fired = half.rules.fired(as_words(material.judged))
    ranks, times = np.unique(fired[fired >= 0], return_counts=True)
    most = ranks[np.argsort(-times, kind="stable")[:WITH_EVIDENCE]]
    return {
        **{key: entry[key] for key in ("size", "agreement", "accuracy", "coverage")},
        "intervals": entry["intervals"],
        "method": half.method,
        "default": half.rules.classes[half.rules.default],
        "word_threshold": options.word_threshold,
        "max_length": options.max_length,
        "min_count": options.min_count,
        "phrases": len(half.phrases),
        "list": listed,
        "evidence": [_evidence_entry(evidence[int(k)], half) for k in most],
    }


def phrase_model_entry(half: RulesHalf) -> dict[str, Any] | None:
    """The phrase model, and the phrases whose words say together what they do not say alone."""
    model, phrases = half.phrase_model, half.phrases
    judged: Any = fidelity_entry(half.named(f"phrase model ({half.method})"))
    if model is None or phrases is None or judged is None:
        return None
    count = dict(zip(phrases.words, phrases.counts.tolist(), strict=True))
    # Of a text that is the phrase and nothing else, the model gives the phrase with its parts.
    whole = model.logits([list(words) for words in model.phrases]) - model.bias
    label = whole.argmax(axis=1)
    rows = np.arange(model.size)
    own, together = model.weights[rows, label], whole[rows, label]
    times = np.array([count.get(words, 0) for words in model.phrases])
    several = np.array([_says(words) > 1 for words in model.phrases], dtype=bool)
    # What a phrase is worth over all its occurrences, rare ones held back: their weight is a guess.
    order = np.argsort(-np.abs(model.weights).max(axis=1) * np.sqrt(times), kind="stable")
    shown = order[several[order]][:TELLING].tolist()
    return {
        **{key: judged[key] for key in ("name", "size", "agreement", "accuracy", "coverage")},
        "intervals": judged["intervals"],
        "of_several_words": int(several.sum()),
        "list": [
            {
                "phrase": list(model.phrases[k]),
                "class": model.classes[label[k]],
                "weight": float(own[k]),
                "parts": float(together[k] - own[k]),
                "together": float(together[k]),
                "count": int(times[k]),
            }
            for k in shown
        ],
    }


def fidelity_entry(fidelity: Fidelity | None) -> dict[str, Any] | None:
    """One description as plain numbers with intervals apart."""
    if fidelity is None:
        return None
    found: dict[str, Estimate | None] = {name: getattr(fidelity, name) for name in JUDGED}
    return {
        "name": fidelity.name,
        **{name: None if e is None else e.value for name, e in found.items()},
        "coverage": fidelity.coverage,
        "size": fidelity.size,
        "intervals": {name: _interval(e) for name, e in found.items()},
    }


def _evidence_entry(found: RuleEvidence, half: RulesHalf) -> dict[str, Any]:
    rules: Any = half.rules
    accuracy = found.accuracy
    against = found.counterexamples[0] if found.counterexamples else None
    return {
        "rank": found.rank,
        "phrase": list(rules.rules[found.rank].words),
        "class": found.class_name,
        "importance": found.importance,
        "occurs": found.occurs,
        "decides": found.decides,
        "agreement": found.agreement.value,
        "accuracy": None if accuracy is None else accuracy.value,
        "intervals": {
            "agreement": _interval(found.agreement),
            "accuracy": _interval(accuracy),
        },
        "counterexample": None
        if against is None
        else {
            "document": against.document,
            "position": against.position,
            "excerpt": against.excerpt,
            "network": against.network,
            "confidence": against.confidence,
            "label": against.label,
        },
    }


def _says(words: tuple[str, ...]) -> int:
    """How many of the words are more than punctuation."""
    return sum(any(character.isalnum() for character in word) for word in words)


def _interval(estimate: Estimate | None) -> list[float] | None:
    if estimate is None or not estimate.known:
        return None
    return [estimate.low, estimate.high]
