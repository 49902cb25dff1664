"""How true a description of a network is: always against the network, on held-out text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rnnscope.errors import DataError
from rnnscope.statistics import Estimate, share


class Description(Protocol):
    """Anything that gives a class without the network."""

    @property
    def size(self) -> int: ...

    def predict(self, documents: Any) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How true a description is, on documents it was not made from.

    Args:
        name: the description.
        agreement: share of documents that it puts in the network's class.
        accuracy: share that it puts in the true class; None without labels.
        coverage: share that it says something about, rather than fall back on a default.
        size: rules, words or numbers it consists of.
    """

    name: str
    agreement: Estimate
    accuracy: Estimate | None
    coverage: float
    size: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            "name": self.name,
            "agreement": self.agreement.to_dict(),
            "accuracy": None if self.accuracy is None else self.accuracy.to_dict(),
            "coverage": self.coverage,
            "size": self.size,
        }


def judge(
    name: str,
    description: Description,
    documents: Sequence[Any],
    *,
    network: np.ndarray,
    labels: np.ndarray | None = None,
) -> Fidelity:
    """Judge a description against the network, and against labels where there are any.

    Args:
        name: what to call it.
        description: has ``predict`` and ``size``, and ``fired`` if it has a default.
        documents: held-out token lists.
        network: the network's class of each.
        labels: the true class of each, or None.

    Raises:
        DataError: the arrays do not belong together, or there is nothing to judge on.
    """
    if not len(documents) or len(documents) != len(network):
        raise DataError(
            "A description is judged on documents with the network's class of each.",
            expected="as many classes as documents, at least one",
            got=f"{len(documents)} documents, {len(network)} classes",
        )
    if labels is not None and len(labels) != len(documents):
        raise DataError(
            "There must be one label for each document.",
            expected=f"{len(documents)} labels",
            got=str(len(labels)),
        )
    given = description.predict(documents)
    fired = getattr(description, "fired", None)
    return Fidelity(
        name=name,
        agreement=share(given == network),
        accuracy=None if labels is None else share(given == labels),
        coverage=1.0 if fired is None else float((fired(documents) >= 0).mean()),
        size=description.size,
    )
