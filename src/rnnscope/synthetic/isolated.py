"""Networks with one root: a slow one, a fast one, one beside the ghost of two more."""

from __future__ import annotations

from math import tanh

import torch

from rnnscope.cells import Vanilla
from rnnscope.synthetic.attractor import (
    Attractor,
    input_weights,
    rotation,
    tanh_cell,
    zero_between,
)


def leaky_line(*, units: int = 6, slow: float = 0.99, fast: float = 0.5, rng: int = 0) -> Attractor:
    """One root at 0 with one slow mode: ``h' = tanh(V h)``, V symmetric with known eigenvalues."""
    Q = rotation(units, rng)
    values = torch.full((units,), fast, dtype=torch.float64)
    values[0] = slow
    return Attractor(
        cell=tanh_cell(Q @ torch.diag(values) @ Q.mT),
        sentence=f"One stable root at 0; its slowest mode has eigenvalue {slow}.",
        roots=torch.zeros(1, units, dtype=torch.float64),
        unstable=torch.zeros(1, dtype=torch.long),
        eigenvalues=values[None],
        reach=0.5,
    )


def fold_ghost(*, units: int = 4, gain: float = 2.0, past: float = 0.02) -> Attractor:
    """Just past a fold: a stable root, and the ghost of two that have met and gone.

    The first unit is ``h' = tanh(gain h + b)`` with b beyond the fold by ``past``; the speed's
    minimum is where ``gain sech^2 = 1``. The other units halve their state.
    """
    knee = torch.tensor(gain, dtype=torch.float64).sqrt().acosh()
    at_fold = float(knee - gain * torch.tanh(knee))
    b = at_fold + past if at_fold > 0 else at_fold - past
    side = -1.0 if b > 0 else 1.0
    ghost = torch.zeros(1, units, dtype=torch.float64)
    ghost[0, 0] = (side * float(knee) - b) / gain
    root = torch.zeros(1, units, dtype=torch.float64)
    low, high = (-1.0, 0.0) if side > 0 else (0.0, 1.0)
    root[0, 0] = zero_between(lambda h: tanh(gain * h + b) - h, low, high)
    V = 0.5 * torch.eye(units, dtype=torch.float64)
    V[0, 0] = gain
    cell = tanh_cell(V)
    cell.b[0] = b
    slopes = torch.diagonal(V) * (1 - root**2)
    return Attractor(
        cell=cell,
        sentence="One stable root, and one ghost where two roots have met and gone.",
        roots=root,
        unstable=torch.zeros(1, dtype=torch.long),
        ghosts=ghost,
        eigenvalues=slopes.sort(-1, descending=True).values,
    )


def single_root(*, units: int = 6, norm: float = 0.5, rng: int = 0) -> Attractor:
    """A contraction: one stable root, known by choosing the bias to fit it, and nothing else."""
    generator = torch.Generator().manual_seed(rng)
    V = torch.randn(units, units, generator=generator, dtype=torch.float64)
    V *= norm / torch.linalg.matrix_norm(V, 2)
    h = 1.2 * torch.rand(units, generator=generator, dtype=torch.float64) - 0.6
    return Attractor(
        cell=Vanilla(W=input_weights(units, 1), V=V, b=h.atanh() - V @ h),
        sentence="One stable root that everything goes to at once.",
        roots=h[None],
        unstable=torch.zeros(1, dtype=torch.long),
    )
