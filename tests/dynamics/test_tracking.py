"""Modes followed from point to point: crossings, avoided crossings, collisions, signs, breaks."""

from __future__ import annotations

import json
from dataclasses import replace
from math import exp

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag

from rnnscope.cells import Autodiff
from rnnscope.dynamics import find_fixed_points, fit_manifold, linearize
from rnnscope.dynamics.mode_overlap import Vectors, mode_overlap
from rnnscope.dynamics.paths import StatePath
from rnnscope.dynamics.step_jacobians import trajectory_modes
from rnnscope.dynamics.tracking import track_modes
from rnnscope.errors import DataError, UsageError
from rnnscope.synthetic import attractors as built
from tests.dynamics.test_trained import network


def family(matrices, *, count=None):
    """The modes of given matrices, as those of a network whose input picks the matrix."""
    J = torch.as_tensor(np.array(matrices), dtype=torch.float64)
    P, N = J.shape[:2]
    cell = Autodiff(
        function=lambda x, h: (torch.einsum("...p,pij->...ij", x, J) @ h.unsqueeze(-1)).squeeze(-1),
        inputs=P,
        states=N,
        like=torch.zeros((), dtype=torch.float64),
    )
    states = torch.zeros(P + 1, N, dtype=torch.float64)
    path = StatePath(cell=cell, states=states, inputs=torch.eye(P, dtype=torch.float64))
    return trajectory_modes(cell, path, count=N if count is None else count)


def hidden(J, seed=0):
    """In coordinates that are oblique, so that left and right vectors differ."""
    S = np.eye(len(J)) + 0.4 * np.random.default_rng(seed).standard_normal(J.shape)
    return S @ J @ np.linalg.inv(S)


def turn(modulus, angle):
    c, s = np.cos(angle), np.sin(angle)
    return modulus * np.array([[c, -s], [s, c]])


def kinds(tracks):
    return [one.kind for one in tracks.breaks]


def overlap_in_loops(modes, i, j):
    """The definition, mode by mode."""
    size = modes.count
    s = np.zeros((size, size))
    for a in range(size):
        for b in range(size):
            there = complex(modes.left[i, a] @ modes.right[j, :, b])
            back = complex(modes.left[j, b] @ modes.right[i, :, a])
            s[a, b] = (abs(there) * abs(back)) ** 0.5
            s[a, b] = min(s[a, b], 1 / s[a, b]) if s[a, b] else 0
    return s


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_overlap_is_one_for_the_same_mode_whatever_its_scale(seed):
    rng = np.random.default_rng(seed)
    modes = family([rng.standard_normal((4, 4)), rng.standard_normal((4, 4))])
    first, second = (
        Vectors(right=modes.right[i].numpy(), left=modes.left[i].numpy()) for i in (0, 1)
    )
    np.testing.assert_allclose(mode_overlap(first, first), np.eye(4), atol=1e-5)
    found = mode_overlap(first, second)
    np.testing.assert_allclose(found, overlap_in_loops(modes, 0, 1), rtol=1e-8)
    assert ((found >= 0) & (found <= 1)).all()
    scale = np.exp(1j * np.arange(4.0)) * 3
    scaled = Vectors(right=second.right * scale, left=second.left / scale[:, None])
    np.testing.assert_allclose(mode_overlap(first, scaled), found, rtol=1e-8)
    singular = Vectors(right=first.right, left=np.full((4, 4), np.nan + 0j))
    assert np.isfinite(mode_overlap(singular, second)).all()


def test_modes_that_cross_keep_their_vectors():
    """Eigenvalues .9 - .2 t and .7 + .2 t cross at t = 1/2; sorted by size they would flip."""
    t = np.linspace(0, 1, 12)
    modes = family([hidden(np.diag([0.9 - 0.2 * s, 0.7 + 0.2 * s, 0.1])) for s in t])
    tracks = track_modes(modes, t)
    expected = np.stack([0.9 - 0.2 * t, 0.7 + 0.2 * t, 0.1 + 0 * t], axis=-1)
    np.testing.assert_allclose(tracks.eigenvalues.real.numpy(), expected, atol=1e-12)
    assert (tracks.eigenvalues.imag == 0).all()
    assert tracks.quality.min() > 1 - 1e-6
    (crossing,) = tracks.breaks
    assert (crossing.kind, crossing.link, crossing.tracks) == ("crossing", 5, (0, 1))
    assert "cross near" in crossing.sentence
    assert tracks.whole.tolist() == [0, 1, 2]


