"""Parameter trees of renn, the code of Maheswaranathan et al. 2019: a linear RNN (A, W, b) a gate.

VanillaRNN   weights
UGRNN        update_gate (+ gate_bias), cell_state
GRU          reset_gate, update_gate (+ gate_bias), cell_state, read as W (r * h): reset first
LSTM         update_gate as i, forget_gate (+ forget_bias, 1 by default), cell_state, output_gate
each with initial_state, (n,) or of the LSTM (2n,)
"""

from __future__ import annotations

import torch

from rnnscope.models.layers import Direction
from rnnscope.models.readers.blocks import Block, Group
from rnnscope.models.readers.gates import OURS, Convention, cell_of

GATES: dict[str, dict[str, str]] = {
    "vanilla": {"h": "weights"},
    "ugrnn": {"u": "update_gate", "g": "cell_state"},
    "gru": {"r": "reset_gate", "z": "update_gate", "n": "cell_state"},
    "lstm": {"i": "update_gate", "f": "forget_gate", "g": "cell_state", "o": "output_gate"},
}
"""Architecture -> our gate -> renn's name of its linear RNN."""

FIELDS = (("A", "W", "b"), ("0", "1", "2"))
"""A linear RNN's arrays, as a dataclass and as the tuple that it flattens to."""


def block(name: str, group: Group, convention: Convention) -> Block | None:
    """A cell of renn, told by its initial state and its gates."""
    if "initial_state" not in group:
        return None
    for kind, gates in GATES.items():
        for fields in FIELDS:
            names = {f"{gate}.{field}" for gate in gates.values() for field in fields}
            if {*names, "initial_state"} == set(group):
                return _cell(name, kind, group, fields, convention)
    return None


def _cell(
    name: str, kind: str, group: Group, fields: tuple[str, ...], convention: Convention
) -> Block:
    W, V, b = (
        torch.cat([group[f"{GATES[kind][gate]}.{field}"] for gate in OURS[kind]])
        for field in fields
    )
    first = True if convention.reset_first is None else convention.reset_first
    cell = cell_of(kind, OURS[kind], W, V, b, reset_first=first, convention=convention)
    start = group["initial_state"]
    return Block(
        name=name,
        layers=((Direction(cell=cell, initial=start if start.any() else None),),),
    )
