"""The phrase model: the phrases of a rule list, weighed together instead of one by one.

log p_i(document) = bias_i + sum over all occurrences of phrases w of weight_i(w)  (+ constant)

A phrase inside a longer one counts as well, so the weight of "not good" is what the two words do
beyond "not" and "good": negation and intensification are weights like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import Phrases
from rnnscope.rules.documents import as_tokens
from rnnscope.rules.matching import Matcher
from rnnscope.rules.tables import LIMIT, html_table, shown


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
        phrases: the words of each.
        weights: (phrases, classes), natural log, their mean over the classes zero.
        bias: (classes,).
        classes: the names of the classes.
        tokenizer: "words" when texts are cut by the built-in tokenizer.
        method: where the weights come from.
        fingerprint: the network's.
    """

    phrases: tuple[tuple[str, ...], ...]
    weights: np.ndarray
    bias: np.ndarray
    classes: tuple[str, ...]
    tokenizer: str = "words"
    method: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        shape = len(self.phrases), len(self.classes)
        if self.weights.shape != shape or self.bias.shape != shape[1:]:
            raise DataError(
                "A phrase model has a weight for each phrase and class, and a bias a class.",
                expected=f"weights {shape}, bias {shape[1:]}",
                got=f"weights {self.weights.shape}, bias {self.bias.shape}",
            )
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
            raise DataError("Weights are finite numbers.", got="some that are not")

    @classmethod
    def summed(cls, phrases: Phrases, *, max_phrases: int | None = None) -> Self:
        """The phrases' own scores, with nothing fitted.

        A text that is one of the phrases gets that phrase's mean log-ratio: each weight is the
        mean less the weights of the mined phrases inside it.

        Args:
            phrases: from ``mine_phrases``.
            max_phrases: the first so many; all when None.
        """
        _require_phrases(phrases)
        words = phrases.words[:max_phrases]
        matcher = Matcher(words)
        inside = matcher.occurrences(words)
        weights = phrases.mean[: len(words)].copy()
        # A phrase's parts are shorter than it is, so their weights are known before its own.
        for length in range(2, 1 + max((len(w) for w in words), default=0)):
            rows = np.array([k for k, w in enumerate(words) if len(w) == length], dtype=int)
            if len(rows):
                parts = inside[rows] @ weights - weights[rows]
                weights[rows] -= parts
        return cls(
            phrases=words,
            weights=_centred(weights),
            bias=np.zeros(len(phrases.classes)),
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
        max_phrases: int = 3000,
        words: bool = True,
        seed: int = 0,
    ) -> Self:
        """The weights refitted to the network's answers, with an L1 budget.

        An L1-penalised logistic regression on the counts of the phrases, each document weighed by
        how sure the network is, chooses at most ``max_phrases``; a ridge-penalised one meets the
        network's probabilities with them. Its penalty is the one that agrees best with the network
        on a tenth of the documents.

        Args:
            phrases: from ``mine_phrases``; what may be chosen.
            documents: token lists or texts to fit on; labels play no part, so any text of the
                kind serves, and more is better.
            logits: (documents, classes), the network's.
            max_phrases: the budget.
            words: also offer every single word that stands in two documents.
            seed: of the tenth.

        Raises:
            DataError: the arrays do not belong together, or the network gives one class only.
        """
        from rnnscope.rules.refit import refit

        _require_phrases(phrases)
        if not (isinstance(max_phrases, int) and max_phrases >= 1):
            raise UsageError(
                "A phrase model has a budget.", expected="max_phrases >= 1", got=repr(max_phrases)
            )
        tokens = list(as_tokens(documents, phrases.tokenizer))
        targets = np.asarray(logits, dtype=np.float64)
        if targets.shape != (len(tokens), len(phrases.classes)):
            raise DataError(
                "A phrase model is fitted to the network's logits of each document.",
                expected=str((len(tokens), len(phrases.classes))),
                got=str(targets.shape),
            )
        offered = phrases.words + (_frequent_words(tokens, phrases.words) if words else ())
        counts = Matcher(offered).occurrences(tokens)
        chosen, weights, bias = refit(counts, targets, max_phrases=max_phrases, seed=seed)
        order = np.argsort(-np.abs(weights).max(axis=1), kind="stable")
        return cls(
            phrases=tuple(offered[chosen[k]] for k in order),
            weights=weights[order],
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
        """Write the model as JSON, one phrase a line. Replaces only a file of its kind."""
        from rnnscope.rules.phrase_model_file import save_model

        return save_model(self, path)

    def logits(self, documents: Iterable[Any]) -> np.ndarray:
        """The summed evidence, (documents, classes)."""
        return self._counts(documents) @ self.weights + self.bias

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each document (token list or text), (documents,)."""
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
        """One row a phrase: phrase, class (that it speaks for), weight (for that class), and
        together: what the phrase and all it contains add to that class."""
        labels = self.weights.argmax(axis=1)
        rows = np.arange(self.size)
        together = (self._matcher.occurrences(self.phrases) @ self.weights)[rows, labels]
        return pl.DataFrame(
            {
                "phrase": [" ".join(words) for words in self.phrases],
                "class": [self.classes[k] for k in labels],
                "weight": self.weights[rows, labels],
                "together": together,
            },
            schema={
                "phrase": pl.String,
                "class": pl.String,
                "weight": pl.Float64,
                "together": pl.Float64,
            },
        )

    def _counts(self, documents: Iterable[Any]) -> csr_matrix:
        return self._matcher.occurrences(as_tokens(documents, self.tokenizer))

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.phrases)

    def __repr__(self) -> str:
        lines = [f"PhraseModel({self.size} phrases, {self.method})"]
        for words, row in zip(self.phrases[:10], self.weights[:10], strict=True):
            k = int(row.argmax())
            text, label = shown(" ".join(words)), shown(self.classes[k])
            lines.append(f"  {text!r} -> {label} {row[k]:+.2f}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        more = "" if self.size <= LIMIT else f", the first {LIMIT} shown"
        title = f"{self.size:,} phrases{more}; their weights add up"
        return html_table(
            title,
            ("phrase", "class", "weight", "with its parts"),
            self.to_frame().head(LIMIT).rows(),
        )


def _require_phrases(phrases: object) -> None:
    if not isinstance(phrases, Phrases):
        raise UsageError(
            "A phrase model is made of phrases.",
            expected="what mine_phrases gives",
            got=type(phrases).__name__,
        )


def _frequent_words(
    documents: Sequence[Sequence[str]], known: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], ...]:
    """Single words of two documents or more that are not known, in alphabetical order."""
    seen: dict[str, int] = {}
    for document in documents:
        for word in set(document):
            seen[word] = seen.get(word, 0) + 1
    single = {words[0] for words in known if len(words) == 1}
    return tuple((word,) for word in sorted(seen) if seen[word] >= 2 and word not in single)


def _centred(weights: np.ndarray) -> np.ndarray:
    return weights - weights.mean(axis=1, keepdims=True)
