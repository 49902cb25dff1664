"""Texts to a sparse matrix of phrase counts, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.rules.matching import Matcher, check_words, words_of


class PhraseVectorizer(TransformerMixin, BaseEstimator):
    """How often each phrase occurs in each document: (documents, phrases), sparse counts.

    Parameters
    ----------
    phrases : ``Phrases``, ``RuleList``, or a sequence of texts or token lists; default None
        The columns, in order. None learns them from the documents given to ``fit``.
    min_count : int, default 5
        Occurrences that a learned phrase has at least.
    max_length : int, default 3
        Words that a learned phrase has at most.
    tokenizer : callable, default None
        Cuts a text into words; rnnscope's own when None. Token lists are taken as they are.

    Attributes
    ----------
    phrases_ : tuple of tuples of str
        The phrases of the columns; learned ones by length, then alphabetically.
    """

    def __init__(
        self,
        *,
        phrases: Any = None,
        min_count: int = 5,
        max_length: int = 3,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
    ) -> None:
        self.phrases = phrases
        self.min_count = min_count
        self.max_length = max_length
        self.tokenizer = tokenizer

    def fit(self, raw_documents: Iterable[Any], y: Any = None) -> Self:
        """Take the phrases given, or learn them. ``y`` is not used.

        Raises:
            UsageError: ``min_count`` or ``max_length`` is no count.
            DataError: one text instead of a list, a phrase given twice or empty.
        """
        for name in ("min_count", "max_length"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise UsageError(f"{name} is a count.", expected="1 or more", got=repr(value))
        tokens = self._tokens(raw_documents)
        phrases = self._learned(list(tokens)) if self.phrases is None else self._given()
        self._matcher = Matcher(phrases)
        self.phrases_ = self._matcher.phrases
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None, **fit_params: Any) -> csr_matrix:
        """``fit``, then ``transform``; also of documents that can be read only once."""
        if isinstance(X, Iterator):
            X = list(X)
        return self.fit(X, y, **fit_params).transform(X)

    def transform(self, raw_documents: Iterable[Any]) -> csr_matrix:
        """The counts, overlapping occurrences all counted, int64."""
        check_is_fitted(self)
        return self._matcher.occurrences(self._tokens(raw_documents))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The phrases, their words joined by spaces, (phrases,) of str objects."""
        check_is_fitted(self)
        return np.array([" ".join(phrase) for phrase in self.phrases_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags

    def _tokens(self, documents: Iterable[Any]) -> Iterator[Any]:
        if isinstance(documents, str) or not isinstance(documents, Iterable):
            raise DataError(
                "Documents come as a list.",
                expected="a list of texts or token lists",
                got=f"{documents!r:.40}",
                fix="wrap it: [text]",
            )
        cut = self.tokenizer or tokenize
        cuts = (cut(d) if isinstance(d, str) else d for d in documents)
        return (words_of(document, row) for row, document in enumerate(cuts))

    def _given(self) -> list[Sequence[str]]:
        listed = getattr(self.phrases, "rules", self.phrases)
        if isinstance(listed, str) or not isinstance(listed, Iterable):
            raise UsageError(
                "Phrases come as a list.",
                expected="Phrases, a RuleList, or a list of texts or token lists",
                got=f"{self.phrases!r:.40}",
            )
        cut = self.tokenizer or tokenize
        words = (getattr(phrase, "words", phrase) for phrase in listed)
        return [cut(phrase) if isinstance(phrase, str) else phrase for phrase in words]

    def _learned(self, documents: list[Sequence[str]]) -> list[tuple[str, ...]]:
        """Length by length: a frequent phrase begins with a frequent one a word shorter."""
        offsets = np.cumsum([0, *map(len, documents)])
        check_words(documents)
        words = sorted({word for document in documents for word in document})
        index = {word: k for k, word in enumerate(words)}
        ids = np.array([index[word] for document in documents for word in document], np.int64)
        ends = np.repeat(offsets[1:], np.diff(offsets))
        starts, codes = np.arange(len(ids)), np.zeros(len(ids), np.int64)
        spelled: list[tuple[str, ...]] = [()]
        learned: list[tuple[str, ...]] = []
        for length in range(self.max_length):
            inside = starts + length < ends[starts]
            starts, codes = starts[inside], codes[inside]
            keys, codes, counts = np.unique(
                codes * len(words) + ids[starts + length], return_inverse=True, return_counts=True
            )
            often = counts >= self.min_count
            if not often.any():
                break
            spelled = [
                (*spelled[key // len(words)], words[key % len(words)])
                for key in keys[often].tolist()
            ]
            learned += spelled
            kept = often[codes]
            starts, codes = starts[kept], (np.cumsum(often) - 1)[codes[kept]]
        return learned
