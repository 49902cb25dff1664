"""``find_fixed_points``: seeds in, a verdict per seed out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rnnscope.arguments import require_device
from rnnscope.dynamics.any_precision import can_move
from rnnscope.dynamics.basins import follow_basins, no_basins
from rnnscope.dynamics.explore import PAIRS, NewRoots, explore, explore_between
from rnnscope.dynamics.fed_inputs import fed_inputs
from rnnscope.dynamics.inputs import HeldInput, hold_input, one_for_each, study_cell
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.problem import PART, Problem
from rnnscope.dynamics.projection import WIDE
from rnnscope.dynamics.readout import readout_direction, seen_coordinates
from rnnscope.dynamics.seeds import gather_seeds, seed_scale
from rnnscope.dynamics.sorting import Kinds, sort_points
from rnnscope.dynamics.systems import Network, System
from rnnscope.dynamics.terminal import Terminals, far_apart, follow
from rnnscope.errors import ModelError
from rnnscope.numerics import full_precision
from rnnscope.progress import showing


def find_fixed_points(
    model: Network,
    seeds: Any,
    inputs: Any = "zero",
    *,
    options: FixedPointOptions | None = None,
    progress: bool = False,
    **keywords: Any,
) -> FixedPoints:
    """Find fixed points, slow manifold points and ghosts of ``h' = F(h, x*)``.

    Each seed is projected onto the slow manifold: fast directions come to rest, slow ones stay
    where they are (``projection``). From there as many as it takes are descended in q to a
    stationary point, which is then certified: an isolated root or one of a continuum
    (``certificate``), a ghost (``ghosts``), or none of these. And every seed's own flow is followed
    to the root it leads to (``slow_flow``). A trained integrator typically has a long slow manifold
    and one or a few roots, so the answers differ.

    Args:
        model: a model, a bare cell, or a part of a network from ``study_system``. Not changed; the
            work is done on a float64 copy.
        seeds: documents or a corpus (for a model), trajectories, or ``Runs`` of a network on
            arrays: ``options.count`` states visited on them are drawn; states (S, N), where N
            counts h and c of an LSTM; a ``Box`` of them; or states ``Drawn`` like visited ones.
        inputs: the input held fixed: "zero", "mean" (of what the data feeds in), a word of the
            vocabulary, or a vector (input_size,); for a layer above others also ``Rest(...)``; or
            one a seed, a table (S, input_size) or a list of words. Words named "zero" or "mean" go
            by their vector.
        options: the options; keyword options are put over them.
        progress: show a bar on standard error.

    Raises:
        DataError: seeds or a vector of the wrong width, not finite, or none.
        UsageError: an unknown option or word, a tolerance that float64 cannot resolve, or a device
            that is not here.
        ModelError: weights that are not finite, or a step that differs from call to call.
        NotApplicable: the network reads in two directions, or no words where one is asked.

    Source:
        Sussillo & Barak 2013; Maheswaranathan et al. 2019
    """
    settings = FixedPointOptions.of(options, keywords)
    cell = study_cell(model)
    held = hold_input(model, cell, inputs, fed_inputs(model, seeds))
    states = gather_seeds(model, cell, seeds, count=settings.count, rng=settings.rng)
    one_for_each(held, len(states))
    if settings.device is not None:
        require_device(settings.device, torch.float64)
        settings = settings if can_move(cell) else replace(settings, device="cpu")
    problem = Problem(cell=cell, x=held.vector, device=torch.device(settings.device or "cpu"))
    _check_deterministic(problem, states)
    with showing(progress), full_precision(problem.device):
        return _found(model, problem, held, states, settings)


def _found(
    model: Network,
    problem: Problem,
    held: HeldInput,
    states: Tensor,
    settings: FixedPointOptions,
) -> FixedPoints:
    scale = seed_scale(states)
    cell, many, problem = problem.cell, problem, problem.here
    terminals = follow(many, states, scale=scale, options=settings)
    with heavy():
        kinds = sort_points(problem, terminals, scale=scale, options=settings)
    explored = _explored(problem, states, terminals, kinds, scale, settings)
    basins = no_basins(len(states), problem.width)
    if settings.basins and settings.solver == "slow_manifold":
        at_rest = terminals.at_rest & (kinds.ended < 0)
        basins = follow_basins(
            many,
            states,
            at_rest | ~terminals.finite,
            torch.cat([kinds.states[kinds.roots], explored.states]),
            scale=scale,
            options=settings,
        )
    view = _View(problem=problem, terminals=terminals, scale=scale, region=settings.region)
    return FixedPoints(
        roots=view.roots(kinds, explored, basins.new),
        continua=view.points("continuum", kinds.continua, kinds),
        ghosts=view.points("ghost", kinds.ghosts, kinds),
        manifold=view.manifold(kinds.manifold),
        outcomes=kinds.outcomes,
        descents=kinds.descents,
        terminals=terminals.states,
        ended=kinds.ended,
        basin=basins.basin,
        flow_time=basins.time,
        check=basins.check,
        notes=kinds.notes,
        off_manifold=kinds.off_manifold,
        seeds=states,
        scale=scale,
        held=held,
        readout=readout_direction(model, cell),
        sees=seen_coordinates(cell),
        fingerprint=System.of(model).fingerprint,
        options=settings,
        cell_kind=cell.kind,
    )


NEAREST = 2048
"""Seeds among which, beside its own, the nearest one to a point is looked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _View:
    """Builds the result's points from the seeds' terminals."""

    problem: Problem
    terminals: Terminals
    scale: float
    region: float

    def points(self, kind: str, rows: Tensor, kinds: Kinds) -> Points:
        """Terminals of one kind; ``rows`` are the seeds that stand for them."""
        states = kinds.states[rows]
        residual = self.problem.rows(rows).residual(states)
        return self._assemble(
            kind,
            rows,
            states,
            residual=residual,
            drift=residual,
            count=kinds.count[rows],
            steps=self.terminals.steps[rows],
            slow_count=kinds.nullity[rows] if kind == "continuum" else torch.zeros_like(rows),
            error=kinds.error[rows],
            isolation=self.terminals.certificate.isolation[rows],
            proved=self.terminals.certificate.proved[rows]
            & (torch.full_like(rows, kind == "root", dtype=torch.bool)),
            curvature=kinds.curvature[rows],
        )

    def roots(self, kinds: Kinds, *others: NewRoots) -> Points:
        """The roots that descents ended in, then those found otherwise."""
        if not any(len(new.states) for new in others):
            return self.points("root", kinds.roots, kinds)
        seeds = torch.tensor([k for new in others for k in new.seeds], dtype=torch.long)
        tested = [one for new in others for one in new.certificates]
        known = self.terminals.certificate
        rows = torch.cat([kinds.roots, seeds])
        states = torch.cat([kinds.states[kinds.roots], *(new.states for new in others)])
        residual = self.problem.rows(rows).residual(states)
        return self._assemble(
            "root",
            rows,
            states,
            residual=residual,
            drift=residual,
            count=torch.cat([kinds.count[kinds.roots], torch.zeros_like(seeds)]),
            steps=self.terminals.steps[rows],
            slow_count=torch.zeros_like(rows),
            error=torch.cat([known.error[kinds.roots], *(one.error for one in tested)]),
            isolation=torch.cat([known.isolation[kinds.roots], *(one.isolation for one in tested)]),
            proved=torch.cat([known.proved[kinds.roots], *(one.proved for one in tested)]),
            curvature=torch.full((len(rows),), torch.nan, dtype=torch.float64),
        )

    def manifold(self, rows: Tensor) -> Points:
        """Projections that qualify."""
        projection = self.terminals.projection
        states = projection.states[rows]
        nan = torch.full((len(rows),), torch.nan, dtype=torch.float64)
        return self._assemble(
            "manifold",
            rows,
            states,
            residual=self.problem.rows(rows).residual(states),
            drift=projection.drift[rows],
            count=torch.ones_like(rows),
            steps=projection.steps[rows],
            slow_count=projection.slow_count[rows],
            error=nan,
            isolation=nan,
            proved=torch.zeros(len(rows), dtype=torch.bool),
            curvature=nan,
        )

    def _assemble(
        self,
        kind: str,
        rows: Tensor,
        states: Tensor,
        *,
        residual: Tensor,
        drift: Tensor,
        **rest: Any,
    ) -> Points:
        seeds = self.terminals.seeds
        # Parts, so that no difference of all states is ever held.
        parts = range(0, max(1, len(rows)), PART)
        own = torch.cat([norm(states[k : k + PART] - seeds[rows[k : k + PART]]) for k in parts])
        fast = torch.cat([norm(residual[k : k + PART] - drift[k : k + PART]) for k in parts])
        # Every so many of very many seeds: a search among all would cost their square.
        some = seeds[:: max(1, len(seeds) // NEAREST)]
        # Exact differences: the product form loses half the digits of a small distance.
        apart = [
            torch.cdist(part, some, compute_mode="donot_use_mm_for_euclid_dist").amin(-1)
            for part in states.split(512)
        ]
        nearest = torch.minimum(torch.cat(apart), own) / self.scale
        return Points(
            kind=kind,
            states=states,
            residual=residual,
            drift=drift,
            fast=fast,
            seed=rows,
            moved=own / self.scale,
            nearest=nearest,
            inside=nearest <= self.region,
            **rest,
        )


def _explored(
    problem: Problem,
    states: Tensor,
    terminals: Terminals,
    kinds: Kinds,
    scale: float,
    options: FixedPointOptions,
) -> NewRoots:
    """More roots: of a wide network, of which few seeds were descended, and between those known."""
    rows = terminals.finite.nonzero().squeeze(-1)
    if options.solver != "slow_manifold" or problem.width < WIDE or not len(rows):
        rows = rows[:0]
    rows = far_apart(states, rows, options.searches)
    known = kinds.states[kinds.roots]
    new = explore(problem, states, rows, known, scale=scale, options=options)
    if options.solver != "slow_manifold" or problem.x.ndim > 1:
        return new
    # In a wide network each descent costs as much as a seed's.
    pairs = PAIRS if problem.width < WIDE else options.searches
    known = torch.cat([known, new.states])
    between = explore_between(problem, states, known, scale=scale, options=options, pairs=pairs)
    return new.joined(between)


def _check_deterministic(problem: Problem, seeds: Tensor) -> None:
    few, problem = seeds[:8], problem.rows(slice(0, 8))
    first, second = problem.residual(few), problem.residual(few)
    if not torch.equal(torch.nan_to_num(first), torch.nan_to_num(second)):
        raise ModelError(
            "A network has fixed points only if its step is a function of the state.",
            expected="the same step twice from the same state",
            got=f"steps that differ by up to {float((first - second).abs().max()):.3g}",
            fix="switch dropout and noise off",
        )
