"""The rule list (Murdoch & Szlam 2017): the first phrase that occurs decides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import LIMIT, html_table
from rnnscope.notebook import visible as shown
from rnnscope.phrases import Phrases
from rnnscope.rules.documents import as_tokens, check_phrases, checked_weights
from rnnscope.rules.matching import Matcher
from rnnscope.rules.order import Order, check_bounds, ordered, parts
from rnnscope.rules.pruning import kept_by_pruning
from rnnscope.rules.rule import Decisions, Firing, Rule

if TYPE_CHECKING:
    from rnnscope.rules.evidence import Evidence


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

    Raises:
        UsageError: the default is no class index.
        DataError: a class named twice, a rule of no class, whose phrase is no tuple of words, or
            with the phrase of another rule.
    """

    rules: tuple[Rule, ...]
    default: int
    classes: tuple[str, ...]
    tokenizer: str = "words"
    method: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.default, int | np.integer) or isinstance(self.default, bool):
            raise UsageError(
                "The default is a class index.",
                expected=f"0 to {len(self.classes) - 1}",
                got=repr(self.default),
            )
        labels = [self.default, *(rule.class_index for rule in self.rules)]
        whole = all(isinstance(label, int | np.integer) for label in labels)
        if not whole or not all(0 <= label < len(self.classes) for label in labels):
            raise DataError(
                "A rule must name a class of the list.",
                expected=f"0 to {len(self.classes) - 1}",
                got=str(sorted(set(labels))),
            )
        check_phrases([rule.words for rule in self.rules], self.classes, kind="rule")

    @classmethod
    def from_phrases(
        cls,
        phrases: Phrases,
        *,
        max_rules: int | None = 1000,
        min_importance: float | None = None,
        default: int | None = None,
        order: Order = "importance",
    ) -> Self:
        """Turn mined phrases into rules, most important first.

        A phrase that contains a phrase ranked before it can never be the first to match, so it
        is left out; no prediction changes. Where no phrase is left, the list is its default.

        Args:
            phrases: from ``mine_phrases``.
            max_rules: keep the first so many; all when None.
            min_importance: the least S of a rule; no bound when None.
            default: the class when nothing matches; by default the class that the network gives
                most often.
            order: "importance", by S as in the paper; or "supported", by log S times the lower end
                of the 95 % interval of the phrase's precision, the share of the documents it
                occurs in that the network puts in its class. S says how strong a phrase is where
                it stands; long documents have room for much else, and rare phrases have a large S
                by chance.
        """
        if not isinstance(phrases, Phrases):
            raise UsageError(
                "Rules are made of phrases.",
                expected="what mine_phrases gives",
                got=type(phrases).__name__,
            )
        check_bounds(max_rules, min_importance)
        kept: set[tuple[str, ...]] = set()
        rules: list[Rule] = []
        for phrase in ordered(phrases, order):
            if max_rules is not None and len(rules) == max_rules:
                break
            if min_importance is not None and not phrase.importance >= min_importance:
                continue
            if not kept.isdisjoint(parts(phrase.words)):
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

    @classmethod
    def of(
        cls,
        rules: Iterable[tuple[str | Sequence[str], str]],
        *,
        default: str,
        classes: Sequence[str],
        tokenizer: str = "words",
    ) -> Self:
        """A list made by hand: ``RuleList.of([("not good", "negative"), ...], ...)``.

        Args:
            rules: each a phrase, as a text or as a list of words, and the name of its class.
            default: the name of the class when nothing matches.
            classes: the names of all classes, in the order of the network's.
            tokenizer: "words" cuts phrases and documents given as texts as the built-in tokenizer
                does; with any other name they are given as lists of words.

        Raises:
            DataError: an unknown class, an empty phrase, a phrase given twice; the rule is named.
        """
        from rnnscope.rules.export import from_entries

        entries = [{"phrase": phrase, "class": name} for phrase, name in rules]
        header = {"classes": list(classes), "default": default, "tokenizer": tokenizer}
        return from_entries(cls, header, entries)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a list that ``export`` wrote as JSON, edited by hand or not. Executes nothing.

        Raises:
            UsageError: there is no file to read.
            DataError: it is not a rule list; the line, or the rule, is named.
        """
        from rnnscope.rules.export import load_rules

        return load_rules(cls, path)

    def export(self, path: str | Path) -> Path:
        """Write the list to a file, whole or not at all; the name's ending says what kind.

        ``.json`` holds one rule a line, to be read, edited and loaded again
        (docs/rule-list-format.md). ``.py`` is one Python file that needs nothing but Python and
        gives the same predictions: import it, or pipe texts into it.

        Raises:
            UsageError: another ending, a path that cannot be written, or one that holds
                something other than an exported rule list.
            DataError: the format cannot hold a word of the list.
        """
        from rnnscope.rules.export import export_rules

        return export_rules(self, path)

    def pruned(
        self,
        documents: Iterable[Any],
        network: np.ndarray,
        *,
        max_rules: int | None = None,
        weights: np.ndarray | None = None,
    ) -> Self:
        """A shorter list that keeps its agreement with the network, by backward elimination.

        Without a rule its documents fall to the next that matches. The rule whose absence costs
        the least agreement goes first, as long as that costs nothing; then, with ``max_rules``,
        the cheapest until so many are left. The order of the rest is kept. A rule that matches
        none of the documents goes.

        Args:
            documents: token lists or texts to prune on: the mined text, or more of its kind; not
                what the list is judged on.
            network: the network's class of each, (documents,).
            max_rules: keep at most so many; all that pay for themselves when None.
            weights: (documents,), how much each counts; 1 when None.

        Raises:
            UsageError: ``max_rules`` below one.
            DataError: no documents, or not a class of the list or a weight for each.
        """
        check_bounds(max_rules, None)
        matches = self._matcher.occurrences(as_tokens(documents, self.tokenizer))
        answers = np.asarray(network)
        count = len(matches.indptr) - 1
        if answers.shape != (count,) or not count:
            raise DataError(
                "Rules are pruned on documents with the network's class of each.",
                expected=f"({count},)" if count else "one document or more",
                got=str(answers.shape) if count else "none",
            )
        whole = answers.dtype.kind in "iu"
        if not whole or answers.min() < 0 or answers.max() >= len(self.classes):
            raise DataError(
                "The network's class of each document is an index.",
                expected=f"whole numbers, 0 to {len(self.classes) - 1}",
                got=f"{answers.dtype}, {str(np.unique(answers))[:80]}",
            )
        labels = np.array([rule.class_index for rule in self.rules], dtype=np.int64)
        kept = kept_by_pruning(
            matches,
            labels,
            self.default,
            answers,
            max_rules=max_rules,
            weights=checked_weights(weights, count),
        )
        return replace(self, rules=tuple(self.rules[k] for k in kept))

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The class index of each document (token list or text), (documents,)."""
        return self.decide(documents).labels

    def fired(self, documents: Iterable[Any]) -> np.ndarray:
        """The rank of the rule that decides each document; -1 where none does."""
        return self.decide(documents).ranks

    def decide(self, documents: Iterable[Any]) -> Decisions:
        """Class, rule and place of the match of each document, in one pass."""
        ranks, positions = self._matcher.first_of(as_tokens(documents, self.tokenizer))
        labels = np.array([rule.class_index for rule in self.rules] + [self.default])
        return Decisions(labels=labels[ranks], ranks=ranks, positions=positions)

    def explain(self, document: Any) -> Firing:
        """Which rule decides a document (token list or text), and where it matched."""
        return self.explain_all([document])[0]

    def explain_all(self, documents: Iterable[Any]) -> list[Firing]:
        """The same for many documents."""
        decided = self.decide(documents)
        return [
            Firing(
                class_index=label,
                class_name=self.classes[label],
                rule=self.rules[rank] if rank >= 0 else None,
                rank=rank,
                position=position,
            )
            for label, rank, position in zip(
                decided.labels.tolist(),
                decided.ranks.tolist(),
                decided.positions.tolist(),
                strict=True,
            )
        ]

    def matches(self, document: Any) -> list[Firing]:
        """Every rule whose phrase occurs in a document (token list or text), wherever it does.

        In the order of the list, then of the text; the first decides.
        """
        (words,) = as_tokens([document], self.tokenizer)
        return [
            Firing(
                class_index=self.rules[rank].class_index,
                class_name=self.classes[self.rules[rank].class_index],
                rule=self.rules[rank],
                rank=rank,
                position=position,
            )
            for rank, position in (self._matcher.all(words) if self.rules else ())
        ]

    def evidence(
        self,
        documents: Sequence[Any],
        *,
        network: np.ndarray,
        labels: np.ndarray | None = None,
        examples: int = 3,
    ) -> Evidence:
        """What speaks for and against each rule on these documents.

        Args:
            documents: token lists or texts, held out from those the rules were mined from.
            network: the network's class of each, (documents,), or its probabilities, (documents,
                classes), which put the most damaging counterexamples first.
            labels: the true class of each, or None.
            examples: covered examples and counterexamples kept for each rule.
        """
        from rnnscope.rules.evidence import collect_evidence

        return collect_evidence(self, documents, network, labels, examples)

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
                    "importance": _finite(rule.importance),
                    "count": None if rule.count is None else int(rule.count),
                    "precision": _finite(rule.precision),
                }
                for rule in self.rules[:limit]
            ],
        }

    def to_frame(self) -> pl.DataFrame:
        """One row a rule: rank (from 0), phrase, class, importance (S), count, precision."""
        schema = {
            "rank": pl.Int64,
            "phrase": pl.String,
            "class": pl.String,
            "importance": pl.Float64,
            "count": pl.Int64,
            "precision": pl.Float64,
        }
        return pl.DataFrame(self._rows(), schema=schema, orient="row")

    def _rows(self, limit: int | None = None) -> list[tuple[Any, ...]]:
        columns = "importance", "count", "precision"
        return [
            (k, rule.text, self.classes[rule.class_index], *(getattr(rule, c) for c in columns))
            for k, rule in enumerate(self.rules[:limit])
        ]

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher([rule.words for rule in self.rules])

    def __repr__(self) -> str:
        lines = [f"RuleList({self.size} rules, else {shown(self.classes[self.default])})"]
        for rank, rule in enumerate(self.rules[:10], 1):
            line = f"  {rank:4d}. {rule.text!r} -> {shown(self.classes[rule.class_index])}"
            if rule.importance is not None:
                line += f"  (S = {rule.importance:.2f}, {rule.count} times)"
            lines.append(line)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        listed = [(rank + 1, *rest) for rank, *rest in self._rows(LIMIT)]
        listed.append(("", "otherwise", self.classes[self.default], None, None, None))
        more = "" if self.size <= LIMIT else f", the first {LIMIT} shown"
        title = f"{self.size:,} rules{more}; the first whose phrase occurs decides"
        head = ("", "phrase", "class", "S", "count", "precision")
        return html_table(title, listed, head=head, limit=LIMIT + 1)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
