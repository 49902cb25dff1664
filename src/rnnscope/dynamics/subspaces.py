"""``mode_groups``: eigenvalues taken together until each group's projector is moderate, and the
groups of one point linked to those of the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import subspace_angles
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from rnnscope.dynamics.eigenmodes import by_modulus
from rnnscope.dynamics.mode_group import ModeGroup
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.spectral_projector import Invariant, SchurForm
from rnnscope.dynamics.step_jacobians import Jacobians, map_jacobians
from rnnscope.errors import DataError, UsageError

GAP = 1e-6
"""Eigenvalues this close, as a share of the radius, are taken together."""

LIMIT = 1e6
"""A projector longer than this is not trusted: its group takes in the nearest eigenvalue."""


def mode_groups(
    modes: Modes, *, count: int | None = None, gap: float = GAP, limit: float = LIMIT
) -> tuple[tuple[ModeGroup, ...], ...]:
    """The slowest modes of each point as real subspaces.

    A full Schur form a point, streamed: N^3 work, a few N^2 numbers at a time.

    Args:
        modes: of P points, from ``linearize`` or ``trajectory_modes``.
        count: groups are given until they hold the ``count`` slowest modes; None for as many as
            ``modes`` keeps.
        gap: eigenvalues closer than this share of the radius are one group.
        limit: the largest condition of a group; one beyond it takes in the nearest eigenvalue,
            again and again.

    Returns:
        For each point its groups, slowest first.

    Raises:
        UsageError: ``count`` that is not 1 to N, ``gap`` below 0, ``limit`` below 1.

    Source:
        Bavely & Stewart 1979
    """
    count = modes.count if count is None else count
    _check(count, modes.width, gap, limit)

    def group(J: Jacobians) -> list[tuple[ModeGroup, ...]]:
        return [_groups(one, count, gap, limit) for one in J.square.numpy()]

    vector = modes.held.vector
    inputs = vector if vector.ndim == 2 else vector.expand(len(modes), -1)
    found = map_jacobians(group, modes.cell, modes.states, inputs, which="rec")
    return tuple(groups for part in found for groups in part)


def matrix_groups(
    J: Any, *, count: int | None = None, gap: float = GAP, limit: float = LIMIT
) -> tuple[ModeGroup, ...]:
    """The same of one real matrix (N, N); all its modes where ``count`` is None.

    Raises:
        DataError: no square matrix, or one that is not finite.
        UsageError: as ``mode_groups``.
    """
    matrix = J.detach().cpu().numpy() if isinstance(J, Tensor) else np.asarray(J)
    matrix = matrix.astype(np.float64)
    if matrix.ndim != 2 or len(set(matrix.shape)) != 1 or not np.isfinite(matrix).all():
        raise DataError(
            "Subspaces are those of a square, finite matrix.",
            expected="(N, N), finite",
            got=str(matrix.shape),
        )
    count = len(matrix) if count is None else count
    _check(count, len(matrix), gap, limit)
    return _groups(matrix, count, gap, limit)


def principal_angles(first: ModeGroup | Tensor, second: ModeGroup | Tensor) -> Tensor:
    """Angles between two subspaces, radians, largest first, (smaller dimension,).

    Args:
        first, second: groups, or bases as columns (N, m).

    Source:
        Björck & Golub 1973; Knyazev & Argentati 2002
    """
    a, b = (s.basis if isinstance(s, ModeGroup) else s for s in (first, second))
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise DataError(
            "Angles are between subspaces of one space.",
            expected="two bases of one width, as columns",
            got=f"{tuple(a.shape)} and {tuple(b.shape)}",
        )
    return torch.from_numpy(subspace_angles(a.numpy(), b.numpy()))


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupLink:
    """A group of one point and its counterpart at the next.

    Attributes:
        first, second: places among the groups of either point.
        overlap: ``tr(P_1 P_2) / m``, m the larger dimension: 1 for the same modes.
        angles: principal angles between their right subspaces, largest first.
    """

    first: int
    second: int
    overlap: float
    angles: Tensor


def link_groups(first: Sequence[ModeGroup], second: Sequence[ModeGroup]) -> tuple[GroupLink, ...]:
    """Counterparts of the groups of one point at the next, by their projectors' overlap.

    Raises:
        DataError: groups of different widths, or none.
    """
    widths = {len(group.basis) for group in (*first, *second)}
    if not first or not second or len(widths) != 1:
        raise DataError(
            "Groups of two points of one network are linked.",
            expected="groups of one width at both points",
            got=f"{len(first)} and {len(second)} groups of widths {sorted(widths)}",
        )
    overlap = np.array([[_overlap(a, b) for b in second] for a in first])
    return tuple(
        GroupLink(
            first=int(i),
            second=int(j),
            overlap=float(overlap[i, j]),
            angles=principal_angles(first[i], second[j]),
        )
        for i, j in zip(*linear_sum_assignment(-overlap), strict=True)
    )


def _overlap(a: ModeGroup, b: ModeGroup) -> float:
    shared = float(torch.trace((a.dual @ b.basis) @ (b.dual @ a.basis)))
    return shared / max(a.size, b.size)


def _check(count: int, width: int, gap: float, limit: float) -> None:
    if not 1 <= count <= width or not 0 <= gap < 1 or not limit >= 1:
        raise UsageError(
            "Modes are grouped by how near and how oblique they are.",
            expected=f"count from 1 to {width}, gap from 0 to 1, limit of 1 or more",
            got=f"count {count}, gap {gap}, limit {limit}",
        )


def _groups(J: np.ndarray, count: int, gap: float, limit: float) -> tuple[ModeGroup, ...]:
    form = SchurForm.of(J)
    order = by_modulus(torch.from_numpy(form.values)[None])[0].numpy()
    values = form.values[order]
    radius = max(float(abs(values[0])), np.finfo(float).tiny)
    clusters = _near(values, gap * radius)
    done: list[tuple[list[int], Invariant]] = []
    while clusters and clusters[0][0] < count:
        cluster = clusters.pop(0)
        chosen = np.zeros(len(J), dtype=bool)
        chosen[order[cluster]] = True
        space = form.invariant(chosen)
        others = clusters + [known for known, _ in done]
        if others and (space is None or space.norm > limit):
            # The nearest eigenvalue is the one that this group leans on most.
            nearest = min(others, key=lambda c: np.abs(values[c][:, None] - values[cluster]).min())
            done = [one for one in done if one[0] is not nearest]
            clusters = [c for c in clusters if c is not nearest]
            clusters.insert(0, sorted(cluster + nearest))
            clusters.sort()
        elif space is not None:
            done.append((cluster, space))
    done.sort(key=lambda one: one[0])
    return tuple(
        ModeGroup.of(space, ranks=c, values=values[c], gap=gap * radius, limit=limit)
        for c, space in done
    )


def _near(values: NDArray[np.complex128], gap: float) -> list[list[int]]:
    """Places of eigenvalues within ``gap`` of each other, in a chain, conjugate pairs together."""
    near = np.abs(values[:, None] - values) <= gap
    near |= (values[:, None] == values.conj()) & (values.imag != 0)
    labels = connected_components(near, directed=False)[1]
    clusters = [np.flatnonzero(labels == k).tolist() for k in range(labels.max() + 1)]
    return sorted(clusters)
