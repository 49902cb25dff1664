"""Cells: the equations of each architecture, their gates and closed-form Jacobians."""

from rnnscope.cells.autodiff import Autodiff
from rnnscope.cells.cell import Cell, Gates
from rnnscope.cells.gru import GRU, ResetFirstGRU
from rnnscope.cells.lstm import LSTM
from rnnscope.cells.pointwise import (
    ACTIVATIONS,
    POINTWISE,
    Activation,
    Affine,
    Norm,
    Pointwise,
    Steps,
    affine_of,
    through,
    width_after,
)
from rnnscope.cells.projected_lstm import ProjectedLSTM
from rnnscope.cells.stack import Stack
from rnnscope.cells.transformed import Transformed
from rnnscope.cells.ugrnn import UGRNN
from rnnscope.cells.vanilla import Vanilla

CELLS: dict[str, type[Cell]] = {
    cell.kind: cell for cell in (Vanilla, UGRNN, GRU, ResetFirstGRU, LSTM, ProjectedLSTM)
}
"""The cells with closed-form equations, by the name that files and commands use."""

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "GRU",
    "LSTM",
    "POINTWISE",
    "UGRNN",
    "Activation",
    "Affine",
    "Autodiff",
    "Cell",
    "Gates",
    "Norm",
    "Pointwise",
    "ProjectedLSTM",
    "ResetFirstGRU",
    "Stack",
    "Steps",
    "Transformed",
    "Vanilla",
    "affine_of",
    "through",
    "width_after",
]
