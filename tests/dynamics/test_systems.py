"""Which system is studied: a stack jointly, one layer alone, each direction by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rnnscope.cells import Autodiff, Stack, Vanilla
from rnnscope.dynamics import (
    Rest,
    Runs,
    find_fixed_points,
    find_fixed_points_by_direction,
    linearize,
    study_system,
)
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.readout import readout_direction
from rnnscope.dynamics.seeds import gather_seeds
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model, from_torch
from rnnscope.synthetic import attractors as built
from tests.helpers import WORDS, random_cell, random_documents, random_module
from tests.reference import cells as slow

QUICK = {"basins": False, "count": 6}


def read(kind="vanilla", **shape):
    """A network that contracts, so that every one of its systems has a root."""
    return from_torch(random_module(kind, scale=0.6, **shape), vocabulary=WORDS)


def states_by_hand(step, cell, vectors):
    """The states of one cell on one document, by the reference equations."""
    h, states = [0.0] * cell.state_size, []
    for x in vectors:
        h = step(cell, [float(v) for v in x], h)
        states.append(h)
    return torch.tensor(states, dtype=torch.float64)


def near(states, known):
    apart = (states[:, None] - known).norm(dim=-1)
    return bool((apart.amin(-1) < 1e-10).all())


# The stack ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_a_stack_is_one_system_in_the_joint_state_of_its_layers(kind):
    model = read(kind, layers=2)
    documents = random_documents()
    points = find_fixed_points(model, documents, "good", **QUICK)
    assert points.cell_kind == "stack"
    x = model.embedding[model.vocabulary.index("good")].double()
    lower, upper = (layer.directions[0].cell for layer in model.layers)
    assert len(points.roots) >= 1
    for h in points.roots.states:
        below, above = h.split([lower.state_size, upper.state_size])
        torch.testing.assert_close(lower.step(x, below), below, atol=1e-10, rtol=0)
        y = lower.output(below)
        torch.testing.assert_close(upper.step(y, above), above, atol=1e-10, rtol=0)


def test_the_eigenvalues_of_a_stack_are_those_of_its_layers():
    model = read(layers=3)
    points = find_fixed_points(model, random_documents(), **QUICK)
    modes = linearize(model, points.roots)
    cells = [layer.directions[0].cell for layer in model.layers]
    h = points.roots.states[0].split([cell.state_size for cell in cells])
    x, values = torch.zeros(model.input_size, dtype=torch.float64), []
    for cell, own in zip(cells, h, strict=True):
        values += torch.linalg.eigvals(cell.J_rec(x, own)).tolist()
        x = cell.output(own)
    for value in values:
        assert (modes.eigenvalues[0] - value).abs().min() < 1e-8


def test_a_stack_given_as_a_cell_is_the_same_system():
    model = read(layers=2)
    seeds = gather_seeds(model, study_cell(model), random_documents(), count=6, rng=0)
    stack = Stack(layers=tuple(layer.directions[0].cell for layer in model.layers))
    as_model, as_cell = (find_fixed_points(one, seeds, basins=False) for one in (model, stack))
    assert torch.equal(as_model.terminals, as_cell.terminals)


# One layer alone ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_a_layer_held_at_rest_has_the_root_that_the_stack_has_there(kind):
    model = read(kind, layers=2)
    documents = random_documents()
    joint = find_fixed_points(model, documents, "good", **QUICK)
    upper = study_system(model, layer=1)
    alone = find_fixed_points(upper, documents, Rest(inputs="good"), **QUICK)
    width = upper.cell.state_size
    assert alone.held.name == "the layer below at rest under good"
    assert len(alone.roots) == len(joint.roots) == 1
    torch.testing.assert_close(
        alone.roots.states, joint.roots.states[:, -width:], atol=1e-9, rtol=0
    )
    # What the search is seeded with are the states this layer visits itself.
    assert near(
        alone.seeds,
        torch.cat([t.visited() for t in model.trajectories(documents)])[:, -width:].double(),
    )


def test_the_mean_of_a_layer_above_others_is_what_the_layer_below_puts_out():
    model, documents = read("gru", layers=2), random_documents()
    upper = study_system(model, layer=-1)
    held = find_fixed_points(upper, documents, "mean", **QUICK).held
    outputs = [
        run.layers[0][0].outputs[row, : run.lengths[row]]
        for run in model.trajectories(documents)
        for row in range(len(run.lengths))
    ]
    torch.testing.assert_close(held.vector, torch.cat(outputs).double().mean(0))
    assert held.fed == "what the layer below puts out on the data"
    assert held.distance == pytest.approx(0, abs=1e-9)
    far = find_fixed_points(upper, documents, 50 * torch.ones(5), **QUICK).held
    assert far.outside == 1
    trajectory = model.trajectory(documents)
    again = find_fixed_points(upper, trajectory, "mean", **QUICK).held
    torch.testing.assert_close(again.vector, held.vector)


def test_the_lowest_layer_alone_reads_the_words():
    model, documents = read("gru", layers=2), random_documents()
    lower = study_system(model, layer=0)
    points = find_fixed_points(lower, documents, "good", **QUICK)
    alone = find_fixed_points(model.layers[0].directions[0].cell, points.seeds, points.held.vector)
    assert torch.equal(points.seeds, alone.seeds)
    torch.testing.assert_close(points.roots.states, alone.roots.states)
    assert points.held.name == "good"
    assert points.readout is None  # the readout looks at the layer above
    assert points.fingerprint == model.fingerprint


def test_a_layer_above_others_reads_no_words():
    model = read(layers=2)
    upper = study_system(model, layer=1)
    with pytest.raises(NotApplicable, match=r"(?s)reads no words.*Rest\('good'\)"):
        find_fixed_points(upper, random_documents(), "good", **QUICK)
    with pytest.raises(NotApplicable, match="mean"):
        find_fixed_points(upper, torch.zeros(2, 5), "mean", **QUICK)
    with pytest.raises(NotApplicable, match="above another"):
        find_fixed_points(study_system(model, layer=0), torch.zeros(2, 5), Rest(), **QUICK)
    with pytest.raises(UsageError, match="steps"):
        Rest(steps=0)


def test_a_layer_below_that_never_rests_is_said_to():
    turning = torch.tensor([[0.0, -1.5], [1.5, 0.0]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    lower = Vanilla(W=eye, V=turning, b=torch.tensor([0.1, 0.0], dtype=torch.float64))
    upper = Vanilla(W=eye, V=eye / 2, b=torch.zeros(2, dtype=torch.float64))
    layers = tuple(Layer(directions=(Direction(cell=cell),)) for cell in (lower, upper))
    system = study_system(Model(layers=layers), layer=1)
    with pytest.raises(NotApplicable, match=r"(?s)layer 0 at rest within 500 steps.*a step"):
        find_fixed_points(system, torch.zeros(1, 2), Rest(steps=500), **QUICK)


def test_a_line_below_rests_wherever_it_is():
    """Along an exact continuum Newton's method would fail, and is not needed."""
    line = built.line_model().layers[0].directions[0]
    units = line.cell.hidden_size
    eye = torch.eye(units, dtype=torch.float64)
    upper = Vanilla(W=eye, V=eye / 2, b=torch.zeros(units, dtype=torch.float64))
    model = Model(
        layers=(Layer(directions=(line,)), Layer(directions=(Direction(cell=upper),))),
    )
    points = find_fixed_points(study_system(model, layer=1), torch.zeros(1, units), Rest(), **QUICK)
    h = line.start
    for _ in range(200):
        h = line.cell.step(torch.zeros(line.cell.input_size, dtype=torch.float64), h)
    torch.testing.assert_close(points.held.vector, line.cell.output(h), atol=1e-8, rtol=0)


