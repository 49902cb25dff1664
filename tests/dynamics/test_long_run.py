"""What becomes of a network left alone: rest, cycles, closed curves, and none of these."""

from __future__ import annotations

import json
from math import pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.dynamics.fates import Fate
from rnnscope.dynamics.invariant_circle import circle_of
from rnnscope.dynamics.long_run import long_run
from rnnscope.dynamics.orbits import monodromy, steps
from rnnscope.dynamics.problem import Problem
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.synthetic import bistable, flip_flop, single_root
from rnnscope.synthetic.bifurcations import hysteresis, rotor, turning_plane, twisted_ring
from tests.helpers import random_cell

LIKE = torch.zeros((), dtype=torch.float64)


@pytest.mark.parametrize("units", [1, 2])
def test_a_cycle_of_known_period_and_multipliers(units):
    net = twisted_ring(units=units)
    run = long_run(net.cell, net.seeds(16))
    assert set(run.fates) == {Fate.CYCLE}
    assert run.period.unique().tolist() == [2 * units]
    assert run.attractor.unique().tolist() == [0]
    states = run.orbits[0]
    shift = int((states - net.cycle[0]).norm(dim=-1).argmin())
    torch.testing.assert_close(states.roll(-shift, 0), net.cycle, atol=1e-10, rtol=0)
    if run.multipliers[0] is not None:
        torch.testing.assert_close(run.multipliers[0], net.multipliers, atol=1e-8, rtol=0)


@given(rotation=st.floats(0.06, 0.44), radius=st.floats(0.2, 0.8))
@settings(max_examples=8, deadline=None)
def test_an_exact_circle_and_its_turns_a_step(rotation, radius):
    # A turn that nearly closes after few steps is a cycle to rounding, which is another answer.
    near = min(abs(rotation * p - round(rotation * p)) for p in range(1, 65))
    if near < 1e-4:
        return
    net = turning_plane(rotation=rotation, radius=radius)
    run = long_run(net.cell, net.seeds(4))
    assert set(run.fates) == {Fate.CIRCLE}
    assert run.rotation.tolist() == pytest.approx([rotation] * 4, abs=1e-9)
    assert (run.amplitude * run.scale).tolist() == pytest.approx([radius] * 4, abs=1e-6)
    assert run.attractor.tolist() == [0] * 4
    assert "turns on a closed curve" in run.sentence(0)


def test_past_a_neimark_sacker_bifurcation_units_turn_on_a_curve_of_the_predicted_size():
    for gain, room in ((1.02, 0.05), (1.005, 0.02)):
        net = rotor(gain=gain)
        run = long_run(net.cell, net.seeds(8))
        assert set(run.fates) == {Fate.CIRCLE}
        assert float(run.rotation[0]) == pytest.approx(net.rotation, abs=room * 0.1)
        assert float(run.amplitude[0]) * run.scale == pytest.approx(net.radius, rel=room)


def test_networks_that_come_to_rest():
    for network, ends in ((single_root(), 1), (bistable(), 2), (flip_flop(), 8)):
        cell = network.cell
        generator = torch.Generator().manual_seed(0)
        seeds = 2 * torch.rand(64, cell.state_size, generator=generator, dtype=torch.float64) - 1
        run = long_run(cell, seeds)
        assert set(run.fates) == {Fate.REST}
        assert len(run.orbits) == ends
        for row, state in enumerate(run.states):
            root = run.orbits[int(run.attractor[row])][0]
            h = state.clone()
            for _ in range(2000):
                h = cell.step(torch.zeros(cell.input_size, dtype=torch.float64), h)
            torch.testing.assert_close(h, root, atol=1e-7, rtol=0)


def test_two_ways_to_rest_are_told_apart():
    net = hysteresis()
    run = long_run(net.cell, torch.cat([net.roots - 0.05, net.roots + 0.05]))
    assert run.counts["rest"] == 6
    left, _, right = net.roots
    for row, start in enumerate(torch.cat([net.roots - 0.05, net.roots + 0.05])):
        expected = right if float(start[0]) > float(net.roots[1, 0]) else left
        found = run.orbits[int(run.attractor[row])][0]
        torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)


def test_growth_without_bound():
    cell = Vanilla(
        W=torch.zeros(1, 1).double(),
        V=torch.tensor([[1.5]]).double(),
        b=torch.zeros(1).double(),
        nonlinearity="relu",
    )
    run = long_run(cell, torch.tensor([[1.0], [-1.0]]).double())
    assert run.fates == (Fate.NOT_FINITE, Fate.REST)
    assert "grows" in run.sentence(0)


