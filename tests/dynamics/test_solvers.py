"""Every descent against the same problems; what each must find, and that none moves the seeds."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import Outcome, find_fixed_points
from rnnscope.dynamics.newton_system import solve_shifted
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.terminal import SOLVERS
from rnnscope.errors import UsageError
from rnnscope.synthetic import attractors as built
from tests.dynamics.wide import at_zero, normal, wide_bistable, wide_random
from tests.helpers import random_cell

ARGUMENTS = {"max_steps": 100, "stationarity": 1e-8, "reach": 1e3}


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_the_contraction_s_root_is_found_by_all(solver):
    attractor = built.single_root(units=12)
    problem = at_zero(attractor.cell)
    seeds = attractor.seeds(9)
    before = seeds.clone()
    descent = SOLVERS[solver](problem, seeds, **ARGUMENTS)
    tolerance = 1e-4 if solver == "adam" else 1e-12
    want = attractor.roots.expand(9, -1)
    torch.testing.assert_close(descent.states, want, atol=tolerance, rtol=0)
    assert (descent.steps > 0).all()
    assert torch.equal(seeds, before)


@pytest.mark.parametrize("solver", ["levenberg_marquardt", "shifted_newton", "chord"])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_wide_random_networks_come_to_rest(solver, kind):
    cell = wide_random(kind)
    points = find_fixed_points(cell, normal(10, cell.state_size), solver=solver)
    assert set(points.outcomes) <= {Outcome.ROOT, Outcome.GHOST, Outcome.NOT_CONVERGED}
    assert Outcome.ROOT in points.outcomes
    assert (points.roots.finder_q <= 1e-22).all()
    assert len(points.manifold) == 0
    assert "another solver" in points.sentence(0)


def test_the_search_from_few_seeds_finds_the_saddle_too():
    cell, _ = wide_bistable()
    points = find_fixed_points(cell, normal(40, 100))
    assert len(points.roots) == 3
    distance = points.roots.states.norm(dim=-1)
    assert int((distance < 1e-10).sum()) == 1
    assert sorted(points.basin_sizes.tolist())[0] == 0
    assert int(points.basin_sizes.sum()) == 40


@pytest.mark.parametrize("kind", ["vanilla", "ugrnn", "gru", "lstm", "lstm_projected"])
def test_the_shifted_system_is_solved(kind):
    cell = random_cell(kind, n=6)
    problem = Problem(cell=cell, x=normal(4, cell.input_size))
    h, mu = normal(4, cell.state_size), torch.tensor([0.0, 0.1, 1.0, 5.0], dtype=torch.float64)
    G = problem.residual(h)
    d = solve_shifted(problem.tangent(h), mu, G)
    for k in range(4):
        A = torch.autograd.functional.jacobian(lambda s, k=k: cell.step(problem.x[k], s) - s, h[k])
        torch.testing.assert_close(mu[k] * d[k] - A @ d[k], G[k], atol=1e-9, rtol=0)


def test_an_unknown_solver_is_refused():
    with pytest.raises(UsageError, match="solver"):
        find_fixed_points(random_cell("gru"), torch.zeros(1, 4), solver="newtons")
