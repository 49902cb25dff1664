"""Hand-built networks whose fixed points are known: what a tool must find, and must not.

Weights are chosen so that the answers hold in float64 to rounding, most of them exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import tanh
from typing import cast

import torch
from scipy.optimize import brentq
from torch import Tensor

from rnnscope.cells import LSTM, Cell, Vanilla
from rnnscope.data import Vocabulary
from rnnscope.models import Direction, Layer, Model, Readout

SATURATED = 40.0
"""sigm(40) is exactly 1 in float64."""


def _none(width: int = 0) -> Tensor:
    return torch.empty(0, width, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attractor:
    """A cell whose fixed points under zero input are known.

    Attributes:
        cell: the network, float64.
        sentence: what it does.
        roots: all its isolated fixed points, (R, N).
        unstable: growing modes at each, (R,).
        ghosts: all local minima of the speed that are no fixed points, (G, N).
        eigenvalues: at each root, by falling modulus, (R, N); empty where not known.
        continuum: its fixed points that are not isolated, as a function of positions (M, D) along
            them; None without.
        dimension: D, how many dimensions they have; 0 without.
        reach: seeds are drawn from the cube of this half-width around 0.
    """

    cell: Cell
    sentence: str
    roots: Tensor = field(default_factory=_none)
    unstable: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))
    ghosts: Tensor = field(default_factory=_none)
    eigenvalues: Tensor = field(default_factory=_none)
    continuum: Callable[[Tensor], Tensor] | None = None
    dimension: int = 0
    reach: float = 1.0

    def seeds(self, count: int, *, rng: int = 0) -> Tensor:
        """States to search from, (count, N)."""
        generator = torch.Generator().manual_seed(rng)
        cube = torch.rand(count, self.cell.state_size, generator=generator, dtype=torch.float64)
        return self.reach * (2 * cube - 1)


def half_line(*, units: int = 4, contraction: float = 0.5) -> Attractor:
    """Exactly the half-line ``h = s (1, ..., 1), s >= 0``, in a relu network.

    ``V = (1 - rho) / n 1 1^T + rho I``: eigenvalue 1 along the line, rho across it. A power of two
    for ``units`` keeps the arithmetic exact.
    """
    ones = torch.ones(units, units, dtype=torch.float64)
    eye = torch.eye(units, dtype=torch.float64)
    cell = Vanilla(
        W=eye[:, :1].clone(),
        V=(1 - contraction) / units * ones + contraction * eye,
        b=torch.zeros(units, dtype=torch.float64),
        nonlinearity="relu",
    )
    return Attractor(
        cell=cell,
        sentence="Fixed points form the half-line s (1, ..., 1), s >= 0.",
        continuum=lambda s: s.clamp_min(0) * torch.ones(units, dtype=torch.float64),
        dimension=1,
    )


def lstm_integrator(*, units: int = 4, kept: int = 1, inputs: int = 2) -> Attractor:
    """An LSTM whose first ``kept`` cells never forget; the others halve every step.

    At zero input ``c' = c`` and ``h = tanh(c) / 2`` for the kept cells: a curved continuum of
    ``kept`` dimensions. The first input is added to the first kept cell, as ``tanh(x_1)``.
    """
    gate = torch.zeros(4, units, inputs, dtype=torch.float64)
    gate[2, 0, 0] = 1.0
    bias = torch.zeros(4, units, dtype=torch.float64)
    bias[0] = SATURATED
    bias[1, :kept] = SATURATED
    cell = LSTM(
        W=gate.reshape(4 * units, inputs),
        V=torch.zeros(4 * units, units, dtype=torch.float64),
        b=bias.reshape(-1),
    )

    def continuum(c: Tensor) -> Tensor:
        memory = torch.nn.functional.pad(c, (0, units - kept))
        return torch.cat([torch.tanh(memory) / 2, memory], dim=-1)

    return Attractor(
        cell=cell,
        sentence=f"{kept} cells never forget: their fixed points have {kept} dimensions.",
        continuum=continuum,
        dimension=kept,
        reach=2.0,
    )


def line_model(*, units: int = 4) -> Model:
    """``lstm_integrator`` as a model that reads words: good, bad, very_good, very_bad, the.

    The embedding's first entry is what a word adds to the line; the readout looks along it.
    """
    pushes = {"the": 0.0, "good": 0.1, "bad": -0.1, "very_good": 0.3, "very_bad": -0.3}
    embedding = torch.zeros(len(pushes), 2, dtype=torch.float64)
    embedding[:, 0] = torch.tensor(list(pushes.values()), dtype=torch.float64).atanh()
    weight = torch.zeros(2, units, dtype=torch.float64)
    weight[0, 0], weight[1, 0] = -2.0, 2.0
    cell = lstm_integrator(units=units).cell
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=embedding,
        vocabulary=Vocabulary(words=tuple(pushes)),
        readout=Readout(weight=weight, bias=torch.zeros(2, dtype=torch.float64)),
        classes=("bad", "good"),
    )


def leaky_line(*, units: int = 6, slow: float = 0.99, fast: float = 0.5, rng: int = 0) -> Attractor:
    """One root at 0 with one slow mode: ``h' = tanh(V h)``, V symmetric with known eigenvalues."""
    Q = _rotation(units, rng)
    values = torch.full((units,), fast, dtype=torch.float64)
    values[0] = slow
    return Attractor(
        cell=_tanh(Q @ torch.diag(values) @ Q.mT),
        sentence=f"One stable root at 0; its slowest mode has eigenvalue {slow}.",
        roots=torch.zeros(1, units, dtype=torch.float64),
        unstable=torch.zeros(1, dtype=torch.long),
        eigenvalues=values[None],
        reach=0.5,
    )


