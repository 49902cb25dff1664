"""``track_modes``: which mode of one point is which mode of the next, along a manifold.

Sorted by size, modes change places where their eigenvalues cross. Here each is followed by its
vectors and its eigenvalue together: the assignment of least total ``1 - overlap + |change of
lambda| / radius`` from each point to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from rnnscope.dynamics.mode_overlap import Complex, Vectors, mode_overlap
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.track_breaks import Break, Track, find_breaks
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself

LEAST_OVERLAP = 0.5
"""Below this, two modes are the same only if their eigenvalues leave no other choice."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ModeTracks(ShowsItself):
    """M modes followed over P points. nan (columns: -1) where a track does not reach a point.

    Attributes:
        points: the modes' rows in the order they were followed, (P,).
        position: where each lies along the manifold, rising, (P,); the order itself where none
            was given.
        columns: which kept mode of its point each is, (P, M).
        eigenvalues: (P, M) complex. Conjugates of each other are two tracks.
        right: unit columns of each point's kept modes, (P, N, count) complex, their signs (for a
            pair: phases) continuous along a track; ``vectors`` picks a track's own.
        left: rows, ``l^T r = 1``, (P, count, N) complex.
        quality: overlap of a track's modes at neighbouring points, 1 for the same, (P - 1, M).
        breaks: where tracks meet, exchange, begin, end or cannot be trusted, in order.
    """

    points: Tensor
    position: Tensor
    columns: Tensor
    eigenvalues: Tensor
    right: Tensor
    left: Tensor
    quality: Tensor
    breaks: tuple[Break, ...]

    def __len__(self) -> int:
        return self.columns.shape[-1]

    @property
    def present(self) -> Tensor:
        """Whether a track reaches a point, (P, M)."""
        return self.columns >= 0

    @property
    def whole(self) -> Tensor:
        """The tracks that reach from the first point to the last."""
        return self.present.all(0).nonzero().squeeze(-1)

    def vectors(self, track: int) -> tuple[Tensor, Tensor]:
        """The right and left vectors of one track at the n points it reaches, both (n, N)."""
        rows = self.present[:, track].nonzero().squeeze(-1)
        columns = self.columns[rows, track]
        return self.right[rows, :, columns], self.left[rows, columns]

    @property
    def rates(self) -> Tensor:
        """``ln |lambda|`` a step, (P, M): growth above 0, decay below."""
        return self.eigenvalues.abs().log()

    @property
    def decay_times(self) -> Tensor:
        """Steps to fall by a factor e, (P, M): inf at |lambda| = 1, nan where it grows."""
        return torch.where(self.rates <= 0, (1 / self.rates).abs(), torch.nan)

    @property
    def growth_times(self) -> Tensor:
        """Steps to grow by a factor e, (P, M): nan where it does not grow."""
        return torch.where(self.rates > 0, 1 / self.rates, torch.nan)

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        known = self.quality[torch.isfinite(self.quality)]
        return {
            "points": len(self.points),
            "tracks": len(self),
            "whole_tracks": len(self.whole),
            "worst_overlap": float(known.min()) if len(known) else None,
            "breaks": [{"kind": one.kind, "sentence": one.sentence} for one in self.breaks],
        }

    def __repr__(self) -> str:
        head = (
            f"ModeTracks of {len(self)} modes over {len(self.points)} points, "
            f"{len(self.whole)} from end to end, {len(self.breaks)} breaks"
        )
        return "\n".join([head, *(f"  {one.sentence}" for one in self.breaks[:5])])


def track_modes(
    modes: Modes, position: Any = None, *, least_overlap: float = LEAST_OVERLAP
) -> ModeTracks:
    """Follow the kept modes from point to point.

    Args:
        modes: the modes at P points.
        position: where each lies along the manifold (an arc length, ``Manifold.position``), (P,);
            None where the points are in order.
        least_overlap: two modes that overlap less are linked only if each other's nearest by
            eigenvalue and spread over kept modes, and the link is named weak; else the track ends
            and another begins.

    Raises:
        DataError: positions that are not one finite number a point.
        UsageError: ``least_overlap`` that is not from 0 to 1.
    """
    if not 0 <= least_overlap <= 1:
        raise UsageError(
            "The least overlap of two modes is a share.", expected="0 to 1", got=repr(least_overlap)
        )
    place = _positions(position, len(modes))
    order = place.argsort(stable=True)
    run = _Run(modes, order.tolist(), least_overlap)
    run.follow()
    return run.tracks(order, place[order])


def _positions(position: Any, count: int) -> Tensor:
    if position is None:
        return torch.arange(count, dtype=torch.float64)
    array = position.detach() if isinstance(position, Tensor) else np.asarray(position, np.float64)
    place = torch.as_tensor(array).to("cpu", torch.float64)
    if tuple(place.shape) != (count,) or not torch.isfinite(place).all():
        raise DataError(
            "Modes are followed in the order of their points' positions.",
            expected=f"({count},), finite",
            got=str(tuple(place.shape)),
        )
    return place


