"""The linear RNN: its equation, what it can learn, what it cannot, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnscope.dynamics.linear_rnn import LinearOptions, LinearRNN, train_linear_rnn
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.fidelity import judge
from rnnscope.models import from_torch
from rnnscope.synthetic import attractors as built
from tests.helpers import random_cell, random_documents

LINE_WORDS = ("the", "good", "bad", "very_good", "very_bad")


def test_the_equation_is_linear():
    like = random_cell("vanilla")
    cell = LinearRNN(W=like.W, V=like.V, b=like.b)
    x, h = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    for k in range(5):
        want = cell.W @ x[k] + cell.V @ h[k] + cell.b
        torch.testing.assert_close(cell.step(x, h)[k], want)
    J_rec, J_inp = torch.autograd.functional.jacobian(lambda s, w: cell.step(w, s), (h[0], x[0]))
    torch.testing.assert_close(cell.J_rec(x, h)[0], J_rec)
    torch.testing.assert_close(cell.J_inp(x, h)[0], J_inp)


def test_it_learns_to_add():
    """The line network adds its words, so a linear one can stand in for it, from few answers."""
    model = built.line_model()
    train = random_documents(300, longest=12, words=LINE_WORDS)
    held = random_documents(200, longest=12, words=LINE_WORDS, seed=9)
    logits = model.logits(held)
    clear = ((logits[:, 1] - logits[:, 0]).abs() > 0.2).numpy()
    held = [document for document, keep in zip(held, clear, strict=True) if keep]
    student = train_linear_rnn(
        model, train, units=2, epochs=25, patience=5, batch=16, learning_rate=0.02
    )
    found = judge("linear", student, held, network=model.predict(held))
    assert found.agreement.value > 0.97
    assert found.size == student.size
    assert student.width == 2


def test_labels_are_learnt_instead_of_the_network():
    model = built.line_model()
    train = random_documents(200, longest=6, words=LINE_WORDS)
    opposite = 1 - model.predict(train)
    student = train_linear_rnn(
        model, train, opposite, units=2, epochs=15, patience=5, batch=16, learning_rate=0.03
    )
    assert (student.predict(train) == opposite).mean() > 0.8


def test_the_network_and_the_random_state_are_left_as_they_were():
    model = built.line_model()
    before = {name: w.clone() for name, w in model.weights().items()}
    state = torch.random.get_rng_state()
    documents = random_documents(20, words=LINE_WORDS)
    first = train_linear_rnn(model, documents, units=2, epochs=1)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(w, before[name]) for name, w in model.weights().items())
    again = train_linear_rnn(model, documents, units=2, epochs=1)
    assert torch.equal(first.logits(documents), again.logits(documents))


def test_vectors_are_read_as_they_are():
    """A network without words: the input map is trained, on sequences of vectors."""
    words = built.line_model()
    model = replace(words, embedding=None, vocabulary=None)
    documents = [words.embedding[torch.randint(5, (n,))].numpy() for n in (1, 4, 9, 3)]
    student = train_linear_rnn(model, documents, units=3, epochs=1)
    assert student.model.embedding is None
    assert torch.isfinite(student.logits(documents)).all()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"epochs": 0}, UsageError),
        ({"units": 0}, UsageError),
        ({"learning_rate": -1}, UsageError),
        ({"validation": 1.0}, UsageError),
        ({"speed": 1}, UsageError),
        ({"labels": [0, 5, 1]}, DataError),
        ({"labels": np.zeros(2, dtype=int)}, DataError),
        ({"labels": np.zeros(3)}, DataError),
    ],
)
def test_bad_input(changes, error):
    with pytest.raises(error):
        train_linear_rnn(built.line_model(), [["good"], ["bad"], ["the"]], **changes)


def test_a_network_without_a_readout_has_no_answers():
    with pytest.raises(NotApplicable):
        train_linear_rnn(from_torch(torch.nn.GRU(3, 4)), [np.zeros((2, 3)), np.zeros((1, 3))])
    assert LinearOptions().units is None
