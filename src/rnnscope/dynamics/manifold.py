"""``fit_manifold``: the set that the fixed points form, its main axis and positions along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.arc_length import ArcLength, arc_length
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.locally_linear import locally_linear, rank_correlation, to_unit_interval
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.nulls import Alignment, draw_directions, draw_states, unit
from rnnscope.dynamics.points import FixedPoints
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.numerics import single_thread

NEIGHBOURS = 8
"""Nearest points from which the manifold's direction at a point is taken."""

VARIANCE_DRAWS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Manifold(ShowsItself):
    """The manifold that n points form.

    Attributes:
        states: manifold points, then continua, then roots in the visited region, (n, N).
        center: their mean, (N,).
        axis: m, their first principal axis, unit length; along the readout where there is one,
            else its largest component positive, (N,).
        variance: each principal axis's share of their variance, (min(n, N),).
        variance_null: 95 % quantile of the first share for as many points drawn with the
            covariance of the visited states; None for a single seed.
        seed_variance: first share for the visited states themselves.
        participation: participation ratio (sum v)^2 / sum v^2 of the points' variances.
        seed_participation: that of the visited states.
        position: theta, from -1 to 1 along the axis, (n,).
        embedded_position: theta from a 1-D locally linear embedding; None below 20 distinct points.
        embedded_correlation: rank correlation of the two.
        arc: theta by arc length along the curve that the points form, and whether it is one with
            two ends; see ``ArcLength``.
        arc_correlation: rank correlation of that position with the one along the axis.
        readout: |cos| of m with the readout in the coordinates the readout sees, which are h and
            not c of an LSTM; None without a readout. (Padded with zeros over c it could not exceed
            the share of m that lies in h, a few percent, since c is not bounded and h is.)
        modes: |cos| of m with r_1 at each linearized point where r_1 is real; None where it is
            nowhere, or without modes.
        tangents: the same with the manifold's own direction there, the first principal axis of
            the point and its nearest ones: what counts where the line is bent; None without modes
            or with fewer points than that.
    """

    states: Tensor
    center: Tensor
    axis: Tensor
    variance: Tensor
    variance_null: float | None
    seed_variance: float | None
    participation: float
    seed_participation: float | None
    position: Tensor
    embedded_position: Tensor | None
    embedded_correlation: float | None
    arc: ArcLength
    arc_correlation: float
    readout: Alignment | None
    modes: Alignment | None
    tangents: Alignment | None

    def __len__(self) -> int:
        return len(self.states)

    def coordinate(self, states: Tensor) -> Tensor:
        """Where any states (..., N) lie along the axis, in units of the state, 0 at the center."""
        return (states.to(torch.float64) - self.center) @ self.axis

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "points": len(self),
            "variance": self.variance[:5].tolist(),
            "variance_null": self.variance_null,
            "seed_variance": self.seed_variance,
            "participation": self.participation,
            "seed_participation": self.seed_participation,
            "embedded_correlation": self.embedded_correlation,
            "arc_length": self.arc.length,
            "arc_correlation": self.arc_correlation,
            "is_open": self.arc.is_open,
            "readout": None if self.readout is None else self.readout.summary(),
            "modes": None if self.modes is None else self.modes.summary(),
            "tangents": None if self.tangents is None else self.tangents.summary(),
        }

    def __repr__(self) -> str:
        return (
            f"Manifold of {len(self)} points: first axis {self.variance[0]:.1%} of the variance, "
            f"participation ratio {self.participation:.2f}"
        )


