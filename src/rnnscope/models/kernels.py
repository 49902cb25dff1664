"""torch's own kernels for the cells that it has: many times faster than one step after another.

Their sums are taken in another order, so they agree with our equations to rounding. They are used
where a document is so long that speed counts and states need not be kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.cells import GRU, LSTM, Cell, ProjectedLSTM, Transformed, Vanilla, through


def has_kernel(cell: Cell) -> bool:
    """Whether torch has a kernel for a cell."""
    cell = cell.inner if isinstance(cell, Transformed) else cell
    return type(cell) in (GRU, LSTM, ProjectedLSTM, Vanilla)


def run_fast(cell: Cell, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The outputs after each input, (T, hidden_size), and the last state, (state_size,).

    Args:
        cell: one that ``has_kernel``.
        inputs: (T, input_size).
        state: before the first, (state_size,).
    """
    if isinstance(cell, Transformed):
        outputs, last = run_fast(cell.inner, inputs, state)
        return through(cell.steps, outputs), last
    # layers, dropout, training, two directions, batch first
    rest = (True, 1, 0.0, False, False, True)
    x = inputs[None]
    if isinstance(cell, LSTM | ProjectedLSTM):
        weights = [cell.W, cell.V, cell.b, torch.zeros_like(cell.b)]
        weights += [cell.R] if isinstance(cell, ProjectedLSTM) else []
        h, c = cell.output(state)[None, None], cell.memory(state)[None, None]
        outputs, h, c = torch.lstm(x, (h.contiguous(), c.contiguous()), weights, *rest)
        return outputs[0], torch.cat([h, c], dim=-1)[0, 0]
    weights = [cell.W, cell.V, cell.b, torch.zeros_like(cell.b)]  # type: ignore[attr-defined]
    if isinstance(cell, GRU):
        weights[3] = torch.cat([cell.a.new_zeros(2 * cell.hidden_size), cell.a])
        kernel = torch.gru
    else:
        relu = isinstance(cell, Vanilla) and cell.nonlinearity == "relu"
        kernel = torch.rnn_relu if relu else torch.rnn_tanh
    outputs, h = kernel(x, state[None, None].contiguous(), weights, *rest)
    return outputs[0], h[0, 0]


def states_of(cell: Cell, inputs: Tensor, state: Tensor, outputs: Tensor) -> Tensor:
    """The states after each input, (T, state_size), from the outputs that a kernel gave.

    Args:
        cell, inputs, state: as for ``run_fast``.
        outputs: what it gave.
    """
    if isinstance(cell, Transformed):
        return states_of(cell.inner, inputs, state, run_fast(cell.inner, inputs, state)[0])
    if not isinstance(cell, LSTM):
        return outputs
    # With the outputs at hand all gates are one product; c' = f * c + i * g is what is left.
    before = torch.cat([cell.output(state)[None], outputs[:-1]])
    gates = cell.activate(cell.drive(inputs), torch.cat([before, torch.zeros_like(before)], dim=-1))
    c, write = cell.memory(state), gates["i"] * gates["g"]
    memories = torch.empty_like(write)
    for t, (keep, new) in enumerate(zip(gates["f"], write, strict=True)):
        c = torch.addcmul(new, keep, c, out=memories[t])
    return torch.cat([outputs, memories], dim=-1)
