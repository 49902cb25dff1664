"""One very long document, a stretch at a time, in the memory of a stretch.

The state goes on from stretch to stretch; the mean and the maximum of the outputs are kept as sums
and maxima. The directions of one bidirectional layer are run apart, the backward one from the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rnnscope.models.layers import Direction, run
from rnnscope.models.trajectory import POOLINGS

if TYPE_CHECKING:
    from rnnscope.models.model import Model


def can_stream(model: Model) -> bool:
    """Whether nothing in the model needs the whole document at once: attention does, and so do the
    upper layers of a bidirectional stack."""
    both = any(len(layer.directions) > 1 for layer in model.layers)
    plain = all(name in POOLINGS for name in model.pooling.split("+"))
    return plain and not (both and len(model.layers) > 1)


@torch.no_grad()
def pooled_in_stretches(
    model: Model, document: np.ndarray, stretch: int
) -> tuple[Tensor, list[Tensor]]:
    """What the head reads, (1, H), and each layer's last state, (state_size,).

    Args:
        model: one that ``can_stream``.
        document: as ``model.encode`` gives it.
        stretch: steps at a time.
    """
    sides = range(len(model.layers[0].directions))
    parts, finals = [], []
    for side in sides:
        path = [layer.directions[side] for layer in model.layers]
        pooled, states = _one_way(model, path, document, stretch)
        parts.append(pooled)
        finals += states
    names = model.pooling.split("+")
    joined = [torch.cat([part[name] for part in parts], dim=-1) for name in names]
    return torch.cat(joined, dim=-1)[None], finals


def _one_way(
    model: Model, path: Sequence[Direction], document: np.ndarray, stretch: int
) -> tuple[dict[str, Tensor], list[Tensor]]:
    states = [direction.start for direction in path]
    read = document[::-1] if path[0].reverse else document
    width = path[-1].cell.hidden_size
    total = torch.zeros(width, dtype=torch.float64, device=model.device)
    highest = torch.full((width,), -torch.inf, dtype=model.dtype, device=model.device)
    outputs = highest
    for start in range(0, len(read), stretch):
        part = np.ascontiguousarray(read[start : start + stretch])
        lengths = torch.tensor([len(part)], device=model.device)
        inputs, drive = model.inputs([part])
        for k, direction in enumerate(path):
            cell = direction.cell
            driven = drive(cell) if drive and not k else cell.drive(inputs)
            on = replace(direction, initial=states[k], reverse=False)
            found = run(on, driven, lengths)
            inputs, states[k] = found.outputs, found.states[0, -1].clone()
        outputs = inputs[0]
        total += outputs.sum(dim=0, dtype=torch.float64)
        highest = torch.maximum(highest, outputs.amax(dim=0))
    mean = (total / len(read)).to(model.dtype)
    return {"last": outputs[-1].clone(), "mean": mean, "max": highest}, states
