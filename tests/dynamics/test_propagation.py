"""Changes pushed and pulled along a path, Lyapunov exponents, departure from normality."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import CELLS, Autodiff, Stack
from rnnscope.dynamics.lyapunov import LyapunovSpectrum, lyapunov_spectrum
from rnnscope.dynamics.nonnormality import non_normality
from rnnscope.dynamics.paths import follow
from rnnscope.dynamics.propagation import finite_time_growth, pull_back, push_forward
from rnnscope.dynamics.step_jacobians import jacobians
from rnnscope.errors import DataError, UsageError
from tests.dynamics.test_linearize import linear
from tests.helpers import random_cell

KINDS = sorted(CELLS)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def product(path, first, last):
    """The product of the Jacobians, formed one by one in numpy."""
    J = jacobians(path.cell, path, which="rec").square.numpy()
    result = np.eye(J.shape[-1])
    for t in range(first, last):
        result = J[t] @ result
    return result


def quiet(J, steps=5):
    """A path of a linear network, at 0 all along."""
    return follow(linear(J), torch.zeros(steps, 2))


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_change_is_pushed_by_the_product(kind, seed):
    cell = random_cell(kind, seed=seed)
    path = follow(cell, drawn(6, 3, seed=seed))
    v = drawn(2, cell.state_size, seed=seed)
    pushed = push_forward(path, v, first=1, last=5)
    pulled = pull_back(path, v, first=1, last=5)
    for t in range(1, 6):
        expected = v.numpy() @ product(path, 1, t).T
        np.testing.assert_allclose(pushed[t - 1].numpy(), expected, atol=1e-9)
        expected = v.numpy() @ product(path, t, 5)
        np.testing.assert_allclose(pulled[t - 1].numpy(), expected, atol=1e-9)
    # <u, M v> = <M^T u, v>
    u = drawn(cell.state_size, seed=seed + 1)
    forward = u @ push_forward(path, v[0])[-1]
    torch.testing.assert_close(forward, pull_back(path, u)[0] @ v[0])


@pytest.mark.parametrize("kind", ["gru", "lstm", "vanilla"])
def test_a_small_change_of_the_state_arrives_as_pushed(kind):
    cell = random_cell(kind)
    x, v = drawn(12, 3), drawn(cell.state_size)
    path = follow(cell, x)
    moved = [follow(cell, x, start=path.states[0] + s * 1e-6 * v).states for s in (1, -1)]
    expected = (moved[0] - moved[1]) / 2e-6
    torch.testing.assert_close(push_forward(path, v), expected, atol=1e-6, rtol=0)


def test_what_an_input_does_to_a_reading_at_the_end():
    cell = random_cell("gru")
    x, u = drawn(6, 3), drawn(4)
    path = follow(cell, x)
    reading = pull_back(path, u)
    J_inp = jacobians(cell, path, which="inp").inp
    with_grad = x.clone().requires_grad_()
    h = cell.initial_state(1)
    for t in range(6):
        h = cell.step(with_grad[t : t + 1], h)
    (h[0] @ u).backward()
    for t in range(6):
        torch.testing.assert_close(reading[t + 1] @ J_inp[t], with_grad.grad[t])


def test_stretches_held_at_once_make_no_difference(monkeypatch):
    cell = Stack(layers=(random_cell("gru"), random_cell("lstm", d=4)))
    path = follow(cell, drawn(9, 3))
    v = drawn(cell.state_size)
    whole = push_forward(path, v), pull_back(path, v)
    monkeypatch.setattr("rnnscope.dynamics.paths.WORKSPACE", 32 * cell.state_size**2 * 2)
    torch.testing.assert_close(push_forward(path, v), whole[0])
    torch.testing.assert_close(pull_back(path, v), whole[1])


@pytest.mark.parametrize(("n", "count"), [(4, 2), (40, 3), (40, 40)])
def test_the_most_that_a_change_grows(n, count):
    path = follow(random_cell("gru", n=n, scale=1.5), drawn(8, 3))
    found = finite_time_growth(path, count=count, first=2, last=7)
    M = product(path, 2, 7)
    expected = np.linalg.svd(M)[1][:count]
    np.testing.assert_allclose(found.factors.numpy(), expected, rtol=1e-8, atol=1e-12)
    before, after = found.before.numpy(), found.after.numpy()
    np.testing.assert_allclose(before @ M.T, found.factors.numpy()[:, None] * after, atol=1e-8)
    np.testing.assert_allclose(before @ before.T, np.eye(count), atol=1e-8)
    exponent = float(found.exponents[0])
    assert np.exp(5 * exponent) == pytest.approx(float(found.factors[0]))
    assert found.steps == 5


def test_a_product_that_is_zero_grows_nothing():
    found = finite_time_growth(quiet(torch.zeros(40, 40)), count=2)
    assert found.factors.tolist() == [0, 0]


def test_lyapunov_exponents_of_a_linear_map_are_its_rates():
    J = torch.tensor([[1.1, 0.7, 0.0], [0.0, 0.8, 0.3], [0.0, 0.0, -0.3]])
    spectrum = lyapunov_spectrum(quiet(J, 400), discard=100)
    expected = [log(1.1), log(0.8), log(0.3)]
    np.testing.assert_allclose(spectrum.exponents.numpy(), expected, atol=1e-6)
    assert spectrum.time_constants[0] == pytest.approx(-1 / log(1.1), rel=1e-4)
    assert spectrum.steps == 300
    assert "they grow on average" in spectrum.sentence
    # Kaplan-Yorke: 1 + ln 1.1 / |ln .8|
    assert spectrum.dimension == pytest.approx(1 + log(1.1) / -log(0.8), rel=1e-4)
    assert lyapunov_spectrum(quiet(J, 400), count=1).dimension is None
    contracting = lyapunov_spectrum(quiet(0.5 * torch.eye(3), 400))
    assert contracting.dimension == 0
    assert "they decay on average" in contracting.sentence
    assert lyapunov_spectrum(quiet(2 * torch.eye(3), 40)).dimension == 3


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_exponents_add_up_to_the_mean_log_determinant(kind, seed):
    cell = random_cell(kind, seed=seed)
    path = follow(cell, drawn(30, 3, seed=seed))
    J = jacobians(cell, path, which="rec").square.numpy()
    expected = np.mean([np.linalg.slogdet(one)[1] for one in J])
    found = lyapunov_spectrum(path).exponents.sum()
    assert float(found) == pytest.approx(expected, abs=1e-8)


def test_the_logistic_map_has_exponent_ln_2():
    """h' = 4 h (1 - h): the textbook's chaos, known exactly (Ulam & von Neumann 1947)."""
    cell = Autodiff(
        function=lambda x, h: 4 * h * (1 - h) + 0 * x,
        inputs=1,
        states=1,
        like=torch.zeros((), dtype=torch.float64),
    )
    path = follow(cell, torch.zeros(4000, 1), start=[0.3123])
    spectrum = lyapunov_spectrum(path)
    assert float(spectrum.exponents[0]) == pytest.approx(log(2), abs=0.02)
    assert abs(float(spectrum.exponents[0]) - log(2)) < 4 * float(spectrum.errors[0])


def test_a_short_run_tells_nothing():
    spectrum = lyapunov_spectrum(quiet(0.5 * torch.eye(2), 5))
    assert torch.isnan(spectrum.errors).all()
    assert "too few steps" in spectrum.sentence
    lost = lyapunov_spectrum(quiet(torch.diag(torch.tensor([0.5, 0.0])), 40))
    assert lost.exponents[1] == -torch.inf
    assert isinstance(lost, LyapunovSpectrum)


def test_departure_from_normality_of_known_matrices():
    known = {
        0.0: torch.diag(torch.tensor([0.9, 0.5])),
        1.0: torch.tensor([[0.0, 3.0], [0.0, 0.0]]),
        (4 / (4 + 2 * 0.25)) ** 0.5: torch.tensor([[0.5, 2.0], [0.0, 0.5]]),
    }
    for expected, J in known.items():
        found = non_normality(linear(J), torch.zeros(1, 2))
        assert float(found.departure) == pytest.approx(expected, abs=1e-7)
    rotation = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    turning = non_normality(linear(rotation), torch.zeros(1, 2))
    assert float(turning.departure) < 1e-7
    assert float(non_normality(linear(torch.zeros(2, 2)), torch.zeros(1, 2)).departure) == 0


def test_transient_growth_is_that_of_the_powers():
    J = np.array([[0.9, 5.0], [0.0, 0.8]])
    found = non_normality(linear(J), torch.zeros(2, 2), steps=30)
    power, expected = np.eye(2), []
    for _ in range(30):
        power = J @ power
        expected.append(np.linalg.norm(power, 2))
    np.testing.assert_allclose(found.growth[1].numpy(), expected, rtol=1e-10)
    assert float(found.peak[0]) == pytest.approx(max(expected))
    assert int(found.peak_step[0]) == int(np.argmax(expected)) + 1
    assert found.transient.tolist() == [True, True]
    normal = non_normality(linear(0.5 * torch.eye(2)), torch.zeros(1, 2))
    assert normal.peak.tolist() == [1.0]
    assert normal.peak_step.tolist() == [0]
    assert not normal.transient.any()


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_powers_lie_between_the_radius_and_the_norm(seed):
    cell = random_cell("gru", n=5, seed=seed)
    found = non_normality(cell, drawn(3, 5, seed=seed), steps=6)
    k = torch.arange(1, 7)
    assert (found.growth >= found.radius[:, None] ** k * (1 - 1e-9)).all()
    assert (found.growth <= found.growth[:, :1] ** k * (1 + 1e-9)).all()
    assert ((found.departure >= 0) & (found.departure <= 1)).all()


def test_bad_input():
    cell = random_cell("gru")
    path = follow(cell, drawn(4, 3))
    with pytest.raises(DataError, match="as wide as the state"):
        push_forward(path, torch.zeros(3))
    with pytest.raises(DataError, match="finite"):
        pull_back(path, torch.full((4,), torch.nan))
    for first, last in ((-1, 2), (3, 2), (0, 5)):
        with pytest.raises(UsageError, match="in their order"):
            push_forward(path, torch.zeros(4), first=first, last=last)
    for options in ({"count": 0}, {"count": 5}, {"first": 2, "last": 2}):
        with pytest.raises(UsageError, match="some directions over some steps"):
            finite_time_growth(path, **options)
    with pytest.raises(UsageError, match="as many exponents"):
        lyapunov_spectrum(path, count=5)
    with pytest.raises(UsageError, match="left to average"):
        lyapunov_spectrum(path, discard=4)
    with pytest.raises(UsageError, match="At least one step"):
        non_normality(cell, torch.zeros(1, 4), steps=0)
