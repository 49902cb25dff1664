"""Modes: growth and decay told apart, stability, and modes of which only the slowest are known."""

from __future__ import annotations

import json
from dataclasses import replace
from math import e, log, pi

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.dynamics import linearize
from rnnscope.dynamics.eigenmodes import eigenmodes, uncut
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.stability import Stability
from rnnscope.errors import DataError, UsageError
from rnnscope.synthetic import attractors as built
from tests.dynamics.test_linearize import linear
from tests.helpers import random_cell


def diagonal(*values):
    return linearize(linear(torch.diag(torch.tensor(values))), torch.zeros(1, len(values)))


def rotation(modulus, angle):
    c, s = np.cos(angle), np.sin(angle)
    return modulus * torch.tensor([[c, -s], [s, c]], dtype=torch.float64)


def test_decay_and_growth_times_are_apart():
    modes = diagonal(2.0, 1.0, -0.5, 0.0)
    decay, growth = modes.decay_times[0], modes.growth_times[0]
    assert torch.isnan(decay[0])
    assert decay[1] == torch.inf
    assert decay[2] == pytest.approx(1 / log(2))
    assert decay[3] == 0
    assert growth[0] == pytest.approx(1 / log(2))
    assert torch.isnan(growth[1:]).all()
    signed = modes.signed_time_constants[0]
    assert signed[0] == pytest.approx(-1 / log(2))
    assert signed[2] == pytest.approx(1 / log(2))
    assert signed[1] == torch.inf
    assert modes.rates[0].tolist() == pytest.approx([log(2), 0.0, -log(2), -torch.inf])


