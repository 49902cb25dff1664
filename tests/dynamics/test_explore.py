"""Roots that no seed's own neighbourhood leads to: the saddles between memories."""

from __future__ import annotations

import torch

from rnnscope.dynamics import FixedPointOptions, find_fixed_points
from rnnscope.dynamics.explore import explore_between
from rnnscope.dynamics.problem import Problem
from rnnscope.synthetic import bistable, flip_flop


def test_from_the_memories_alone_all_saddles_of_a_flip_flop_are_found():
    """FixedPointFinder's own example has a saddle that only few seeds lead to, which was missed."""
    net = flip_flop()
    memories = net.roots[net.unstable == 0]
    points = find_fixed_points(net.cell, memories)
    assert len(points.roots) == 27
    assert points.roots.proved.all()
    for root, growing in zip(net.roots, net.unstable, strict=True):
        apart = (points.roots.states - root).norm(dim=-1)
        assert float(apart.min()) < 1e-9
        assert (points.roots.count[apart.argmin()] == 0) == bool(growing > 0)


def test_between_two_roots_the_third_one_is_found_and_no_more():
    net = bistable()
    known = net.roots[net.unstable == 0]
    problem = Problem(cell=net.cell, x=torch.zeros(net.cell.input_size, dtype=torch.float64))
    found = explore_between(problem, known, known, scale=1.0, options=FixedPointOptions())
    saddles = net.roots[net.unstable > 0]
    assert len(found.states) == len(saddles)
    torch.testing.assert_close(found.states, saddles, atol=1e-9, rtol=0)
    everything = torch.cat([known, found.states])
    again = explore_between(problem, known, everything, scale=1.0, options=FixedPointOptions())
    assert len(again.states) == 0


def test_of_one_root_or_none_nothing_is_between():
    net = bistable()
    problem = Problem(cell=net.cell, x=torch.zeros(net.cell.input_size, dtype=torch.float64))
    for known in (net.roots[:0], net.roots[:1]):
        found = explore_between(problem, net.roots, known, scale=1.0, options=FixedPointOptions())
        assert len(found.states) == 0
        assert found.states.shape == (0, net.cell.state_size)