# Two directions ----------------------------------------------------------------------------


def test_a_bidirectional_network_is_two_systems_with_their_own_seeds():
    model, documents = read(bidirectional=True), random_documents()
    both = find_fixed_points_by_direction(model, documents, count=1000, basins=False)
    assert list(both) == ["forward", "backward"]
    for direction, reverse in (("forward", False), ("backward", True)):
        cell = study_system(model, direction=direction).cell
        by_hand = []
        for words in documents:
            rows = [model.vocabulary.index(word) for word in words]
            vectors = model.embedding[rows[::-1] if reverse else rows]
            by_hand.append(states_by_hand(slow.vanilla, cell, vectors))
        by_hand = torch.cat(by_hand)
        found = both[direction]
        assert len(found.seeds) == len(by_hand)
        assert near(found.seeds, by_hand)
        assert near(by_hand, found.seeds)
        alone = find_fixed_points(cell, found.seeds, basins=False)
        torch.testing.assert_close(found.roots.states, alone.roots.states)


def test_each_direction_has_its_part_of_the_readout():
    model = read("gru", bidirectional=True)
    units = model.layers[0].directions[0].cell.hidden_size
    parts = [
        readout_direction(system, study_cell(system))
        for system in (study_system(model, direction=d) for d in ("forward", "backward"))
    ]
    torch.testing.assert_close(torch.cat(parts), model.contrast)
    assert parts[0].shape == (units,)


def test_seeds_and_inputs_may_be_given_by_direction():
    model = read(bidirectional=True)
    rng = torch.Generator().manual_seed(0)
    seeds = {d: torch.rand(3, 5, generator=rng) for d in ("forward", "backward")}
    both = find_fixed_points_by_direction(
        model, seeds, {"forward": "good", "backward": "zero"}, basins=False
    )
    for direction, points in both.items():
        torch.testing.assert_close(points.seeds, seeds[direction].double())
    assert [points.held.name for points in both.values()] == ["good", "zero"]
    with pytest.raises(UsageError, match="'forward' and 'backward'"):
        find_fixed_points_by_direction(model, {"forward": seeds["forward"]})
    one = find_fixed_points_by_direction(read(), random_documents(), **QUICK)
    assert list(one) == ["forward"]
    with pytest.raises(UsageError, match="direction"):
        find_fixed_points_by_direction(random_cell("gru"), torch.zeros(1, 4))


