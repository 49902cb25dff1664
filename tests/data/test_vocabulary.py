"""Vocabularies: order, lookup, recognition of special words, round trips, errors."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, UsageError

DOCUMENTS = [["good", "film"], ["bad", "film"], ["good", "bad", "good"], ["rare"]]
words_lists = st.lists(st.text(max_size=4), min_size=1, unique=True)


def test_build_orders_by_count_then_word():
    vocabulary = Vocabulary.build(DOCUMENTS)
    assert vocabulary.words == ("<pad>", "<unk>", "good", "bad", "film")
    assert (vocabulary.unknown, vocabulary.padding) == ("<unk>", "<pad>")
    assert Vocabulary.build(DOCUMENTS[::-1]).words == vocabulary.words


def test_build_limits():
    assert Vocabulary.build(DOCUMENTS, max_size=3).words == ("<pad>", "<unk>", "good")
    plain = Vocabulary.build(DOCUMENTS, min_count=1, unknown=None, padding=None)
    assert plain.words == ("good", "bad", "film", "rare")
    with pytest.raises(UsageError):
        Vocabulary.build(DOCUMENTS, max_size=2)
    with pytest.raises(UsageError):
        Vocabulary.build(DOCUMENTS, min_count=0)
    with pytest.raises(DataError, match="no word that occurs 9 times"):
        Vocabulary.build(DOCUMENTS, min_count=9)
    with pytest.raises(DataError, match="3"):
        Vocabulary.build([[3, 3]])


@given(st.lists(st.lists(st.sampled_from("abcdef<"), min_size=1), min_size=1))
def test_build_holds_exactly_the_frequent_words(documents):
    vocabulary = Vocabulary.build(documents, min_count=1)
    counts = Counter(word for document in documents for word in document)
    assert set(vocabulary.words) == set(counts) | {"<pad>", "<unk>"}
    numbers = [counts[word] for word in vocabulary.words[2:]]
    assert numbers == sorted(numbers, reverse=True)


@given(words_lists)
def test_encode_and_decode_are_inverse(words):
    vocabulary = Vocabulary(words=tuple(words))
    ids = vocabulary.encode(words)
    assert ids.dtype == np.int64
    assert ids.tolist() == list(range(len(words)))
    assert vocabulary.decode(ids) == words
    assert [vocabulary.index(word) for word in words] == ids.tolist()


@given(words_lists)
def test_json_round_trip(words):
    vocabulary = Vocabulary.of(words, tokenizer="custom")
    again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again == vocabulary


def test_unknown_words():
    vocabulary = Vocabulary.of(["<unk>", "film"])
    assert vocabulary.encode(["film", "nonsense"]).tolist() == [1, 0]
    assert vocabulary.knows("film")
    assert not vocabulary.knows("nonsense")
    assert not vocabulary.knows("<unk>")
    assert "film" in vocabulary
    assert "nonsense" not in vocabulary
    with pytest.raises(DataError, match="'nonsense' at position 1"):
        Vocabulary.of(["film", "good"]).encode(["film", "nonsense"])


def test_encode_names_what_is_no_string():
    vocabulary = Vocabulary.of(["<unk>", "film"])
    with pytest.raises(DataError, match="position 1"):
        vocabulary.encode(["film", None])
    with pytest.raises(DataError, match="one string"):
        vocabulary.encode("film")
    assert vocabulary.encode([]).shape == (0,)


def test_decode_names_a_wrong_row():
    with pytest.raises(DataError, match="-1 at position 0"):
        Vocabulary.of(["a", "b"]).decode([-1])


@pytest.mark.parametrize(
    ("words", "unknown", "padding"),
    [
        (["<pad>", "<unk>", "a"], "<unk>", "<pad>"),
        (["a", "b", "[UNK]", "[PAD]"], "[UNK]", "[PAD]"),
        (["a", "<oov>", "unk"], "<oov>", None),
        (["pad", "UNK", "a"], "UNK", "pad"),
        (["a", "b", "unk", "pad", "PAD", "UNK"], None, None),
        (["unk", "a", "<unk>"], "<unk>", None),
    ],
)
def test_special_words_are_recognised(words, unknown, padding):
    vocabulary = Vocabulary.of(words)
    assert (vocabulary.unknown, vocabulary.padding) == (unknown, padding)


def test_of_mappings():
    vocabulary = Vocabulary.of({"b": 1, "a": np.int64(0), "c": 2})
    assert vocabulary.words == ("a", "b", "c")
    assert Vocabulary.of(vocabulary) is vocabulary
    with pytest.raises(DataError, match="no word for row 1"):
        Vocabulary.of({"a": 0, "b": 2})
    with pytest.raises(DataError, match="row 0 for both 'a' and 'b'"):
        Vocabulary.of({"a": 0, "b": 0})
    with pytest.raises(UsageError, match=r"'a': 0\.0"):
        Vocabulary.of({"a": 0.0})


def test_of_refuses_the_rest():
    with pytest.raises(DataError, match="'a' at row 0 and again at row 2"):
        Vocabulary.of(["a", "b", "a"])
    with pytest.raises(UsageError, match=r"3 \(int\) at position 1"):
        Vocabulary.of(["a", 3])
    with pytest.raises(DataError, match="at least one word"):
        Vocabulary.of([])
    for wrong in ("abc", 3, None):
        with pytest.raises(UsageError):
            Vocabulary.of(wrong)


def test_fields_are_checked():
    with pytest.raises(UsageError, match="unknown word"):
        Vocabulary(words=("a",), unknown="<unk>")
    with pytest.raises(UsageError, match="padding word"):
        Vocabulary(words=("a",), padding="<pad>")
    with pytest.raises(UsageError, match="'words' or 'custom'"):
        Vocabulary(words=("a",), tokenizer="bpe")
    with pytest.raises(DataError):
        Vocabulary.from_dict({"unknown": None})
