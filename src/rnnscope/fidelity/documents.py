"""The documents that scores are of, as the network reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.scores import WordScores, against_others


def encoded_documents(
    model: Model, scores: WordScores, documents: Iterable[Any] | None
) -> list[np.ndarray]:
    """What the network reads, one array of indices or of vectors for each document of the scores.

    Raises:
        UsageError: the scores are another network's, or a network that reads vectors was given no
            documents.
        DataError: the documents are not those of the scores; scores that are not finite; none.
    """
    if not isinstance(scores, WordScores):
        raise UsageError(
            "What is tested is a document's word scores.",
            expected="what CellDecomposition(model).score(documents) gives",
            got=type(scores).__name__,
        )
    if scores.fingerprint != model.fingerprint:
        raise UsageError(
            "Scores are tested on the network that they are of.",
            expected=f"a network with the fingerprint {scores.fingerprint[:12]}",
            got=model.fingerprint[:12],
        )
    if not len(scores):
        raise DataError("There must be at least one document.", got="none")
    if documents is not None:
        encoded = model.encode(documents)
    elif scores.ids is not None:
        encoded = list(scores.ids)
    else:
        raise UsageError(
            "Scores of a network that reads vectors are tested on those vectors.",
            expected="documents=",
            got="none",
        )
    same = [len(d) for d in encoded] == np.diff(scores.offsets).tolist()
    if same and scores.ids is not None:
        same = all(map(np.array_equal, encoded, scores.ids))
    if not same:
        raise DataError(
            "The documents must be those that were scored, in the same order.",
            expected=f"the {len(scores)} documents of the scores",
            got=f"{len(encoded)} documents, of other words or lengths",
        )
    if not np.isfinite(scores.values.cpu().numpy()).all():
        raise DataError("Scores must be finite numbers.", got="some that are not")
    return encoded


def towards(scores: WordScores, classes: np.ndarray) -> list[np.ndarray]:
    """For each document, how much each word speaks for one class against the others, (words,)."""
    values = against_others(scores.values.double()).cpu().numpy()
    spans = zip(scores.offsets[:-1], scores.offsets[1:], classes, strict=True)
    return [values[start:stop, label] for start, stop, label in spans]
