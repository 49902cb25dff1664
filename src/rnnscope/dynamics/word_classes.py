"""Classes of words: positive, negative and neutral, known from elsewhere than the network.

As in Maheswaranathan et al. 2019: by the coefficients of a logistic regression on bags of words,
the most positive, the most negative, and those nearest zero. Or by a lexicon's valences.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from rnnscope.data import Corpus, Vocabulary
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.numerics import single_blas_thread


@dataclass(frozen=True, kw_only=True, eq=False)
class WordClasses(ShowsItself):
    """Words by what they speak for.

    Attributes:
        positive, negative, neutral: the words of each class, the surest first.
        values: each word's coefficient or valence.
        classes: the names of what negative and positive words speak for, in this order; empty
            where they are not known.
        source: where they come from, a sentence.
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    neutral: tuple[str, ...]
    values: Mapping[str, float]
    classes: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        listed = [*self.positive, *self.negative, *self.neutral]
        twice = [word for word, count in Counter(listed).items() if count > 1]
        if twice:
            raise DataError("A word stands in one class.", got=", ".join(map(repr, twice[:5])))

    def __len__(self) -> int:
        return len(self.positive) + len(self.negative) + len(self.neutral)

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """The words by the name of their class."""
        return {"positive": self.positive, "negative": self.negative, "neutral": self.neutral}

    @classmethod
    def of_corpus(
        cls,
        corpus: Corpus,
        vocabulary: Vocabulary | None = None,
        *,
        count: int = 100,
        min_count: int = 5,
        penalty: float = 1.0,
    ) -> Self:
        """By the coefficients of a logistic regression on word counts.

        Fitted to the train split where there is one. No class takes more than a quarter of the
        words, so that the three differ also where words are few.

        Args:
            corpus: labelled with two classes; "positive" is the second.
            vocabulary: words are taken from it only, where it is given; special tokens never.
            count: words in each class, at most.
            min_count: documents that a word must be in.
            penalty: the inverse strength of the regression's penalty.

        Raises:
            NotApplicable: no labels, or not two classes.
            DataError: fewer than 4 words are left.
            UsageError: a count below 1, or a penalty that is not above zero.
        """
        if count < 1 or min_count < 1 or not 0 < penalty < np.inf:
            raise UsageError(
                "Words are counted from 1, and a penalty is above zero.",
                expected="count >= 1, min_count >= 1, penalty > 0",
                got=f"count={count}, min_count={min_count}, penalty={penalty}",
            )
        part = corpus.split("train") if corpus.has_split("train") else corpus
        if part.labels is None or len(corpus.classes) != 2 or len(set(part.labels.tolist())) != 2:
            raise NotApplicable(
                "Words are positive or negative for a text of two classes.",
                expected="a corpus with two classes, both of them in its train split",
                got=f"{len(corpus.classes)} classes",
                fix="use WordClasses.of_valences with a lexicon",
            )
        words = _frequent(part.documents, vocabulary, min_count)
        if len(words) < 4:
            raise DataError(
                "Classes are made of words that stand in the text often enough.",
                expected=f"4 or more words in {min_count} documents or more",
                got=str(len(words)),
                fix="give more text, or a smaller min_count",
            )
        coefficients = _coefficients(part.documents, part.labels, words, penalty)
        return cls._sorted(
            dict(zip(words, coefficients.tolist(), strict=True)),
            count=count,
            classes=corpus.classes,
            source=f"coefficients of a logistic regression on the word counts of {len(part):,} "
            f"documents of {corpus.name}",
        )

    @classmethod
    def of_valences(
        cls,
        valences: Mapping[str, float],
        vocabulary: Vocabulary | None = None,
        *,
        count: int = 100,
        classes: tuple[str, ...] = (),
        source: str = "a lexicon's valences",
    ) -> Self:
        """By a lexicon: the highest valences above zero, the lowest below, those nearest zero.

        Args:
            valences: a number for each word, 0 for a neutral one.
            vocabulary: words are taken from it only, where it is given.
            count: words in each class, at most.
            classes: the names of what negative and positive words speak for.
            source: where the valences come from.

        Raises:
            DataError: a valence that is not finite, or no word is left.
        """
        if count < 1:
            raise UsageError("Words are counted from 1.", expected="count >= 1", got=str(count))
        wrong = [word for word, value in valences.items() if not isfinite(value)]
        if wrong:
            raise DataError("A valence is a finite number.", got=", ".join(map(repr, wrong[:5])))
        known = None if vocabulary is None else set(vocabulary.words)
        kept = {w: float(v) for w, v in valences.items() if known is None or w in known}
        if not kept:
            raise DataError(
                "Classes are made of words of the vocabulary.",
                expected="a word that both have",
                got=f"none of {len(valences)}",
            )
        return cls._sorted(kept, count=count, classes=classes, source=source, whole=True)

    @classmethod
    def _sorted(
        cls,
        values: Mapping[str, float],
        *,
        count: int,
        classes: tuple[str, ...],
        source: str,
        whole: bool = False,
    ) -> Self:
        order = sorted(values, key=lambda word: (-values[word], word))
        size = count if whole else max(1, min(count, len(order) // 4))
        positive = tuple(word for word in order[:size] if values[word] > 0)
        negative = tuple(word for word in order[::-1][:size] if values[word] < 0)
        taken = {*positive, *negative}
        rest = sorted((w for w in values if w not in taken), key=lambda w: (abs(values[w]), w))
        return cls(
            positive=positive,
            negative=negative,
            neutral=tuple(rest[:size]),
            values=dict(values),
            classes=tuple(classes),
            source=source,
        )

    def facing(self, model: Model) -> Self:
        """The same, positive for the model's second class: turned round where the names of the
        classes say that it numbers them the other way."""
        if len(self.classes) != 2 or self.classes != model.classes[::-1]:
            return self
        return type(self)(
            positive=self.negative,
            negative=self.positive,
            neutral=self.neutral,
            values={word: -value for word, value in self.values.items()},
            classes=self.classes[::-1],
            source=self.source,
        )

    def within(self, vocabulary: Vocabulary) -> Self:
        """Only the words of this vocabulary."""
        known = set(vocabulary.words)
        kept = {name: tuple(w for w in words if w in known) for name, words in self.named.items()}
        return type(self)(**kept, values=self.values, classes=self.classes, source=self.source)

    def __repr__(self) -> str:
        return (
            f"WordClasses: {len(self.positive)} positive, {len(self.negative)} negative, "
            f"{len(self.neutral)} neutral words, by {self.source}"
        )


def _frequent(
    documents: Iterable[tuple[str, ...]], vocabulary: Vocabulary | None, least: int
) -> list[str]:
    """Words in enough documents, in the order of the alphabet."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(set(document))
    if vocabulary is not None:
        special = {vocabulary.unknown, vocabulary.padding}
        known = set(vocabulary.words) - special
        counts = Counter({word: n for word, n in counts.items() if word in known})
    return sorted(word for word, n in counts.items() if n >= least)


def _coefficients(
    documents: tuple[tuple[str, ...], ...], labels: np.ndarray, words: list[str], penalty: float
) -> np.ndarray:
    places = {word: k for k, word in enumerate(words)}
    rows, columns = [], []
    for row, document in enumerate(documents):
        found = [places[word] for word in document if word in places]
        rows += [row] * len(found)
        columns += found
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(documents), len(words)))
    with single_blas_thread(), warnings.catch_warnings():
        # Nearly fitted coefficients rank words as well.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = LogisticRegression(C=penalty, max_iter=500).fit(counts, labels)
    return fit.coef_[0]
