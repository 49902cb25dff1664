"""What every description of a network is held against: the majority class, bags of n-grams."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from rnnscope.errors import DataError
from rnnscope.fidelity.ngrams import Ngrams
from rnnscope.numerics import single_blas_thread

PENALTIES = (0.01, 0.1, 1.0)
"""C, the inverse strength of the penalty, that validation chooses from."""

SMALLEST = 1e-12
"""A probability that has vanished counts as this in a log loss."""

FEWEST = 50
"""Documents from which some are put aside to choose; below, n-grams are counted and C is 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Majority:
    """Always the class that the network gives most often."""

    label: int
    name: str = "majority class"
    size: int = 0

    @classmethod
    def fit(cls, documents: Sequence[Any], predictions: np.ndarray) -> Self:
        """Count the network's predictions."""
        del documents
        given = np.asarray(predictions)
        if (
            given.ndim != 1
            or not given.size
            or given.dtype.kind not in "iub"
            or given.min() < 0
            or given.max() > 2**24
        ):
            raise DataError(
                "Predictions are class indices, one a document.",
                expected="whole numbers from 0",
                got=f"{given.dtype} of shape {given.shape}",
            )
        return cls(label=int(np.bincount(given).argmax()))

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The same class for each document."""
        return np.full(sum(1 for _ in documents), self.label)

    def fired(self, documents: Iterable[Any]) -> np.ndarray:
        """-1 for each document: it says nothing about any."""
        return np.full(sum(1 for _ in documents), -1)

    def consulted(self, documents: Iterable[Any]) -> np.ndarray:
        """0 for each document."""
        return np.zeros(sum(1 for _ in documents))


@dataclass(frozen=True, kw_only=True, eq=False)
class BagOfNgrams:
    """Logistic regression on n-grams, fitted to the network's own predictions.

    Whether an n-gram counts as often as it occurs or once, and then C, are what predicts the
    network best (log loss) on a tenth of the documents it is fitted to, put aside for that.

    Args:
        ngrams: the n-grams that have a weight.
        regression: the fitted weights.
        counted: whether an n-gram counts as often as it occurs.
    """

    ngrams: Ngrams
    regression: LogisticRegression
    counted: bool
    name: str = "bag of 1-3-grams"

    length: ClassVar[int] = 3

    @classmethod
    def fit(
        cls,
        documents: Sequence[Any],
        predictions: np.ndarray,
        *,
        max_length: int | None = None,
        min_documents: int = 2,
        seed: int = 0,
    ) -> Self | None:
        """Fit to token lists and the network's classes; None when it gives one class only.

        Args:
            documents: token lists.
            predictions: the network's class of each.
            max_length: words in an n-gram at most; 3 when None.
            min_documents: n-grams in fewer documents say nothing of others and are left out,
                unless none is in more than one.
            seed: of the choice of what is put aside.

        Raises:
            DataError: a text that is not cut into words, or no word at all.
        """
        predictions, listed = _as_classes(predictions), _listed(documents)
        if predictions.shape != (len(listed),):
            raise DataError(
                "Predictions are class indices, one a document.",
                expected=f"{len(listed)}",
                got=f"an array of shape {predictions.shape}",
            )
        if len(np.unique(predictions)) < 2:
            return None
        length = cls.length if max_length is None else max_length
        ngrams, held = Ngrams.fit(listed, max_length=length, min_documents=min_documents)
        if not len(ngrams):
            ngrams, held = Ngrams.fit(listed, max_length=length, min_documents=1)
        if not len(ngrams):
            raise DataError("A bag of words is fitted to words.", got="documents without any")
        counted, C = _chosen(held, predictions, seed)
        regression = _regression(C, held if counted else _once(held), predictions)
        own = {} if length == cls.length else {"name": f"bag of 1-{length}-grams"}
        return cls(ngrams=ngrams, regression=regression, counted=counted, **own)

    @property
    def size(self) -> int:
        """N-grams with a weight."""
        return len(self.ngrams)

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each token list."""
        held = self.ngrams.matrix(list(documents))
        return np.asarray(self.regression.predict(held if self.counted else _once(held)))

    def fired(self, documents: Iterable[Any]) -> np.ndarray:
        """0 for each document that holds an n-gram with a weight; -1 for one that holds none."""
        return np.where(self.consulted(documents) > 0, 0, -1)

    def consulted(self, documents: Iterable[Any]) -> np.ndarray:
        """How many different n-grams with a weight each document holds."""
        return np.diff(self.ngrams.matrix(list(documents)).indptr)


@dataclass(frozen=True, kw_only=True, eq=False)
class BagOfWords(BagOfNgrams):
    """Logistic regression on words, fitted to the network's own predictions."""

    name: str = "bag of words"

    length: ClassVar[int] = 1


def _listed(documents: Any) -> list[Any]:
    try:
        return list(documents)
    except TypeError as error:
        raise DataError(
            "Documents are several.",
            expected="an iterable of token lists",
            got=type(documents).__name__,
        ) from error


def _regression(C: float, held: Any, predictions: np.ndarray) -> LogisticRegression:
    with single_blas_thread(), warnings.catch_warnings():
        # What a hundred steps reach is no worse on other documents than the very optimum.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=C, tol=1e-3).fit(held, predictions)


def _once(held: sparse.csr_matrix) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones_like(held.data), held.indices, held.indptr), held.shape)


def _as_classes(predictions: Any) -> np.ndarray:
    """As an array; an empty matrix, which nothing accepts, where it is none."""
    try:
        return np.asarray(predictions)
    except ValueError:  # rows of different lengths
        return np.empty((0, 0))


def _chosen(held: sparse.csr_matrix, predictions: np.ndarray, seed: int) -> tuple[bool, float]:
    """Whether n-grams are counted, and C."""
    count = len(predictions)
    order = np.random.default_rng(seed).permutation(count)
    aside, rest = order[: count // 10], order[count // 10 :]
    if count < FEWEST or len(np.unique(predictions[rest])) < len(np.unique(predictions)):
        return True, 1.0
    matrices = {True: held, False: _once(held)}

    def loss(counted: bool, C: float) -> float:
        fitted = _regression(C, matrices[counted][rest], predictions[rest])
        shares = fitted.predict_proba(matrices[counted][aside])
        columns = np.searchsorted(fitted.classes_, predictions[aside])
        return -float(np.log(np.maximum(shares[np.arange(len(aside)), columns], SMALLEST)).mean())

    middle = {counted: loss(counted, PENALTIES[1]) for counted in matrices}
    best = min(middle, key=lambda counted: middle[counted])
    losses = {PENALTIES[1]: middle[best]}
    losses |= {C: loss(best, C) for C in PENALTIES if C not in losses}
    return best, min(losses, key=lambda C: losses[C])
