"""Every cell against its loop-by-loop reference, autograd and torch's own modules."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnscope.cells as cells
from rnnscope.errors import DataError, ModelError, NotApplicable
from tests.helpers import random_cell
from tests.reference.cells import STEPS

KINDS = sorted(cells.CELLS)
CASES = [(kind, {}) for kind in KINDS] + [("vanilla", {"nonlinearity": "relu"})]


def points(cell, *batch, seed=1, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(*batch, cell.input_size, generator=rng, dtype=cell.dtype)
    h = scale * torch.randn(*batch, cell.state_size, generator=rng, dtype=cell.dtype)
    return x, h


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_step_is_the_equation(kind, options):
    cell = random_cell(kind, **options)
    x, h = points(cell, 5)
    got = cell.step(x, h)
    for row in range(5):
        expected = STEPS[kind](cell, x[row].tolist(), h[row].tolist())
        torch.testing.assert_close(
            got[row], torch.tensor(expected, dtype=torch.float64), atol=1e-14, rtol=0
        )


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_closed_jacobians_are_autograds(kind, options):
    cell = random_cell(kind, n=6, **options)
    x, h = points(cell, 2, 3)
    J_rec, J_inp = cell.J_rec(x, h), cell.J_inp(x, h)
    assert J_rec.shape == (2, 3, cell.state_size, cell.state_size)
    assert J_inp.shape == (2, 3, cell.state_size, cell.input_size)
    for a in range(2):
        for b in range(3):
            by_x, by_h = torch.autograd.functional.jacobian(cell.step, (x[a, b], h[a, b]))
            torch.testing.assert_close(J_rec[a, b], by_h, atol=1e-10, rtol=0)
            torch.testing.assert_close(J_inp[a, b], by_x, atol=1e-10, rtol=0)


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS), scale=st.floats(0.1, 30))
@settings(max_examples=40, deadline=None)
def test_jacobian_is_the_finite_difference(seed, kind, scale):
    cell = random_cell(kind, seed=seed, scale=min(scale, 3))
    x, h = points(cell, seed=seed, scale=scale)
    rng = torch.Generator().manual_seed(seed)
    direction = torch.randn(cell.state_size, generator=rng, dtype=torch.float64)
    eps = 1e-6
    numeric = (cell.step(x, h + eps * direction) - cell.step(x, h - eps * direction)) / (2 * eps)
    torch.testing.assert_close(cell.J_rec(x, h) @ direction, numeric, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        ("vanilla", torch.nn.RNNCell(3, 4, dtype=torch.float64)),
        ("gru", torch.nn.GRUCell(3, 4, dtype=torch.float64)),
        ("lstm", torch.nn.LSTMCell(3, 4, dtype=torch.float64)),
    ],
)
def test_step_is_torchs(kind, module):
    with torch.no_grad():
        bias = {"b": module.bias_ih + module.bias_hh}
        if kind == "gru":
            b, a = module.bias_ih.clone(), module.bias_hh
            b[:8] += a[:8]
            bias = {"b": b, "a": a[8:].clone()}
        cell = cells.CELLS[kind](W=module.weight_ih.clone(), V=module.weight_hh.clone(), **bias)
        x, h = points(cell, 7)
        if kind == "lstm":
            expected = torch.cat(module(x, (h[:, :4], h[:, 4:])), dim=-1)
        else:
            expected = module(x, h)
    torch.testing.assert_close(cell.step(x, h), expected, atol=1e-14, rtol=0)


def test_the_two_grus_differ():
    torchs = random_cell("gru")
    original = cells.ResetFirstGRU(W=torchs.W, V=torchs.V, b=torchs.b)
    x, h = points(torchs, 3)
    assert (torchs.step(x, h) - original.step(x, h)).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["ugrnn", "gru", "gru_reset_first", "lstm", "lstm_projected"])
def test_memory_is_kept_and_written(kind):
    """memory' - keep * memory does not depend on the old memory but through the gates."""
    cell = random_cell(kind)
    x, h = points(cell, 5)
    gates = cell.gates(x, h)
    after = cell.update(gates, h)
    written = cell.memory(after) - cell.keep(gates) * cell.memory(h)
    candidate = gates["g"] if "g" in gates else gates["n"]
    gain = gates["i"] if kind.startswith("lstm") else 1 - cell.keep(gates)
    torch.testing.assert_close(written, gain * candidate, atol=1e-14, rtol=0)
    torch.testing.assert_close(cell.expose(cell.memory(after), gates), cell.output(after))


