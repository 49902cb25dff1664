"""Where each state flows to: the network's own motion, taken in leaps along the slow manifold.

Near h the motion is that of ``G`` under ``A = J - I``: after t steps without input

h_t = h + ((1 + A)^t - 1) A^-1 G

A leap takes t as large as this stays true: no further than ``reach``, and only where the speed at
its end is the one foretold. ``krylov`` gives the leap from a few products with J, so a seed crosses
a slow manifold in a few leaps where plain iteration takes thousands of steps, and where every
direction decays the last leap, t without end, is a Newton step onto the fixed point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.krylov import Krylov
from rnnscope.dynamics.linalg import in_threads, norm
from rnnscope.dynamics.problem import CPU, Problem
from rnnscope.progress import counted

CHUNK = 128
DEPTH = 12
"""Products with J for each leap."""

LONGEST = 20
"""The longest leap of finite length is 2^LONGEST steps."""

SHORTEST = 3
"""A leap of 2^SHORTEST steps or fewer is walked instead."""

TRIES = 4
"""Lengths that are tried for one leap."""

TRUST = 0.6
"""How far the speed at a leap's end may differ from the one foretold, as a part of the speed."""

SLOW = 1e-3
"""A residual this small, in scales, may be close to rest: a root is looked for there."""

KNOWN = 1e-6
"""Two stable roots closer than this, in scales, are one."""

CAPTURED = 0.25
"""A state whose Newton step, with the root's own J, ends this close to the root, as a part of its
distance, is in the root's linear neighbourhood."""

RELAX = 32
"""Plain steps before the first leap: fast directions die away."""

