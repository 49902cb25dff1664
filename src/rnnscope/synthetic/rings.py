"""Rings: an exact smooth one, an exact one of straight pieces, and one that only looks like it."""

from __future__ import annotations

from math import cos, pi, sin, tanh

import torch
from torch import Tensor

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.errors import UsageError
from rnnscope.synthetic.attractor import Attractor, rotation, zero_between


def ring(*, units: int = 4, pull: float = 0.5, fast: float = 0.5, rng: int = 0) -> Attractor:
    """Exactly a circle of fixed points, in a smooth network.

    In rotated coordinates ``(z, y)``, z a plane: ``z' = z (1 + k) / (1 + k |z|^2)`` with
    ``k = pull``, ``y' = fast y``. Eigenvalues on the circle ``|z| = 1``: 1 along it,
    ``(1 - k) / (1 + k)`` towards it, ``fast`` across; 0 is a root that grows in the plane. No sum
    of finitely many tanh units has such a symmetry, so this one is a cell of its own. The two
    inputs push z.

    Raises:
        UsageError: fewer than two units, or a pull or decay at which the circle does not attract.
    """
    if units < 2 or not 0 < pull < 1 or not 0 <= fast < 1:
        raise UsageError(
            "A ring lies in a plane and attracts.",
            expected="2 units or more, 0 < pull < 1, 0 <= fast < 1",
            got=f"units {units}, pull {pull}, fast {fast}",
        )
    Q = rotation(units, rng)

    def step(x: Tensor, h: Tensor) -> Tensor:
        turn = Q.to(h)
        own = h @ turn
        z = own[..., :2] + x
        z = z * (1 + pull) / (1 + pull * (z * z).sum(-1, keepdim=True))
        return torch.cat([z, fast * own[..., 2:]], dim=-1) @ turn.mT

    def continuum(angle: Tensor) -> Tensor:
        return torch.cat([angle.cos(), angle.sin()], dim=-1) @ Q[:, :2].mT

    across = [fast] * (units - 2)
    towards = (1 - pull) / (1 + pull)
    return Attractor(
        cell=Autodiff(function=step, inputs=2, states=units, like=torch.zeros_like(Q[0, 0])),
        sentence="Fixed points form the unit circle of a plane; 0 repels.",
        roots=torch.zeros(1, units, dtype=torch.float64),
        unstable=torch.tensor([2]),
        eigenvalues=torch.tensor([[1 + pull, 1 + pull, *across]], dtype=torch.float64),
        continuum=continuum,
        dimension=1,
        continuum_eigenvalues=_falling([1.0, towards, *across]),
        reach=1.5,
    )


