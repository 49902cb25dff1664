"""The slow manifold followed as a curve and as a surface: known lengths, roots, ends and shapes."""

from __future__ import annotations

import json
from math import pi, sqrt

import pytest
import torch

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.dynamics import find_fixed_points
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.slow_frame import land, modes_next_to_one, slow_parts
from rnnscope.dynamics.trace_curve import trace_slow_curve
from rnnscope.dynamics.trace_surface import trace_slow_surface
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.synthetic import half_line, line_model, ring, simplex_model, single_root
from tests.helpers import random_cell

LIKE = torch.zeros((), dtype=torch.float64)


def cube(count, width, *, half=1.0, rng=0):
    generator = torch.Generator().manual_seed(rng)
    return half * (2 * torch.rand(count, width, generator=generator, dtype=torch.float64) - 1)


def curve_cell(*, drift=0.0, pull=0.5):
    """h = (u, z): z is pulled onto ``z = sin(2 u) / 2`` and u moves by ``drift * (u - u^3)``."""

    def step(x, h):
        u, z = h[..., :1], h[..., 1:]
        height = torch.sin(2 * u) / 2
        u_next = u + drift * (u - u**3)
        # Exactly on the curve it stays on the curve.
        return torch.cat([u_next, torch.sin(2 * u_next) / 2 + pull * (z - height)], -1) + x

    return Autodiff(function=step, inputs=2, states=2, like=LIKE)


def bowl_cell(*, drift=0.0):
    """h = (u, v, z): z is pulled onto ``z = (u^2 + v^2) / 2``; u and v shrink by ``drift``."""

    def step(x, h):
        w, z = h[..., :2], h[..., 2:]
        next_w = (1 - drift) * w
        height = (w * w).sum(-1, keepdim=True) / 2
        next_z = (next_w * next_w).sum(-1, keepdim=True) / 2 + 0.4 * (z - height)
        return torch.cat([next_w, next_z], -1) + x

    return Autodiff(function=step, inputs=3, states=3, like=LIKE)


def arc(low, high, count=20_001):
    """The length of ``z = sin(2 u) / 2`` by many short chords."""
    u = torch.linspace(low, high, count, dtype=torch.float64)
    line = torch.stack([u, torch.sin(2 * u) / 2], dim=-1)
    return float(line.diff(dim=0).norm(dim=-1).sum())


def test_an_exact_bent_line_has_its_true_length():
    cell = curve_cell()
    points = find_fixed_points(cell, cube(80, 2))
    curve = trace_slow_curve(cell, points)
    u, z = curve.states.unbind(-1)
    torch.testing.assert_close(z, torch.sin(2 * u) / 2, atol=1e-10, rtol=0)
    assert curve.length == pytest.approx(arc(float(u.min()), float(u.max())), rel=1e-3)
    assert curve.neutral
    assert curve.roots == ()
    assert not curve.closed
    torch.testing.assert_close(curve.slow, torch.ones_like(curve.slow), atol=1e-9, rtol=0)
    assert (curve.next - 0.5).abs().max() < 1e-6
    assert all("visited region" in end for end in curve.ends)


def test_drift_and_roots_along_a_bent_line():
    cell = curve_cell(drift=0.01)
    points = find_fixed_points(cell, cube(60, 2, half=1.3))
    curve = trace_slow_curve(cell, points)
    u = curve.states[:, 0]
    forward = bool(u[-1] > u[0])
    # The drift along the curve is that of u, times the length of the curve per u.
    speed = 0.01 * (u - u**3) * (1 + torch.cos(2 * u) ** 2).sqrt()
    expected = speed if forward else -speed
    torch.testing.assert_close(curve.drift, expected, atol=2e-4, rtol=2e-2)
    found = sorted((float(r.state[0]), r.attracts, r.isolated) for r in curve.roots)
    assert [round(place, 9) for place, _, _ in found] == [-1.0, 0.0, 1.0]
    assert [attracts for _, attracts, _ in found] == [True, False, True]
    assert all(isolated for _, _, isolated in found)
    assert "rests at 3 points, 2 attracting" in curve.sentence
    json.dumps(curve.summary())


