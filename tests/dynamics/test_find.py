"""find_fixed_points against networks whose fixed points are known, and against itself."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import CELLS, Autodiff
from rnnscope.dynamics import FixedPointOptions, Outcome, find_fixed_points
from rnnscope.synthetic import attractors as built
from tests.helpers import random_cell


def residual(cell, states, x=None):
    x = torch.zeros(cell.input_size, dtype=torch.float64) if x is None else x
    return cell.step(x.expand(len(states), -1), states) - states


def matched(found, true, tolerance=1e-10):
    """For each true root the place of the found one within tolerance; each used once."""
    distance = torch.cdist(true, found, compute_mode="donot_use_mm_for_euclid_dist")
    assert (distance.amin(-1) <= tolerance).all(), distance.amin(-1)
    places = distance.argmin(-1)
    assert len(set(places.tolist())) == len(true) == len(found)
    return places


@pytest.mark.parametrize(
    "attractor",
    [
        built.bistable(),
        built.bistable(gain=5.0),
        built.flip_flop(),
        built.leaky_line(),
        built.single_root(),
        built.single_root(units=20, rng=3),
    ],
    ids=["bistable", "bistable_steep", "flip_flop", "leaky", "single", "single_20"],
)
def test_all_roots_are_found_and_nothing_else(attractor):
    points = find_fixed_points(attractor.cell, attractor.seeds(300))
    matched(points.roots.states, attractor.roots)
    assert set(points.descents) == {Outcome.ROOT}
    assert set(points.outcomes) <= {Outcome.ROOT, Outcome.MANIFOLD}
    assert len(points.ghosts) == len(points.continua) == 0
    assert int(points.roots.count.sum()) == 300
    assert torch.equal(torch.bincount(points.ended), points.roots.count)
    assert (points.roots.finder_q <= 1e-22).all()
    assert points.roots.proved.all()
    assert (points.roots.error < points.roots.isolation).all()
    assert (residual(attractor.cell, points.roots.states).norm(dim=-1) < 1e-14).all()


def test_each_descent_ends_at_its_root():
    attractor = built.flip_flop()
    points = find_fixed_points(attractor.cell, attractor.seeds(60))
    ended = points.roots.states[points.ended]
    torch.testing.assert_close(points.terminals, ended, atol=1e-12, rtol=0)
    assert "root" in points.sentence(0)


def test_each_seed_flows_to_the_memory_of_its_signs():
    attractor = built.flip_flop()
    points = find_fixed_points(attractor.cell, attractor.seeds(200))
    assert (points.basin >= 0).all()
    reached = points.roots.states[points.basin]
    assert torch.equal(reached.sign(), points.seeds.sign())
    assert (reached != 0).all()
    assert points.check.agree == 32
    assert points.check.disagree == points.check.open == 0
    assert int(points.basin_sizes.sum()) == 200


@pytest.mark.parametrize(
    "attractor",
    [built.half_line(), built.lstm_integrator(), built.lstm_integrator(units=5, kept=2)],
    ids=["half_line", "lstm_line", "lstm_plane"],
)
def test_continuum_is_recovered_near_each_seed_and_spans(attractor):
    along = torch.linspace(0.1, 1.5, 25, dtype=torch.float64)[:, None]
    on = attractor.continuum(along.expand(-1, attractor.dimension))
    seeds = on + 0.05 * attractor.seeds(25)
    points = find_fixed_points(attractor.cell, seeds)
    assert set(points.outcomes) == {Outcome.CONTINUUM}
    assert len(points.roots) == len(points.ghosts) == len(points.manifold) == 0
    assert (points.continua.slow_count == attractor.dimension).all()
    assert residual(attractor.cell, points.continua.states).abs().max() < 1e-14
    assert (points.continua.states - on).norm(dim=-1).max() < 0.3
    spread = points.continua.states.amax(0) - points.continua.states.amin(0)
    assert spread.max() > 0.9 * (on.amax(0) - on.amin(0)).max()


def test_the_end_of_a_half_line_is_no_isolated_root():
    """A relu is flat on one side of 0, where J - I is regular; the line begins on the other."""
    attractor = built.half_line()
    points = find_fixed_points(attractor.cell, attractor.seeds(64))
    assert len(points.roots) == 0
    assert set(points.outcomes) <= {Outcome.CONTINUUM, Outcome.NOT_CONVERGED}


@pytest.mark.parametrize("options", [{}, {"gain": 3.0, "past": 0.1}])
def test_a_ghost_is_a_ghost_and_no_root(options):
    attractor = built.fold_ghost(**options)
    points = find_fixed_points(attractor.cell, attractor.seeds(64))
    matched(points.roots.states, attractor.roots)
    matched(points.ghosts.states, attractor.ghosts, tolerance=1e-7)
    assert (points.ghosts.curvature > 0).all()
    assert (points.ghosts.finder_q > 1e-8).all()
    ghosts = [outcome is Outcome.GHOST for outcome in points.descents]
    assert sum(ghosts) == int(points.ghosts.count.sum()) > 0
    assert (points.ended[torch.tensor(ghosts)] == -1).all()
    # A ghost holds nothing back for ever: the network itself goes on to the root.
    assert (points.basin == 0).all()


def test_a_stationary_point_that_is_no_minimum_is_not_a_ghost():
    def step(x, h):
        # G = 2 - h^2, so q has a maximum at 0 between its two roots.
        return h + 2 - h**2 + 0 * x

    cell = Autodiff(function=step, inputs=1, states=1, like=torch.zeros((), dtype=torch.float64))
    points = find_fixed_points(cell, torch.zeros(1, 1, dtype=torch.float64))
    assert points.descents == (Outcome.NOT_CONVERGED,)
    assert len(points.ghosts) == 0
    assert "no minimum" in points.sentence(0)


def test_a_double_root_is_not_certified():
    def step(x, h):
        return h + h**2 + 0 * x

    cell = Autodiff(function=step, inputs=1, states=1, like=torch.zeros((), dtype=torch.float64))
    points = find_fixed_points(cell, torch.tensor([[0.0], [0.5], [-0.3]]))
    assert set(points.descents) == {Outcome.NOT_CONVERGED}
    assert len(points.roots) == len(points.continua) == 0
    assert len(points.roots) == 0
    assert "no other fixed point was found" in points.sentence(0)


def test_constant_drift_is_no_fixed_point():
    def step(x, h):
        return h + 0.1 + 0 * x

    cell = Autodiff(function=step, inputs=1, states=2, like=torch.zeros((), dtype=torch.float64))
    points = find_fixed_points(cell, torch.randn(4, 2))
    assert len(points.roots) == len(points.continua) == 0


@pytest.mark.timeout(60)
def test_a_map_without_roots_ends_without_roots():
    def step(x, h):
        return 2 * h + h.exp() + 3 + 0 * x.sum(-1, keepdim=True)

    cell = Autodiff(function=step, inputs=1, states=3, like=torch.zeros((), dtype=torch.float64))
    points = find_fixed_points(cell, 3 * torch.randn(8, 3) + 2)
    assert len(points) == len(points.outcomes) == 8
    away = Autodiff(
        function=lambda x, h: h + (-h).exp() + 0 * x,
        inputs=1,
        states=1,
        like=torch.zeros((), dtype=torch.float64),
    )
    points = find_fixed_points(away, torch.randn(8, 1), far=10.0)
    assert set(points.outcomes) <= {Outcome.DIVERGED, Outcome.NOT_CONVERGED}


def test_a_step_that_is_not_finite_is_said_to_be():
    def step(x, h):
        return torch.where(h > 1, torch.nan, 0.5 * h) + 0 * x

    cell = Autodiff(function=step, inputs=1, states=1, like=torch.zeros((), dtype=torch.float64))
    points = find_fixed_points(cell, torch.tensor([[0.5], [2.0]]))
    assert points.outcomes == (Outcome.ROOT, Outcome.NOT_FINITE)


def test_manifold_points_of_a_leaky_line_lie_on_it_and_drift_along_it():
    attractor = built.leaky_line(slow=0.999)
    cell, N = attractor.cell, attractor.cell.state_size
    slow = torch.linalg.eigh(cell.V).eigenvectors[:, -1]
    seeds = 0.05 * torch.linspace(-1, 1, 30, dtype=torch.float64)[:, None] * slow
    seeds = seeds + 0.01 * attractor.seeds(30)
    points = find_fixed_points(cell, seeds)
    line = points.manifold
    assert len(line) >= 25
    assert (line.drift_direction @ slow).abs().min() > 0.95
    assert (line.fast <= points.options.fast_tolerance * points.scale).all()
    off = line.states - (line.states @ slow)[:, None] * slow
    assert off.norm(dim=-1).max() < 0.01 * line.states.norm(dim=-1).max()
    before, after = seeds[line.seed] @ slow, line.states @ slow
    torch.testing.assert_close(before, after, atol=0.002, rtol=0)
    assert (line.slow_count == 1).all()
    assert line.states.shape == (len(line), N)


@given(
    kind=st.sampled_from(sorted(CELLS)),
    seed=st.integers(0, 1000),
    scale=st.floats(0.3, 2.5),
)
@settings(max_examples=25, deadline=None)
def test_what_is_called_a_root_is_one(kind, seed, scale):
    cell = random_cell(kind, n=5, seed=seed, scale=scale)
    rng = torch.Generator().manual_seed(seed)
    seeds = torch.randn(6, cell.state_size, generator=rng, dtype=torch.float64)
    points = find_fixed_points(cell, seeds)
    assert (points.roots.finder_q <= 1e-22).all()
    x = torch.zeros(len(points.roots), cell.input_size, dtype=torch.float64)
    A = cell.J_rec(x, points.roots.states) - torch.eye(cell.state_size)
    assert (torch.linalg.svdvals(A)[..., -1:] > 1e-9).all()
    assert len(points.outcomes) == 6
    gaps = torch.cdist(points.roots.states, points.roots.states)
    gaps.fill_diagonal_(1)
    assert (gaps > 1e-9).all()
    for ghost in points.ghosts.states:
        A = cell.J_rec(x.new_zeros(cell.input_size), ghost) - torch.eye(cell.state_size)
        G = residual(cell, ghost[None])[0]
        assert (A.mT @ G).norm() <= 1e-6 * G.norm()


@given(kind=st.sampled_from(sorted(CELLS)), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_seed_ends_where_it_ends_alone(kind, seed):
    cell = random_cell(kind, n=4, seed=seed, scale=1.5)
    rng = torch.Generator().manual_seed(seed)
    seeds = torch.randn(5, cell.state_size, generator=rng, dtype=torch.float64)
    together = find_fixed_points(cell, seeds)
    # The unit of length comes from all seeds, so each goes twice with the same company.
    for k in range(5):
        order = [k, *[j for j in range(5) if j != k]]
        again = find_fixed_points(cell, seeds[order])
        if together.outcomes[k] is Outcome.ROOT and again.outcomes[0] is Outcome.ROOT:
            torch.testing.assert_close(again.terminals[0], together.terminals[k], atol=1e-8, rtol=0)


def test_mean_and_vector_inputs_move_the_roots():
    attractor = built.bistable()
    pushed = find_fixed_points(attractor.cell, attractor.seeds(40), [0.5])
    assert pushed.held.name == "vector"
    assert len(pushed.roots) == 1
    x = torch.tensor([0.5], dtype=torch.float64)
    assert residual(attractor.cell, pushed.roots.states, x).abs().max() < 1e-14


def test_float32_networks_are_studied_in_float64_and_left_alone():
    cell = random_cell("gru", dtype=torch.float32)
    weights = {name: weight.clone() for name, weight in cell.parameters.items()}
    seeds = torch.randn(5, 4)
    before = seeds.clone()
    points = find_fixed_points(cell, seeds)
    assert points.roots.states.dtype == torch.float64
    assert torch.equal(seeds, before)
    assert all(torch.equal(weights[name], weight) for name, weight in cell.parameters.items())
    points.seeds.zero_()
    assert torch.equal(seeds, before)


def test_threads_and_denormals_are_given_back():
    from rnnscope.numerics import denormals_are_flushed

    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        flushed = denormals_are_flushed()
        find_fixed_points(random_cell("lstm"), torch.randn(3, 8))
        assert torch.get_num_threads() == 2
        assert denormals_are_flushed() == flushed
    finally:
        torch.set_num_threads(threads)


def test_distances_are_in_scales():
    attractor = built.single_root()
    seeds = attractor.seeds(20)
    points = find_fixed_points(attractor.cell, seeds)
    root = points.roots
    scale = (seeds - seeds.mean(0)).norm(dim=-1).mean()
    assert points.scale == pytest.approx(float(scale))
    distance = (root.states[0] - seeds).norm(dim=-1) / scale
    assert float(root.nearest[0]) == pytest.approx(float(distance.min()))
    assert float(root.moved[0]) == pytest.approx(float(distance[root.seed[0]]))
    assert bool(root.inside[0]) == (distance.min() <= 1)


def test_summary_is_json_and_repr_is_short():
    attractor = built.fold_ghost()
    points = find_fixed_points(attractor.cell, attractor.seeds(20), slow_time=30.0)
    summary = json.loads(json.dumps(points.summary()))
    assert sum(summary["outcomes"].values()) == 20
    assert summary["points"]["root"]["seeds"] + summary["points"]["ghost"]["seeds"] == 20
    assert summary["options"]["slow_time"] == 30.0
    assert "ghost" in repr(points)
    assert "ghost" in repr(points.ghosts)
    assert len(repr(points).splitlines()) < 10
    nothing = find_fixed_points(built.single_root().cell, torch.zeros(1, 6))
    json.dumps(nothing.summary())
    assert "no ghost points" in repr(nothing.ghosts)


def test_speed_units():
    attractor = built.fold_ghost()
    ghosts = find_fixed_points(attractor.cell, attractor.seeds(40)).ghosts
    torch.testing.assert_close(ghosts.finder_q, 4 / 2 * ghosts.q)


def test_options_object_and_keywords_agree():
    attractor = built.bistable()
    options = FixedPointOptions(max_steps=50)
    first = find_fixed_points(attractor.cell, attractor.seeds(10), options=options)
    second = find_fixed_points(attractor.cell, attractor.seeds(10), max_steps=50)
    assert first.options == second.options
    assert torch.equal(first.terminals, second.terminals)