def test_chaos_is_called_nothing_else():
    """Henon's map has no closed curve: the run is not settled, however long it is looked at."""

    def step(x, h):
        a, b = h[..., :1], h[..., 1:]
        return torch.cat([1 - 1.4 * a * a + b, 0.3 * a], dim=-1) + x

    cell = Autodiff(function=step, inputs=2, states=2, like=LIKE)
    run = long_run(cell, torch.tensor([[0.1, 0.1], [0.2, 0.0]]).double(), steps=4096)
    assert set(run.fates) == {Fate.NOT_SETTLED}
    assert run.attractor.tolist() == [-1, -1]
    assert "not settled" in run.sentence(0)


def test_a_slow_decay_is_not_called_rest_before_it_rests():
    cell = Vanilla(
        W=torch.zeros(1, 1).double(),
        V=torch.tensor([[0.9999]]).double(),
        b=torch.zeros(1).double(),
        nonlinearity="relu",
    )
    run = long_run(cell, torch.tensor([[1.0]]).double(), steps=64)
    # Newton's method knows the end of a linear decay at once, and it is 0.
    assert run.fates[0] in (Fate.REST, Fate.NOT_SETTLED)
    if run.fates[0] is Fate.REST:
        assert float(run.orbits[0].abs().max()) < 1e-9


def test_the_jacobian_of_several_steps_by_finite_differences():
    cell = random_cell("gru", n=4, seed=2)
    problem = Problem(cell=cell, x=torch.zeros(3, dtype=torch.float64))
    h = torch.randn(2, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    M = monodromy(problem, steps(problem, h, 5))
    for row in range(2):
        for column in range(4):
            d = torch.zeros(4, dtype=torch.float64)
            d[column] = 1e-6
            ahead = steps(problem, h[row : row + 1] + d, 5)[0, -1]
            behind = steps(problem, h[row : row + 1] - d, 5)[0, -1]
            torch.testing.assert_close(
                M[row, :, column], (ahead - behind) / 2e-6, atol=1e-8, rtol=1e-6
            )


def test_a_closed_curve_is_told_from_a_cloud_and_from_a_band():
    t = torch.arange(2048, dtype=torch.float64)
    angle = 2 * pi * 0.1382 * t
    ring = torch.stack([angle.cos(), 0.7 * angle.sin(), 0.1 * (2 * angle).cos()], dim=-1)
    found = circle_of(ring, rounding=1e-15)
    assert found is not None
    assert found.rotation == pytest.approx(0.1382, abs=1e-9)
    noise = torch.randn(2048, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert circle_of(noise, rounding=1e-15) is None
    # A torus: it turns in a second way, so that no order makes one line of it.
    second = 2 * pi * 0.2718 * t
    torus = ring * (1 + 0.3 * second.cos())[:, None]
    assert circle_of(torus, rounding=1e-15) is None
    shrinking = ring * torch.exp(-t / 1e4)[:, None]
    assert circle_of(shrinking, rounding=1e-15) is None


def test_a_seed_does_not_depend_on_the_others():
    net = twisted_ring(units=3)
    seeds = net.seeds(12)
    together = long_run(net.cell, seeds)
    for row in range(0, 12, 4):
        alone = long_run(net.cell, torch.stack([seeds[row], seeds[row] + 1e-9]))
        assert alone.fates[0] is together.fates[row]
        assert int(alone.period[0]) == int(together.period[row])


def test_wrong_options_and_inputs_of_their_own():
    net = twisted_ring()
    with pytest.raises(UsageError, match="steps"):
        long_run(net.cell, net.seeds(2), steps=1)
    with pytest.raises(UsageError, match="period"):
        long_run(net.cell, net.seeds(2), max_period=0)
    with pytest.raises(NotApplicable, match="the same everywhere"):
        long_run(net.cell, net.seeds(2), torch.zeros(2, 1))
    json.dumps(long_run(net.cell, net.seeds(2)).summary())


def test_the_seeds_are_as_before():
    net = twisted_ring()
    seeds = net.seeds(4)
    kept = seeds.clone()
    run = long_run(net.cell, seeds)
    assert torch.equal(seeds, kept)
    assert repr(run).startswith("LongRun of 4 seeds: 4 cycle")
