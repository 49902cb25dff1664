"""Shards on any executor add up to the whole."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import torch

from rnnscope.dynamics import find_fixed_points
from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import PhraseTable
from rnnscope.scores import CellDifference
from rnnscope.study import shards
from rnnscope.study.shards import find_on, mine_on
from rnnscope.synthetic import flip_flop, planted_network
from tests.helpers import random_cell

WEIGHTS = {"good": 1.0, "bad": -1.0, "film": 0.0, "the": 0.0, "not": 0.3}


def documents(count, *, rng=0):
    generator = np.random.default_rng(rng)
    words = list(WEIGHTS)
    sizes = generator.integers(1, 12, count)
    return [list(map(str, generator.choice(words, n))) for n in sizes]


def spawned(count):
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("pool", [None, ThreadPoolExecutor, spawned])
def test_a_table_of_shards_is_the_table_of_the_whole(pool):
    score = CellDifference(planted_network(WEIGHTS).model)
    texts = documents(230)
    whole = PhraseTable.of(score.score(texts))
    if pool is None:
        found = mine_on(score, iter(texts), shard=17)
    else:
        with pool(2) as executor:
            found = mine_on(score, iter(texts), executor, shard=17, ahead=3)
    assert found.documents == whole.documents
    for length in range(1, 6):
        a, b = found.lazy(length).collect(), whole.lazy(length).collect()
        a, b = a.sort(by=a.columns), b.sort(by=b.columns)
        for name in a.columns:
            if a[name].dtype.is_float():
                np.testing.assert_allclose(a[name], b[name], rtol=1e-12, atol=1e-12)
            else:
                assert a[name].to_list() == b[name].to_list()


@pytest.mark.parametrize("pool", [None, spawned])
def test_workers_may_read_their_shards_themselves(pool):
    score = CellDifference(planted_network(WEIGHTS).model)
    whole = PhraseTable.of(score.score([*documents(40), *documents(30)]))
    parts = (partial(documents, count) for count in (40, 30))
    with nullcontext() if pool is None else pool(2) as executor:
        found = mine_on(score, parts, executor)
    assert found.documents == whole.documents == 70
    for length in range(1, 6):
        a, b = found.lazy(length).collect(), whole.lazy(length).collect()
        assert a.select("key_0", "count_0").sort("key_0").height == b.height
        assert a["count_0"].sum() == b["count_0"].sum()


@pytest.mark.parametrize(("fan", "pool"), [(2, None), (3, ThreadPoolExecutor), (16, spawned)])
def test_a_table_kept_on_disk_is_the_same_and_leaves_nothing_beside(
    tmp_path, monkeypatch, fan, pool
):
    monkeypatch.setattr(shards, "FAN", fan)
    score = CellDifference(planted_network(WEIGHTS).model)
    texts = documents(100)
    with nullcontext() if pool is None else pool(2) as executor:
        found = mine_on(score, texts, executor, shard=9, path=tmp_path / "table")
    memory = mine_on(score, texts, shard=9)
    for length in range(1, 6):
        a, b = found.lazy(length).collect(), memory.lazy(length).collect()
        assert a.sort(by=a.columns).equals(b.sort(by=b.columns))
    assert [path.name for path in tmp_path.iterdir()] == ["table"]
    assert PhraseTable.load(tmp_path / "table").documents == 100


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


def test_what_cannot_be_sharded():
    score = CellDifference(planted_network(WEIGHTS).model)
    with pytest.raises(DataError, match="documents"):
        mine_on(score, [])
    with pytest.raises(UsageError, match="shard"):
        mine_on(score, documents(3), shard=0)
    with pytest.raises(DataError, match="seeds"):
        find_on(random_cell("gru"), [])
    with pytest.raises(UsageError, match="option"):
        find_on(random_cell("gru"), torch.zeros(4, 4), magic=1)
    # A failure in a worker is the caller's.
    with ThreadPoolExecutor(2) as executor, pytest.raises(DataError):
        find_on(random_cell("gru"), torch.zeros(9, 5), executor, shard=3)
