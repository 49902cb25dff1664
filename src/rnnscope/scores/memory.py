"""What the two scores of Murdoch & Szlam 2017 share: a memory read out term by term."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.errors import NotApplicable
from rnnscope.memory import budget
from rnnscope.models import Model, Run, Trajectory
from rnnscope.models.layers import flip
from rnnscope.models.streaming import split_by_length, steps_at_once
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.scores.lstm_memory import reads_by_scan, scan_batches
from rnnscope.scores.lstm_scan import LONGEST_MEAN
from rnnscope.scores.score import Score
from rnnscope.scores.stretches import memory_scores, memory_streams
from rnnscope.scores.word_scores import Batch


class MemoryScore(Score):
    """A score that splits what the readout sees of a cell's additive memory into one term a word.

    The readout of a document sees ``expose(memory_t)``: ``o_t * tanh(c_t)`` for an LSTM, the state
    itself otherwise. With partial memories ``S_0 .. S_t`` where ``S_t = memory_t``, word j is
    given ``W_i (expose(S_j) - expose(S_{j-1}))``, which telescopes to ``W_i h_t`` exactly. The two
    methods differ in the partial memories alone: see ``forgets``.

    Pooled readouts: the terms of every read-out state, averaged for "mean", or taken unit by unit
    from the position of the maximum for "max". In a stack the top layer is split, so a score
    belongs to a position, whose input the layers below have already mixed with earlier words.

    Two algorithms compute this, equal to rounding. The general one reads the states and gates of
    any cell. An LSTM has one of its own, ``lstm_scan``, that keeps neither: it is what makes the
    scores of a corpus cost what running the network costs.
    """

    forgets: ClassVar[bool]
    """Whether a partial memory is what is left of it at the readout, or what it was at its word."""

    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        for (batch,) in memory_batches(self.model, self.model.encode(documents), (self.forgets,)):
            yield batch


def memory_batches(
    model: Model, encoded: Sequence[np.ndarray], methods: tuple[bool, ...]
) -> Iterator[tuple[Batch, ...]]:
    """The scores batch by batch, of several methods at once.

    Args:
        model: the network.
        encoded: documents as ``model.encode`` gives them.
        methods: for each score whether it forgets: see ``MemoryScore``.

    Raises:
        NotApplicable: a document too long for this network and these scores.
    """
    if reads_by_scan(model):
        refuse_too_long(model, encoded, methods)
        yield from scan_batches(model, encoded, methods)
        return
    short, long = list(range(len(encoded))), list[int]()
    steps = steps_at_once(model, gates=True, copies=2)
    if memory_streams(model):
        short, long = split_by_length(encoded, steps)
    some = [encoded[k] for k in short]
    refuse_too_long(model, some, methods)
    for trajectory in model.trajectories(some, gates=True):
        with torch.no_grad(), flushed_denormals(), single_thread():
            batch = tuple(_batch(model, trajectory, forgets) for forgets in methods)
        rows = torch.tensor(short)[trajectory.indices]
        yield tuple(replace(one, indices=rows) for one in batch)
    for k in long:
        with flushed_denormals(), single_thread():
            values, initial, logits = memory_scores(model, encoded[k], methods, steps)
        yield tuple(
            Batch(indices=torch.tensor([k]), values=v[None], initial=i[None], logits=logits[None])
            for v, i in zip(values, initial, strict=True)
        )


def refuse_too_long(model: Model, encoded: Sequence[np.ndarray], methods: tuple[bool, ...]) -> None:
    """Say which document is longer than memory or time allow.

    Raises:
        NotApplicable: one is.
    """
    scan = reads_by_scan(model)
    limits: list[tuple[int, str]] = []
    held = model.layers[:-1] if scan else model.layers
    units = sum(direction.cell.state_size for layer in held for direction in layer.directions)
    if units:
        # Drives, states and gates, once more in reading order, and what is computed from them.
        each = 16 * units * torch.empty(0, dtype=model.dtype).element_size()
        room = f"the states of one document must fit into {budget() / 2**30:.3g} GiB"
        limits.append((budget() // each, room))
    if scan and model.pooling == "mean" and True in methods:
        reason = "gamma of a mean over T states takes T * T / 2 steps"
        limits.append((LONGEST_MEAN, reason))
    longest = max(range(len(encoded)), key=lambda k: len(encoded[k]), default=0)
    for limit, reason in limits:
        if len(encoded) and len(encoded[longest]) > limit:
            raise NotApplicable(
                f"A document can be scored up to a length: {reason}.",
                expected=f"at most {limit} words by this network",
                got=f"document {longest} with {len(encoded[longest])} words",
                fix="cut the document into parts, or allow more with memory_budget(gib)",
            )


def _batch(model: Model, trajectory: Trajectory, forgets: bool) -> Batch:
    readout = model.require_readout()
    top = trajectory.layers[-1]
    widths = [run.direction.cell.hidden_size for run in top]
    values, initial = [], []
    for run, weight in zip(top, readout.weight.split(widths, dim=1), strict=True):
        words, start = _terms(run, _share(run, model.pooling), forgets=forgets)
        values.append(words @ weight.mT)
        initial.append(start @ weight.mT)
    return Batch(
        indices=trajectory.indices,
        values=torch.stack(values).sum(dim=0),
        initial=torch.stack(initial).sum(dim=0),
        logits=trajectory.pooled @ readout.weight.mT + readout.bias,
    )


Share = Callable[[int], Tensor]
"""The weight of each unit's output at a step in the pooled state, (B, 1) or (B, outputs)."""


