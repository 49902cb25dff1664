"""What every score is: a method that gives each word a log-importance for each class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model
from rnnscope.numerics import own_precision
from rnnscope.scores.inputs import as_documents, as_targets, require_room
from rnnscope.scores.unsummed import UnsummedScores, refuse_completeness
from rnnscope.scores.word_scores import Batch, WordScores, require_finite, shards


class Score(ABC):
    """A method that gives each word of a document a log-importance for each class.

    Args:
        model: the network, with a readout.
    """

    name: ClassVar[str]

    complete: ClassVar[bool] = True
    """Whether a document's scores, with ``initial``, add up to logit - bias."""

    of_logits: ClassVar[bool] = True
    """Whether the scores are proportional to the logit they are of: those of a single logit z,
    which is read as two classes of -z/2 and z/2, are then twice those of its class."""

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Model):
            raise UsageError(
                "A score is of a model.",
                expected="a rnnscope Model",
                got=type(model).__name__,
                fix="read a torch module with from_torch(module)",
            )
        model.require_readout()
        if model.dtype not in (torch.float32, torch.float64):
            raise NotApplicable(
                "Scores are computed in float32 or float64.",
                expected="a model in one of them",
                got=str(model.dtype),
                fix="score model.to(torch.float32)",
            )
        self.model = model

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Self:
        """The same score of the model in another dtype or on another device."""
        return type(self)(self.model.to(dtype, device), **self.options)

    @property
    def options(self) -> dict[str, Any]:
        """What it was made with besides the model, by name."""
        return {}

    def score(self, documents: Iterable[Any]) -> WordScores:
        """Score every word of every document for every class.

        Args:
            documents: token lists, texts, index arrays, vectors, or a corpus.

        Returns:
            One ``DocumentScores`` per document, in order; computed when first looked at.

        Raises:
            DataError: a document that the model cannot read; the message names it.
            ModelError: weights or inputs so large that the dtype cannot hold their sums.
        """
        listed: Any = documents
        if not isinstance(documents, str):
            self._require_documents(documents)
            listed = [list(d) if isinstance(d, Iterator) else d for d in documents]
        encoded = self.model.encode(listed)
        require_room(self.model, encoded)
        if self.model.embedding is None:
            # The scores are computed later: what the caller does to his arrays must not matter.
            encoded = [np.array(document) for document in encoded]
        longest = max([len(document) for document in encoded], default=0)
        places = tuple(str(k) for k in range(longest))
        tokens = [_tokens(self.model, d, e, places) for d, e in zip(listed, encoded, strict=True)]
        return self._result(tokens, encoded)

    def stream(self, documents: Iterable[Any], *, shard: int = 10_000) -> Iterator[WordScores]:
        """Score documents that need not fit into memory, some at a time.

        A single document is held whole. Of the scores of an LSTM's memory (beta and gamma) even
        one of any length is read in a fixed number of arrays where the network has one layer.

        Args:
            documents: as for ``score``; any iterable, looked at once.
            shard: documents at a time.

        Yields:
            The scores of the next ``shard`` documents, in order. Drop one before the next and no
            more than a shard is ever held.

        Raises:
            UsageError: a shard of no documents.
            DataError: no iterable of documents, or a document that the model cannot read.
        """
        for part in shards(documents, shard):
            yield self.score(part)

    def attribute(
        self,
        inputs: Any,
        target: Any = None,
        *,
        lengths: Any = None,
        return_convergence_delta: bool = False,
    ) -> Any:
        """The scores of one class as a padded array: the call shape of captum's methods.

        Args:
            inputs: token lists, texts or index arrays of any lengths; or one padded tensor, word
                indices (B, T) or vectors (B, T, width).
            target: a class index for all documents, or one for each; may be left out for a
                network with a single logit, whose scores are then those of that logit (a norm of
                probabilities' gradients is of no logit: it stays as it is).
            lengths: (B,) words of each row of a padded tensor; all T where left out.
            return_convergence_delta: give also how far the scores miss what they add up to.

        Returns:
            (B, T) scores of the target's logit, 0 in the padding, where T is the longest document
            or the width of the tensor; with ``return_convergence_delta`` a pair of that and (B,)
            sums of the scores minus the change of the logit they account for.

        Raises:
            DataError: documents the model cannot read, or lengths that do not fit.
            UsageError: a target that is missing, no class index, or not one for each document.
            NotApplicable: a delta is asked of scores that do not add up to the logits.
            ModelError: numbers beyond those that the model's dtype holds.
        """
        if return_convergence_delta and not self.complete:
            refuse_completeness(self.name)
        documents, width = as_documents(inputs, lengths)
        self._require_documents(documents)
        encoded = self.model.encode(documents)
        require_room(self.model, encoded)
        readout = self.model.require_readout()
        single = target is None and readout.one_logit
        targets = as_targets(1 if single else target, len(encoded), len(readout.bias))
        scale = 2.0 if single and self.of_logits else 1.0
        longest = max([len(document) for document in encoded], default=0)
        values = readout.bias.new_zeros(len(encoded), max(longest, width), device="cpu")
        delta = values.new_zeros(len(encoded))
        bias = readout.bias[targets.to(readout.bias.device), None]
        with own_precision(self.model.device):
            for batch in self._target_batches(encoded, targets):
                require_finite(batch.values, batch.initial, batch.logits)
                rows, found = batch.indices, batch.values[..., 0].cpu()
                values[rows, : found.shape[1]] = scale * found
                change = batch.logits - bias[rows] - batch.initial
                delta[rows] = scale * (batch.values.sum(dim=1) - change)[:, 0].cpu()
        return (values, delta) if return_convergence_delta else values

    def _result(self, tokens: list[tuple[str, ...]], encoded: list[np.ndarray]) -> WordScores:
        kind = WordScores if self.complete else UnsummedScores
        return kind(
            method=self.name,
            model=self.model,
            tokens=tokens,
            encoded=encoded,
            batches=lambda: self.batches(encoded),
        )

    def _target_batches(self, encoded: list[np.ndarray], targets: Tensor) -> Iterator[Batch]:
        """Batches with the scores of each document's target alone, (B, T, 1)."""
        for batch in self.batches(encoded):
            chosen = targets[batch.indices].to(batch.values.device)
            rows = torch.arange(len(chosen), device=chosen.device)
            yield replace(
                batch,
                values=batch.values[rows, :, chosen].unsqueeze(-1),
                initial=batch.initial[rows, chosen].unsqueeze(-1),
                logits=batch.logits[rows, chosen].unsqueeze(-1),
            )

    @staticmethod
    def _require_documents(documents: Any) -> None:
        if not isinstance(documents, Iterable) or getattr(documents, "ndim", 1) == 0:
            raise DataError(
                "Documents come as a list.",
                expected="a list of token lists or texts",
                got=type(documents).__name__,
            )

    @abstractmethod
    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        """The scores, batch by batch, in any order."""


def _tokens(model: Model, document: Any, encoded: Any, places: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(document, str):
        return tuple(model.tokenize(document))
    if model.embedding is not None and isinstance(next(iter(document)), str):
        return tuple(document)
    if model.embedding is not None and model.vocabulary is not None:
        return tuple(model.vocabulary.decode(encoded))
    return places[: len(encoded)]
