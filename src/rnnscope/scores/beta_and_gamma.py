"""Both scores of Murdoch & Szlam 2017 from one pass over the documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnnscope.models import Model
from rnnscope.scores.cell_decomposition import CellDecomposition
from rnnscope.scores.cell_difference import CellDifference
from rnnscope.scores.memory import memory_batches
from rnnscope.scores.word_scores import Batch, WordScores


def beta_and_gamma(model: Model, documents: Iterable[Any]) -> tuple[WordScores, WordScores]:
    """The cell difference and the cell decomposition of every word, for one run of the network.

    Args:
        model: the network, with a readout.
        documents: token lists, texts, index arrays, vectors, or a corpus.

    Returns:
        What ``CellDifference(model).score(documents)`` and ``CellDecomposition(model)
        .score(documents)`` give. Both are computed when either is first looked at.

    Raises:
        NotApplicable: no readout, or a cell without a gate that keeps its memory.
        DataError: a document that the model cannot read; the message names it.
    """
    decomposition = CellDecomposition(model)
    beta = CellDifference(model).score(documents)
    shared = _Shared(model, beta.encoded)

    def result(method: str, k: int) -> WordScores:
        return WordScores(
            method=method,
            model=model,
            tokens=beta.tokens,
            encoded=beta.encoded,
            batches=lambda: shared.take(k),
        )

    return result(CellDifference.name, 0), result(decomposition.name, 1)


class _Shared:
    """One run for two results: each takes its batches once, and keeps its own array of them."""

    def __init__(self, model: Model, encoded: Sequence[np.ndarray]) -> None:
        self._model, self._encoded = model, encoded
        self._waiting: dict[int, list[Batch]] = {}

    def take(self, k: int) -> Iterator[Batch]:
        if k not in self._waiting:
            pairs = list(memory_batches(self._model, self._encoded, (False, True)))
            self._waiting = {m: [pair[m] for pair in pairs] for m in (0, 1)}
        return iter(self._waiting.pop(k))
