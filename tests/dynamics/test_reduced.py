"""Charts and the reduced model: exact where the network is low-dimensional, honest where not."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import Vanilla
from rnnscope.data import Vocabulary
from rnnscope.dynamics import linearize
from rnnscope.dynamics.charts import (
    balanced_chart,
    monomials,
    principal_chart,
    slow_chart,
    with_readout,
)
from rnnscope.dynamics.reduced import STEPS, fit_chart, reduced_model
from rnnscope.dynamics.sensitivity import answer_gradients
from rnnscope.dynamics.visited import visited_steps
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model, Readout, from_torch
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


def units_apart(decays, *, strength):
    """``h_i' = tanh(d_i h_i + x_i)``, each word pushing one unit either way, all read alike."""
    n = len(decays)
    eye = torch.eye(n, dtype=torch.float64)
    cell = Vanilla(W=eye.clone(), V=torch.diag(torch.tensor(decays).double()), b=eye[0] * 0)
    weight = torch.stack([-torch.ones(n), torch.ones(n)]).double()
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=strength * torch.cat([eye, -eye]),
        vocabulary=Vocabulary(words=tuple(f"{sign}{k}" for sign in "+-" for k in range(n))),
        readout=Readout(weight=weight, bias=torch.zeros(2, dtype=torch.float64)),
    )


def test_one_slow_unit_is_one_number_and_its_expansion_holds_for_weak_words():
    model = units_apart([0.95, 0.0], strength=0.001)
    documents = random_documents(100, longest=30, words=("+0", "-0"))
    modes = linearize(model, torch.zeros(1, 2), count=1)
    chart = slow_chart(modes, 0, 1)
    truth = model.logits(documents)
    for step in ("expansion", "pushes", "lifted"):
        found = reduced_model(model, chart, step).logits(documents)
        torch.testing.assert_close(found, truth, atol=1e-5, rtol=0)


def test_whole_pushes_keep_what_an_expansion_overstates():
    """Words as strong as tanh saturates: from rest, one word's whole push is its true effect."""
    model = units_apart([0.95, 0.0], strength=3.0)
    chart = slow_chart(linearize(model, torch.zeros(1, 2), count=1), 0, 1)
    truth = model.logits([["+0"]])
    pushes = reduced_model(model, chart, "pushes").logits([["+0"]])
    torch.testing.assert_close(pushes, truth, atol=1e-12, rtol=0)
    assert float((reduced_model(model, chart, "expansion").logits([["+0"]]) - truth).max()) > 1


def test_a_network_that_keeps_four_things_is_not_one_number():
    """The control: four units alike in all. Any one coordinate misses most of what is held."""
    model = units_apart([0.9] * 4, strength=0.3)
    documents = random_documents(400, longest=20, words=model.vocabulary.words)
    split = documents[:200], documents[200:]
    network = model.predict(split[1])
    states = visited_steps(model, split[0]).after
    chart = principal_chart(states, 1)
    agreement = (reduced_model(model, chart, "lifted").predict(split[1]) == network).mean()
    assert agreement < 0.85
    whole = principal_chart(states, 4)
    assert (reduced_model(model, whole, "lifted").predict(split[1]) == network).all()
    assert chart.error(states) > 0.5
    assert whole.error(states) < 1e-20


def test_what_is_given_is_left_as_it_was(lstm):
    model, documents = lstm
    before = {name: w.clone() for name, w in model.weights().items()}
    states = visited_steps(model, documents).after
    kept = states.clone()
    reduced_model(model, principal_chart(states, 2).curved(states, degree=2))
    assert torch.equal(states, kept)
    assert all(torch.equal(w, before[name]) for name, w in model.weights().items())


@given(size=st.integers(1, 4), degree=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_monomials_are_counted_and_a_bend_leaves_the_coordinates(size, degree, seed):
    rng = torch.Generator().manual_seed(seed)
    states = torch.randn(200, 5, generator=rng, dtype=torch.float64)
    assert monomials(states[:, :size], degree).shape[-1] == math.comb(size + degree, degree)
    chart = principal_chart(states, size).curved(states, degree=degree)
    z = chart.inside(chart.project(states))
    torch.testing.assert_close(chart.project(chart.lift(z)), z, atol=1e-8, rtol=0)
    assert chart.error(states) <= principal_chart(states, size).error(states) + 1e-6


def test_charts_of_complex_pairs_are_their_planes():
    turn = torch.tensor([[0.6, -0.6, 0.0], [0.6, 0.6, 0.0], [0.0, 0.0, 0.2]], dtype=torch.float64)
    modes = linearize(
        Vanilla(W=torch.eye(3).double(), V=turn, b=torch.zeros(3).double()),
        torch.zeros(1, 3),
        count=3,
    )
    chart = slow_chart(modes, 0, 2)
    eye = torch.eye(2, dtype=torch.float64)
    torch.testing.assert_close(chart.left @ chart.right, eye, atol=1e-12, rtol=0)
    projector = torch.diag(torch.tensor([1.0, 1, 0], dtype=torch.float64))
    torch.testing.assert_close(chart.right @ chart.left, projector, atol=1e-12, rtol=0)
    with pytest.raises(UsageError, match="pair"):
        slow_chart(modes, 0, 1)


def test_bad_charts(lstm):
    model, documents = lstm
    states = visited_steps(model, documents).after
    with pytest.raises(UsageError, match="coordinate"):
        principal_chart(states, 11)
    with pytest.raises(DataError, match="finite"):
        principal_chart(states * torch.nan, 1)
    with pytest.raises(DataError, match="more states"):
        principal_chart(states, 3).curved(states[:5], degree=3)
    with pytest.raises(UsageError, match="degree"):
        principal_chart(states, 1).curved(states, degree=0)
    with pytest.raises(UsageError, match="knows visited"):
        reduced_model(model, principal_chart(states, 1), "table")
    with pytest.raises(NotApplicable, match="vary"):
        balanced_chart(states[:, :3] * torch.tensor([1.0, 0, 0]), torch.ones(4, 3), 2)


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
