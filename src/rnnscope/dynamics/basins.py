"""Which root each seed flows to, and a check of that by plain iteration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.certificate import Certificate
from rnnscope.dynamics.explore import NewRoots
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.slow_flow import Attractor, slow_flow
from rnnscope.dynamics.stable_root import stable_root

LOOK = 50
"""Plain steps between two looks at where a state is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FlowCheck:
    """The flow of some seeds against the network iterated step by step.

    Attributes:
        seeds: which, (n,).
        basin: the root that plain iteration led to, as a row of ``roots``; -1 where it came to
            none within the steps allowed, (n,).
        agree: seeds of both known basins that agree.
        disagree: seeds of both known basins that do not.
        open: seeds that one of the two left open.
    """

    seeds: Tensor
    basin: Tensor
    agree: int
    disagree: int
    open: int

    @property
    def sentence(self) -> str:
        """The check in words."""
        if not len(self.seeds):
            return "The flow was not checked by plain iteration."
        return (
            f"Of {len(self.seeds)} seeds iterated step by step {self.agree} came to the root that "
            f"their flow was said to lead to, {self.disagree} to another, {self.open} were left "
            "open by one of the two."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Basins:
    """Where the seeds flow.

    Attributes:
        new: roots that the flow led to and that were not known.
        basin: per seed the root's row, the known ones first and then the new ones; -1, (S,).
        time: steps that the flow took, (S,).
        check: against plain iteration.
    """

    new: NewRoots
    basin: Tensor
    time: Tensor
    check: FlowCheck


def follow_basins(
    problem: Problem,
    seeds: Tensor,
    resting: Tensor,
    roots: Tensor,
    *,
    scale: float,
    options: FixedPointOptions,
) -> Basins:
    """Follow the flow of every seed that is not at rest itself.

    Args:
        seeds: (S, N).
        resting: seeds that need no flow, (S,): fixed points that are no isolated root, and states
            from which F is not finite.
        roots: the known roots, (n, N).
    """
    size = len(seeds)
    certificates: list[Certificate] = []
    looked: list[Tensor] = []

    def look(here: Problem, h: Tensor) -> Attractor | None:
        found = stable_root(here, h, scale=scale)
        if found is None:
            return None
        certificates.append(found.certificate)
        looked.append(found.attractor.state)
        return found.attractor

    moving = (~resting).nonzero().squeeze(-1)
    basin, time = torch.full((size,), -1), torch.zeros(size)
    flow = slow_flow(problem.rows(moving), seeds[moving], scale=scale, stable_root=look)
    found = [attractor.state for attractor in flow.attractors]
    kept = {id(state): tested for state, tested in zip(looked, certificates, strict=True)}
    new: list[Tensor] = []
    rows: list[int] = []
    for state in found:
        apart = norm(roots - state) if len(roots) else torch.empty(0)
        if len(roots) and float(apart.min()) <= 1e-6 * scale:
            rows.append(int(apart.argmin()))
        else:
            rows.append(len(roots) + len(new))
            new.append(state)
    if found:
        places = torch.tensor([*rows, -1])
        basin[moving] = places[flow.basin]
    time[moving] = flow.time
    check = _check(problem.here, seeds, moving, basin, flow.attractors, rows, options)
    first = tuple(int((basin == len(roots) + k).nonzero()[0]) for k in range(len(new)))
    return Basins(
        new=NewRoots(
            states=torch.stack(new) if new else seeds[:0],
            certificates=tuple(kept[id(state)] for state in new),
            seeds=first,
        ),
        basin=basin,
        time=time,
        check=check,
    )


def _check(
    problem: Problem,
    seeds: Tensor,
    moving: Tensor,
    basin: Tensor,
    attractors: tuple[Attractor, ...],
    rows: list[int],
    options: FixedPointOptions,
) -> FlowCheck:
    generator = torch.Generator().manual_seed(options.rng)
    order = torch.randperm(len(moving), generator=generator)
    # Under inputs of their own a root is one seed's, and no other's flow tells of it.
    checks = options.checks if problem.x.ndim == 1 else 0
    chosen = moving[order[:checks]].sort().values
    plain = torch.full((len(chosen),), -1)
    quick = problem.to(torch.float32).rows(chosen)
    h = seeds[chosen].float()
    active = torch.isfinite(quick.residual(h)).all(-1)
    with heavy():
        for _ in range(0, options.check_steps, LOOK):
            k = active.nonzero().squeeze(-1)
            if not len(k) or not attractors:
                break
            here, state = quick.rows(k), h[k]
            for _ in range(LOOK):
                state = here.step(state)
            h[k] = state
            G = here.residual(state)
            for place, attractor in zip(rows, attractors, strict=True):
                caught = attractor.captures(state, G) & (plain[k] < 0)
                plain[k[caught]] = place
            active[k] = (plain[k] < 0) & torch.isfinite(norm(state))
    both = (plain >= 0) & (basin[chosen] >= 0)
    same = plain == basin[chosen]
    return FlowCheck(
        seeds=chosen,
        basin=plain,
        agree=int((both & same).sum()),
        disagree=int((both & ~same).sum()),
        open=int((~both).sum()),
    )


def no_basins(size: int, width: int) -> Basins:
    """The result where no flow was followed."""
    none = torch.empty(0, dtype=torch.long)
    return Basins(
        new=NewRoots(states=torch.empty(0, width, dtype=torch.float64), certificates=(), seeds=()),
        basin=torch.full((size,), -1),
        time=torch.zeros(size),
        check=FlowCheck(seeds=none, basin=none, agree=0, disagree=0, open=0),
    )
