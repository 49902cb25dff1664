"""Where both halves meet: does what a word scores, what it pushes and what its absence changes
agree, and is one number of the state all that the decision is read from?"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import rankdata
from torch import Tensor

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.parts import Parts
from rnnscope.account.rules_half import RulesHalf
from rnnscope.errors import NotApplicable
from rnnscope.models import Model
from rnnscope.scores import LeaveOneOut, contrast
from rnnscope.statistics import Estimate, correlation, finite, share

LEAST_SEEN = 5
"""Occurrences in the documents run again that a word needs: fewer tell its place, not the word."""

LEAST_WORDS = 10
"""Words below which no correlation is given."""

LISTED = 1000
"""Words listed, the most frequent ones."""

STEPS = 1_500_000
"""Words run again in all, over all documents without one word: a document of T words takes T^2."""

SHUFFLES = 1000
MEASURES = ("score", "push", "effect")


@dataclass(frozen=True, kw_only=True, eq=False)
class WordStories:
    """Three measures of the same words, all of class 1 against class 0.

    Args:
        words: V of them.
        count: occurrences each mean is over, (V,).
        score: mean score of the method that the rules were mined from, (V,).
        push: mean push along the slow mode, over points, (V,).
        effect: mean of what the network's output loses without the word, (V,).
        method: the score's name.
        documents: how many were run again.
        correlations: Spearman's, of each pair of measures, with intervals over words.
        nulls: for each pair the 95 % quantile of that of shuffled words.
    """

    words: tuple[str, ...]
    count: np.ndarray
    score: np.ndarray
    push: np.ndarray
    effect: np.ndarray
    method: str
    documents: int
    correlations: dict[tuple[str, str], Estimate]
    nulls: dict[tuple[str, str], float]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, by the keys of docs/account.md."""
        order = np.argsort(-self.count, kind="stable")[:LISTED]
        columns: dict[str, list[Any]] = {"count": self.count.tolist()}
        for name in MEASURES:
            columns[name] = [float(f"{value:.5g}") for value in getattr(self, name).tolist()]
        return {
            "method": self.method,
            "documents": self.documents,
            "words": len(self.words),
            "correlations": [
                {"of": list(pair), **found.to_dict(), "null_95": self.nulls[pair]}
                for pair, found in self.correlations.items()
            ],
            "list": [
                {"word": self.words[k]}
                | {
                    n: int(v[k]) if n == "count" else float(f"{v[k]:.5g}")
                    for n, v in columns.items()
                }
                for k in order.tolist()
            ],
        }

    def among(self, known: Container[str]) -> WordStories:
        """Some of the words alone; the correlations stay those of all."""
        rows = np.array([k for k, word in enumerate(self.words) if word in known], dtype=int)
        kept = {name: getattr(self, name)[rows] for name in ("count", *MEASURES)}
        return replace(self, words=tuple(self.words[k] for k in rows.tolist()), **kept)

    def telling(self, count: int) -> tuple[list[str], list[str]]:
        """Words that all three measures put on one side, the weightiest first: those of class 0
        and those of class 1. A word weighs what its absence changes, times how often it stands."""
        weight = self.effect * np.sqrt(self.count)
        agreed = (np.sign(self.score) == np.sign(self.push)) & (
            np.sign(self.push) == np.sign(self.effect)
        )
        readable = np.array([word.isalpha() for word in self.words], dtype=bool)
        order = [k for k in np.argsort(weight, kind="stable").tolist() if (agreed & readable)[k]]
        low = [self.words[k] for k in order if weight[k] < 0][:count]
        high = [self.words[k] for k in reversed(order) if weight[k] > 0][:count]
        return low, high


@dataclass(frozen=True, kw_only=True, eq=False)
class Join:
    """Args:
    words: three measures of words; None where they do not apply.
    tally: share of the judged documents whose class the position along the slow mode gives.
    threshold: of that position, chosen on the mined text.
    """

    words: WordStories | None
    tally: Estimate | None
    threshold: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        tally = None
        if self.tally is not None and self.threshold is not None:
            tally = {**self.tally.to_dict(), "threshold": finite(self.threshold)}
        return {"tally": tally, "words": None if self.words is None else self.words.to_dict()}


def join_halves(
    model: Model,
    material: Material,
    rules: RulesHalf,
    dynamics: DynamicsHalf,
    options: ExplainOptions,
    left_out: dict[str, str],
    parts: Parts,
) -> Join:
    """Measure where both halves meet; what does not apply is noted in ``left_out``, what is done
    is kept in ``parts``."""
    tried: Any = partial(parts.attempt, left_out=left_out)
    words = tried("two stories", lambda: _words(model, material, rules, dynamics, options.seed))
    tally = tried("tally", lambda: _tally(model, material, rules, dynamics)) or (None, None)
    return Join(words=words, tally=tally[0], threshold=tally[1])


