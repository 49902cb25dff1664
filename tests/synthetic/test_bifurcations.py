"""The networks that cycle, turn or bend: what they claim of themselves, by their own steps."""

from __future__ import annotations

from math import atanh, pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.dynamics import find_fixed_points
from rnnscope.errors import UsageError
from rnnscope.synthetic import (
    hysteresis,
    imperfect_pitchfork,
    rotor,
    turning_plane,
    twisted_ring,
    uniform_drive,
)

ZERO = torch.zeros(1, dtype=torch.float64)


def jacobian(cell, x, h):
    return torch.func.jacrev(lambda z: cell.step(x, z))(h)


@given(units=st.integers(1, 4), gain=st.floats(1.1, 4.0))
@settings(max_examples=20, deadline=None)
def test_a_twisted_ring_goes_through_its_cycle(units, gain):
    net = twisted_ring(units=units, gain=gain)
    assert len(net.cycle) == 2 * units
    product = torch.eye(units, dtype=torch.float64)
    for k, h in enumerate(net.cycle):
        expected = net.cycle[(k + 1) % len(net.cycle)]
        torch.testing.assert_close(net.cell.step(ZERO, h), expected, atol=1e-10, rtol=0)
        product = jacobian(net.cell, ZERO, h) @ product
    moduli = torch.linalg.eigvals(product).abs().sort(descending=True).values
    # Equal eigenvalues: their rounding is a root of the matrix's.
    torch.testing.assert_close(moduli, net.multipliers, atol=1e-6, rtol=1e-3)


def test_a_turning_plane_turns_by_its_rotation_on_its_circle():
    net = turning_plane(rotation=0.1382, radius=0.4)
    h = torch.tensor([0.4, 0.0], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    for k in range(1, 30):
        h = net.cell.step(zero, h)
        angle = torch.tensor(2 * pi * 0.1382 * k, dtype=torch.float64)
        expected = 0.4 * torch.stack([angle.cos(), angle.sin()])
        torch.testing.assert_close(h, expected, atol=1e-12, rtol=0)


@given(gain=st.floats(1.05, 5.0), part=st.floats(-0.9, 0.9), others=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_the_roots_and_folds_of_hysteresis(gain, part, others):
    m = (1 - 1 / gain) ** 0.5
    bias = part * (gain * m - atanh(m))
    net = hysteresis(gain=gain, bias=bias, others=others)
    for h, stable in zip(net.roots, net.stable, strict=True):
        torch.testing.assert_close(net.cell.step(ZERO, h), h, atol=1e-9, rtol=0)
        growing = torch.linalg.eigvals(jacobian(net.cell, ZERO, h)).abs().max() > 1
        assert bool(growing) != bool(stable)
    for h, s in zip(net.fold_states, net.fold_inputs, strict=True):
        torch.testing.assert_close(net.cell.step(s[None], h), h, atol=1e-12, rtol=0)
        slope = jacobian(net.cell, s[None], h)[0, 0]
        assert float(slope) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("turn", [0.0, 1.0, pi])
def test_a_uniform_drive_holds_its_units_alike(turn):
    net = uniform_drive(turn=turn)
    for s in (-1.0, 0.3, 0.9):
        x = torch.tensor([s], dtype=torch.float64)
        h = torch.tanh(x).expand(net.cell.state_size)
        torch.testing.assert_close(net.cell.step(x, h), h, atol=1e-14, rtol=0)
    for kind, s in net.events:
        x = torch.tensor([s], dtype=torch.float64)
        h = torch.tanh(x).expand(net.cell.state_size)
        values = torch.linalg.eigvals(jacobian(net.cell, x, h))
        assert float(values.abs().max()) == pytest.approx(1.0, abs=1e-10)
        if kind == "period doubling":
            assert float(values.real.min()) == pytest.approx(-1.0, abs=1e-10)


def test_a_pitchfork_has_three_roots_and_a_search_finds_them():
    net = uniform_drive(gain=1.4)
    found = find_fixed_points(net.cell, 2 * torch.rand(40, 2, dtype=torch.float64) - 1)
    assert len(found.roots) == 3
    for root in net.roots:
        assert float((found.roots.states - root).norm(dim=-1).min()) < 1e-9
    for h, stable in zip(net.roots, net.stable, strict=True):
        growing = torch.linalg.eigvals(jacobian(net.cell, ZERO, h)).abs().max() > 1
        assert bool(growing) != bool(stable)


def test_the_folds_of_an_imperfect_pitchfork():
    net = imperfect_pitchfork(gain=1.4, apart=0.5)
    for h, s in zip(net.fold_states, net.fold_inputs, strict=True):
        torch.testing.assert_close(net.cell.step(s[None], h), h, atol=1e-12, rtol=0)
        values = torch.linalg.eigvals(jacobian(net.cell, s[None], h))
        assert float((values - 1).abs().min()) < 1e-8
    root = net.roots[0]
    torch.testing.assert_close(net.cell.step(ZERO, root), root, atol=1e-12, rtol=0)


def test_a_rotor_repels_its_root():
    net = rotor(gain=1.02)
    values = torch.linalg.eigvals(jacobian(net.cell, ZERO, torch.zeros(2, dtype=torch.float64)))
    assert float(values.abs().max()) == pytest.approx(1.02)
    assert float(values.angle().abs().max()) == pytest.approx(2 * pi * net.rotation)


@pytest.mark.parametrize(
    "make",
    [
        lambda: twisted_ring(units=0),
        lambda: twisted_ring(gain=1.0),
        lambda: rotor(gain=0.9),
        lambda: uniform_drive(turn=4.0),
        lambda: uniform_drive(gain=1.0),
        lambda: hysteresis(bias=2.0),
        lambda: hysteresis(gain=0.5),
        lambda: imperfect_pitchfork(apart=3.0),
    ],
)
def test_what_is_no_such_network(make):
    with pytest.raises(UsageError):
        make()