class _Run:
    """The following of modes through points in order."""

    def __init__(self, modes: Modes, order: list[int], least: float) -> None:
        # Copies: signs are changed in place.
        self.values: Complex = modes.eigenvalues[order].numpy()
        self.right: Complex = modes.right[order].numpy()
        self.left: Complex = modes.left[order].numpy()
        self.ill: NDArray[np.bool_] = modes.ill_defined[order].numpy()
        self.complete, self.least = modes.complete, least
        self.size, self.kept = len(order), modes.count
        self.all: list[Track] = []
        self.open: list[Track] = []

    def follow(self) -> None:
        for b in range(self.kept):
            self._begin(0, b)
        for i in range(1, self.size):
            self._step(i)

    def _begin(self, i: int, b: int) -> None:
        track = Track(
            start=i, right=self.right[i, :, b], left=self.left[i, b], vague=bool(self.ill[i, b])
        )
        track.add(b, self.values[i, b], self.right[i, :, b], self.left[i, b])
        self.all.append(track)
        self.open.append(track)

    def _step(self, i: int) -> None:
        """From point i - 1 to point i."""
        here = Vectors(right=self.right[i], left=self.left[i])
        before = Vectors(
            right=np.stack([track.right for track in self.open], axis=-1),
            left=np.stack([track.left for track in self.open]),
        )
        s = mode_overlap(before, here)
        old = np.array([track.value for track in self.open])
        new = self.values[i, : self.kept]
        radius = max(float(np.abs(new).max()), np.finfo(float).tiny)
        cost = 1 - s + np.abs(old[:, None] - new) / radius
        partner = linear_sum_assignment(cost)[1].tolist()
        _order_collisions(partner, old, new)
        going: list[Track] = []
        for a, b in enumerate(partner):
            track = self.open[a]
            ill = bool(self.ill[i, b]) or track.vague
            # Over all modes the products sum to 1: one whose kept ones hold little of that, on
            # either side, goes on as one that is not kept.
            held = min(float((s[a] ** 2).sum()), float((s[:, b] ** 2).sum()))
            known = held >= 0.5 and self._nearest(i, old[a], b)
            if s[a, b] < self.least and not ill and not known:
                continue
            track.weak.append("" if s[a, b] >= self.least else "repeated" if ill else "weak")
            track.quality.append(float(s[a, b]))
            self._extend(track, i, b)
            going.append(track)
        self.open = going
        taken = {track.columns[-1] for track in going}
        for b in range(self.kept):
            if b not in taken:
                self._begin(i, b)

    def _extend(self, track: Track, i: int, b: int) -> None:
        right, left, value = self.right[i, :, b], self.left[i, b], complex(self.values[i, b])
        if (value.imag != 0) == (track.value.imag != 0):
            z = complex(track.left @ right)
            z = z if value.imag else complex(z.real)
            phase = z / abs(z) if np.isfinite(z) and abs(z) > 0 else 1.0
            right *= np.conj(phase)
            left *= phase
        track.add(b, value, right, left)
        if not self.ill[i, b]:
            # Vectors of a repeated eigenvalue are arbitrary: the next point is compared with the
            # last that had its own.
            track.right, track.left, track.vague = right, left, False

    def _nearest(self, i: int, value: complex, b: int) -> bool:
        """Whether mode b of point i and this eigenvalue before it are each other's nearest, among
        all there are at either point."""
        if not self.complete:
            return False
        there = np.abs(self.values[i] - value)
        back = np.abs(self.values[i - 1] - self.values[i, b])
        return bool(there[b] <= there.min() and there[b] <= back.min())

    def tracks(self, order: Tensor, position: Tensor) -> ModeTracks:
        """The result."""
        P, M = self.size, len(self.all)
        columns = np.full((P, M), -1)
        values = np.full((P, M), np.nan + 0j)
        quality = np.full((P - 1, M), np.nan)
        for k, track in enumerate(self.all):
            rows = slice(track.start, track.stop)
            columns[rows, k], values[rows, k] = track.columns, track.values
            quality[track.start : track.stop - 1, k] = track.quality
        return ModeTracks(
            points=order,
            position=position,
            columns=torch.from_numpy(columns),
            eigenvalues=torch.from_numpy(values),
            right=torch.from_numpy(self.right),
            left=torch.from_numpy(self.left),
            quality=torch.from_numpy(quality),
            breaks=find_breaks(self.all, self.size, position.tolist()),
        )


def _order_collisions(partner: list[int], old: Complex, new: Complex) -> None:
    """Two real modes that become a pair, or a pair that becomes two: which goes where is a matter
    of words. The larger goes with the positive imaginary part."""
    for a, b in enumerate(partner):
        for other in range(a + 1, len(partner)):
            x, y = old[a], old[other]
            u, v = new[b], new[partner[other]]
            meet = x.imag == y.imag == 0 and u.imag != 0 and u == np.conj(v)
            part = u.imag == v.imag == 0 and x.imag != 0 and x == np.conj(y)
            wrong = (x.real < y.real) != (u.imag < 0) if meet else False
            wrong = (u.real < v.real) != (x.imag < 0) if part else wrong
            if wrong:
                partner[a], partner[other] = partner[other], b
                b = partner[a]