def test_places_on_a_curve():
    cell = curve_cell()
    points = find_fixed_points(cell, cube(80, 2))
    curve = trace_slow_curve(cell, points)
    position, off = curve.place(curve.states)
    torch.testing.assert_close(position, curve.position, atol=1e-9, rtol=0)
    assert float(off.max()) < 1e-9
    # Off the curve by a tenth across it.
    across = torch.stack([-curve.modes[:, 1], curve.modes[:, 0]], dim=-1)
    moved, off = curve.place(curve.states + 0.1 * across)
    inner = slice(5, -5)
    assert (off[inner] - 0.1).abs().max() < 2e-3
    assert (moved - curve.position)[inner].abs().max() < 2e-2


def test_a_ring_closes_and_has_its_length():
    net = ring()
    points = find_fixed_points(net.cell, cube(64, net.cell.state_size))
    curve = trace_slow_curve(net.cell, points, step=0.02)
    assert curve.closed
    assert torch.equal(curve.states[0], curve.states[-1])
    radius = float((curve.states - curve.states[:-1].mean(0)).norm(dim=-1).mean())
    assert curve.length == pytest.approx(2 * pi * radius, rel=1e-2)
    assert "ring" in curve.sentence


def test_a_line_ends_where_it_ends():
    net = half_line()
    points = find_fixed_points(net.cell, cube(64, net.cell.state_size))
    curve = trace_slow_curve(net.cell, points)
    assert any("end or a corner" in end for end in curve.ends)
    assert curve.neutral


def test_the_memory_of_an_lstm_is_followed_through_its_whole_state():
    model = line_model()
    points = find_fixed_points(model, cube(64, model.cell.state_size))
    curve = trace_slow_curve(model, points)
    assert curve.neutral
    residual = Problem(cell=model.cell, x=points.held.vector).residual(curve.states)
    assert residual.norm(dim=-1).max() < 1e-10


def test_nothing_slow_is_no_curve():
    net = single_root()
    points = find_fixed_points(net.cell, cube(16, net.cell.state_size))
    with pytest.raises(NotApplicable, match="slow"):
        trace_slow_curve(net.cell, points)
    with pytest.raises(NotApplicable, match="two directions are slow"):
        trace_slow_surface(net.cell, points)
    cell = curve_cell()
    points = find_fixed_points(cell, cube(40, 2))
    with pytest.raises(NotApplicable, match="two directions are slow"):
        trace_slow_surface(cell, points)


def test_a_plane_of_fixed_points_is_a_square_lattice():
    model = simplex_model()
    points = find_fixed_points(model, cube(100, model.cell.state_size, half=0.8))
    surface = trace_slow_surface(model, points, step=0.2)
    assert surface.neutral
    residual = Problem(cell=model.cell, x=points.held.vector).residual(surface.states)
    assert residual.norm(dim=-1).max() < 1e-9
    assert len(surface.faces) > 20
    # The memory is a plane; the output, tanh of it, bends it a little.
    assert surface.mismatch < 0.1
    assert surface.area == pytest.approx(len(surface.faces) * surface.step**2, rel=0.02)
    position, off = surface.place(surface.states)
    torch.testing.assert_close(position, surface.grid.double() * surface.step, atol=1e-9, rtol=0)
    assert float(off.max()) < 1e-9
    json.dumps(surface.summary())


def bowl_area(quads):
    """Of ``z = (u^2 + v^2) / 2`` over quadrilaterals in (u, v), by a fine grid on each."""
    t = (torch.arange(40, dtype=torch.float64) + 0.5) / 40
    total = 0.0
    for quad in quads:
        a, b, c, d = quad
        for s in t:
            p = (1 - s) * a + s * b + t[:, None] * ((1 - s) * (d - a) + s * (c - b))
            du = (b - a) + t[:, None] * ((c - b) - (d - a))
            dv = ((1 - s) * (d - a) + s * (c - b)).expand_as(du)
            jacobian = (du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0]).abs()
            total += float((jacobian * (1 + (p * p).sum(-1)).sqrt()).sum()) / 1600
    return total


def test_a_bowl_has_its_true_area():
    cell = bowl_cell()
    points = find_fixed_points(cell, cube(80, 3, half=0.8))
    surface = trace_slow_surface(cell, points, step=0.2)
    w, z = surface.states[:, :2], surface.states[:, 2]
    torch.testing.assert_close(z, (w * w).sum(-1) / 2, atol=1e-9, rtol=0)
    true = bowl_area(surface.states[surface.faces][..., :2])
    assert surface.area == pytest.approx(true, rel=1e-2)
    assert surface.neutral
    assert any("visited region" in end for end in surface.ends)