def _words(
    model: Model, material: Material, rules: RulesHalf, dynamics: DynamicsHalf, seed: int
) -> WordStories:
    pushes, scores = dynamics.pushes, rules.scores.get(rules.method)
    if len(model.classes) != 2:
        raise NotApplicable("A word's score, push and effect are compared where two classes are.")
    if pushes is None or scores is None or model.vocabulary is None:
        raise NotApplicable(
            "A word's score, push and effect are compared where all three are known: for a network "
            "that reads words, has a word score and a real slow mode."
        )
    rows = _within(np.array([len(document) for document in material.judged]), seed)
    effects = LeaveOneOut(model).score([material.judged[row] for row in rows])
    places = {word: k for k, word in enumerate(pushes.words)}
    known = _Means(len(places))
    for effect, row in zip(effects, rows, strict=True):
        ids = np.array([places.get(str(word), -1) for word in scores[row].tokens])
        known.add(ids, contrast(scores[row].values), contrast(effect.values))
    special = [places.get(str(w), -1) for w in (model.vocabulary.unknown, model.vocabulary.padding)]
    kept = np.setdiff1d(np.flatnonzero(known.count >= LEAST_SEEN), special)
    if len(kept) < LEAST_WORDS:
        raise NotApplicable(
            f"A word's score, push and effect are compared on words that stand {LEAST_SEEN} times "
            "or more in the judged text.",
            expected=f"{LEAST_WORDS} such words",
            got=str(len(kept)),
        )
    found = {
        "score": known.mean(0)[kept],
        "push": pushes.mean.numpy()[kept],
        "effect": known.mean(1)[kept],
    }
    pairs = list(combinations(MEASURES, 2))
    return WordStories(
        words=tuple(pushes.words[k] for k in kept.tolist()),
        count=known.count[kept],
        **found,
        method=rules.method,
        documents=len(rows),
        correlations={
            (a, b): correlation(found[a], found[b], rank=True, seed=seed) for a, b in pairs
        },
        nulls={(a, b): _shuffled(found[a], found[b], seed) for a, b in pairs},
    )


class _Means:
    """Means over occurrences of two measures, word by word."""

    def __init__(self, words: int) -> None:
        self.count, self._sums = np.zeros(words, dtype=int), np.zeros((2, words))

    def add(self, ids: np.ndarray, *values: Tensor) -> None:
        known = ids >= 0
        np.add.at(self.count, ids[known], 1)
        for total, value in zip(self._sums, values, strict=True):
            np.add.at(total, ids[known], value.double().cpu().numpy()[known])

    def mean(self, which: int) -> np.ndarray:
        return self._sums[which] / np.maximum(self.count, 1)


def _within(lengths: np.ndarray, seed: int) -> list[int]:
    """Documents of two words or more in a random order, as many as the steps allow."""
    order = np.random.default_rng(seed).permutation(len(lengths))
    order = order[lengths[order] > 1]
    kept = order[np.cumsum(lengths[order].astype(float) ** 2) <= STEPS]
    return sorted((kept if len(kept) else order[:1]).tolist())


def _shuffled(a: np.ndarray, b: np.ndarray, seed: int) -> float:
    """The 95 % quantile of Spearman's correlation of a with b in random order."""
    x, y = (rank - rank.mean() for rank in (rankdata(a), rankdata(b)))
    rng = np.random.default_rng(seed)
    drawn = np.array([x[rng.permutation(len(x))] @ y for _ in range(SHUFFLES)])
    return float(np.quantile(drawn, 0.95) / max(float(np.sqrt((x @ x) * (y @ y))), 1e-300))


def _tally(
    model: Model, material: Material, rules: RulesHalf, dynamics: DynamicsHalf
) -> tuple[Estimate, float]:
    """How often the side of the slow position gives the network's class, and where the sides part:
    the threshold that is best on the mined text."""
    if len(model.classes) != 2 or dynamics.position is None:
        raise NotApplicable(
            "One number gives the class where there are two classes and a line to be on."
        )
    if len(set(rules.predictions.tolist())) < 2:
        raise NotApplicable("The network gives one class only, so no number is needed.")
    x = dynamics.position(model.final_states(material.mined)).numpy()
    y = rules.mined_predictions == 1
    order = np.argsort(x, kind="stable")
    # Agreement of "above the threshold" with class 1 for the threshold below each document.
    right = np.concatenate([[0], np.cumsum(~y[order])]) + y.sum()
    right = right - np.concatenate([[0], np.cumsum(y[order])])
    cut = int(right.argmax())
    ends = np.concatenate([[x[order[0]] - 1], x[order], [x[order[-1]] + 1]])
    threshold = float((ends[cut] + ends[cut + 1]) / 2)
    judged = dynamics.position(model.final_states(material.judged)).numpy()
    return share((judged > threshold) == (rules.predictions == 1)), threshold
