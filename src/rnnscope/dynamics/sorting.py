"""Terminals sorted into kinds: which are the same root, which are ghosts, what is left."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.certificate import continues
from rnnscope.dynamics.ghosts import settle
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.problem import Problem, finder_speed
from rnnscope.dynamics.terminal import Terminals
from rnnscope.progress import told

CERTIFIED = {Outcome.ROOT, Outcome.CONTINUUM, Outcome.GHOST}

SAME = 1e-3
"""Two stationary points of q this close, in scales, are candidates for one ghost."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Kinds:
    """What each of S seeds came to.

    Attributes:
        outcomes, notes: per seed.
        off_manifold: per seed, why its projection is no manifold point; "" where it is one.
        ended: per seed, the place in ``roots`` of the one its descent ended in, or -1.
        roots, continua, ghosts, manifold: the seeds that stand for each point of the kind.
        states: the seeds' terminals, ghosts settled, (S, N).
        descents: per seed where its descent ended; None where there was none.
        count: how many seeds ended where this one did, (S,).
        nullity, error, curvature: per seed, where they apply.
    """

    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]
    off_manifold: tuple[str, ...]
    ended: Tensor
    roots: Tensor
    continua: Tensor
    ghosts: Tensor
    manifold: Tensor
    states: Tensor
    descents: tuple[Outcome | None, ...]
    count: Tensor
    nullity: Tensor
    error: Tensor
    curvature: Tensor


def sort_points(
    problem: Problem, terminals: Terminals, *, scale: float, options: FixedPointOptions
) -> Kinds:
    """Sort every terminal into its kind."""
    sorter = _Sorter(problem, terminals, scale, options)
    sorter.mark_lost()
    sorter.merge_roots()
    sorter.mark_continua()
    sorter.settle_ghosts()
    return sorter.result()


