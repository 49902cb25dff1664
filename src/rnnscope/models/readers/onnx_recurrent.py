"""ONNX's recurrent operators as our layers.

LSTM   W (directions, 4n, d), R (directions, 4n, n), B (directions, 8n): gates i, o, f, c
GRU    gates z, r, h; linear_before_reset = 1: the reset acts after the product
RNN    one gate, Tanh or Relu
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import ModelError
from rnnscope.models.layers import Direction, Layer
from rnnscope.models.readers.gates import ORDERS, OURS, Convention, cell_of
from rnnscope.models.readers.onnx_file import Node

KINDS = {"LSTM": "lstm", "GRU": "gru", "RNN": "vanilla"}
DEFAULT = {"lstm": ["Sigmoid", "Tanh", "Tanh"], "gru": ["Sigmoid", "Tanh"], "vanilla": ["Tanh"]}
WAYS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


def layer_of(node: Node, values: list[np.ndarray | None]) -> tuple[Layer, list[Tensor]]:
    """The layer of a recurrent operator, and the initial state of each direction.

    Args:
        node: the operator.
        values: its inputs X, W, R, B, sequence_lens, initial_h, initial_c, P; None where absent.

    Raises:
        ModelError: an option without equations, or weights that do not fit.
    """
    kind, options = KINDS[node.op], node.attributes
    ways = WAYS.get(options.get("direction", "forward"))
    given = [str(name) for name in options.get("activations", [])]
    relu = kind == "vanilla" and set(given) == {"Relu"}
    plain = DEFAULT[kind] * len(ways or ())
    peepholes = len(values) > 7 and values[7] is not None and bool(np.any(values[7]))
    faults = [
        name
        for name, wrong in {
            "direction": ways is None,
            "activations": bool(given) and not relu and given != plain,
            "clip": "clip" in options,
            "layout": options.get("layout", 0) != 0,
            "input_forget": options.get("input_forget", 0) != 0,
            "peepholes": peepholes,
        }.items()
        if wrong
    ]
    if faults or ways is None:
        raise ModelError(
            "A recurrent operator must be one that we have equations for.",
            expected="LSTM, GRU or RNN with their default activations, no clip, layout 0",
            got=f"{node.op} {node.name!r} with {', '.join(faults)}",
        )
    padded = [*values, *[None] * (8 - len(values))]
    W, R, B, h0, c0 = (_tensor(padded[k]) for k in (1, 2, 3, 5, 6))
    if W is None or R is None or W.ndim != 3 or R.ndim != 3 or len(W) != len(ways):
        raise ModelError("A recurrent operator has weights.", got=f"{node.name!r} without them")
    directions, starts = [], []
    for k, reverse in enumerate(ways):
        rows = R.shape[1]
        b, a = (None, None) if B is None else (B[k, :rows], B[k, rows:])
        cell = cell_of(
            kind,
            ORDERS["onnx"].get(kind) or OURS[kind],
            W[k],
            R[k],
            b,
            a,
            reset_first=not options.get("linear_before_reset", 0),
            convention=Convention(nonlinearity="relu" if relu else "tanh"),
        )
        parts = [] if h0 is None else [h0[k, 0]]
        if kind == "lstm" and h0 is not None:
            parts.append(torch.zeros_like(h0[k, 0]) if c0 is None else c0[k, 0])
        start = torch.cat(parts) if parts else cell.initial_state()
        starts.append(start)
        initial = start if start.any() else None
        directions.append(Direction(cell=cell, initial=initial, reverse=reverse))
    return Layer(directions=tuple(directions)), starts


def _tensor(value: Any) -> Tensor | None:
    return None if value is None else torch.from_numpy(np.array(value))
