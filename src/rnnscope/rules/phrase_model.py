"""The phrase model: the phrases of a rule list, weighed together instead of one by one.

log p_i(document) = sum over all occurrences of phrases w of weight_i(w) + bias_i  (+ constant)

A phrase inside a longer one counts as well, so the weight of "not good" is what the two words do
beyond "not" and "good": negation and intensification are weights like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import LIMIT, html_table
from rnnscope.notebook import visible as shown
from rnnscope.phrases import Phrases
from rnnscope.rules.documents import as_tokens, check_phrases, checked_weights
from rnnscope.rules.matching import Matcher
from rnnscope.rules.refit import Answers, Budget, most_telling, refit

LARGEST = 1e100
"""Of a weight: no document is long enough for a sum of such to overflow."""


@dataclass(frozen=True, kw_only=True)
class WeighedPhrase:
    """One occurrence of a phrase in a document, and what it adds.

    Args:
        words: the phrase.
        position: its first word's place in the document.
        weights: (classes,), what it adds to the log-probability of each class.
    """

    words: tuple[str, ...]
    position: int
    weights: tuple[float, ...]

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseModel:
    """Phrases as weighted evidence. Classifies without the network.

    Args:
        phrases: the words of each, each phrase once.
        weights: (phrases, classes), natural log. Only differences between the classes matter:
            ``summed`` and ``fit`` give weights whose mean over the classes is zero.
        bias: (classes,).
        classes: the names of the classes.
        tokenizer: "words" when texts are cut by the built-in tokenizer.
        method: where the weights come from.
        fingerprint: the network's.

    Raises:
        DataError: shapes that do not fit, a weight that is no finite number, a class named twice,
            a phrase that is no tuple of words or stands twice.
    """

    phrases: tuple[tuple[str, ...], ...]
    weights: np.ndarray
    bias: np.ndarray
    classes: tuple[str, ...]
    tokenizer: str = "words"
    method: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        check_phrases(self.phrases, self.classes, kind="phrase")
        shape = len(self.phrases), len(self.classes)
        for name, expected in (("weights", shape), ("bias", shape[1:])):
            # Copied: the model must not change with the caller's array.
            values = np.array(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values)
            if values.shape != expected:
                raise DataError(
                    "A phrase model has a weight for each phrase and class, and a bias a class.",
                    expected=f"{name} {expected}",
                    got=str(values.shape),
                )
            wrong = np.argwhere(~(np.abs(values) <= LARGEST))
            if len(wrong):
                *row, k = wrong[0].tolist()
                of = f"the weights of {' '.join(self.phrases[row[0]])!r}" if row else "the bias"
                raise DataError(
                    "A weight is a finite number.",
                    expected=f"at most {LARGEST:g} in size",
                    got=f"{values[*row, k]} for {self.classes[k]!r} in {of}",
                )

    @classmethod
    def summed(
        cls,
        phrases: Phrases,
        *,
        max_phrases: int | None = None,
        bias: np.ndarray | None = None,
    ) -> Self:
        """The phrases' own scores, with nothing fitted.

        A text that is one of the phrases gets that phrase's mean log-ratio: each weight is the
        mean less the weights of the mined phrases inside it.

        Args:
            phrases: from ``mine_phrases``.
            max_phrases: the first so many; all when None.
            bias: (classes,), the network's output bias (``model.readout.bias``), which is no
                word's and so no phrase's; 0 when None.
        """
        _require_phrases(phrases)
        if max_phrases is not None:
            _require_budget(max_phrases)
        words = phrases.words[:max_phrases]
        return cls(
            phrases=words,
            weights=_own_weights(words, phrases.mean[: len(words)]),
            bias=np.zeros(len(phrases.classes)) if bias is None else np.asarray(bias),
            classes=phrases.classes,
            tokenizer=phrases.tokenizer,
            method=f"{phrases.method}, summed",
            fingerprint=phrases.fingerprint,
        )

    @classmethod
    def fit(
        cls,
        phrases: Phrases,
        documents: Sequence[Any],
        logits: Any,
        *,
        max_phrases: int | None = 3000,
        choose: Budget = "energy",
        weights: np.ndarray | None = None,
        seed: int = 0,
    ) -> Self:
        """The phrases' own scores, refitted to the network's answers within a budget.

        At most ``max_phrases`` are chosen; their own scores are the prior of a logistic regression
        that meets the network's probabilities, with a ridge penalty on the departure from them.
        The penalty is the one that agrees best with the network on a tenth of the documents.

        Args:
            phrases: from ``mine_phrases``; what may be chosen.
            documents: token lists or texts to fit on; labels play no part, so any text of the
                kind serves, and more is better.
            logits: (documents, classes), the network's.
            max_phrases: the budget; all when None.
            choose: "energy", the phrases whose own scores move these documents' logits most, or
                "l1", those that an L1-penalised regression on the network's answers keeps.
            weights: (documents,), how much each counts, such as more for the text the model is
                meant for: as if it stood there so many times. 1 when None.
            seed: of the tenth.

        Raises:
            UsageError: ``max_phrases`` below one.
            DataError: the arrays do not belong together, a logit is no finite number, or the
                network gives one class only.
        """
        _require_phrases(phrases)
        if max_phrases is not None:
            _require_budget(max_phrases)
        if choose not in get_args(Budget):
            raise UsageError(
                "The way to choose phrases must exist.",
                expected=" or ".join(get_args(Budget)),
                got=repr(choose),
            )
        tokens = list(as_tokens(documents, phrases.tokenizer))
        targets = np.asarray(logits, dtype=np.float64)
        if targets.shape != (len(tokens), len(phrases.classes)):
            raise DataError(
                "A phrase model is fitted to the network's logits of each document.",
                expected=str((len(tokens), len(phrases.classes))),
                got=str(targets.shape),
            )
        if not np.isfinite(targets).all():
            row = int(np.argmin(np.isfinite(targets).all(axis=1)))
            raise DataError("Logits are finite numbers.", got=f"{targets[row]} of document {row}")
        worth = checked_weights(weights, len(tokens))
        worth = np.ones(len(tokens)) if worth is None else worth
        heard = np.flatnonzero(worth)
        answers = Answers.of(targets[heard], worth[heard])
        counts: Any = Matcher(phrases.words).occurrences(tokens)[heard]
        chosen = most_telling(
            counts,
            _own_weights(phrases.words, phrases.mean),
            answers,
            budget=len(phrases) if max_phrases is None else max_phrases,
            by=choose,
        )
        words = [phrases.words[k] for k in chosen]
        prior = _own_weights(words, phrases.mean[chosen])
        fitted, bias = refit(counts[:, chosen], prior, answers, seed=seed)
        order = np.argsort(-np.abs(fitted).max(axis=1, initial=0), kind="stable")
        return cls(
            phrases=tuple(words[k] for k in order),
            weights=fitted[order],
            bias=bias,
            classes=phrases.classes,
            tokenizer=phrases.tokenizer,
            method=f"{phrases.method}, refitted",
            fingerprint=phrases.fingerprint,
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote, also after it was edited by hand.

        Raises:
            UsageError: the file cannot be read.
            DataError: it is no phrase model, or one of its entries is wrong; the message names it.
        """
        from rnnscope.rules.phrase_model_file import load_model

        return load_model(cls, path)

    def save(self, path: str | Path) -> Path:
        """Write the model as JSON, one phrase a line, to a name that ends in .json.

        Every weight is read back bit for bit. Replaces only a file of its kind.

        Raises:
            UsageError: another ending, a path that cannot be written, or one that holds
                something other than an exported phrase model.
            DataError: the format cannot hold a word of the model.
        """
        from rnnscope.rules.phrase_model_file import save_model

        return save_model(self, path)

    def export(self, path: str | Path) -> Path:
        """Write the model to a file, whole or not at all; the name's ending says what kind.

        ``.json`` is what ``save`` writes (docs/rule-list-format.md). ``.py`` is one Python file
        that needs nothing but Python and gives the same predictions: import it, or pipe texts
        into it.

        Raises:
            As ``save``.
        """
        from rnnscope.rules.phrase_model_file import export_model

        return export_model(self, path)

    def logits(self, documents: Iterable[Any]) -> np.ndarray:
        """The summed evidence, (documents, classes): the same bits as the exported file's."""
        counts: Any = self._counts(documents)
        documents_of = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        sums = np.zeros((counts.shape[0], len(self.classes)))
        # Added one by one in the order of the phrases. A sparse product may be compiled to
        # multiply and add in one step, which rounds otherwise and can turn a tie.
        for k, weights in enumerate(self.weights.T):
            terms = counts.data * weights[counts.indices]
            sums[:, k] = np.bincount(documents_of, terms, minlength=len(sums))
        return sums + self.bias

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each document (token list or text), (documents,).

        Of classes with equal evidence the first.
        """
        return self.logits(documents).argmax(axis=1)

    def fired(self, documents: Iterable[Any]) -> np.ndarray:
        """For each document how many occurrences were weighed; -1 where there is none."""
        found = np.asarray(self._counts(documents).sum(axis=1)).ravel()
        return np.where(found > 0, found, -1)

    def explain(self, document: Any) -> list[WeighedPhrase]:
        """Every occurrence of a phrase in a document, the most telling first."""
        tokens = next(iter(as_tokens([document], self.tokenizer)))
        found = self._matcher.all(tokens)
        spread = np.ptp(self.weights, axis=1) if len(self.phrases) else np.empty(0)
        return [
            WeighedPhrase(
                words=self.phrases[k], position=place, weights=tuple(self.weights[k].tolist())
            )
            for k, place in sorted(found, key=lambda item: (-spread[item[0]], item[1]))
        ]

    @property
    def size(self) -> int:
        """The number of phrases."""
        return len(self.phrases)

    def to_frame(self) -> pl.DataFrame:
        """One row a phrase: phrase, class (that it speaks for), weight (for that class, against
        the mean of all), and together: what the phrase and all it contains add to that class."""
        schema = {
            "phrase": pl.String,
            "class": pl.String,
            "weight": pl.Float64,
            "together": pl.Float64,
        }
        return pl.DataFrame(self._rows(), schema=schema, orient="row")

    def _rows(self, limit: int | None = None) -> list[tuple[str, str, float, float]]:
        phrases, weights = self.phrases[:limit], _centred(self.weights)
        together = self._matcher.occurrences(phrases) @ weights
        return [
            (" ".join(words), self.classes[k], float(own[k]), float(sums[k]))
            for words, k, own, sums in zip(
                phrases, weights.argmax(axis=1)[:limit].tolist(), weights, together, strict=False
            )
        ]

    def _counts(self, documents: Iterable[Any]) -> csr_matrix:
        return self._matcher.occurrences(as_tokens(documents, self.tokenizer))

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.phrases)

    def __repr__(self) -> str:
        lines = [f"PhraseModel({self.size} phrases, {shown(self.method)})"]
        for text, name, weight, _ in self._rows(10):
            lines.append(f"  {shown(text)!r} -> {shown(name)} {weight:+.2f}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        more = "" if self.size <= LIMIT else f", the first {LIMIT} shown"
        title = f"{self.size:,} phrases{more}; their weights add up"
        head = ("phrase", "class", "weight", "with its parts")
        return html_table(title, self._rows(LIMIT), head=head)


def _require_phrases(phrases: object) -> None:
    if not isinstance(phrases, Phrases):
        raise UsageError(
            "A phrase model is made of phrases.",
            expected="what mine_phrases gives",
            got=type(phrases).__name__,
        )


def _require_budget(max_phrases: object) -> None:
    if not (isinstance(max_phrases, int | np.integer) and max_phrases >= 1):
        raise UsageError(
            "A phrase model has a budget.", expected="max_phrases >= 1", got=repr(max_phrases)
        )


def _own_weights(words: Sequence[tuple[str, ...]], mean: np.ndarray) -> np.ndarray:
    """(phrases, classes): each phrase's mean score less what the phrases inside it say.

    ``mean`` compares each class with the mean of the others; a centred logit is (K - 1) / K of it.
    """
    classes = mean.shape[1]
    weights = mean * ((classes - 1) / classes)
    inside = Matcher(words).occurrences(words)
    # A phrase's parts are shorter than it is, so their weights are known before its own.
    for length in range(2, 1 + max((len(w) for w in words), default=0)):
        rows = np.array([k for k, w in enumerate(words) if len(w) == length], dtype=int)
        if len(rows):
            # A phrase occurs in itself, once, with its own mean.
            weights[rows] -= inside[rows] @ weights - weights[rows]
    return _centred(weights)


def _centred(weights: np.ndarray) -> np.ndarray:
    return weights - weights.mean(axis=1, keepdims=True)
