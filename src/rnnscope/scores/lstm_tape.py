"""The LSTM's gradients through time in closed form (Hochreiter & Schmidhuber 1997).

dc_t  = f_{t+1} * dc_{t+1} + dh_t * o * (1 - tanh(c)^2)
d_i   = dc * g * i * (1 - i)
d_f   = dc * c_{t-1} * f * (1 - f)
d_g   = dc * i * (1 - g^2)
d_o   = dh * tanh(c) * o * (1 - o)
dh_{t-1} = V^T (d_i, d_f, d_g, d_o)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rnnscope.cells import LSTM, Cell
from rnnscope.models.layers import Direction
from rnnscope.scores.lstm_kernels import kernels_for
from rnnscope.scores.packed import room_for
from rnnscope.scores.products import Product, product_with
from rnnscope.scores.tape import Push, Read, Take, Tape


def is_plain_lstm(cell: Cell) -> bool:
    """Whether a cell is the LSTM of the textbook, whose output is ``o * tanh(c)`` itself."""
    return (
        type(cell) is LSTM
        and set(cell.parameters) == {"W", "V", "b"}
        and cell.V.shape[0] == 4 * cell.V.shape[1]
    )


class Buffers:
    """Arrays that are filled again for each batch: fresh memory costs more than the arithmetic."""

    def __init__(self) -> None:
        self._flat: dict[str, Tensor] = {}

    def take(self, name: str, like: Tensor, *shape: int) -> Tensor:
        """An array of this shape, of whatever it held before."""
        size = torch.Size(shape).numel()
        flat = self._flat.get(name)
        if flat is None or flat.numel() < size:
            flat = self._flat[name] = room_for(size, like=like)
        return flat[:size].view(shape)


class Products:
    """The two recurrent products of an LSTM, forwards and backwards."""

    def __init__(self, cell: LSTM) -> None:
        self.forward: Product = product_with(cell.V)
        self.backward: Product = product_with(cell.V.mT)


class LSTMTape(Tape):
    """A plain LSTM, its gates kept.

    Args:
        direction: the cell and its initial state.
        read: its drives.
        active: how many rows are at work at each step, falling, and a last 0.
        products: its recurrent products.
        buffers: where the gates are kept; this tape is done when they are used again.
    """

    def __init__(
        self,
        direction: Direction,
        read: Read,
        active: Sequence[int],
        products: Products,
        buffers: Buffers,
    ) -> None:
        start, n = direction.start, direction.cell.hidden_size
        rows, steps = active[0], len(active) - 1
        self._active, self._products, self._buffers, self._units = active, products, buffers, n
        self._kernels = kernels_for(start)
        self._gates = buffers.take("gates", start, steps, rows, 4 * n)
        self._c = buffers.take("c", start, steps + 1, rows, n)
        self._tanh_c = buffers.take("tanh_c", start, steps, rows, n)
        self.outputs = buffers.take("h", start, steps, rows, n)
        self._c[0] = start[n:]
        h = start[:n].expand(rows, -1).contiguous()
        for t, count in enumerate(active[:-1]):
            gates = self._gates[t, :count]
            h = self._step(gates, products.forward(h[:count], read(t, count)), t, count)

    def _step(self, gates: Tensor, pre: Tensor, t: int, count: int) -> Tensor:
        n = self._units
        c, tanh_c, h = self._c[t + 1, :count], self._tanh_c[t, :count], self.outputs[t, :count]
        if self._kernels is not None:
            arrays = pre, gates, self._c[t, :count], c, tanh_c, h
            self._kernels.forward(*(array.numpy() for array in arrays))
            return h
        # tanh(a) = 2 sigm(2 a) - 1, and torch's sigmoid is ten times as quick as its tanh.
        pre[:, 2 * n : 3 * n].mul_(2)
        torch.sigmoid(pre, out=gates)
        i, f, g, o = gates.chunk(4, dim=-1)
        g.mul_(2).sub_(1)
        torch.mul(f, self._c[t, :count], out=c).addcmul_(i, g)
        torch.mul(c, 2, out=tanh_c).sigmoid_().mul_(2).sub_(1)
        return torch.mul(o, tanh_c, out=h)

    def backward(self, classes: int, push: Push, take: Take) -> None:
        rows, n = self._active[0], self._units
        dh = self._buffers.take("dh", self.outputs, rows, classes, n).zero_()
        dc = self._buffers.take("dc", self.outputs, rows, classes, n).zero_()
        deltas = self._buffers.take("delta", self.outputs, rows * classes, 4 * n)
        for t in reversed(range(len(self._active) - 1)):
            count = self._active[t]
            given = push(t)
            if given is not None:
                dh[given[0] : count] += given[1]
            delta = deltas[: count * classes]
            self._step_back(t, dh[:count], dc[:count], delta.view(count, classes, 4 * n))
            if t:
                dh[:count] = self._products.backward(delta, None).view(count, classes, n)
            take(t, delta.view(count, classes, 4 * n))

    def _step_back(self, t: int, dh: Tensor, dc: Tensor, delta: Tensor) -> None:
        count = len(dh)
        if self._kernels is not None:
            arrays = self._gates[t, :count], self._c[t, :count], self._tanh_c[t, :count]
            self._kernels.backward(*(array.numpy() for array in (*arrays, dh, dc, delta)))
            return
        i, f, g, o = (gate.unsqueeze(1) for gate in self._gates[t, :count].chunk(4, dim=-1))
        tanh_c = self._tanh_c[t, :count].unsqueeze(1)
        before = self._c[t, :count].unsqueeze(1)
        d_i, d_f, d_g, d_o = delta.chunk(4, dim=-1)
        dc.addcmul_(dh, o * (1 - tanh_c * tanh_c))
        torch.mul(dc, g * (i - i * i), out=d_i)
        torch.mul(dc, before * (f - f * f), out=d_f)
        torch.mul(dc, i * (1 - g * g), out=d_g)
        torch.mul(dh, tanh_c * (o - o * o), out=d_o)
        dc.mul_(f)
