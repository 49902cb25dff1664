"""Which phrases, and with what weights, give a network's answers: L1 to choose, ridge to weigh."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from rnnscope.errors import DataError

RIDGES = (0.1, 0.3, 1.0, 3.0)
"""Inverse penalties that are tried when the chosen phrases are weighed."""

HALVINGS = 9
"""Bisections of the L1 penalty on the way to the budget."""


def refit(
    counts: Any, logits: np.ndarray, *, max_phrases: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose columns and weigh them.

    Args:
        counts: (documents, phrases).
        logits: (documents, classes), the network's.

    Returns:
        the columns chosen, their weights (chosen, classes) and the bias (classes,), centred over
        the classes.

    Raises:
        DataError: fewer than ten documents, or one class only.
    """
    counts = csr_matrix(counts, dtype=np.float64)
    answers = logits.argmax(axis=1)
    given = np.unique(answers)
    if len(answers) < 10 or len(given) < 2:
        raise DataError(
            "A phrase model is fitted to a network that tells documents apart.",
            expected="ten documents or more, in two classes or more",
            got=f"{len(answers)} documents in {len(given)} of {logits.shape[1]} classes",
            fix="give more documents, of every class the network knows",
        )
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    chosen = _choose(counts, probabilities, max_phrases)
    weights, bias = _weigh(counts[:, chosen], probabilities, seed)
    used = (weights != 0).any(axis=1)
    return chosen[used], weights[used], bias


def _choose(counts: Any, probabilities: np.ndarray, budget: int) -> np.ndarray:
    """The columns of the weakest L1 penalty that leaves no more of them than the budget."""
    if counts.shape[1] <= budget:
        return np.arange(counts.shape[1])
    low, high = np.log(1e-4), np.log(1e2)
    best = np.empty(0, dtype=int)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        used = np.flatnonzero(_used(counts, probabilities, float(np.exp(middle))))
        if len(used) <= budget:
            low = middle
            best = used if len(used) >= len(best) else best
        else:
            high = middle
        if 0.97 * budget <= len(best):
            break
    return best


def _used(counts: Any, probabilities: np.ndarray, strength: float) -> np.ndarray:
    """(phrases,): whether one class against the rest gives the phrase a weight."""
    used = np.zeros(counts.shape[1], dtype=bool)
    classes = probabilities.shape[1]
    answers = probabilities.argmax(axis=1)
    for k in range(1, 2) if classes == 2 else range(classes):
        hits = answers == k
        if hits.all() or not hits.any():
            continue
        sure = np.abs(2 * probabilities[:, k] - 1)
        used |= (
            _regression(
                counts, hits, sure, solver="liblinear", C=strength, l1_ratio=1.0, tol=1e-2
            ).coef_
            != 0
        ).any(axis=0)
    return used


def _weigh(counts: Any, probabilities: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ridge logistic regression to the probabilities; its penalty by agreement on a tenth."""
    documents = counts.shape[0]
    order = np.random.default_rng(seed).permutation(documents)
    held, kept = order[: documents // 10], order[documents // 10 :]
    answers = probabilities.argmax(axis=1)

    def agreement(strength: float) -> float:
        weights, bias = _soft(counts[kept], probabilities[kept], strength)
        given = (counts[held] @ weights + bias).argmax(axis=1)
        return float((given == answers[held]).mean())

    scored = [(agreement(strength), -strength) for strength in RIDGES] if len(held) >= 100 else []
    strength = -max(scored)[1] if scored else 1.0
    return _soft(counts, probabilities, strength)


def _soft(counts: Any, probabilities: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (phrases, classes) and bias (classes,) that meet probabilities, not classes: every
    document stands once for each class, weighed by its probability."""
    documents, classes = probabilities.shape
    if counts.shape[1] == 0:
        bias = np.log(np.clip(probabilities.mean(axis=0), 1e-12, None))
        return np.zeros((0, classes)), bias - bias.mean()
    fitted = _regression(
        vstack([counts] * classes).tocsr(),
        np.repeat(np.arange(classes), documents),
        probabilities.T.ravel(),
        C=strength,
        solver="lbfgs",
    )
    weights, bias = fitted.coef_.T, np.asarray(fitted.intercept_)
    if classes == 2:
        halves = np.array([-0.5, 0.5])
        return weights * halves, bias * halves
    return weights - weights.mean(axis=1, keepdims=True), bias - bias.mean()


def _regression(
    counts: Any, labels: np.ndarray, weights: np.ndarray, **options: Any
) -> LogisticRegression:
    options = {"max_iter": 300, **options}
    with warnings.catch_warnings():
        # A fit stopped early is a slightly worse description, which the judge sees.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(**options).fit(counts, labels, sample_weight=weights)
