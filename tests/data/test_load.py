"""Loading: every kind of source gives the same corpus, frames stay as they are."""

from __future__ import annotations

import csv
import gzip
import json
import sys
import types

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.data import Corpus, load_corpus, stream_corpus
from rnnscope.errors import DataError, UsageError

ROWS = [
    {"text": "A good film.", "label": "pos", "rating": 2.5, "split": "train"},
    {"text": 'Bad, "bad"\nfilm', "label": "neg", "rating": -1.0, "split": "dev"},
    {"text": "Great\tfun é", "label": "pos", "rating": 1.0, "split": "test"},
]
COLUMNS = list(ROWS[0])


def write(folder, suffix):
    """The rows as a file of this kind."""
    path = folder / f"rows{suffix}"
    frame = pl.DataFrame(ROWS)
    kind = suffix.removesuffix(".gz")
    if kind == ".parquet":
        frame.write_parquet(path)
        return path
    if kind in (".jsonl", ".ndjson"):
        content = "".join(json.dumps(row) + "\n" for row in ROWS)
    else:
        content = frame.write_csv(separator="\t" if kind == ".tsv" else ",")
    data = content.encode()
    path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    return path


def check_rows(corpus):
    assert corpus.documents[0] == ("a", "good", "film", ".")
    assert corpus.texts == tuple(row["text"] for row in ROWS)
    assert corpus.classes == ("neg", "pos")
    assert corpus.labels.tolist() == [1, 0, 1]
    assert corpus.valence.tolist() == [2.5, -1.0, 1.0]
    assert corpus.splits.tolist() == ["train", "validation", "test"]


@pytest.mark.parametrize(
    "suffix",
    [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".CSV"],
)
def test_files(tmp_path, suffix):
    path = write(tmp_path, suffix)
    corpus = load_corpus(path, valence="rating")
    check_rows(corpus)
    assert corpus.name == "rows"
    assert path.name in corpus.source
    assert load_corpus(str(path), valence="rating").fingerprint == corpus.fingerprint


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_frames_are_read_and_left_as_they_are(make):
    frame = make(ROWS)
    before = frame.copy() if make is pd.DataFrame else frame.clone()
    check_rows(load_corpus(frame, valence="rating"))
    assert frame.equals(before)


def test_frames_with_an_index_and_token_lists():
    frame = pd.DataFrame({"text": [["a", "b"], ["c"]], "label": [1.0, 0.0]}, index=["x", "x"])
    corpus = load_corpus(frame)
    assert corpus.documents == (("a", "b"), ("c",))
    assert corpus.texts is None
    assert corpus.classes == ("0", "1")
    lists = pl.DataFrame({"text": [["a", "b"], ["c"]]})
    assert load_corpus(lists).documents == corpus.documents


def test_iterables():
    assert load_corpus(["A b", "c"]).documents == (("a", "b"), ("c",))
    assert load_corpus(iter(["A b", "c"])).texts == ("A b", "c")
    assert load_corpus([["A", "b"], ("c", "d", "e")]).documents == (("A", "b"), ("c", "d", "e"))
    assert load_corpus(pd.Series(["A b"], index=[7])).documents == (("a", "b"),)
    check_rows(load_corpus(ROWS, valence="rating"))


def test_pairs_and_documents_of_two_tokens():
    pairs = load_corpus([("good", "film"), ("bad", "plot")])
    assert pairs.documents == (("good",), ("bad",))
    assert pairs.classes == ("film", "plot")
    assert load_corpus([["good", "film"], ["bad", "plot"]]).documents == (
        ("good", "film"),
        ("bad", "plot"),
    )
    tokens = load_corpus([(["Good"], 1), (("bad", "plot"), 0)])
    assert tokens.documents == (("Good",), ("bad", "plot"))
    assert tokens.labels.tolist() == [1, 0]
    assert load_corpus([("good", None), ("bad", None)]).labels is None
    assert load_corpus([("good", True), ("bad", False)]).classes == ("False", "True")


