"""How true a description of a network is: always against the network, on held-out text."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from rnnscope.errors import DataError, UsageError
from rnnscope.rules.documents import as_tokens
from rnnscope.statistics import Estimate, balanced_agreement, finite, kappa, mean, share


class Description(Protocol):
    """Anything that gives a class without the network.

    It may also have ``fired(documents)``, the part that decides each document, -1 where it falls
    back on a default; ``decide(documents)``, both at once, as ``labels`` and ``ranks``; and
    ``consulted(documents)``, how many of its parts a document touches.
    """

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
        covered: share that it says something about, rather than fall back on a default.
        size: rules, words or numbers it consists of.
        balanced: agreement within each class of the network, averaged: 1 / classes for a constant
            guess. NaN where the network gives one class only.
        kappa: Cohen's kappa with the network: 0 for a constant guess. NaN as ``balanced``.
        by_class: agreement on the documents that the network puts in each class, by class index.
        confident, unsure: agreement on the half of the documents that the network is surest of,
            and on the other half; None without its probabilities.
        consulted: how many of its parts a document touches, a cost that no machine changes; None
            where the description does not count them.
        documents, words: how much was judged on.
        seconds: what the prediction took here, a measurement; no part of equality.
        notes: what is not a number, and why.
    """

    name: str
    agreement: Estimate
    accuracy: Estimate | None
    covered: Estimate
    size: int
    balanced: Estimate = field(default_factory=Estimate.unknown)
    kappa: Estimate = field(default_factory=Estimate.unknown)
    by_class: tuple[Estimate, ...] = ()
    confident: Estimate | None = None
    unsure: Estimate | None = None
    consulted: Estimate | None = None
    documents: int = 0
    words: int = 0
    seconds: float = field(default=float("nan"), compare=False)
    notes: tuple[str, ...] = ()

    @property
    def coverage(self) -> float:
        """The share that it says something about."""
        return self.covered.value

    @property
    def documents_per_second(self) -> float:
        """Measured here, once: compare only figures of the same run."""
        return self.documents / self.seconds if self.seconds > 0 else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""

        def figures(estimate: Estimate | None) -> dict[str, Any] | None:
            return None if estimate is None else estimate.to_dict()

        return {
            "name": self.name,
            "agreement": self.agreement.to_dict(),
            "accuracy": figures(self.accuracy),
            "coverage": finite(self.coverage),
            "covered": self.covered.to_dict(),
            "size": self.size,
            "balanced": self.balanced.to_dict(),
            "kappa": self.kappa.to_dict(),
            "by_class": [estimate.to_dict() for estimate in self.by_class],
            "confident": figures(self.confident),
            "unsure": figures(self.unsure),
            "consulted": figures(self.consulted),
            "documents": self.documents,
            "words": self.words,
            "seconds": finite(self.seconds),
            "notes": list(self.notes),
        }


