"""The input held fixed: named, one a seed, and how far from the data."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import from_torch
from rnnscope.synthetic import attractors as built
from tests.dynamics.wide import normal, wide_random
from tests.helpers import WORDS, random_documents, random_module


def test_one_input_a_seed_gives_each_seed_its_own_network():
    cell = built.bistable().cell
    pushes = torch.tensor([[-0.5], [0.0], [0.5]], dtype=torch.float64)
    seeds = torch.tensor([[0.4], [0.4], [0.4]], dtype=torch.float64)
    together = find_fixed_points(cell, seeds, pushes)
    for k in range(3):
        alone = find_fixed_points(cell, seeds[k : k + 1], pushes[k])
        torch.testing.assert_close(together.terminals[k], alone.terminals[0])
        assert together.outcomes[k] is alone.outcomes[0]
        own = together.roots.states[together.basin[k]]
        torch.testing.assert_close(own, alone.roots.states[alone.basin[0]], atol=1e-9, rtol=0)
    assert len(together.roots) >= 3
    assert together.held.name == "one a seed"


def test_equal_inputs_share_their_roots():
    cell = built.bistable().cell
    pushes = torch.tensor([[0.1], [0.1], [-0.1]], dtype=torch.float64)
    points = find_fixed_points(cell, torch.full((3, 1), 0.9, dtype=torch.float64), pushes)
    assert points.ended[0] == points.ended[1] != points.ended[2]
    modes = linearize(cell, points)
    for k, seed in enumerate(points.line_seeds.tolist()):
        J = cell.J_rec(pushes[seed], points.line_states[k])
        torch.testing.assert_close(modes.eigenvalues[k].real, torch.linalg.eigvals(J).real)


def test_a_wide_network_under_inputs_of_their_own():
    cell = wide_random("gru")
    x, seeds = normal(6, 2, seed=3), normal(6, 100)
    together = find_fixed_points(cell, seeds, x, basins=False)
    for k in range(6):
        alone = find_fixed_points(cell, seeds[k : k + 1], x[k], basins=False)
        assert together.outcomes[k] is alone.outcomes[0]
        torch.testing.assert_close(together.terminals[k], alone.terminals[0], atol=1e-3, rtol=0)


def test_words_one_a_seed_are_their_vectors():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    states = torch.zeros(2, model.cell.state_size)
    points = find_fixed_points(model, states, ["good", "bad"])
    rows = [model.vocabulary.index(word) for word in ("good", "bad")]
    torch.testing.assert_close(points.held.vector, model.embedding[rows].double())


def test_a_far_input_is_said_to_be():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents()
    near = find_fixed_points(model, documents, "mean", count=5, basins=False)
    assert "No word" not in near.held.sentence
    far = find_fixed_points(
        model, documents, 100 * torch.ones(model.input_size), count=5, basins=False
    )
    assert "No word is that far" in far.held.sentence
    assert far.held.distance > 3
    bare = find_fixed_points(built.bistable().cell, torch.zeros(1, 1), basins=False)
    assert "not known" in bare.held.sentence


def test_bad_input():
    cell = built.bistable().cell
    with pytest.raises(DataError, match="one a seed"):
        find_fixed_points(cell, torch.zeros(3, 1), torch.zeros(2, 1))
    with pytest.raises(DataError):
        find_fixed_points(cell, torch.zeros(3, 1), torch.zeros(3, 2))
    with pytest.raises(NotApplicable):
        find_fixed_points(cell, torch.zeros(2, 1), ["good", "bad"])
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    with pytest.raises(UsageError, match="vocabulary"):
        find_fixed_points(model, torch.zeros(1, model.cell.state_size), ["goood"])
