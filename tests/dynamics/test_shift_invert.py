"""The slowest modes by Krylov spaces, against the full decomposition."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import linearize
from rnnscope.dynamics.shift_invert import slow_modes
from rnnscope.errors import UsageError
from tests.dynamics.wide import at_zero, normal, wide_leaky_line, wide_random


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_values_vectors_and_residuals_are_those_of_the_matrix(kind):
    cell = wide_random(kind)
    states = 0.3 * normal(20, cell.state_size)
    found = linearize(cell, states, count=6, method="krylov")
    full = linearize(cell, states, count=6, method="dense")
    assert not found.complete
    assert full.complete
    k = min(found.count, full.count)
    got, want = found.eigenvalues[:, :k].abs(), full.eigenvalues[:, :k].abs()
    torch.testing.assert_close(got, want, atol=1e-6, rtol=0)
    eye = torch.eye(found.count, dtype=torch.complex128).expand(20, -1, -1)
    torch.testing.assert_close(found.left @ found.right, eye, atol=1e-9, rtol=0)
    J = cell.J_rec(torch.zeros(20, 2, dtype=torch.float64), states).to(found.right.dtype)
    error = (J @ found.right - found.right * found.eigenvalues[:, None, :]).norm(dim=-2)
    torch.testing.assert_close(found.residuals, error, atol=1e-12, rtol=1e-3)
    assert (error[:, :6] <= 1e-5).all()
    left = (found.left @ J - found.eigenvalues[..., None] * found.left).norm(dim=-1)
    assert (left[:, :6] <= 1e-4 * found.left.norm(dim=-1)[:, :6]).all()


def test_large_modes_far_from_one_are_not_missed():
    cell, _ = wide_leaky_line()
    V = cell.V.clone()
    # A fast oscillation that decays more slowly than all but the first mode.
    V[0, 0], V[0, 1], V[1, 0], V[1, 1] = 0.0, 0.9, -0.9, 0.0
    V[:2, 2:] = V[2:, :2] = 0
    changed = type(cell)(W=cell.W, V=V, b=cell.b)
    states = torch.zeros(16, 100, dtype=torch.float64)
    found = slow_modes(at_zero(changed), states, count=4)
    full = torch.linalg.eigvals(V)
    largest = full.abs().sort(descending=True).values[:4]
    torch.testing.assert_close(found.values[0, :4].abs(), largest, atol=1e-6, rtol=0)
    assert found.dense.all()


def test_what_is_known_of_a_line_is_found_on_it():
    cell, Q = wide_leaky_line(slow=0.999)
    found = linearize(cell, torch.zeros(16, 100, dtype=torch.float64), count=1, method="krylov")
    torch.testing.assert_close(
        found.eigenvalues[:, 0].real, torch.full((16,), 0.999, dtype=torch.float64)
    )
    assert ((found.right[:, :, 0].real @ Q[:, 0]).abs() > 1 - 1e-9).all()


def test_an_unknown_method_is_refused():
    cell, _ = wide_leaky_line()
    with pytest.raises(UsageError, match="method"):
        linearize(cell, torch.zeros(1, 100), method="lanczos")
