"""What the line-attractor verdict of an account rests on beside the points: words, networks that
have learned nothing, dimensions, and effects of words that can be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.dynamics import (
    ClassEffects,
    DelayedEffects,
    Dimension,
    FixedPoints,
    Manifold,
    Modes,
    UntrainedBaseline,
    WordClasses,
    class_effects,
    delayed_effects,
    estimate_dimension,
    untrained_baseline,
    untrained_networks,
)
from rnnscope.errors import DataError, NotApplicable
from rnnscope.models import Model

READ = 200
"""Documents that untrained networks and changed documents are read on."""

SEEDS = 64
"""States from which fixed points of an untrained network are sought."""

SHOWN = 20
"""Words of each class that are listed."""

LEAST_WORDS = 5
"""Words of a class below which it is not told from the other."""

Attempt = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class LineEvidence:
    """Each part None where it does not apply.

    Args:
        words: positive, negative and neutral words by the labels of the mined text.
        effects: what they do along the slow mode.
        untrained: the same figures for untrained networks.
        delayed: effects of words some steps before the end, by modes and in truth.
        visited, points: dimensions of the visited states and of the points.
    """

    words: WordClasses | None
    effects: ClassEffects | None
    untrained: UntrainedBaseline | None
    delayed: DelayedEffects | None
    visited: Dimension | None
    points: Dimension | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, by the keys of docs/account.md."""

        def summary(part: Any) -> Any:
            return None if part is None else part.summary()

        words = None
        if self.words is not None:
            effects = {} if self.effects is None else self.effects.summary()
            words = {
                "source": self.words.source,
                "classes": {
                    name: {"words": list(listed[:SHOWN]), "count": len(listed)}
                    | {"effect": effects.get(name)}
                    for name, listed in self.words.named.items()
                },
            }
        return {
            "words": words,
            "untrained": summary(self.untrained),
            "delayed": summary(self.delayed),
            "dimension": {"visited": summary(self.visited), "points": summary(self.points)},
        }


def gather_evidence(
    model: Model,
    material: Material,
    visited: Material,
    points: FixedPoints,
    modes: Modes,
    line: Manifold | None,
    options: ExplainOptions,
    attempt: Attempt,
) -> LineEvidence:
    """Measure each part that applies; ``attempt`` notes those that do not.

    Args:
        model, points, modes, line: the network and its dynamics.
        material: labelled text, whose mined part classes the words.
        visited: text whose judged part gave the states.
        options: of the account.
        attempt: runs a part by name, None where it does not apply.
    """
    words = attempt("word classes", lambda: _words(model, material))
    documents = list(visited.judged[:READ])
    along = "slow" if modes.readout is None else "readout"
    return LineEvidence(
        words=words,
        effects=None
        if words is None
        else attempt("word effects", lambda: class_effects(model, modes, words)),
        untrained=attempt(
            "untrained networks",
            lambda: untrained_baseline(
                untrained_networks(model, rng=options.seed),
                documents,
                words=words,
                inputs=options.inputs,
                count=min(SEEDS, options.points),
                rng=options.seed,
            ),
        ),
        delayed=attempt(
            "delayed effects",
            lambda: delayed_effects(model, modes, documents, along=along, rng=options.seed),
        ),
        visited=attempt("dimension", lambda: estimate_dimension(points.seeds, rng=options.seed)),
        points=None
        if line is None
        else attempt(
            "dimension of points", lambda: estimate_dimension(line.states, rng=options.seed)
        ),
    )


def _words(model: Model, material: Material) -> WordClasses:
    corpus = material.corpus
    if corpus is None or model.vocabulary is None or corpus.labels is None:
        raise NotApplicable(
            "Words are positive or negative for a labelled text that the model reads as words."
        )
    try:
        found = WordClasses.of_corpus(corpus, model.vocabulary).facing(model)
    except DataError as error:
        raise NotApplicable(str(error)) from error
    if min(len(found.positive), len(found.negative)) < LEAST_WORDS:
        raise NotApplicable(
            "Words are told apart where there are some of both classes.",
            expected=f"{LEAST_WORDS} or more positive and negative words in the mined text",
            got=f"{len(found.positive)} positive, {len(found.negative)} negative",
        )
    return found
