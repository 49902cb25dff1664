"""Networks that cycle, turn, or bend under their input, with answers known in closed form.

All but one are tanh networks ``h' = tanh(V h + W x + b)``; tanh(y) has the slope ``1 - tanh(y)^2``,
so a root whose units stand at m and that ``V`` maps to 0 has the eigenvalues of ``(1 - m^2) V``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import acosh, atanh, cos, cosh, pi, sin, sinh, sqrt, tanh

import torch
from torch import Tensor

from rnnscope.cells import Autodiff, Cell, Vanilla
from rnnscope.errors import UsageError
from rnnscope.synthetic.attractor import zero_between


@dataclass(frozen=True, kw_only=True, eq=False)
class Oscillation:
    """A cell that never comes to rest under zero input.

    Attributes:
        cell: the network, float64.
        sentence: what it does.
        cycle: the states of an attracting cycle in their order, (p, N); none where it turns by an
            angle that does not close, (0, N).
        multipliers: of that cycle, by falling modulus, (N,); empty without one.
        rotation: turns a step about the root at 0.
        radius: of the circle it turns on, nan where that is none.
        exact: whether rotation and radius are exact, and not the leading order in the gain.
    """

    cell: Cell
    sentence: str
    cycle: Tensor
    multipliers: Tensor
    rotation: float
    radius: float
    exact: bool

    def seeds(self, count: int, *, rng: int = 0) -> Tensor:
        """States to start from, in the cube of half-width 1, (count, N)."""
        generator = torch.Generator().manual_seed(rng)
        cube = torch.rand(count, self.cell.state_size, generator=generator, dtype=torch.float64)
        return 2 * cube - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Unfolding:
    """A cell whose fixed points bend, meet or change under the input ``s * direction``.

    Attributes:
        cell: the network, float64.
        sentence: what it does.
        direction: of the input, (input_size,).
        roots: its fixed points under zero input, (R, N), the ``stable`` ones among them marked.
        stable: (R,).
        events: what happens on the branch through ``roots[0]``: (kind, s), by rising s; kinds
            "fold", "branch point", "period doubling", "Neimark-Sacker".
        fold_states: the states of the folds on any branch, (F, N), and ``fold_inputs``, (F,).
    """

    cell: Cell
    sentence: str
    direction: Tensor
    roots: Tensor
    stable: Tensor
    events: tuple[tuple[str, float], ...]
    fold_states: Tensor = field(default_factory=lambda: torch.empty(0, 0, dtype=torch.float64))
    fold_inputs: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.float64))


def twisted_ring(*, units: int = 1, gain: float = 2.0) -> Oscillation:
    """A ring of units that each take over their neighbour's state, one of them with the sign
    turned: a cycle of ``2 units`` steps through ``+-a``, ``a = tanh(gain a)``.

    One unit is ``h' = tanh(-gain h)``, a cycle of two steps. Around the cycle every unit is
    multiplied by ``gain (1 - a^2)`` at each step, which gives all its multipliers. Every pattern of
    signs comes back: up to two units in this cycle, from three units on in others beside it.

    Raises:
        UsageError: no unit, or a gain of 1 or less, at which 0 attracts.
    """
    _at_least("units", units, 1)
    _above_one(gain)
    a = zero_between(lambda h: tanh(gain * h) - h, 1e-3 * (gain - 1), 1.0)
    V = gain * torch.roll(torch.eye(units, dtype=torch.float64), 1, dims=0)
    V[0, -1] = -gain
    h, cycle = torch.full((units,), a, dtype=torch.float64), []
    for _ in range(2 * units):
        cycle.append(h)
        h = torch.cat([-h[-1:], h[:-1]])
    slope = (gain * (1 - a * a)) ** (2 * units)
    return Oscillation(
        cell=_tanh(V, torch.zeros(units, dtype=torch.float64)),
        sentence=f"An attracting cycle of {2 * units} steps through +-{a:.4g}.",
        cycle=torch.stack(cycle),
        multipliers=torch.full((units,), slope, dtype=torch.float64),
        rotation=1 / (2 * units),
        radius=float("nan"),
        exact=True,
    )


def turning_plane(*, rotation: float, radius: float = 0.5, pull: float = 0.3) -> Oscillation:
    """A plane that turns by ``rotation`` of a full turn a step and is drawn onto a circle:
    ``h' = (1 + pull (radius^2 - |h|^2)) R h + x``. No tanh network, but exact."""
    R = _rotation(rotation)

    def step(x: Tensor, h: Tensor) -> Tensor:
        return (1 + pull * (radius**2 - (h * h).sum(-1, keepdim=True))) * (h @ R.mT) + x

    cell = Autodiff(function=step, inputs=2, states=2, like=torch.zeros((), dtype=torch.float64))
    return Oscillation(
        cell=cell,
        sentence=f"Everything but 0 goes to a circle of radius {radius} and turns on it.",
        cycle=torch.empty(0, 2, dtype=torch.float64),
        multipliers=torch.empty(0, dtype=torch.float64),
        rotation=rotation,
        radius=radius,
        exact=True,
    )


