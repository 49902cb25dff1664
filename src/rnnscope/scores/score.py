"""What the two scores of Murdoch & Szlam 2017 share: a memory read out term by term."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor

from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model, Run, Trajectory
from rnnscope.models.layers import flip
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


class MemoryScore(Score):
    """A score that splits what the readout sees of a cell's additive memory into one term a word.

    The readout of a document sees ``expose(memory_t)``: ``o_t * tanh(c_t)`` for an LSTM, the state
    itself otherwise. With partial memories ``S_0 .. S_t`` where ``S_t = memory_t``, word j is
    given ``W_i (expose(S_j) - expose(S_{j-1}))``, which telescopes to ``W_i h_t`` exactly. The two
    methods differ in the partial memories alone: see ``forgets``.

    Pooled readouts: the terms of every read-out state, averaged for "mean", or taken unit by unit
    from the position of the maximum for "max". In a stack the top layer is split, so a score
    belongs to a position, whose input the layers below have already mixed with earlier words.
    """

    forgets: ClassVar[bool]
    """Whether a partial memory is what is left of it at the readout, or what it was at its word."""

    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        for trajectory in self.model.trajectories(documents, gates=True):
            yield self._batch(trajectory)

    @torch.no_grad()
    def _batch(self, trajectory: Trajectory) -> Batch:
        readout = self.model.require_readout()
        top = trajectory.layers[-1]
        widths = [run.direction.cell.hidden_size for run in top]
        weights = readout.weight.split(widths, dim=1)
        split = [self._terms(run, s) for run, s in zip(top, self._shares(top), strict=True)]
        values = [terms @ w.mT for (terms, _), w in zip(split, weights, strict=True)]
        initial = [start @ w.mT for (_, start), w in zip(split, weights, strict=True)]
        return Batch(
            indices=trajectory.indices,
            values=torch.stack(values).sum(dim=0),
            initial=torch.stack(initial).sum(dim=0),
            logits=trajectory.pooled @ readout.weight.mT + readout.bias,
        )

    def _terms(self, run: Run, share: Tensor | None) -> tuple[Tensor, Tensor]:
        """Each word's term of what the readout sees of one direction, and the initial state's.

        Args:
            run: what the direction did.
            share: (B, T, n), the weight of each position's state in the pooled state, in reading
                order; None when only the last state is read.
        """
        cell = run.direction.cell
        reverse, lengths = run.direction.reverse, run.lengths

        def reading_order(x: Tensor) -> Tensor:
            return flip(x, lengths) if reverse else x

        memory = reading_order(cell.memory(run.states))
        gates = {name: reading_order(gate) for name, gate in run.gates.items()}
        keep = cell.keep(gates) if self.forgets else torch.ones_like(memory)
        steps = torch.arange(memory.shape[1], device=memory.device)
        inside = (steps < lengths[:, None]).unsqueeze(-1)
        start = cell.memory(run.direction.start).expand(len(memory), 1, -1)
        memory = torch.cat([start, memory], dim=1)
        if share is None:
            terms = self._at_last(cell, memory, gates, keep, lengths, inside)
        else:
            terms = self._at_each(cell, memory, gates, keep, share)
        words = terms[:, 1:].masked_fill(~inside, 0)
        return reading_order(words), terms[:, 0]

    def _at_last(self, cell, memory, gates, keep, lengths, inside) -> Tensor:
        """(B, 1 + T, n): the terms of the last state; first the initial memory's."""
        rows = torch.arange(len(memory), device=memory.device)
        last = {name: gate[rows, lengths - 1].unsqueeze(1) for name, gate in gates.items()}
        # Beyond a document's end nothing is forgotten, so its last memory stands in every column.
        factors = keep.masked_fill(~inside, 1)
        tails = factors.flip(1).cumprod(dim=1).flip(1)
        tails = torch.cat([tails, torch.ones_like(tails[:, :1])], dim=1)
        return differences(cell.expose(tails * memory, last))

    def _at_each(self, cell, memory, gates, keep, share) -> Tensor:
        """(B, 1 + T, n): the terms of every read-out state, weighted by its share."""
        total = torch.zeros_like(memory)
        tails = torch.ones_like(memory)
        for t in range(share.shape[1]):
            tails[:, : t + 1] *= keep[:, t : t + 1]
            now = {name: gate[:, t : t + 1] for name, gate in gates.items()}
            partial = cell.expose(tails[:, : t + 2] * memory[:, : t + 2], now)
            total[:, : t + 2] += share[:, t : t + 1] * differences(partial)
        return total

    def _shares(self, top: tuple[Run, ...]) -> list[Tensor | None]:
        """How much of each position's state the pooled state holds, per direction."""
        if self.model.pooling == "last":
            return [None for _ in top]
        shares: list[Tensor | None] = []
        for run in top:
            outputs, lengths = run.outputs, run.lengths
            steps = torch.arange(outputs.shape[1], device=outputs.device)
            inside = (steps < lengths[:, None]).unsqueeze(-1)
            if self.model.pooling == "mean":
                share = inside.to(outputs.dtype) / lengths[:, None, None]
                share = share.expand_as(outputs)
            else:
                where = outputs.masked_fill(~inside, -torch.inf).argmax(dim=1, keepdim=True)
                share = torch.zeros_like(outputs).scatter_(1, where, 1.0)
            shares.append(flip(share, lengths) if run.direction.reverse else share)
        return shares


def differences(partial: Tensor) -> Tensor:
    """Each column minus the one before; the first as it is."""
    return torch.cat([partial[:, :1], partial[:, 1:] - partial[:, :-1]], dim=1)


def _tokens(model: Model, document: Any, encoded: Any) -> tuple[str, ...]:
    if isinstance(document, str):
        return tuple(model.tokenize(document))
    if model.embedding is not None and isinstance(next(iter(document)), str):
        return tuple(document)
    if model.vocabulary is not None:
        return tuple(model.vocabulary.decode(encoded))
    return tuple(str(k) for k in range(len(encoded)))
