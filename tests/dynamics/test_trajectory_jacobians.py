"""Paths, Jacobians at points and along them, and the modes of each step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import CELLS, Stack
from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.dynamics.paths import StatePath, follow
from rnnscope.dynamics.step_jacobians import jacobians, map_jacobians, trajectory_modes
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import from_torch
from rnnscope.synthetic import attractors as built
from tests.helpers import WORDS, random_cell, random_documents, random_module

KINDS = sorted(CELLS)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def differences(function, at, step=1e-6):
    """The Jacobian by central differences, column by column."""
    columns = []
    for j in range(len(at)):
        shift = torch.zeros_like(at)
        shift[j] = step
        columns.append((function(at + shift) - function(at - shift)) / (2 * step))
    return torch.stack(columns, -1)


def models():
    from rnnscope.data import Vocabulary

    for kind in ("vanilla", "gru", "lstm"):
        for layers in (1, 2):
            module = random_module(kind, layers=layers).eval()
            yield from_torch(module, vocabulary=Vocabulary(words=WORDS))


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_jacobians_of_each_step_are_those_of_differences(kind, seed):
    cell = random_cell(kind, seed=seed)
    path = follow(cell, drawn(4, 3, seed=seed))
    J = jacobians(cell, path)
    for t in range(len(path)):
        x, h = path.inputs[t], path.states[t]
        rec, inp = differences(lambda s, x=x: cell.step(x, s), h), None
        inp = differences(lambda y, h=h: cell.step(y, h), x)
        torch.testing.assert_close(J.rec[t], rec, atol=1e-7, rtol=0)
        torch.testing.assert_close(J.inp[t], inp, atol=1e-7, rtol=0)
        torch.testing.assert_close(cell.step(x, h), path.after[t])


def test_a_document_is_followed_as_the_model_runs_it():
    for model in models():
        document = random_documents(3)[2]
        path = follow(model, document)
        assert len(path) == len(document)
        states = model.trajectory([document]).states[0]
        torch.testing.assert_close(path.after, states, atol=1e-12, rtol=0)
        rows = model.encode([document])[0]
        torch.testing.assert_close(path.inputs, model.embedding[torch.as_tensor(rows)])
        J = jacobians(model, path, which="rec")
        assert J.inp is None
        t = len(path) - 1
        rec = differences(lambda s, p=path, t=t: p.cell.step(p.inputs[t], s), path.before[t])
        torch.testing.assert_close(J.rec[t], rec, atol=1e-7, rtol=0)


def test_a_path_starts_where_it_is_told():
    cell = random_cell("lstm")
    start = drawn(8)
    path = follow(cell, drawn(5, 3), start=start)
    assert torch.equal(path.states[0], start)
    h = start
    for t in range(5):
        h = cell.step(path.inputs[t], h)
        torch.testing.assert_close(path.states[t + 1], h)
    assert follow(cell, drawn(2, 3)).states[0].tolist() == [0.0] * 8
    assert "2 steps" in repr(follow(cell, drawn(2, 3)))


@pytest.mark.parametrize("kind", KINDS)
def test_streamed_and_whole_are_equal(kind):
    cell = random_cell(kind)
    states = drawn(11, cell.state_size)
    x = drawn(11, 3, seed=1)
    whole = jacobians(cell, states, x)
    sizes = []

    def take(J):
        sizes.append(len(J))
        return J.square, J.inp, J.rows

    size = 8 * cell.state_size * (cell.state_size + 3)
    parts = list(map_jacobians(take, cell, states, x, memory=4 * 3 * size))
    assert sizes == [3, 3, 3, 2]
    torch.testing.assert_close(torch.cat([p[0] for p in parts]), whole.rec, atol=1e-13, rtol=0)
    torch.testing.assert_close(torch.cat([p[1] for p in parts]), whole.inp, atol=1e-13, rtol=0)
    assert [p[2].start for p in parts] == [0, 3, 6, 9]


def test_the_stream_holds_few_at_once_and_changes_no_settings():
    cell = random_cell("gru", n=8)
    threads = torch.get_num_threads()
    biggest = 0
    for size in map_jacobians(len, cell, drawn(100, 8), which="rec", memory=4 * 8 * 64 * 10):
        assert torch.get_num_threads() == threads
        biggest = max(biggest, size)
    assert biggest == 10


def test_inputs_are_those_asked_for():
    cell = random_cell("gru")
    states, x = drawn(3, 4), drawn(3)
    one = jacobians(cell, states, x)
    each = jacobians(cell, states, x.expand(3, -1))
    torch.testing.assert_close(one.rec, each.rec)
    torch.testing.assert_close(jacobians(cell, states).rec, jacobians(cell, states, "zero").rec)
    assert not torch.allclose(one.rec, jacobians(cell, states).rec)
    assert len(jacobians(cell, states, which="inp")) == 3


def test_points_keep_their_input():
    attractor = built.leaky_line()
    points = find_fixed_points(attractor.cell, attractor.seeds(10), [0.01])
    J = jacobians(attractor.cell, points)
    held = points.held.vector.expand(len(points.line_states), -1)
    expected = attractor.cell.J_rec(held, points.line_states)
    torch.testing.assert_close(J.rec, expected)
    assert len(jacobians(attractor.cell, points.roots)) == len(points.roots)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_modes_along_a_path_are_those_of_each_step(kind):
    cell = random_cell(kind)
    path = follow(cell, drawn(7, 3))
    modes = trajectory_modes(cell, path, count=3)
    assert len(modes) == 7
    for t in range(7):
        one = linearize(cell, path.before[t], path.inputs[t], count=modes.count)
        torch.testing.assert_close(modes.eigenvalues[t], one.eigenvalues[0], atol=1e-12, rtol=0)
        torch.testing.assert_close(modes.right[t], one.right[0, :, : modes.count])
        torch.testing.assert_close(modes.J_inp[t], one.J_inp[0])
    streamed = trajectory_modes(cell, path, count=3, memory=1)
    torch.testing.assert_close(streamed.eigenvalues, modes.eigenvalues, atol=1e-12, rtol=0)
    torch.testing.assert_close(streamed.right, modes.right, atol=1e-9, rtol=0)
    assert streamed.input_projection(drawn(5, 3)).shape == (7, 5)


def test_a_stack_is_one_system():
    layers = (random_cell("gru", d=3, n=4), random_cell("lstm", d=4, n=2))
    cell = Stack(layers=layers)
    path = follow(cell, drawn(3, 3))
    J = jacobians(cell, path, which="rec").square
    assert J.shape == (3, 8, 8)
    assert (J[:, :4, 4:] == 0).all()


def test_what_is_handed_over_is_left_alone():
    cell = random_cell("lstm")
    start, x = drawn(8), drawn(4, 3)
    kept = start.clone(), x.clone(), cell.V.clone()
    path = follow(cell, x, start=start)
    path.states.add_(1)
    path.inputs.add_(1)
    jacobians(cell, follow(cell, x)).square.zero_()
    assert torch.equal(start, kept[0])
    assert torch.equal(x, kept[1])
    assert torch.equal(cell.V, kept[2])


def test_bad_input(monkeypatch):
    cell = random_cell("lstm")
    states = drawn(5, 8)
    path = follow(cell, drawn(4, 3))
    with pytest.raises(DataError, match="one a step"):
        follow(cell, drawn(4, 2))
    with pytest.raises(DataError, match="one a step"):
        follow(cell, np.zeros((0, 3)))
    with pytest.raises(DataError, match="not finite"):
        follow(cell, torch.full((2, 3), torch.nan))
    with pytest.raises(UsageError, match="as numbers"):
        follow(cell, ["good", "film"])
    with pytest.raises(DataError, match="one state"):
        follow(cell, drawn(4, 3), start=drawn(2, 8))
    with pytest.raises(DataError, match="twice the units"):
        follow(cell, drawn(4, 3), start=drawn(4))
    with pytest.raises(UsageError, match="one of three"):
        jacobians(cell, states, which="all")
    with pytest.raises(UsageError, match="its own input"):
        jacobians(cell, path, "zero")
    with pytest.raises(DataError, match="one a state"):
        jacobians(cell, states, drawn(4, 3))
    with pytest.raises(DataError, match="finite"):
        jacobians(cell, torch.full((2, 8), torch.nan))
    with pytest.raises(UsageError, match="number of bytes"):
        map_jacobians(len, cell, states, memory=0)
    with pytest.raises(UsageError, match="not asked for"):
        _ = jacobians(cell, states, which="inp").square
    with pytest.raises(UsageError, match="need its inputs"):
        trajectory_modes(cell, states)
    with pytest.raises(UsageError, match="At least one mode"):
        trajectory_modes(cell, path, count=0)
    monkeypatch.setattr("rnnscope.dynamics.step_jacobians.LARGEST", 1000)
    with pytest.raises(UsageError, match="map_jacobians"):
        jacobians(cell, states)


def test_a_trajectory_or_a_network_of_two_directions_is_refused_with_a_way_on():
    model = next(models())
    with pytest.raises(UsageError, match="follow"):
        jacobians(model, model.trajectory([["good"]]))
    two = from_torch(random_module("gru", bidirectional=True).eval())
    with pytest.raises(NotApplicable, match="two dynamical systems"):
        follow(two, [1, 2])


def test_a_run_without_bound_is_stopped_where_it_leaves():
    from tests.dynamics.test_linearize import linear

    with pytest.raises(DataError, match="grows without bound"):
        follow(linear(1e200 * torch.eye(2)), torch.zeros(5, 2), start=torch.ones(2))


def test_a_path_built_by_hand():
    cell = random_cell("vanilla")
    path = StatePath(cell=cell, states=drawn(4, 4), inputs=drawn(3, 3))
    assert jacobians(cell, path).square.shape == (3, 4, 4)
