"""The guards around LAPACK."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics.certificate import certify
from rnnscope.dynamics.linalg import inverse, solve, solve_positive
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.spectral import Split
from rnnscope.numerics import single_thread
from rnnscope.synthetic import attractors as built
from tests.helpers import random_cell


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("two_threads")
def test_threads_are_given_back_even_after_an_error():
    def fail():
        with single_thread():
            assert torch.get_num_threads() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.get_num_threads() == 2


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("two_threads")
def test_large_batched_solves_return():
    """Pins the hang of batched LU in torch 2.13 with two threads and 192 rows or more."""
    A = torch.randn(2, 200, 200, dtype=torch.float64) + 20 * torch.eye(200)
    b = torch.randn(2, 200, dtype=torch.float64)
    torch.testing.assert_close((A @ solve(A, b)[..., None])[..., 0], b)
    torch.testing.assert_close(A @ inverse(A), torch.eye(200, dtype=torch.float64).expand_as(A))
    assert torch.get_num_threads() == 2


def test_singular_systems_are_not_finite_and_spare_the_others():
    A = torch.stack([torch.eye(2), torch.zeros(2, 2)]).to(torch.float64)
    b = torch.ones(2, 2, dtype=torch.float64)
    assert solve(A, b).isfinite().all(-1).tolist() == [True, False]
    assert inverse(A).isfinite().flatten(1).all(-1).tolist() == [True, False]
    shift = torch.zeros(2, dtype=torch.float64)
    assert solve_positive(A, shift, b).isfinite().all(-1).tolist() == [True, False]


def test_slow_projector_projects_and_commutes():
    A = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    split = Split.of(A, 1.5)
    P, rank = split.slow(1.5)
    torch.testing.assert_close(P @ P, P, atol=1e-9, rtol=0)
    torch.testing.assert_close(P @ A, A @ P, atol=1e-9, rtol=0)
    traces = P.diagonal(dim1=-2, dim2=-1).sum(-1)
    torch.testing.assert_close(traces, rank.to(torch.float64), atol=1e-9, rtol=0)


def test_iteration_and_full_decomposition_agree():
    rng = torch.Generator().manual_seed(0)
    A = torch.randn(3, 120, 120, generator=rng, dtype=torch.float64) / 120**0.5
    A[:2] -= 2 * torch.eye(120)
    slow = torch.randn(120, 2, generator=rng, dtype=torch.float64)
    A[1] += slow @ torch.linalg.pinv(slow) * 1.98
    split = Split.of(A, 0.4)
    iterated, full = (group.rows.tolist() for group in split.groups)
    assert 0 in iterated
    assert 2 in full
    P, rank = split.slow(0.4)
    a, R = torch.linalg.eig(A)
    expected = ((R * (a.abs() < 0.4)[:, None]) @ torch.linalg.inv(R)).real
    torch.testing.assert_close(P, expected, atol=1e-6, rtol=0)
    assert rank.tolist() == (a.abs() < 0.4).sum(-1).tolist()


def test_hessian_is_the_second_derivative_of_the_speed():
    cell = random_cell("lstm", n=3)
    problem = Problem(cell=cell, x=torch.zeros(3, dtype=torch.float64))
    h = torch.randn(6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def gradient(state):
        return problem.jacobian(state[None])[0].mT @ problem.residual(state[None])[0]

    step = 1e-6 * torch.eye(6, dtype=torch.float64)
    columns = [(gradient(h + d) - gradient(h - d)) / 2e-6 for d in step]
    torch.testing.assert_close(problem.hessian(h), torch.stack(columns), atol=1e-8, rtol=0)


def test_the_certificate_bounds_the_distance_to_the_root():
    attractor = built.single_root()
    problem = Problem(cell=attractor.cell, x=torch.zeros(1, dtype=torch.float64))
    off = attractor.roots + 1e-6 * torch.ones(1, 6, dtype=torch.float64) / 6**0.5
    found = certify(problem, off, radius=1e-2)
    assert bool(found.isolated)
    assert 1e-6 <= float(found.error) < 1.1e-6
    assert float(found.isolation) > 1e-3
