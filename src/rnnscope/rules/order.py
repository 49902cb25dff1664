"""The order in which mined phrases become rules, and the bounds on how many do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np

from rnnscope.errors import UsageError
from rnnscope.phrases import Phrase, Phrases
from rnnscope.statistics import wilson

Order = Literal["importance", "supported"]


def ordered(phrases: Phrases, order: Order) -> Iterator[Phrase]:
    """The phrases in the order of their rules; see ``RuleList.from_phrases``."""
    if order == "importance":
        return iter(phrases)
    if order != "supported":
        raise UsageError(
            "The order of the rules must exist.",
            expected=" or ".join(get_args(Order)),
            got=repr(order),
        )
    if not len(phrases):
        return iter(())
    row = np.arange(len(phrases))
    documents = phrases.document_counts.sum(axis=1)
    hits = phrases.document_counts[row, phrases.class_index]
    strength = phrases.log_importance.max(axis=1)
    # What speaks against its own class (S below 1) is not made better by being unsure.
    key = np.where(strength > 0, wilson(hits, documents)[0] * strength, strength)
    return (phrases[int(k)] for k in np.argsort(-key, kind="stable"))


def check_bounds(max_rules: int | None, min_importance: float | None) -> None:
    """Raise UsageError unless both bounds of a rule list are possible."""
    if max_rules is not None and not (isinstance(max_rules, int | np.integer) and max_rules >= 1):
        raise UsageError(
            "A rule list may be bounded to one rule or more.",
            expected="max_rules >= 1, or None",
            got=repr(max_rules),
        )
    if min_importance is not None and (
        not isinstance(min_importance, int | float | np.number) or math.isnan(min_importance)
    ):
        raise UsageError(
            "The least importance of a rule is a number.",
            expected="min_importance such as 1.5, or None",
            got=repr(min_importance),
        )


def parts(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every contiguous part of a phrase, itself included."""
    n = len(words)
    return [words[a:b] for a in range(n) for b in range(a + 1, n + 1)]
