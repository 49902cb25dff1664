"""Charts and the reduced model: exact where the network is low-dimensional, honest where not."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import linearize
from rnnscope.dynamics.charts import balanced_chart, principal_chart, slow_chart, with_readout
from rnnscope.dynamics.reduced import STEPS, fit_chart, reduced_model
from rnnscope.dynamics.sensitivity import answer_gradients
from rnnscope.dynamics.visited import visited_steps
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import from_torch
from rnnscope.synthetic.attractors import line_model
from tests.helpers import WORDS, random_documents, random_module

LINE_WORDS = ("the", "good", "bad", "very_good", "very_bad")


@pytest.fixture(scope="module")
def line():
    return line_model(), random_documents(60, longest=12, words=LINE_WORDS)


@pytest.fixture(scope="module")
def lstm():
    model = from_torch(random_module("lstm", units=5), vocabulary=WORDS)
    return model, random_documents(80)


def test_a_line_is_one_number(line):
    model, documents = line
    chart = fit_chart(model, documents, 1)
    assert chart.error(visited_steps(model, documents).after) < 1e-3
    for step in ("lifted", "table"):
        reduced = reduced_model(model, chart, step)
        assert reduced.width == 1
        got, want = reduced.logits(documents), model.logits(documents)
        torch.testing.assert_close(got, want, atol=0.05, rtol=0)
        # Words that cancel exactly leave a tie, which either class may have.
        clear = ((want[:, 1] - want[:, 0]).abs() > 0.1).numpy()
        assert (reduced.predict(documents) == model.predict(documents))[clear].all()
        assert clear.sum() > 40
    assert reduced.states(documents).shape == (60, 1)


def test_a_chart_of_all_coordinates_is_the_network_itself(lstm):
    model, documents = lstm
    states = visited_steps(model, documents).after
    chart = principal_chart(states, states.shape[-1])
    assert chart.error(states) < 1e-20
    lifted = reduced_model(model, chart, "lifted")
    torch.testing.assert_close(lifted.logits(documents), model.logits(documents), atol=1e-9, rtol=0)


@pytest.mark.parametrize("step", [s for s in STEPS if s not in ("switched", "lifted")])
def test_words_become_a_few_numbers(lstm, step):
    model, documents = lstm
    chart = fit_chart(model, documents, 2, degree=2)
    reduced = reduced_model(model, chart, step, degree=2)
    assert reduced.width == 2
    assert reduced.model.cell.state_size == 2
    assert torch.isfinite(reduced.logits(documents)).all()
    assert "2 numbers" in repr(reduced)


def test_a_table_follows_the_lifted_system_inside_its_range(lstm):
    model, documents = lstm
    chart = fit_chart(model, documents, 2, degree=1)
    exact = reduced_model(model, chart, "lifted").logits(documents)
    errors = [
        float((reduced_model(model, chart, "table", degree=d).logits(documents) - exact).norm())
        for d in (0, 1, 3)
    ]
    assert errors[2] < errors[0]
    assert errors[2] < 0.2 * float(exact.norm())


def test_an_expansion_is_the_linearized_network(lstm):
    model, documents = lstm
    states = visited_steps(model, documents).after
    modes = linearize(model, states[:1], count=10)
    chart = slow_chart(modes, 0, modes.count)
    expansion = reduced_model(model, chart, "expansion")
    switched = reduced_model(model, chart, "switched", points=states[:1])
    torch.testing.assert_close(
        expansion.logits(documents), switched.logits(documents), atol=1e-8, rtol=0
    )


def test_charts_are_oblique_projections(lstm):
    model, documents = lstm
    states = visited_steps(model, documents).after
    gradients = answer_gradients(model, documents)
    for chart in (
        principal_chart(states, 3),
        balanced_chart(states, gradients, 3),
        with_readout(principal_chart(states, 2), gradients[-1], states),
    ):
        eye = torch.eye(3, dtype=torch.float64)
        torch.testing.assert_close(chart.left @ chart.right, eye, atol=1e-9, rtol=0)
        z = chart.project(states)
        torch.testing.assert_close(chart.project(chart.lift(z)), z, atol=1e-9, rtol=0)
    curved = principal_chart(states, 3).curved(states, degree=2)
    z = curved.inside(curved.project(states))
    torch.testing.assert_close(curved.project(curved.lift(z)), z, atol=1e-8, rtol=0)
    assert curved.error(states) < principal_chart(states, 3).error(states)


def test_answer_gradients_are_finite_differences(lstm):
    model, documents = lstm
    document = documents[5]
    gradients = answer_gradients(model, [document])
    assert len(gradients) == len(document)
    w = gradients[-1]
    states = visited_steps(model, [document])
    cell = model.cell
    for t in range(len(document) - 1):
        moved = []
        for sign in (1, -1):
            h = states.after[t].clone()
            h[0] += sign * 1e-6
            for k in range(t + 1, len(document)):
                h = cell.step(states.inputs[k], h)
            moved.append(float(w @ h))
        assert (moved[0] - moved[1]) / 2e-6 == pytest.approx(float(gradients[t, 0]), abs=1e-6)


def test_bad_input(lstm):
    model, documents = lstm
    chart = fit_chart(model, documents, 1)
    with pytest.raises(UsageError, match="step"):
        reduced_model(model, chart, "leap")
    with pytest.raises(UsageError, match="between points"):
        reduced_model(model, chart, "switched")
    with pytest.raises(UsageError, match="kind"):
        fit_chart(model, documents, 1, kind="best")
    with pytest.raises(NotApplicable):
        reduced_model(from_torch(torch.nn.GRU(3, 4)), chart)
