"""Arc length: known curves, in order, with their length; rings and planes are no open curves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope.dynamics.arc_length import arc_length
from rnnscope.errors import DataError, NotApplicable, UsageError
from tests.dynamics.test_dimension import cube, ring, turned


def curve(t, shape):
    bent = {
        "straight": lambda: np.c_[t, 0 * t],
        "half circle": lambda: np.c_[np.cos(np.pi * t), np.sin(np.pi * t)],
        "helix": lambda: np.c_[np.cos(6 * t), np.sin(6 * t), 2 * t],
    }[shape]()
    return torch.from_numpy(turned(bent))


@pytest.mark.parametrize(
    ("shape", "length"), [("straight", 1.0), ("half circle", np.pi), ("helix", np.hypot(6, 2))]
)
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_curves(shape, length, noise):
    rng = np.random.default_rng(0)
    t = rng.permutation(np.linspace(0, 1, 400))
    points = curve(t, shape)
    points = points + noise * torch.from_numpy(rng.normal(size=tuple(points.shape)))
    found = arc_length(points, towards=torch.from_numpy(t))
    assert found.length == pytest.approx(length, rel=0.06)
    assert found.is_open
    theta = torch.from_numpy(2 * t - 1)
    assert torch.corrcoef(torch.stack([found.position, theta]))[0, 1] > 0.998
    assert float(found.position.min()) == -1
    assert float(found.position.max()) == pytest.approx(1)
    assert float(found.off.mean()) < 0.015 + 5 * noise
    order = t[found.path.numpy()]
    assert np.corrcoef(order, np.arange(len(order)))[0, 1] > 0.99


def test_an_axis_folds_a_curve_that_arc_length_does_not():
    t = np.linspace(0, 1, 200)
    points = torch.from_numpy(turned(np.c_[np.cos(5 * t), np.sin(5 * t)]))
    position = arc_length(points, towards=torch.from_numpy(t)).position
    assert (position.diff() > 0).all()
    centred = points - points.mean(0)
    axis = torch.linalg.svd(centred).Vh[0]
    steps = (centred @ axis).diff()
    assert (steps > 0).any()
    assert (steps < 0).any()


@pytest.mark.parametrize(
    "points",
    [
        *(ring(400, seed) for seed in range(4)),
        cube(2, 400),
        cube(3, 600),
        np.random.default_rng(0).normal(size=(600, 5)),
    ],
)
def test_what_has_no_two_ends_is_not_open(points):
    assert arc_length(torch.from_numpy(points)).is_open is False


def test_few_points_and_copies():
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    found = arc_length(points)
    assert found.is_open is None
    assert found.length == pytest.approx(3)
    assert len(found) == 4
    assert float(found.distance[1]) == float(found.distance[3])


def test_pieces_are_joined():
    t = np.r_[np.linspace(0, 1, 60), np.linspace(1.5, 2.5, 60)]
    found = arc_length(torch.from_numpy(np.c_[t, 0 * t]))
    assert found.length == pytest.approx(2.5, rel=0.02)


def test_many_points_are_placed_on_the_curve_of_some():
    t = np.linspace(0, 1, 4000)
    points = curve(t, "half circle")
    found = arc_length(points, towards=torch.from_numpy(t))
    assert found.length == pytest.approx(np.pi, rel=0.02)
    assert (found.position.diff() > 0).all()


def test_bad_input():
    with pytest.raises(NotApplicable, match="all in one place"):
        arc_length(torch.ones(5, 3, dtype=torch.float64))
    with pytest.raises(NotApplicable, match="0 points"):
        arc_length(torch.empty(0, 3, dtype=torch.float64))
    for states in (
        torch.tensor(torch.nan),
        torch.full((3, 2), torch.nan),
        torch.ones(2, 2).double() * 1e308,
    ):
        with pytest.raises(DataError, match="squares are finite"):
            arc_length(states.double())
    with pytest.raises(UsageError, match=">= 1"):
        arc_length(torch.eye(3, dtype=torch.float64), neighbours=0)


def test_of_two_clusters_far_apart_it_is_not_known_whether_they_are_a_line():
    """The middle of the way was one of its ends, which raised an IndexError."""
    generator = torch.Generator().manual_seed(0)
    cluster = 0.01 * torch.randn(40, 5, generator=generator, dtype=torch.float64)
    cluster[20:, 0] += 10
    found = arc_length(cluster)
    assert found.is_open is None
    assert found.length == pytest.approx(10, rel=0.05)
