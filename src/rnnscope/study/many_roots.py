"""What very many seeds led to, and how what two lots of them led to adds up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.notebook import ShowsItself


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


def joined(a: ManyRoots, b: ManyRoots) -> ManyRoots:
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
