"""Modes as subspaces: defective and repeated eigenvalues, planes, projectors, angles."""

from __future__ import annotations

from math import log, pi

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag

from rnnscope.cells import Vanilla
from rnnscope.dynamics import linearize
from rnnscope.dynamics.paths import follow
from rnnscope.dynamics.step_jacobians import jacobians, trajectory_modes
from rnnscope.dynamics.subspaces import (
    link_groups,
    matrix_groups,
    mode_groups,
    principal_angles,
)
from rnnscope.errors import DataError, UsageError
from tests.helpers import random_cell


def jordan(value, size, coupling=1.0):
    return value * np.eye(size) + coupling * np.eye(size, k=1)


def turn(modulus, angle):
    c, s = np.cos(angle), np.sin(angle)
    return modulus * np.array([[c, -s], [s, c]])


def basis(size, seed, *, oblique=False):
    """Coordinates to hide a block matrix in: rotated, or oblique."""
    S = np.random.default_rng(seed).standard_normal((size, size))
    return S if oblique else np.linalg.qr(S)[0]


def hidden(J, seed=0, *, oblique=False):
    S = basis(len(J), seed, oblique=oblique)
    return S @ J @ np.linalg.inv(S)


def tanh_cell(J):
    """A tanh network whose Jacobian at 0 is J."""
    V = torch.as_tensor(J, dtype=torch.float64)
    zero = torch.zeros(len(V), dtype=torch.float64)
    return Vanilla(W=zero[:, None].clone(), V=V, b=zero)


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_jordan_block_is_a_subspace_and_not_vectors(size, oblique):
    J = hidden(block_diag(jordan(0.9, size), np.diag([0.5, 0.2])), oblique=oblique)
    modes = linearize(tanh_cell(J), torch.zeros(1, size + 2))
    (groups,) = mode_groups(modes)
    first = groups[0]
    assert first.kind == "defective"
    assert first.size == size
    assert first.ranks == tuple(range(size))
    assert first.vectors == 1
    assert first.eigenvalue == pytest.approx(0.9, abs=1e-12)
    assert "read their space, no vector" in first.sentence
    S = basis(size + 2, 0, oblique=oblique)
    expected = S[:, :size] @ np.linalg.inv(S)[:size]
    np.testing.assert_allclose(first.projector.numpy(), expected, atol=1e-9)
    assert first.condition == pytest.approx(np.linalg.norm(expected, 2), rel=1e-8)
    assert first.time_constant == pytest.approx(-1 / log(0.9))
    assert [group.kind for group in groups[1:]] == ["single", "single"]


def test_a_jordan_block_beside_a_vector_of_the_same_eigenvalue():
    J = hidden(block_diag(jordan(0.9, 2), np.diag([0.9, 0.2])))
    first = matrix_groups(J)[0]
    assert (first.kind, first.size, first.vectors) == ("defective", 3, 2)


def test_a_jordan_block_of_planes():
    pair = turn(0.95, 0.3)
    J = np.block([[pair, np.eye(2)], [np.zeros((2, 2)), pair]])
    first = matrix_groups(hidden(block_diag(J, np.diag([0.5]))))[0]
    assert (first.kind, first.size, first.vectors) == ("defective", 4, 1)
    assert first.eigenvalue == pytest.approx(0.95 * np.exp(0.3j), abs=1e-9)


def test_a_nilpotent_matrix():
    (only,) = matrix_groups(hidden(jordan(0.0, 3)))
    assert (only.kind, only.vectors, only.eigenvalue) == ("defective", 1, 0)
    assert "gone after a few steps" in only.sentence
    (zero,) = matrix_groups(np.zeros((2, 2)))
    assert (zero.kind, zero.time_constant) == ("repeated", 0)


@pytest.mark.parametrize("oblique", [False, True])
def test_repeated_eigenvalues_with_their_vectors(oblique):
    J = hidden(block_diag(0.9 * np.eye(3), np.diag([0.5, 0.2])), oblique=oblique)
    first, *others = matrix_groups(J)
    assert (first.kind, first.size, first.vectors) == ("repeated", 3, 3)
    assert "any vectors of their space" in first.sentence
    np.testing.assert_allclose((J @ first.basis.numpy()), 0.9 * first.basis.numpy(), atol=1e-10)
    assert len(others) == 2
    pairs = matrix_groups(hidden(block_diag(turn(0.9, 1.0), turn(0.9, 1.0), [[0.1]])))
    assert (pairs[0].kind, pairs[0].size, pairs[0].vectors) == ("repeated", 4, 2)


