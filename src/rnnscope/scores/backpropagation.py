"""A whole network run forwards on drives, and its logits' gradients back to those drives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rnnscope.models import Model
from rnnscope.models.layers import Direction
from rnnscope.scores.drives import Drives, active_rows, flip_time
from rnnscope.scores.lstm_tape import Buffers, LSTMTape, Products, is_plain_lstm
from rnnscope.scores.tape import AutodiffTape, Push, Read, Take, Tape


class Network:
    """A model that can go backwards, for one pass over a corpus: its arrays are used again.

    Args:
        model: the network, with a readout.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.readout = model.require_readout()
        self._kept: dict[tuple[int, int], tuple[Products, Buffers]] = {}

    def record(self, place: tuple[int, int], read: Read, active: list[int]) -> Tape:
        """Run one direction, by the closed form where the cell has one here.

        Args:
            place: its layer and its number there; what is kept belongs to the place, since one
                direction may stand in several layers.
            read: its drives.
            active: how many rows are at work at each step.
        """
        layer, k = place
        direction = self.model.layers[layer].directions[k]
        if not is_plain_lstm(direction.cell):
            return AutodiffTape(direction, read, active)
        if place not in self._kept:
            self._kept[place] = Products(direction.cell), Buffers()  # type: ignore[arg-type]
        return LSTMTape(direction, read, active, *self._kept[place])

    @torch.no_grad()
    def run(
        self, drives: Drives, points: Tensor | None = None, base: Sequence[Tensor] = ()
    ) -> Pass:
        """Run a batch on its documents, or on points of the path from a baseline to them.

        Args:
            drives: the documents.
            points: (P,) positions on the path, 0 at the baseline and 1 at the document.
            base: the baseline word's drive, (drive_size,), for each direction.
        """
        return Pass(self, drives, points, base)


