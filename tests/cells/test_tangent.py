"""``tangent`` against the Jacobian it stands for."""

from __future__ import annotations

import pytest
import torch

import rnnscope.cells as cells
from tests.helpers import random_cell

KINDS = [*sorted(cells.CELLS), "stack"]


def cell_and_points(kind, seed=0):
    if kind == "stack":
        lower, upper = random_cell("lstm", n=3), random_cell("gru", d=3, n=4, seed=1)
        cell = cells.Stack(layers=(lower, upper))
    else:
        cell = random_cell(kind, n=5, seed=seed)
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(6, cell.input_size, generator=rng, dtype=torch.float64)
    h = torch.randn(6, cell.state_size, generator=rng, dtype=torch.float64)
    v = torch.randn(6, 3, cell.state_size, generator=rng, dtype=torch.float64)
    return cell, x, h, v


@pytest.mark.parametrize("kind", KINDS)
def test_push_and_pull_are_products_with_autograds_jacobian(kind):
    cell, x, h, v = cell_and_points(kind)
    tangent = cell.tangent(x, h)
    for p in range(len(h)):
        J = torch.autograd.functional.jacobian(lambda s, p=p: cell.step(x[p], s), h[p])
        for k in range(v.shape[1]):
            torch.testing.assert_close(tangent.push(v)[p, k], J @ v[p, k], atol=1e-12, rtol=0)
            torch.testing.assert_close(tangent.pull(v)[p, k], J.mT @ v[p, k], atol=1e-12, rtol=0)
        torch.testing.assert_close(tangent.matrix()[p], J, atol=1e-12, rtol=0)
    torch.testing.assert_close(tangent.push(v[:, 0]), tangent.push(v)[:, 0], atol=1e-13, rtol=0)
    torch.testing.assert_close(tangent.pull(v[:, 0]), tangent.pull(v)[:, 0], atol=1e-13, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_some_of_the_points(kind):
    cell, x, h, v = cell_and_points(kind)
    k = torch.tensor([4, 1])
    some = cell.tangent(x, h).rows(k)
    torch.testing.assert_close(some.push(v[k]), cell.tangent(x, h).push(v)[k], atol=1e-13, rtol=0)
    torch.testing.assert_close(some.pull(v[k]), cell.tangent(x, h).pull(v)[k], atol=1e-13, rtol=0)


def test_closed_forms_do_without_matrices():
    free = {kind for kind in cells.CELLS if random_cell(kind).matrix_free}
    assert free == {"vanilla", "ugrnn", "gru", "lstm", "lstm_projected"}
