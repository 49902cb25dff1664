"""One very long document, a stretch at a time, in the memory of a stretch.

The state goes on from stretch to stretch; the mean and the maximum of the outputs are kept as sums
and maxima. The directions of one bidirectional layer are run apart, the backward one from the end.
Cells that torch has a kernel for run by it: see ``kernels``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rnnscope.memory import at_once
from rnnscope.models.kernels import has_kernel, run_fast, states_of
from rnnscope.models.layers import Direction, run
from rnnscope.models.trajectory import POOLINGS

if TYPE_CHECKING:
    from rnnscope.models.model import Model

STRETCH = 16_384
"""Steps at a time: what bounds the memory, and from which a document counts as very long."""


def can_stream(model: Model) -> bool:
    """Whether nothing in the model needs the whole document at once: attention does, and so do the
    upper layers of a bidirectional stack."""
    both = any(len(layer.directions) > 1 for layer in model.layers)
    plain = all(name in POOLINGS for name in model.pooling.split("+"))
    return plain and not (both and len(model.layers) > 1)


def bytes_a_step(model: Model, *, gates: bool = False) -> int:
    """What a run holds for each padded step: drives, states in both orders, outputs, gates."""
    numbers = model.input_size
    for layer in model.layers:
        for direction in layer.directions:
            cell = direction.cell
            zero = torch.zeros(cell.input_size, dtype=cell.dtype, device=cell.device)
            drive = cell.drive(zero).numel()
            turned = drive + cell.state_size if direction.reverse else 0
            numbers += drive + 2 * cell.state_size + cell.hidden_size + turned
            numbers += len(cell.gate_names) * cell.hidden_size if gates else 0
    return numbers * torch.empty(0, dtype=model.dtype).element_size()


def steps_at_once(
    model: Model, *, gates: bool = False, most: int = STRETCH, copies: int = 1
) -> int:
    """Padded steps that are run at a time: ``most``, or fewer within a memory budget.

    Args:
        copies: how much of what a run holds the work holds for each step.
    """
    return at_once(most, copies * bytes_a_step(model, gates=gates))


def split_by_length(encoded: Sequence[np.ndarray], steps: int) -> tuple[list[int], list[int]]:
    """Which documents have at most so many steps, and which have more."""
    short = [k for k, document in enumerate(encoded) if len(document) <= steps]
    return short, [k for k, document in enumerate(encoded) if len(document) > steps]


def paths_of(model: Model) -> list[list[Direction]]:
    """For each way that a model which ``can_stream`` reads, the directions of all layers."""
    sides = range(len(model.layers[0].directions))
    return [[layer.directions[side] for layer in model.layers] for side in sides]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """What one way of reading did on some steps in a row, in reading order.

    Args:
        start: the first step.
        inputs: what the lowest layer read, (T, input_size).
        before: each layer's state before the first step, (state_size,).
        outputs: each layer's outputs, (T, hidden_size).
        after: each layer's state after the last step.
    """

    start: int
    inputs: Tensor
    before: list[Tensor]
    outputs: list[Tensor]
    after: list[Tensor]


def stretches_of(
    model: Model, path: Sequence[Direction], document: np.ndarray, steps: int
) -> Iterator[Stretch]:
    """Run one way of reading over a document, so many steps at a time."""
    read = document[::-1] if path[0].reverse else document
    before = [direction.start for direction in path]
    for start in range(0, len(read), steps):
        inputs = vectors_of(model, read[start : start + steps])
        outputs, after = read_on(path, inputs, before)
        yield Stretch(start=start, inputs=inputs, before=before, outputs=outputs, after=after)
        before = after


def vectors_of(model: Model, part: np.ndarray) -> Tensor:
    """What the lowest layer reads of some words or vectors, (T, input_size)."""
    array = torch.from_numpy(np.array(part))  # turned round, a view has strides torch lacks
    if model.embedding is not None:
        return model.embedding[array.to(model.device)]
    return array.to(model.device, model.dtype)


def read_on(
    path: Sequence[Direction], inputs: Tensor, before: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Each layer's outputs on (T, input_size), and its state after them, from those before."""
    outputs, after = [], []
    for direction, state in zip(path, before, strict=True):
        cell = direction.cell
        if has_kernel(cell):
            inputs, last = run_fast(cell, inputs, state)
        else:
            found = _run(direction, inputs, state)
            inputs, last = found.outputs[0], found.states[0, -1].clone()
        outputs.append(inputs)
        after.append(last)
    return outputs, after


