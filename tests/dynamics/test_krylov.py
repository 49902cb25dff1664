"""Functions of A applied to a vector, against the full decomposition."""

from __future__ import annotations

import torch

from rnnscope.cells.tangent import Dense
from rnnscope.dynamics.krylov import Krylov
from tests.dynamics.wide import normal


def exact(A, g, f):
    values, R = torch.linalg.eig(A)
    parts = torch.linalg.solve(R, g.to(R.dtype).unsqueeze(-1)).squeeze(-1)
    return (R @ (f(values) * parts).unsqueeze(-1)).squeeze(-1).real


def test_a_full_space_gives_any_function_exactly():
    A = -torch.eye(12) + 0.2 * normal(3, 12, 12)
    g = normal(3, 12, seed=2)
    space = Krylov.of(Dense(J=A + torch.eye(12)), g, 12)
    for f in (torch.exp, lambda a: a**3, lambda a: (a.abs() > 1).to(a.dtype)):
        got = space.expand(space.coordinates(f(space.values)))
        torch.testing.assert_close(got, exact(A, g, f), atol=1e-9, rtol=0)
    basis = space.basis
    eye = torch.eye(12, dtype=torch.float64).expand(3, -1, -1)
    torch.testing.assert_close(basis @ basis.mT, eye, atol=1e-12, rtol=0)


def test_a_small_space_is_exact_for_polynomials_below_its_depth():
    A = normal(2, 30, 30) / 6
    g = normal(2, 30, seed=3)
    space = Krylov.of(Dense(J=A + torch.eye(30)), g, 5)
    got = space.expand(space.coordinates(space.values**4))
    want = g
    for _ in range(4):
        want = (A @ want.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(got, want, atol=1e-10, rtol=0)


def test_a_space_that_ends_early_is_no_trouble():
    A = torch.diag(torch.tensor([-0.5, -0.5, -0.5, -0.1], dtype=torch.float64))[None]
    g = torch.ones(1, 4, dtype=torch.float64)
    space = Krylov.of(Dense(J=A + torch.eye(4)), g, 4)
    inverse = torch.where(space.values.abs() > 1e-12, 1 / space.values, 0)
    got = space.expand(space.coordinates(inverse))
    torch.testing.assert_close(got, g / A[0].diagonal(), atol=1e-10, rtol=0)


def test_a_zero_vector_and_one_that_is_not_finite_do_not_spoil_their_neighbours():
    A = -torch.eye(6) + 0.1 * normal(3, 6, 6)
    g = normal(3, 6)
    alone = Krylov.of(Dense(J=A[2:] + torch.eye(6)), g[2:], 6)
    g[0], g[1] = 0, torch.nan
    space = Krylov.of(Dense(J=A + torch.eye(6)), g, 6)
    together = space.expand(space.coordinates(torch.exp(space.values)))
    assert (together[0] == 0).all()
    assert torch.isnan(together[1]).any()
    want = alone.expand(alone.coordinates(torch.exp(alone.values)))
    torch.testing.assert_close(together[2:], want, atol=1e-12, rtol=0)
