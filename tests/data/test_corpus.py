"""Corpora: validation, selection, splits, fingerprints."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.data import Corpus
from rnnscope.errors import DataError, UsageError


def small(**changes):
    fields = {
        "documents": (("a", "b"), ("c",), ("a", "b"), ("d", "e", "f")),
        "texts": ("a b", "c", "a b", "d e f"),
        "labels": np.array([0, 1, 0, 1]),
        "classes": ("no", "yes"),
        "valence": np.array([-1.0, 2.0, -0.5, 1.0]),
        "splits": np.array(["train", "test", "train", "train"]),
        "name": "small",
    }
    return Corpus(**(fields | changes))


def test_sequence_of_documents():
    corpus = small()
    assert len(corpus) == 4
    assert list(corpus) == list(corpus.documents)
    assert corpus[1] == ("c",)
    assert "small" in repr(corpus)


def test_arrays_are_private_and_read_only():
    labels = np.array([0, 1, 0, 1])
    corpus = small(labels=labels)
    labels[0] = 1
    assert corpus.labels.tolist() == [0, 1, 0, 1]
    for array in (corpus.labels, corpus.valence, corpus.splits):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    assert labels.flags.writeable


def test_take_keeps_everything_in_step():
    part = small().take([3, 0])
    assert part.documents == (("d", "e", "f"), ("a", "b"))
    assert part.texts == ("d e f", "a b")
    assert part.labels.tolist() == [1, 0]
    assert part.valence.tolist() == [1.0, -1.0]
    assert part.splits.tolist() == ["train", "train"]
    assert len(small().take([])) == 0
    assert small().take(np.array([True, False, False, True])).texts == ("a b", "d e f")
    for wrong in ([4], [-1], [0.5], [[0]], [True, False]):
        with pytest.raises(UsageError):
            small().take(wrong)


def test_split_by_name():
    corpus = small()
    assert corpus.split("test").documents == (("c",),)
    assert corpus.has_split("train")
    assert not corpus.has_split("validation")
    with pytest.raises(UsageError, match="train, test"):
        corpus.split("validation")
    with pytest.raises(UsageError, match="no splits"):
        small(splits=None).split("train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"documents": (("a",), (), ("b",), ("c",))}, "row 2"),
        ({"documents": (("a",), (1,), ("b",), ("c",))}, "row 2"),
        ({"texts": ("a",)}, "texts"),
        ({"labels": np.array([0, 1])}, "labels"),
        ({"labels": np.array([0, 1, 2, 1])}, "2 in row 3"),
        ({"labels": np.array([0, -1, 0, 1])}, "-1 in row 2"),
        ({"labels": np.array([0.5, 1, 0, 1])}, "float64"),
        ({"classes": ("no", "no")}, "different names"),
        ({"classes": ()}, "row 1"),
        ({"valence": np.array([0, 1, np.nan, 1])}, "row 3"),
        ({"splits": np.array(["train", "dev", "test", "test"])}, "'dev' in row 2"),
    ],
)
def test_wrong_fields(changes, message):
    with pytest.raises(DataError, match=message):
        small(**changes)


documents = st.lists(
    st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(tuple), min_size=2, max_size=30
)


@given(documents, st.floats(0.05, 0.95), st.integers(0, 5))
def test_equal_documents_never_part(rows, fraction, seed):
    corpus = Corpus(documents=tuple(rows))
    if len(set(rows)) < 2:
        with pytest.raises(DataError):
            corpus.split_by_seed(fraction=fraction, seed=seed)
        return
    split = corpus.split_by_seed(fraction=fraction, seed=seed)
    train, test = split.split("train"), split.split("test")
    assert not set(train.documents) & set(test.documents)
    assert split.documents == corpus.documents
    again = corpus.split_by_seed(fraction=fraction, seed=seed)
    assert np.array_equal(again.splits, split.splits)


def test_share_of_training_documents():
    corpus = Corpus(documents=tuple((str(row),) for row in range(1000)))
    split = corpus.split_by_seed(fraction=0.8, seed=1)
    assert len(split.split("train")) == 800
    other = corpus.split_by_seed(fraction=0.8, seed=2)
    assert not np.array_equal(split.splits, other.splits)
    for fraction in (0, 1, -1, float("nan")):
        with pytest.raises(UsageError):
            corpus.split_by_seed(fraction=fraction)


def test_fingerprint_sees_tokens_labels_and_splits_only():
    corpus = small()
    assert corpus.fingerprint == small(name="other", texts=None, valence=None).fingerprint
    changed = [
        small(documents=(("ab",), ("c",), ("a", "b"), ("d", "e", "f"))),
        small(documents=(("a", "b", "c"), ("c",), ("b",), ("d", "e", "f"))),
        small(labels=np.array([1, 1, 0, 1])),
        small(labels=None),
        small(splits=None),
    ]
    assert len({corpus.fingerprint, *(other.fingerprint for other in changed)}) == 6


def test_fingerprint_is_the_same_in_another_process():
    code = (
        "from rnnscope.data import Corpus;"
        "print(Corpus(documents=(('a', 'é\\ud800'), ('c',))).fingerprint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == Corpus(documents=(("a", "é\ud800"), ("c",))).fingerprint


def test_describe_is_json():
    described = json.loads(json.dumps(small().describe()))
    assert described["documents"] == 4
    assert described["words"] == 8
    assert described["mean_length"] == 2.0
    assert described["splits"] == {"train": 3, "test": 1}
    assert described["classes"] == {"no": 2, "yes": 2}
    assert described["valence"] is True
    assert json.dumps(Corpus(documents=()).describe())
