"""The first half of an account: scores -> phrases -> rules -> fidelity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.errors import NotApplicable
from rnnscope.fidelity import BagOfWords, Fidelity, Majority, judge
from rnnscope.models import Model
from rnnscope.phrases import Phrases, mine_phrases
from rnnscope.rules import RuleList
from rnnscope.scores import CellDecomposition, CellDifference, Score, WordScores
from rnnscope.statistics import Estimate, share

METHODS: dict[str, Callable[[Model], Score]] = {
    "gamma": CellDecomposition,
    "beta": CellDifference,
}

SHORT_LIST = 1000
"""Rules in the shorter list that is judged beside the whole one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RulesHalf:
    """What decides, word by word and rule by rule.

    Args:
        predictions: the network's class of each judged document.
        probabilities: (judged documents, classes).
        accuracy: on the judged documents; None without labels.
        scores: the judged documents' word scores, by method.
        method: the one the rules were mined from; "" when none applies.
        phrases, rules: mined by that method; None where they do not apply.
        fidelity: every description, judged alike.
        left_out: what does not apply, and why.
    """

    predictions: np.ndarray
    probabilities: torch.Tensor
    accuracy: Estimate | None
    scores: dict[str, WordScores]
    method: str
    phrases: Phrases | None
    rules: RuleList | None
    fidelity: tuple[Fidelity, ...]
    left_out: dict[str, str]

    def named(self, name: str) -> Fidelity | None:
        """How one description was judged."""
        return next((f for f in self.fidelity if f.name == name), None)


def explain_rules(
    model: Model, material: Material, options: ExplainOptions, say: Callable[[str], None]
) -> RulesHalf:
    """Score, mine and judge. What does not apply is named and the rest is done.

    Raises:
        NotApplicable: the network has no classifier.
    """
    model.require_readout()
    left_out: dict[str, str] = {}
    say("running the network on the held-out text")
    probabilities = model.probabilities(material.judged).cpu()
    predictions = probabilities.argmax(dim=-1).numpy()
    labels = material.labels
    if labels is None:
        left_out["accuracy"] = "The corpus has no labels, so nothing can be said of accuracy."

    judged_scores: dict[str, WordScores] = {}
    mined: dict[str, tuple[Phrases, RuleList]] = {}
    network_on_mined: np.ndarray | None = None
    for name, method in METHODS.items():
        try:
            score = method(model)
            say(f"scoring words ({name})")
            judged_scores[name] = score.score(material.judged)
            scores = score.score(material.mined)
            network_on_mined = scores.predictions
            say(f"mining phrases ({name})")
            phrases = mine_phrases(
                scores,
                word_threshold=options.word_threshold,
                max_length=options.max_length,
                min_count=options.min_count,
            )
            mined[name] = phrases, RuleList.from_phrases(phrases, max_rules=options.max_rules)
        except NotApplicable as error:
            left_out["rules" if name in judged_scores else name] = str(error)

    chosen = _choose(options.method, mined, material, network_on_mined)
    if not mined and "rules" not in left_out:
        left_out["rules"] = "No word score applies to this network."
    if mined and not chosen:
        left_out["rules"] = left_out.get(options.method, "The score asked for does not apply.")

    say("judging")
    fidelity: list[Fidelity] = []
    for name, (phrases, rules) in mined.items():
        fidelity.append(_judge(f"rules ({name})", rules, material, predictions))
        if rules.size > SHORT_LIST:
            short = RuleList.from_phrases(phrases, max_rules=SHORT_LIST)
            title = f"first {SHORT_LIST:,} rules ({name})"
            fidelity.append(_judge(title, short, material, predictions))
    if network_on_mined is None:
        network_on_mined = model.predict(material.mined)
    if model.embedding is not None:
        bag = BagOfWords.fit(as_words(material.mined), network_on_mined)
        if bag is None:
            left_out["bag of words"] = "The network gives one class only on the mined text."
        else:
            fidelity.append(_judge("bag of words", bag, material, predictions))
    else:
        left_out["bag of words"] = "The network reads vectors, not words."
    majority = Majority.fit(material.mined, network_on_mined)
    fidelity.append(_judge("majority class", majority, material, predictions))
    return RulesHalf(
        predictions=predictions,
        probabilities=probabilities,
        accuracy=None if labels is None else share(predictions == labels),
        scores=judged_scores,
        method=chosen,
        phrases=mined[chosen][0] if chosen else None,
        rules=mined[chosen][1] if chosen else None,
        fidelity=tuple(fidelity),
        left_out=left_out,
    )


def _judge(
    name: str,
    description: Any,
    material: Material,
    predictions: np.ndarray,
) -> Fidelity:
    return judge(
        name,
        description,
        as_words(material.judged),
        network=predictions,
        labels=material.labels,
    )


def _choose(
    wanted: str,
    mined: dict[str, tuple[Phrases, RuleList]],
    material: Material,
    network: np.ndarray | None,
) -> str:
    """The method asked for, or the one whose rules agree best with the network on the text they
    were mined from; the judged text takes no part."""
    if wanted != "auto" or network is None or not mined:
        return wanted if wanted in mined else ""
    words = as_words(material.mined)
    agreement = {name: (r.predict(words) == network).mean() for name, (_, r) in mined.items()}
    return max(agreement, key=lambda name: agreement[name])


def as_words(documents: Sequence[Any]) -> list[list[str]]:
    """Documents as words; an index stands for itself where a network has no vocabulary."""
    return [[str(word) for word in document] for document in documents]