def test_near_is_what_the_caller_says():
    J = np.diag([0.9, 0.899, 0.5])
    assert [group.size for group in matrix_groups(J)] == [1, 1, 1]
    wide = matrix_groups(J, gap=0.01)
    assert [(group.kind, group.size) for group in wide] == [("repeated", 2), ("single", 1)]
    assert wide[0].eigenvalue == pytest.approx(0.8995)
    steep = np.array([[0.9, 5.0], [0.0, 0.5]])
    assert [group.size for group in matrix_groups(steep)] == [1, 1]
    assert [group.size for group in matrix_groups(steep, limit=10)] == [2]


def test_a_plane_turns_and_decays():
    J = hidden(block_diag(turn(0.9, 2 * pi / 7), [[0.5]]))
    plane, single = matrix_groups(J)
    assert plane.kind == "plane"
    assert plane.angle == pytest.approx(2 * pi / 7)
    assert plane.period == pytest.approx(7)
    assert plane.modulus == pytest.approx(0.9)
    assert plane.time_constant == pytest.approx(-1 / log(0.9))
    assert plane.aspect == pytest.approx(1)
    assert "once in 7 steps" in plane.sentence
    assert single.period == np.inf
    B, R = plane.basis.numpy(), plane.block.numpy()
    np.testing.assert_allclose(B.T @ B, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(J @ B, B @ R, atol=1e-12)
    state = B @ [1.0, 0.0]
    for _ in range(7):
        state = J @ state
    np.testing.assert_allclose(state, 0.9**7 * (B @ [1.0, 0.0]), atol=1e-12)
    stretched = np.diag([3.0, 1.0]) @ turn(0.9, 1.0) @ np.diag([1 / 3, 1.0])
    assert matrix_groups(stretched)[0].aspect == pytest.approx(3)
    with pytest.raises(UsageError, match="Only a plane"):
        _ = single.aspect
    growing = matrix_groups([[-1.5]])[0]
    assert growing.time_constant < 0
    assert "growth by e in 2.47 steps, changing sign every step" in growing.sentence
    assert "no growth and no decay" in matrix_groups([[1.0]])[0].sentence


@given(seed=st.integers(0, 10_000), n=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_projectors_of_all_groups_split_the_space(seed, n):
    J = np.random.default_rng(seed).standard_normal((n, n))
    groups = matrix_groups(J)
    scale = np.linalg.norm(J, 2) * sum(group.condition for group in groups)
    total = np.zeros((n, n))
    for group in groups:
        P = group.projector.numpy()
        total += P
        np.testing.assert_allclose(P @ P, P, atol=1e-12 * group.condition**2)
        np.testing.assert_allclose(P @ J, J @ P, atol=1e-12 * scale * group.condition)
        np.testing.assert_allclose(np.trace(P), group.size, atol=1e-10 * scale)
        L, R = group.dual.numpy(), group.basis.numpy()
        np.testing.assert_allclose(L @ R, np.eye(group.size), atol=1e-10)
        np.testing.assert_allclose(R.T @ R, np.eye(group.size), atol=1e-12)
        np.testing.assert_allclose(L @ J @ R, group.block.numpy(), atol=1e-11 * scale)
        assert group.condition >= 1 - 1e-12
    np.testing.assert_allclose(total, np.eye(n), atol=1e-10 * scale)
    assert sorted(k for group in groups for k in group.ranks) == list(range(n))
    moduli = np.concatenate([group.eigenvalues.abs().numpy() for group in groups])
    np.testing.assert_allclose(
        np.sort(moduli), np.sort(np.abs(np.linalg.eigvals(J))), atol=1e-6 * scale
    )


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_single_modes_have_the_projector_of_their_vectors(seed):
    J = np.random.default_rng(seed).standard_normal((6, 6))
    values, R = np.linalg.eig(J)
    L = np.linalg.inv(R)
    for group in matrix_groups(J):
        expected = np.zeros((6, 6))
        for value in group.eigenvalues.numpy():
            a = np.abs(values - value).argmin()
            expected = expected + np.outer(R[:, a], L[a])
        np.testing.assert_allclose(group.projector.numpy(), expected.real, atol=1e-7)
        if group.kind == "single":
            a = np.abs(values - group.eigenvalue).argmin()
            alone = np.linalg.norm(L[a]) * np.linalg.norm(R[:, a])
            assert group.condition == pytest.approx(alone, rel=1e-6)


def test_condition_and_separation_are_what_a_small_change_does():
    J = hidden(block_diag(jordan(0.9, 2), np.diag([0.5, 0.2])), oblique=True)
    before = matrix_groups(J)[0]
    worst = 0.0
    for seed in range(20):
        E = np.random.default_rng(seed).standard_normal(J.shape)
        E *= 1e-7 / np.linalg.norm(E, 2)
        after = matrix_groups(J + E, limit=100)[0]
        assert after.size == 2
        moved = abs(complex(after.eigenvalues.mean()) - before.eigenvalue)
        assert moved <= 1.01e-7 * before.condition
        worst = max(worst, float(principal_angles(before, after)[0]))
    T11 = before.block.numpy()
    Q = np.linalg.qr(np.hstack([before.basis.numpy(), np.eye(4)[:, :2]]))[0]
    T22 = (Q.T @ J @ Q)[2:, 2:]
    exact = np.linalg.svd(np.kron(np.eye(2), T11) - np.kron(T22.T, np.eye(2)))[1].min()
    # LAPACK's is a 1-norm estimate: within the square root of the pairs of eigenvalues.
    assert exact / 4 <= before.separation <= 4 * exact
    assert worst <= 2e-7 / exact


def test_the_space_of_a_jordan_block_is_steady_where_its_vectors_are_not():
    J = hidden(block_diag(jordan(0.9, 2), np.diag([0.5, 0.2])))
    E = 1e-10 * np.random.default_rng(0).standard_normal(J.shape)
    groups = [matrix_groups(one, limit=1e4)[0] for one in (J + E, J - E)]
    assert float(principal_angles(*groups)[0]) < 1e-8
    vectors = []
    for one in (J + E, J - E):
        values, R = np.linalg.eig(one)
        vectors.append(R[:, np.abs(values).argmax()])
    cosine = abs(np.vdot(*vectors))
    assert np.sqrt(1 - cosine**2) > 1e-6


def test_groups_at_many_points_are_those_of_each_jacobian():
    cell = random_cell("gru", n=5)
    path = follow(cell, torch.randn(4, 3, generator=torch.Generator().manual_seed(0)))
    modes = trajectory_modes(cell, path, count=3)
    found = mode_groups(modes)
    J = jacobians(cell, path, which="rec").square
    assert len(found) == 4
    for point, groups in enumerate(found):
        alone = matrix_groups(J[point], count=modes.count)
        assert [group.ranks for group in groups] == [group.ranks for group in alone]
        torch.testing.assert_close(groups[0].projector, alone[0].projector)
        assert {k for group in groups for k in group.ranks} >= set(range(modes.count))
        for group in groups:
            expected = modes.eigenvalues[point, list(group.ranks)]
            torch.testing.assert_close(group.eigenvalues, expected, atol=1e-9, rtol=0)
    held = mode_groups(linearize(cell, path.before, [0.1, 0.2, 0.3]), count=1)
    assert len(held[0]) == 1


def test_angles_are_those_of_known_spaces():
    eye = torch.eye(4, dtype=torch.float64)
    tilted = torch.zeros(4, 2, dtype=torch.float64)
    tilted[0, 0], tilted[1, 1], tilted[2, 1] = 1.0, np.cos(0.3), np.sin(0.3)
    angles = principal_angles(eye[:, :2], tilted)
    assert angles.tolist() == pytest.approx([0.3, 0.0], abs=1e-12)
    assert principal_angles(eye[:, :1], eye[:, 2:]).tolist() == pytest.approx([pi / 2])


def test_counterparts_are_linked_across_a_crossing():
    """Two modes swap places by size from one point to the next; the plane turns a little."""
    Q = basis(4, 0)
    R = block_diag(np.eye(2), turn(1.0, 0.1))
    first = matrix_groups(Q @ block_diag(np.diag([0.9, 0.8]), turn(0.5, 1.0)) @ Q.T)
    S = Q @ R
    second = matrix_groups(S @ block_diag(np.diag([0.8, 0.9]), turn(0.5, 1.0)) @ S.T)
    links = link_groups(first, second)
    assert [(link.first, link.second) for link in links] == [(0, 1), (1, 0), (2, 2)]
    assert [link.overlap for link in links] == pytest.approx([1, 1, 1])
    assert max(float(link.angles.max()) for link in links) < 1e-6
    tilt = block_diag(turn(1.0, 0.2), np.eye(2))
    third = matrix_groups(Q @ tilt @ np.diag([0.9, 0.8, 0.3, 0.2]) @ tilt.T @ Q.T)
    assert float(link_groups(first, third)[0].angles[0]) == pytest.approx(0.2)


def test_bad_input():
    J = np.diag([0.9, 0.5])
    for options in ({"count": 0}, {"count": 3}, {"gap": -1.0}, {"limit": 0.5}):
        with pytest.raises(UsageError, match="how near and how oblique"):
            matrix_groups(J, **options)
    for bad in (np.zeros((2, 3)), np.full((2, 2), np.nan), np.zeros(3)):
        with pytest.raises(DataError, match="square, finite"):
            matrix_groups(bad)
    with pytest.raises(DataError, match="one space"):
        principal_angles(torch.eye(3), torch.eye(2))
    with pytest.raises(DataError, match="one width"):
        link_groups(matrix_groups(J), matrix_groups(np.eye(3)))
    with pytest.raises(DataError, match="one width"):
        link_groups((), matrix_groups(J))
    kept = J.copy()
    matrix_groups(J)
    np.testing.assert_array_equal(J, kept)
