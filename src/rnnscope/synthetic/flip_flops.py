"""Flip-flops built by hand: units that each remember one bit, in every architecture."""

from __future__ import annotations

from itertools import product
from math import log, tanh

import torch
from torch import Tensor

from rnnscope.cells import CELLS, Cell
from rnnscope.errors import UsageError
from rnnscope.synthetic.attractor import Attractor, input_weights, zero_between

_ORDER = {"vanilla": "n", "ugrnn": "kn", "gru": "rkn", "gru_reset_first": "rkn", "lstm": "ikno"}
"""Each architecture's gates as stacked: k keeps, i lets in, n is the candidate."""


def flip_flop(
    *, bits: int = 3, gain: float = 2.0, kind: str = "vanilla", copies: int = 1, keep: float = 0.25
) -> Attractor:
    """Groups of units that each remember one bit, without knowing of each other.

    A vanilla unit is ``h' = tanh(gain h + 4 x)``, with the roots -a, 0, a where
    ``a = tanh(gain a)``. A gated unit's gates stand still: it moves by ``keep`` towards its old
    state and by the rest towards ``tanh(gain h + 4 x)``; an LSTM's unit has
    ``c' = keep c + (1 - keep) tanh(gain tanh(c) + 4 x)``, ``h' = tanh(c') / 2``. Together they
    have 3^bits roots: a stable one for each memory, and saddles that grow in one direction per
    bit at 0. For three bits 8, 12, 6 and 1 with 0, 1, 2 and 3 growing directions.

    Args:
        bits: how many, each with an input of its own; +1 and -1 set it.
        gain: slope of the loop that remembers, at 0; above 1.
        kind: "vanilla", "ugrnn", "gru", "gru_reset_first" or "lstm".
        copies: units that share one bit; each reads their mean.
        keep: what a gated cell keeps of its state each step, 0 < keep < 1.

    Raises:
        UsageError: an option out of range, or an unknown kind.
    """
    _check(bits, gain, kind, copies, keep)
    keep = 0.0 if kind == "vanilla" else keep
    lstm = kind == "lstm"
    a = zero_between(lambda c: tanh(gain * (tanh(c) if lstm else c)) - c, 0.1, 1.0)
    memory = torch.tensor(list(product((-a, 0.0, a), repeat=bits)), dtype=torch.float64)
    slopes = gain * (1 - memory**2) * ((1 - memory.tanh() ** 2) if lstm else 1)
    spare = memory.new_full((len(memory), bits * (copies - 1)), keep)
    eigenvalues = torch.cat([keep + (1 - keep) * slopes, spare], dim=-1)
    roots = memory.repeat_interleave(copies, dim=-1)
    if lstm:
        roots = torch.cat([roots.tanh() / 2, roots], dim=-1)
        # h' is a function of c', so half of the eigenvalues are 0.
        eigenvalues = torch.nn.functional.pad(eigenvalues, (0, bits * copies))
    return Attractor(
        cell=_cell(kind, bits=bits, gain=gain, copies=copies, keep=keep),
        sentence=f"{2**bits} memories, {3**bits} roots in all.",
        roots=roots,
        unstable=(memory == 0).sum(-1),
        eigenvalues=eigenvalues.sort(-1, descending=True).values,
    )


def bistable(*, gain: float = 2.0) -> Attractor:
    """One unit with three roots: two stable, between them one that is not."""
    return flip_flop(bits=1, gain=gain)


def _cell(kind: str, *, bits: int, gain: float, copies: int, keep: float) -> Cell:
    units = bits * copies
    shared = torch.ones(copies, copies, dtype=torch.float64) / copies
    loop = gain * torch.kron(torch.eye(bits, dtype=torch.float64), shared)
    push = input_weights(bits, bits).repeat_interleave(copies, dim=0)
    # A reset or output gate without weights stands at 1/2: the loop is twice as strong for it.
    halved = kind in ("gru", "gru_reset_first", "lstm")
    loop = 2 * loop if halved else loop
    hold = log(keep / (1 - keep)) if keep else 0.0
    order = _ORDER[kind]
    still = torch.zeros(units, dtype=torch.float64)
    weights = {
        "W": _stack(order, push),
        "V": _stack(order, loop),
        "b": torch.cat([still + {"k": hold, "i": -hold}.get(gate, 0.0) for gate in order]),
    }
    if kind == "gru":
        weights["a"] = still
    return CELLS[kind](**weights)


def _stack(order: str, weight: Tensor) -> Tensor:
    """The weight for the candidate gate n, zeros for the others."""
    return torch.cat([weight if gate == "n" else torch.zeros_like(weight) for gate in order])


def _check(bits: int, gain: float, kind: str, copies: int, keep: float) -> None:
    if kind not in _ORDER:
        raise UsageError(
            "A flip-flop is built for a known architecture.",
            expected=", ".join(_ORDER),
            got=repr(kind),
        )
    for name, value, fits, expected in (
        ("bits", bits, bits >= 1, "1 or more"),
        ("copies", copies, copies >= 1, "1 or more"),
        ("gain", gain, gain > 1, "above 1: below it the only root is 0"),
        ("keep", keep, 0 < keep < 1, "between 0 and 1"),
    ):
        if not fits:
            raise UsageError(
                f"A flip-flop cannot be built with this {name}.", expected=expected, got=str(value)
            )
