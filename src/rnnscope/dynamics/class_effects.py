"""What classes of words do at each point: their mean effects and their pushes along a mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.dynamics.input_effects import (
    WordProjections,
    instantaneous_effects,
    word_projections,
)
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.word_classes import WordClasses
from rnnscope.errors import DataError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.statistics import Estimate, correlation

LEAST = 3
"""Words below which no correlation is measured."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassEffects(ShowsItself):
    """The effects of classes of words, for each class by its name.

    Attributes:
        words: the words of the class that the model knows.
        projections: each word's push along the mode at each point, (points, words).
        by_point: their mean over words at each point, (points,).
        mean: their mean over points.
        spread: the standard deviation of that mean over points.
        spread_over_words: the standard deviation over words of their means over points.
        effects: the mean ``J_inp (x - x*)`` at every point, (P, N).
        points: rows of the modes where the mode is real, (points,).
    """

    words: dict[str, tuple[str, ...]]
    projections: dict[str, Tensor]
    by_point: dict[str, Tensor]
    mean: dict[str, float]
    spread: dict[str, float]
    spread_over_words: dict[str, float]
    effects: dict[str, Tensor]
    points: Tensor

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            name: {
                "words": len(words),
                "mean": self.mean[name],
                "spread": self.spread[name],
                "spread_over_words": self.spread_over_words[name],
            }
            for name, words in self.words.items()
        }

    def __repr__(self) -> str:
        told = ", ".join(
            f"{name} {self.mean[name]:+.3g} ± {self.spread[name]:.2g}" for name in self.words
        )
        return f"ClassEffects at {len(self.points)} points: {told}"


def class_effects(
    model: Model, modes: Modes, classes: WordClasses, *, mode: int = 0
) -> ClassEffects:
    """The effects of positive, negative and neutral words at each point.

    Args:
        model, modes: the network and its linearization.
        classes: the words; those the model does not know are left out, and a class none of whose
            words it knows with them.
        mode: the mode that pushes are along.

    Raises:
        NotApplicable: the model has no embedding, or the mode is nowhere real.
        DataError: the model knows none of the words.

    Source:
        Maheswaranathan et al. 2019, figure 4
    """
    classes = known_to(model, classes)
    named = {name: words for name, words in classes.named.items() if words}
    if not named:
        raise DataError(
            "The effects of words are those of words the model knows.",
            expected="a word of its vocabulary",
            got="none",
        )
    found = {name: word_projections(model, modes, w, mode=mode) for name, w in named.items()}
    pushes = {name: one.projections for name, one in found.items()}
    return ClassEffects(
        words=named,
        projections=pushes,
        by_point={name: p.mean(1) for name, p in pushes.items()},
        mean={name: float(p.mean()) for name, p in pushes.items()},
        spread={name: float(p.mean(1).std(correction=0)) for name, p in pushes.items()},
        spread_over_words={name: float(p.mean(0).std(correction=0)) for name, p in pushes.items()},
        effects={n: instantaneous_effects(model, modes, w).mean(1) for n, w in named.items()},
        points=next(iter(found.values())).points,
    )


def known_to(model: Model, classes: WordClasses) -> WordClasses:
    """The classes facing the model's own, without words it does not know."""
    classes = classes.facing(model)
    return classes if model.vocabulary is None else classes.within(model.vocabulary)


@dataclass(frozen=True, kw_only=True, eq=False)
class LexiconAgreement(ShowsItself):
    """Words' pushes along a mode against a lexicon's valences.

    Attributes:
        words: those that both know, n of them.
        push, valence: (n,).
        pearson, spearman: their correlations, with intervals over words.
        null_high: 95 % quantile of Pearson's for valences shuffled over the words.
    """

    words: tuple[str, ...]
    push: Tensor
    valence: Tensor
    pearson: Estimate
    spearman: Estimate
    null_high: float

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "words": len(self.words),
            "pearson": self.pearson.to_dict(),
            "spearman": self.spearman.to_dict(),
            "null_95": self.null_high,
        }

    def __repr__(self) -> str:
        return (
            f"LexiconAgreement on {len(self.words)} words: {self.pearson:.2f} (shuffled: 95 % "
            f"below {self.null_high:.2f}), by ranks {self.spearman:.2f}"
        )


def lexicon_agreement(
    pushes: WordProjections, valences: Mapping[str, float], *, shuffles: int = 1000, rng: int = 0
) -> LexiconAgreement:
    """How far words push as people rate them.

    Args:
        pushes: what ``word_projections`` gave.
        valences: a number for each word.
        shuffles: of the null.
        rng: seed of intervals and null.

    Raises:
        DataError: fewer than 3 words in common, or valences that are not finite or all alike.
    """
    common = [k for k, word in enumerate(pushes.words) if word in valences]
    values = np.array([float(valences[pushes.words[k]]) for k in common])
    if len(common) < LEAST or not np.isfinite(values).all() or np.ptp(values) == 0:
        raise DataError(
            "Pushes are compared with valences on words that both know.",
            expected=f"{LEAST} or more words whose valences are finite and differ",
            got=f"{len(common)} words in common",
        )
    push = pushes.mean[common].numpy()
    generator = np.random.default_rng(rng)
    orders = np.stack([generator.permutation(len(values)) for _ in range(shuffles)])
    shuffled = _standard(values)[orders] @ _standard(push) / len(values)
    return LexiconAgreement(
        words=tuple(pushes.words[k] for k in common),
        push=torch.from_numpy(push),
        valence=torch.from_numpy(values),
        pearson=correlation(push, values, seed=rng),
        spearman=correlation(push, values, seed=rng, rank=True),
        null_high=float(np.quantile(shuffled, 0.95)),
    )


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)