def test_a_crossing_is_followed_through_a_point_where_the_two_are_equal():
    t = np.linspace(0, 1, 11)
    J = [hidden(np.diag([0.9 - 0.2 * s, 0.7 + 0.2 * s, 0.1])) for s in t]
    J[5] = hidden(np.diag([0.8, 0.8, 0.1]))
    tracks = track_modes(family(J), t)
    expected = np.stack([0.9 - 0.2 * t, 0.7 + 0.2 * t, 0.1 + 0 * t], axis=-1)
    np.testing.assert_allclose(tracks.eigenvalues.real.numpy(), expected, atol=1e-7)
    assert "crossing" in kinds(tracks)
    assert set(kinds(tracks)) <= {"crossing", "repeated"}


def test_an_avoided_crossing_is_named_and_not_flipped():
    """.8 +- sqrt(eps^2 + d^2): the two never meet, and each has the other's vector past it."""
    d = np.linspace(-0.1, 0.1, 41)
    eps = 0.01
    J = [hidden(block_diag(0.8 * np.eye(2) + [[x, eps], [eps, -x]], [[0.1]])) for x in d]
    tracks = track_modes(family(J), d)
    root = np.sqrt(eps**2 + d**2)
    expected = np.stack([0.8 + root, 0.8 - root, 0.1 + 0 * d], axis=-1)
    np.testing.assert_allclose(tracks.eigenvalues.real.numpy(), expected, atol=1e-10)
    (only,) = tracks.breaks
    assert (only.kind, only.link, only.tracks) == ("avoided crossing", 20, (0, 1))
    assert "0.02 apart" in only.sentence
    assert "exchange vectors" in only.sentence
    upper, lower = (tracks.vectors(k)[0].real for k in (0, 1))
    assert abs(float(upper[0] @ upper[-1])) < abs(float(upper[0] @ lower[-1]))


def test_modes_that_come_near_and_part_without_exchange_are_no_avoided_crossing():
    t = np.linspace(-1, 1, 21)
    modes = family([hidden(np.diag([0.9, 0.8 - 0.1 * s**2, 0.1])) for s in t])
    assert track_modes(modes, t).breaks == ()


def test_real_modes_that_collide_become_a_plane_and_come_apart_again():
    """[[.8, 1], [d, .8]] has .8 +- sqrt(d): real for d > 0, a pair below."""
    d = np.concatenate([np.linspace(0.04, -0.04, 9)[:-1] - 0.002, np.linspace(-0.042, 0.038, 9)])
    J = [hidden(block_diag([[0.8, 1.0], [x, 0.8]], [[0.1]])) for x in d]
    tracks = track_modes(family(J))
    values = tracks.eigenvalues.numpy()
    root = np.sqrt(d.astype(complex))
    np.testing.assert_allclose(values[:, 0], 0.8 + root, atol=1e-8)
    np.testing.assert_allclose(values[:, 1], 0.8 - root, atol=1e-8)
    meet, part = (one for one in tracks.breaks if one.kind in ("collision", "split"))
    assert (meet.kind, meet.tracks) == ("collision", (0, 1))
    assert d[meet.link] > 0 > d[meet.link + 1]
    assert (part.kind, part.tracks) == ("split", (0, 1))
    assert d[part.link] < 0 < d[part.link + 1]
    assert "past it they are one plane" in meet.sentence
    assert "come apart" in part.sentence
    assert "avoided crossing" not in kinds(tracks)


