"""Seeds: states from which fixed points are sought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.drawn_seeds import Box, Drawn, Runs, numbers
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.systems import Network, System, Visits
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Trajectory
from rnnscope.models.layers import flip

AT_ONCE = 16_384
"""Steps of runs on arrays taken at once: bounds the memory, never changes a result."""


class Batch(Protocol):
    """States on a batch of runs: a trajectory, or a system's part of one."""

    @property
    def states(self) -> Tensor: ...

    @property
    def lengths(self) -> Tensor: ...


def gather_seeds(model: Network, cell: Cell, seeds: Any, *, count: int, rng: int) -> Tensor:
    """Seeds as (S, N) float64 on the CPU, a copy.

    Args:
        model, cell: the network, and its cell in float64.
        seeds: documents (for a model), a trajectory or several, an array (S, N) or (N,), ``Runs``
            of a network on arrays, a ``Box``, or states ``Drawn`` like any of these.
        count: of visited states, how many are drawn at most.
        rng: seed of every draw.

    Raises:
        DataError: no seeds, a wrong width, complex numbers, values that are not finite.
        UsageError: documents for a bare cell.
    """
    system = System.of(model)
    if isinstance(seeds, Drawn):
        visited = gather_seeds(system, cell, seeds.source, count=seeds.visited, rng=rng)
        return checked_states(seeds.draw(visited, rng=rng), cell)
    if isinstance(seeds, Box):
        visited = None
        if seeds.source is not None:
            visited = gather_seeds(system, cell, seeds.source, count=RANGE, rng=rng)
        return checked_states(seeds.draw(visited, cell.state_size, rng=rng), cell)
    if is_states(system, seeds):
        return checked_states(seeds, cell)
    seeds = list(seeds) if isinstance(seeds, Iterator) else seeds
    if isinstance(seeds, Runs):
        batches = run_on_arrays(system, cell, seeds)
    elif trajectories := trajectories_in(seeds):
        batches = map(system.visits_of, trajectories)
    else:
        batches = system.visits(seeds)
    return checked_states(draw_visited(batches, count=count, rng=rng), cell)


RANGE = 16_384
"""Visited states that a box's range is taken from."""


def draw_visited(batches: Iterable[Batch], *, count: int, rng: int) -> Tensor:
    """At most ``count`` visited states, one of every document before a second of any.

    One pass: a state's key is its random rank within its document plus a uniform number; the
    smallest keys are kept.
    """
    generator = torch.Generator().manual_seed(rng)
    best: list[Tensor] = []
    keys = torch.empty(0)
    for batch in batches:
        for row, length in zip(batch.states, batch.lengths.tolist(), strict=True):
            rank = torch.randperm(length, generator=generator)
            key = rank + torch.rand(length, generator=generator)
            best.append(row[:length].detach().to("cpu", torch.float64))
            keys = torch.cat([keys, key])
        if best:
            keys, order = keys.sort()
            keys = keys[:count]
            best = [torch.cat(best)[order[:count]]]
    return best[0] if best else torch.empty(0, 0, dtype=torch.float64)


