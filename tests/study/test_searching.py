"""Roots of shards, on any executor, are the roots of the whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from rnnscope.dynamics import find_fixed_points
from rnnscope.errors import DataError, UsageError
from rnnscope.study import find_on
from rnnscope.synthetic import flip_flop
from tests.helpers import random_cell


@pytest.mark.parametrize("pool", [None, ThreadPoolExecutor])
def test_roots_of_shards_are_the_roots_of_the_whole(pool):
    net = flip_flop()
    generator = torch.Generator().manual_seed(0)
    seeds = 2 * torch.rand(200, 3, generator=generator, dtype=torch.float64) - 1
    whole = find_fixed_points(net.cell, seeds)
    if pool is None:
        found = find_on(net.cell, seeds, shard=64)
    else:
        with pool(2) as executor:
            found = find_on(net.cell, seeds.split(50), executor, shard=64)
    assert found.seeds == 200
    assert len(found.roots) == len(whole.roots) == 27
    assert found.proved.all()
    for root, size in zip(found.roots, found.basin_sizes.tolist(), strict=True):
        apart = (whole.roots.states - root).norm(dim=-1)
        assert float(apart.min()) < 1e-9
        assert int(whole.basin_sizes[apart.argmin()]) == size
    assert found.outcomes["root"] == whole.counts["root"]
    assert found.to_none == 0
    assert "27 roots" in repr(found)


def test_no_more_shards_are_under_way_than_asked_for():
    under_way, most = 0, 0

    class Counting(ThreadPoolExecutor):
        def submit(self, *job):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            future = super().submit(*job)
            result = future.result

            def told(*arguments):
                nonlocal under_way
                under_way -= 1
                return result(*arguments)

            future.result = told
            return future

    with Counting(2) as executor:
        find_on(random_cell("gru"), torch.zeros(40, 4), executor, shard=4, ahead=3)
    assert most <= 3


def test_what_cannot_be_searched():
    with pytest.raises(DataError, match="seeds"):
        find_on(random_cell("gru"), [])
    with pytest.raises(UsageError, match="option"):
        find_on(random_cell("gru"), torch.zeros(4, 4), magic=1)
    # A failure in a worker is the caller's.
    with ThreadPoolExecutor(2) as executor, pytest.raises(DataError):
        find_on(random_cell("gru"), torch.zeros(9, 5), executor, shard=3)