def test_signs_and_phases_are_continuous():
    t = np.linspace(0, 2 * np.pi, 40)
    J = []
    for s in t:
        Q = block_diag(turn(1.0, s), turn(1.0, s))
        J.append(Q @ hidden(block_diag(np.diag([0.9, 0.6]), turn(0.8, 1.0))) @ Q.T)
    modes = family(J)
    tracks = track_modes(modes, t)
    assert tracks.breaks == ()
    right, left = (torch.stack(part) for part in zip(*map(tracks.vectors, range(4)), strict=True))
    ahead = (left[:, :-1] * right[:, 1:]).sum(-1)
    assert (ahead.real > 0.9).all()
    assert ahead.imag.abs().max() < 1e-10
    torch.testing.assert_close((left * right).sum(-1), torch.ones_like(right[..., 0]))
    assert ((right[:, 1:] - right[:, :-1]).norm(dim=-1) < 0.3).all()
    values = tracks.eigenvalues[0]
    assert right[values.imag == 0].imag.abs().max() == 0
    torch.testing.assert_close(right[values.imag > 0].conj(), right[values.imag < 0])
    identity = torch.eye(4, dtype=torch.complex128).expand(40, 4, 4)
    torch.testing.assert_close(tracks.left @ tracks.right, identity, atol=1e-10, rtol=0)
    J = torch.as_tensor(np.array(J), dtype=torch.complex128)
    moved = torch.einsum("pij,apj->api", J, right)
    torch.testing.assert_close(moved, values[:, None, None] * right)


def test_modes_that_pass_the_last_one_kept_end_and_others_begin():
    t = np.linspace(0, 1, 8)
    modes = family([np.diag([0.9, 0.5 - 0.2 * s, 0.3 + 0.17 * s]) for s in t], count=2)
    tracks = track_modes(modes, t)
    assert len(tracks) == 3
    assert sorted(kinds(tracks)) == ["begins", "ends"]
    expected = 0.5 - 0.2 * t, 0.3 + 0.17 * t
    for k, values in zip((1, 2), expected, strict=True):
        present = tracks.present[:, k]
        np.testing.assert_allclose(
            tracks.eigenvalues[present, k].real.numpy(), values[present.numpy()]
        )
        assert torch.isnan(tracks.eigenvalues[~present, k].real).all()
        assert torch.isnan(tracks.decay_times[~present, k]).all()
    assert tracks.present.sum(-1).tolist() == [2] * 8
    assert tracks.whole.tolist() == [0]


def test_a_mode_whose_vectors_turn_away_is_linked_by_its_eigenvalue_and_named():
    Q = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]
    J = np.diag([0.9, 0.5, 0.1])
    modes = family([J, Q @ J @ Q.T])
    tracks = track_modes(modes, least_overlap=0.9)
    np.testing.assert_allclose(tracks.eigenvalues[0], tracks.eigenvalues[1], atol=1e-12)
    assert "weak" in kinds(tracks)
    assert "by its eigenvalue alone" in tracks.breaks[0].sentence
    part = replace(modes, complete=False)
    assert set(kinds(track_modes(part, least_overlap=0.9))) == {"begins", "ends"}


def test_defective_points_are_named():
    J = np.array([[0.8, 1.0], [0.0, 0.8]])
    split = np.array([[0.8, 1.0], [0.01, 0.8]])
    tracks = track_modes(family([split, J, split]))
    from_it = track_modes(family([J, split]))
    assert len(from_it) == 2
    assert "repeated" in kinds(tracks)
    assert "vectors are arbitrary" in next(
        one.sentence for one in tracks.breaks if one.kind == "repeated"
    )
    torch.testing.assert_close(tracks.eigenvalues[0], tracks.eigenvalues[2])
    assert len(tracks) == 2


