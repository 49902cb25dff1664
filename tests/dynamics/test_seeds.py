"""Seeds from boxes, runs on arrays, and states drawn like visited ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope.dynamics import Box, Drawn, Runs, find_fixed_points
from rnnscope.errors import DataError, UsageError
from rnnscope.models import from_torch
from rnnscope.synthetic import attractors as built
from tests.helpers import WORDS, random_cell, random_documents, random_module


def seeds_of(model, seeds, **options):
    return find_fixed_points(model, seeds, basins=False, **options).seeds


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
    drawn = seeds_of(model, Drawn(source=documents, count=20_000), max_steps=1)
    scale = float(visited.std())
    torch.testing.assert_close(drawn.mean(0), visited.mean(0), atol=0.05 * scale, rtol=0)
    torch.testing.assert_close(
        torch.cov(drawn.mT), torch.cov(visited.mT), atol=0.1 * scale**2, rtol=0
    )


def test_bad_input():
    cell = random_cell("gru")
    with pytest.raises(DataError, match="corner"):
        seeds_of(cell, Box(low=1, high=0))
    with pytest.raises(DataError, match="corner"):
        seeds_of(cell, Box(low=[0.0, 0.0], high=1))
    with pytest.raises(UsageError, match="count"):
        seeds_of(cell, Box(low=0, high=1, count=0))
    with pytest.raises(DataError, match="runs"):
        seeds_of(cell, Runs(inputs=np.zeros((2, 3))))
    with pytest.raises(DataError, match="length"):
        seeds_of(cell, Runs(inputs=np.zeros((2, 3, 3)), lengths=[1, 4]))
    with pytest.raises(DataError, match="finite"):
        seeds_of(cell, Runs(inputs=np.full((1, 1, 3), np.nan)))
