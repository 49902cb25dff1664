"""Finding, by value, the steps that lead from one vector of a traced run to another.

A module's forward is code, and code is not read here. What is looked at are the numbers: a linear
layer that read exactly what the recurrent part put out stands behind it, whatever is written
between them. Every path found is certified afterwards on whole documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.cells import ACTIVATIONS, Activation, Steps
from rnnscope.models.trace import Piece, Trace

DEPTH = 8
"""The longest chain of steps looked for."""

CLOSE = {torch.float64: 1e-10, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""How near two values are that count as the same, times max(1, largest)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A value of the run and the steps that lead to it.

    Args:
        value: (rows, width).
        steps: from where the search began.
        last: the name of the module that was the last step; empty where it was a function.
    """

    value: Tensor
    steps: Steps = ()
    last: str = ""


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two values are equal up to rounding."""
    if a.shape != b.shape or not a.numel():
        return False
    limit = CLOSE.get(b.dtype, 1e-4) * max(1.0, float(b.abs().max()))
    return float((a.to(b.dtype) - b).abs().max()) <= limit


def reach(start: Tensor, trace: Trace) -> Iterator[Node]:
    """Every value that steps lead to from ``start`` (rows, width), nearest first."""
    pieces = [p for p in trace.steps if p.x is not None and len(p.x) == len(start)]
    front = [Node(value=start)]
    for _ in range(DEPTH):
        yield from front
        front = [after for node in front for after in _onwards(node, pieces)]


def _onwards(node: Node, pieces: Iterable[Piece]) -> Iterator[Node]:
    for piece in pieces:
        if piece.step is not None and piece.x is not None and same(node.value, piece.x):
            yield Node(value=piece.y, steps=(*node.steps, piece.step), last=piece.name)
    if node.steps and isinstance(node.steps[-1], Activation):
        return
    for name, function in ACTIVATIONS.items():
        value = function(node.value)
        if not same(value, node.value):
            yield Node(value=value, steps=(*node.steps, Activation(name=name)))


def path(start: Tensor, target: Tensor, trace: Trace) -> Steps | None:
    """The shortest steps from one value to another of as many rows; None where there are none."""
    if len(start) != len(target):
        return None
    return next((node.steps for node in reach(start, trace) if same(node.value, target)), None)
