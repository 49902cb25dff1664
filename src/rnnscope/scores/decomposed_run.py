"""Relevant parts of an LSTM's states, for many phrases of a batch of documents at once.

The rules are those of contextual_decomposition.py. A phrase's relevant parts are zero before it,
the irrelevant ones are what is left of the states themselves, so that each phrase needs one
recurrent product a step, from its first word on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.models import Pooling
from rnnscope.models.layers import Direction
from rnnscope.scores.drives import Drives
from rnnscope.scores.lstm_kernels import TILE, kernels_for
from rnnscope.scores.products import product_with

CHECK_EVERY = 8
"""Steps between two looks for phrases of which nothing is left."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What one layer did on the documents themselves, each (T, B, ...).

    Args:
        total: (3n) the pre-activations of i, f, g, without their bias split off.
        gates: (3n) i, f, g.
        o: (n) the output gate.
        memory: (2n) c and tanh(c).
        output: (n) h.
    """

    total: Tensor
    gates: Tensor
    o: Tensor
    memory: Tensor
    output: Tensor


class LayerSplit:
    """One plain LSTM layer: its run on the documents, and the split of one step."""

    def __init__(self, direction: Direction, *, lowest: bool) -> None:
        cell: Any = direction.cell
        n = self.units = cell.hidden_size
        self.start, self.cell = direction.start, cell
        self._kernels = kernels_for(cell.V)
        self._recur = product_with(cell.V)
        self._recur_split = product_with(cell.V[: 3 * n])
        self._enter_split = None if lowest else product_with(cell.W[: 3 * n])
        self.base = cell.b[: 3 * n].contiguous()
        self.base_gates = self.activate(self.base[None])[0]

    def activate(self, pre: Tensor) -> Tensor:
        """i, f, g of their pre-activations, the same function for all terms that must cancel."""
        n = self.units
        if self._kernels is not None:
            pre = pre.contiguous()
            gates = torch.empty_like(pre)
            self._kernels.activate(pre.numpy(), gates.numpy())
            return gates
        return torch.cat([torch.sigmoid(pre[:, : 2 * n]), torch.tanh(pre[:, 2 * n :])], dim=-1)

    def run(self, drives: Sequence[Tensor], active: Sequence[int]) -> Known:
        """Run the documents; ``drives[t]`` is (active[t], 4n)."""
        n, steps, rows = self.units, len(active) - 1, active[0]

        def kept(width: int) -> Tensor:
            return self.start.new_zeros(steps, rows, width)

        known = Known(
            total=kept(3 * n), gates=kept(3 * n), o=kept(n), memory=kept(2 * n), output=kept(n)
        )
        h = self.start[:n].expand(rows, -1).contiguous()
        c = self.start[n:].expand(rows, -1)
        for t, count in enumerate(active[:-1]):
            pre = self._recur(h[:count], drives[t])
            gates = self.activate(pre[:, : 3 * n])
            i, f, g = gates.chunk(3, dim=-1)
            o, c = torch.sigmoid(pre[:, 3 * n :]), f * c[:count] + i * g
            tanh_c = torch.tanh(c)
            h = o * tanh_c
            known.total[t, :count], known.gates[t, :count] = pre[:, : 3 * n], gates
            known.o[t, :count], known.output[t, :count] = o, h
            known.memory[t, :count] = torch.cat([c, tanh_c], dim=-1)
        return known

    def step(
        self,
        known: Known,
        t: int,
        doc: Tensor,
        own: Tensor | None,
        below: Tensor | None,
        written: Tensor,
        h: Tensor,
        c: Tensor,
    ) -> None:
        """One step of the relevant parts ``h`` and ``c`` of rows, in place.

        Args:
            known: the documents' own run.
            t: the step.
            doc: the document of each row.
            own: what a row's own input adds to i, f, g, (rows, 3n), in the lowest layer.
            below: the relevant output of the layer below, (rows, width).
            written: 1 where the product of the biases is the phrase's, else 0.
        """
        enter = own
        if below is not None and self._enter_split is not None:
            enter = self._enter_split(below, None)
        pre = self._recur_split(h, enter)
        if self._kernels is not None:
            shared = known.total[t], known.gates[t], self.base, self.base_gates, known.memory[t]
            self._kernels.split_step(
                pre.numpy(),
                *(x.numpy() for x in shared),
                written.numpy(),
                doc.numpy(),
                c.numpy(),
                h.numpy(),
            )
        else:
            self._split(pre, known, t, doc, written, h, c)
        h *= known.o[t].index_select(0, doc)

    def _split(
        self, r: Tensor, known: Known, t: int, doc: Tensor, written: Tensor, h: Tensor, c: Tensor
    ) -> None:
        total, gates = known.total[t][doc], known.gates[t][doc]
        first = self.activate(r + self.base) - self.base_gates
        R = (first + gates - self.activate(total - r)) / 2
        R_i, R_f, R_g = R.chunk(3, dim=-1)
        B_i, B_f, B_g = self.base_gates.chunk(3, dim=-1)
        own = R_i * (R_g + B_g) + B_i * R_g + written[:, None] * (B_i * B_g)
        c.mul_(R_f + B_f).add_(own)
        memory, tanh_memory = known.memory[t][doc].chunk(2, dim=-1)
        h.copy_((torch.tanh(c) + tanh_memory - torch.tanh(memory - c)) / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """Phrases, by the place of their document in the batch, in reading order.

    Args:
        doc: (S,) which document.
        start: (S,) first step.
        stop: (S,) the step after the last.
        last_written: whether the product of the biases at the last step is the phrase's too.
    """

    doc: Tensor
    start: Tensor
    stop: Tensor
    last_written: bool


class Decomposer:
    """A stack of LSTM layers that reads in one direction.

    Args:
        directions: the layers' directions, lowest first.
        pooling: what the readout sees.
    """

    def __init__(self, directions: Sequence[Direction], pooling: Pooling) -> None:
        self.layers = [LayerSplit(d, lowest=not k) for k, d in enumerate(directions)]
        self.bias, self.pooling = directions[0].cell.drive(_zeros(directions[0])), pooling

    def run(self, drives: Drives, direction: int) -> list[Known]:
        """The documents themselves, layer by layer."""
        active, found = drives.active, []
        inputs = [drives.at(direction, t, count) for t, count in enumerate(active[:-1])]
        for k, layer in enumerate(self.layers):
            found.append(layer.run(inputs, active))
            if k + 1 < len(self.layers):
                above = self.layers[k + 1].cell
                inputs = [above.drive(found[-1].output[t, :n]) for t, n in enumerate(active[:-1])]
        return found

    def pooled(self, known: list[Known], lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the readout sees of the documents, (B, n), and of which step: see ``_weight``."""
        output, rows = known[-1].output, torch.arange(len(lengths), device=lengths.device)
        if self.pooling == "last":
            return output[lengths - 1, rows], lengths - 1
        if self.pooling == "mean":
            return output.sum(dim=0) / lengths[:, None], lengths
        steps = torch.arange(len(output), device=lengths.device)[:, None]
        return output.masked_fill((steps >= lengths).unsqueeze(-1), -torch.inf).max(dim=0)

    def relevant(
        self, drives: Drives, direction: int, known: list[Known], spans: Spans, where: Tensor
    ) -> Tensor:
        """(S, n): the part of what the readout sees of a direction that is each phrase's.

        Args:
            drives: the documents.
            direction: which direction's drives to read.
            known: ``run`` of them.
            spans: the phrases.
            where: the second result of ``pooled``.
        """
        order = torch.argsort(spans.start, stable=True)
        doc, start, stop = spans.doc[order], spans.start[order], spans.stop[order]
        ends = drives.lengths[doc]
        steps = len(drives.active) - 1
        arrivals = torch.bincount(start, minlength=steps).tolist()
        states = [(self._zeros(len(doc), k), self._zeros(len(doc), k)) for k in self.layers]
        result = self._zeros(len(doc), self.layers[-1])
        rows, came = torch.empty(0, dtype=torch.long, device=doc.device), 0
        for t in range(steps):
            new = torch.arange(came, came + arrivals[t], device=doc.device)
            at, came = len(rows), came + arrivals[t]
            rows = torch.cat([rows, new])
            if not len(rows):
                continue
            for h, c in states:
                h[at : len(rows)], c[at : len(rows)] = 0, 0
            self._step(drives, direction, known, spans, t, doc[rows], stop[rows], states)
            if self.pooling != "last" or drives.active[t + 1] < drives.active[t]:
                h = states[-1][0][: len(rows)]
                result[rows] += self._weight(t, doc[rows], where) * h
            going = ends[rows] > t + 1
            if t % CHECK_EVERY == CHECK_EVERY - 1:
                going &= (stop[rows] > t + 1) | self._left(states, known, t, doc[rows])
            if not bool(going.all()):
                kept = going.nonzero()[:, 0]
                for pair in states:
                    for part in pair:
                        part[: len(kept)] = part[: len(rows)].index_select(0, kept)
                rows = rows[kept]
        return torch.empty_like(result).index_copy_(0, order, result)

    def _step(self, drives, direction, known, spans, t, doc, stop, states) -> None:
        n = self.layers[0].units
        inside = stop > t
        written = inside if spans.last_written else stop > t + 1
        written = written.to(self.bias.dtype)
        table, words = drives.tables[direction], drives.rows[direction][t]
        for first in range(0, len(doc), TILE):
            tile = slice(first, min(first + TILE, len(doc)))
            own = None
            reading = inside[tile].nonzero()[:, 0]
            if len(reading):
                own = self.bias.new_zeros(tile.stop - first, 3 * n)
                read = table[words[doc[tile][reading]]] - self.bias
                own[reading] = read[:, : 3 * n]
            below = None
            for layer, seen, (h, c) in zip(self.layers, known, states, strict=True):
                layer.step(seen, t, doc[tile], own, below, written[tile], h[tile], c[tile])
                own, below = None, h[tile]

    def _weight(self, t: int, doc: Tensor, where: Tensor) -> Tensor:
        """How much of the state at a step the readout sees, (rows, 1 or n)."""
        dtype = self.bias.dtype
        if self.pooling == "mean":
            return 1 / where[doc].to(dtype)[:, None]
        seen = where[doc] == t
        return seen.to(dtype) if seen.ndim == 2 else seen.to(dtype)[:, None]

    def _left(self, states: list, known: list[Known], t: int, doc: Tensor) -> Tensor:
        """Whether anything is left of a phrase, beyond the rounding of its document's states."""
        eps = torch.finfo(self.bias.dtype).eps / 2
        left = torch.zeros(len(doc), dtype=torch.bool, device=self.bias.device)
        for layer, seen, pair in zip(self.layers, known, states, strict=True):
            whole = seen.output[t], seen.memory[t, :, : layer.units]
            for part, total in zip(pair, whole, strict=True):
                limit = total.abs().amax(dim=1).mul_(8).clamp_(max=1).mul_(eps)[doc]
                left |= ~(part[: len(doc)].abs().amax(dim=1) <= limit)
        return left

    def _zeros(self, rows: int, layer: LayerSplit) -> Tensor:
        return self.bias.new_zeros(rows, layer.units)


def _zeros(direction: Direction) -> Tensor:
    cell = direction.cell
    return torch.zeros(cell.input_size, dtype=cell.dtype, device=cell.device)
