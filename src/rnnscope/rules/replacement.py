"""A rule list beside the network it would replace: size, speed, agreement."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import html_table
from rnnscope.rules.export import to_json
from rnnscope.rules.rule_list import RuleList
from rnnscope.statistics import Estimate, share


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacement:
    """What is gained and lost by putting a rule list in the network's place.

    Args:
        rules: rules in the list.
        documents: how many both were run on.
        agreement: the share of them in which both give the same class.
        rules_bytes: the list as JSON, in UTF-8.
        network_bytes: the network's weights.
        rules_per_second, network_per_second: documents a second, the better of ``repeats`` runs
            taken in turn on this machine; the list's counts the cutting of texts into words.
    """

    rules: int
    documents: int
    agreement: Estimate
    rules_bytes: int
    network_bytes: int
    rules_per_second: float
    network_per_second: float

    @property
    def times_smaller(self) -> float:
        """The network's bytes over the list's."""
        return self.network_bytes / self.rules_bytes

    @property
    def times_faster(self) -> float:
        """The list's documents a second over the network's."""
        return self.rules_per_second / self.network_per_second

    def __repr__(self) -> str:
        return (
            f"Replacement: {self.rules:,} rules agree with the network on {self.agreement} of "
            f"{self.documents:,} documents\n"
            f"  bytes               {self.rules_bytes:,} for {self.network_bytes:,}"
            f"  ({self.times_smaller:,.1f} times smaller)\n"
            f"  documents a second  {self.rules_per_second:,.0f} for "
            f"{self.network_per_second:,.0f}  ({self.times_faster:,.1f} times faster)"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("bytes", self.rules_bytes, self.network_bytes),
            ("documents a second", round(self.rules_per_second), round(self.network_per_second)),
        ]
        title = f"{self.rules:,} rules agree with the network on {self.agreement}"
        return html_table(title, rows, head=("", "rules", "network"))


def compare_with_network(
    rules: RuleList, model: Any, documents: Sequence[Any], *, repeats: int = 3
) -> Replacement:
    """Run both on the same documents, in turn, and compare.

    Args:
        rules: the list.
        model: the network: has ``predict`` and ``weights``, as ``Model`` does.
        documents: token lists or texts that both can read, held out.
        repeats: runs of each.

    Raises:
        UsageError: the network has no ``predict`` or no ``weights``, or ``repeats`` is no count.
        DataError: there are no documents.
    """
    if not callable(getattr(model, "predict", None)) or not hasattr(model, "weights"):
        raise UsageError(
            "Rules are compared with a network.",
            expected="a Model",
            got=type(model).__name__,
        )
    if not isinstance(repeats, int) or repeats < 1:
        raise UsageError("Each is run once or more.", expected="repeats >= 1", got=repr(repeats))
    documents = documents if isinstance(documents, str) else list(documents)
    if not len(documents):
        raise DataError("There must be documents to compare on.", got="none")
    given, own = rules.predict(documents), np.asarray(model.predict(documents))
    seconds = [
        (_seconds(rules.predict, documents), _seconds(model.predict, documents))
        for _ in range(repeats)
    ]
    by_rules, by_network = np.min(seconds, axis=0)
    weights = model.weights().values()
    return Replacement(
        rules=rules.size,
        documents=len(documents),
        agreement=share(given == own),
        rules_bytes=len(to_json(rules).encode()),
        network_bytes=sum(w.numel() * w.element_size() for w in weights),
        rules_per_second=len(documents) / by_rules,
        network_per_second=len(documents) / by_network,
    )


def _seconds(predict: Callable[[Any], Any], documents: Any) -> float:
    start = time.perf_counter()
    predict(documents)
    return time.perf_counter() - start
