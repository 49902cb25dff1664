"""Fixed points from seeds that no memory holds, searched shard by shard.

Roots add up by the balls in which each is the only one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics import FixedPointOptions, find_fixed_points
from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.errors import DataError
from rnnscope.notebook import ShowsItself
from rnnscope.progress import counted, showing
from rnnscope.study.shards import AHEAD, at_least_one, ordered


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyRoots(ShowsItself):
    """What very many seeds led to.

    Attributes:
        roots: each once, (R, N).
        isolation: radius within which each is the only one, (R,).
        proved: whether that is proved, (R,).
        basin_sizes: seeds that the network takes to each, (R,).
        to_none: seeds that it takes to none.
        outcomes: seeds by verdict.
        manifold: a sample of the manifold points, (M, N).
        seeds: how many there were.
    """

    roots: Tensor
    isolation: Tensor
    proved: Tensor
    basin_sizes: Tensor
    to_none: int
    outcomes: dict[str, int]
    manifold: Tensor
    seeds: int

    def __len__(self) -> int:
        return self.seeds

    def __repr__(self) -> str:
        found = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return f"ManyRoots of {self.seeds} seeds: {len(self.roots)} roots; {found}"


def find_on(
    model: Any,
    seeds: Tensor | Iterable[Tensor],
    executor: Executor | None = None,
    *,
    inputs: Any = "zero",
    shard: int = 2_048,
    ahead: int = AHEAD,
    sample: int = 64,
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
        progress: show a bar on standard error.
        options, changes: as of ``find_fixed_points``.

    Raises:
        UsageError: a size below 1, or an unknown option.
        DataError: no seeds; DataError, ModelError and NotApplicable as of ``find_fixed_points``.
    """
    at_least_one(shard=shard, ahead=ahead)
    chosen = FixedPointOptions.of(options, changes)
    blocks = [seeds] if isinstance(seeds, Tensor) else seeds
    parts = (part for block in blocks for part in _states(block).split(shard))
    jobs = ((model, part, inputs, chosen, sample) for part in parts)
    total: ManyRoots | None = None
    with showing(progress), counted(None, "searching", "seed") as count:
        for found in ordered(_find, jobs, executor, ahead):
            total = found if total is None else _joined(total, found)
            count(found.seeds)
    if total is None:
        raise DataError("Fixed points are sought from seeds.", expected="one or more", got="none")
    return total


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


def _joined(a: ManyRoots, b: ManyRoots) -> ManyRoots:
    """Both: a root of ``b`` in whose ball, or in the ball of which, one of ``a`` lies is that."""
    roots, isolation, proved = list(a.roots), a.isolation.tolist(), a.proved.tolist()
    sizes = a.basin_sizes.tolist()
    for root, radius, sure, size in zip(
        b.roots, b.isolation.tolist(), b.proved.tolist(), b.basin_sizes.tolist(), strict=True
    ):
        apart = [float((root - one).norm()) for one in roots]
        same = [k for k, d in enumerate(apart) if d <= max(radius, isolation[k])]
        if same:
            sizes[same[0]] += size
            continue
        roots.append(root)
        isolation.append(radius)
        proved.append(sure)
        sizes.append(size)
    return ManyRoots(
        roots=torch.stack(roots) if roots else a.roots,
        isolation=torch.tensor(isolation, dtype=torch.float64),
        proved=torch.tensor(proved, dtype=torch.bool),
        basin_sizes=torch.tensor(sizes, dtype=torch.long),
        to_none=a.to_none + b.to_none,
        outcomes=dict(Counter(a.outcomes) + Counter(b.outcomes)),
        manifold=torch.cat([a.manifold, b.manifold]),
        seeds=a.seeds + b.seeds,
    )
