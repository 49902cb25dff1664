"""Scores of one very long document, a stretch of steps at a time, in the memory of a stretch.

It is read once forwards, keeping the state before each stretch, and the stretches once more from
the last to the first, with what the readout asks of the states after a stretch carried to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell, Transformed
from rnnscope.models import Direction, Model
from rnnscope.models.streaming import (
    Read,
    can_stream,
    paths_of,
    read_on,
    read_through,
    states_on,
    vectors_of,
)


def memory_streams(model: Model) -> bool:
    """Whether ``memory_scores`` can: where the top layer's state is read out as it is."""
    cells = [direction.cell for direction in model.layers[-1].directions]
    plain = all(type(c).expose is Cell.expose and not isinstance(c, Transformed) for c in cells)
    return plain and can_stream(model)


def gradients_stream(model: Model) -> bool:
    """Whether ``map_gradients`` can: where the derivative of every cell is a map."""
    cells = [d.cell for layer in model.layers for d in layer.directions]
    return can_stream(model) and all(cell.matrix_free for cell in cells)


@torch.no_grad()
def memory_scores(
    model: Model, document: np.ndarray, methods: tuple[bool, ...], steps: int
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Beta and gamma of a memory that is read out as it is; see ``memory.MemoryScore``.

    The read-out states hold ``R_j = share_j + keep_{j+1} R_{j+1}`` of what word j wrote.

    Args:
        model: one whose ``memory_streams``.
        document: as ``model.encode`` gives it.
        methods: for each score whether partial memories are what is left of them (gamma).
        steps: at a time.

    Returns:
        For each method (T, classes) and the initial state's (classes,); the logits (classes,).
    """
    readout, length = model.require_readout(), len(document)
    values = [readout.weight.new_zeros(length, len(readout.bias)) for _ in methods]
    initial = [torch.zeros_like(readout.bias) for _ in methods]
    logits = readout.bias.clone()
    for path, weight in _ways(model, readout.weight):
        read = read_through(model, path, document, steps)
        logits += read.pooled[model.pooling] @ weight.mT
        reach = [torch.zeros_like(read.pooled["last"]) for _ in methods]
        for a, b, inputs in _backwards(model, path, document, steps):
            before = read.starts[a // steps]
            outputs, _ = read_on(path, inputs, before)
            top, x = path[-1], inputs if len(path) == 1 else outputs[-2]
            states = torch.cat([before[-1][None], states_on(top, x, before[-1], outputs[-1])])
            share = _share(model.pooling, read, a, b, length)
            rows = _rows(a, b, length, top.reverse)
            for m, forgets in enumerate(methods):
                keep = None
                if forgets:
                    keep = top.cell.keep(top.cell.gates(x, states[:-1]))
                held, reach[m] = _held(share, keep, reach[m])
                left = states[:-1] if keep is None else keep * states[:-1]
                values[m][rows] += (held * (states[1:] - left)) @ weight.mT
        for m in range(len(methods)):
            initial[m] += (reach[m] * path[-1].start) @ weight.mT
    return values, initial, logits


def _held(share: Tensor, keep: Tensor | None, after: Tensor) -> tuple[Tensor, Tensor]:
    """R of each step of a stretch, and what of it reaches the memory before, from that after."""
    if keep is None:
        held = share.flip(0).cumsum(0).flip(0) + after
        return held, held[0].clone()
    held = torch.empty_like(share)
    for j in range(len(share) - 1, -1, -1):
        after = torch.add(share[j], after, out=held[j]) * keep[j]
    return held, after


def map_gradients(
    model: Model,
    document: np.ndarray,
    rows: Tensor,
    steps: int,
    take: Callable[[Tensor, Tensor, Tensor], None],
) -> None:
    """Give each stretch's gradients of some functions of the pooled state by its inputs.

    Args:
        model: one whose ``gradients_stream``.
        document: as ``model.encode`` gives it.
        rows: (K, H), the functions' gradients by the pooled state.
        steps: at a time.
        take: is given positions in the text (T,), inputs (T, width) and gradients (K, T, width);
            twice, once for each direction, where there are two.
    """
    for path, weight in _ways(model, rows):
        read = read_through(model, path, document, steps)
        back = [weight.new_zeros(len(rows), d.cell.state_size) for d in path]
        for a, b, inputs in _backwards(model, path, document, steps):
            before = read.starts[a // steps]
            outputs, _ = read_on(path, inputs, before)
            share = _share(model.pooling, read, a, b, len(document))
            asked = weight[:, None] * share
            for k in reversed(range(len(path))):
                x = inputs if k == 0 else outputs[k - 1]
                states = states_on(path[k], x, before[k], outputs[k])
                states = torch.cat([before[k][None], states])
                asked, back[k] = _pulled(path[k].cell, x, states, asked, back[k])
            place = torch.arange(len(document))[_rows(a, b, len(document), path[0].reverse)]
            take(place, inputs, asked)


def _pulled(
    cell: Cell, x: Tensor, states: Tensor, asked: Tensor, after: Tensor
) -> tuple[Tensor, Tensor]:
    """What is asked of a layer's inputs, and of its state before a stretch.

    Args:
        cell: one whose derivative is a map, and no matrix.
        x: the inputs, (T, input_size).
        states: before the first step and after each, (1 + T, state_size).
        asked: of the outputs, (K, T, hidden_size).
        after: of the last state by later stretches, (K, state_size).

    Returns:
        (K, T, input_size) and (K, state_size).
    """
    of_state = _grads(cell.output, states[1:], asked)
    tangent = cell.tangent(x, states[:-1])
    for t in range(len(x) - 1, -1, -1):
        of_state[:, t] += after
        after = tangent.rows(slice(t, t + 1)).pull(of_state[None, :, t])[0]  # type: ignore[arg-type]
    return _grads(lambda read: cell.step(read, states[:-1]), x, of_state), after


@torch.enable_grad()
def _grads(function: Callable[[Tensor], Tensor], at: Tensor, asked: Tensor) -> Tensor:
    """``J^T u`` of a function of T rows at once, for K vectors u a row: (K, T, width)."""
    at = at.detach().requires_grad_()
    values = function(at)
    return torch.stack(
        [torch.autograd.grad(values, at, one, retain_graph=True)[0] for one in asked]
    )


def _ways(model: Model, weight: Tensor) -> Iterator[tuple[list[Direction], Tensor]]:
    """Each way of reading, and the columns of what is asked of the pooled state that are its."""
    paths = paths_of(model)
    widths = [path[-1].cell.hidden_size for path in paths]
    return zip(paths, weight.split(widths, dim=1), strict=True)


def _backwards(
    model: Model, path: Sequence[Direction], document: np.ndarray, steps: int
) -> Iterator[tuple[int, int, Tensor]]:
    """The stretches from the last to the first: first step, end and inputs, as they are read."""
    read = document[::-1] if path[0].reverse else document
    for a in reversed(range(0, len(read), steps)):
        b = min(a + steps, len(read))
        yield a, b, vectors_of(model, read[a:b])


def _rows(a: int, b: int, length: int, reverse: bool) -> Tensor:
    """Where in the text the steps of a stretch stand."""
    place = torch.arange(a, b)
    return length - 1 - place if reverse else place


def _share(pooling: str, read: Read, a: int, b: int, length: int) -> Tensor:
    """The weight of each unit's output at each step in the pooled state, (b - a, hidden_size)."""
    like = read.pooled["last"]
    step = torch.arange(a, b, device=like.device)[:, None]
    if pooling == "mean":
        return like.new_full((b - a, len(like)), 1 / length)
    return (
        (step == (read.where if pooling == "max" else length - 1))
        .to(like.dtype)
        .expand(b - a, len(like))
    )
