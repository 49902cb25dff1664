"""The rule list on a phrase matrix, as a scikit-learn classifier (after Murdoch & Szlam 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from rnnscope.errors import DataError, UsageError
from rnnscope.rules.order import check_bounds
from rnnscope.rules.rule import Rule
from rnnscope.rules.rule_list import RuleList


@dataclass(frozen=True, kw_only=True)
class ColumnRule:
    """If the phrase of this column occurs, the document is of this class.

    Args:
        column: the column of X.
        class_index: the class, into ``classes_``.
        importance: S.
        documents: training documents it occurs in.
        precision: the share of those in its class; NaN where it occurs in none.
    """

    column: int
    class_index: int
    importance: float
    documents: int
    precision: float


class RuleListClassifier(ClassifierMixin, BaseEstimator):
    """The first phrase of the list that occurs decides; without one, the default class.

    A phrase occurs in a document when its entry in X is above 0. Phrases are ordered by S, ties by
    the documents they occur in, then by column.

    S is given for each column, or estimated from X and y: the share of class i's documents that
    the phrase occurs in, over the geometric mean of the other classes' shares, at its largest i:

        S(w) = max_i  p(w|i) / (prod_{k != i} p(w|k))^(1/(K-1)),
        p(w|k) = (documents of k with w + smoothing) / (documents of k + 2 smoothing)

    There is no ``predict_proba``: a rule says which class, and the share of a class among the
    documents it decides need not be the largest; ``rules_`` tells each rule's precision.

    Parameters
    ----------
    importance : array-like, default None
        S of each column, (columns,), with ``column_classes``; or of each column for each class,
        (columns, classes) in the order of ``classes_``. Estimated when None.
    column_classes : array-like (columns,), default None
        The class each column speaks for, as in y. With ``importance`` left at None, S is estimated
        for these classes.
    min_importance : float, default None
        The least S of a rule. Where it keeps nothing, every document gets the default.
    max_rules : int, default 1000
        Rules at most; None for no bound.
    default : a class, default None
        Of documents in which no phrase of the list occurs; the most frequent one in y when None.
    smoothing : float, default 1.0
        Of the estimated S.

    Attributes
    ----------
    classes_ : array (classes,)
    n_features_in_ : int
    feature_names_in_ : array (columns,), where X had names that are strings
    rules_ : tuple of ColumnRule, in order
    default_ : the default class
    """

    n_features_in_: int

    def __init__(
        self,
        *,
        importance: Any = None,
        column_classes: Any = None,
        min_importance: float | None = None,
        max_rules: int | None = 1000,
        default: Any = None,
        smoothing: float = 1.0,
    ) -> None:
        self.importance = importance
        self.column_classes = column_classes
        self.min_importance = min_importance
        self.max_rules = max_rules
        self.default = default
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any) -> Self:
        """Order the columns. X (documents, columns), sparse or dense; y (documents,).

        Raises:
            UsageError: an option out of range.
            DataError: importances or classes that do not fit the columns of X or the classes of y.
        """
        check_bounds(self.max_rules, self.min_importance)
        if not isinstance(self.smoothing, int | float) or not 0 < self.smoothing < np.inf:
            raise UsageError("Smoothing is a number above 0.", got=repr(self.smoothing))
        X, y = validate_data(self, X, y, accept_sparse="csr")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        present = _presence(X)
        one_hot = np.eye(len(self.classes_))[labels]
        documents = np.asarray(present.T @ one_hot)
        s, owner = self._importance(documents, one_hot.sum(axis=0))
        support = documents.sum(axis=1)
        if self.default is None:
            self.default_ = self.classes_[np.bincount(labels).argmax()]
        else:
            self.default_ = self.classes_[self._index([self.default], "default")[0]]
        order = np.lexsort((np.arange(len(s)), -support, -s))
        if self.min_importance is not None:
            order = order[s[order] >= self.min_importance]
        order = order[: self.max_rules]
        precision = documents[np.arange(len(s)), owner] / np.where(support, support, np.nan)
        self.rules_ = tuple(
            ColumnRule(
                column=int(j),
                class_index=int(owner[j]),
                importance=float(s[j]),
                documents=int(support[j]),
                precision=float(precision[j]),
            )
            for j in order
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class of each document, (documents,)."""
        fired = self.fired(X)
        default = int(np.searchsorted(self.classes_, self.default_))
        labels = np.array([rule.class_index for rule in self.rules_] + [default])
        return self.classes_[labels[fired]]

    def fired(self, X: Any) -> np.ndarray:
        """The rank of the rule that decides each document, from 0; -1 where none does."""
        check_is_fitted(self)
        present = _presence(validate_data(self, X, accept_sparse="csr", reset=False))
        ranks = np.full(self.n_features_in_, len(self.rules_))
        ranks[[rule.column for rule in self.rules_]] = np.arange(len(self.rules_))
        first = np.full(len(present.indptr) - 1, len(self.rules_))
        filled = np.flatnonzero(np.diff(present.indptr))
        if len(filled):
            found = ranks[present.indices]
            first[filled] = np.minimum.reduceat(found, present.indptr[filled])
        return np.where(first < len(self.rules_), first, -1)

    def to_rule_list(
        self, phrases: Sequence[Sequence[str]] | None = None, *, tokenizer: str = "words"
    ) -> RuleList:
        """The same list for texts, which explains itself, exports and is judged.

        Args:
            phrases: the words of each column, such as ``PhraseVectorizer.phrases_``; by default
                the names of the columns, where X had any, cut at spaces.
            tokenizer: "words" when the texts are cut by rnnscope's tokenizer.
        """
        check_is_fitted(self)
        if phrases is None:
            phrases = [str(name).split() for name in getattr(self, "feature_names_in_", [])]
        if len(phrases) != self.n_features_in_:
            raise DataError(
                "There must be one phrase for each column.",
                expected=f"{self.n_features_in_} phrases",
                got=str(len(phrases)),
            )
        return RuleList(
            rules=tuple(
                Rule(
                    words=tuple(phrases[rule.column]),
                    class_index=rule.class_index,
                    importance=rule.importance,
                    count=rule.documents,
                    precision=None if np.isnan(rule.precision) else rule.precision,
                )
                for rule in self.rules_
            ),
            default=int(np.searchsorted(self.classes_, self.default_)),
            classes=tuple(str(name) for name in self.classes_),
            tokenizer=tokenizer,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        # Presence is all it looks at, which says little about real-valued columns.
        tags.classifier_tags.poor_score = True
        return tags

    def _importance(
        self, documents: np.ndarray, totals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """S of each column and the class it speaks for."""
        columns, classes = documents.shape
        owner = None
        if self.column_classes is not None:
            owner = self._index(self.column_classes, "column_classes")
            _check_shape("column_classes", owner, [(columns,)])
        if self.importance is None:
            p = np.log((documents + self.smoothing) / (totals + 2 * self.smoothing))
            s = np.exp(p - (p.sum(axis=1, keepdims=True) - p) / max(classes - 1, 1))
        else:
            s = np.asarray(self.importance, dtype=float)
            allowed = [(columns, classes)] if owner is None else [(columns,), (columns, classes)]
            _check_shape("importance", s, allowed)
            if np.isnan(s).any():
                raise DataError("Importances are numbers.", got=f"{int(np.isnan(s).sum())} NaN")
            if s.ndim == 1:
                s = np.repeat(s[:, None], classes, axis=1)
        owner = s.argmax(axis=1) if owner is None else owner
        return s[np.arange(columns), owner], owner

    def _index(self, labels: Any, name: str) -> np.ndarray:
        known = {label: k for k, label in enumerate(self.classes_.tolist())}
        given = np.asarray(labels).ravel().tolist()
        unknown = [label for label in given if label not in known]
        if unknown:
            raise DataError(
                f"{name} must be among the classes of y.",
                expected=", ".join(map(repr, known)),
                got=repr(unknown[0]),
            )
        return np.array([known[label] for label in given], dtype=np.int64)


def _presence(X: Any) -> csr_matrix:
    """1 where an entry is above 0, nothing stored elsewhere."""
    # Copied: what follows would change the caller's matrix.
    present = csr_matrix(X, copy=True)
    present.sum_duplicates()
    present.data = (present.data > 0).astype(np.int8)
    present.eliminate_zeros()
    return present


def _check_shape(name: str, given: np.ndarray, allowed: list[tuple[int, ...]]) -> None:
    if given.shape not in allowed:
        raise DataError(
            f"{name} must fit the columns of X (and the classes of y).",
            expected=" or ".join(map(str, allowed)),
            got=str(given.shape),
            fix="give column_classes too" if len(allowed) == 1 and given.ndim == 1 else "",
        )
