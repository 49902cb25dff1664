"""What the hand-built networks state, the search finds: no more, and no less."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.synthetic import attractors as built

WITH_ROOTS_ONLY = {
    "discrete_ring": built.discrete_ring(),
    "flip_flop_ugrnn": built.flip_flop(kind="ugrnn"),
    "flip_flop_gru": built.flip_flop(kind="gru"),
    "flip_flop_gru_reset_first": built.flip_flop(kind="gru_reset_first"),
    "flip_flop_lstm": built.flip_flop(kind="lstm", bits=2),
}
RINGS = {"ring": built.ring(), "relu_ring": built.relu_ring()}


@pytest.mark.parametrize("name", WITH_ROOTS_ONLY)
def test_all_roots_are_found_with_their_eigenvalues_and_nothing_else(name):
    attractor = WITH_ROOTS_ONLY[name]
    points = find_fixed_points(attractor.cell, attractor.seeds(400))
    assert len(points.ghosts) == len(points.continua) == 0
    apart = (points.roots.states[:, None] - attractor.roots).norm(dim=-1)
    nearest, place = apart.min(-1)
    assert nearest.max() < 1e-10
    assert sorted(place.tolist()) == list(range(len(attractor.roots)))
    modes = linearize(attractor.cell, points.roots)
    assert torch.equal(modes.unstable_count, attractor.unstable[place])
    values = modes.eigenvalues.real.sort(-1, descending=True).values
    torch.testing.assert_close(values, attractor.eigenvalues[place], atol=1e-8, rtol=0)


@pytest.mark.parametrize("name", RINGS)
def test_rings_are_continua_and_only_their_middle_is_a_root(name):
    attractor = RINGS[name]
    points = find_fixed_points(attractor.cell, attractor.seeds(200))
    assert len(points.ghosts) == 0
    assert len(points.continua) > 50
    torch.testing.assert_close(points.roots.states, attractor.roots, atol=1e-10, rtol=0)
    circle = attractor.continuum(
        torch.linspace(0, 2 * torch.pi, 20001, dtype=torch.float64)[:, None]
    )
    apart = torch.cdist(
        points.continua.states, circle, compute_mode="donot_use_mm_for_euclid_dist"
    ).amin(-1)
    assert apart.max() < 1e-3
    modes = linearize(attractor.cell, points.continua)
    values = modes.eigenvalues.real.sort(-1, descending=True).values
    # At a corner of the relu ring, four units silent, the derivative is that of no piece.
    corner = (points.continua.states.abs() < 1e-9).sum(-1) > 3
    inside = (values - attractor.continuum_eigenvalues).abs().amax(-1) < 1e-6
    assert (inside | corner).all()
    assert inside.double().mean() > 0.7
