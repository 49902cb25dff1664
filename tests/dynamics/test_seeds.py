"""Seeds from boxes, runs on arrays, and states drawn like visited ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.dynamics import Box, Drawn, Runs, find_fixed_points
from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.seeds import gather_seeds
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Direction, Layer, Model, from_torch
from rnnscope.synthetic import attractors as built
from tests.helpers import WORDS, random_cell, random_documents, random_module


def seeds_of(model, seeds, *, count=256, rng=0):
    return gather_seeds(model, study_cell(model), seeds, count=count, rng=rng)


def test_a_box_holds_its_seeds_and_the_same_seed_draws_the_same():
    cell = random_cell("gru")
    box = Box(low=-1, high=[0.0, 1.0, 2.0, 3.0], count=200)
    seeds = seeds_of(cell, box)
    assert seeds.shape == (200, 4)
    assert (seeds >= -1).all()
    assert (seeds <= torch.tensor([0.0, 1.0, 2.0, 3.0])).all()
    assert seeds[:, 3].max() > 2
    assert torch.equal(seeds, seeds_of(cell, box))
    assert not torch.equal(seeds, seeds_of(cell, box, rng=1))


def test_a_box_finds_the_roots_that_lie_in_it():
    flip = built.flip_flop()
    points = find_fixed_points(flip.cell, Box(low=-1, high=1, count=300))
    assert len(points.roots) == 27


def test_runs_are_the_states_the_cell_visits():
    cell = random_cell("lstm")
    x = np.random.default_rng(0).normal(size=(3, 5, 3))
    seeds = seeds_of(cell, Runs(inputs=x, lengths=[5, 2, 4]))
    assert len(seeds) == 11
    visited = []
    for run, length in zip(x, (5, 2, 4), strict=True):
        h = cell.initial_state()
        for t in range(length):
            h = cell.step(torch.as_tensor(run[t]), h)
            visited.append(h)
    for h in visited:
        assert (seeds - h).norm(dim=-1).min() < 1e-12
    assert len(seeds_of(cell, Runs(inputs=x), count=6)) == 6


def test_drawn_states_have_the_visited_mean_and_covariance():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents(200)
    visited = seeds_of(model, documents, count=2048)
    drawn = seeds_of(model, Drawn(source=documents, count=20_000))
    scale = float(visited.std())
    torch.testing.assert_close(drawn.mean(0), visited.mean(0), atol=0.05 * scale, rtol=0)
    torch.testing.assert_close(
        torch.cov(drawn.mT), torch.cov(visited.mT), atol=0.1 * scale**2, rtol=0
    )


def test_a_box_takes_the_range_of_what_is_visited():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents(40)
    visited = seeds_of(model, documents, count=2048)
    seeds = seeds_of(model, Box(source=documents, count=500))
    low, high = visited.amin(0), visited.amax(0)
    assert ((seeds >= low) & (seeds <= high)).all()
    assert (seeds.amax(0) - seeds.amin(0) > 0.9 * (high - low)).all()
    half = seeds_of(model, Box(low=0, high=None, source=visited.abs(), count=50))
    assert (half >= 0).all()


def test_components_keep_two_humps_that_a_normal_draw_fills():
    rng = np.random.default_rng(0)
    visited = rng.normal(scale=0.1, size=(600, 4))
    visited[:, 0] += np.where(rng.random(600) < 0.5, -3, 3)
    cell = random_cell("gru")
    for method, between in (("normal", 0.2), ("components", 0.0)):
        drawn = seeds_of(cell, Drawn(source=visited, count=4000, method=method))
        along = drawn[:, 0]
        assert float((along.abs() < 1).double().mean()) >= between
        torch.testing.assert_close(along.std(), torch.tensor(visited[:, 0].std()), rtol=0.1, atol=0)
    assert float((along.abs() < 1).double().mean()) == 0


def test_drawn_states_of_one_state_are_that_state():
    drawn = seeds_of(random_cell("gru"), Drawn(source=np.ones((1, 4)), count=3))
    assert torch.equal(drawn, torch.ones(3, 4, dtype=torch.float64))


def test_runs_start_where_they_are_told_to_each_by_itself():
    cell = random_cell("gru")
    x = np.zeros((2, 1, 3))
    start = np.array([[1.0, 0, 0, 0], [0, -1.0, 0, 0]])
    seeds = seeds_of(cell, Runs(inputs=x, initial=start))
    known = cell.step(torch.zeros(2, 3, dtype=torch.float64), torch.as_tensor(start))
    assert torch.equal(seeds.sort(0).values, known.sort(0).values)
    same = seeds_of(cell, Runs(inputs=x, initial=start[0]))
    torch.testing.assert_close(same, known[:1].expand(2, -1))


def test_runs_of_unequal_lengths_come_padded_or_as_a_list():
    cell = random_cell("lstm")
    x = np.random.default_rng(0).normal(size=(3, 6, 3))
    lengths = [6, 1, 4]
    x[1, 1:], x[2, 4:] = np.nan, np.inf  # what stands in the padding is never read
    padded = seeds_of(cell, Runs(inputs=x, lengths=lengths))
    listed = seeds_of(cell, Runs(inputs=[run[:n] for run, n in zip(x, lengths, strict=True)]))
    assert len(padded) == 11
    assert torch.equal(padded, listed)
    one = seeds_of(cell, Runs(inputs=x[0]))
    assert len(one) == 6
    typed = seeds_of(cell, Runs(inputs=[[[0.0, 1.0, 2.0]], [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]))
    assert len(typed) == 3


def test_a_model_runs_from_its_own_initial_state():
    start = torch.tensor([0.5, -0.5, 0.25, 0.0], dtype=torch.float64)
    cell = random_cell("gru")
    model = Model(layers=(Layer(directions=(Direction(cell=cell, initial=start),)),))
    x = np.ones((1, 3, 3))
    seeds = seeds_of(model, Runs(inputs=x))
    visited = model.trajectory(list(x)).visited()
    torch.testing.assert_close(seeds.sort(0).values, visited.sort(0).values, atol=1e-14, rtol=0)


def test_trajectories_are_seeds_one_or_many():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents()
    by_documents = seeds_of(model, documents, count=1000)
    for seeds in (model.trajectories(documents), list(model.trajectories(documents))):
        assert torch.equal(seeds_of(model, seeds, count=1000), by_documents)
    one = seeds_of(model, model.trajectory(documents), count=1000)
    torch.testing.assert_close(one.sort(0).values, by_documents.sort(0).values)


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a.astype(np.float32),
        lambda a: a.astype(">f8"),
        lambda a: a.tolist(),
        lambda a: torch.as_tensor(a, dtype=torch.float16),
        lambda a: torch.as_tensor(a, dtype=torch.bfloat16),
        lambda a: torch.as_tensor(a).requires_grad_(),
        lambda a: a.astype(int),
        lambda a: pd.DataFrame(a),
    ],
    ids=["float32", "big-endian", "list", "float16", "bfloat16", "gradient", "int", "table"],
)
def test_states_of_any_real_kind_are_taken(make):
    states = np.array([[1.0, 0.0, -1.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    seeds = seeds_of(random_cell("gru"), make(states))
    assert seeds.dtype == torch.float64
    assert torch.equal(seeds, torch.as_tensor(states))


def test_seeds_are_copies_even_of_what_cannot_be_written():
    states = np.zeros((2, 4))
    states.setflags(write=False)
    seeds_of(random_cell("gru"), states)[0] = 1
    assert not states.any()
    tensor = torch.zeros(2, 4, dtype=torch.float64)
    seeds_of(random_cell("gru"), tensor)[0] = 1
    assert not tensor.any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_every_run_gives_one_seed_before_any_gives_two(seed, lengths):
    cell = random_cell("gru")
    rng = np.random.default_rng(seed)
    runs = Runs(inputs=[rng.normal(size=(n, 3)) for n in lengths])
    drawn = gather_seeds(cell, cell, runs, count=len(lengths), rng=seed)
    every = [
        gather_seeds(cell, cell, Runs(inputs=run), count=10, rng=0) for run in runs.documents(3)
    ]
    for states in every:
        assert (drawn[:, None] - states).norm(dim=-1).min() < 1e-12


BAD = [
    (lambda: Box(low=1, high=0), DataError, "coordinate 0: 1 above 0"),
    (lambda: Box(low=[0.0, 0.0], high=1), DataError, r"low: \(2,\)"),
    (lambda: Box(low=0, high=np.inf), DataError, "not finite"),
    (lambda: Box(low=0, high=1, count=0), UsageError, "count"),
    (lambda: Box(low=0), UsageError, "one bound"),
    (lambda: Box(), UsageError, r"Box\(source=documents\)"),
    (lambda: Drawn(source=[[0.0] * 4], count=2.5), UsageError, "count"),
    (lambda: Drawn(source=[[0.0] * 4], method="t"), UsageError, "'normal' or 'components'"),
    (lambda: Drawn(source=np.zeros((0, 4))), DataError, "one seed or more"),
    (lambda: Runs(inputs=np.zeros((2, 4))), DataError, r"run 0: \(2, 4\)"),
    (lambda: Runs(inputs=np.zeros((0, 2, 3))), DataError, "one run or more"),
    (lambda: Runs(inputs=[]), DataError, "one run or more"),
    (lambda: Runs(inputs=[np.ones((2, 3)), np.ones((0, 3))]), DataError, r"run 1: \(0, 3\)"),
    (lambda: Runs(inputs=np.zeros((2, 3, 3)), lengths=[1, 4]), DataError, "no longer than"),
    (lambda: Runs(inputs=np.zeros((2, 3, 3)), lengths=[1]), DataError, "2 lengths"),
    (lambda: Runs(inputs=np.zeros((2, 3, 3)), lengths=[0, 1]), DataError, "1 or more"),
    (lambda: Runs(inputs=np.full((1, 1, 3), np.nan)), DataError, "the first is run 0"),
    (lambda: Runs(inputs=np.ones((1, 1, 3), dtype=complex)), DataError, "complex128"),
    (lambda: Runs(inputs=[["a"]]), DataError, "real numbers"),
    (lambda: Runs(inputs=np.ones((2, 1, 3)), initial=np.ones((3, 4))), DataError, r"or \(2, 4\)"),
    (lambda: Runs(inputs=np.ones((1, 1, 3)), initial=np.full(4, np.nan)), DataError, "finite"),
]


@pytest.mark.parametrize(("make", "error", "sentence"), BAD)
def test_bad_input(make, error, sentence):
    with pytest.raises(error, match=sentence):
        seeds_of(random_cell("gru"), make())
