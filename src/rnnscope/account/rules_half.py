"""The first half of an account: scores -> phrases -> rules -> fidelity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from rnnscope.account.attempt import attempt
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.parts import Parts
from rnnscope.errors import DataError, NotApplicable
from rnnscope.fidelity import Fidelity, Majority, compare, judge
from rnnscope.fidelity.judge import Description
from rnnscope.models import Model
from rnnscope.phrases import Phrases, mine_phrases
from rnnscope.phrases.examples import with_examples
from rnnscope.rules import PhraseModel, RuleList
from rnnscope.scores import CellDifference, WordScores, beta_and_gamma
from rnnscope.statistics import Estimate, share

SHORT_LIST = 1000
"""Rules at most in the pruned list that is judged beside the whole one."""

WEIGHED = 3000
"""Phrases at most in the phrase model."""

Keep = Callable[[str, Callable[[], Any]], Any]
"""Gives a part by name, made only where it was not kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RulesHalf:
    """What decides, word by word and rule by rule.

    Args:
        predictions: the network's class of each judged document.
        probabilities: (judged documents, classes).
        mined_predictions: the network's class of each document that rules are mined from.
        accuracy: on the judged documents; None without labels.
        scores: the judged documents' word scores, by method.
        method: the one the rules were mined from; "" when none applies.
        phrases, rules: mined by that method; None where they do not apply.
        phrase_model: its phrases, their weights refitted; None where that does not apply.
        fidelity: every description, judged alike.
        left_out: what does not apply, and why.
    """

    predictions: np.ndarray
    probabilities: torch.Tensor
    mined_predictions: np.ndarray
    accuracy: Estimate | None
    scores: dict[str, WordScores]
    method: str
    phrases: Phrases | None
    rules: RuleList | None
    phrase_model: PhraseModel | None
    fidelity: tuple[Fidelity, ...]
    left_out: dict[str, str]

    def named(self, name: str) -> Fidelity | None:
        """How one description was judged."""
        return next((f for f in self.fidelity if f.name == name), None)


def explain_rules(
    model: Model,
    material: Material,
    options: ExplainOptions,
    say: Callable[[str], None],
    parts: Parts,
) -> RulesHalf:
    """Score, mine and judge. What does not apply is named and the rest is done.

    Raises:
        NotApplicable: the network has no classifier.
    """
    model.require_readout()
    left_out: dict[str, str] = {}

    keep: Keep = partial(parts.keep, left_out=left_out)
    say("running the network on the held-out text")
    probabilities = keep("probabilities", lambda: model.probabilities(material.judged).cpu())
    predictions = probabilities.argmax(dim=-1).numpy()
    labels = material.labels
    if labels is None:
        left_out["accuracy"] = "The corpus has no labels, so nothing can be said of accuracy."

    say("scoring words")
    judged_scores = _score(model, material.judged, left_out)
    mined_scores = _score(model, material.mined, left_out)
    _compute(judged_scores, "scores of the judged text", keep)
    _compute(mined_scores, "scores of the mined text", keep)
    say("mining phrases")
    mined = _mine(mined_scores, options, left_out, keep)
    network = next((s.predictions for s in mined_scores.values()), None)
    if network is None:
        network = keep("predictions", lambda: model.predict(material.mined))
    words = as_words(material.mined)
    chosen = _choose(options.method, mined, words, network)
    if not mined and "rules" not in left_out:
        left_out["rules"] = "No word score applies to this network."
    if mined and not chosen:
        left_out["rules"] = left_out.get(options.method, "The score asked for does not apply.")

    descriptions: dict[str, Description] = {}
    for name in sorted(mined, key=lambda name: name != chosen):
        rules = mined[name][1]
        descriptions[f"rules ({name})"] = rules
        if rules.size > SHORT_LIST:
            say(f"pruning rules ({name})")
            pruned = partial(rules.pruned, words, network, max_rules=SHORT_LIST)
            descriptions[f"pruned rules ({name})"] = keep(f"pruned rules of {name}", pruned)
    phrase_model = None
    if chosen:
        say("weighing phrases")
        phrases = mined[chosen][0]
        try:
            logits = mined_scores[chosen].logits.cpu().numpy()
            weighed = partial(PhraseModel.fit, phrases, words, logits, max_phrases=WEIGHED)
            phrase_model = keep("phrase model", weighed)
            descriptions[f"phrase model ({chosen})"] = phrase_model
        except DataError as error:
            left_out["phrase model"] = str(error)
        descriptions[f"phrases summed ({chosen})"] = PhraseModel.summed(
            phrases, bias=model.require_readout().bias.cpu().double().numpy()
        )
    say("judging")
    fitted_on = words, network

    def judging() -> tuple[Fidelity, ...]:
        return _judge(
            descriptions, material, predictions, probabilities, fitted_on, left_out, model
        )

    return RulesHalf(
        predictions=predictions,
        probabilities=probabilities,
        mined_predictions=network,
        accuracy=None if labels is None else share(predictions == labels),
        scores=judged_scores,
        method=chosen,
        phrases=mined[chosen][0] if chosen else None,
        rules=mined[chosen][1] if chosen else None,
        phrase_model=phrase_model,
        fidelity=keep("fidelity", judging),
        left_out=left_out,
    )