def test_vanilla_has_no_keep():
    cell = random_cell("vanilla")
    with pytest.raises(NotApplicable, match="no gate that keeps"):
        cell.keep(cell.gates(*points(cell)))


def test_autodiff_agrees_with_closed_form():
    cell = random_cell("gru")
    free = cells.Autodiff(
        function=cell.step, inputs=3, states=4, like=torch.zeros((), dtype=torch.float64)
    )
    x, h = points(cell, 2, 3)
    torch.testing.assert_close(free.step(x, h), cell.step(x, h))
    torch.testing.assert_close(free.J_rec(x, h), cell.J_rec(x, h), atol=1e-12, rtol=0)
    torch.testing.assert_close(free.J_inp(x, h), cell.J_inp(x, h), atol=1e-12, rtol=0)


def test_autodiff_names_what_the_step_returned():
    with pytest.raises(ModelError, match=r"tensor \(2, 4\)"):
        cells.Autodiff(function=lambda x, h: h[..., :3], inputs=3, states=4)


def test_autodiff_without_input():
    double = torch.zeros((), dtype=torch.float64)
    cell = cells.Autodiff(function=lambda x, h: torch.tanh(h), inputs=0, states=2, like=double)
    h = torch.tensor([[0.5, -0.5]], dtype=torch.float64)
    x = torch.empty(1, 0, dtype=torch.float64)
    slope = 1 - torch.tanh(h) ** 2
    torch.testing.assert_close(cell.J_rec(x, h), torch.diag_embed(slope))
    assert cell.J_inp(x, h).shape == (1, 2, 0)


@pytest.mark.parametrize(
    "step", [lambda x, h: h.mul(2).add_(float(h.sum())), lambda x, h: h + torch.rand_like(h)]
)
def test_autodiff_says_what_it_cannot_differentiate(step):
    cell = cells.Autodiff(function=step, inputs=2, states=2)
    with pytest.raises(ModelError, match="row by row"):
        cell.J_rec(torch.ones(1, 2), torch.ones(1, 2))


def test_autodiff_refuses_a_step_that_changes_the_dtype():
    double = torch.zeros((), dtype=torch.float64)
    with pytest.raises(ModelError, match="keep the dtype"):
        cells.Autodiff(function=lambda x, h: h.float(), inputs=2, states=2, like=double)


@pytest.mark.parametrize("kinds", [("lstm", "gru"), ("vanilla", "lstm", "ugrnn")])
def test_stack_is_one_system(kinds):
    layers = tuple(random_cell(kind, d=3 if k == 0 else 4, seed=k) for k, kind in enumerate(kinds))
    stack = cells.Stack(layers=layers)
    x, h = points(stack, 2)
    seen, parts = x, []
    for layer, own in zip(layers, stack.split(h), strict=True):
        parts.append(layer.step(seen, own))
        seen = layer.output(parts[-1])
    torch.testing.assert_close(stack.step(x, h), torch.cat(parts, dim=-1))
    torch.testing.assert_close(stack.output(torch.cat(parts, dim=-1)), seen)
    for row in range(2):
        by_x, by_h = torch.autograd.functional.jacobian(stack.step, (x[row], h[row]))
        torch.testing.assert_close(stack.J_rec(x, h)[row], by_h, atol=1e-10, rtol=0)
        torch.testing.assert_close(stack.J_inp(x, h)[row], by_x, atol=1e-10, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind):
    cell = random_cell(kind, dtype=torch.float32)
    x, h = points(cell, 2)
    for value in (cell.step(x, h), cell.J_rec(x, h), cell.J_inp(x, h)):
        assert value.dtype == torch.float32
    assert cell.to(torch.float64).dtype == torch.float64


def test_wrong_widths_and_dtypes_are_named():
    cell = random_cell("lstm")
    x, h = points(cell, 2)
    with pytest.raises(DataError, match="state of a lstm cell"):
        cell.step(x, h[:, :4])
    with pytest.raises(DataError, match=r"torch\.float64"):
        cell.step(x.float(), h)
    with pytest.raises(ModelError, match="weight b"):
        cells.LSTM(W=cell.W, V=cell.V, b=cell.b[:3])


def test_a_projection_that_does_not_fit_is_named():
    cell = random_cell("lstm_projected")
    assert cell.state_size == 4 + 6
    with pytest.raises(ModelError, match="weight W of a lstm_projected cell"):
        cells.ProjectedLSTM(W=cell.W, V=cell.V, b=cell.b, R=cell.R[:, :5])
    with pytest.raises(ModelError, match="weight R"):
        cells.ProjectedLSTM(W=cell.W, V=cell.V, b=cell.b, R=cell.R[:3])
