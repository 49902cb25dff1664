"""The flow in leaps against the network iterated step by step."""

from __future__ import annotations

import torch

from rnnscope.dynamics import find_fixed_points
from rnnscope.dynamics.slow_flow import Attractor, slow_flow
from tests.dynamics.wide import at_zero, normal, wide_bistable, wide_leaky_line


def known(*states, problem):
    """A ``stable_root`` that only knows these."""

    def look(here, h):
        for state in states:
            if (h[0] - state).norm() < 0.5:
                A = problem.jacobian(state[None])[0]
                return Attractor(state=state, inverse=torch.linalg.inv(A), near=1e-4)
        return None

    return look


def iterate(problem, h, steps):
    for _ in range(steps):
        h = problem.step(h)
    return h


def test_every_seed_of_two_basins_goes_where_iteration_takes_it():
    cell, Q = wide_bistable()
    problem = at_zero(cell)
    seeds = normal(60, 100)
    end = iterate(problem, Q[:, 0][None].clone(), 5000)[0]
    flow = slow_flow(problem, seeds, scale=1.0, stable_root=known(end, -end, problem=problem))
    truth = iterate(problem, seeds, 3000)
    assert (flow.basin >= 0).all()
    for state, place in zip(truth, flow.basin.tolist(), strict=True):
        assert (state - flow.attractors[place].state).norm() < 1e-6


def test_a_slow_line_is_crossed_in_few_leaps():
    cell, Q = wide_leaky_line(slow=0.9995)
    problem = at_zero(cell)
    seeds = 0.5 * Q[:, 0] + 0.05 * normal(10, 100)
    zero = torch.zeros(100, dtype=torch.float64)
    flow = slow_flow(problem, seeds, scale=1.0, stable_root=known(zero, problem=problem))
    assert (flow.basin == 0).all()
    assert (flow.leaps <= 20).all()
    # Plain iteration is still on its way after as many steps as the leaps cost in products.
    assert (iterate(problem, seeds, 20 * 12).norm(dim=-1) > 0.1).all()


def test_nothing_is_said_of_a_state_that_comes_to_no_root():
    cell, _ = wide_bistable(gain=-1.5)
    points = find_fixed_points(cell, normal(20, 100), check_steps=200)
    assert (points.basin == -1).all()
    assert points.check.open == 20
    assert "left" in points.check.sentence


def test_the_check_covers_the_number_asked_for():
    cell, _ = wide_bistable()
    points = find_fixed_points(cell, normal(50, 100), checks=7)
    assert len(points.check.seeds) == 7
    assert points.check.agree == 7
    none = find_fixed_points(cell, normal(10, 100), basins=False)
    assert (none.basin == -1).all()
    assert "not checked" in none.check.sentence
