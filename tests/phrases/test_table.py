"""The mergeable table against loops, its laws, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.phrases import PhraseTable, mine_phrases
from rnnscope.phrases import rows as rows_module
from rnnscope.phrases import sums as sums_module
from rnnscope.phrases import windows as windows_module
from rnnscope.phrases.levels import levels
from rnnscope.phrases.words import Origin, Words
from rnnscope.scores import CellDifference
from tests.helpers import random_documents
from tests.phrases.shards import SKIP, cut, made_up, model_of, scores_of
from tests.reference.phrases import occurrences, statistics

EXACT = ("key_", "count_", "documents_", "pairs", "strength_")


def require_close(got, expected):
    """The same n-grams: counts bit for bit, sums to 1e-12 of their absolute terms."""
    for a, b in zip(got.frames, expected.frames, strict=True):
        a, b = a.lazy().collect(), b.lazy().collect()
        assert a.columns == b.columns
        exact = [name for name in a.columns if name.startswith(EXACT)]
        assert_frame_equal(a.select(exact), b.select(exact))
        for name in set(a.columns) - set(exact):
            size = np.abs(b[name].to_numpy())
            kind, _, k = name.rpartition("_")
            if kind in ("log", "cross"):  # terms of both signs: |sum| <= sqrt(count * squares)
                squares = b[f"square_{k}"] * b["pairs"].cast(pl.Float64)
                size = np.sqrt(squares.to_numpy() * b["pairs"].cast(pl.Float64).to_numpy())
            assert (np.abs(a[name].to_numpy() - b[name].to_numpy()) <= 1e-12 * size).all(), name
    assert got.predicted.tolist() == expected.predicted.tolist()
    assert got.words == expected.words


def same_bits(a, b):
    return all(
        x.lazy().collect().equals(y.lazy().collect())
        for x, y in zip(a.frames, b.frames, strict=True)
    )


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_sums_are_the_references(classes, compiled, monkeypatch):
    if compiled:
        pytest.importorskip("numba")
        monkeypatch.setattr(sums_module, "WORTH_COMPILING", 0)
    monkeypatch.setattr(sums_module, "OCCURRENCES", 50)
    scores = scores_of(classes=classes)
    table = PhraseTable.of(scores, max_length=5)
    documents = [list(d.tokens) for d in scores]
    expected = occurrences(documents, [d.values.tolist() for d in scores], longest=5, skip=SKIP)
    total = 0
    for length, frame in enumerate(table.frames, 1):
        ids = table.origin.unpack(
            [frame[key].to_numpy() for key in table.origin.keys(length)], length
        )
        for words, row in zip(table.origin.spell(ids), frame.to_dicts(), strict=True):
            wanted = statistics(expected[words], scores.predictions, classes)
            for k in range(classes):
                assert row[f"count_{k}"] == wanted["count"][k]
                assert row[f"documents_{k}"] == wanted["documents"][k]
            for name in set(row) & set(wanted):
                np.testing.assert_allclose(row[name], wanted[name], rtol=1e-11, atol=1e-13)
            total += 1
    assert total == len(expected) == len(table)
    assert table.occurrences() == sum(map(len, expected.values()))


@given(
    seed=st.integers(0, 50),
    classes=st.sampled_from([2, 3]),
    cuts=st.lists(st.integers(1, 100), max_size=4),
)
@settings(max_examples=10, deadline=None)
def test_shards_add_up_to_the_whole(seed, classes, cuts):
    documents = random_documents(20, seed=seed)
    # The same scores to the last bit: a network's own change by a rounding with the batch.
    rng = np.random.default_rng(seed)
    values = {id(d): rng.normal(0, 0.3, size=(len(d), classes)) for d in documents}
    logits = {id(d): rng.normal(size=classes) for d in documents}

    def table(part):
        rows = np.concatenate([values[id(d)] for d in part])
        scores = made_up(part, rows, np.stack([logits[id(d)] for d in part]))
        return PhraseTable.of(scores, max_length=3)

    def tables():
        return [table(part) for part in cut(documents, cuts)]

    whole = table(documents)
    merged = PhraseTable.merge(tables())
    require_close(merged, whole)
    assert same_bits(merged, PhraseTable.merge(tables()))
    shards = tables()
    folded = shards[0]
    for shard in shards[1:]:
        folded = folded + shard
    require_close(folded, whole)
    if len(shards) > 2:
        a, b, c = shards[:3]
        require_close(a + (b + c), (a + b) + c)
    require_close(PhraseTable.merge(shards[::-1]), whole)


def test_both_orders_of_two_give_the_same_bits():
    a, b = (PhraseTable.of(scores_of(random_documents(9, seed=k))) for k in (1, 2))
    assert same_bits(a + b, b + a)


def test_a_table_on_disk_is_the_table_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "ROWS", 40)
    monkeypatch.setattr(rows_module, "EVERY", 4)
    monkeypatch.setattr(sums_module, "OCCURRENCES", 30)
    parts = [scores_of(random_documents(15, seed=k)) for k in (1, 2, 3)]
    inside = [PhraseTable.of(part) for part in parts]
    outside = [PhraseTable.of(part, path=tmp_path / f"{k}") for k, part in enumerate(parts)]
    for a, b in zip(inside, outside, strict=True):
        assert same_bits(a, b)
    merged = PhraseTable.merge(outside, path=tmp_path / "all")
    assert isinstance(merged.frames[0], pl.LazyFrame)
    assert len(list((tmp_path / "all").glob("length_05_*.parquet"))) > 1
    assert same_bits(merged, PhraseTable.merge(inside))
    merged.save(tmp_path / "again")
    assert same_bits(PhraseTable.load(tmp_path / "again"), merged)
    assert len(PhraseTable.load(tmp_path / "again")) == len(merged)
    assert mine_phrases(merged) == mine_phrases(PhraseTable.merge(inside))


@pytest.mark.parametrize("compiled", [True, False])
def test_the_cut_by_first_word_changes_nothing(compiled, monkeypatch):
    if compiled:
        pytest.importorskip("numba")
        monkeypatch.setattr(sums_module, "WORTH_COMPILING", 0)
    scores = scores_of(classes=3)
    whole = PhraseTable.of(scores)
    monkeypatch.setattr(windows_module, "OCCURRENCES", 5)
    words = Words.of(scores)
    assert len(list(windows_module.windows(words, 5))) > 5
    assert sum(int((w.reach > 0).sum()) for w in windows_module.windows(words, 5)) == int(
        (words.reach > 0).sum()
    )
    require_close(PhraseTable.of(scores), whole)
    if not compiled:
        assert same_bits(PhraseTable.of(scores), whole)


def test_an_n_gram_with_more_occurrences_than_a_block():
    """Blocks are summed apart and then added: nothing may be lost or doubled where they meet."""
    pytest.importorskip("numba")
    from rnnscope.phrases.compiled import BLOCK, group_sums

    rng = np.random.default_rng(0)
    documents = random_documents(8 * BLOCK, words=["good", "film"])
    values = rng.normal(0, 0.3, size=(sum(map(len, documents)), 2))
    words = Words.of(made_up(documents, values, rng.normal(size=(8 * BLOCK, 2))))
    for level in levels(words, 3):
        assert level.counts.max() > 2 * BLOCK
        got = group_sums(words, level, slice(1, 2), False)
        expected = sums_module._plain(words, level, slice(1, 2), False)
        assert got[3] is expected[3] is None
        for a, b in zip(got[:3] + got[4:], expected[:3] + expected[4:], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("occurrences", [1, 1 << 16])
def test_scores_too_large_for_exp_are_summed_all_the_same(occurrences, monkeypatch):
    """exp(900) is infinite in float64; the sums carry a power of two, in every part of a table
    also where one part alone needs it."""
    monkeypatch.setattr(windows_module, "OCCURRENCES", occurrences)
    documents = [["good", "bad"], ["good", "film"], ["good"]]
    values = np.array([[-500, 400], [0, 0], [-3, 2], [1, -1], [-450, 451.0]])
    logits = [[0, 1]] * 3
    whole = made_up(documents, values, logits)
    table = PhraseTable.of(whole)
    assert "ratio_scale_1" in table.frames[0].columns
    phrases = mine_phrases(whole, min_count=1)
    good = phrases.words.index(("good",))
    expected = 901 + np.log((1 + np.exp(-1.0) + np.exp(-896.0)) / 3)
    np.testing.assert_allclose(phrases.log_importance[good, 1], expected, rtol=1e-14)
    a = made_up(documents[:1], values[:2], logits[:1])
    b = made_up(documents[1:2], values[2:4], logits[:1])
    c = made_up(documents[2:], values[4:], logits[:1])
    merged = PhraseTable.merge([PhraseTable.of(part) for part in (b, a, c)])
    again = mine_phrases(merged, min_count=1)
    assert again.words == phrases.words
    np.testing.assert_allclose(again.log_importance, phrases.log_importance, rtol=1e-12)
    assert np.isfinite(phrases.log_importance).all()


@given(
    length=st.integers(1, 7),
    size=st.sampled_from([1, 2, 5, 40_000, 1 << 25]),
    seed=st.integers(0, 100),
)
@settings(max_examples=60, deadline=None)
def test_keys_spell_their_words_and_sort_like_them(length, size, seed):
    origin = Origin(
        method="", fingerprint="", classes=("a", "b"), vocabulary=None, tokenizer="words"
    )
    if size < 1 << 25:
        origin = Origin(
            method="",
            fingerprint="",
            classes=("a", "b"),
            vocabulary=tuple(map(str, range(size))),
            tokenizer="words",
        )
    ids = np.random.default_rng(seed).integers(0, size, size=(50, length))
    ids[0] = size - 1
    columns = origin.pack(ids)
    assert (origin.unpack(columns, length) == ids).all()
    keys = list(zip(*(c.tolist() for c in columns), strict=True))
    assert sorted(range(50), key=keys.__getitem__) == sorted(
        range(50), key=ids.tolist().__getitem__
    )


@pytest.mark.parametrize("name", ["method", "fingerprint", "classes", "vocabulary"])
def test_tables_of_different_things_are_not_added(name):
    table = PhraseTable.of(scores_of(random_documents(5)))
    if name == "method":
        other = PhraseTable.of(CellDifference(model_of()).score(random_documents(5)))
    elif name == "fingerprint":
        other = PhraseTable.of(scores_of(random_documents(5), seed=1))
    else:
        changed = {"classes": ("x", "y"), "vocabulary": ("x", "y")}[name]
        fields = table.origin.to_dict() | {name: changed}
        other = PhraseTable(
            origin=Origin.from_dict(fields),
            frames=table.frames,
            predicted=table.predicted,
            words=table.words,
        )
    with pytest.raises(DataError, match=f"where the {name} is the same"):
        table + other


def test_what_cannot_be_added():
    table = PhraseTable.of(scores_of(random_documents(5)))
    with pytest.raises(DataError, match="the same table twice"):
        table + table
    with pytest.raises(DataError, match="one PhraseTable or more"):
        PhraseTable.merge([])
    with pytest.raises(DataError, match="equally long"):
        table + PhraseTable.of(scores_of(random_documents(5)), max_length=2)
    with pytest.raises(UsageError, match="one word or more"):
        PhraseTable.of(scores_of(random_documents(5)), max_length=0)


def test_a_damaged_table_is_refused(tmp_path):
    table = PhraseTable.of(scores_of(random_documents(5)))
    with pytest.raises(UsageError, match="There must be saved phrase_table"):
        PhraseTable.load(tmp_path)
    path = table.save(tmp_path / "t")
    file = path / "length_02_00000.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + b"x" + whole[-8:])
    for read in (PhraseTable.load, PhraseTable.scan):
        with pytest.raises(DataError, match="as it was written"):
            read(path)
    file.unlink()
    with pytest.raises(DataError, match="must be readable"):
        PhraseTable.load(path)
    table.save(path)
    assert same_bits(PhraseTable.load(path), table)
    header = path / "phrase_table.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"format": 2}))
    with pytest.raises(DataError, match="format 2"):
        PhraseTable.load(path)
    header.write_text("{")
    with pytest.raises(DataError, match="must be readable"):
        PhraseTable.load(path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(UsageError, match="nothing was written"):
        table.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"


def test_what_a_table_cannot_answer():
    table = PhraseTable.of(scores_of(random_documents(9)), max_length=2)
    assert "9 documents" in repr(table)
    for options, message in (
        ({"runs": "maximal"}, "runs are maximal"),
        ({"importance": "sum"}, "signed=False"),
        ({"split": "train"}, "no single documents"),
    ):
        with pytest.raises(NotApplicable, match=message):
            mine_phrases(table, **({"max_length": 2} | options))
    with pytest.raises(UsageError, match="max_length <= 2"):
        mine_phrases(table)
    phrases = mine_phrases(table, max_length=2, min_count=1)
    with pytest.raises(NotApplicable, match="forgets where"):
        phrases.examples(0)
