"""Fixed points sought on another device are those of the CPU.

Held on a second device that is pretended, in a process of its own: see ``pretend``. That a GPU's
own arithmetic gives the same is not tested here.
"""

from __future__ import annotations

import pytest

import rnnscope as rs
from tests.devices.searching import seeds_of
from tests.helpers import random_cell, run_apart


@pytest.fixture(scope="module")
def found():
    return run_apart("tests.devices.searching")


def test_points_sought_on_another_device_are_those_of_the_cpu(found):
    assert len(found["points"]) == 6
    for row in found["points"]:
        assert "error" not in row, row
        assert row["difference"] < 1e-10, row
        assert row["outcomes"][0], row
        assert row["basins"][0] == row["basins"][1], row
        assert row["calls"]["pretend"] > 20, row


def test_shards_are_searched_on_the_worker_s_own_device_and_gone_on_with_on_the_cpu(found):
    shards = found["shards"]
    assert shards["asked"] == 3
    assert max(shards["roots"]) < 1e-10
    assert shards["outcomes"][0] == shards["outcomes"][1] == shards["outcomes"][2]


def test_a_callable_stays_on_the_cpu(found):
    assert sum(found["callable"].values()) == 8


def test_a_device_that_is_not_there():
    cell = random_cell("gru")
    with pytest.raises(rs.UsageError, match="device"):
        rs.find_fixed_points(cell, seeds_of(cell, 4), device="mps:7")
