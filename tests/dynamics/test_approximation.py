"""Linear approximations: exact on linear networks, beside what needs no linearization."""

from __future__ import annotations

import json

import pytest
import torch

from rnnscope.dynamics import find_fixed_points
from rnnscope.dynamics.approximation import one_step_error, rollout_error
from rnnscope.dynamics.linear_rnn import train_linear_rnn
from rnnscope.dynamics.piecewise_linear import PiecewiseLinear, linearized_network
from rnnscope.dynamics.visited import visited_steps
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import from_torch
from tests.helpers import WORDS, random_documents, random_module


@pytest.fixture(scope="module")
def gru():
    model = from_torch(random_module("gru", units=4), vocabulary=WORDS)
    documents = random_documents(60)
    return model, documents, find_fixed_points(model, documents, count=40)


@pytest.fixture(scope="module")
def linear():
    """A network that is linear itself."""
    model = from_torch(random_module("gru", units=4), vocabulary=WORDS)
    documents = random_documents(60)
    return train_linear_rnn(model, documents, epochs=1, units=4).model, documents


def test_visited_steps_are_steps_of_the_network(gru):
    model, documents, _ = gru
    steps = visited_steps(model, documents, count=50)
    assert len(steps) == 50
    cell = model.to(torch.float64).cell
    for k in range(50):
        after = cell.step(steps.inputs[k], steps.before[k])
        torch.testing.assert_close(after, steps.after[k], atol=1e-12, rtol=0)


def test_the_nearest_linearization_is_the_equation(gru):
    model, documents, points = gru
    cell = model.to(torch.float64).cell
    states = points.line_states[:3] if len(points.line_states) else points.seeds[:3]
    x = torch.zeros(cell.input_size, dtype=torch.float64)
    piecewise = PiecewiseLinear.at(cell, states, x)
    steps = visited_steps(model, documents, count=20)
    for k in range(20):
        h, word = steps.before[k], steps.inputs[k]
        p = int((states - h).norm(dim=-1).argmin())
        J_rec, J_inp = torch.autograd.functional.jacobian(
            lambda s, w: cell.step(w, s), (states[p], x)
        )
        want = cell.step(x, states[p]) + J_rec @ (h - states[p]) + J_inp @ word
        torch.testing.assert_close(piecewise.step(word, h), want, atol=1e-12, rtol=0)


def test_a_linear_network_has_no_error_and_is_its_own_linearization(linear):
    model, documents = linear
    origin = torch.zeros(1, model.cell.state_size, dtype=torch.float64)
    error = one_step_error(model, origin, documents)
    assert float(error.error.max()) < 1e-9
    assert float(error.no_change.median()) > 1e-3
    rollout = rollout_error(model, origin, documents, steps=5)
    assert float(rollout.switched.max()) < 1e-9
    again = linearized_network(model, origin)
    torch.testing.assert_close(again.logits(documents), model.logits(documents), atol=1e-9, rtol=0)


def test_errors_are_those_of_the_definition(gru):
    model, documents, points = gru
    found = one_step_error(model, points.seeds[:8], documents, count=30)
    steps = visited_steps(model, documents, count=30)
    cell = model.to(torch.float64).cell
    zero = torch.zeros(cell.input_size, dtype=torch.float64)
    for k in range(30):
        length = steps.after[k].norm()
        no_change = (steps.after[k] - steps.before[k]).norm() / length
        silent = (steps.after[k] - cell.step(zero, steps.before[k])).norm() / length
        assert float(found.no_change[k]) == pytest.approx(float(no_change))
        assert float(found.no_input[k]) == pytest.approx(float(silent))
    json.dumps(found.summary())
    assert "nearest point" in found.sentence


def test_a_linear_rnn_learns_what_is_linear(linear):
    teacher, documents = linear
    many = random_documents(400, seed=5)
    student = train_linear_rnn(teacher, many, epochs=10, learning_rate=1e-2, units=4)
    agree = (student.predict(documents) == teacher.predict(documents)).mean()
    assert agree > 0.85
    again = train_linear_rnn(teacher, many, epochs=10, learning_rate=1e-2, units=4)
    assert torch.equal(student.logits(documents), again.logits(documents))


def test_bad_input(gru):
    model, documents, points = gru
    with pytest.raises(UsageError):
        linearized_network(model, points.seeds[:3], point=7)
    with pytest.raises(DataError):
        train_linear_rnn(model, documents[:1])
    with pytest.raises(DataError):
        train_linear_rnn(model, documents, labels=[9] * len(documents))
    with pytest.raises(UsageError):
        train_linear_rnn(model, documents, epoch=3)
    with pytest.raises(NotApplicable):
        one_step_error(model, points.seeds[:0], documents)
