"""The rule list (Murdoch & Szlam 2017): the first phrase that occurs decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import Phrases
from rnnscope.rules.matching import Matcher


@dataclass(frozen=True, kw_only=True)
class Rule:
    """If these words stand next to each other in the document, it is of this class.

    Args:
        words: the phrase.
        class_index: the class.
        importance: S of the phrase.
        count: its occurrences in the text it was mined from.
        precision: the share of the documents it occurs in that the network puts in the class.
    """

    words: tuple[str, ...]
    class_index: int
    importance: float
    count: int
    precision: float

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True)
class Firing:
    """Why a rule list gave a document its class.

    Args:
        class_index, class_name: the class.
        rule: the rule that fired, or None when none did and the default was given.
        rank: its place in the list, from 0; -1 for the default.
        position: the word at which its phrase first stands; -1 for the default.
    """

    class_index: int
    class_name: str
    rule: Rule | None
    rank: int
    position: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleList:
    """An ordered list of rules with a default class. Classifies without the network.

    Args:
        rules: in order; the first whose phrase occurs decides.
        default: the class of a document in which none occurs.
        classes: the names of the classes.
        tokenizer: "words" when texts are cut by the built-in tokenizer.
        method: the score that the rules were mined from; "" for rules made by hand.
        fingerprint: the network's that they were read out of; "" for rules made by hand.
    """

    rules: tuple[Rule, ...]
    default: int
    classes: tuple[str, ...]
    tokenizer: str = "words"
    method: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.default, int):
            raise UsageError(
                "The default is a class index.",
                expected=f"0 to {len(self.classes) - 1}",
                got=repr(self.default),
            )
        labels = [self.default, *(rule.class_index for rule in self.rules)]
        if not all(0 <= label < len(self.classes) for label in labels):
            raise DataError(
                "A rule must name a class of the list.",
                expected=f"0 to {len(self.classes) - 1}",
                got=str(sorted(set(labels))),
            )

    @classmethod
    def from_phrases(
        cls, phrases: Phrases, *, max_rules: int | None = 1000, default: int | None = None
    ) -> Self:
        """Turn mined phrases into rules, most important first.

        A phrase that contains a phrase ranked before it can never be the first to match, so it
        is left out; no prediction changes.

        Args:
            phrases: from ``mine_phrases``.
            max_rules: keep the first so many; all when None.
            default: the class when nothing matches; by default the class that the network gives
                most often.
        """
        if not isinstance(phrases, Phrases):
            raise UsageError(
                "Rules are made of phrases.",
                expected="what mine_phrases gives",
                got=type(phrases).__name__,
            )
        if max_rules is not None and not (isinstance(max_rules, int) and max_rules >= 1):
            raise UsageError(
                "A rule list may be bounded to one rule or more.",
                expected="max_rules >= 1, or None",
                got=repr(max_rules),
            )
        kept: set[tuple[str, ...]] = set()
        rules: list[Rule] = []
        for phrase in phrases:
            if max_rules is not None and len(rules) == max_rules:
                break
            if not kept.isdisjoint(_parts(phrase.words)):
                continue
            kept.add(phrase.words)
            rules.append(
                Rule(
                    words=phrase.words,
                    class_index=phrase.class_index,
                    importance=phrase.importance,
                    count=phrase.count,
                    precision=phrase.precision,
                )
            )
        majority = int(phrases.predicted.argmax())
        return cls(
            rules=tuple(rules),
            default=majority if default is None else default,
            classes=phrases.classes,
            tokenizer=phrases.tokenizer,
            method=phrases.method,
            fingerprint=phrases.fingerprint,
        )

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each document (token list or text), (documents,)."""
        labels = np.array([rule.class_index for rule in self.rules] + [self.default])
        return labels[self.fired(documents)]

    def fired(self, documents: Iterable[Any]) -> np.ndarray:
        """The rank of the rule that decides each document; -1 where none does."""
        first = self._matcher.first
        ranks = [first(tokens)[0] for tokens in self._tokens(documents)]
        return np.array(ranks, dtype=np.int64)

    def explain(self, document: Any) -> Firing:
        """Which rule decides a document (token list or text), and where it matched."""
        rank, position = self._matcher.first(next(iter(self._tokens([document]))))
        rule = self.rules[rank] if rank >= 0 else None
        label = self.default if rule is None else rule.class_index
        return Firing(
            class_index=label,
            class_name=self.classes[label],
            rule=rule,
            rank=rank,
            position=position,
        )

    @property
    def size(self) -> int:
        """The number of rules."""
        return len(self.rules)

    def to_dict(self, *, limit: int | None = None) -> dict[str, Any]:
        """JSON-safe: default, classes, and the first ``limit`` rules in order."""
        return {
            "classes": list(self.classes),
            "default": self.classes[self.default],
            "tokenizer": self.tokenizer,
            "method": self.method,
            "fingerprint": self.fingerprint,
            "size": self.size,
            "rules": [
                {
                    "phrase": list(rule.words),
                    "class": self.classes[rule.class_index],
                    "importance": rule.importance,
                    "count": rule.count,
                    "precision": rule.precision,
                }
                for rule in self.rules[:limit]
            ],
        }

    def _tokens(self, documents: Iterable[Any]) -> Iterable[Sequence[str]]:
        if isinstance(documents, str):
            raise DataError(
                "Documents come as a list.",
                expected="a list of token lists or texts",
                got=f"one text, {documents[:40]!r}",
                fix="wrap it: [text]",
            )
        for row, document in enumerate(documents):
            if isinstance(document, str):
                if self.tokenizer != "words":
                    raise DataError(
                        "These rules were mined with a tokenizer that is not stored.",
                        expected="token lists",
                        got=f"a text as document {row}",
                    )
                document = tokenize(document)
            elif not hasattr(document, "__iter__") or not all(
                isinstance(word, str) for word in document
            ):
                raise DataError(
                    "A document is a sequence of words.", got=f"other things in document {row}"
                )
            yield document

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher([rule.words for rule in self.rules])

    def __repr__(self) -> str:
        lines = [f"RuleList({self.size} rules, else {self.classes[self.default]})"]
        for rank, rule in enumerate(self.rules[:10], 1):
            lines.append(
                f"  {rank:4d}. {rule.text!r} -> {self.classes[rule.class_index]}"
                f"  (S = {rule.importance:.2f}, {rule.count} times)"
            )
        return "\n".join(lines)


def _parts(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every contiguous part of a phrase, itself included."""
    n = len(words)
    return [words[a:b] for a in range(n) for b in range(a + 1, n + 1)]
