"""Cycles of known period and multipliers; none where there are none."""

from __future__ import annotations

import json
from math import cos, pi, sin

import pytest
import torch

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.dynamics.cycles import find_cycles
from rnnscope.errors import UsageError
from rnnscope.synthetic import attractors as built

LIKE = torch.zeros((), dtype=torch.float64)


def flipper(gain=2.0):
    """``h' = tanh(-gain h)``: the 2-cycle -a, a with ``a = tanh(gain a)``, and a repelling 0."""
    return Vanilla(
        W=torch.zeros(1, 1, dtype=torch.float64),
        V=torch.tensor([[-gain]], dtype=torch.float64),
        b=torch.zeros(1, dtype=torch.float64),
    )


def turner(period, radius=0.5, pull=0.3):
    """A plane that turns by ``2 pi / period`` a step and is pulled onto a circle."""
    turn = 2 * pi / period
    Q = torch.tensor([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]], dtype=torch.float64)

    def step(x, h):
        length = (h * h).sum(-1, keepdim=True)
        return (1 + pull * (radius**2 - length)) * (h @ Q.mT) + 0 * x

    return Autodiff(function=step, inputs=2, states=2, like=LIKE)


def test_the_two_cycle_of_a_unit_that_flips():
    seeds = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    found = find_cycles(flipper(), seeds)
    assert len(found) == 1
    a = found.states[0].abs().mean()
    assert float(a) == pytest.approx(float(torch.tanh(2 * a)), abs=1e-12)
    assert found.states[0].sum().abs() < 1e-12
    slope = -2 * (1 - a**2)
    assert float(found.multipliers[0, 0].real) == pytest.approx(float(slope**2))
    assert found.stable.all()
    assert "attracts" in found.sentence(0)
    json.dumps(found.summary())


def test_phases_of_one_cycle_are_one_and_divisors_are_left_out():
    seeds = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    assert len(find_cycles(flipper(), seeds, period=4)) == 0
    assert len(find_cycles(flipper(), seeds, period=3)) == 0


def test_a_circle_that_turns_by_a_fifth_is_full_of_cycles_of_five():
    rng = torch.Generator().manual_seed(0)
    seeds = torch.randn(12, 2, generator=rng, dtype=torch.float64) * 0.4
    found = find_cycles(turner(5), seeds, period=5)
    assert len(found) > 1
    radius = found.states.norm(dim=-1)
    torch.testing.assert_close(radius, torch.full_like(radius, 0.5), atol=1e-6, rtol=0)
    for k in range(5):
        inside = find_cycles(turner(5), found.states[0, k : k + 1], period=5)
        assert len(inside) == 1


@pytest.mark.parametrize("period", [2, 3])
def test_a_contraction_has_no_cycle(period):
    attractor = built.single_root()
    assert len(find_cycles(attractor.cell, attractor.seeds(20), period=period)) == 0
    flip = built.flip_flop()
    assert len(find_cycles(flip.cell, flip.seeds(40), period=period)) == 0


def test_bad_input():
    with pytest.raises(UsageError, match="two steps"):
        find_cycles(flipper(), torch.zeros(1, 1), period=1)
