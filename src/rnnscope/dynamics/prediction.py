"""One prediction of a hypothesis, measured: an effect size, its interval, and what it is held
against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnscope.statistics import Estimate, finite

CEILING = 0.95
"""A null this high leaves nothing to exceed."""

MARGIN = 0.01
"""A difference below this is none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """One prediction, measured.

    Attributes:
        name: which.
        value: what was measured; None where it could not be, the sentence says why.
        null: what it is held against; None where there is nothing to hold it against.
        sentence: both, in words.
        finding: whether it exceeds the null: "yes", "no", "by definition", "by construction" (of
            the points it was measured at), "cannot tell" (the null is at its ceiling), "not known".
            "yes" where the whole interval lies above every null.
        interval: of the value, 95 %, over points or words; None where there is none.
        nulls: every null by name, ``null`` among them.
    """

    name: str
    value: float | None
    null: float | None
    sentence: str
    finding: str
    interval: tuple[float, float] | None = None
    nulls: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def unknown(cls, name: str, sentence: str) -> Prediction:
        """One that could not be measured, and why."""
        return cls(name=name, value=None, null=None, sentence=sentence, finding="not known")

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "value": _known(self.value),
            "interval": None if self.interval is None else [_known(v) for v in self.interval],
            "null": _known(self.null),
            "nulls": {name: _known(value) for name, value in self.nulls.items()},
            "sentence": self.sentence,
            "finding": self.finding,
        }


def judge(
    estimate: Estimate | None, nulls: Mapping[str, float], *, built: bool, ceiling: float = CEILING
) -> str:
    """Whether a figure exceeds all its nulls.

    Args:
        estimate: the figure.
        nulls: what it must exceed.
        built: whether the points were made so that it does.
        ceiling: a null from here on leaves nothing to exceed.
    """
    if estimate is None or not nulls:
        return "not known"
    if built:
        return "by construction"
    highest = max(nulls.values())
    if highest >= ceiling:
        return "cannot tell"
    low = estimate.low if estimate.low == estimate.low else estimate.value
    return "yes" if low > highest + MARGIN else "no"


def interval_of(estimate: Estimate) -> tuple[float, float] | None:
    """The interval, or None where it is not known."""
    low, high = estimate.low, estimate.high
    return (low, high) if low == low and high == high else None


def beside(estimate: Estimate, spec: str) -> str:
    """The interval in words, " [low, high]", or nothing."""
    known = interval_of(estimate)
    return "" if known is None else f" [{known[0]:{spec}}, {known[1]:{spec}}]"


def _known(value: float | None) -> float | None:
    return None if value is None else finite(value)
