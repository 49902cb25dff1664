"""The certificate of an isolated root: what it promises, held against roots that are known."""

from __future__ import annotations

import pytest
import torch

from rnnscope.cells import Autodiff
from rnnscope.dynamics.certificate import certify, no_certificate
from rnnscope.dynamics.problem import Problem
from rnnscope.synthetic import attractors as built
from tests.dynamics.wide import at_zero, normal, wide_bistable


@pytest.mark.parametrize(
    "attractor", [built.flip_flop(), built.leaky_line(), built.single_root(units=9)]
)
def test_the_true_root_lies_within_the_error_and_no_other_within_the_isolation(attractor):
    problem = at_zero(attractor.cell)
    off = attractor.roots + 1e-9 * normal(*attractor.roots.shape)
    tested = certify(problem, off, radius=1e-2)
    assert tested.isolated.all()
    assert tested.proved.all()
    away = (off - attractor.roots).norm(dim=-1)
    assert (away <= tested.error).all()
    assert (tested.error <= tested.isolation).all()
    if len(attractor.roots) > 1:
        apart = torch.cdist(attractor.roots, attractor.roots)
        apart += torch.diag(torch.full((len(apart),), torch.inf, dtype=torch.float64))
        assert (tested.isolation < apart.amin(-1)).all()


def test_the_condition_is_the_one_of_kantorovich():
    problem = at_zero(built.bistable().cell)
    h = built.bistable().roots + 1e-6
    tested = certify(problem, h, radius=1e-2)
    for k in range(len(h)):
        A = problem.jacobian(h[k : k + 1])[0]
        b = 1 / torch.linalg.svdvals(A)[-1]
        e = torch.linalg.solve(A, problem.residual(h[k : k + 1])[0]).norm()
        product = b * tested.lipschitz[k] * e
        assert float(tested.product[k]) == pytest.approx(float(product), rel=1e-3)
        smaller = (1 - (1 - 2 * product).sqrt()) / (b * tested.lipschitz[k])
        assert float(tested.error[k]) == pytest.approx(float(smaller), rel=1e-3)


def test_a_point_that_is_no_root_is_not_certified():
    problem = at_zero(wide_bistable()[0])
    tested = certify(problem, 0.05 * normal(5, 100), radius=1e-3)
    assert not tested.isolated.any()
    assert torch.isnan(tested.error).all()


def test_a_step_of_the_user_s_is_verified_not_proved():
    def step(x, h):
        return torch.cos(h) + 0 * x

    cell = Autodiff(function=step, inputs=1, states=1, like=torch.zeros((), dtype=torch.float64))
    h = torch.tensor([[0.7390851332151607]], dtype=torch.float64)
    tested = certify(at_zero(cell), h, radius=1e-3)
    assert tested.isolated.all()
    assert not tested.proved.any()


def test_a_relu_root_is_proved_in_its_linear_region():
    cell = built.half_line().cell
    contraction = type(cell)(
        W=cell.W, V=0.5 * cell.V, b=torch.ones_like(cell.b), nonlinearity="relu"
    )
    root = torch.linalg.solve(
        torch.eye(len(cell.V), dtype=torch.float64) - contraction.V, contraction.b
    )
    assert (contraction.V @ root + contraction.b > 0).all()
    problem = Problem(cell=contraction, x=torch.zeros(contraction.input_size).double())
    tested = certify(problem, root[None], radius=1e-2)
    assert tested.isolated.all()
    assert tested.proved.all()
    assert float(tested.lipschitz) == 0


def test_nothing_is_certified_where_nothing_was_tested():
    assert not no_certificate(3).isolated.any()