def judge(
    name: str,
    description: Description,
    documents: Sequence[Any],
    *,
    network: np.ndarray,
    labels: np.ndarray | None = None,
    probabilities: np.ndarray | None = None,
) -> Fidelity:
    """Judge a description against the network, and against labels where there are any.

    Args:
        name: what to call it.
        description: has ``predict`` and ``size``, and ``fired`` if it has a default.
        documents: held-out token lists.
        network: the network's class of each.
        labels: the true class of each, or None.
        probabilities: the network's, (documents, classes), to tell where it is sure; or None.

    Raises:
        DataError: the arrays do not belong together, or there is nothing to judge on.
    """
    network = check_judged(documents, network, labels)
    answers = answers_of(description, documents)
    return judged(
        name,
        description,
        documents,
        answers=answers,
        network=network,
        labels=labels,
        probabilities=probabilities,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a description says of documents.

    Args:
        given: (documents,), the class.
        says: (documents,), whether it says something, rather than fall back on a default.
        seconds: what the classes took.
    """

    given: np.ndarray
    says: np.ndarray
    seconds: float


def answers_of(description: Any, documents: Sequence[Any]) -> Answers:
    """Ask a description once, where it can say class and rule at once."""
    if not hasattr(description, "predict") or not hasattr(description, "size"):
        raise UsageError(
            "A description gives classes and has a size.",
            expected="something with predict(documents) and size",
            got=type(description).__name__,
        )
    start = perf_counter()
    if hasattr(description, "decide"):
        decided = description.decide(documents)
        given, fired = np.asarray(decided.labels), np.asarray(decided.ranks)
        return Answers(given=given, says=fired >= 0, seconds=perf_counter() - start)
    given = np.asarray(description.predict(documents))
    seconds = perf_counter() - start
    if not hasattr(description, "fired"):
        return Answers(given=given, says=np.ones(len(documents), dtype=bool), seconds=seconds)
    return Answers(given=given, says=np.asarray(description.fired(documents)) >= 0, seconds=seconds)


def judged(
    name: str,
    description: Description,
    documents: Sequence[Any],
    *,
    answers: Answers,
    network: np.ndarray,
    labels: np.ndarray | None,
    probabilities: np.ndarray | None,
) -> Fidelity:
    """The same for a description that has already answered."""
    given = answers.given
    if given.shape != network.shape:
        raise DataError(
            "A description gives one class to each document.",
            expected=f"{len(network)} classes",
            got=f"{name}: an array of shape {given.shape}",
        )
    hits = given == network
    consulted = getattr(description, "consulted", None)
    notes: list[str] = []
    if len(np.unique(network)) < 2:
        notes.append(
            "The network gives one class only on this text, so neither balanced agreement nor "
            "kappa can tell a description from a constant guess."
        )
    confident = unsure = None
    if probabilities is not None:
        confident, unsure = _by_confidence(hits, np.asarray(probabilities), notes)
    return Fidelity(
        name=name,
        agreement=share(hits),
        accuracy=None if labels is None else share(given == labels),
        covered=share(answers.says),
        size=description.size,
        balanced=balanced_agreement(given, network),
        kappa=kappa(given, network),
        by_class=tuple(share(hits[network == k]) for k in range(int(network.max()) + 1)),
        confident=confident,
        unsure=unsure,
        consulted=None if consulted is None else mean(consulted(documents)),
        documents=len(documents),
        words=sum(map(len, as_tokens(documents, "words"))),
        seconds=answers.seconds,
        notes=tuple(notes),
    )


def check_judged(documents: Any, network: Any, labels: Any) -> np.ndarray:
    """The network's classes as an array, one for each document.

    Raises:
        DataError: the arrays do not belong together, or there is nothing to judge on.
    """
    if isinstance(documents, str) or not isinstance(documents, Sized):
        raise DataError(
            "Documents come as a list.",
            expected="a list of token lists",
            got=f"{documents!r:.40}",
            fix="pass list(documents)",
        )
    network = np.asarray(network)
    if not len(documents) or network.shape != (len(documents),):
        raise DataError(
            "A description is judged on documents with the network's class of each.",
            expected="as many classes as documents, at least one",
            got=f"{len(documents)} documents, {network.size} classes in shape {network.shape}",
        )
    _check_indices("The network's classes", network, fix="pass model.predict(documents)")
    if labels is not None:
        if np.shape(labels) != (len(documents),):
            raise DataError(
                "There must be one label for each document.",
                expected=f"{len(documents)} labels",
                got=f"shape {np.shape(labels)}",
            )
        _check_indices("Labels", np.asarray(labels), fix="number them as the network's classes are")
    return network


def _check_indices(what: str, given: np.ndarray, *, fix: str) -> None:
    # Anything else would agree with no class, and count as wrong.
    if not np.issubdtype(given.dtype, np.integer) or given.min() < 0:
        raise DataError(
            f"{what} are class indices.",
            expected="whole numbers from 0",
            got=f"an array of {given.dtype}, such as {given[0]!r:.40}",
            fix=fix,
        )


def _by_confidence(
    hits: np.ndarray, probabilities: np.ndarray, notes: list[str]
) -> tuple[Estimate, Estimate]:
    if probabilities.ndim != 2 or len(probabilities) != len(hits):
        raise DataError(
            "There must be the network's probabilities of each document.",
            expected=f"an array ({len(hits)}, classes)",
            got=str(probabilities.shape),
        )
    sure = probabilities.max(axis=1)
    high = sure > np.median(sure)
    if not high.any():
        notes.append("The network is equally sure of all documents, or of more than half of them.")
        return Estimate.unknown(), share(hits)
    return share(hits[high]), share(hits[~high])
