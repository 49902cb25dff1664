"""Fixed points from seeds that no memory holds, searched shard by shard.

Roots add up by the balls in which each is the only one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from rnnscope.dynamics import FixedPointOptions, find_fixed_points
from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.dynamics.input_names import input_name
from rnnscope.dynamics.systems import System
from rnnscope.errors import DataError
from rnnscope.progress import counted, showing
from rnnscope.study.devices import gpu
from rnnscope.study.many_roots import ManyRoots
from rnnscope.study.search_file import SearchFile, identity_of, seen_with
from rnnscope.study.shards import AHEAD, at_least_one, ordered


def find_on(
    model: Any,
    seeds: Tensor | Iterable[Tensor],
    executor: Executor | None = None,
    *,
    inputs: Any = "zero",
    shard: int = 2_048,
    ahead: int = AHEAD,
    sample: int = 64,
    path: str | Path | None = None,
    progress: bool = False,
    options: FixedPointOptions | None = None,
    **changes: Any,
) -> ManyRoots:
    """Fixed points from seeds that need not fit into memory, on an executor.

    Args:
        model: a model, a system or a bare cell, which goes to every worker.
        seeds: states (S, N), or an iterable of such.
        executor: any; here and now when None.
        inputs: the input held fixed, one for all.
        shard: seeds at a time.
        ahead: shards under way at once.
        sample: manifold points kept of each shard.
        path: keep what the shards so far led to in this file. A search that is stopped, by Ctrl-C
            or a kill, goes on from there when called again with the same seeds. (A step that is
            a callable of yours is known by its name and weights alone.)
        progress: show a bar on standard error.
        options, changes: as of ``find_fixed_points``.

    Raises:
        UsageError: a size below 1, an unknown option, or the path holds another search.
        DataError: no seeds, or others than those that were begun with, or the path holds something
            else; DataError, ModelError and NotApplicable as of ``find_fixed_points``.
    """
    at_least_one(shard=shard, ahead=ahead)
    chosen = FixedPointOptions.of(options, changes)
    work = {
        "network": identity_of(System.of(model)),
        "input": input_name(inputs),
        "options": {name: value for name, value in asdict(chosen).items() if name != "device"},
        "shard": shard,
        "sample": sample,
    }
    kept = SearchFile(path, work)
    blocks = [seeds] if isinstance(seeds, Tensor) else seeds
    parts = (part for block in blocks for part in _states(block).split(shard))
    begun: deque[str] = deque()
    given = 0

    def jobs() -> Iterator[tuple[Any, ...]]:
        nonlocal given
        seen = ""
        for part in parts:
            seen = "" if path is None else seen_with(seen, part)
            given += 1
            if not kept.known(given - 1, seen):
                begun.append(seen)
                yield model, part, inputs, chosen, sample

    with showing(progress), counted(None, "searching", "seed") as count:
        count(0 if kept.found is None else kept.found.seeds)
        try:
            for found in ordered(_find, jobs(), executor, ahead):
                kept.add(found, begun.popleft())
                count(found.seeds)
        finally:
            kept.save()
    kept.require_all(given)
    if kept.found is None:
        raise DataError("Fixed points are sought from seeds.", expected="one or more", got="none")
    return kept.found


def _states(block: Any) -> Tensor:
    states = numbers(block, "Seeds")
    if states.ndim != 2:
        raise DataError(
            "Seeds are states, one a row.", expected="(S, N)", got=str(tuple(states.shape))
        )
    return states


def _find(
    model: Any, seeds: Tensor, inputs: Any, options: FixedPointOptions, sample: int
) -> ManyRoots:
    options = replace(options, device=options.device or gpu())
    points = find_fixed_points(model, seeds, inputs, options=options)
    return ManyRoots(
        roots=points.roots.states,
        isolation=points.roots.isolation,
        proved=points.roots.proved,
        basin_sizes=points.basin_sizes,
        to_none=int((points.basin < 0).sum()),
        outcomes=points.counts,
        manifold=points.manifold.states[:: max(1, -(-len(points.manifold) // sample))].clone(),
        seeds=len(points),
    )