def rotor(*, rotation: float = 0.1382, gain: float = 1.02) -> Oscillation:
    """Two tanh units past a Neimark-Sacker bifurcation: ``h' = tanh(gain R h)``.

    Averaged over a turn, the cubic term of tanh takes ``(gain r)^3 / 4`` off the radius and nothing
    off the angle: the circle has ``r^2 = 4 (gain - 1) / gain^3`` and turns as R does, up to higher
    orders of ``gain - 1``.

    Raises:
        UsageError: a gain of 1 or less, at which 0 attracts.
    """
    _above_one(gain)
    radius = sqrt(4 * (gain - 1) / gain**3)
    return Oscillation(
        cell=_tanh(gain * _rotation(rotation), torch.zeros(2, dtype=torch.float64)),
        sentence=f"A closed curve about 0, near the circle of radius {radius:.4g}.",
        cycle=torch.empty(0, 2, dtype=torch.float64),
        multipliers=torch.empty(0, dtype=torch.float64),
        rotation=rotation,
        radius=radius,
        exact=False,
    )


def uniform_drive(*, gain: float = 1.4, turn: float = 0.0) -> Unfolding:
    """Units alike that all read the input s: they stand at ``tanh(s)``, whatever s.

    V maps their common state to 0, and what sets them apart is multiplied by
    ``(1 - tanh(s)^2) gain e^(+-i turn)``: the root is unstable for ``|s| < acosh(sqrt(gain))``.
    There it meets two more roots for ``turn = 0`` (a pitchfork: of two units one wins), a cycle of
    two steps for ``turn = pi``, and a circle for any turn between (three units).

    Raises:
        UsageError: a gain of 1 or less, at which nothing happens, or a turn outside 0 to pi.
    """
    _above_one(gain)
    if not 0 <= turn <= pi:
        raise UsageError("The turn is an angle.", expected="0 to pi", got=str(turn))
    if turn in (0.0, pi):
        V = gain / 2 * cos(turn) * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
        kind = "branch point" if turn == 0 else "period doubling"
    else:
        one = torch.eye(3, dtype=torch.float64)
        right, left = torch.roll(one, 1, dims=0), torch.roll(one, -1, dims=0)
        V = -gain * cos(turn) / 3 * (right + left - 2 * one)
        V = V + gain * sin(turn) / sqrt(3) * (right - left)
        kind = "Neimark-Sacker"
    at = acosh(sqrt(gain))
    roots = torch.zeros(1, len(V), dtype=torch.float64)
    if turn == 0:
        a = zero_between(lambda h: tanh(gain * h) - h, 1e-3 * (gain - 1), 1.0)
        roots = torch.tensor([[0.0, 0.0], [a, -a], [-a, a]], dtype=torch.float64)
    return Unfolding(
        cell=_tanh(V, torch.zeros(len(V), dtype=torch.float64)),
        sentence=f"Units alike stand at tanh(s); a {kind} at s = +-{at:.4g}.",
        direction=torch.ones(1, dtype=torch.float64),
        roots=roots,
        stable=torch.tensor([False] + [True] * (len(roots) - 1)),
        events=((kind, -at), (kind, at)),
    )