@torch.no_grad()
def pooled_in_stretches(model: Model, document: np.ndarray, stretch: int) -> Tensor:
    """What the head reads, (1, H).

    Args:
        model: one that ``can_stream``.
        document: as ``model.encode`` gives it.
        stretch: steps at a time.
    """
    parts = [read_through(model, path, document, stretch).pooled for path in paths_of(model)]
    names = model.pooling.split("+")
    joined = [torch.cat([part[name] for part in parts], dim=-1) for name in names]
    return torch.cat(joined, dim=-1)[None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """What is left of one way of reading a document, in the order of reading.

    Args:
        pooled: the top layer's outputs by the name of the pooling, each (hidden_size,).
        where: the step at which each unit's output is largest, (hidden_size,).
        starts: each layer's state before every stretch.
    """

    pooled: dict[str, Tensor]
    where: Tensor
    starts: list[list[Tensor]]


@torch.no_grad()
def read_through(model: Model, path: Sequence[Direction], document: np.ndarray, steps: int) -> Read:
    """Run one way of reading over a whole document, so many steps at a time."""
    width = path[-1].cell.hidden_size
    total = torch.zeros(width, dtype=torch.float64, device=model.device)
    highest = torch.full((width,), -torch.inf, dtype=model.dtype, device=model.device)
    where = torch.zeros(width, dtype=torch.long, device=model.device)
    last, starts = highest, []
    for part in stretches_of(model, path, document, steps):
        outputs = part.outputs[-1]
        starts.append(part.before)
        total += outputs.sum(dim=0, dtype=torch.float64)
        most, step = outputs.max(dim=0)
        where = torch.where(most > highest, part.start + step, where)
        highest = torch.maximum(highest, most)
        last = outputs[-1].clone()
    mean = (total / len(document)).to(model.dtype)
    pooled = {"last": last, "mean": mean, "max": highest}
    return Read(pooled=pooled, where=where, starts=starts)


@torch.no_grad()
def states_in_stretches(model: Model, document: np.ndarray, stretch: int) -> Iterator[Tensor]:
    """The joint states of all layers, (T, state_size) for each stretch of T steps.

    Args:
        model: one that reads in one direction.
        document: as ``model.encode`` gives it.
        stretch: steps at a time.
    """
    (path,) = paths_of(model)
    for part in stretches_of(model, path, document, stretch):
        read = [part.inputs, *part.outputs[:-1]]
        yield torch.cat(
            [
                states_of(d.cell, x, before, outputs)
                if has_kernel(d.cell)
                else _run(d, x, before).states[0]
                for d, x, before, outputs in zip(path, read, part.before, part.outputs, strict=True)
            ],
            dim=-1,
        )


def states_on(direction: Direction, inputs: Tensor, before: Tensor, outputs: Tensor) -> Tensor:
    """One layer's states after each of its inputs, (T, state_size), from what ``read_on`` gave."""
    if has_kernel(direction.cell):
        return states_of(direction.cell, inputs, before, outputs)
    return _run(direction, inputs, before).states[0]


def _run(direction: Direction, inputs: Tensor, state: Tensor):
    lengths = torch.tensor([len(inputs)], device=inputs.device)
    onward = replace(direction, initial=state, reverse=False)
    return run(onward, direction.cell.drive(inputs)[None], lengths)
