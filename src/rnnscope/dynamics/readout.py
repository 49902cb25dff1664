"""The direction in which the readout looks, in the coordinates of the whole state."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.systems import Network, System


def readout_direction(model: Network, cell: Cell) -> Tensor | None:
    """The model's contrast padded with zeros where the readout does not look, (N,).

    None for a bare cell, without a readout, or where the readout looks at another layer. Of a
    bidirectional network it is the part that looks at this direction.
    """
    contrast = System.of(model).contrast
    if contrast is None:
        return None
    contrast = contrast.detach().to("cpu", torch.float64)
    looks_at = cell.output(torch.eye(cell.state_size, dtype=torch.float64))
    return looks_at @ contrast if looks_at.shape[-1] == len(contrast) else None


def seen_coordinates(cell: Cell) -> Tensor:
    """Which coordinates of the state a readout can see: h of an LSTM, not c, (N,) bool."""
    return cell.output(torch.eye(cell.state_size, dtype=torch.float64)).any(-1)
