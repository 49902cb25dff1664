"""What every description of a network is held against: the majority class, a bag of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression


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
        return cls(label=int(np.bincount(predictions).argmax()))

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The same class for each document."""
        return np.full(sum(1 for _ in documents), self.label)

    def fired(self, documents: Iterable[Any]) -> np.ndarray:
        """-1 for each document: it says nothing about any."""
        return np.full(sum(1 for _ in documents), -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class BagOfWords:
    """Logistic regression on word counts, fitted to the network's own predictions.

    Args:
        vectorizer, regression: the fitted parts.
    """

    vectorizer: CountVectorizer
    regression: LogisticRegression
    name: str = "bag of words"

    @classmethod
    def fit(cls, documents: Sequence[Any], predictions: np.ndarray) -> Self | None:
        """Fit to token lists and the network's classes; None when it gives one class only."""
        if len(np.unique(predictions)) < 2:
            return None
        analyzer: Any = _as_it_is
        seen = Counter(word for document in documents for word in set(document))
        # Words seen once say nothing of other documents, unless there are no others.
        least = 2 if any(count > 1 for count in seen.values()) else 1
        vectorizer = CountVectorizer(analyzer=analyzer, min_df=least)
        counts = vectorizer.fit_transform(documents)
        regression = LogisticRegression(max_iter=1000).fit(counts, predictions)
        return cls(vectorizer=vectorizer, regression=regression)

    @property
    def size(self) -> int:
        """Words with a weight."""
        return len(self.vectorizer.vocabulary_)

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each token list."""
        return np.asarray(self.regression.predict(self.vectorizer.transform(documents)))


def _as_it_is(document: Sequence[str]) -> Sequence[str]:
    return document
