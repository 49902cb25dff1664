"""What kind of question it is, by its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from rnnscope.errors import DataError, UsageError
from rnnscope.numerics import single_blas_thread
from rnnscope.qa.reading import Reading

__all__ = ["Categories"]

_SMALLEST = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Categories:
    """A linear classifier of questions on their words and pairs of words.

    Attributes:
        weights: of each category the weight of words and of pairs joined by a space; "" is what
            every question starts with. The category with the largest sum is the question's.

    Raises:
        DataError: no category.
    """

    weights: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        if not self.weights:
            raise DataError("Questions have at least one category.", got="none")

    @classmethod
    def learn(cls, reading: Reading, *, count: int = 13, seed: int = 0) -> Self:
        """Learn the categories that the data names, or where it names none find some.

        Where no question has a category, the questions are put in ``count`` groups by k-means on
        their words (tf-idf) and each group is named by its two most telling words. The names are
        then learnt from the words by logistic regression, so that a new question needs no name.

        Raises:
            UsageError: a count below 1.
            DataError: no question.
        """
        if count < 1:
            raise UsageError("There is at least one category.", got=f"count={count}")
        questions = reading.corpus.questions
        if not questions:
            raise DataError("Categories are learnt from questions.", got="none")
        texts = [_parts(words) for words in reading.question_words]
        names = [question.category for question in questions]
        counter = CountVectorizer(analyzer=cast(Any, _as_they_are), min_df=min(3, len(texts)))
        try:
            X = counter.fit_transform(texts)
        except ValueError:
            return cls(weights={"all": {}})
        if not any(names):
            names = _clusters(X, counter.get_feature_names_out(), count, seed)
        named = np.array([bool(name) for name in names])
        labels = np.array(names)[named]
        if len(set(labels)) == 1:
            return cls(weights={str(labels[0]): {}})
        with single_blas_thread():
            model = LogisticRegression(C=10.0, max_iter=500).fit(X[named], labels)
        rows, starts, classes = model.coef_, model.intercept_, model.classes_
        if len(classes) == 2:
            rows, starts = np.concatenate([-rows, rows]) / 2, np.concatenate([-starts, starts]) / 2
        features = counter.get_feature_names_out()
        return cls(
            weights={
                str(name): {"": round(float(start), 3)}
                | {
                    str(features[k]): round(float(row[k]), 3)
                    for k in np.flatnonzero(np.abs(row) >= _SMALLEST)
                }
                for name, row, start in zip(classes, rows, starts, strict=True)
            }
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The categories."""
        return tuple(self.weights)

    def of(self, reading: Reading) -> np.ndarray:
        """(questions,), the index of each question's category; what the data says is not read."""
        count = len(self.weights)
        start = np.array([w.get("", 0.0) for w in self.weights.values()])
        none = np.zeros(count)
        known: dict[tuple[str, ...], int] = {}
        found = np.zeros(len(reading.question_words), dtype=np.int64)
        for row, words in enumerate(reading.question_words):
            if words not in known:
                total = start + sum((self._columns.get(p, none) for p in _parts(words)), none)
                known[words] = int(np.argmax(total))
            found[row] = known[words]
        return found

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        columns: dict[str, np.ndarray] = {}
        for k, weights in enumerate(self.weights.values()):
            for part, value in weights.items():
                columns.setdefault(part, np.zeros(len(self.weights)))[k] = value
        return columns


def _parts(words: Sequence[str]) -> list[str]:
    """Words and pairs of words, the ends marked."""
    pairs = zip(("<start>", *words), (*words, "<end>"), strict=True)
    return [*words, *(" ".join(pair) for pair in pairs)]


def _as_they_are(parts: list[str]) -> list[str]:
    return parts


def _clusters(X: object, features: np.ndarray, count: int, seed: int) -> list[str]:
    tfidf = TfidfTransformer().fit_transform(X)
    distinct = len({row.tobytes() for row in tfidf.toarray()}) if tfidf.shape[0] < 5000 else count
    found: Any = KMeans(min(count, distinct), random_state=seed, n_init=cast(Any, 3)).fit(tfidf)
    names = []
    for k, centre in enumerate(found.cluster_centers_):
        others = np.delete(found.cluster_centers_, k, axis=0)
        telling = centre - others.mean(axis=0) if len(others) else centre
        top = [str(features[j]) for j in np.argsort(-telling)[:2]]
        names.append(f"{k + 1}: {' + '.join(top)}")
    return [names[k] for k in found.labels_]
