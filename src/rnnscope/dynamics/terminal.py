"""Each seed followed to its end: projected onto the slow manifold, then descended in q."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.certificate import Certificate, certify, polish
from rnnscope.dynamics.levenberg_marquardt import minimise_speed
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.problem import Problem, finder_speed
from rnnscope.dynamics.projection import Projection, project


@dataclass(frozen=True, kw_only=True, eq=False)
class Terminals:
    """Where each of S seeds went. Rows that are not finite stayed where they were.

    Attributes:
        seeds: (S, N).
        projection: the seeds on the slow manifold.
        states: where the descent of q ended, (S, N).
        steps: steps of projection and descent together, (S,).
        stationarity: ``||A^T G|| / ||G||`` there, (S,).
        finite: whether F was finite all along, (S,).
        at_rest: whether the residual is at the tolerance or at rounding level, (S,).
        certificate: the test of an isolated root, nan where ``at_rest`` is False.
    """

    seeds: Tensor
    projection: Projection
    states: Tensor
    steps: Tensor
    stationarity: Tensor
    finite: Tensor
    at_rest: Tensor
    certificate: Certificate


def descend(
    problem: Problem, seeds: Tensor, *, scale: float, options: FixedPointOptions
) -> Terminals:
    """Follow every seed, a memory-sized chunk at a time."""
    chunks = problem.chunks(len(seeds))
    return _joined([_follow(problem, seeds[rows], scale, options) for rows in chunks])


def _joined(parts: Sequence[Any]) -> Any:
    """Chunks of one dataclass of tensors put back together, field by field."""

    def join(values: Sequence[Any]) -> Any:
        return torch.cat(list(values)) if isinstance(values[0], Tensor) else _joined(values)

    names = [field.name for field in fields(parts[0])]
    return replace(parts[0], **{n: join([getattr(part, n) for part in parts]) for n in names})


def _follow(problem: Problem, seeds: Tensor, scale: float, options: FixedPointOptions) -> Terminals:
    finite = torch.isfinite(problem.residual(seeds)).all(-1)
    finite &= torch.isfinite(problem.jacobian(seeds)).flatten(1).all(-1)
    h = seeds.clone()
    projection = _stay(seeds)
    k = finite.nonzero().squeeze(-1)
    steps = torch.zeros(len(seeds), dtype=torch.long)
    stationarity = torch.full((len(seeds),), torch.nan, dtype=h.dtype)
    if len(k):
        landed = project(
            problem,
            seeds[k],
            slow_time=options.slow_time,
            # Far below what is accepted: a slow drift must stand out from what is left.
            tolerance=min(options.fast_tolerance, 1e-10) * scale,
        )
        for name in ("states", "drift", "fast", "slow_count", "steps"):
            getattr(projection, name)[k] = getattr(landed, name)
        descent = minimise_speed(
            problem,
            landed.states,
            max_steps=options.max_steps,
            stationarity=options.stationarity,
            reach=options.far * scale,
        )
        h[k], stationarity[k] = descent.states, descent.stationarity
        steps[k] = landed.steps + descent.steps

    close = finite & (norm(problem.residual(h)) < 1e-6 * max(1.0, scale))
    h[close] = polish(problem, h[close])
    G = problem.residual(h)
    at_rest = (finder_speed(G) <= options.tolerance) | (norm(G) <= problem.rounding(h))
    nan = torch.full((len(seeds),), torch.nan, dtype=h.dtype)
    certificate = Certificate(
        nullity=torch.zeros(len(seeds), dtype=torch.long),
        product=nan.clone(),
        error=nan.clone(),
        isolation=nan.clone(),
    )
    if at_rest.any():
        tested = certify(problem, h[at_rest], radius=1e-3 * scale)
        for name in ("nullity", "product", "error", "isolation"):
            getattr(certificate, name)[at_rest] = getattr(tested, name)
    return Terminals(
        seeds=seeds,
        projection=projection,
        states=h,
        steps=steps,
        stationarity=stationarity,
        finite=finite,
        at_rest=at_rest & finite,
        certificate=certificate,
    )


def _stay(seeds: Tensor) -> Projection:
    """A projection that went nowhere, to be filled."""
    zeros = torch.zeros(len(seeds), dtype=torch.long)
    return Projection(
        states=seeds.clone(),
        drift=torch.zeros_like(seeds),
        fast=seeds.new_full((len(seeds),), torch.inf),
        slow_count=zeros.clone(),
        steps=zeros,
    )
