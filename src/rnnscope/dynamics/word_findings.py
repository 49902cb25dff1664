"""The prediction of a line attractor that is about words: either class pushes its own way."""

from __future__ import annotations

from rnnscope.dynamics.prediction import Prediction, beside, interval_of, judge
from rnnscope.dynamics.separability import Separability
from rnnscope.dynamics.untrained import UntrainedBaseline
from rnnscope.statistics import Estimate


def separability(told: Separability, untrained: UntrainedBaseline | None) -> Prediction:
    """The share of pairs of words that l_1 puts in order."""
    name = "separability"
    if told.auc_null is None:
        return Prediction.unknown(
            name,
            "Words cannot be ordered along the slow mode: it is nowhere real and well defined.",
        )
    return _told_apart(
        name,
        told.auc,
        {"shuffled labels": told.auc_null},
        None if untrained is None else untrained.high("auc"),
        f"Of the pairs of one of {told.positive} positive and one of {told.negative} negative "
        "words, the push along the slow mode puts",
        "in the right order",
    )


def classifier(told: Separability, untrained: UntrainedBaseline | None) -> Prediction:
    """The accuracy of a linear classifier on words left out."""
    return _told_apart(
        "classifier",
        told.accuracy,
        {"shuffled labels": told.accuracy_null},
        None if untrained is None else untrained.high("accuracy"),
        "A linear classifier of the effects of the other words gets",
        "of the words left out right",
    )


def _told_apart(
    name: str,
    estimate: Estimate,
    nulls: dict[str, float],
    untrained: float | None,
    before: str,
    after: str,
) -> Prediction:
    shuffled = next(iter(nulls.values()))
    beyond = ""
    if untrained is not None:
        nulls = {**nulls, "untrained": untrained}
        beyond = f"; untrained networks: 95 % below {untrained:.0%}"
    return Prediction(
        name=name,
        value=estimate.value,
        null=max(nulls.values()),
        sentence=f"{before} {estimate.value:.0%}{beside(estimate, '.0%')} {after} "
        f"(labels shuffled: 95 % below {shuffled:.0%}{beyond}).",
        finding=judge(estimate, nulls, built=False),
        interval=interval_of(estimate),
        nulls=nulls,
    )