def test_a_corpus_comes_back():
    corpus = load_corpus(["a", "b", "c"])
    assert load_corpus(corpus) is corpus
    assert load_corpus(corpus, limit=2).documents == (("a",), ("b",))


@pytest.mark.parametrize(
    ("labels", "classes", "expected_classes", "expected"),
    [
        ([10, 9, 2], None, ("2", "9", "10"), [2, 1, 0]),
        (["10", "9", "2"], None, ("2", "9", "10"), [2, 1, 0]),
        (["b", "a", "b"], None, ("a", "b"), [1, 0, 1]),
        (["b", "a", "b"], ("b", "a", "c"), ("b", "a", "c"), [0, 1, 0]),
        ([1, 0, 1], ("no", "yes"), ("no", "yes"), [1, 0, 1]),
        (["1", "0", "1"], ("no", "yes"), ("no", "yes"), [1, 0, 1]),
        ([1, 2, 3], ("1", "2", "3"), ("1", "2", "3"), [0, 1, 2]),
        ([-1, 1, -1], (-1, 1), ("-1", "1"), [0, 1, 0]),
        ([np.int64(1), np.bool_(True), "x"], None, ("1", "True", "x"), [0, 1, 2]),
        ([1.0, 0.0, 1.0], None, ("0", "1"), [1, 0, 1]),
        ([1, 1, 1], ("no", "yes"), ("no", "yes"), [1, 1, 1]),
    ],
)
def test_labels(labels, classes, expected_classes, expected):
    corpus = load_corpus(zip("abc", labels, strict=True), classes=classes)
    assert corpus.classes == expected_classes
    assert corpus.labels.tolist() == expected


@pytest.mark.parametrize("nothing", [None, -1, "-1", float("nan"), "", pd.NA])
def test_rows_without_labels(nothing):
    corpus = load_corpus([("a", nothing), ("b", nothing)])
    assert corpus.labels is None
    assert corpus.classes == ()
    with pytest.raises(DataError, match="row 3"):
        load_corpus([("a", 0), ("b", 1), ("c", nothing)])