class Pass:
    """One run of a network on R = B P rows, P for each document.

    Attributes:
        logits: (R, classes).
    """

    def __init__(
        self, network: Network, drives: Drives, points: Tensor | None, base: Sequence[Tensor]
    ) -> None:
        self.network, self.drives = network, drives
        self.points = 1 if points is None else len(points)
        self.lengths = drives.lengths.repeat_interleave(self.points)
        self.active = active_rows(self.lengths)
        self.rows = torch.arange(len(self.lengths), device=self.lengths.device)
        self.tapes: list[list[Tape]] = []
        reads = [
            _reader(drives, k, points, base[k] if base else None)
            for k in range(len(network.model.layers[0].directions))
        ]
        for level in range(len(network.model.layers)):
            tapes = [network.record((level, k), read, self.active) for k, read in enumerate(reads)]
            self.tapes.append(tapes)
            reads = self._reads_above(len(self.tapes))
        self._pool()
        self.logits = self.pooled @ network.readout.weight.mT + network.readout.bias

    def _reads_above(self, above: int) -> list[Read]:
        """What the next layer reads: the outputs of the one just run, in its own order."""
        layers = self.network.model.layers
        if above == len(layers):
            return []
        inputs = self._in_text_order(above - 1)
        return [
            _of_array(d.cell.drive(self._turn(inputs, d.reverse))) for d in layers[above].directions
        ]

    def _in_text_order(self, layer: int) -> Tensor:
        directions = self.network.model.layers[layer].directions
        parts = zip(directions, self.tapes[layer], strict=True)
        return torch.cat([self._turn(tape.outputs, d.reverse) for d, tape in parts], dim=-1)

    def _turn(self, x: Tensor, reverse: bool) -> Tensor:
        return flip_time(x, self.lengths) if reverse else x

    def _pool(self) -> None:
        pooling, parts = self.network.model.pooling, []
        self.maxima: list[Tensor] = []
        outside = torch.arange(len(self.active) - 1, device=self.lengths.device)[:, None]
        outside = (outside >= self.lengths).unsqueeze(-1)
        for tape in self.tapes[-1]:
            if pooling == "last":
                parts.append(tape.outputs[self.lengths - 1, self.rows])
            elif pooling == "mean":
                total = tape.outputs.masked_fill(outside, 0).sum(dim=0)
                parts.append(total / self.lengths[:, None])
            else:
                largest, where = tape.outputs.masked_fill(outside, -torch.inf).max(dim=0)
                parts.append(largest)
                self.maxima.append(where)
        self.pooled = torch.cat(parts, dim=-1)

    @torch.no_grad()
    def backward(self, gradient: Tensor, take: Callable[[int, int, Tensor], None]) -> None:
        """Take K scalars a row back to the drives of the lowest layer.

        Args:
            gradient: (R, K, H), of the scalars by the pooled state.
            take: called with direction, step and the gradients by its drives, (rows, K, drives).
        """
        layers, classes = self.network.model.layers, gradient.shape[1]
        widths = [tape.outputs.shape[-1] for tape in self.tapes[-1]]
        pushes = [
            self._readout_push(k, part) for k, part in enumerate(gradient.split(widths, dim=-1))
        ]
        for level in range(len(layers) - 1, 0, -1):
            below = self._through(level, classes, pushes)
            widths = [tape.outputs.shape[-1] for tape in self.tapes[level - 1]]
            parts = zip(layers[level - 1].directions, below.split(widths, dim=-1), strict=True)
            pushes = [self._array_push(self._turn(part, d.reverse)) for d, part in parts]
        for k, (tape, push) in enumerate(zip(self.tapes[0], pushes, strict=True)):
            tape.backward(classes, push, _tagged(take, k))

    def _through(self, level: int, classes: int, pushes: list[Push]) -> Tensor:
        """(T, R, K, width): the gradients by what a layer read."""
        parts = zip(
            self.network.model.layers[level].directions, self.tapes[level], pushes, strict=True
        )
        return torch.stack([self._to_inputs(classes, *part) for part in parts]).sum(dim=0)

    def _to_inputs(self, classes: int, direction: Direction, tape: Tape, push: Push) -> Tensor:
        slope = input_slope(direction)
        found = slope.new_zeros(len(self.active) - 1, self.active[0], classes, len(slope))
        tape.backward(classes, push, _into(found, slope))
        return self._turn(found, direction.reverse)

    def _readout_push(self, direction: int, gradient: Tensor) -> Push:
        active, pooling = self.active, self.network.model.pooling
        if pooling == "last":

            def at_end(t: int) -> tuple[int, Tensor] | None:
                first, count = active[t + 1], active[t]
                return None if first == count else (first, gradient[first:count])

            return at_end
        if pooling == "mean":
            share = gradient / self.lengths[:, None, None]
            return lambda t: (0, share[: active[t]])
        where = self.maxima[direction].unsqueeze(1)
        return lambda t: (0, gradient[: active[t]] * (where[: active[t]] == t))

    def _array_push(self, gradient: Tensor) -> Push:
        return lambda t: (0, gradient[t, : self.active[t]])


def input_slope(direction: Direction) -> Tensor:
    """(input_size, drive_size): how the drive, affine in the input, moves with each of it."""
    cell = direction.cell
    eye = torch.eye(cell.input_size, dtype=cell.dtype, device=cell.device)
    return cell.drive(eye) - cell.drive(torch.zeros_like(eye))


def _reader(drives: Drives, direction: int, points: Tensor | None, base: Tensor | None) -> Read:
    if points is None or base is None:
        return lambda t, rows: drives.at(direction, t, rows)
    count = len(points)

    def read(t: int, rows: int) -> Tensor:
        end = drives.at(direction, t, rows // count).unsqueeze(1)
        return torch.lerp(base, end, points[:, None]).flatten(0, 1)

    return read


def _of_array(drive: Tensor) -> Read:
    return lambda t, rows: drive[t, :rows]


def _tagged(take: Callable[[int, int, Tensor], None], direction: int) -> Take:
    return lambda t, delta: take(direction, t, delta)


def _into(found: Tensor, slope: Tensor) -> Take:
    def take(t: int, delta: Tensor) -> None:
        found[t, : len(delta)] = delta @ slope.mT

    return take