def test_drift_and_the_root_of_a_bowl():
    cell = bowl_cell(drift=0.01)
    points = find_fixed_points(cell, cube(40, 3, half=0.8))
    surface = trace_slow_surface(cell, points, step=0.25)
    w = surface.states[:, :2]
    # The motion is -drift w along the surface: its length in (u, v) is drift |w|.
    motion = (surface.frames @ surface.drift[:, :, None]).squeeze(-1)
    torch.testing.assert_close(motion[:, :2], -0.01 * w, atol=3e-4, rtol=3e-2)
    assert len(surface.roots) == 1
    assert float(surface.roots[0].state.norm()) < 1e-9
    assert surface.roots[0].attracts
    assert not surface.neutral


def test_the_modes_of_a_wide_matrix_are_those_of_a_full_decomposition():
    generator = torch.Generator().manual_seed(0)
    A = torch.randn(100, 100, generator=generator, dtype=torch.float64) / 10
    A = A - torch.eye(100, dtype=torch.float64)
    found = modes_next_to_one(A)
    assert found is not None
    values = torch.linalg.eigvals(A)
    nearest = values[values.abs().argsort()][: len(found.rates)]
    torch.testing.assert_close(found.rates.abs(), nearest.abs(), atol=1e-9, rtol=1e-9)
    off = A.to(torch.complex128) @ found.vectors - found.vectors * found.rates
    assert off.abs().max() < 1e-8


def test_a_point_of_the_slow_manifold_has_its_residual_in_its_slow_modes():
    """On a random network the definition itself: what is left is a sum of slow modes."""
    cell = random_cell("gru", n=12, seed=4, scale=0.6)
    problem = Problem(cell=cell, x=torch.zeros(cell.input_size, dtype=torch.float64))
    start = cube(1, 12, half=0.5)[0]
    point = land(problem, start, None, rate=0.5, tolerance=2e-5, fine=1e-11)
    assert point is not None
    G = problem.residual(point.h)
    assert G.norm() > 1e-3
    torch.testing.assert_close(slow_parts(point).sum(-1).real, G, atol=2e-5, rtol=0)
    values, vectors = torch.linalg.eig(problem.jacobian(point.h[None])[0])
    part = torch.linalg.solve(vectors, G.to(vectors.dtype))
    assert part[values.abs() >= 0.5].abs().max() < 1e-4


def test_what_is_asked_wrongly():
    cell = curve_cell()
    points = find_fixed_points(cell, cube(20, 2))
    with pytest.raises(UsageError, match="steps"):
        trace_slow_curve(cell, points, step=0.0)
    with pytest.raises(UsageError, match="steps"):
        trace_slow_surface(cell, points, max_points=1)
    with pytest.raises(DataError, match="one finite state"):
        trace_slow_curve(cell, points, torch.zeros(3))
    with pytest.raises(DataError, match="one finite state"):
        trace_slow_surface(cell, points, torch.full((2,), torch.nan))


def test_a_start_of_ones_own_and_a_limit():
    cell = curve_cell()
    points = find_fixed_points(cell, cube(40, 2))
    curve = trace_slow_curve(cell, points, torch.tensor([0.5, 0.0]), max_points=4)
    assert len(curve) == 7
    assert any("4 points" in end for end in curve.ends)


def test_a_leak_bounds_the_curve_where_it_is_no_longer_slow():
    """``u' = tanh(g u)``: slow while ``g (1 - u'^2)`` is within 1/20 of 1."""
    g = 1.0
    cell = Vanilla(
        W=torch.zeros(2, 1).double(),
        V=torch.diag(torch.tensor([g, 0.3]).double()),
        b=torch.zeros(2).double(),
    )
    points = find_fixed_points(cell, cube(60, 2))
    curve = trace_slow_curve(cell, points, step=0.02)
    edge = torch.atanh(torch.tensor(sqrt(1 / 20)).double())
    assert float(curve.states[:, 0].abs().max()) == pytest.approx(float(edge), rel=2e-2)
    assert float(curve.slow.min()) > 0.95