class _Sorter:
    """The state of one sorting; each method decides seeds that none before it decided."""

    def __init__(
        self, problem: Problem, terminals: Terminals, scale: float, options: FixedPointOptions
    ) -> None:
        size = len(terminals.seeds)
        self.problem, self.terminals, self.scale, self.options = problem, terminals, scale, options
        # Ghosts are settled in place: a copy of very many states would double their memory.
        self.states = terminals.states
        self.outcomes = [Outcome.NOT_CONVERGED] * size
        self.notes = [""] * size
        self.ended = torch.full((size,), -1)
        self.count = torch.zeros(size, dtype=torch.long)
        self.curvature = torch.full((size,), torch.nan, dtype=torch.float64)
        self.rows: dict[Outcome, list[int]] = {kind: [] for kind in Outcome}

    def mark_lost(self) -> None:
        """Seeds whose step is not finite, or that went too far."""
        far = norm(self.states - self.terminals.seeds) > self.options.far * self.scale / 2
        lost = ~torch.isfinite(self.problem.residual(self.states)).all(-1)
        for k in range(len(self.states)):
            if not self.terminals.finite[k]:
                self.outcomes[k] = Outcome.NOT_FINITE
            elif not self.terminals.descended[k]:
                self.notes[k] = "It was not descended."
            elif (far[k] or lost[k]) and not self.terminals.at_rest[k]:
                self.outcomes[k] = Outcome.DIVERGED

    def merge_roots(self) -> None:
        """One root for all seeds whose terminals lie in each other's region of uniqueness."""
        certificate = self.terminals.certificate
        for k in (self.terminals.at_rest & certificate.isolated).nonzero().squeeze(-1).tolist():
            self.outcomes[k] = Outcome.ROOT
            found = self.rows[Outcome.ROOT]
            apart = norm(self.states[found] - self.states[k]) + certificate.error[k]
            close = (apart <= certificate.isolation[found]) & self._same_input(found, k)
            same = close.nonzero().squeeze(-1).tolist()
            place = same[0] if same else len(found)
            if not same:
                found.append(k)
            self.ended[k] = place
            self.count[found[place]] += 1

    def _same_input(self, rows: list[int], k: int) -> Tensor:
        """Which of these seeds have the input that seed k has, (rows,)."""
        x = self.problem.x
        if x.ndim == 1:
            return torch.ones(len(rows), dtype=torch.bool)
        return (x[rows] == x[k]).all(-1)

    def mark_continua(self) -> None:
        """Points at rest that are not isolated: do others lie beside them?"""
        certificate = self.terminals.certificate
        at_rest = self.terminals.at_rest & ~certificate.isolated
        rows = at_rest.nonzero().squeeze(-1).tolist()
        for k in told(rows, "looking beside points", unit="point"):
            nullity = int(certificate.nullity[k])
            null = f"J - I has {nullity} null direction{'s' * (nullity != 1)}"
            if continues(
                self.problem.rows(k),
                self.states[k],
                scale=self.scale,
                tolerance=self.options.tolerance,
            ):
                self.outcomes[k] = Outcome.CONTINUUM
                self.rows[Outcome.CONTINUUM].append(k)
                self.count[k] = 1
                self.notes[k] = f"{null}." if nullity else "The Jacobian jumps here: an end of it."
            elif nullity:
                self.notes[k] = (
                    f"Its residual is at rounding level and {null}, but no other fixed point was "
                    "found along them: a root where two merge, or of higher order."
                )
            else:
                self.notes[k] = (
                    "Its residual is at rounding level, but J - I is too near to singular or "
                    "changes too abruptly there to verify an isolated root "
                    f"(b K e = {certificate.product[k]:.2g})."
                )

    def settle_ghosts(self) -> None:
        """Stationary points of q: merged, settled, and held against the full Hessian."""
        terminals = self.terminals
        stationary = terminals.stationarity <= 100 * self.options.stationarity
        speed = finder_speed(self.problem.residual(self.states))
        groups: list[list[int]] = []
        for k, outcome in enumerate(self.outcomes):
            if outcome is not Outcome.NOT_CONVERGED or self.notes[k]:
                continue
            if not stationary[k]:
                self.notes[k] = f"q' = {speed[k]:.2g} after {int(terminals.steps[k])} steps, " + (
                    "where no Newton step lowers it."
                    if torch.isinf(terminals.stationarity[k])
                    else f"and still falling: ||A'G|| / ||G|| = {terminals.stationarity[k]:.2g}."
                )
                continue
            heads = torch.stack([self.states[group[0]] for group in groups]) if groups else None
            near = []
            if heads is not None:
                near = norm(heads - self.states[k]) <= SAME * self.scale
                near &= self._same_input([group[0] for group in groups], k)
            place = next((i for i, close in enumerate(near) if close), None)
            if place is None:
                groups.append([k])
            else:
                groups[place].append(k)
        for group in told(groups, "settling ghosts", unit="point"):
            self._settle(group)

    def _settle(self, group: list[int]) -> None:
        head = group[0]
        ghost = settle(self.problem.rows(head), self.states[head])
        stayed = float(norm(ghost.state - self.states[head])) <= SAME * self.scale
        if ghost.minimum and stayed and ghost.newton <= 1e-6 * self.scale:
            self.states[head] = ghost.state
            self.curvature[head] = ghost.curvature
            self.count[head] = len(group)
            self.rows[Outcome.GHOST].append(head)
            note, outcome = "", Outcome.GHOST
        else:
            outcome = Outcome.NOT_CONVERGED
            if ghost.flat and ghost.curvature >= 0:
                note = f"The speed is flat in {ghost.flat} directions there, so it is no minimum."
            elif not ghost.minimum:
                note = (
                    "It is a stationary point of the speed but no minimum: the Hessian has an "
                    f"eigenvalue {ghost.curvature:.2g}."
                )
            else:
                note = "The gradient of the speed is small, but its Newton step leads away."
        for k in group:
            self.outcomes[k], self.notes[k] = outcome, note

    def result(self) -> Kinds:
        """The sorted seeds, and which projections are manifold points."""
        reasons = self.terminals.off_manifold
        manifold = [k for k, reason in enumerate(reasons) if not reason]
        descended = self.terminals.descended.tolist()
        descents = tuple(
            outcome if done else None
            for outcome, done in zip(self.outcomes, descended, strict=True)
        )
        outcomes = list(self.outcomes)
        landed = self.terminals.projection.states
        stayed = norm(self.states - landed) <= SAME * self.scale
        for k in manifold:
            # What is certified goes before what is measured.
            if not (descended[k] and stayed[k] and outcomes[k] in CERTIFIED):
                outcomes[k], self.notes[k] = Outcome.MANIFOLD, ""
        return Kinds(
            outcomes=tuple(outcomes),
            notes=tuple(self.notes),
            off_manifold=reasons,
            ended=self.ended,
            roots=torch.tensor(self.rows[Outcome.ROOT], dtype=torch.long),
            continua=torch.tensor(self.rows[Outcome.CONTINUUM], dtype=torch.long),
            ghosts=torch.tensor(self.rows[Outcome.GHOST], dtype=torch.long),
            manifold=torch.tensor(manifold, dtype=torch.long),
            states=self.states,
            descents=descents,
            count=self.count,
            nullity=self.terminals.certificate.nullity,
            error=self.terminals.certificate.error,
            curvature=self.curvature,
        )
