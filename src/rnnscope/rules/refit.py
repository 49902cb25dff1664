"""Which phrases, and with what weights, give a network's answers.

The phrases' own scores are a prior, not a guess: they were read out of the network. The refit moves
them together (a factor and a bias; of three classes or more, a factor from each class's scores to
each class's logit) and each by itself (a ridge penalty on the departure).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from rnnscope.errors import DataError
from rnnscope.numerics import single_blas_thread

Budget = Literal["energy", "l1"]

RIDGES = (0.001, 0.01, 0.1, 1.0)
"""Inverse penalties that are tried on the departures from the prior."""

FREE = 10.0
"""The prior's column is this large, so its factor is hardly penalised."""

HALVINGS = 9
"""Bisections of the L1 penalty on the way to the budget."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What is to be met.

    Args:
        probabilities: (documents, classes), the network's.
        weights: (documents,), how much each counts.
    """

    probabilities: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, logits: np.ndarray, weights: np.ndarray) -> Answers:
        """From the network's logits and each document's weight, above 0.

        Raises:
            DataError: fewer than ten documents, or one class only.
        """
        given = np.unique(logits.argmax(axis=1))
        if len(logits) < 10 or len(given) < 2:
            raise DataError(
                "A phrase model is fitted to a network that tells documents apart.",
                expected="ten documents or more, in two classes or more",
                got=f"{len(logits)} documents in {len(given)} of {logits.shape[1]} classes",
                fix="give more documents, of every class the network knows",
            )
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return cls(probabilities=probabilities, weights=weights)

    def take(self, rows: np.ndarray) -> Answers:
        """Those of some documents."""
        return Answers(probabilities=self.probabilities[rows], weights=self.weights[rows])


def most_telling(
    counts: Any, prior: np.ndarray, answers: Answers, *, budget: int, by: Budget
) -> np.ndarray:
    """The columns within a budget, in their order.

    "energy": those whose prior moves the logits most, by the weighted sum over documents of
    (count * prior)^2. "l1": those that an L1-penalised logistic regression keeps when its penalty
    is as weak as the budget allows; each document is weighed by how sure the network is.

    Args:
        counts: (documents, phrases).
        prior: (phrases, classes).
    """
    phrases = len(prior)
    if phrases <= budget:
        return np.arange(phrases)
    if by == "l1":
        return _kept_by_l1(csr_matrix(counts, dtype=np.float64), answers, budget)
    squares = csr_matrix(counts, dtype=np.float64).power(2).T @ answers.weights
    energy = squares * (prior**2).sum(axis=1)
    return np.sort(np.argsort(-energy, kind="stable")[:budget])


def refit(
    counts: Any, prior: np.ndarray, answers: Answers, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (phrases, classes) and bias (classes,) that meet the network's probabilities.

    The penalty on the departures is the one of ``RIDGES`` that agrees best with the network on a
    tenth of the documents (ties: likelihood), or a middle one where these are fewer than twenty;
    the last fit is to all of them.
    """
    counts = csr_matrix(counts, dtype=np.float64)
    documents = len(answers.weights)
    order = np.random.default_rng(seed).permutation(documents)
    held, kept = order[: documents // 10], order[documents // 10 :]
    given = answers.probabilities.argmax(axis=1)

    def merit(strength: float) -> tuple[float, float]:
        """Agreement, and where it is the same the likelihood."""
        weights, bias = _around(counts[kept], prior, answers.take(kept), strength)
        logits = counts[held] @ weights + bias
        share = answers.weights[held]
        likelihood = (answers.probabilities[held] * log_softmax(logits, axis=1)).sum(axis=1)
        return float(share @ (logits.argmax(axis=1) == given[held])), float(share @ likelihood)

    best = max(RIDGES, key=merit) if len(held) >= 20 else RIDGES[2]
    return _around(counts, prior, answers, best)


def _around(
    counts: Any, prior: np.ndarray, answers: Answers, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression whose ridge penalty holds the weights near a multiple of the prior."""
    probabilities = answers.probabilities
    documents, classes = probabilities.shape
    directions = prior[:, 1:] - prior[:, :1] if classes == 2 else prior
    evidence = FREE * (counts @ directions)
    features = hstack([counts, csr_matrix(evidence)]).tocsr()
    # Targets are probabilities: every document stands once for each class, weighed by its share.
    fitted = _regression(
        vstack([features] * classes).tocsr(),
        np.repeat(np.arange(classes), documents),
        (probabilities * answers.weights[:, None]).T.ravel(),
        C=strength,
        tol=1e-3,
    )
    split = len(prior)
    weights = fitted.coef_[:, :split].T + FREE * directions @ fitted.coef_[:, split:].T
    bias = np.asarray(fitted.intercept_)
    if classes == 2:
        halves = np.array([-0.5, 0.5])
        return weights * halves, bias * halves
    return weights - weights.mean(axis=1, keepdims=True), bias - bias.mean()


def _kept_by_l1(counts: Any, answers: Answers, budget: int) -> np.ndarray:
    low, high = np.log(1e-5), np.log(1e2)
    best = np.empty(0, dtype=int)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        used = np.flatnonzero(_used(counts, answers, float(np.exp(middle))))
        if len(used) <= budget:
            low = middle
            best = used if len(used) >= len(best) else best
        else:
            high = middle
        if len(best) >= 0.97 * budget:
            break
    return best


def _used(counts: Any, answers: Answers, strength: float) -> np.ndarray:
    """(phrases,): whether one class against the rest gives the phrase a weight."""
    probabilities = answers.probabilities
    classes = probabilities.shape[1]
    given = probabilities.argmax(axis=1)
    used: Any = False
    for k in (1,) if classes == 2 else range(classes):
        hits = given == k
        if hits.all() or not hits.any():
            continue
        sure = np.abs(2 * probabilities[:, k] - 1) * answers.weights
        options = {"solver": "liblinear", "l1_ratio": 1.0, "tol": 1e-2}
        used |= (_regression(counts, hits, sure, C=strength, **options).coef_ != 0).any(axis=0)
    return used


def _regression(
    counts: Any, labels: np.ndarray, weights: np.ndarray, **options: Any
) -> LogisticRegression:
    with single_blas_thread(), warnings.catch_warnings():
        # A fit stopped early is a slightly worse description, which the judge sees.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(max_iter=200, random_state=0, **options)
        return model.fit(counts, labels, sample_weight=weights)
