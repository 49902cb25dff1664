"""Whether a network's points tell positive from negative words, on words nothing was fitted to.

Two hundred words in a hundred dimensions are linearly separable under almost any labels, so that
they are is no finding. Measured instead, at each point, are

along l_1     the share of pairs of a positive and a negative word that ``l_1^T J_inp x`` puts in
              the right order (the area under its curve): l_1 was found without words, so all words
              are held out
classifier    the accuracy of a linear classifier of ``J_inp x`` on words left out of its fit

each against the same figure for labels shuffled over the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from rnnscope.dynamics.class_effects import known_to
from rnnscope.dynamics.input_effects import projected, word_inputs
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.resampling import between, resamples
from rnnscope.dynamics.word_classes import WordClasses
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.statistics import Estimate, wilson

MOST_ALONG, MOST_FITTED = 64, 16
"""Points at which words are ordered, and at which classifiers are fitted, spread over all."""

RIDGE = 0.1
"""The classifier's penalty, in units of the mean squared length of the effects it is fitted to."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Separability(ShowsItself):
    """How well the effects of positive and negative words are told apart.

    Attributes:
        positive, negative: how many words.
        auc_by_point: the share of pairs in the right order along l_1, at each point where the slow
            mode is real, (points,).
        auc: their median, with an interval over words; unknown where it is nowhere real.
        auc_null: 95 % quantile of the median for shuffled labels.
        accuracy_by_point: the classifier's accuracy on words left out, (points,).
        accuracy: their mean, with an interval over words.
        accuracy_null: 95 % quantile for shuffled labels.
    """

    positive: int
    negative: int
    auc_by_point: Tensor
    auc: Estimate
    auc_null: float | None
    accuracy_by_point: Tensor
    accuracy: Estimate
    accuracy_null: float

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "positive": self.positive,
            "negative": self.negative,
            "auc": self.auc.to_dict(),
            "auc_null": self.auc_null,
            "accuracy": self.accuracy.to_dict(),
            "accuracy_null": self.accuracy_null,
        }

    def __repr__(self) -> str:
        return (
            f"Separability of {self.positive} positive and {self.negative} negative words: "
            f"AUC along l_1 {self.auc:.2f}, accuracy {self.accuracy:.2f}"
        )


def word_separability(
    model: Model,
    modes: Modes,
    classes: WordClasses,
    *,
    folds: int = 5,
    shuffles: int = 200,
    draws: int = 200,
    rng: int = 0,
) -> Separability:
    """How well the network tells positive from negative words.

    Args:
        model, modes: the network and its linearization.
        classes: the words, classed by something else than the network. Where no readout fixes the
            sign of the slow mode, the better of both signs counts, also of shuffled labels.
        folds: parts of the words, each left out once.
        shuffles: of the labels, for the nulls.
        draws: of the words, for the intervals.
        rng: seed.

    Raises:
        NotApplicable: the model has no embedding.
        DataError: fewer words of a class than folds.
        UsageError: fewer than 2 folds.
    """
    classes = known_to(model, classes)
    positive, negative = len(classes.positive), len(classes.negative)
    if folds < 2:
        raise UsageError("Words are left out in two folds or more.", got=f"folds={folds}")
    if min(positive, negative) < folds:
        raise DataError(
            "Words are told apart where there are some of both classes.",
            expected=f"{folds} or more positive and negative words that the model knows",
            got=f"{positive} positive, {negative} negative",
            fix="give classes of more words, or fewer folds",
        )
    _, x = word_inputs(model, modes, [*classes.positive, *classes.negative])
    labels = np.array([1] * positive + [0] * negative)
    generator = np.random.default_rng(rng)
    fold = _folds(labels, folds, generator)
    shuffled = np.stack([_within(labels, fold, generator) for _ in range(shuffles)])
    auc_by_point, auc, auc_null = _along(modes, x, labels, shuffled, draws, rng)
    effects = (x @ modes.J_inp[k].mT for k in _spread(len(modes), MOST_FITTED))
    right = np.stack([_left_out(X, labels, shuffled, fold) for X in effects])
    # right: (points, 1 + shuffles, words)
    accuracy = right[:, 0].mean()
    by_word = right[:, 0].mean(0)
    drawn = by_word[_by_class(labels, draws, rng)].mean(1)
    # Where all words are right there is no spread to draw from.
    low, high = (float(v) for v in wilson(by_word.sum(), len(labels)))
    estimate = between(float(accuracy), drawn, len(labels))
    return Separability(
        positive=positive,
        negative=negative,
        auc_by_point=torch.from_numpy(auc_by_point),
        auc=auc,
        auc_null=auc_null,
        accuracy_by_point=torch.from_numpy(right[:, 0].mean(-1)),
        accuracy=Estimate(
            value=estimate.value,
            low=min(low, estimate.low),
            high=max(high, estimate.high),
            count=estimate.count,
        ),
        accuracy_null=float(np.quantile(right[:, 1:].mean((0, 2)), 0.95)),
    )


