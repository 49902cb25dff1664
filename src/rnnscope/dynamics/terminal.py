"""Each seed followed to its end: projected onto the slow manifold, then, where asked, descended.

The projection says what a seed's own neighbourhood is. Descents say which roots and ghosts there
are: of a narrow network every seed is descended, of a wide one those that did not come down on the
manifold and, of the rest, a few that lie far apart; what their flow leads to is found besides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from rnnscope.dynamics.adam import adam
from rnnscope.dynamics.certificate import Certificate, certify, no_certificate, polish
from rnnscope.dynamics.chord import chord
from rnnscope.dynamics.flow_descent import flow_descent
from rnnscope.dynamics.landing import Projection
from rnnscope.dynamics.levenberg_marquardt import Descent, minimise_speed
from rnnscope.dynamics.linalg import heavy, inverse, norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.problem import PART, Problem, finder_speed
from rnnscope.dynamics.projection import CHUNK, WIDE, project
from rnnscope.dynamics.shifted_newton import shifted_newton
from rnnscope.memory import at_once
from rnnscope.progress import told, told_rows

SOLVERS: dict[str, Callable[..., Descent]] = {
    "levenberg_marquardt": minimise_speed,
    "shifted_newton": shifted_newton,
    "chord": chord,
    "flow": flow_descent,
    "adam": adam,
}
"""The descents by name. One protocol: ``(problem, starts, *, max_steps, stationarity, reach)``."""

STRAYS = 64
"""Seeds that did not come down on the manifold, of which at most so many are descended."""

STUCK = 4
"""Stuck descents of a wide network that are gone on with."""

CHORDS = 8
"""Steps with one root's inverse, for states that lie close to it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Terminals:
    """Where each of S seeds went. Rows that are not finite stayed where they were.

    Attributes:
        seeds: (S, N).
        projection: the seeds on the slow manifold.
        off_manifold: per seed, why its projection is no manifold point; "" where it is one.
        descended: whether the seed was descended, or its projection was at rest already, (S,).
        states: where the descent ended; the projection where there was none, (S, N).
        steps: steps of projection and descent together, (S,).
        stationarity: ``||A^T G|| / ||G||`` there, nan without a descent, (S,).
        finite: whether F was finite all along, (S,).
        at_rest: whether the residual is at the tolerance or at rounding level, (S,).
        certificate: the test of an isolated root, nan where ``at_rest`` is False.
    """

    seeds: Tensor
    projection: Projection
    off_manifold: tuple[str, ...]
    descended: Tensor
    states: Tensor
    steps: Tensor
    stationarity: Tensor
    finite: Tensor
    at_rest: Tensor
    certificate: Certificate


