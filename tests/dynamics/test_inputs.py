"""The input held fixed: named, one a seed, and how far from the data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.data import Corpus
from rnnscope.dynamics import Runs, find_fixed_points, linearize
from rnnscope.dynamics.fed_inputs import FedInputs, fed_inputs
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model, from_torch
from rnnscope.synthetic import attractors as built
from tests.dynamics.wide import normal, wide_random
from tests.helpers import WORDS, random_cell, random_documents, random_module

QUICK = {"basins": False, "count": 5}


def corpus(documents):
    return Corpus(documents=tuple(map(tuple, documents)))


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


def test_the_distance_is_that_of_the_definition():
    """By loops, over the words of the documents, each as often as it stands there."""
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents()
    rows = [model.embedding[model.vocabulary.index(w)].double() for text in documents for w in text]
    mean = sum(rows) / len(rows)
    spread = (sum(float((row - mean).square().sum()) for row in rows) / len(rows)) ** 0.5
    for inputs in ("zero", "good", "mean", [1.0, -2.0, 0.5, 0.0]):
        held = find_fixed_points(model, corpus(documents), inputs, **QUICK).held
        away = held.vector - mean
        size = float(away.norm())
        assert held.distance == pytest.approx(size / spread, abs=1e-9)
        assert held.nearest == pytest.approx(
            min(float((held.vector - row).norm()) for row in rows) / spread, abs=1e-9
        )
        if inputs == "mean":
            torch.testing.assert_close(held.vector, mean)
            assert held.reach == 0
        else:
            farthest = max(float((row - mean) @ away) / size for row in rows)
            assert held.reach == pytest.approx(size / farthest)
        assert held.outside == float(held.reach > 1 + 1e-9)
        assert held.fed == "the words of the corpus"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(2, 12))
def test_what_the_data_feeds_in_is_never_outside_it(seed, width, count):
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(rng.normal(size=(count, width)))
    fed = FedInputs.of_vectors(rows, "rows")
    assert (fed.reach(rows) <= 1 + 1e-9).all()
    inside = torch.from_numpy(rng.dirichlet(np.ones(count), size=5)) @ rows
    assert (fed.reach(inside) <= 1 + 1e-9).all()
    # From the mean through the farthest of them and on.
    farthest = rows[(rows - fed.mean).norm(dim=-1).argmax()]
    beyond = fed.mean + 1.5 * (farthest - fed.mean)
    assert fed.reach(beyond[None])[0] == pytest.approx(1.5)


def test_an_input_where_the_data_never_goes_is_outside_however_near():
    """The second channel of the task is never used."""
    cell = random_cell("gru", d=2)
    runs = np.random.default_rng(0).normal(size=(4, 6, 2))
    runs[..., 1] = 0
    held = find_fixed_points(cell, Runs(inputs=runs), [0.0, 0.5], **QUICK).held
    assert held.outside == 1
    assert "outside the data" in held.sentence
    inside = find_fixed_points(cell, Runs(inputs=runs), "mean", **QUICK).held
    assert inside.outside == 0
    assert "outside" not in inside.sentence


def test_inputs_that_never_vary_have_no_unit():
    cell = random_cell("gru")
    runs = Runs(inputs=np.ones((2, 5, 3)))
    same = find_fixed_points(cell, runs, np.ones(3), **QUICK).held
    assert (same.distance, same.outside) == (None, 0)
    assert "do not vary" in same.sentence
    other = find_fixed_points(cell, runs, "zero", **QUICK).held
    assert (other.distance, other.outside) == (None, 1)
    assert "outside the data" in other.sentence


def test_a_far_input_is_said_to_be():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents()
    near = find_fixed_points(model, corpus(documents), "mean", **QUICK).held
    assert near.sentence == (
        "The input is held at mean, 0 times as far from the mean of the words of the corpus as "
        "those are."
    )
    far = find_fixed_points(model, documents, 100 * torch.ones(model.input_size), **QUICK).held
    assert far.outside == 1
    assert "It lies outside the data" in far.sentence
    assert "need not be what the network does" in far.sentence
    bare = find_fixed_points(built.bistable().cell, torch.zeros(1, 1), basins=False).held
    assert "not known" in bare.sentence
    assert bare.distance is bare.outside is None


def test_each_seed_is_told_apart():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents()
    cell = study_cell(model)
    fed = fed_inputs(model, corpus(documents))
    table = torch.stack([fed.mean, 100 * torch.ones(4, dtype=torch.float64), fed.mean])
    held = hold_input(model, cell, table, fed, seeds=3)
    assert held.outside == pytest.approx(1 / 3)
    assert (held.reaches > 1).tolist() == [False, True, False]
    assert held.distance == held.distances.median() == 0
    assert "33% of them lie outside" in held.sentence
    some = held.rows(torch.tensor([1]))
    assert some.outside == 1
    assert torch.equal(some.vector, table[1:2])
    one = hold_input(model, cell, "good", fed)
    assert one.common is one.vector
    with pytest.raises(NotApplicable, match=r"(?s)the same everywhere.*3 inputs, one a seed"):
        _ = held.common
    assert one.rows([0]) is one
    again = hold_input(model, cell, held, seeds=3)
    assert again is held


def test_without_a_corpus_the_vocabulary_stands_for_the_data():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    documents = random_documents()
    often = find_fixed_points(model, documents, "mean", **QUICK)
    once = find_fixed_points(model, iter(documents), "mean", **QUICK)
    assert torch.equal(once.seeds, often.seeds)
    assert once.held.fed == often.held.fed == "the words of the vocabulary"
    words = model.embedding[2:].double()  # but for those of padding and of unknown words
    torch.testing.assert_close(often.held.vector, words.mean(0))


def test_vectors_are_what_a_network_without_words_is_fed():
    cell = random_cell("gru")
    model = Model(layers=(Layer(directions=(Direction(cell=cell),)),))
    rng = np.random.default_rng(0)
    documents = [rng.normal(size=(n, 3)) for n in (4, 1, 7)]
    held = find_fixed_points(model, documents, "mean", **QUICK).held
    torch.testing.assert_close(held.vector, torch.as_tensor(np.concatenate(documents).mean(0)))
    assert held.fed == "the inputs of the documents"


def test_the_users_input_is_left_alone_and_not_shared():
    cell = random_cell("gru")
    x = np.ones(3)
    x.setflags(write=False)
    held = hold_input(cell, cell, x)
    held.vector[0] = 5
    assert x.tolist() == [1, 1, 1]
    tensor = torch.ones(3, dtype=torch.float64, requires_grad=True)
    held = hold_input(cell, cell, tensor)
    assert not held.vector.requires_grad
    held.vector[0] = 5
    assert tensor.tolist() == [1, 1, 1]


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
    with pytest.raises(DataError, match="complex"):
        find_fixed_points(cell, torch.zeros(1, 1), torch.zeros(1, dtype=torch.complex128))
    with pytest.raises(NotApplicable, match="Runs"):
        find_fixed_points(cell, torch.zeros(1, 1), "mean")
