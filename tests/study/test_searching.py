"""Roots of shards, on any executor, are the roots of the whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors import safe_open

from rnnscope.dynamics import find_fixed_points
from rnnscope.errors import DataError, UsageError
from rnnscope.study import find_on, search_file, searching
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


@pytest.fixture
def searched(monkeypatch):
    """The shards that were searched, by their number of seeds; the user loses patience in one."""
    done, patience = [], [None]
    original = searching._find

    def find(*job):
        if len(done) == patience[0]:
            patience[0] = None
            raise KeyboardInterrupt
        done.append(len(job[1]))
        return original(*job)

    monkeypatch.setattr(searching, "_find", find)
    return done, patience


def flip_flop_seeds(count=100):
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.rand(count, 3, generator=generator, dtype=torch.float64) - 1


def test_a_search_that_was_stopped_goes_on(tmp_path, searched):
    cell, seeds, path = flip_flop().cell, flip_flop_seeds(), tmp_path / "search"
    whole = find_on(cell, seeds, shard=16)
    done, patience = searched
    done.clear()
    patience[0] = 4
    with pytest.raises(KeyboardInterrupt):
        find_on(cell, seeds, shard=16, path=path)
    assert done == [16] * 4
    find_on(cell, seeds.split(50), shard=50, path=tmp_path / "other")
    assert done == [16] * 4 + [50] * 2
    found = find_on(cell, seeds, shard=16, path=path)
    assert done == [16] * 4 + [50] * 2 + [16, 16, 4]
    again = find_on(cell, seeds, shard=16, path=path)
    assert len(done) == 9, "a finished search was begun anew"
    for one in (found, again):
        for name, value in vars(whole).items():
            other = getattr(one, name)
            equal = torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
            assert equal, name
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other", "search"]


def test_a_killed_search_goes_on_from_a_whole_shard(tmp_path):
    """The process dies in its third shard, by a signal that nothing catches."""
    script = f"""
import os, signal, torch
from rnnscope.study import find_on, searching
from rnnscope.synthetic import flip_flop
original, done = searching._find, []
def find(*job):
    done.append(1)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*job)
searching._find = find
searching.SearchFile.add.__globals__["SHARE"] = 1e9
seeds = torch.load({str(tmp_path / "seeds.pt")!r}, weights_only=True)
find_on(flip_flop().cell, seeds, shard=20, path={str(tmp_path / "search")!r})
"""
    seeds = flip_flop_seeds()
    torch.save(seeds, tmp_path / "seeds.pt")
    died = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120)
    assert died.returncode == -signal.SIGKILL, died.stderr
    kept = search_file.SearchFile(tmp_path / "search", _work_of(tmp_path / "search"))
    assert (kept.shards, kept.found.seeds) == (2, 40)
    found = find_on(flip_flop().cell, seeds, shard=20, path=tmp_path / "search")
    assert (found.seeds, len(found.roots)) == (100, 27)


def _work_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["search"])["work"]


def test_a_search_goes_on_with_what_it_was_begun_with(tmp_path):
    cell, seeds, path = flip_flop().cell, flip_flop_seeds(), tmp_path / "search"
    find_on(cell, seeds, shard=40, path=path)
    before = path.read_bytes()
    others = seeds.clone()
    others[5, 1] += 1e-12
    for wrong in (others, seeds[:30], seeds.flip(0)):
        with pytest.raises(DataError, match="same seeds"):
            find_on(cell, wrong, shard=40, path=path)
    for changes in ({"shard": 20}, {"slow_time": 30}, {"sample": 3}, {"inputs": torch.ones(3)}):
        with pytest.raises(UsageError, match="begun with"):
            find_on(cell, seeds, **{"shard": 40, "path": path, **changes})
    with pytest.raises(UsageError, match="network"):
        find_on(flip_flop(gain=2.5).cell, seeds, shard=40, path=path)
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_refused_and_kept(tmp_path):
    cell, seeds, path = flip_flop().cell, flip_flop_seeds(40), tmp_path / "search"
    find_on(cell, seeds, path=path)
    whole = path.read_bytes()
    damaged = [b"", b"notes of mine", whole[:-9], whole[: len(whole) // 2]]
    damaged += [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in (9, 200, -5 % len(whole))
    ]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(DataError, match="file of its own"):
            find_on(cell, seeds, path=path)
        assert path.read_bytes() == content
    with pytest.raises(DataError):
        find_on(cell, seeds, path=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="written to"):
        find_on(cell, seeds, path=tmp_path / "file" / "search")


def test_what_cannot_be_searched():
    with pytest.raises(DataError, match="seeds"):
        find_on(random_cell("gru"), [])
    with pytest.raises(UsageError, match="option"):
        find_on(random_cell("gru"), torch.zeros(4, 4), magic=1)
    # A failure in a worker is the caller's.
    with ThreadPoolExecutor(2) as executor, pytest.raises(DataError):
        find_on(random_cell("gru"), torch.zeros(9, 5), executor, shard=3)