def follow(
    problem: Problem, seeds: Tensor, *, scale: float, options: FixedPointOptions
) -> Terminals:
    """Follow every seed."""
    many, problem = problem, problem.here
    finite = problem.rowwise(lambda here, h: torch.isfinite(here.residual(h)).all(-1), seeds)
    k = finite.nonzero().squeeze(-1)
    projection = _stay(seeds)
    if len(k) and options.solver == "slow_manifold":
        size = max(1, at_once(PART, 8 * 16 * problem.width) // CHUNK) * CHUNK
        for part in told(k.split(size), "projecting", total=len(k), unit="seed", size=len):
            landed = project(
                many.rows(part),
                seeds[part],
                slow_time=options.slow_time,
                tolerance=options.fast_tolerance * scale,
                scale=scale,
            )
            for name in ("states", "drift", "slow", "fast", "slow_count", "steps"):
                getattr(projection, name)[part] = getattr(landed, name)
    h = projection.states.clone()
    with heavy():
        drift, rounding = norm(projection.drift), problem.rounding(h)
    resting = finite & (problem.rowwise(_speed, h) < 1e-6 * max(1.0, scale))
    reasons = _off_manifold(problem, projection, seeds, finite, drift, rounding, scale, options)
    off = torch.tensor([bool(reason) for reason in reasons])
    descended = _chosen(problem, h, finite, resting, off, options)
    steps, stationarity = projection.steps.clone(), torch.full_like(drift, torch.nan)
    k = descended.nonzero().squeeze(-1)
    if len(k):
        descend = _descent(problem, options)
        descent = descend(
            many.rows(k) if descend is minimise_speed else problem.rows(k),
            h[k],
            max_steps=options.max_steps,
            stationarity=options.stationarity,
            reach=options.far * scale,
        )
        h[k], stationarity[k] = descent.states, descent.stationarity
        steps[k] += descent.steps
    speed = problem.rowwise(_speed, h)
    close = finite & ((speed < 1e-6 * max(1.0, scale)) | (off & (speed < 1e-3 * scale)))
    certificate = no_certificate(len(seeds))
    with heavy():
        _settle(problem, h, close, certificate, scale=scale)
    # Newton's method alone does not come to rest on a continuum, where A is singular.
    rounding = problem.rounding(h)
    flat = close & (certificate.nullity > 0) & (problem.rowwise(_speed, h) > rounding)
    k = flat.nonzero().squeeze(-1)
    if len(k):
        here = problem.rows(k)
        h[k] = minimise_speed(
            here,
            h[k],
            max_steps=options.max_steps,
            stationarity=options.stationarity,
            reach=options.far * scale,
        ).states
        with heavy():
            _write(certificate, k, certify(here, h[k], radius=1e-3 * scale))
    slowness = problem.rowwise(lambda here, h: finder_speed(here.residual(h)), h)
    at_rest = slowness <= options.tolerance
    at_rest |= problem.rowwise(_speed, h) <= problem.rounding(h)
    at_rest &= finite & (descended | close)
    return Terminals(
        seeds=seeds,
        projection=projection,
        off_manifold=reasons,
        descended=descended | at_rest,
        states=h,
        steps=steps,
        stationarity=stationarity,
        finite=finite,
        at_rest=at_rest,
        certificate=certificate,
    )


def _speed(problem: Problem, h: Tensor) -> Tensor:
    return norm(problem.residual(h))


def _descent(problem: Problem, options: FixedPointOptions) -> Callable[..., Descent]:
    if options.solver != "slow_manifold":
        return SOLVERS[options.solver]
    if problem.width < WIDE:
        return minimise_speed
    # Stuck is what a point on a slow manifold is bound to be; a few of them find the ghosts.
    return partial(shifted_newton, most_stuck=STUCK)


def _chosen(
    problem: Problem,
    h: Tensor,
    finite: Tensor,
    resting: Tensor,
    off: Tensor,
    options: FixedPointOptions,
) -> Tensor:
    """Which seeds are descended, (S,)."""
    if options.solver != "slow_manifold" or problem.width < WIDE:
        return finite.clone()
    chosen = torch.zeros_like(finite)
    candidates = finite & ~resting
    for group, most in ((~off, options.searches), (off, STRAYS)):
        chosen[far_apart(h, (candidates & group).nonzero().squeeze(-1), most)] = True
    return chosen


def far_apart(h: Tensor, rows: Tensor, count: int) -> Tensor:
    """At most ``count`` of the rows, each the farthest from those before it."""
    if len(rows) <= count:
        return rows
    chosen = [0]
    apart = norm(h[rows] - h[rows[0]])
    while len(chosen) < count:
        chosen.append(int(apart.argmax()))
        apart = torch.minimum(apart, norm(h[rows] - h[rows[chosen[-1]]]))
    return rows[chosen]


def _settle(
    problem: Problem, h: Tensor, close: Tensor, certificate: Certificate, *, scale: float
) -> None:
    """Newton's method to rounding level, in place, and the test of what it ends in.

    Of a wide network one state is polished at a time; those that steps with its inverse bring into
    the region where it is the only root share its certificate.
    """
    radius = 1e-3 * scale
    left = close.nonzero().squeeze(-1)
    if problem.width < WIDE or problem.x.ndim == 2:
        for rows in told_rows(problem.chunks(len(left)), "certifying"):
            k = left[rows]
            here = problem.rows(k)
            h[k] = polish(here, h[k])
            _write(certificate, k, certify(here, h[k], radius=radius))
        return
    while len(left):
        speeds = norm(problem.residual(h[left]))
        head = left[speeds.argmin()][None]
        h[head] = polish(problem, h[head], most=12)
        tested = certify(problem, h[head], radius=radius)
        _write(certificate, head, tested)
        left = left[left != head]
        if not bool(tested.isolated) or not len(left):
            continue
        # Not from states that the certificate says nothing of: a step that jumps is not taken.
        B = inverse(problem.jacobian(h[head]))[0]
        moved, near = h[left].clone(), norm(h[left] - h[head]) <= 10 * radius
        for _ in range(CHORDS):
            moved[near] -= problem.residual(moved[near]) @ B.mT
        same = near & (norm(moved - h[head]) + tested.error <= tested.isolation)
        same &= norm(problem.residual(moved)) <= 10 * problem.rounding(moved)
        h[left[same]] = moved[same]
        _write(certificate, left[same], tested)
        left = left[~same]


def _write(into: Certificate, k: Tensor, tested: Certificate) -> None:
    for name, value in vars(into).items():
        if isinstance(value, Tensor):
            value[k] = getattr(tested, name).to(value.dtype)


def _off_manifold(
    problem: Problem,
    projection: Projection,
    seeds: Tensor,
    finite: Tensor,
    drift: Tensor,
    rounding: Tensor,
    scale: float,
    options: FixedPointOptions,
) -> tuple[str, ...]:
    """Why each projection is no manifold point; "" where it is one."""
    if options.solver != "slow_manifold":
        return ("It was not projected: another solver was asked for.",) * len(seeds)
    parts = zip(projection.states.split(PART), seeds.split(PART), strict=True)
    moved = torch.cat([norm(there - here) for there, here in parts]) / scale
    fast = projection.fast / scale
    at_rest = (drift * drift / 2 <= options.tolerance) | (drift <= rounding)
    reasons = []
    for k in range(len(drift)):
        if not finite[k]:
            reason = "The network's step is not finite there."
        elif fast[k] > options.fast_tolerance:
            reason = f"Its fast directions keep a residual of {fast[k]:.2g} scales."
        elif at_rest[k]:
            reason = "It does not drift: it is at rest."
        elif drift[k] <= 10 * projection.fast[k]:
            reason = "Its drift does not stand out from the residual of its fast directions."
        elif drift[k] > scale / options.slow_time:
            reason = f"It moves on by {drift[k] / scale:.2g} scales a step, which is not slow."
        elif projection.slow[k] < drift[k] / 2:
            reason = f"What motion is left dies away within {options.slow_time:g} steps."
        elif moved[k] > options.near:
            reason = f"It came to rest {moved[k]:.2g} scales from its seed."
        else:
            reason = ""
        reasons.append(reason)
    return tuple(reasons)


def _stay(seeds: Tensor) -> Projection:
    """A projection that went nowhere, to be filled."""
    zeros = torch.zeros(len(seeds), dtype=torch.long)
    return Projection(
        states=seeds.clone(),
        drift=torch.zeros_like(seeds),
        slow=seeds.new_zeros(len(seeds)),
        fast=seeds.new_full((len(seeds),), torch.inf),
        slow_count=zeros.clone(),
        steps=zeros,
    )
