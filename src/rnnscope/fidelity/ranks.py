"""Rank agreement: do a score and the network's answer to a missing word order words alike?

The answer, leave-one-out: e_j = z(x) - z(x without word j), z the logit of the network's class
against the others. Spearman's and Kendall's rank correlation of the two, document by document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from rnnscope.errors import DataError
from rnnscope.fidelity.documents import encoded_documents, towards
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.scores import WordScores, against_others
from rnnscope.statistics import Estimate, mean

SHUFFLES = 200
"""Random orders of each document's scores behind a null."""

FEWEST = 3
"""Words of which an order says anything."""

VARIANT_WORDS = 4_000_000
"""Words of shortened documents prepared at once: bounds the memory, never changes a result."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RankAgreement(ShowsItself):
    """How alike two lists of scores order each document's words.

    Args:
        method, reference: what was compared.
        spearman, kendall: mean over documents, with bootstrap intervals over documents.
        null: the same mean of Spearman's where the scores are shuffled within each document, with
            the interval that holds 95 % of such means.
        by_document: (documents, 2), Spearman's and Kendall's; NaN where there is none.
        left_out: documents of fewer than three words, or with equal scores throughout.
        sentence: what it says.
    """

    method: str
    reference: str
    spearman: Estimate
    kendall: Estimate
    null: Estimate
    by_document: np.ndarray
    left_out: int
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        return {
            "method": self.method,
            "reference": self.reference,
            "spearman": self.spearman.to_dict(),
            "kendall": self.kendall.to_dict(),
            "null": self.null.to_dict(),
            "left_out": self.left_out,
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return (
            f"RankAgreement({self.method} with {self.reference})\n"
            f"  Spearman {self.spearman}  Kendall {self.kendall}\n"
            f"  shuffled {self.null}\n  {self.sentence}"
        )


def rank_agreement(
    model: Model,
    scores: WordScores,
    *,
    documents: Iterable[Any] | None = None,
    reference: WordScores | None = None,
    seed: int = 0,
) -> RankAgreement:
    """Compare the order of a score's words with that of leave-one-out.

    Leave-one-out runs a document of T words T times: choose some hundred documents.

    Args:
        model: the network.
        scores: its word scores.
        documents: what was scored, for a network that reads vectors.
        reference: other scores of the same documents, in leave-one-out's place.
        seed: of the shuffles.

    Raises:
        UsageError: scores of another network.
        DataError: scores that are not finite, or of other documents.
    """
    encoded = encoded_documents(model, scores, documents)
    labels = scores.predictions
    if reference is None:
        name, answers = "leave-one-out", leave_one_out(model, encoded, labels)
    else:
        encoded_documents(model, reference, encoded)
        name, answers = reference.method, towards(reference, labels)
    return ranks_of(towards(scores, labels), answers, method=scores.method, name=name, seed=seed)


def leave_one_out(
    model: Model, encoded: Sequence[np.ndarray], labels: np.ndarray
) -> list[np.ndarray]:
    """What each word's absence takes from the logit of a class against the others.

    Args:
        model: the network.
        encoded: documents as the network reads them.
        labels: the class of each.

    Returns:
        (words,) for each document; NaN for a document of one word, which cannot be left out.
    """
    whole = against_others(model.logits(encoded).double()).cpu().numpy()
    effects = [np.full(len(document), np.nan) for document in encoded]
    long = [k for k, document in enumerate(encoded) if len(document) > 1]
    for group in _groups(encoded, long):
        shortened, places = [], []
        for k in group:
            shortened += [np.delete(encoded[k], j, axis=0) for j in range(len(encoded[k]))]
            places += [(k, j) for j in range(len(encoded[k]))]
        given = against_others(model.logits(shortened).double()).cpu().numpy()
        for (k, j), row in zip(places, given, strict=True):
            effects[k][j] = whole[k, labels[k]] - row[labels[k]]
    return effects


def ranks_of(
    scores: Sequence[np.ndarray],
    answers: Sequence[np.ndarray],
    *,
    method: str,
    name: str,
    seed: int,
) -> RankAgreement:
    """Rank agreement of two lists of arrays, one array of numbers a document."""
    found = np.full((len(scores), 2), np.nan)
    rng = np.random.default_rng(seed)
    null = np.zeros(SHUFFLES)
    for k, (a, b) in enumerate(zip(scores, answers, strict=True)):
        if len(a) != len(b):
            raise DataError(
                "Both must score the same words.",
                expected=f"{len(a)} scores of document {k}",
                got=str(len(b)),
            )
        if len(a) < FEWEST or np.ptp(a) == 0 or not np.ptp(b) > 0:
            continue
        x, y = (_standard(stats.rankdata(values)) for values in (a, b))
        found[k] = x @ y / len(x), _kendall(a, b)
        null += rng.permuted(np.tile(x, (SHUFFLES, 1)), axis=1) @ y / len(x)
    known = np.isfinite(found[:, 0])
    count = int(known.sum())
    spearman, kendall = mean(found[known, 0]), mean(found[known, 1])
    return RankAgreement(
        method=method,
        reference=name,
        spearman=spearman,
        kendall=kendall,
        null=_null(null / count, count) if count else Estimate.unknown(),
        by_document=found,
        left_out=len(found) - count,
        sentence=_sentence(spearman, null / max(1, count), len(found) - count),
    )


def _null(means: np.ndarray, count: int) -> Estimate:
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(value=float(means.mean()), low=float(low), high=float(high), count=count)


def _kendall(a: np.ndarray, b: np.ndarray) -> float:
    result: Any = stats.kendalltau(a, b)
    return float(result.statistic)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def _sentence(spearman: Estimate, null: np.ndarray, left_out: int) -> str:
    if not spearman.known:
        return (
            f"None of the {left_out} documents has three words and scores that differ, so there is "
            "no order to compare."
        )
    low, high = np.quantile(null, [0.025, 0.975])
    without = f" {left_out} documents had no order to compare." if left_out else ""
    if spearman.count < 2:
        return f"One document gives no interval, so nothing can be said of others.{without}"
    if low <= spearman.value <= high:
        return f"The two orders are no more alike than shuffled ones.{without}"
    if spearman.low <= high and spearman.high >= low:
        return f"The documents are too few to tell the two orders from shuffled ones.{without}"
    more = "more" if spearman.value > high else "less"
    return f"The two orders are {more} alike than by chance.{without}"


def _groups(encoded: Sequence[np.ndarray], rows: list[int]) -> list[list[int]]:
    groups: list[list[int]] = [[]]
    words = 0
    for k in rows:
        needs = len(encoded[k]) ** 2
        if groups[-1] and words + needs > VARIANT_WORDS:
            groups.append([])
            words = 0
        groups[-1].append(k)
        words += needs
    return groups if groups[-1] else []