def pair_order(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The share of pairs of a 1 and a 0 that values put in order, a tie counting half.

    Args:
        values: (..., V).
        labels: 0 and 1, (L, V) or (V,).

    Returns:
        (L, ...), or (...) for one row of labels.
    """
    ranks = rankdata(values, axis=-1)
    ones = labels.sum(-1)
    zeros = labels.shape[-1] - ones
    total = np.moveaxis(ranks @ labels.T, -1, 0) if labels.ndim > 1 else ranks @ labels
    if labels.ndim > 1:
        ones, zeros = (n.reshape(-1, *[1] * (total.ndim - 1)) for n in (ones, zeros))
    return (total - ones * (ones + 1) / 2) / (ones * zeros)


def _along(
    modes: Modes, x: Tensor, labels: np.ndarray, shuffled: np.ndarray, draws: int, rng: int
) -> tuple[np.ndarray, Estimate, float | None]:
    """Pairs in order along l_1: at each point, over all, and for shuffled labels."""
    points = modes.simple_points
    if not len(points):
        return np.empty(0), Estimate.unknown(len(labels)), None
    points = points[_spread(len(points), MOST_ALONG)]
    pushes = projected(modes, points, x).numpy()
    either = modes.readout is None

    def median(shares: np.ndarray) -> np.ndarray:
        middle = np.median(shares, axis=-1)
        return np.maximum(middle, 1 - middle) if either else middle

    by_point = pair_order(pushes, labels)
    null = median(pair_order(pushes, shuffled))
    rows = _by_class(labels, draws, rng)
    ordered = labels[rows[0]]
    drawn = np.array([float(median(pair_order(pushes[:, row], ordered))) for row in rows])
    value = float(median(by_point))
    found = between(value, drawn, len(labels))
    least = int(min(labels.sum(), (1 - labels).sum()))
    low = found.low if value < 1 else float(wilson(least, least)[0])
    estimate = Estimate(value=value, low=low, high=found.high, count=found.count)
    return by_point, estimate, float(np.quantile(null, 0.95))


def _spread(count: int, most: int) -> list[int]:
    """At most so many rows, evenly over all."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most)).round()})


def _folds(labels: np.ndarray, folds: int, generator: np.random.Generator) -> np.ndarray:
    """The fold of each word, every class spread over all."""
    fold = np.empty(len(labels), dtype=int)
    for label in (0, 1):
        rows = generator.permutation(np.flatnonzero(labels == label))
        fold[rows] = np.arange(len(rows)) % folds
    return fold


def _within(labels: np.ndarray, fold: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Labels shuffled inside each fold: a fold short of a class would be guessed from the rest."""
    shuffled = labels.copy()
    for k in np.unique(fold):
        rows = np.flatnonzero(fold == k)
        shuffled[rows] = generator.permutation(labels[rows])
    return shuffled


def _by_class(labels: np.ndarray, draws: int, rng: int) -> np.ndarray:
    """Bootstrap rows that keep the number of words of each class, (draws, V)."""
    parts = []
    for label in (1, 0):
        rows = np.flatnonzero(labels == label)
        parts.append(rows[resamples(len(rows), draws, rng=rng + label)])
    return np.concatenate(parts, axis=1)


def _left_out(X: Tensor, labels: np.ndarray, shuffled: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Which words a ridge classifier gets right when left out, for the labels and each shuffle.

    Args:
        X: effects, (V, N).

    Returns:
        1, 0, or 1/2 where it cannot say, (1 + shuffles, V).
    """
    wanted = 2.0 * np.concatenate([labels[None], shuffled]).T - 1
    features = X.numpy()
    right = np.empty(wanted.shape)
    for k in np.unique(fold):
        out = fold == k
        known, asked = features[~out], features[out]
        center = known.mean(0)
        known, asked = known - center, asked - center
        gram = known @ known.T
        penalty = RIDGE * float(np.trace(gram)) / len(gram)
        answers = wanted[~out]
        offset = answers.mean(0)
        if penalty > 0:
            gram.flat[:: len(gram) + 1] += penalty
            said = asked @ (known.T @ np.linalg.solve(gram, answers - offset)) + offset
        else:
            said = np.zeros((int(out.sum()), wanted.shape[1]))
        right[out] = (1 + np.sign(said * wanted[out])) / 2
    return right.T