def _score(
    model: Model, documents: Sequence[Any], left_out: dict[str, str]
) -> dict[str, WordScores]:
    """The word scores that apply, by name."""
    both = attempt(left_out, "gamma", lambda: beta_and_gamma(model, documents))
    if both is not None:
        return {"gamma": both[1], "beta": both[0]}
    beta = attempt(left_out, "beta", lambda: CellDifference(model).score(documents))
    return {} if beta is None else {"beta": beta}


def _compute(scores: dict[str, WordScores], name: str, keep: Keep) -> None:
    """Have the scores, which are computed when they are first looked at."""

    def arrays() -> dict[str, tuple[torch.Tensor, ...]]:
        return {method: held.arrays for method, held in scores.items()}

    for method, known in keep(name, arrays).items():
        scores[method].take(*known)


def _mine(
    scores: dict[str, WordScores], options: ExplainOptions, left_out: dict[str, str], keep: Keep
) -> dict[str, tuple[Phrases, RuleList]]:
    mined: dict[str, tuple[Phrases, RuleList]] = {}
    for name, held in scores.items():
        mining = partial(
            mine_phrases,
            held,
            word_threshold=options.word_threshold,
            max_length=options.max_length,
            min_count=options.min_count,
        )
        try:
            found = keep(f"phrases by {name}", lambda mining=mining: replace(mining(), find=None))
            phrases = with_examples(found, held)
            mined[name] = phrases, RuleList.from_phrases(phrases, max_rules=options.max_rules)
        except NotApplicable as error:
            left_out["rules"] = str(error)
    return mined


def _judge(
    descriptions: dict[str, Description],
    material: Material,
    predictions: np.ndarray,
    probabilities: torch.Tensor,
    fitted_on: tuple[list[list[str]], np.ndarray],
    left_out: dict[str, str],
    model: Model,
) -> tuple[Fidelity, ...]:
    """Every description beside the baselines: where there are no words, the majority alone."""
    alike: dict[str, Any] = {
        "network": predictions,
        "labels": material.labels,
        "probabilities": probabilities.numpy(),
    }
    documents = as_words(material.judged)
    if model.embedding is not None:
        found = compare(descriptions, documents, fitted_on=fitted_on, **alike)
        left_out |= found.left_out
        return found.rows
    left_out["bag of words"] = "The network reads vectors, not words."
    majority = Majority.fit(*fitted_on)
    return (judge(majority.name, majority, documents, **alike),)


def _choose(
    wanted: str,
    mined: dict[str, tuple[Phrases, RuleList]],
    words: list[list[str]],
    network: np.ndarray,
) -> str:
    """The method asked for, or the one whose rules agree best with the network on the text they
    were mined from; the judged text takes no part."""
    if wanted != "auto" or not mined:
        return wanted if wanted in mined else ""
    agreement = {name: (r.predict(words) == network).mean() for name, (_, r) in mined.items()}
    return max(agreement, key=lambda name: agreement[name])


def as_words(documents: Sequence[Any]) -> list[list[str]]:
    """Documents as words; an index stands for itself where a network has no vocabulary."""
    return [[str(word) for word in document] for document in documents]