def relu_ring(*, units: int = 6, inhibition: float = 0.4) -> Attractor:
    """Exactly a closed ring of fixed points in a relu network: straight pieces, joined at corners.

    ``V_ij = -2 g / n + 4 / n cos(t_i - t_j)`` with ``g = inhibition`` and n units at equal angles
    t. With half of the units active, the cosine part has eigenvalue exactly 1 for turning the
    bump; where one unit falls silent the next one starts, so the pieces close. Positions are
    angles of the bump; the bias gives it a height of 1 in the middle of a piece. All units active
    at once is a root that grows in two directions.

    Raises:
        UsageError: an odd number of units, fewer than six, or an inhibition out of range.

    Source:
        Noorman et al. 2024 (threshold-linear rings), in discrete time
    """
    if units < 6 or units % 2 or not 0 < inhibition <= 0.45:
        raise UsageError(
            "The relu ring has half of its units active.",
            expected="an even number of units, 6 or more, and 0 < inhibition <= 0.45",
            got=f"units {units}, inhibition {inhibition}",
        )
    active, spacing = units // 2, 2 * pi / units
    angles = spacing * torch.arange(units, dtype=torch.float64)
    total = 1 / sin(spacing / 2)
    bias = inhibition / active * total
    tuned = 2 / active * torch.cos(angles[:, None] - angles[None])
    ones = torch.ones(units, dtype=torch.float64)

    def continuum(angle: Tensor) -> Tensor:
        # A piece holds the bumps whose active units are the same; its middle is theirs.
        offset = 0.0 if active % 2 else spacing / 2
        middle = ((angle - offset) / spacing).round() * spacing + offset
        along = angles - middle
        return torch.relu(along.cos() + torch.tan(angle - middle) * along.sin())

    # On (sum, cosine) of a bump: trace 1 - g, determinant -g (1 - 2 (total / active)^2).
    half = (1 - inhibition) / 2
    root = (half**2 + inhibition * (1 - 2 * (total / active) ** 2)) ** 0.5
    silent = [0.0] * (units - 3)
    flat = bias / (1 + 2 * inhibition)
    return Attractor(
        cell=Vanilla(
            W=torch.stack([angles.cos(), angles.sin()], dim=-1),
            V=tuned - inhibition / active,
            b=bias * ones,
            nonlinearity="relu",
        ),
        sentence=f"Fixed points form a closed ring of {units} straight pieces; the flat state, "
        "all units alike, repels.",
        roots=(flat * ones)[None],
        unstable=torch.tensor([2]),
        eigenvalues=_falling([2.0, 2.0, -2 * inhibition, *silent])[None],
        continuum=continuum,
        dimension=1,
        continuum_eigenvalues=_falling([1.0, half + root, half - root, *silent]),
    )


def discrete_ring(*, units: int = 6, gain: float = 2.0) -> Attractor:
    """A ring that is none: tanh units with cosine weights, ``V_ij = 2 gain / n cos(t_i - t_j)``.

    Looks like a ring of slow states, but has exactly 2 n isolated roots on it, nodes and saddles
    in turn, at the angles k pi / n; the more units, the closer their eigenvalue along the ring
    comes to 1. 0 is a root that grows in two directions.

    Raises:
        UsageError: an odd number of units, fewer than four, or a gain at which only 0 is left.
    """
    if units < 4 or units % 2 or not gain > 1:
        raise UsageError(
            "A discrete ring has units in opposite pairs and a loop above 1.",
            expected="an even number of units, 4 or more, and gain > 1",
            got=f"units {units}, gain {gain}",
        )
    angles = 2 * pi / units * torch.arange(units, dtype=torch.float64)
    states, values, unstable = [angles.new_zeros(units)], [[gain, gain]], [2]
    for turn in range(2 * units):
        at = [float(angle) - pi * turn / units for angle in angles]
        radius = zero_between(lambda r, at=at: _pull(at, gain, r) - r, 0.05, 2.0)
        h = torch.tensor([tanh(gain * radius * cos(angle)) for angle in at], dtype=torch.float64)
        slopes = (2 * gain / units * (1 - h * h)).tolist()
        outward = sum(s * cos(angle) ** 2 for s, angle in zip(slopes, at, strict=True))
        around = sum(s * sin(angle) ** 2 for s, angle in zip(slopes, at, strict=True))
        states.append(h)
        values.append([outward, around])
        unstable.append(int(around > 1))
    return Attractor(
        cell=Vanilla(
            W=torch.stack([angles.cos(), angles.sin()], dim=-1),
            V=2 * gain / units * torch.cos(angles[:, None] - angles[None]),
            b=angles.new_zeros(units),
        ),
        sentence=f"{units} nodes and {units} saddles in turn around a ring, and 0 in the middle.",
        roots=torch.stack(states),
        unstable=torch.tensor(unstable),
        eigenvalues=torch.stack([_falling([*pair, *[0.0] * (units - 2)]) for pair in values]),
    )


def _pull(at: list[float], gain: float, radius: float) -> float:
    """Where a bump of this radius goes, on an axis of symmetry of the units."""
    return 2 / len(at) * sum(cos(angle) * tanh(gain * radius * cos(angle)) for angle in at)


def _falling(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).sort(descending=True).values