def fit_manifold(
    points: FixedPoints, modes: Modes | None = None, *, draws: int = 1000, rng: int = 0
) -> Manifold:
    """Principal axis, positions and alignments of the fixed points.

    Args:
        points: what ``find_fixed_points`` gave. Ghosts are left out: that J has an eigenvalue 1
            there is no finding.
        modes: their linearization, for the alignment of r_1 with the axis.
        draws: directions of the null.
        rng: seed of the null.

    Raises:
        NotApplicable: fewer than two distinct points.

    Source:
        Maheswaranathan et al. 2019; theta by 1-D locally linear embedding (Roweis & Saul
        2000) as there, and by arc length.
    """
    if not isinstance(points, FixedPoints):
        raise UsageError(
            "A manifold is fitted to fixed points.",
            expected="what find_fixed_points gives",
            got=type(points).__name__,
        )
    states = points.line_states
    center = states.mean(0) if len(states) else states.new_zeros(states.shape[-1])
    spread = float(norm(states - center).amax()) if len(states) else 0.0
    if len(states) < 2 or spread <= 1e-9 * points.scale:
        raise NotApplicable(
            "A manifold has a main axis only where its points differ.",
            expected="two or more distinct manifold points, continua or roots",
            got=f"{len(states)} points" + (", all in one place" if len(states) > 1 else ""),
            fix="use more seeds, or a shorter slow_time to let slower directions stay",
        )
    with single_thread():
        _, sigma, Vh = torch.linalg.svd(states - center, full_matrices=False)
    variance = sigma**2 / (sigma**2).sum()
    axis = _oriented(Vh[0], points.readout)
    position = to_unit_interval((states - center) @ axis)
    embedded = locally_linear(states, position, points.scale)
    arc = arc_length(states, towards=position)
    seeds = _shares(points.seeds)
    directions = draw_directions(points.seeds, draws=draws, rng=rng)
    known = seeds is not None
    return Manifold(
        states=states,
        center=center,
        axis=axis,
        variance=variance,
        variance_null=_variance_null(points.seeds, len(states), rng=rng) if known else None,
        seed_variance=float(seeds[0]) if seeds is not None else None,
        participation=float(1 / (variance**2).sum()),
        seed_participation=float(1 / (seeds**2).sum()) if seeds is not None else None,
        position=position,
        embedded_position=embedded,
        embedded_correlation=None if embedded is None else rank_correlation(position, embedded),
        arc=arc,
        arc_correlation=rank_correlation(position, arc.position),
        readout=_readout_alignment(axis, points, directions) if known else None,
        modes=_mode_alignment(axis.expand(len(modes), -1), modes, directions)
        if known and modes is not None
        else None,
        tangents=_mode_alignment(_tangents(states, modes), modes, directions)
        if known and modes is not None and len(states) > NEIGHBOURS
        else None,
    )


def _oriented(axis: Tensor, readout: Tensor | None) -> Tensor:
    along = axis[axis.abs().argmax()] if readout is None else axis @ readout
    return -axis if along < 0 else axis


def _shares(states: Tensor) -> Tensor | None:
    """Shares of variance, largest first; None where the states do not vary."""
    with single_thread():
        sigma = torch.linalg.svdvals(states - states.mean(0))
    total = (sigma**2).sum()
    return sigma**2 / total if total > 0 else None


def _variance_null(seeds: Tensor, count: int, *, rng: int) -> float:
    drawn = draw_states(seeds, draws=count * VARIANCE_DRAWS, rng=rng + 1)
    firsts = []
    for sample in drawn.reshape(VARIANCE_DRAWS, count, -1):
        centred = sample - sample.mean(0)
        gram = centred @ centred.mT if count < sample.shape[-1] else centred.mT @ centred
        firsts.append(torch.linalg.eigvalsh(gram)[-1] / gram.trace())
    return float(torch.quantile(torch.stack(firsts), 0.95))


def _readout_alignment(axis: Tensor, points: FixedPoints, null: Tensor) -> Alignment | None:
    if points.readout is None or not points.readout.any():
        return None
    seen = points.sees
    direction = unit(points.readout[seen])
    return Alignment.of(
        (unit(axis[seen]) @ direction).abs()[None],
        (unit(null[:, seen]) @ direction).abs(),
        width=int(seen.sum()),
    )


def _tangents(states: Tensor, modes: Modes) -> Tensor:
    """The manifold's direction at each linearized point: the first principal axis of its
    neighbours, (P, N)."""
    near = torch.cdist(modes.states, states).argsort(dim=-1, stable=True)[:, : NEIGHBOURS + 1]
    local = states[near]
    with single_thread():
        return torch.linalg.svd(local - local.mean(1, keepdim=True), full_matrices=False).Vh[:, 0]


def _mode_alignment(axes: Tensor, modes: Modes, null: Tensor) -> Alignment | None:
    """|cos| of r_1 with the axis (P, N) given for each point, where r_1 is real."""
    real = ~modes.oscillating[:, 0]
    if not real.any():
        return None
    axes = axes[real]
    values = (modes.right[real, :, 0].real * axes).sum(-1).abs()
    chance = (null @ axes.mT).abs().median(-1).values
    return Alignment.of(values, chance, width=axes.shape[-1])
