"""Faithfulness by deletion (DeYoung et al. 2020, ERASER).

comprehensiveness_k = p(x)_j - p(x without its top k% words)_j
sufficiency_k       = p(x)_j - p(the top k% words alone)_j
AOPC                = their mean over the levels k

with j the network's class of x. High comprehensiveness and low sufficiency: the words that the
score names carry the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
import torch

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.fidelity.documents import encoded_documents, towards
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.scores import WordScores
from rnnscope.statistics import Estimate, finite, mean

Removal = Literal["delete", "unknown", "zero"]
REMOVALS: tuple[Removal, ...] = ("delete", "unknown", "zero")

LEVELS = (1, 5, 10, 20, 50)
"""Per cent of a document's words, DeYoung et al.'s."""


@dataclass(frozen=True, kw_only=True)
class DeletionLevel:
    """What the top ``percent`` of the words are worth.

    Args:
        percent: k, the share of each document's words, at least one word.
        comprehensiveness, sufficiency: drop of the probability without them, and with them alone.
        random_comprehensiveness, random_sufficiency: the same for words chosen at random.
        comprehensiveness_gain, sufficiency_gain: by how much the score's words beat random ones,
            document by document; both are above 0 where the score says something.
    """

    percent: float
    comprehensiveness: Estimate
    sufficiency: Estimate
    random_comprehensiveness: Estimate
    random_sufficiency: Estimate
    comprehensiveness_gain: Estimate
    sufficiency_gain: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class Deletion(ShowsItself):
    """A score tested by taking words away. Intervals are bootstraps over documents.

    Args:
        method: the score.
        removal: how words were taken away.
        levels: by growing share of words.
        aopc: the mean over the levels. (Some count a level of no words too, which adds 0: their
            figure is this one times levels / (levels + 1).)
        drops: (documents, levels, 2), of each document: without the words, with them alone.
        random_drops: the same for random words, averaged over the draws.
        left_out: documents of one word, of which none can be taken.
        sentence: what it says.
    """

    method: str
    removal: Removal
    levels: tuple[DeletionLevel, ...]
    aopc: DeletionLevel
    drops: np.ndarray
    random_drops: np.ndarray
    left_out: int
    sentence: str

    def to_frame(self) -> pl.DataFrame:
        """One row a level, the last for AOPC (percent is null)."""
        rows = [_row(level) for level in (*self.levels, self.aopc)]
        return pl.DataFrame(rows, schema_overrides={"percent": pl.Float64})

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        return {
            "method": self.method,
            "removal": self.removal,
            "levels": [_row(level) for level in self.levels],
            "aopc": _row(self.aopc),
            "documents": len(self.drops),
            "left_out": self.left_out,
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        lines = [f"Deletion({self.method}, {len(self.drops)} documents, {self.removal})"]
        for level in (*self.levels, self.aopc):
            name = "AOPC" if level is self.aopc else f"{level.percent:g} %"
            lines.append(
                f"  {name:>6s}  without them {level.comprehensiveness}  (random "
                f"{level.random_comprehensiveness.value:.3f})  with them alone "
                f"{level.sufficiency}  (random {level.random_sufficiency.value:.3f})"
            )
        return "\n".join([*lines, f"  {self.sentence}"])


def deletion(
    model: Model,
    scores: WordScores,
    *,
    documents: Iterable[Any] | None = None,
    levels: Sequence[float] = LEVELS,
    removal: Removal = "delete",
    draws: int = 1,
    seed: int = 0,
) -> Deletion:
    """Take away the words that a score names, and keep them alone; see what the network says.

    Words are ranked by how much they speak for the network's class against the others. Equal
    scores are ranked at random, so that a constant score does as well as chance and no better.

    Args:
        model: the network.
        scores: its word scores.
        documents: what was scored, for a network that reads vectors.
        levels: per cent of a document's words, rounded up to whole words.
        removal: "delete" closes the gap; "unknown" puts the unknown word there, "zero" a vector
            of zeros. None is natural text: the network may never have read such documents, which
            is why random words are taken away beside.
        draws: random orders to average over.
        seed: of the random orders.

    Raises:
        UsageError: no such removal, levels outside (0, 100), scores of another network.
        NotApplicable: "unknown" and the network has no unknown word.
        DataError: scores that are not finite, or no document of two words or more.
    """
    if removal not in REMOVALS:
        raise UsageError(
            "A removal must be known.", expected=" or ".join(map(repr, REMOVALS)), got=repr(removal)
        )
    levels = np.sort(np.asarray(levels, dtype=float)).tolist() if np.ndim(levels) == 1 else []
    if not levels or not all(0 < level < 100 for level in levels) or draws < 1:
        raise UsageError(
            "Levels are per cent of a document's words, and draws are one or more.",
            expected="a list of numbers between 0 and 100; draws >= 1",
            got=f"levels={levels}, draws={draws}",
        )
    encoded = encoded_documents(model, scores, documents)
    usable = [k for k, document in enumerate(encoded) if len(document) > 1]
    if not usable:
        raise DataError(
            "Words can be taken from a document of two words or more.",
            got=f"{len(encoded)} documents of one word",
        )
    labels = scores.predictions
    own = torch.softmax(scores.logits, dim=-1).cpu().numpy()[usable, labels[usable]]
    chosen = towards(scores, labels)
    texts, labels = [encoded[k] for k in usable], labels[usable]
    run = _Variants(model, removal, labels)
    rng = np.random.default_rng(seed)
    ranked = [_ranking(chosen[k], rng) for k in usable]
    drops = own[:, None, None] - run.probabilities(texts, ranked, levels)
    random_drops = np.zeros_like(drops)
    for _ in range(draws):
        shuffled = [rng.permutation(len(text)) for text in texts]
        random_drops += (own[:, None, None] - run.probabilities(texts, shuffled, levels)) / draws
    aopc = _level(float("nan"), drops.mean(axis=1), random_drops.mean(axis=1))
    return Deletion(
        method=scores.method,
        removal=removal,
        levels=tuple(
            _level(float(level), drops[:, k], random_drops[:, k]) for k, level in enumerate(levels)
        ),
        aopc=aopc,
        drops=drops,
        random_drops=random_drops,
        left_out=len(encoded) - len(usable),
        sentence=_sentence(aopc, len(usable)),
    )


class _Variants:
    """Runs documents with words taken away, a whole corpus at a time."""

    def __init__(self, model: Model, removal: Removal, labels: np.ndarray) -> None:
        self.model, self.removal, self.labels = model, removal, labels
        self.blank: int | None = None
        if removal == "unknown":
            vocabulary = model.vocabulary
            if vocabulary is None or vocabulary.unknown is None:
                raise NotApplicable(
                    "This network has no unknown word to put in a word's place.",
                    expected="a vocabulary with an unknown word",
                    got="none",
                    fix="use removal='delete' or 'zero'",
                )
            self.blank = vocabulary.index(vocabulary.unknown)
        elif removal == "zero" and model.embedding is not None:
            zero = torch.zeros_like(model.embedding[:1])
            rows = torch.cat([model.embedding, zero])
            self.blank = len(model.embedding)
            self.model = replace(model, embedding=rows, vocabulary=None)

    def probabilities(
        self, texts: list[np.ndarray], ranked: list[np.ndarray], levels: Sequence[float]
    ) -> np.ndarray:
        """(documents, levels, 2), of each document's own class: without the words ranked first,
        with them alone."""
        found = np.empty((len(texts), len(levels), 2))
        everyone = np.arange(len(texts))
        for k, level in enumerate(levels):
            gone, alone = [], []
            for text, order in zip(texts, ranked, strict=True):
                top = np.zeros(len(text), dtype=bool)
                top[order[: _how_many(level, len(text))]] = True
                gone.append(self._without(text, top))
                alone.append(self._without(text, ~top))
            for side, variants in enumerate((gone, alone)):
                given = self.model.probabilities(variants).cpu().numpy()
                found[:, k, side] = given[everyone, self.labels]
        return found

    def _without(self, text: np.ndarray, words: np.ndarray) -> np.ndarray:
        if self.removal == "delete":
            return text[~words]
        changed = np.array(text)
        changed[words] = 0 if self.blank is None else self.blank
        return changed


def _how_many(level: float, words: int) -> int:
    # Guarded against rounding: 20 % of 10 words are 2, not 3.
    return min(words - 1, int(np.ceil(level * words / 100 - 1e-9)))


def _ranking(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions by falling score, equal scores in random order."""
    return np.lexsort((rng.random(len(scores)), -scores))


