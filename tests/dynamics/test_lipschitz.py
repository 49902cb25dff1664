"""The proved Lipschitz constant against what is attained."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.dynamics.lipschitz import distance_to_kink, evaluation_error, lipschitz_bound
from tests.helpers import random_cell

KINDS = ["vanilla", "ugrnn", "gru", "gru_reset_first", "lstm", "lstm_projected"]


def attained(cell, x, h, radius, rng, tries=12):
    """The largest ``||J(a) - J(b)|| / ||a - b||`` over random pairs in the ball."""
    best = 0.0
    for _ in range(tries):
        a, b = (
            h + radius * torch.rand((), generator=rng) * d / d.norm()
            for d in torch.randn(2, len(h), generator=rng, dtype=torch.float64)
        )
        # Near each other, where the difference quotient nears the second derivative.
        b = a + 0.01 * (b - a)
        change = torch.linalg.matrix_norm(cell.J_rec(x, a) - cell.J_rec(x, b), 2)
        best = max(best, float(change / (a - b).norm()))
    return best


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.2, 3), radius=st.floats(0.01, 2))
@settings(max_examples=25, deadline=None)
def test_nothing_on_the_ball_exceeds_the_bound(kind, seed, scale, radius):
    cell = random_cell(kind, n=5, seed=seed, scale=scale)
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(3, generator=rng, dtype=torch.float64)
    h = torch.randn(cell.state_size, generator=rng, dtype=torch.float64)
    K = lipschitz_bound(cell, x, h[None], torch.tensor([radius]).double())
    assert attained(cell, x, h, radius, rng) <= float(K) * (1 + 1e-6)


def test_the_bound_of_a_single_unit_is_attained():
    # One tanh unit: |d^2 tanh| has its maximum where tanh^2 = 1/3.
    cell = type(random_cell("vanilla"))(
        W=torch.zeros(1, 1, dtype=torch.float64),
        V=torch.ones(1, 1, dtype=torch.float64),
        b=torch.zeros(1, dtype=torch.float64),
    )
    peak = torch.tensor([3.0], dtype=torch.float64).rsqrt().atanh()
    rng = torch.Generator().manual_seed(0)
    x = torch.zeros(1, dtype=torch.float64)
    K = lipschitz_bound(cell, x, peak[None], torch.ones(1, dtype=torch.float64))
    assert attained(cell, x, peak, 1e-4, rng) == pytest.approx(float(K), rel=1e-3)


def test_relu_is_linear_up_to_its_kink():
    cell = random_cell("vanilla", n=4, nonlinearity="relu")
    h = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.zeros(3, dtype=torch.float64)
    reach = distance_to_kink(cell, x, h)
    before = h @ cell.V.mT + cell.b
    for row in range(3):
        J = cell.J_rec(x, h[row])
        unit = int((before[row].abs() / cell.V.norm(dim=-1)).argmin())
        towards = -before[row, unit].sign() * cell.V[unit] / cell.V[unit].norm()
        assert torch.equal(cell.J_rec(x, h[row] + 0.999 * reach[row] * towards), J)
        assert not torch.equal(cell.J_rec(x, h[row] + 1.001 * reach[row] * towards), J)
    assert (lipschitz_bound(cell, x, h, 0.9 * reach) == 0).all()
    assert torch.isinf(lipschitz_bound(cell, x, h, 1.1 * reach)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_stays_below_its_bound(kind):
    single = random_cell(kind, n=24, dtype=torch.float32)
    exact = single.to(torch.float64)
    rng = torch.Generator().manual_seed(1)
    h = torch.randn(40, single.state_size, generator=rng)
    x = torch.randn(3, generator=rng)
    rough = (single.step(x.expand(40, -1), h) - h).double()
    true = exact.step(x.double().expand(40, -1), h.double()) - h.double()
    error = (rough - true).norm(dim=-1)
    assert (error <= evaluation_error(single, x, h).double()).all()
    assert (error > 0).any()


def test_other_cells_have_no_bound():
    from rnnscope.cells import Stack

    stack = Stack(layers=(random_cell("gru", n=3),))
    h = torch.zeros(1, 3, dtype=torch.float64)
    assert lipschitz_bound(stack, torch.zeros(3).double(), h, torch.ones(1)) is None
