"""How much agreement a description of a given size can buy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from rnnscope.errors import UsageError
from rnnscope.fidelity.judge import Description, Fidelity, judge
from rnnscope.notebook import ShowsItself
from rnnscope.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class FrontierPoint:
    """One description on the plane of size and agreement.

    Args:
        fidelity: how it was judged.
        best: no other point is as small and agrees as much, and is better in one of the two.
    """

    fidelity: Fidelity
    best: bool

    @property
    def size(self) -> int:
        """Rules, words or numbers it consists of."""
        return self.fidelity.size

    @property
    def agreement(self) -> Estimate:
        """Share of documents that it puts in the network's class."""
        return self.fidelity.agreement

    @property
    def accuracy(self) -> Estimate | None:
        """Share that it puts in the true class."""
        return self.fidelity.accuracy


@dataclass(frozen=True, kw_only=True, eq=False)
class Frontier(Sequence[FrontierPoint], ShowsItself):
    """Descriptions by growing size; those on the frontier are marked ``best``."""

    points: tuple[FrontierPoint, ...]

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: Any) -> Any:
        return self.points[index]

    @property
    def best(self) -> tuple[FrontierPoint, ...]:
        """The frontier: agreement grows strictly with size along it."""
        return tuple(point for point in self.points if point.best)

    def to_frame(self) -> pl.DataFrame:
        """One row a point: name, size, agreement and accuracy with intervals, coverage, best."""
        rows: list[dict[str, Any]] = []
        for point in self.points:
            accuracy = point.accuracy
            rows.append(
                {
                    "name": point.fidelity.name,
                    "size": point.size,
                    "agreement": point.agreement.value,
                    "agreement_low": point.agreement.low,
                    "agreement_high": point.agreement.high,
                    "accuracy": None if accuracy is None else accuracy.value,
                    "coverage": point.fidelity.coverage,
                    "best": point.best,
                }
            )
        return pl.DataFrame(rows, schema_overrides={"accuracy": pl.Float64})

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        return {"points": [{**p.fidelity.to_dict(), "best": p.best} for p in self.points]}

    def __repr__(self) -> str:
        lines = [f"Frontier({len(self.points)} points, * on the frontier)"]
        for point in self.points:
            mark = "*" if point.best else " "
            lines.append(f"  {mark} {point.size:8,d}  {point.agreement}  {point.fidelity.name}")
        return "\n".join(lines)


def frontier(
    descriptions: Callable[[int], Description] | Iterable[Description],
    documents: Sequence[Any],
    *,
    network: np.ndarray,
    labels: np.ndarray | None = None,
    sizes: Sequence[int] | None = None,
) -> Frontier:
    """Judge descriptions of many sizes on the same held-out documents.

    A size chosen by looking at the frontier has been chosen on these documents: judge it once
    more on others before its agreement is quoted.

    Args:
        descriptions: makes a description of about the size asked for, such as
            ``lambda n: RuleList.from_phrases(phrases, max_rules=n)``; or the descriptions.
        documents: held-out token lists.
        network: the network's class of each.
        labels: the true class of each, or None.
        sizes: what to ask for, with a function.

    Raises:
        UsageError: a function without sizes, sizes without a function, or nothing to judge.
        DataError: the arrays do not belong together.
    """
    if callable(descriptions) != (sizes is not None):
        raise UsageError(
            "A function that makes descriptions goes with sizes; descriptions go without.",
            expected="frontier(make, ..., sizes=[10, 100]) or frontier([small, large], ...)",
            got="a function without sizes"
            if callable(descriptions)
            else "sizes without a function",
        )
    made: list[tuple[str, Description]]
    if callable(descriptions):
        made = [(f"{size:,} asked for", descriptions(size)) for size in sizes or ()]
    else:
        made = [(getattr(d, "name", type(d).__name__), d) for d in descriptions]
    if not made:
        raise UsageError("A frontier needs at least one description.", got="none")
    rows = [judge(name, d, documents, network=network, labels=labels) for name, d in made]
    rows.sort(key=lambda row: (row.size, -row.agreement.value))
    points: list[FrontierPoint] = []
    highest, at_highest = -1.0, -1
    for row in rows:
        value = row.agreement.value
        best = value > highest or (value == highest and row.size == at_highest)
        if value > highest:
            highest, at_highest = value, row.size
        points.append(FrontierPoint(fidelity=row, best=best))
    return Frontier(points=tuple(points))