def hysteresis(*, gain: float = 2.0, bias: float = 0.1, others: int = 2) -> Unfolding:
    """One unit ``h' = tanh(gain h + bias + s)`` with a fold on either side: at ``gain (1 - h^2) =
    1``, so ``h = +-m`` with ``m^2 = 1 - 1/gain``, and ``s = -+(gain m - atanh(m)) - bias``.

    Other units halve their state. With a bias between the folds there are three roots at s = 0,
    the middle one a saddle from which one way leads to each of the others.

    Raises:
        UsageError: a gain of 1 or less, or a bias outside the folds.
    """
    _above_one(gain)
    m = sqrt(1 - 1 / gain)
    reach = gain * m - atanh(m)
    if not abs(bias) < reach:
        raise UsageError(
            "Between its folds the network has three roots.",
            expected=f"a bias between -{reach:.4g} and {reach:.4g}",
            got=str(bias),
        )
    places = ((-1.0, -m), (-m, m), (m, 1.0))
    found = [zero_between(lambda h: tanh(gain * h + bias) - h, *place) for place in places]
    V = 0.5 * torch.eye(1 + others, dtype=torch.float64)
    V[0, 0] = gain
    b = torch.zeros(1 + others, dtype=torch.float64)
    b[0] = bias
    cell = _tanh(V, b)
    cell.W[1:] = 0
    roots = torch.zeros(3, 1 + others, dtype=torch.float64)
    roots[:, 0] = torch.tensor(found, dtype=torch.float64)
    folds = torch.zeros(2, 1 + others, dtype=torch.float64)
    folds[:, 0] = torch.tensor([m, -m], dtype=torch.float64)
    inputs = torch.tensor([-reach - bias, reach - bias], dtype=torch.float64)
    return Unfolding(
        cell=cell,
        sentence=f"Two stable roots and a saddle between folds at s = {inputs.tolist()}.",
        direction=torch.ones(1, dtype=torch.float64),
        roots=roots,
        stable=torch.tensor([True, False, True]),
        events=(("fold", float(inputs[0])), ("fold", float(inputs[1]))),
        fold_states=folds,
        fold_inputs=inputs,
    )


def imperfect_pitchfork(*, gain: float = 1.4, apart: float = 0.5) -> Unfolding:
    """The pitchfork of ``uniform_drive`` with a bias e that favours one of its two units.

    With u, v = tanh(+-p + s) and ``p = gain (u - v) / 2 + e`` the branch of the favoured unit has
    no bifurcation; the other two roots exist for small s and meet in a fold where

    ``cosh 2s = (gain - 1) cosh 2p + sqrt(gain (gain - 2) cosh^2 2p + 2 gain)``

    Args:
        gain: above 1.
        apart: -p at the folds, which chooses e.

    Raises:
        UsageError: no fold lies there.
    """
    _above_one(gain)
    C, S = cosh(2 * apart), sinh(2 * apart)
    under = gain * (gain - 2) * C * C + 2 * gain
    D = (gain - 1) * C + sqrt(under) if under >= 0 else 0.0
    e = gain * S / (C + D) - apart if D > 1 else -1.0
    if not e > 0:
        raise UsageError(
            "Of two unlike units the weaker one wins only close to the pitchfork.",
            expected="a smaller value of apart",
            got=f"apart={apart}, gain={gain}",
        )
    at = acosh(D) / 2
    V = gain / 2 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    p = zero_between(lambda p: gain * tanh(p) + e - p, 0.0, gain + e + 1)
    folds = [[tanh(-apart + s), tanh(apart + s)] for s in (-at, at)]
    return Unfolding(
        cell=_tanh(V, torch.tensor([e, -e], dtype=torch.float64)),
        sentence=f"One unit is favoured by {e:.4g}; the other wins only for |s| < {at:.4g}.",
        direction=torch.ones(1, dtype=torch.float64),
        roots=torch.tensor([[tanh(p), -tanh(p)]], dtype=torch.float64),
        stable=torch.tensor([True]),
        events=(),
        fold_states=torch.tensor(folds, dtype=torch.float64),
        fold_inputs=torch.tensor([-at, at], dtype=torch.float64),
    )


def _rotation(turns: float) -> Tensor:
    c, s = cos(2 * pi * turns), sin(2 * pi * turns)
    return torch.tensor([[c, -s], [s, c]], dtype=torch.float64)


def _tanh(V: Tensor, b: Tensor) -> Vanilla:
    return Vanilla(W=torch.ones(len(V), 1, dtype=torch.float64), V=V, b=b)


def _above_one(gain: float) -> None:
    if not 1 < gain < float("inf"):
        raise UsageError("The gain must be above 1.", expected="gain > 1", got=str(gain))


def _at_least(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise UsageError(
            f"There is no such number of {name}.", expected=f"{least} or more", got=repr(value)
        )
