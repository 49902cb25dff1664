"""Seeds: states from which fixed points are sought."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.drawn_seeds import Box, Drawn, Runs, like
from rnnscope.dynamics.linalg import norm
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model, Trajectory


def gather_seeds(model: Model | Cell, cell: Cell, seeds: Any, *, count: int, rng: int) -> Tensor:
    """Seeds as (S, N) float64 on the CPU, a copy.

    Args:
        seeds: documents (for a model), a trajectory, an array (S, N) or (N,), a ``Box``, ``Runs``
            of a network on arrays, or states ``Drawn`` like any of these.

    Raises:
        DataError: no seeds, a wrong width, values that are not finite.
        UsageError: documents for a bare cell.
    """
    states: Any
    if isinstance(seeds, Drawn):
        visited = gather_seeds(model, cell, seeds.source, count=seeds.visited, rng=rng)
        states = like(visited, count=seeds.count, rng=rng)
    elif isinstance(seeds, Box):
        states = seeds.draw(cell.state_size, rng=rng)
    elif isinstance(seeds, Runs):
        states = seeds.draw(cell, count=count, rng=rng)
    elif isinstance(seeds, Trajectory):
        states = draw_visited([seeds], count=count, rng=rng)
    elif isinstance(seeds, Tensor | np.ndarray) or _is_states(model, seeds):
        states = seeds
    elif isinstance(model, Cell):
        raise UsageError(
            "A cell reads no documents, so its seeds must be states.",
            expected="an array (seeds, state width) or a trajectory",
            got=type(seeds).__name__,
            fix="hand over the model, or states it visits",
        )
    else:
        states = draw_visited(model.trajectories(seeds), count=count, rng=rng)
    return checked_states(states, cell)


def draw_visited(trajectories: Iterable[Trajectory], *, count: int, rng: int) -> Tensor:
    """At most ``count`` visited states, one of every document before a second of any.

    One pass: a state's key is its random rank within its document plus a uniform number; the
    smallest keys are kept.
    """
    generator = torch.Generator().manual_seed(rng)
    best: list[Tensor] = []
    keys = torch.empty(0)
    for trajectory in trajectories:
        for row, length in zip(trajectory.states, trajectory.lengths.tolist(), strict=True):
            rank = torch.randperm(length, generator=generator)
            key = rank + torch.rand(length, generator=generator)
            best.append(row[:length].detach().to("cpu", torch.float64))
            keys = torch.cat([keys, key])
        if best:
            keys, order = keys.sort()
            keys = keys[:count]
            best = [torch.cat(best)[order[:count]]]
    return best[0] if best else torch.empty(0, 0, dtype=torch.float64)


def seed_scale(seeds: Tensor) -> float:
    """The seeds' mean distance to their centroid; for seeds all alike, their length or 1."""
    scale = float(norm(seeds - seeds.mean(0)).mean())
    size = float(norm(seeds).mean())
    if scale > 1e-12 * size:
        return scale
    return size if size > 0 else 1.0


def _is_states(model: Model | Cell, seeds: Any) -> bool:
    """Whether a list holds states typed by hand. A model's list of arrays, or of whole numbers
    where it has an embedding, is documents."""
    if not isinstance(seeds, list | tuple) or not seeds:
        return False
    try:
        array = np.asarray(seeds)
    except (ValueError, RuntimeError):
        return False
    if isinstance(model, Cell):
        return array.dtype.kind in "fiu"
    return array.dtype.kind == "f" and array.ndim < 3


def checked_states(states: Any, cell: Cell) -> Tensor:
    """States as (S, N) float64 on the CPU, a copy; one state (N,) is a batch of one.

    Raises:
        DataError: none, the wrong width, or not finite; the rows are named.
    """
    try:
        array = states.detach() if isinstance(states, Tensor) else np.asarray(states, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            "States are numbers.",
            expected=f"an array (states, {cell.state_size})",
            got=f"{type(states).__name__}: {error}",
        ) from error
    states = torch.as_tensor(array).to("cpu", torch.float64, copy=True)
    states = states[None] if states.ndim == 1 and states.numel() else states
    if states.ndim != 2 or not len(states):
        raise DataError(
            "At least one state is needed, in a table of states.",
            expected=f"(states, {cell.state_size}) with one seed or more",
            got=str(tuple(states.shape)),
            fix="give more documents, or an array of states",
        )
    if states.shape[-1] != cell.state_size:
        raise DataError(
            "Each state must be as wide as the cell's.",
            expected=f"(states, {cell.state_size})",
            got=str(tuple(states.shape)),
            fix="a state of an LSTM is h and c joined, twice the units"
            if cell.kind == "lstm"
            else "check the array's last axis",
        )
    bad = (~torch.isfinite(states).all(-1)).nonzero().squeeze(-1).tolist()
    if bad:
        shown = ", ".join(map(str, bad[:8])) + (" and more" if len(bad) > 8 else "")
        raise DataError(
            "States must be finite.",
            expected="finite numbers",
            got=f"{len(bad)} rows that are not: {shown}",
        )
    return states