def _level(percent: float, drops: np.ndarray, random: np.ndarray) -> DeletionLevel:
    """From (documents, 2) drops: without the words, with them alone."""
    return DeletionLevel(
        percent=percent,
        comprehensiveness=mean(drops[:, 0]),
        sufficiency=mean(drops[:, 1]),
        random_comprehensiveness=mean(random[:, 0]),
        random_sufficiency=mean(random[:, 1]),
        comprehensiveness_gain=mean(drops[:, 0] - random[:, 0]),
        sufficiency_gain=mean(random[:, 1] - drops[:, 1]),
    )


def _sentence(aopc: DeletionLevel, count: int) -> str:
    if count < 2:
        return "One document gives no interval, so nothing can be said of others."
    gains = (aopc.comprehensiveness_gain, aopc.sufficiency_gain)
    if all(gain.low > 0 for gain in gains):
        return "The words that the score names carry the decision more than random words do."
    if all(gain.high < 0 for gain in gains):
        return "The words that the score names carry the decision less than random words do."
    if all(gain.low <= 0 <= gain.high for gain in gains):
        return "The words that the score names cannot be told from random words."
    return "Taking the words away and keeping them alone do not tell the same; see both."


def _row(level: DeletionLevel) -> dict[str, Any]:
    row: dict[str, Any] = {"percent": finite(level.percent)}
    for name in DeletionLevel.__dataclass_fields__:
        if name != "percent":
            estimate: Estimate = getattr(level, name)
            row |= {name: finite(estimate.value), f"{name}_low": finite(estimate.low)}
            row[f"{name}_high"] = finite(estimate.high)
    return row