# 375: two real modes become a pair that is held too little; only one way round was it let go.
@example(seed=375, flip=True)
@given(seed=st.integers(0, 10_000), flip=st.booleans())
@settings(max_examples=25, deadline=None)
def test_tracks_do_not_depend_on_the_order_given_nor_on_direction(seed, flip):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((2, 4, 4)) / 2
    t = np.linspace(0, 1, 15)
    modes = family([A + 0.3 * s * B for s in t])
    straight = track_modes(modes, t)
    shuffle = rng.permutation(15)
    order = torch.as_tensor(shuffle)
    shuffled = replace(
        modes,
        states=modes.states[order],
        eigenvalues=modes.eigenvalues[order],
        right=modes.right[order],
        left=modes.left[order],
        held=replace(modes.held, vector=modes.held.vector[order]),
    )
    again = track_modes(shuffled, t[shuffle])
    torch.testing.assert_close(again.eigenvalues, straight.eigenvalues, equal_nan=True)
    assert again.breaks == straight.breaks
    assert torch.equal(again.points, torch.as_tensor(np.argsort(shuffle)))
    # Every kept mode of every point is in exactly one track.
    for i in range(15):
        columns = straight.columns[i][straight.present[i]]
        assert sorted(columns.tolist()) == list(range(modes.count))
    if flip:
        back = track_modes(modes, -t)
        assert len(back) == len(straight)


def test_times_tell_growth_and_decay_apart():
    t = np.linspace(-0.1, 0.1, 5)
    modes = family([np.diag([exp(s), exp(-1.0)]) for s in t])
    tracks = track_modes(modes, t)
    assert tracks.decay_times[:, 0].tolist() == pytest.approx(
        [10, 20, np.inf, np.nan, np.nan], nan_ok=True
    )
    assert tracks.growth_times[:, 0].tolist() == pytest.approx(
        [np.nan, np.nan, np.nan, 20, 10], nan_ok=True
    )
    assert tracks.decay_times[:, 1].tolist() == pytest.approx([1.0] * 5)


def test_along_an_exact_line_the_slow_mode_is_one_track():
    attractor = built.lstm_integrator(units=3)
    s = torch.linspace(-1.5, 1.5, 20, dtype=torch.float64)[:, None]
    modes = linearize(attractor.cell, attractor.continuum(s), count=2)
    tracks = track_modes(modes, s[:, 0])
    slow = tracks.eigenvalues[:, 0]
    torch.testing.assert_close(slow, torch.ones_like(slow))
    assert tracks.quality[:, 0].min() > 0.9
    assert 0 in tracks.whole.tolist()
    summary = json.loads(json.dumps(tracks.summary()))
    assert summary["points"] == 20
    assert len(summary["breaks"]) == len(tracks.breaks)
    assert "from end to end" in repr(tracks)


def test_one_point_is_no_trouble():
    tracks = track_modes(family([np.diag([0.9, 0.5])]))
    assert len(tracks) == 2
    assert tracks.quality.shape == (0, 2)
    assert tracks.breaks == ()
    assert tracks.summary()["worst_overlap"] is None


def test_bad_input():
    modes = family([np.diag([0.9, 0.5])] * 3)
    for position in ([0.0, 1.0], [0.0, 1.0, np.nan], np.zeros((3, 1))):
        with pytest.raises(DataError, match="order of their points"):
            track_modes(modes, position)
    with pytest.raises(UsageError, match="is a share"):
        track_modes(modes, least_overlap=1.5)
    kept = modes.right.clone()
    track_modes(modes, torch.tensor([2.0, 0.0, 1.0]))
    assert torch.equal(modes.right, kept)


def test_the_slow_mode_of_a_trained_network_is_followed_along_its_manifold(shared):
    cell, seeds = network(shared, "gru_line")
    points = find_fixed_points(cell, seeds[::16])
    modes = linearize(cell, points, count=4)
    line = fit_manifold(points)
    tracks = track_modes(modes, line.position)
    assert (tracks.position.diff() >= 0).all()
    longest = int(tracks.present.sum(0).argmax())
    assert tracks.present[:, longest].double().mean() > 0.8
    assert tracks.quality[:, longest].nanmedian() > 0.9
    columns = tracks.columns.masked_fill(~tracks.present, modes.count).sort(-1).values
    assert (columns[:, : modes.count] == torch.arange(modes.count)).all()
    ends = sum(one.kind in ("begins", "ends") for one in tracks.breaks)
    assert ends == 2 * (len(tracks) - modes.count)