def _share(run: Run, pooling: str) -> Share:
    """In reading order."""
    lengths = run.lengths
    if pooling == "last":
        return lambda t: (lengths == t + 1)[:, None].to(run.states.dtype)
    if pooling == "mean":
        one = 1 / lengths[:, None].to(run.states.dtype)
        return lambda t: one * (lengths > t)[:, None]
    outputs = run.outputs
    steps = torch.arange(outputs.shape[1], device=outputs.device)
    outside = (steps >= lengths[:, None]).unsqueeze(-1)
    where = outputs.masked_fill(outside, -torch.inf).argmax(dim=1)
    if run.direction.reverse:
        where = lengths[:, None] - 1 - where
    return lambda t: (where == t).to(run.states.dtype)


def _terms(run: Run, share: Share, *, forgets: bool) -> tuple[Tensor, Tensor]:
    """Each word's term of what the readout sees of one direction, and the initial state's.

    Args:
        run: what the direction did.
        share: how much of each step's output the pooled state holds.
        forgets: see ``MemoryScore``.
    """
    cell, lengths = run.direction.cell, run.lengths

    def reading_order(x: Tensor) -> Tensor:
        return flip(x, lengths) if run.direction.reverse else x

    memory = reading_order(cell.memory(run.states))
    gates = {name: reading_order(gate) for name, gate in run.gates.items()}
    keep = cell.keep(gates) if forgets else None
    start = cell.memory(run.direction.start).expand(len(memory), 1, -1)
    memory = torch.cat([start, memory], dim=1)
    if type(cell).expose is Cell.expose:
        terms = _of_a_linear_readout(memory, keep, share)
    else:
        terms = _of_any_readout(cell, memory, gates, keep, share)
    return reading_order(terms[:, 1:]), terms[:, 0]


def _of_a_linear_readout(memory: Tensor, keep: Tensor | None, share: Share) -> Tensor:
    """(B, 1 + T, n): the terms of a memory that is read out as it is; first the initial one's.

    The read-out states hold ``R_j = share_j + keep_{j+1} R_{j+1}`` of what word j wrote, which is
    ``memory_j - keep_j memory_{j-1}``: one scan, whatever the pooling.
    """
    terms = torch.empty_like(memory)
    reach = torch.zeros_like(memory[:, 0])
    for j in range(memory.shape[1] - 1, 0, -1):
        reach = reach + share(j - 1)
        factor = keep[:, j - 1] if keep is not None else torch.ones_like(reach)
        terms[:, j] = reach * (memory[:, j] - factor * memory[:, j - 1])
        reach = reach * factor
    terms[:, 0] = reach * memory[:, 0]
    return terms


def _of_any_readout(
    cell: Cell, memory: Tensor, gates: dict[str, Tensor], keep: Tensor | None, share: Share
) -> Tensor:
    """(B, 1 + T, outputs): the terms of every step that is read out, weighted by its share."""
    batch, steps = memory.shape[:2]
    total = memory.new_zeros(batch, steps, cell.hidden_size)
    left = memory.clone()
    for t in range(steps - 1):
        if keep is not None:
            left[:, : t + 1] *= keep[:, t : t + 1]
        weight = share(t)
        if not bool(weight.any()):
            continue
        now = {name: gate[:, t : t + 1] for name, gate in gates.items()}
        terms = differences(cell.expose(left[:, : t + 2], now))
        total[:, : t + 2] += weight[:, None] * terms
    return total


def last_terms(cell: Cell, memory: Tensor, gates: dict[str, Tensor], *, forgets: bool) -> Tensor:
    """Each step's term of the output after the last of T steps; first that of what came before.

    Args:
        cell: the equations.
        memory: (B, 1 + T, n), before the first step and after each.
        gates: each (B, T, n), of the steps.
        forgets: see ``MemoryScore``.

    Returns:
        (B, 1 + T, outputs); their sum over the second axis is the output.
    """
    last = memory.shape[1] - 2
    one, none = memory.new_ones(len(memory), 1), memory.new_zeros(len(memory), 1)
    keep = cell.keep(gates) if forgets else None
    return _of_any_readout(cell, memory, gates, keep, lambda t: one if t == last else none)


def differences(partial: Tensor) -> Tensor:
    """Each column minus the one before; the first as it is."""
    return torch.cat([partial[:, :1], partial[:, 1:] - partial[:, :-1]], dim=1)