def test_named_columns(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("review,stars,part,split\ngood,5,train,1\nbad,1,valid,2\n")
    corpus = load_corpus(path, text="review", label="stars", split="part")
    assert corpus.classes == ("1", "5")
    assert corpus.splits.tolist() == ["train", "validation"]
    assert load_corpus(path, text="review").splits is None
    assert load_corpus(path, text="review").labels is None


def test_a_byte_order_mark_and_windows_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\r\ngood,1\r\n\r\nbad,0\r\n")
    assert load_corpus(path).texts == ("good", "bad")


def test_large_fields_and_the_limit_of_the_csv_module(tmp_path):
    path = tmp_path / "a.csv"
    long = "word " * 60_000
    path.write_text(f'text,label\n"{long}",1\nb,0\n')
    before = csv.field_size_limit()
    assert len(load_corpus(path)[0]) == 60_000
    assert csv.field_size_limit() == before


def test_limit(tmp_path):
    path = write(tmp_path, ".csv")
    assert len(load_corpus(path, limit=2)) == 2
    assert len(load_corpus(path, limit=99)) == 3
    for wrong in (0, -1):
        with pytest.raises(UsageError, match="limit"):
            load_corpus(path, limit=wrong)


words = st.text("ab \",\n\té'", min_size=1).filter(lambda text: text.strip(" \n\t"))


@given(st.lists(st.tuples(words, st.sampled_from(["x", "y"])), min_size=1), st.integers(1, 5))
def test_streams_joined_equal_loading(rows, chunk):
    classes = ("x", "y")
    whole = load_corpus(rows, classes=classes)
    parts = list(stream_corpus(iter(rows), classes=classes, chunk=chunk))
    assert all(len(part) <= chunk for part in parts)
    assert tuple(d for part in parts for d in part) == whole.documents
    assert [x for part in parts for x in part.labels] == whole.labels.tolist()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz"])
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_streamed_files(tmp_path, suffix, limit):
    path = write(tmp_path, suffix)
    options = {"valence": "rating", "classes": ("neg", "pos"), "limit": limit}
    whole = load_corpus(path, **options)
    parts = list(stream_corpus(path, chunk=2, **options))
    for field in ("documents", "texts", "labels", "valence", "splits"):
        joined = [value for part in parts for value in getattr(part, field)]
        assert joined == list(getattr(whole, field))


def test_streams_of_ready_corpora():
    whole = load_corpus("embedded")
    parts = list(stream_corpus("embedded", chunk=5000))
    assert [len(part) for part in parts] == [5000, 5000, len(whole) - 10_000]
    assert sum(len(part) for part in stream_corpus(whole, limit=7, chunk=3)) == 7


def test_streams_are_lazy():
    seen = []

    def rows():
        for number in range(100):
            seen.append(number)
            yield f"text {number}"

    stream = stream_corpus(rows(), chunk=10)
    next(stream)
    assert len(seen) <= 12


def test_parquet_in_several_reads(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnscope.data.readers._PARQUET_ROWS", 4)
    for count in (7, 8):
        path = tmp_path / f"{count}.parquet"
        pl.DataFrame({"text": [f"t{n}" for n in range(count)]}).write_parquet(path)
        assert load_corpus(path).texts == tuple(f"t{n}" for n in range(count))


class FakeDataset:
    """What a Hugging Face data set looks like from outside."""

    def __init__(self, rows, names=None):
        self.rows = rows
        self.column_names = list(rows[0])
        self.features = {"text": object(), "label": types.SimpleNamespace(names=names)}

    def __iter__(self):
        return iter(self.rows)


def test_hub_data_sets(monkeypatch):
    rows = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}]
    data = FakeDataset(rows, names=["3 stars", "4 stars"])
    assert load_corpus(data).classes == ("3 stars", "4 stars")
    assert load_corpus(data).labels.tolist() == [1, 0]
    numbered = load_corpus(FakeDataset(rows, names=["1", "2"]))
    assert numbered.labels.tolist() == [1, 0]

    calls = []

    def load_dataset(name, *, split, streaming):
        calls.append((name, split, streaming))
        if split == "missing":
            raise ValueError("Unknown split")
        parts = {"train": data, "test": data, "unsupervised": data}
        return parts[split] if split else parts

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    both = load_corpus("hub:owner/name")
    assert both.splits.tolist() == ["train", "train", "test", "test"]
    assert both.classes == ("3 stars", "4 stars")
    assert load_corpus("hub:owner/name:train").splits is None
    parts = list(stream_corpus("hub:owner/name:train", chunk=1))
    assert [part.labels.tolist() for part in parts] == [[1], [0]]
    assert calls == [
        ("owner/name", None, False),
        ("owner/name", "train", False),
        ("owner/name", "train", True),
    ]
    with pytest.raises(UsageError, match="Unknown split"):
        load_corpus("hub:owner/name:missing")


def test_hub_streams_without_declared_columns():
    data = FakeDataset([{"text": "good"}, {"text": "bad"}])
    data.column_names = data.features = None
    assert load_corpus(data).texts == ("good", "bad")


def test_hub_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r"pip install rnnscope\[hub\]"):
        load_corpus("hub:owner/name")


def test_name():
    assert load_corpus(["a"], name="mine").name == "mine"
    assert isinstance(load_corpus(["a"]), Corpus)


def test_whole_numbers_written_as_floats_are_whole(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("text,label\ngood film,1.0\nbad film,0.0\n")
    corpus = load_corpus(path)
    assert corpus.classes == ("0", "1")
    assert corpus.labels.tolist() == [1, 0]


def test_a_missing_label_spelled_out_is_missing(tmp_path):
    path = tmp_path / "nan.csv"
    path.write_text("text,label\ngood film,1\nbad film,nan\n")
    with pytest.raises(DataError, match="row 2"):
        load_corpus(path)