@given(rate=st.floats(0.01, 3.0), grows=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_time_is_that_of_a_factor_e(rate, grows):
    value = np.exp(rate if grows else -rate)
    modes = diagonal(value)
    tau = modes.growth_times if grows else modes.decay_times
    assert value ** float(tau[0, 0]) == pytest.approx(e if grows else 1 / e, rel=1e-9)


def test_periods():
    J = torch.block_diag(rotation(0.9, 2 * pi / 7), torch.tensor([[-0.5]]), torch.tensor([[0.3]]))
    modes = linearize(linear(J), torch.zeros(1, 4))
    assert modes.periods[0].tolist() == pytest.approx([7, 7, 2, torch.inf])


@pytest.mark.parametrize(
    ("J", "kind", "index", "says"),
    [
        (torch.diag(torch.tensor([0.9, 0.1])), "stable node", 0, "all 2 modes decay"),
        (torch.diag(torch.tensor([-0.9, 0.1])), "stable node", 0, "changing sign every step"),
        (rotation(0.8, 2 * pi / 5), "stable spiral", 0, "turning once in 5"),
        (torch.diag(torch.tensor([1.5, 0.1, 0.2])), "saddle", 1, "index 1: 1 of 3 modes grow"),
        (torch.block_diag(rotation(1.2, 1.0), 0.5 * torch.eye(1)), "saddle", 2, "turning once in"),
        (torch.diag(torch.tensor([1.5, 1.1])), "repeller", 2, "all 2 modes grow"),
        (torch.eye(3), "marginal", 0, "3 modes are marginal, within 1e-06"),
        (torch.diag(torch.tensor([1.5, 1.0, 0.0])), "saddle", 1, "1 mode is marginal"),
        (torch.zeros(2, 2), "stable node", 0, "at once"),
    ],
)
def test_stability_of_known_matrices(J, kind, index, says):
    modes = linearize(linear(J), torch.zeros(1, len(J)))
    found = modes.stability(0)
    assert (found.kind, found.index, found.exact) == (kind, index, True)
    assert says in found.sentence
    assert str(found) == found.sentence
    assert found.index + found.marginal <= found.width


def test_marginal_is_within_the_tolerance_asked_for():
    modes = diagonal(1.0005, 0.5)
    assert modes.stability(0).kind == "saddle"
    loose = modes.stability(0, tolerance=1e-3)
    assert (loose.kind, loose.marginal, loose.tolerance) == ("marginal", 1, 1e-3)
    assert "within 0.001" in loose.sentence


def test_flip_flop_saddles_have_their_index():
    attractor = built.flip_flop(bits=3)
    modes = linearize(attractor.cell, attractor.roots)
    found = [modes.stability(k) for k in range(len(modes))]
    assert [one.index for one in found] == attractor.unstable.tolist()
    assert {one.kind for one in found} == {"stable node", "saddle", "repeller"}


def test_condition_is_how_far_a_small_change_moves_the_eigenvalue():
    J = np.array([[0.9, 5.0, 0.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.2]])
    modes = linearize(linear(J), torch.zeros(1, 3))
    for a in range(3):
        left, right = modes.left[0, a].real.numpy(), modes.right[0, :, a].real.numpy()
        worst = np.outer(left, right) / np.linalg.norm(left) / np.linalg.norm(right)
        moved = np.linalg.eigvals(J + 1e-7 * worst)
        near = moved[np.abs(moved - modes.eigenvalues[0, a].item()).argmin()]
        change = abs(near - modes.eigenvalues[0, a].item()) / 1e-7
        assert change == pytest.approx(float(modes.condition[0, a]), rel=1e-4)
    normal = diagonal(0.9, 0.5)
    assert normal.condition.tolist() == [pytest.approx([1, 1])]


def slowest(modes, kept):
    """The same modes as an iteration would give them: only the slowest known."""
    return replace(
        modes,
        eigenvalues=modes.eigenvalues[:, :kept],
        right=modes.right[..., :kept],
        left=modes.left[:, :kept],
        complete=False,
        residuals=torch.full((len(modes), kept), 1e-9, dtype=torch.float64),
    )


def test_the_slowest_alone_agree_with_all_where_they_can():
    modes = linearize(random_cell("gru", n=6, scale=2.0), torch.randn(5, 6), count=6)
    kept = uncut(modes.eigenvalues, 3)
    part = slowest(modes, kept)
    assert part.width == 6
    assert not part.complete
    assert torch.equal(part.radius, modes.radius)
    assert torch.equal(part.stable, modes.stable)
    exact = ~part.unstable_bound
    assert torch.equal(part.unstable_count[exact], modes.unstable_count[exact])
    assert (part.unstable_count <= modes.unstable_count).all()
    assert torch.equal(part.time_constants, modes.time_constants[:, :kept])
    for k in range(5):
        if part.stability(k).exact:
            assert part.stability(k).kind == modes.stability(k).kind
            assert part.stability(k).index == modes.stability(k).index
    summary = json.loads(json.dumps(part.summary()))
    assert summary["complete"] is False
    assert summary["worst_residual"] == 1e-9
    assert part.ill_defined.shape == (5, kept)


def test_a_count_that_is_only_a_bound_says_so():
    modes = diagonal(1.5, 1.2, 1.1, 0.5)
    part = slowest(modes, 2)
    assert part.unstable_bound.tolist() == [True]
    assert part.unstable_count.tolist() == [2]
    found = part.stability(0)
    assert (found.kind, found.exact) == ("unstable", False)
    assert "at least 2 of 4 modes grow" in found.sentence
    assert slowest(modes, 4).stability(0).kind == "saddle"
    assert not modes.unstable_bound.any()
    marginal = slowest(diagonal(1.0, 1.0, 1.0, 0.5), 2).stability(0)
    assert "at least 2 modes are marginal" in marginal.sentence


def test_modes_are_not_called_complete_without_every_eigenvalue():
    modes = diagonal(0.9, 0.5, 0.1)
    with pytest.raises(UsageError, match="every eigenvalue"):
        replace(modes, eigenvalues=modes.eigenvalues[:, :2])


def test_bad_input():
    modes = diagonal(0.9, 0.5)
    with pytest.raises(UsageError, match="one point"):
        modes.stability(1)
    with pytest.raises(UsageError, match="distance"):
        modes.stability(0, tolerance=-1.0)
    with pytest.raises(UsageError, match="distance"):
        Stability.of(modes.eigenvalues[0], width=2, tolerance=float("nan"))
    with pytest.raises(DataError, match="1 of 2 that are not"):
        Stability.of(torch.tensor([0.5, torch.nan], dtype=torch.complex128), width=2)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_eigenmodes_are_those_of_numpy(seed, n):
    J = torch.randn(3, n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values, right, left = eigenmodes(J, count=n)
    for k in range(3):
        expected = np.linalg.eigvals(J[k].numpy())
        for value in values[k].tolist():
            assert np.abs(expected - value).min() < 1e-10
        spread = right[k] @ torch.diag(values[k]) @ left[k]
        if torch.linalg.cond(right[k]) < 1e6:
            torch.testing.assert_close(spread.real, J[k], atol=1e-8, rtol=0)
    assert (values.abs().diff(dim=-1) <= 0).all()


def test_batches_with_and_without_a_cut_pair_can_be_joined():
    real, turning = torch.diag(torch.tensor([0.9, 0.5, 0.1])), torch.eye(3)
    turning[1:, 1:] = rotation(0.5, 1.0)
    shapes = [eigenmodes(J.double()[None], count=2, spare=True)[1].shape for J in (real, turning)]
    assert shapes == [(1, 3, 3), (1, 3, 3)]
    assert eigenmodes(real.double()[None], count=2)[1].shape == (1, 3, 2)
    assert isinstance(diagonal(0.5), Modes)
