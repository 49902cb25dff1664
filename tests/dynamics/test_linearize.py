"""linearize: the definitions of modes, in float64."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.cells import CELLS, Autodiff, Vanilla
from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.synthetic import attractors as built
from tests.helpers import random_cell

KINDS = sorted(CELLS)


def linear(J, d=2):
    """A network whose Jacobian is J everywhere."""
    J = torch.as_tensor(J, dtype=torch.float64)
    return Autodiff(
        function=lambda x, h: h @ J.mT + 0 * x.sum(-1, keepdim=True),
        inputs=d,
        states=len(J),
        like=torch.zeros((), dtype=torch.float64),
    )


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1000), n=st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_modes_are_eigenvectors_and_duals(kind, seed, n):
    cell = random_cell(kind, n=n, seed=seed)
    rng = torch.Generator().manual_seed(seed)
    states = torch.randn(3, cell.state_size, generator=rng, dtype=torch.float64)
    modes = linearize(cell, states, count=cell.state_size)
    J = cell.J_rec(torch.zeros(3, 3, dtype=torch.float64), states).to(torch.complex128)
    R, L, Lambda = modes.right, modes.left, modes.eigenvalues
    good = (modes.condition < 1e6).all(-1)
    identity = torch.eye(cell.state_size, dtype=torch.complex128).expand_as(R)
    torch.testing.assert_close((L @ R)[good], identity[good], atol=1e-8, rtol=0)
    torch.testing.assert_close(J @ R, R * Lambda[:, None, :], atol=1e-8, rtol=0)
    torch.testing.assert_close((L @ J)[good], (Lambda[..., None] * L)[good], atol=1e-6, rtol=0)
    torch.testing.assert_close(
        R.norm(dim=-2), torch.ones(3, cell.state_size, dtype=torch.float64), atol=1e-12, rtol=0
    )
    assert (Lambda.abs().diff(dim=-1) <= 0).all()
    for row in Lambda:
        pairs = (row.imag > 0).nonzero().squeeze(-1)
        assert torch.equal(row[pairs].conj(), row[pairs + 1])


def test_count_does_not_cut_a_pair():
    rotation = [[0.0, -0.9, 0.0], [0.9, 0.0, 0.0], [0.0, 0.0, 0.1]]
    modes = linearize(linear(rotation), torch.zeros(1, 3), count=1)
    assert modes.count == 2
    torch.testing.assert_close(modes.eigenvalues[0, 0], torch.tensor(0.9j, dtype=torch.complex128))
    assert modes.oscillating[0].tolist() == [True, True, False]


def test_two_equal_pairs_stay_pairs():
    block = torch.tensor([[0.3, -0.4], [0.4, 0.3]], dtype=torch.float64)
    modes = linearize(linear(torch.block_diag(block, block)), torch.zeros(1, 4))
    signs = modes.eigenvalues.imag.sign()[0].tolist()
    assert signs == [1, -1, 1, -1]


def test_time_constants_tell_growth_decay_and_marginal_apart():
    J = torch.diag(torch.tensor([1.25, 1.0, -0.5, 0.0], dtype=torch.float64))
    modes = linearize(linear(J), torch.zeros(1, 4))
    tau = modes.time_constants[0]
    expected = torch.tensor([1.25, 1.0, 0.5, 0.0], dtype=torch.float64)
    torch.testing.assert_close(modes.eigenvalues.abs()[0], expected)
    assert tau[0] == pytest.approx(1 / torch.tensor(1.25).log().item(), rel=1e-6)
    assert tau[1] == torch.inf
    assert tau[2] == pytest.approx(1 / torch.tensor(2.0).log().item(), rel=1e-6)
    assert tau[3] == 0
    assert modes.growing[0].tolist() == [True, False, False, False]
    assert modes.alternating[0].tolist() == [False, False, True, False]
    assert modes.unstable_count.tolist() == [1]
    assert modes.stable.tolist() == [False]
    assert modes.radius.tolist() == [1.25]


def test_repeated_and_defective_eigenvalues_are_flagged():
    jordan = torch.tensor([[0.9, 1.0, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.2]])
    modes = linearize(linear(jordan), torch.zeros(1, 3))
    assert modes.ill_defined[0].tolist() == [True, True, False] or not modes.left.isfinite().all()
    repeated = linearize(linear(0.5 * torch.eye(3)), torch.zeros(1, 3))
    assert repeated.ill_defined.all()
    distinct = linearize(linear(torch.diag(torch.tensor([0.9, 0.5, 0.1]))), torch.zeros(1, 3))
    assert not distinct.ill_defined.any()
    assert distinct.condition.max() == pytest.approx(1)


def test_slow_basis_spans_the_modes():
    rotation = torch.tensor([[0.6, -0.7, 0.2], [0.7, 0.6, 0.1], [0.0, 0.0, 0.1]])
    modes = linearize(linear(rotation), torch.zeros(1, 3), count=3)
    basis = modes.slow_basis(2)[0]
    J = rotation.to(torch.float64)
    torch.testing.assert_close(basis.mT @ basis, torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(basis @ basis.mT @ J @ basis, J @ basis)
    with pytest.raises(UsageError, match="cut no pair"):
        modes.slow_basis(1)


def test_known_eigenvalues_of_a_leaky_line():
    attractor = built.leaky_line(slow=0.99, fast=0.5)
    modes = linearize(attractor.cell, attractor.roots)
    torch.testing.assert_close(modes.eigenvalues.real, attractor.eigenvalues, atol=1e-13, rtol=0)
    assert float(modes.time_constants[0, 0]) == pytest.approx(99.4992, rel=1e-4)


def test_sign_without_a_readout_is_that_of_the_largest_component():
    modes = linearize(random_cell("gru"), torch.randn(5, 4))
    real = ~modes.oscillating[:, : modes.count]
    largest = modes.right.abs().argmax(-2, keepdim=True)
    assert (modes.right.gather(-2, largest).squeeze(-2).real[real] > 0).all()


def test_sign_follows_the_readout():
    model = built.line_model()
    c = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    states = built.lstm_integrator().continuum(c)
    modes = linearize(model, states)
    seen = model.cell.output(modes.right[:, :, 0].real)
    assert (seen @ model.contrast > 0).all()


def test_input_projection_on_the_line_is_known():
    """r_1 = (sech^2(c) / 2, 1) and l_1 = (0, 1), scaled so that r_1 is a unit vector."""
    model = built.line_model(units=1)
    c = torch.tensor([[-0.5], [0.0], [0.8]], dtype=torch.float64)
    states = built.lstm_integrator(units=1).continuum(c)
    modes = linearize(model, states)
    pushes = modes.input_projection(model.embedding)
    r = torch.cat([(1 - c.tanh() ** 2) / 2, torch.ones_like(c)], dim=-1)
    expected = r.norm(dim=-1, keepdim=True) * model.embedding[:, 0]
    assert pushes.dtype == torch.float64
    torch.testing.assert_close(pushes, expected, atol=1e-12, rtol=0)
    effects = modes.effects(model.embedding)
    assert effects.shape == (3, 5, 2)
    torch.testing.assert_close(effects[..., 1], model.embedding[:, 0].expand(3, 5))


def test_points_are_taken_in_the_stated_order_under_their_input():
    attractor = built.leaky_line()
    points = find_fixed_points(attractor.cell, attractor.seeds(30), [0.01])
    modes = linearize(attractor.cell, points)
    expected = torch.cat([points.manifold.states, points.continua.states, points.roots.states])
    torch.testing.assert_close(modes.states, expected)
    torch.testing.assert_close(modes.held.vector, points.held.vector)
    assert len(linearize(attractor.cell, points.roots)) == 1
    json.dumps(modes.summary())
    assert "time constants" in repr(modes)


def test_many_points_are_the_same_in_chunks(monkeypatch):
    cell = random_cell("lstm")
    states = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    whole = linearize(cell, states)
    monkeypatch.setattr("rnnscope.dynamics.problem.WORKSPACE", 24 * 8 * 8**2 * 3)
    parts = linearize(cell, states)
    torch.testing.assert_close(whole.eigenvalues, parts.eigenvalues, atol=1e-12, rtol=0)
    torch.testing.assert_close(whole.right, parts.right, atol=1e-9, rtol=0)


def test_bad_input():
    cell = random_cell("lstm")
    with pytest.raises(DataError, match="twice the units"):
        linearize(cell, torch.zeros(2, 4))
    with pytest.raises(DataError, match="finite"):
        linearize(cell, torch.full((2, 8), torch.nan))
    with pytest.raises(UsageError, match="At least one mode"):
        linearize(cell, torch.zeros(2, 8), count=0)
    modes = linearize(cell, torch.zeros(2, 8))
    with pytest.raises(DataError, match="wide"):
        modes.input_projection(torch.zeros(3, 5))
    with pytest.raises(UsageError, match="kept modes"):
        modes.input_projection(torch.zeros(3, 3), mode=8)
    with pytest.raises(UsageError, match="cut no pair"):
        modes.slow_basis(99)


def test_nothing_to_linearize_at():
    cell = built.single_root().cell
    points = find_fixed_points(cell, built.single_root().seeds(3), region=0.0, near=0.0)
    assert len(points.roots) == 1
    assert len(points.line_states) == 0
    with pytest.raises(NotApplicable, match="where the data goes"):
        linearize(cell, points)


def test_one_unit_network():
    cell = Vanilla(
        W=torch.ones(1, 1, dtype=torch.float64),
        V=torch.full((1, 1), 0.5, dtype=torch.float64),
        b=torch.zeros(1, dtype=torch.float64),
    )
    modes = linearize(cell, [0.0])
    assert modes.eigenvalues.tolist() == [[0.5]]
    assert modes.input_projection([[2.0]]).tolist() == [[2.0]]
