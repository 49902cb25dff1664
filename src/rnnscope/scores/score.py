"""What every score is: a method that gives each word a log-importance for each class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.scores.word_scores import Batch, WordScores


class Score(ABC):
    """A method that gives each word of a document a log-importance for each class.

    Args:
        model: the network, with a readout.
    """

    name: ClassVar[str]

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Model):
            raise UsageError(
                "A score is of a model.",
                expected="a rnnscope Model",
                got=type(model).__name__,
                fix="read a torch module with from_torch(module)",
            )
        model.require_readout()
        self.model = model

    def score(self, documents: Iterable[Any]) -> WordScores:
        """Score every word of every document for every class.

        Args:
            documents: token lists, texts, index arrays, vectors, or a corpus.

        Returns:
            One ``DocumentScores`` per document, in order; computed when first looked at.

        Raises:
            DataError: a document that the model cannot read; the message names it.
        """
        listed: Any = documents
        if not isinstance(documents, str):
            self._require_documents(documents)
            listed = [list(d) if isinstance(d, Iterator) else d for d in documents]
        encoded = self.model.encode(listed)
        return WordScores(
            method=self.name,
            model=self.model,
            tokens=[_tokens(self.model, d, e) for d, e in zip(listed, encoded, strict=True)],
            encoded=encoded,
            batches=lambda: self.batches(encoded),
        )

    @staticmethod
    def _require_documents(documents: Any) -> None:
        if not isinstance(documents, Iterable):
            raise DataError(
                "Documents come as a list.",
                expected="a list of token lists or texts",
                got=type(documents).__name__,
            )

    @abstractmethod
    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        """The scores, batch by batch, in any order."""


def _tokens(model: Model, document: Any, encoded: Any) -> tuple[str, ...]:
    if isinstance(document, str):
        return tuple(model.tokenize(document))
    if model.embedding is not None and isinstance(next(iter(document)), str):
        return tuple(document)
    if model.vocabulary is not None:
        return tuple(model.vocabulary.decode(encoded))
    return tuple(str(k) for k in range(len(encoded)))
