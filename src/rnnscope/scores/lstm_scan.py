"""The memory of an LSTM read out word by word: one scan forwards, one backwards.

With ``tail_j = prod_{k=j+1..T} f_k`` the sum of what is left of the first j words is
``sum_{k<=j} e_{k,T} = tail_j * c_j``, so beta and gamma both are differences of ``tanh(. c_j)``
along one backward scan over ``c`` and ``f``, which is all that the forward scan keeps. Nothing of
the width of the network leaves the scan: each difference is read out where it arises.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import ProjectedLSTM
from rnnscope.models import Direction
from rnnscope.models.trajectory import Pooling
from rnnscope.scores.packed import Inputs, Packed, Scanned, room_for
from rnnscope.scores.products import product_with

LONGEST_MEAN = 20_000
"""gamma of a mean over T states takes T^2 / 2 steps: above this many words it is refused."""


class LSTMScan:
    """Scores one direction of an LSTM, batch after batch in the same arrays.

    A document longer than the arrays is read twice: once to its end, keeping the state before
    each stretch that fits, then stretch by stretch from the last to the first.

    Args:
        direction: an LSTM or a projected LSTM.
        weight: (classes, hidden_size), the part of the readout that sees it.
        pooling: what the readout sees; "max" not of a projected LSTM, whose every output unit
            reads the whole memory at a position of its own.
        methods: for each score whether partial memories are what is left of them (gamma).
        rows: words and initial states that the arrays hold.
        documents: most documents in a batch.
        driven: whether the inputs come as drives.
    """

    def __init__(
        self,
        direction: Direction,
        weight: Tensor,
        *,
        pooling: Pooling,
        methods: tuple[bool, ...],
        rows: int,
        documents: int,
        driven: bool,
    ) -> None:
        cell = direction.cell
        self.pooling, self.methods, self.rows, self.driven = pooling, methods, rows, driven
        self.reverse = direction.reverse
        self.V, self.W, self.b, R = cell.V, cell.W, cell.b, None  # type: ignore[attr-defined]
        if isinstance(cell, ProjectedLSTM):
            R = cell.R
        self.units, self.width = len(self.V) // 4, cell.hidden_size
        self.project = None if R is None else product_with(R)
        self.weight = (weight if R is None else weight @ R).contiguous()
        if driven:
            self.product = product_with(self.V)
        else:
            self.product = product_with(torch.cat([self.V, self.W], dim=1), self.b)
        self.start_h, self.start_c = direction.start.split([self.width, self.units])
        n = self.units
        self.c, self.f = (room_for(rows, n, like=self.V) for _ in range(2))
        self.o = room_for(rows if pooling == "mean" else 0, n, like=self.V)
        reads = self.width if driven else self.width + cell.input_size
        self.hx = self.V.new_empty(documents, reads)
        self.h = self.hx[:, : self.width]
        self.shown, self.open = (self.V.new_empty(documents, n) for _ in range(2))
        if R is None:
            self.shown = self.h

    # One batch -----------------------------------------------------------------------------

    def scan(self, packed: Packed, inputs: Inputs) -> Scanned:
        """Score every word of a batch of documents."""
        self._begin(packed, inputs)
        stretches = list(packed.chunks(self.rows))
        before: list[tuple[Tensor, Tensor]] = []
        for t0, t1 in stretches:
            before.append(self._checkpoint(t0))
            self._forwards(t0, t1, first=True)
        self._turn()
        for k in range(len(stretches) - 1, -1, -1):
            t0, t1 = stretches[k]
            if k < len(stretches) - 1:
                self._restore(*before[k])
                self._forwards(t0, t1, first=False)
            self._backwards(t0, t1)
        if self.pooling == "mean" and True in self.methods:
            self._decompose_mean()
        return Scanned(
            words=tuple(self.scores),
            initial=tuple(
                self._initial[forgets]
                if forgets and self.pooling == "mean"
                else (self.x[k] * self.gain) @ self.weight.mT
                for k, forgets in enumerate(self.methods)
            ),
            pooled=self.pooled @ self.weight.mT,
        )

    def _begin(self, packed: Packed, inputs: Inputs) -> None:
        self.packed, self.inputs = packed, inputs
        batch, words, n = len(packed.lengths), len(packed.docs), self.units
        self.h[:batch] = self.start_h
        self.c[: packed.active[0]] = self.start_c
        self.end = self.V.new_empty(batch, n)
        self.length = torch.as_tensor(packed.lengths, device=self.V.device)
        self.scores = [self.V.new_empty(words, len(self.weight)) for _ in self.methods]
        self._initial: dict[bool, Tensor] = {}
        if self.pooling == "max":
            self.best = self.V.new_full((batch, n), -torch.inf)
            self.best_o, self.best_c = torch.empty_like(self.best), torch.empty_like(self.best)
            self.where = torch.zeros(batch, n, dtype=torch.int32, device=self.V.device)
        if self.pooling == "mean":
            self.total = self.V.new_zeros(batch, n)

    def _checkpoint(self, t0: int) -> tuple[Tensor, Tensor]:
        """The state before a stretch, put where the stretch begins in the arrays."""
        count = int(self.packed.active[t0])
        if t0:
            self.c[:count] = self.c[self.last : self.last + count].clone()
        return self.h[:count].clone(), self.c[:count].clone()

    def _restore(self, h: Tensor, c: Tensor) -> None:
        self.h[: len(h)] = h
        self.c[: len(c)] = c

    def blocks(self, t0: int, t1: int) -> np.ndarray:
        """Where in the arrays each step's words begin, first the memory before the stretch."""
        counts = np.concatenate([self.packed.active[t0 : t0 + 1], self.packed.active[t0:t1]])
        return np.concatenate([[0], np.cumsum(counts)])

    def _forwards(self, t0: int, t1: int, *, first: bool) -> None:
        active, starts = self.packed.active.tolist(), self.packed.starts.tolist()
        blocks = self.blocks(t0, t1).tolist()
        for t in range(t0, t1):
            n, at = active[t], starts[t]
            before, now = blocks[t - t0], blocks[t - t0 + 1]
            self._step(n, at, before, now)
            if self.project is not None:
                self.h[:n] = self.project(self.shown[:n], None)
            if not first:
                continue
            ending = active[t + 1] if t + 1 < len(active) else 0
            if ending < n:
                self.end[ending:n] = self.c[now + ending : now + n]
            if self.pooling == "max":
                self._track(t, n, now)
            elif self.pooling == "mean":
                self.total[:n] += self.shown[:n]
        self.last = blocks[t1 - t0]

    def _track(self, t: int, n: int, now: int) -> None:
        """Keep where each unit is largest; of equals, the first in the order of the text."""
        h, best = self.h[:n], self.best[:n]
        # Said so that what is no number counts as larger, and is seen at the end.
        better = ~(h < best) if self.reverse else ~(h <= best)
        pairs = ((best, h), (self.best_o[:n], self.open[:n]), (self.best_c[:n], self.c[now:][:n]))
        for kept, new in pairs:
            torch.where(better, new, kept, out=kept)
        self.where[:n].masked_fill_(better, t + 1)

    def _turn(self) -> None:
        """Between the scans: what is read out, and where."""
        self.gain = self.open[: len(self.packed.lengths)].clone()
        if self.pooling == "max":
            self.gain, self.end = self.best_o, self.best_c
        self.read = torch.tanh(self.end)
        self.pooled = self.read * self.gain
        if self.pooling == "mean":
            self.gain = torch.zeros_like(self.end)
            self.share = (1 / self.length.to(self.V.dtype))[:, None]
            self.pooled = self.total * self.share
        self.x = [self.read.clone() for _ in self.methods]
        self.tail = torch.ones_like(self.end)

    def _settle(self, t0: int, t1: int) -> None:
        """For a maximum, let each unit's memory rest from where it is read, as if at the end."""
        if self.pooling != "max":
            return
        for t, block in enumerate(self.blocks(t0, t1)[:-1].tolist(), t0):
            n = int(self.packed.active[max(t - 1, t0)])
            where, memory = self.where[:n], self.c[block : block + n]
            torch.where(where <= t, self.best_c[:n], memory, out=memory)
            if t > t0:
                self.f[block : block + n].masked_fill_(where < t, 1)

    # The arithmetic: see FusedScan for the same in compiled loops ------------------------------

    def _step(self, n: int, at: int, before: int, now: int) -> None:
        """One step of the cell for the first n documents; c, f (and o) go into the arrays."""
        x = self.inputs.source.index_select(0, self.inputs.rows[at : at + n])
        if self.driven:
            gates = self.product(self.h[:n], x)
        else:
            self.hx[:n, self.width :] = x
            gates = self.product(self.hx[:n], None)
        i, f, g, o = gates.chunk(4, dim=1)
        keep, memory = self.f[now : now + n], self.c[now : now + n]
        torch.sigmoid(f, out=keep)
        torch.mul(keep, self.c[before : before + n], out=memory)
        memory.addcmul_(i.sigmoid_(), g.tanh_())
        torch.sigmoid(o, out=self.open[:n])
        if len(self.o):
            self.o[now : now + n] = self.open[:n]
        torch.tanh(memory, out=self.shown[:n])
        self.shown[:n] *= self.open[:n]

    def _backwards(self, t0: int, t1: int) -> None:
        """Read out what each word changed, from the last step of a stretch to its first."""
        active, starts = self.packed.active.tolist(), self.packed.starts.tolist()
        blocks = self.blocks(t0, t1).tolist()
        self._settle(t0, t1)
        for t in range(t1 - 1, t0 - 1, -1):
            n, at = active[t], starts[t]
            before, now = blocks[t - t0], blocks[t - t0 + 1]
            memory = self.c[before : before + n]
            if self.pooling == "mean":
                self.gain[:n] += self.o[now : now + n] * self.share[:n]
            for k, forgets in enumerate(self.methods):
                partial = memory
                if forgets:
                    self.tail[:n] *= self.f[now : now + n]
                    partial = self.tail[:n] * memory
                new, old = torch.tanh(partial), self.x[k][:n]
                change = (old - new).mul_(self.gain[:n])
                torch.mm(change, self.weight.mT, out=self.scores[k][at : at + n])
                old.copy_(new)

    def _decompose_mean(self) -> None:
        """gamma of a mean of states: the decomposition of each, added up over those that follow."""
        k = self.methods.index(True)
        blocks = self.blocks(0, len(self.packed.active))
        starts = torch.as_tensor(self.packed.starts, device=self.V.device)
        blocks = torch.as_tensor(blocks, device=self.V.device)
        initial = []
        for b, length in enumerate(self.packed.lengths.tolist()):
            at = blocks[: length + 1] + b
            c, f, o = self.c[at], self.f[at[1:]], self.o[at[1:]]
            later = self._later(c, f, o)
            terms = later[1:] + o * torch.tanh(c[1:]) - later[:-1]
            self.scores[k][starts[:length] + b] = terms @ self.weight.mT / length
            initial.append(later[0] @ self.weight.mT / length)
        self._initial[True] = torch.stack(initial)

    def _later(self, c: Tensor, f: Tensor, o: Tensor) -> Tensor:
        """``sum_{t>j} o_t tanh(tail_{j,t} c_j)`` for j = 0..T, (1 + T, units)."""
        later, left, seen = torch.zeros_like(c), c.clone(), torch.empty_like(c)
        for t in range(1, len(c)):
            left[:t] *= f[t - 1]
            torch.tanh(left[:t], out=seen[:t])
            later[:t].addcmul_(seen[:t], o[t - 1])
        return later
