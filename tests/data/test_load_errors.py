"""Loading what cannot be loaded: each message names the file, the row or the choice."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from rnnscope.data import load_corpus, stream_corpus
from rnnscope.errors import DataError, UsageError


@pytest.fixture(params=["load", "stream"])
def read(request):
    """Loading and streaming meet the same errors."""

    def run(source, **options):
        if request.param == "load":
            return load_corpus(source, **options)
        return list(stream_corpus(source, **options))

    return run


@pytest.fixture
def write(tmp_path):
    def run(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return run


def test_missing_file_lists_what_there_is(read, write, tmp_path):
    write("there.csv", "text\na\n")
    write("notes.txt", "no data")
    with pytest.raises(UsageError, match=r"there\.csv.*embedded") as caught:
        read(tmp_path / "missing.csv")
    assert "notes.txt" not in str(caught.value)
    with pytest.raises(UsageError, match="there is no directory"):
        read(tmp_path / "nowhere" / "a.csv")


@pytest.mark.parametrize("source", ["data.xlsx", "imbd", "embedd", "a.parquet.gz"])
def test_unknown_kinds_list_the_known(read, source):
    with pytest.raises(UsageError, match=r"\.csv.*\.parquet.*embedded"):
        read(source)


def test_a_directory(read, write, tmp_path):
    write("there.csv", "text\na\n")
    with pytest.raises(UsageError, match=r"there\.csv"):
        read(tmp_path)


@pytest.mark.parametrize("source", [None, 3, b"text", {"text": ["a"]}, {}])
def test_no_source(read, source):
    with pytest.raises(UsageError):
        read(source)


@pytest.mark.parametrize(
    ("option", "value"), [("text", "txt"), ("label", "y"), ("valence", "v"), ("split", "part")]
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "pandas", "polars", "list"])
def test_missing_columns_list_those_that_exist(read, write, tmp_path, option, value, kind):
    rows = [{"text": "a", "stars": 1}]
    if kind == "csv":
        source = write("a.csv", "text,stars\na,1\n")
    elif kind == "jsonl":
        source = write("a.jsonl", '{"text": "a", "stars": 1}\n')
    elif kind == "parquet":
        source = tmp_path / "a.parquet"
        pl.DataFrame(rows).write_parquet(source)
    else:
        source = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "list": list}[kind](rows)
    with pytest.raises(UsageError, match="text, stars") as caught:
        read(source, **{option: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", r"a\.csv is empty"),
        ("a.csv", "\n\n", r"names the columns.*\n.*a\.csv"),
        ("a.csv", "text,label\n", r"none in a\.csv"),
        ("a.jsonl", "\n", r"none in a\.jsonl"),
        ("a.csv", "text,text\na,b\n", r"'text' more than once in a\.csv"),
        ("a.csv", "text,label\na,1\nb\n", r"1 in row 2 \(line 3\) of a\.csv"),
        ("a.csv", 'text,label\n"a\nb",1\nb,0,5\n', r"3 in row 2 \(line 4\) of a\.csv"),
        ("a.csv", "text,label\na,1\n  ,0\n", r"row 2, column 'text' of a\.csv"),
        ("a.csv", "text,label\na,1\n\x07,0\n", r"row 2, column 'text' of a\.csv"),
        ("a.csv", b"text,label\na,1\n\xe9t\xe9,0\n", r"0xe9 in line 3 of a\.csv"),
        ("a.csv", "text\na\n".encode("utf-16"), r"line 1 of a\.csv"),
        ("a.csv", b"text\na\nb\0c\n", r"line 3 of a\.csv"),
        ("a.csv", 'text,label\na,1\n"b,0\n', r"line 3 of a\.csv"),
        ("a.csv", 'text,label\n"b"c,0\n', r"line 2 of a\.csv"),
        ("a.tsv", "text\tlabel\na\t1\tx\n", r"row 1 \(line 2\) of a\.tsv"),
        ("a.csv.gz", b"not gzip", r"a\.csv\.gz"),
        ("a.csv.gz", gzip.compress(b"text\n" + b"a\n" * 5000, mtime=0)[:-12], r"a\.csv\.gz"),
        ("a.parquet", b"not parquet", r"a\.parquet"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', r"row 2 of a\.jsonl"),
        ("a.jsonl", '{"text": "a"}\n["b"]\n', r"a list in row 2 of a\.jsonl"),
        ("a.jsonl", "[" * 100_000 + "\n", r"row 1 of a\.jsonl"),
        ("a.jsonl", '{"text": "a"}\n\n{"txt": "b"}\n', r"row 3, column 'text' of a\.jsonl"),
        ("a.jsonl", '{"text": "a"}\n{"text": 5}\n', r"5 \(int\) in row 2, column 'text'"),
        ("a.jsonl", '{"text": "a"}\n{"text": "b\\u0000"}\n', r"row 2, column 'text'"),
        ("a.jsonl", '{"text": ["a", 1]}\n', r"1 \(int\) at position 1 in row 1"),
        ("a.csv", "text,split\na,train\nb,exam\n", r"'exam' in row 2, column 'split'"),
    ],
)
def test_bad_content_names_its_place(read, write, name, content, message):
    with pytest.raises(DataError, match=message):
        read(write(name, content), classes=("0", "1"))


def test_long_lines_and_fields(read, write, monkeypatch):
    monkeypatch.setattr("rnnscope.data.readers._FIELD_LIMIT", 1000)
    with pytest.raises(DataError, match=r"line 2 of a\.csv"):
        read(write("a.csv", "text\n" + "a" * 1001 + "\n"))
    with pytest.raises(DataError, match=r"field larger than field limit.*a\.csv"):
        read(write("a.csv", 'text\n"' + "a\n" * 600 + '"\n'))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["0", "2"], r"'2' in row 2 of a\.csv"),
        (["0", "nope"], r"'nope' in row 2 of a\.csv"),
        (["0", ""], r"no label .* in row 2 of a\.csv"),
        (["0", "-1"], r"no label .* in row 2 of a\.csv"),
        (["", "0"], r"a label .* in row 2 of a\.csv"),
    ],
)
def test_bad_labels_name_the_row(read, write, labels, message):
    path = write("a.csv", "text,label\n" + "".join(f"a,{label}\n" for label in labels))
    with pytest.raises(DataError, match=message):
        read(path, classes=("0", "1"))


@pytest.mark.parametrize("label", [0.5, np.float32(0.5), [1], {"a": 1}, float("inf")])
def test_labels_of_another_kind(read, label):
    with pytest.raises(DataError, match="row 2"):
        read([("a", 0), ("b", label)], classes=("no", "yes"))


def test_nan_labels(read):
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": [0, np.nan, 1]})
    with pytest.raises(DataError, match="row 2"):
        read(frame, classes=("no", "yes"))


def test_one_label_only():
    with pytest.raises(DataError, match="only the label '1'"):
        load_corpus([("a", 1), ("b", 1)])


def test_streamed_labels_need_classes():
    with pytest.raises(UsageError, match="classes="):
        list(stream_corpus([("a", "pos"), ("b", "neg")]))
    assert next(stream_corpus([("a", None), ("b", None)])).labels is None


@pytest.mark.parametrize("classes", ["ab", ("a",), ("a", "a"), ()])
def test_bad_classes(read, classes):
    with pytest.raises(UsageError, match="two or more different names"):
        read([("a", "a")], classes=classes)


@pytest.mark.parametrize("value", ["nan", "inf", "high", ""])
def test_bad_ratings(read, write, value):
    path = write("a.csv", f"text,rating\na,1\nb,{value}\n")
    with pytest.raises(DataError, match="row 2, column 'rating'"):
        read(path, valence="rating")


def test_texts_of_another_kind(read):
    with pytest.raises(DataError, match="row 2, column 'text' of the pandas DataFrame"):
        read(pd.DataFrame({"text": ["a", np.nan]}))
    with pytest.raises(DataError, match="row 2"):
        read(["a", 3])
    with pytest.raises(DataError, match="row 2"):
        read(["a", ["b", 3]])
    with pytest.raises(DataError, match=r"tuple: \(tokens, label\)"):
        read([[["a", "b"], 1]])


@pytest.mark.parametrize(
    "items", [["a", ("b", 1)], [("b", 1), "a"], [{"text": "a"}, "b"], ["b", {"text": "a"}]]
)
def test_unlike_items(read, items):
    with pytest.raises(DataError, match="row 2, unlike row 1"):
        read(items, classes=("0", "1"))


def test_rows_keep_counting_over_chunks():
    stream = stream_corpus(["a", "b", "c", "d", " "], chunk=2)
    assert len(next(stream)) == len(next(stream)) == 2
    with pytest.raises(DataError, match="row 5"):
        next(stream)


def test_streams_refuse_at_the_call(tmp_path):
    with pytest.raises(UsageError):
        stream_corpus(tmp_path / "missing.csv")
    with pytest.raises(UsageError, match="text, label"):
        stream_corpus([("a", 1)], text="review")
    with pytest.raises(UsageError, match="chunk=0"):
        stream_corpus(["a"], chunk=0)


def test_nothing(read):
    with pytest.raises(DataError, match="none in the iterable"):
        read([])
    with pytest.raises(DataError, match="none in the polars DataFrame"):
        read(pl.DataFrame({"text": []}))


def test_columns_of_the_same_name_are_refused():
    frame = pd.DataFrame([["good", "bad", 1], ["a", "b", 0]], columns=["text", "text", "label"])
    with pytest.raises(DataError, match="twice: text"):
        load_corpus(frame)


def test_an_array_of_no_dimension_is_no_corpus():
    """It claims to be iterable, and raised a TypeError when it was iterated."""
    for source in (np.array(float("nan")), torch.tensor(1.0)):
        with pytest.raises(UsageError, match="made from a file"):
            load_corpus(source)
