"""Continua of known shape, and what must not be taken for one."""

from __future__ import annotations

import json

import pytest
import torch

from rnnscope.dynamics import find_fixed_points
from rnnscope.dynamics.continua import find_continua
from rnnscope.synthetic import attractors as built


def seeds_on(attractor, along, noise=0.02):
    on = attractor.continuum(along)
    rng = torch.Generator().manual_seed(0)
    return on + noise * torch.randn(on.shape, generator=rng, dtype=torch.float64)


def test_a_line_is_one_continuum_of_its_length():
    attractor = built.lstm_integrator()
    along = torch.linspace(0.1, 1.5, 40, dtype=torch.float64)[:, None]
    points = find_fixed_points(attractor.cell, seeds_on(attractor, along))
    (line,) = find_continua(attractor.cell, points)
    assert line.dimension == 1
    assert line.closed is False
    ends = attractor.continuum(along[[0, -1]])
    steps = attractor.continuum(torch.linspace(0.1, 1.5, 2000, dtype=torch.float64)[:, None])
    true = float(steps.diff(dim=0).norm(dim=-1).sum())
    assert true >= float((ends[1] - ends[0]).norm()) - 1e-9
    assert line.length == pytest.approx(true, rel=0.15)
    assert line.certified == len(line.rows) == len(points.continua)
    place = points.continua.states[line.rows] @ (ends[1] - ends[0])
    assert (place.diff() >= 0).all() or (place.diff() <= 0).all()
    json.dumps(line.summary())
    assert "a line" in line.sentence


def test_a_line_sampled_in_two_pieces_is_still_one():
    attractor = built.lstm_integrator()
    along = torch.cat([torch.linspace(0.1, 0.5, 12), torch.linspace(1.1, 1.5, 12)])[:, None]
    points = find_fixed_points(attractor.cell, seeds_on(attractor, along.double()))
    assert len(find_continua(attractor.cell, points)) == 1


def test_a_ring_closes():
    attractor = built.ring()
    angle = torch.arange(60, dtype=torch.float64)[:, None] * 2 * torch.pi / 60
    points = find_fixed_points(attractor.cell, seeds_on(attractor, angle))
    found = find_continua(attractor.cell, points)
    assert len(found) == 1
    assert found[0].dimension == 1
    assert found[0].closed
    assert found[0].length == pytest.approx(2 * torch.pi, rel=0.02)
    assert "ring" in found[0].sentence


def test_a_plane_has_two_dimensions():
    attractor = built.lstm_integrator(units=5, kept=2)
    rng = torch.Generator().manual_seed(1)
    along = 0.2 + torch.rand(40, 2, generator=rng, dtype=torch.float64)
    points = find_fixed_points(attractor.cell, seeds_on(attractor, along))
    (plane,) = find_continua(attractor.cell, points)
    assert plane.dimension == 2
    assert plane.length is None


@pytest.mark.parametrize(
    "attractor",
    [built.leaky_line(slow=1 - 1e-6), built.flip_flop(), built.fold_ghost(), built.single_root()],
    ids=["slow_line", "flip_flop", "ghost", "single"],
)
def test_nothing_isolated_or_drifting_is_a_continuum(attractor):
    points = find_fixed_points(attractor.cell, attractor.seeds(40))
    assert len(points.continua) == 0
    assert find_continua(attractor.cell, points) == ()