def flip_flop(*, bits: int = 3, gain: float = 2.0) -> Attractor:
    """Units that each remember one bit, ``h' = tanh(gain h + 4 x)``, without knowing of each other.

    A unit alone has the roots -a, 0, a with ``a = tanh(gain a)``; together they have 3^bits: a
    stable one for each memory, and saddles that grow in one direction per unit at 0.
    """
    a = _zero(lambda h: tanh(gain * h) - h, 0.1, 1.0)
    roots = torch.tensor(list(product((-a, 0.0, a), repeat=bits)), dtype=torch.float64)
    at_zero = roots == 0
    slopes = gain * (1 - roots**2)
    return Attractor(
        cell=_tanh(gain * torch.eye(bits, dtype=torch.float64), inputs=bits),
        sentence=f"{2**bits} memories, {3**bits} roots in all.",
        roots=roots,
        unstable=at_zero.sum(-1),
        eigenvalues=slopes.sort(-1, descending=True).values,
    )


def bistable(*, gain: float = 2.0) -> Attractor:
    """One unit with three roots: two stable, between them one that is not."""
    return flip_flop(bits=1, gain=gain)


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
    root[0, 0] = _zero(lambda h: tanh(gain * h + b) - h, low, high)
    V = 0.5 * torch.eye(units, dtype=torch.float64)
    V[0, 0] = gain
    cell = _tanh(V)
    cell.b[0] = b
    return Attractor(
        cell=cell,
        sentence="One stable root, and one ghost where two roots have met and gone.",
        roots=root,
        unstable=torch.zeros(1, dtype=torch.long),
        ghosts=ghost,
    )


def single_root(*, units: int = 6, norm: float = 0.5, rng: int = 0) -> Attractor:
    """A contraction: one stable root, known by choosing the bias to fit it, and nothing else."""
    generator = torch.Generator().manual_seed(rng)
    V = torch.randn(units, units, generator=generator, dtype=torch.float64)
    V *= norm / torch.linalg.matrix_norm(V, 2)
    h = 1.2 * torch.rand(units, generator=generator, dtype=torch.float64) - 0.6
    return Attractor(
        cell=Vanilla(W=_inputs(units, 1), V=V, b=h.atanh() - V @ h),
        sentence="One stable root that everything goes to at once.",
        roots=h[None],
        unstable=torch.zeros(1, dtype=torch.long),
    )


def _zero(function: Callable[[float], float], low: float, high: float) -> float:
    return cast(float, brentq(function, low, high, xtol=1e-15))


def _tanh(V: Tensor, *, inputs: int = 1) -> Vanilla:
    units = len(V)
    return Vanilla(W=_inputs(units, inputs), V=V, b=torch.zeros(units, dtype=torch.float64))


def _inputs(units: int, inputs: int) -> Tensor:
    return 4 * torch.eye(units, dtype=torch.float64)[:, :inputs].clone()


def _rotation(units: int, rng: int) -> Tensor:
    generator = torch.Generator().manual_seed(rng)
    return torch.linalg.qr(torch.randn(units, units, generator=generator, dtype=torch.float64)).Q
