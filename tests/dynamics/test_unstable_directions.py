"""Ways out of saddles whose ends are known."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import find_fixed_points
from rnnscope.dynamics.unstable_directions import follow_unstable
from rnnscope.errors import UsageError
from rnnscope.synthetic import attractors as built


def test_every_way_out_of_a_flip_flop_s_saddles_sets_one_bit():
    flip = built.flip_flop()
    points = find_fixed_points(flip.cell, flip.seeds(300))
    ways = follow_unstable(flip.cell, points, max_steps=200)
    unstable = dict.fromkeys(range(len(points.roots)), 0)
    for way in ways:
        unstable[way.root] += 1
        start, bit = points.roots.states[way.root], way.direction.abs().argmax()
        assert float(way.direction.abs()[bit]) == pytest.approx(1)
        assert start[bit].abs() < 1e-9
        # Bits that were set stay; the one along the direction takes its sign.
        end = way.end
        assert end[bit].sign() == way.direction[bit].sign()
        kept = start.abs() > 1e-9
        assert torch.equal(end[kept].sign(), start[kept].sign())
        if way.target >= 0:
            assert (points.roots.states[way.target] - end).norm() < 0.5
    zeros = (points.roots.states.abs() < 1e-9).sum(-1).tolist()
    assert [unstable[row] for row in range(len(zeros))] == [2 * n for n in zeros]


def test_two_ways_lead_to_the_two_nodes():
    pair = built.bistable()
    points = find_fixed_points(pair.cell, pair.seeds(30))
    ways = follow_unstable(pair.cell, points)
    assert len(ways) == 2
    signs = {
        float(way.direction.sign()): float(points.roots.states[way.target].sign()) for way in ways
    }
    assert signs == {1.0: 1.0, -1.0: -1.0}
    assert "reached" in ways[0].sentence


def test_a_way_that_never_settles_is_said_to_reach_none():
    from tests.dynamics.test_cycles import flipper

    points = find_fixed_points(flipper(), torch.zeros(1, 1, dtype=torch.float64) + 0.01)
    ways = follow_unstable(flipper(), points, max_steps=100)
    assert {way.target for way in ways} == {-1}
    assert "no root" in ways[0].sentence


def test_where_every_root_attracts_there_is_no_way_out():
    single = built.single_root()
    points = find_fixed_points(single.cell, single.seeds(5))
    assert follow_unstable(single.cell, points) == ()
    with pytest.raises(UsageError):
        follow_unstable(single.cell, points, epsilon=0)