def run_on_arrays(system: System, cell: Cell, runs: Runs) -> Iterator[Visits]:
    """Run a system on arrays of inputs, batch by batch.

    A layer above others is run within its network, which reads the arrays; any other system by its
    own equations in float64.

    Raises:
        UsageError: an initial state for a layer above others.
        DataError: an initial state of the wrong shape, or one that is not finite.
    """
    if not system.reads_data:
        if runs.initial is not None:
            raise UsageError(
                "A layer above others starts where its network does.",
                expected="initial=None",
                got="an initial state",
                fix="give the initial state to the lowest layer, or to all of them jointly",
            )
        yield from system.run_on_arrays(runs.documents(system.input_width))
        return
    inputs, lengths = runs.padded(cell.input_size)
    state = _initial(system, cell, runs, len(inputs))
    step = max(1, AT_ONCE // inputs.shape[1])
    for start in range(0, len(inputs), step):
        rows = slice(start, start + step)
        visited = _visit(cell, inputs[rows], lengths[rows], state[rows], system.reads_backwards)
        yield Visits(states=visited, inputs=None, lengths=lengths[rows])


@torch.no_grad()
def _visit(cell: Cell, x: Tensor, lengths: Tensor, state: Tensor, backwards: bool) -> Tensor:
    """The state after each input, (B, T, N), in the order of the inputs."""
    x = flip(x, lengths) if backwards else x
    states = x.new_empty(*x.shape[:2], cell.state_size)
    for t in range(x.shape[1]):
        state = cell.step(x[:, t], state)
        states[:, t] = state
    return flip(states, lengths) if backwards else states


def _initial(system: System, cell: Cell, runs: Runs, count: int) -> Tensor:
    """The state before the first input of each run, (runs, N)."""
    if runs.initial is None:
        start = system.start.detach().to("cpu", torch.float64)
        return start.expand(count, -1)
    initial = numbers(runs.initial, "An initial state")
    width = cell.state_size
    if tuple(initial.shape) not in ((width,), (count, width)):
        raise DataError(
            "Runs start from one state, or from one each.",
            expected=f"({width},) or ({count}, {width})",
            got=str(tuple(initial.shape)),
        )
    if not torch.isfinite(initial).all():
        raise DataError("An initial state must be finite.", got="values that are not")
    return initial.expand(count, width)


def seed_scale(seeds: Tensor) -> float:
    """The seeds' mean distance to their centroid; for seeds all alike, their length or 1."""
    scale = float(norm(seeds - seeds.mean(0)).mean())
    size = float(norm(seeds).mean())
    if scale > 1e-12 * size:
        return scale
    return size if size > 0 else 1.0


def trajectories_in(seeds: Any) -> list[Trajectory]:
    """The trajectories that seeds are, one or a list of them; none where they are no such thing."""
    several = list(seeds) if isinstance(seeds, list | tuple) else [seeds]
    return several if all(isinstance(one, Trajectory) for one in several) else []


def is_states(model: Network, seeds: Any) -> bool:
    """Whether seeds are states as they are: an array, or a list of them typed by hand. A model's
    list of arrays, or of whole numbers where it has an embedding, is documents."""
    if isinstance(seeds, Tensor | np.ndarray):
        return True
    if not isinstance(seeds, list | tuple):
        # Tables of other libraries; a corpus is none.
        return hasattr(seeds, "__array__") and hasattr(seeds, "shape")
    if not seeds:
        return False
    try:
        array = np.asarray(seeds)
    except (ValueError, RuntimeError, TypeError):
        return False
    if System.of(model).model is None:
        return array.dtype.kind in "fiuc"
    return array.dtype.kind in "fc" and array.ndim < 3


def checked_states(states: Any, cell: Cell) -> Tensor:
    """States as (S, N) float64 on the CPU, a copy; one state (N,) is a batch of one.

    Raises:
        DataError: none, the wrong width, complex, or not finite; the rows are named.
    """
    states = numbers(states, "States")
    states = states[None] if states.ndim == 1 and states.numel() else states
    if states.ndim != 2 or not len(states):
        raise DataError(
            "At least one state is needed, in a table of states.",
            expected=f"(states, {cell.state_size}) with one seed or more",
            got=str(tuple(states.shape)),
            fix="inputs to run a network on go in Runs(inputs)"
            if states.ndim == 3 and len(states)
            else "give more documents, or an array of states",
        )
    if states.shape[-1] != cell.state_size:
        raise DataError(
            "Each state must be as wide as the cell's.",
            expected=f"(states, {cell.state_size})",
            got=str(tuple(states.shape)),
            fix="a state of an LSTM is h and c joined, twice the units"
            if cell.kind.startswith("lstm")
            else "a state of a stack is the states of its layers joined, the lowest first"
            if cell.kind == "stack"
            else "check the array's last axis; documents of word indices come as a list",
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
