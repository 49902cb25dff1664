"""What ``find_fixed_points`` gives back: points in four kinds, and an outcome for every seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.basins import FlowCheck
from rnnscope.dynamics.inputs import HeldInput
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.problem import finder_speed, paper_speed
from rnnscope.notebook import ShowsItself


@dataclass(frozen=True, kw_only=True, eq=False)
class Points(ShowsItself):
    """Points of one kind, a struct of arrays over n points. float64 on the CPU.

    Attributes:
        kind: "root", "continuum", "ghost" or "manifold".
        states: (n, N).
        residual: ``F(h, x*) - h``, (n, N).
        drift: the slow part of the residual, the motion left on the slow manifold; the whole
            residual for the other kinds, (n, N).
        fast: length of the rest of the residual, (n,).
        seed: the first seed that came here, (n,).
        count: seeds that came here, (n,).
        steps: steps that seed took, (n,).
        moved: distance from that seed, in scales, (n,).
        nearest: distance to the nearest of its own seed and all others, of very many seeds every
            so many, in scales, (n,).
        inside: whether that is within the visited region, (n,).
        slow_count: slow directions at a manifold point, null directions at a continuum's; else 0.
        error: bound on the distance to the true root, (n,); nan for other kinds.
        isolation: radius within which that root is the only one, (n,); nan for other kinds.
        proved: whether the two are proved, not only verified by sampling, (n,).
        curvature: smallest eigenvalue of the Hessian of q' at a ghost; nan for other kinds.
    """

    kind: str
    states: Tensor
    residual: Tensor
    drift: Tensor
    fast: Tensor
    seed: Tensor
    count: Tensor
    steps: Tensor
    moved: Tensor
    nearest: Tensor
    inside: Tensor
    slow_count: Tensor
    error: Tensor
    isolation: Tensor
    proved: Tensor
    curvature: Tensor

    def __len__(self) -> int:
        return len(self.states)

    @property
    def q(self) -> Tensor:
        """Speed in the unit of Maheswaranathan et al. 2019, ``1/N ||h - F||^2``, (n,)."""
        return paper_speed(self.residual)

    @property
    def finder_q(self) -> Tensor:
        """Speed in FixedPointFinder's unit, ``1/2 ||h - F||^2``, (n,)."""
        return finder_speed(self.residual)

    @property
    def drift_norm(self) -> Tensor:
        """Length of the drift, in units of the state a step, (n,)."""
        return torch.linalg.vector_norm(self.drift, dim=-1)

    @property
    def drift_direction(self) -> Tensor:
        """The drift as unit vectors; 0 where there is none, (n, N)."""
        return self.drift / self.drift_norm.clamp_min(1e-300)[:, None]

    def __repr__(self) -> str:
        if not len(self):
            return f"Points(no {self.kind} points)"
        return (
            f"Points({len(self)} {self.kind} points, median q' {self.finder_q.median():.2g}, "
            f"{int(self.inside.sum())} in the visited region)"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedPoints(ShowsItself):
    """The fixed points of a network under one input, and how they were found.

    Attributes:
        roots: distinct verified isolated fixed points.
        continua: fixed points that are not isolated, one per seed that ended on one.
        ghosts: distinct local minima of q that are no fixed points.
        manifold: one point per seed that came to rest, near itself, in its fast directions.
        outcomes: what was found from each seed, (S).
        descents: where the descent of q from each seed ended; None where there was none, (S).
        terminals: the state each descent ended in; the projection where there was none, (S, N).
        ended: for each seed the root its descent ended in, as a row of ``roots``; -1, (S,).
        basin: for each seed the root that the network itself flows to from there, as a row of
            ``roots``; -1 for none, (S,).
        flow_time: steps of the network that this flow took; inf where its last leap was a Newton
            step, (S,).
        check: some of the flows held against plain iteration.
        notes: per seed, what the outcome's sentence leaves open; mostly empty.
        off_manifold: per seed, why it gave no manifold point; "" where it gave one.
        seeds: (S, N).
        scale: the seeds' mean distance to their centroid; distances are in this unit.
        held: the input held fixed.
        readout: the readout's contrast in the state's coordinates, 0 where it does not look, (N,);
            None without a readout.
        sees: which coordinates a readout can see, (N,).
        fingerprint: the model's; None for a bare cell.
        options: the options of the search.
        cell_kind: the architecture.
    """

    roots: Points
    continua: Points
    ghosts: Points
    manifold: Points
    outcomes: tuple[Outcome, ...]
    descents: tuple[Outcome | None, ...]
    terminals: Tensor
    ended: Tensor
    basin: Tensor
    flow_time: Tensor
    check: FlowCheck
    notes: tuple[str, ...]
    off_manifold: tuple[str, ...]
    seeds: Tensor
    scale: float
    held: HeldInput
    readout: Tensor | None
    sees: Tensor
    fingerprint: str | None
    options: FixedPointOptions
    cell_kind: str

    def __len__(self) -> int:
        return len(self.seeds)

    def sentence(self, seed: int) -> str:
        """What became of one seed, in words."""
        outcome, note, off = self.outcomes[seed], self.notes[seed], self.off_manifold[seed]
        ended, basin = int(self.ended[seed]), int(self.basin[seed])
        parts = [outcome.sentence, note]
        if ended >= 0:
            what = "It is" if outcome is Outcome.ROOT else "A descent of the speed from it ends in"
            parts.append(f"{what} root {ended}.")
        if basin >= 0:
            parts.append(f"The network flows from the seed to root {basin}.")
        if off and outcome is not Outcome.NOT_FINITE:
            parts.append(f"No manifold point near it: {off}")
        return " ".join(part for part in parts if part)

    @property
    def basin_sizes(self) -> Tensor:
        """Seeds that flow to each root, (roots,)."""
        return torch.bincount(self.basin[self.basin >= 0], minlength=len(self.roots))

    @property
    def line_states(self) -> Tensor:
        """The states that linearizations and manifolds are made of, (n, N): manifold points, then
        continua, then roots in the visited region. Ghosts are no part of it."""
        roots = self.roots.states[self.roots.inside]
        return torch.cat([self.manifold.states, self.continua.states, roots])

    @property
    def line_seeds(self) -> Tensor:
        """The seed that each of ``line_states`` came from, (n,)."""
        roots = self.roots.seed[self.roots.inside]
        return torch.cat([self.manifold.seed, self.continua.seed, roots])

    @property
    def counts(self) -> dict[str, int]:
        """Seeds by outcome, every outcome named."""
        found = Counter(outcome.name.lower() for outcome in self.outcomes)
        return {outcome.name.lower(): found[outcome.name.lower()] for outcome in Outcome}

    def summary(self) -> dict[str, Any]:
        """The result in figures, JSON-safe."""
        kinds = (self.roots, self.continua, self.ghosts, self.manifold)
        return {
            "cell": self.cell_kind,
            "seeds": len(self),
            "scale": self.scale,
            "input": {
                "name": self.held.name,
                "distance_from_mean": self.held.distance,
                "sentence": self.held.sentence,
            },
            "outcomes": self.counts,
            "flow": {
                "seeds_to_each_root": self.basin_sizes.tolist(),
                "seeds_to_none": int((self.basin < 0).sum()),
                "check": self.check.sentence,
            },
            "points": {points.kind: _figures(points) for points in kinds},
            "options": asdict(self.options),
        }

    def __repr__(self) -> str:
        head = f"FixedPoints of a {self.cell_kind}, {len(self)} seeds, input {self.held.name!r}"
        lines = [
            f"  {points.kind:<10}{len(points):>6} points from {int(points.count.sum()):>6} seeds, "
            f"{int(points.inside.sum()):>6} in the visited region"
            for points in (self.roots, self.continua, self.ghosts, self.manifold)
        ]
        rest = [
            f"  {name.replace('_', ' ')}: {count} seeds"
            for name, count in self.counts.items()
            if count and name in ("not_converged", "diverged", "not_finite")
        ]
        return "\n".join([head, *lines, *rest, f"  {self.held.sentence}"])


def _figures(points: Points) -> dict[str, Any]:
    def median(values: Tensor) -> float | None:
        return float(values.median()) if len(values) else None

    return {
        "count": len(points),
        "seeds": int(points.count.sum()),
        "inside_visited_region": int(points.inside.sum()),
        "median_q_paper": median(points.q),
        "median_q_finder": median(points.finder_q),
        "median_drift_per_step": median(points.drift_norm),
        "median_distance_from_seed_in_scales": median(points.moved),
    }
