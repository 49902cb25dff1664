"""Variables of TensorFlow 1's cells: one kernel (d + n, G n) for x and h joined.

BasicLSTMCell, LSTMCell   kernel, bias: i, j, f, o; forget_bias (1 by default) added when it runs
GRUCell                   gates/kernel: r, u; candidate/kernel; reset before the product
BasicRNNCell              kernel, bias (told from a linear layer by its n columns and the name)
"""

from __future__ import annotations

import torch

from rnnscope.models.layers import Direction
from rnnscope.models.readers.blocks import Block, Group
from rnnscope.models.readers.gates import ORDERS, Convention, cell_of

LSTM_NAMES = ("lstm_cell", "basic_lstm_cell")
RNN_NAMES = ("basic_rnn_cell",)


def block(name: str, group: Group, convention: Convention) -> Block | None:
    """A cell of TensorFlow 1, by the names of its variables."""
    group = {key.removesuffix(":0"): weight for key, weight in group.items()}
    last = name.rsplit(".", 1)[-1]
    if {"gates.kernel", "candidate.kernel"} <= set(group):
        gates, candidate = group["gates.kernel"].mT, group["candidate.kernel"].mT
        n = len(candidate)
        d = candidate.shape[1] - n
        rows = torch.cat([gates, candidate])
        b = torch.cat([group["gates.bias"], group["candidate.bias"]])
        first = True if convention.reset_first is None else convention.reset_first
        cell = cell_of(
            "gru",
            ORDERS["tensorflow"]["gru"],
            rows[:, :d],
            rows[:, d:],
            b,
            reset_first=first,
            convention=convention,
        )
        return Block(name=name, layers=((Direction(cell=cell),),))
    if set(group) != {"kernel", "bias"} or group["kernel"].ndim != 2:
        return None
    kind = "lstm" if last in LSTM_NAMES else "vanilla" if last in RNN_NAMES else None
    if kind is None:
        return None
    rows = group["kernel"].mT
    n = len(rows) // (4 if kind == "lstm" else 1)
    d = rows.shape[1] - n
    order = ORDERS["tensorflow"]["lstm"] if kind == "lstm" else ("h",)
    cell = cell_of(kind, order, rows[:, :d], rows[:, d:], group["bias"], convention=convention)
    return Block(name=name, layers=((Direction(cell=cell),),))
