"""Callables in any precision: a step that holds float64 weights cannot run in another dtype.

``F_32(h, x) = round(F(h, x))``: where float32 is asked for, the step runs in float64 and what it
gives is rounded, so that searches that begin in float32 take every network.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rnnscope.cells import CELLS, Autodiff, Cell, Stack, Transformed
from rnnscope.errors import ModelError

OURS = tuple(CELLS.values())


def can_move(cell: Cell) -> bool:
    """Whether a cell is one of ours all through; what a callable holds stays where it is."""
    if isinstance(cell, Stack):
        return all(map(can_move, cell.layers))
    return can_move(cell.inner) if isinstance(cell, Transformed) else type(cell) in OURS


def in_any_precision(cell: Cell) -> Cell:
    """The same cell in float64, which can be told to work in float32 whatever it is made of."""
    if isinstance(cell, Stack):
        return Stack(layers=tuple(map(in_any_precision, cell.layers)))
    if not isinstance(cell, Autodiff):
        return cell
    try:
        cell.to(torch.float32)
    except ModelError:
        function = cell.function

        def rounded(x: Tensor, h: Tensor) -> Tensor:
            return function(x.double(), h.double()).to(h.dtype)

        return replace(cell, function=rounded)
    return cell
