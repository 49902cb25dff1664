"""A callable that holds float64 weights is studied like any other network."""

from __future__ import annotations

import pytest
import torch

from rnnscope.cells import Autodiff, Stack, Vanilla
from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.dynamics.any_precision import in_any_precision
from rnnscope.errors import ModelError
from tests.helpers import random_cell

LIKE = torch.zeros((), dtype=torch.float64)


def vanilla():
    return random_cell("vanilla", scale=0.9)


def as_callable(cell):
    """The step of a cell as a user would write it, weights and all."""

    def step(x, h):
        return torch.tanh(x @ cell.W.mT + h @ cell.V.mT + cell.b)

    return Autodiff(function=step, inputs=cell.input_size, states=cell.state_size, like=LIKE)


def test_the_search_gives_what_the_same_cell_in_closed_form_gives():
    cell, x = vanilla(), [0.3, -0.2, 0.1]
    seeds = torch.randn(10, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    known, found = (find_fixed_points(one, seeds, x) for one in (cell, as_callable(cell)))
    torch.testing.assert_close(found.roots.states, known.roots.states, atol=1e-12, rtol=0)
    assert torch.equal(found.basin, known.basin)
    assert found.outcomes == known.outcomes
    assert (found.check.agree, found.check.disagree) == (known.check.agree, 0)
    modes = linearize(as_callable(cell), found.roots, x)
    eigenvalues = linearize(cell, known.roots, x).eigenvalues
    torch.testing.assert_close(modes.eigenvalues, eigenvalues, atol=1e-9, rtol=0)


def test_in_float32_it_is_the_float64_step_rounded():
    cell = as_callable(vanilla())
    with pytest.raises(ModelError, match="dtype asked of it"):
        cell.to(torch.float32)
    single = in_any_precision(cell).to(torch.float32)
    x, h = torch.randn(5, 3), torch.randn(5, 4)
    assert single.step(x, h).dtype == torch.float32
    assert torch.equal(single.step(x, h), cell.step(x.double(), h.double()).float())
    assert torch.equal(single.J_rec(x, h), cell.J_rec(x.double(), h.double()).float())
    assert torch.equal(single.J_inp(x, h), cell.J_inp(x.double(), h.double()).float())


def test_in_float64_it_is_the_step_itself():
    cell = as_callable(vanilla())
    wrapped = in_any_precision(cell)
    x, h = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    assert torch.equal(wrapped.step(x, h), cell.step(x, h))


def test_what_runs_in_any_precision_is_left_as_it_is():
    free = Autodiff(function=lambda x, h: torch.tanh(h + x), inputs=2, states=2, like=LIKE)
    closed = vanilla()
    assert in_any_precision(free) is free
    assert in_any_precision(closed) is closed


def test_within_a_stack():
    lower = vanilla()
    n = lower.hidden_size
    upper = Vanilla(
        W=0.5 * torch.eye(n, dtype=torch.float64),
        V=0.3 * torch.eye(n, dtype=torch.float64),
        b=torch.zeros(n, dtype=torch.float64),
    )
    seeds = torch.zeros(3, 2 * n)
    known = find_fixed_points(Stack(layers=(lower, upper)), seeds)
    found = find_fixed_points(Stack(layers=(as_callable(lower), upper)), seeds)
    torch.testing.assert_close(found.roots.states, known.roots.states, atol=1e-10, rtol=0)