def test_upper_layers_of_a_bidirectional_stack_only_with_their_input_fixed():
    model, documents = read(bidirectional=True, layers=2), random_documents()
    with pytest.raises(NotApplicable, match="both directions of the layer below"):
        study_system(model, direction="forward")
    lowest = find_fixed_points_by_direction(model, documents, **QUICK)
    assert [points.seeds.shape[1] for points in lowest.values()] == [5, 5]
    upper = find_fixed_points_by_direction(model, documents, Rest(), layer=1, **QUICK)
    zero = torch.zeros(1, model.input_size, dtype=torch.float64)
    rests = []
    for direction in model.layers[0].directions:
        h = torch.zeros(1, 5, dtype=torch.float64)
        for _ in range(3000):
            h = direction.cell.step(zero, h)
        rests.append(h[0])
    for points in upper.values():
        torch.testing.assert_close(points.held.vector, torch.cat(rests), atol=1e-10, rtol=0)


def test_a_network_that_only_reads_backwards():
    cell = random_cell("gru")
    direction = Direction(cell=cell, reverse=True)
    model = Model(layers=(Layer(directions=(direction,)),))
    x = np.random.default_rng(0).normal(size=(4, 3))
    points = find_fixed_points(model, Runs(inputs=x[None]), basins=False)
    h = cell.initial_state()
    for row in x[::-1]:
        h = cell.step(torch.as_tensor(row.copy()), h)
        assert (points.seeds - h).norm(dim=-1).min() < 1e-12
    assert study_system(model).direction == "backward"


def test_a_direction_or_layer_that_is_not_there():
    two, one = read(bidirectional=True), read(layers=2)
    with pytest.raises(NotApplicable, match="two dynamical systems"):
        study_system(two)
    with pytest.raises(UsageError, match="'forward'"):
        study_system(one, direction="backward")
    for layer in (2, -3, "top"):
        with pytest.raises(UsageError, match="0 to 1"):
            study_system(one, layer=layer)
    with pytest.raises(UsageError, match="layers and directions"):
        study_system(random_cell("gru"), layer=0)
    with pytest.raises(UsageError, match="model or of a cell"):
        study_system(torch.nn.GRU(2, 3))


# Networks without words --------------------------------------------------------------------


def test_a_bare_recurrent_module_gets_everything_from_arrays():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torch.nn.GRU(3, 6, batch_first=True).double()
    model = from_torch(module)
    x = np.random.default_rng(0).normal(size=(5, 7, 3))
    points = find_fixed_points(model, Runs(inputs=x), "mean", count=1000, basins=False)
    with torch.no_grad():
        states, _ = module(torch.as_tensor(x))
    assert near(points.seeds, states.reshape(-1, 6))
    assert len(points.seeds) == 35
    torch.testing.assert_close(points.held.vector, torch.as_tensor(x.reshape(-1, 3).mean(0)))
    assert points.held.fed == "the inputs of the runs"
    assert points.readout is None
    assert linearize(model, points.roots).eigenvalues.shape == (len(points.roots), 6)


def test_a_callable_gets_everything_from_arrays():
    def step(x, h):
        return torch.tanh(0.5 * h + x)

    like = torch.zeros((), dtype=torch.float64)
    cell = Autodiff(function=step, inputs=2, states=2, like=like)
    points = find_fixed_points(cell, Runs(inputs=np.ones((1, 30, 2))), [0.5, -0.5], basins=False)
    root = 0.5
    for _ in range(200):
        root = math.tanh(0.5 * root + 0.5)
    torch.testing.assert_close(
        points.roots.states, torch.tensor([[root, -root]], dtype=torch.float64)
    )


def test_one_layer_of_a_deep_network_without_words():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torch.nn.GRU(3, 4, num_layers=2, batch_first=True).double()
    model = from_torch(module)
    x = np.random.default_rng(0).normal(size=(5, 7, 3))
    upper = study_system(model, layer=1)
    points = find_fixed_points(upper, Runs(inputs=x), "mean", count=1000, basins=False)
    with torch.no_grad():
        states, _ = module(torch.as_tensor(x))
    assert near(points.seeds, states.reshape(-1, 4))
    with pytest.raises(UsageError, match="starts where its network does"):
        find_fixed_points(upper, Runs(inputs=x, initial=np.zeros(4)), basins=False)


def test_a_system_says_what_it_is_and_takes_no_numbers_of_the_network():
    model = read("lstm", bidirectional=True, layers=2)
    before = model.fingerprint
    system = study_system(model, layer=1, direction="backward")
    assert repr(system) == "System(lstm(5), layer 1 of 2 alone, backward: 10 numbers)"
    held = hold_input(system, study_cell(system), "zero")
    problem = Problem(cell=study_cell(system), x=held.vector)
    assert torch.isfinite(problem.residual(torch.zeros(1, 10, dtype=torch.float64))).all()
    del model.__dict__["fingerprint"]
    assert model.fingerprint == before


def test_arrays_of_the_wrong_rank_are_sent_to_runs():
    with pytest.raises(DataError, match=r"Runs\(inputs\)"):
        find_fixed_points(random_cell("gru"), np.zeros((2, 5, 3)))
