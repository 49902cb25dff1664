"""Tables of shards, on any executor, add up to the table of the whole; what is stopped goes on."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest

from rnnscope import progress
from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import PhraseTable
from rnnscope.scores import CellDifference, IntegratedGradients
from rnnscope.study import mine_on, mining, parts
from rnnscope.synthetic import planted_network

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
    monkeypatch.setattr(parts, "FAN", fan)
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


class Stop(KeyboardInterrupt):
    """In place of Ctrl-C, at a moment that the test chooses."""


def watched(monkeypatch, stop=None):
    """The shards that are mined, up to the one in which the work stops."""
    whole, mined = mining._mine, []

    def mine(score, k, *rest):
        if len(mined) == stop:
            raise Stop
        mined.append(k)
        return whole(score, k, *rest)

    monkeypatch.setattr(mining, "_mine", mine)
    return mined


def stopped(monkeypatch, after, *work, **sizes):
    """``mine_on`` stopped after so many shards, which are given."""
    with monkeypatch.context() as patched:
        mined = watched(patched, stop=after)
        with pytest.raises(Stop):
            mine_on(*work, **sizes)
    return mined


@pytest.mark.parametrize("after", [0, 1, 3, 4, 9, 10, 11])
def test_what_was_stopped_goes_on_from_its_last_shard(tmp_path, monkeypatch, after):
    monkeypatch.setattr(parts, "FAN", 3)
    score, texts = CellDifference(planted_network(WEIGHTS).model), documents(100)
    straight = mine_on(score, texts, shard=9, path=tmp_path / "straight")
    first = stopped(monkeypatch, after, score, texts, shard=9, path=tmp_path / "table")
    assert not (tmp_path / "table").exists()
    second = watched(monkeypatch)
    found = mine_on(score, texts, shard=9, path=tmp_path / "table")
    assert first + second == list(range(12))
    for length in range(1, 6):
        assert found.lazy(length).collect().equals(straight.lazy(length).collect())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["straight", "table"]


@pytest.mark.parametrize(
    "damage",
    ["half a digest", "a sum beside its parts", "a draft", "a missing sum", "not known what for"],
)
def test_a_kill_at_any_moment_is_gone_on_from(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(parts, "FAN", 3)
    score, texts = CellDifference(planted_network(WEIGHTS).model), documents(100)
    straight = mine_on(score, texts, shard=9)
    stopped(monkeypatch, 5, score, texts, shard=9, path=tmp_path / "table")
    folder = tmp_path / ".table.parts"
    assert {path.name for path in folder.glob("*-*")} == {"1-000000", "0-000003", "0-000004"}
    if damage == "half a digest":
        # The sixth was handed out and its digest half written.
        text = (folder / "documents").read_text()
        assert text.count("\n") == 6
        (folder / "documents").write_text(text[:-30])
    elif damage == "a sum beside its parts":
        PhraseTable.of(score.score(texts[:9]), path=folder / "0-000000")
    elif damage == "a draft":
        (folder / ".0-000005.999999-abc").mkdir()
    elif damage == "not known what for":
        (folder / "work.json").write_text("{")
        PhraseTable.of(score.score(texts[45:]), path=folder / "0-000003")
    else:
        PhraseTable.of(score.score(texts[45:54]), path=folder / "0-000005")
    found = mine_on(score, texts, shard=9, path=tmp_path / "table")
    for length in range(1, 6):
        assert found.lazy(length).collect().equals(straight.lazy(length).collect())
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_what_was_stopped_goes_on_only_as_it_was_begun(tmp_path, monkeypatch):
    model, texts, path = planted_network(WEIGHTS).model, documents(40), tmp_path / "table"
    score = CellDifference(model)
    stopped(monkeypatch, 2, score, texts, shard=9, path=path)
    for change in (
        {"score": IntegratedGradients(model)},
        {"score": CellDifference(planted_network({**WEIGHTS, "not": 0.2}).model)},
        {"shard": 10},
        {"max_length": 4},
    ):
        with pytest.raises(UsageError, match="same score and sizes"):
            mine_on(**{"score": score, "shard": 9, "documents": texts, "path": path} | change)
    with pytest.raises(DataError, match="same documents"):
        mine_on(score, [["film"], *texts], shard=9, path=path)
    with pytest.raises(DataError, match="2 shards of 3"):
        mine_on(score, texts[:18], shard=9, path=path)
    assert len(mine_on(score, texts, shard=9, path=path)) == len(mine_on(score, texts))


def test_the_options_of_a_score_are_its_identity():
    model = planted_network(WEIGHTS).model
    same = [IntegratedGradients(model), IntegratedGradients(model, tolerance=1e-3)]
    assert len({parts._identity(score) for score in same}) == 1
    other = [IntegratedGradients(model, tolerance=1e-2), CellDifference(model)]
    other += [IntegratedGradients(model, baseline="mean")]
    assert len({parts._identity(score) for score in [same[0], *other]}) == 4


def test_a_bar_counts_documents(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    monkeypatch.setattr(progress, "refresh", lambda: 0)
    score = CellDifference(planted_network(WEIGHTS).model)
    mine_on(score, documents(30), shard=9)
    assert capsys.readouterr().err == ""
    mine_on(score, documents(30), shard=9, progress=True)
    assert "30.0 documents" in capsys.readouterr().err


def test_what_cannot_be_mined():
    score = CellDifference(planted_network(WEIGHTS).model)
    with pytest.raises(DataError, match="documents"):
        mine_on(score, [])
    with pytest.raises(UsageError, match="shard"):
        mine_on(score, documents(3), shard=0)