LEAPS = 2
"""Leaps between two looks for roots."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Attractor:
    """A stable root, and what tells the states that belong to it.

    Args:
        state: h*, (N,) float64.
        inverse: ``(J - I)^-1`` there, (N, N) float64.
        near: a state this close is the root's, as far as float32 can tell.
    """

    state: Tensor
    inverse: Tensor
    near: float

    def captures(self, h: Tensor, G: Tensor) -> Tensor:
        """Whether the linearization at the root takes each state (S, N) onto the root, (S,)."""
        apart = h - self.state.to(h)
        landed = apart - G @ self.inverse.to(h).mT
        return norm(landed) <= (CAPTURED * norm(apart)).clamp_min(self.near)


@dataclass(frozen=True, kw_only=True, eq=False)
class Flow:
    """Where the flow from each of S states got to.

    Attributes:
        states: the last state, (S, N) float32.
        attractors: the stable roots that some state came to.
        basin: for each state which of them, -1 for none, (S,).
        time: steps of the network that the leaps stand for, (S,).
        leaps: leaps taken, (S,).
    """

    states: Tensor
    attractors: tuple[Attractor, ...]
    basin: Tensor
    time: Tensor
    leaps: Tensor


def slow_flow(
    problem: Problem,
    starts: Tensor,
    *,
    scale: float,
    stable_root: Callable[[Problem, Tensor], Attractor | None],
    reach: float = 0.5,
    most: int = 40,
) -> Flow:
    """Follow each state (S, N) into the linear neighbourhood of a stable root, in float32.

    Args:
        stable_root: looks for a stable root from a state that has nearly come to rest.
        reach: the length of a leap, in scales.
        most: most leaps.
    """
    quick = problem.away(torch.float32)
    h = starts.to(quick.x)
    size = len(h)
    time = h.new_zeros(size)
    leaps = torch.zeros_like(time, dtype=torch.long)
    basin = torch.full_like(leaps, -1)
    attractors: list[Attractor] = []
    active = torch.isfinite(quick.residual(h)).all(-1)
    looked = torch.zeros_like(active)
    h[active] = _walk(quick.rows(active), h[active], RELAX)
    time += RELAX
    with counted(size, "following flows", "seed") as count:
        for _ in range(0, most, LEAPS):
            k = active.nonzero().squeeze(-1)
            if not len(k):
                break
            h[k], steps = _leaps(quick.rows(k), h[k], reach * scale)
            time[k] += steps
            leaps[k] += LEAPS
            G = quick.rows(k).residual(h[k])
            for place, attractor in enumerate(attractors):
                _capture(attractor, place, k, h[k], G, basin, one_input=problem.x.ndim == 1)
            speed = norm(G)
            near = (speed <= SLOW * scale) & (basin[k] < 0) & ~looked[k]
            while near.any():
                first = int(torch.where(near, speed, torch.inf).argmin())
                row = k[first : first + 1]
                looked[row] = True
                found = stable_root(problem.here.rows(row.to(CPU)), h[row].to(CPU, torch.float64))
                near[first] = False
                known = found is not None and any(
                    norm(found.state - other.state) <= KNOWN * scale for other in attractors
                )
                if found is None or known:
                    break
                _capture(found, len(attractors), k, h[k], G, basin, one_input=problem.x.ndim == 1)
                basin[row] = len(attractors)
                attractors.append(found)
                near &= basin[k] < 0
            active[k] = (basin[k] < 0) & torch.isfinite(speed)
            count(len(k) - int(active[k].sum()))
    return Flow(
        states=h.to(CPU),
        attractors=tuple(attractors),
        basin=basin.to(CPU),
        time=time.to(CPU),
        leaps=leaps.to(CPU),
    )


def _capture(
    attractor: Attractor,
    place: int,
    k: Tensor,
    h: Tensor,
    G: Tensor,
    basin: Tensor,
    *,
    one_input: bool,
) -> None:
    """Mark the states that belong to an attractor. Under inputs of their own none is shared."""
    if one_input:
        caught = attractor.captures(h, G) & (basin[k] < 0)
        basin[k[caught]] = place


def _leaps(problem: Problem, h: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """``LEAPS`` leaps of every state, and the steps they stand for."""
    chunks = problem.parts(len(h), CHUNK, 2 * DEPTH + LONGEST)

    def work(rows: slice) -> tuple[Tensor, Tensor]:
        here, state = problem.rows(rows), h[rows]
        total = state.new_zeros(len(state))
        for _ in range(LEAPS):
            G = here.residual(state)
            space = Krylov.of(here.tangent(state), G, DEPTH)
            state, steps = _leap(here, state, G, space, reach)
            total += steps
        return state, total

    states, steps = zip(*in_threads(work, chunks, "following flows"), strict=True)
    return torch.cat(states), torch.cat(steps)


def _leap(
    problem: Problem, h: Tensor, G: Tensor, space: Krylov, reach: float
) -> tuple[Tensor, Tensor]:
    """The longest leap that stays within reach and foretells its speed; else plain steps."""
    moves, speeds, steps = _candidates(space)
    lengths, speed = norm(moves), norm(G)
    allowed = torch.isfinite(lengths) & (lengths <= reach)
    stable = (space.values + 1).abs().amax(-1) < 1
    allowed[-1] &= stable
    place = allowed.long().cumprod(0).sum(0) - 1
    points = torch.arange(len(h), device=h.device)
    trusted = torch.zeros_like(stable)
    moved = h + G
    for _ in range(TRIES):
        k = (~trusted & (place > SHORTEST)).nonzero().squeeze(-1)
        if not len(k):
            break
        at = place[k], k
        new = h[k] + _expand(space, k, moves[at])
        error = norm(problem.rows(k).residual(new) - _expand(space, k, speeds[at]))
        good = error <= TRUST * speed[k]
        moved[k[good]], trusted[k] = new[good], good
        # What bends away from the line grows as the square of the leap.
        shrink = (TRUST * speed[k] / error).sqrt().clamp(0.05, 0.8)
        wanted = shrink * lengths[at]
        shorter = (lengths[:, k] <= wanted).long().cumprod(0).sum(0) - 1
        place[k] = torch.where(good, place[k], torch.minimum(shorter, place[k] - 1))
    # As many products buy as many plain steps, which are exact.
    plain = ~trusted
    if plain.any():
        moved[plain] = _walk(problem.rows(plain), moved[plain], DEPTH - 1)
    return moved, torch.where(plain, float(DEPTH), steps[place.clamp_min(0), points])


def _candidates(space: Krylov) -> tuple[Tensor, Tensor, Tensor]:
    """Leaps of 1, 2, 4, ... steps and without end: their coordinates and those of the speed they
    foretell, (leaps, P, m); the steps, (leaps, P)."""
    growth = space.values + 1
    rest = -1 / torch.where(space.values == 0, 1e-30, space.values)
    powers = [growth]
    for _ in range(LONGEST):
        powers.append(powers[-1] * powers[-1])
    powers.append(torch.zeros_like(growth))
    power = torch.stack(powers, dim=-1)
    parts = space.parts.unsqueeze(-1)
    moves = (space.vectors @ ((1 - power) * rest.unsqueeze(-1) * parts)).real
    speeds = (space.vectors @ (power * parts)).real
    steps = moves.new_tensor([*(2.0**k for k in range(LONGEST + 1)), torch.inf])
    return moves.permute(2, 0, 1), speeds.permute(2, 0, 1), steps[:, None].expand(-1, len(growth))


def _expand(space: Krylov, k: Tensor, coordinates: Tensor) -> Tensor:
    return (coordinates.unsqueeze(-2) @ space.basis[k]).squeeze(-2)


def _walk(problem: Problem, h: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        h = problem.step(h)
    return h
