"""The projection onto the slow manifold: its definition, both roads, and what must not move."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import projection
from rnnscope.dynamics.dense_projection import project_by_matrices
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.projection import project
from tests.dynamics.wide import at_zero, normal, wide_leaky_line, wide_random


def slow_part(problem, h, rate):
    """``P G`` from the full decomposition, one state at a time."""
    parts = []
    for state in h:
        A, G = problem.jacobian(state[None])[0], problem.residual(state[None])[0]
        values, R = torch.linalg.eig(A)
        keep = (values.abs() < rate).to(R.dtype)
        parts.append((R @ (keep * torch.linalg.solve(R, G.to(R.dtype)))).real)
    return torch.stack(parts)


def seeds_of_the_line(Q, spread=0.02, count=24):
    # Farther out tanh saturates, and the direction is no longer slow.
    along = torch.linspace(-0.4, 0.4, count, dtype=torch.float64)[:, None]
    return along * Q[:, 0] + spread * normal(count, len(Q))


def test_wide_states_come_to_rest_in_fast_directions_and_keep_their_place():
    cell, Q = wide_leaky_line()
    problem, seeds = at_zero(cell), seeds_of_the_line(Q)
    landed = project(problem, seeds, slow_time=20.0, tolerance=1e-6, scale=1.0)
    G = problem.residual(landed.states)
    drift = slow_part(problem, landed.states, 0.1)
    assert ((G - drift).norm(dim=-1) <= 2e-6).all()
    torch.testing.assert_close(landed.drift, drift, atol=2e-6, rtol=1e-3)
    assert (landed.fast <= 1e-6).all()
    # Along the slow direction a seed moves little; across it what the fast directions ask.
    moved = ((landed.states - seeds) @ Q[:, 0]).abs()
    assert (moved <= 0.1 * (landed.states - seeds).norm(dim=-1) + 0.02).all()


def test_both_roads_say_the_same_of_the_motion():
    cell, Q = wide_leaky_line()
    problem, seeds = at_zero(cell), seeds_of_the_line(Q, count=8)
    free = project(problem, seeds, slow_time=20.0, tolerance=1e-7, scale=1.0)
    with heavy():
        dense = project_by_matrices(problem, seeds, slow_time=20.0, tolerance=1e-10)
    place = {}
    for name, landed in (("free", free), ("dense", dense)):
        fast = problem.residual(landed.states) - slow_part(problem, landed.states, 0.1)
        assert (fast.norm(dim=-1) <= 1e-6).all()
        place[name] = landed.states @ Q[:, 0]
        assert ((landed.drift @ Q[:, 0]).sign() == -place[name].sign()).all()
    assert torch.equal(place["free"].argsort(), place["dense"].argsort())


def test_a_state_lands_where_it_lands_alone():
    cell = wide_random("gru")
    problem, seeds = at_zero(cell), normal(40, 100)
    together = project(problem, seeds, slow_time=20.0, tolerance=1e-5, scale=1.0)
    for k in (0, 17, 39):
        alone = project(problem, seeds[k : k + 1], slow_time=20.0, tolerance=1e-5, scale=1.0)
        torch.testing.assert_close(alone.states[0], together.states[k], atol=2e-3, rtol=0)


def test_an_input_of_its_own_for_every_state():
    cell = wide_random("lstm", n=60)
    x = normal(5, 2, seed=4)
    problem = at_zero(cell)
    own = type(problem)(cell=cell, x=x)
    seeds = normal(5, 120)
    together = project(own, seeds, slow_time=20.0, tolerance=1e-5, scale=1.0)
    for k in range(5):
        one = type(problem)(cell=cell, x=x[k])
        alone = project(one, seeds[k : k + 1], slow_time=20.0, tolerance=1e-5, scale=1.0)
        torch.testing.assert_close(alone.states[0], together.states[k], atol=2e-3, rtol=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_given_back_and_change_nothing(threads, monkeypatch):
    monkeypatch.setattr(projection, "CHUNK", 8)
    cell, Q = wide_leaky_line()
    seeds = seeds_of_the_line(Q)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        landed = project(at_zero(cell), seeds, slow_time=20.0, tolerance=1e-6, scale=1.0)
        assert torch.get_num_threads() == threads
        torch.set_num_threads(1)
        again = project(at_zero(cell), seeds, slow_time=20.0, tolerance=1e-6, scale=1.0)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(landed.states, again.states)
