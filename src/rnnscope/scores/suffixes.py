"""Every one-word change of a document, run from the word on: the state before it is known."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from rnnscope.cells import LSTM, Cell
from rnnscope.models import Pooling
from rnnscope.scores.drives import Drives
from rnnscope.scores.lstm_kernels import TILE, kernels_for
from rnnscope.scores.lstm_tape import is_plain_lstm
from rnnscope.scores.products import product_with

State = tuple[Tensor, ...]
"""The parts of a state, each (rows, width)."""

CHECK_EVERY = 8
"""Steps between two looks for variants that have come back to the original's state."""


class System(Protocol):
    """A cell as the runs here need it."""

    def start(self, state: Tensor) -> State:
        """The parts of a state."""
        ...

    def step(self, drive: Tensor, doc: Tensor, state: State) -> None:
        """One step of each row, in place, under the drive ``drive[doc]`` of its document."""
        ...

    def output(self, state: State) -> Tensor:
        """What the readout sees."""
        ...


class AnyCell:
    """Any cell, or a stack of them, by its own equations."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def start(self, state: Tensor) -> State:
        return (state,)

    def step(self, drive: Tensor, doc: Tensor, state: State) -> None:
        (own,) = state
        own.copy_(self._cell.update(self._cell.activate(drive.index_select(0, doc), own), own))

    def output(self, state: State) -> Tensor:
        return self._cell.output(state[0])


class PlainLSTM:
    """The LSTM, its state kept as ``(h, c)``, a tile of rows at a time."""

    def __init__(self, cell: LSTM) -> None:
        self._units = cell.hidden_size
        self._product = product_with(cell.V)
        self._kernels = kernels_for(cell.V)

    def start(self, state: Tensor) -> State:
        return state[..., : self._units], state[..., self._units :]

    def step(self, drive: Tensor, doc: Tensor, state: State) -> None:
        parts = zip(doc.split(TILE), state[0].split(TILE), state[1].split(TILE), strict=True)
        if self._kernels is None:
            for rows, h, c in parts:
                self._step(self._product(h, drive.index_select(0, rows)), h, c)
        else:
            shared = drive.numpy()
            for rows, h, c in parts:
                pre = self._product(h, None)
                self._kernels.step_rows(pre.numpy(), shared, rows.numpy(), h.numpy(), c.numpy())

    def _step(self, gates: Tensor, h: Tensor, c: Tensor) -> None:
        n = self._units
        # tanh(a) = 2 sigm(2 a) - 1, and torch's sigmoid is ten times as quick as its tanh.
        gates[:, 2 * n : 3 * n].mul_(2)
        i, f, g, o = gates.sigmoid_().chunk(4, dim=-1)
        c.mul_(f).addcmul_(i, g.mul_(2).sub_(1))
        torch.mul(c, 2, out=h).sigmoid_().mul_(2).sub_(1).mul_(o)

    def output(self, state: State) -> Tensor:
        return state[0]


def system_of(cell: Cell) -> System:
    """The cell, in the form that runs quickest."""
    if is_plain_lstm(cell) and isinstance(cell, LSTM):
        return PlainLSTM(cell)
    return AnyCell(cell)


class Variants:
    """A run of a batch of documents and, beside it, of each document with one word changed.

    The variant that changes word t joins the batch at step t, from the state before it. A variant
    whose state has come back to the original's, to the last bits that its dtype holds, leaves: what
    follows is the original's. Documents that end take their variants along.

    Args:
        system: the cell.
        start: the state before the first word, (state_size,).
        drives: the documents.
        direction: which direction's drives to read.
        base: the drive of the word put in the place of another; None to leave the word out.
        pooling: what the readout sees.
    """

    def __init__(
        self,
        system: System,
        start: Tensor,
        drives: Drives,
        direction: int,
        base: Tensor | None,
        pooling: Pooling,
    ) -> None:
        self.system, self.drives, self.direction, self.base = system, drives, direction, base
        self.pooling, self.active, self.lengths = pooling, drives.active, drives.lengths
        documents = len(self.lengths)
        first = system.start(start)
        self.start_output = system.output(tuple(part[None] for part in first))
        steps, units = len(self.active) - 1, self.start_output.shape[-1]
        self.outputs = start.new_zeros(steps, documents, units)
        self.found = start.new_zeros(steps, documents, units)
        # Until which step a variant was followed by itself.
        self.until = torch.full((steps, documents), steps, device=start.device)
        self._run(first)

    def _run(self, first: State) -> None:
        """Rows are the documents themselves, then the variants: ``doc`` and ``word`` of each."""
        count = len(self.lengths)
        store = tuple(part.new_empty(count * (len(self.active) + 1), len(part)) for part in first)
        state = tuple(part[:count] for part in store)
        for part, value in zip(state, first, strict=True):
            part.copy_(value)
        doc = torch.arange(count, device=self.lengths.device)
        word = torch.full_like(doc, -1)
        seen = self._nothing_seen(count)
        for t, count in enumerate(self.active[:-1]):
            entering = tuple(part[:count].clone() for part in state)
            entered = self._enter(entering, seen[:count])
            drive = self.drives.at(self.direction, t, count)
            self.system.step(drive, doc, state)
            output = self.system.output(state)
            seen = torch.cat([self._see(seen, output), entered])
            self.outputs[t, :count] = output[:count]
            old, new = len(doc), len(doc) + count
            for part, values in zip(store, entering, strict=True):
                part[old:new] = values
            state = tuple(part[:new] for part in store)
            doc = torch.cat([doc, doc[:count]])
            word = torch.cat([word, torch.full_like(doc[:count], t)])
            going = self._leave(t, state, seen, doc, word)
            if not bool(going.all()):
                rows = going.nonzero()[:, 0]
                for part, values in zip(store, state, strict=True):
                    part[: len(rows)] = values.index_select(0, rows)
                state = tuple(part[: len(rows)] for part in store)
                seen, doc, word = seen[rows], doc[rows], word[rows]

    def _enter(self, state: State, seen: Tensor) -> Tensor:
        """Take the changed word in, in place; returns what is seen after it."""
        if self.base is None:
            return seen
        self.system.step(
            self.base[None], torch.zeros(len(seen), dtype=torch.long, device=seen.device), state
        )
        return self._see(seen, self.system.output(state))

    def _leave(self, t: int, state: State, seen: Tensor, doc: Tensor, word: Tensor) -> Tensor:
        """Which rows go on after a step; the results of the others are noted."""
        going = doc < self.active[t + 1]
        if self.active[t + 1] < self.active[t]:
            self._keep(~going & (word >= 0), state, seen, doc, word)
        if t % CHECK_EVERY == CHECK_EVERY - 1:
            back = self._back(state, doc) & (word >= 0) & going
            self._keep(back, state, seen, doc, word)
            self.until[word[back], doc[back]] = t
            going &= ~back
        return going

    def _keep(self, rows: Tensor, state: State, seen: Tensor, doc: Tensor, word: Tensor) -> None:
        """Note what the readout would see of variants that leave."""
        kept = self.system.output(state) if self.pooling == "last" else seen
        self.found[word[rows], doc[rows]] = kept[rows]

    def _back(self, state: State, doc: Tensor) -> Tensor:
        """Which rows hold the state of their document, but for rounding."""
        back = torch.ones_like(doc, dtype=torch.bool)
        for part in state:
            original = part.index_select(0, doc)
            size = original.abs()
            # Of a tiny state little is left to differ, and it may yet grow.
            least = size.amax(dim=1, keepdim=True).mul_(8).clamp_(max=1)
            limit = size.maximum(least).mul_(torch.finfo(part.dtype).eps)
            back &= ((part - original).abs_() <= limit).all(dim=1)
        return back

    # What the readout has seen so far: nothing to keep for the last state, else a sum or a maximum.

    def _nothing_seen(self, rows: int) -> Tensor:
        if self.pooling == "last":
            return self.outputs.new_zeros(rows, 0)
        nothing = 0.0 if self.pooling == "mean" else -torch.inf
        return self.outputs.new_full((rows, self.outputs.shape[-1]), nothing)

    def _see(self, seen: Tensor, output: Tensor) -> Tensor:
        if self.pooling == "last":
            return seen
        return seen + output if self.pooling == "mean" else torch.maximum(seen, output)

    # The result ----------------------------------------------------------------------------

    def pooled(self) -> Tensor:
        """(B, units): what the readout sees of this direction of the documents themselves."""
        if self.pooling == "last":
            rows = torch.arange(len(self.lengths), device=self.lengths.device)
            return self.outputs[self.lengths - 1, rows]
        if self.pooling == "mean":
            return self._masked(0.0).sum(dim=0) / self.lengths[:, None]
        return self._masked(-torch.inf).amax(dim=0)

    def changed(self) -> Tensor:
        """(T, B, units), in reading order: what it sees with that word changed."""
        followed = self.until == len(self.until)
        found = self._continued(followed)
        if self.base is not None or self.pooling == "last":
            return found
        # Of a document whose only word is left out, the readout sees the state before it.
        alone = (self.lengths == 1)[:, None]
        return torch.where(alone, self.start_output, found)

    def _continued(self, followed: Tensor) -> Tensor:
        """What was seen of each variant, with what the original went on to show after it left."""
        if self.pooling == "last":
            return torch.where(followed.unsqueeze(-1), self.found, self.pooled())
        columns = torch.arange(self.until.shape[1], device=self.until.device)
        if self.pooling == "mean":
            totals = self._masked(0.0).cumsum(dim=0)
            rest = totals[-1] - totals[self.until.clamp(max=len(totals) - 1), columns]
            count = self.lengths if self.base is not None else (self.lengths - 1).clamp(min=1)
            return (self.found + rest) / count[:, None]
        ahead = self._masked(-torch.inf).flip(0).cummax(dim=0).values.flip(0)
        ahead = torch.cat([ahead, torch.full_like(ahead[:1], -torch.inf)])
        rest = ahead[(self.until + 1).clamp(max=len(ahead) - 1), columns]
        return torch.maximum(self.found, rest)

    def _masked(self, value: float) -> Tensor:
        steps = torch.arange(len(self.outputs), device=self.lengths.device)[:, None]
        return self.outputs.masked_fill((steps >= self.lengths).unsqueeze(-1), value)
