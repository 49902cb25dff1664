"""Matching: equal to the naive reading on every path, whatever the words are made of."""

from __future__ import annotations

import copy
import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, UsageError
from rnnscope.rules import Matcher, matching
from tests.reference import rules as naive

# Parts of each other, empty, with spaces and separators inside, surrogates alone and in pairs,
# and of eight, seven and more bytes.
WORDS = [
    *("", "a", "b", "ab", "ba", "a b", " ", "\0", "a\0b", "\x01", "é", "e\u0301", "\ud800"),
    *("\ud83d\ude00", "\U0001f600", "\uffff", "abcdefg", "abcdefgh", "abcdefghi"),
    *("abcdefghabcdefgh", "abcdefghabcdefgi", "ab\udfff"),
]
WORD = st.sampled_from(WORDS)
PHRASES = st.lists(st.lists(WORD, min_size=1, max_size=5).map(tuple), max_size=12, unique=True)
DOCUMENTS = st.lists(st.lists(WORD | st.text(max_size=9), max_size=12), max_size=6)
PATHS = [False, True] if importlib.util.find_spec("numba") else [False]
compiled_or_not = pytest.mark.parametrize("compiled", PATHS)


@compiled_or_not
@given(phrases=PHRASES, documents=DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_matching_is_the_naive_reading(compiled, phrases, documents):
    matcher = Matcher(phrases, compiled=compiled)
    ranks, positions = matcher.first_of(documents)
    expected = [naive.first(phrases, document) for document in documents]
    assert list(zip(ranks.tolist(), positions.tolist(), strict=True)) == expected
    counts = matcher.occurrences(documents)
    assert counts.shape == (len(documents), len(phrases))
    assert counts.toarray().tolist() == naive.counts(phrases, documents)
    assert counts.has_canonical_format
    for document, why in zip(documents, expected, strict=True):
        assert matcher.first(document) == why
        everywhere = [
            (rank, position)
            for rank, phrase in enumerate(phrases)
            for position in naive.occurs_at(phrase, document)
        ]
        assert matcher.all(document) == everywhere


@compiled_or_not
@given(phrases=PHRASES, documents=DOCUMENTS)
@settings(max_examples=50, deadline=None)
def test_encoded_documents_match_the_same(compiled, phrases, documents):
    matcher = Matcher(phrases, compiled=compiled)
    expected = matcher.first_of(documents)
    encoded = matcher.encode(documents)
    assert len(encoded) == len(documents)
    vocabulary = [None, *WORDS]
    ids = [[vocabulary.index(w) if w in WORDS else 0 for w in d] for d in documents]
    flat = np.array([k for document in ids for k in document], dtype=np.int64)
    again = matcher.encode_ids(flat, np.cumsum([0, *map(len, ids)]), vocabulary)
    np.testing.assert_array_equal(again.ids, encoded.ids)
    for one in (encoded, again):
        np.testing.assert_array_equal(matcher.first_of(one), expected)
        assert (matcher.occurrences(one) != matcher.occurrences(documents)).nnz == 0


@compiled_or_not
def test_batches_leave_no_trace(compiled, monkeypatch):
    rng = np.random.default_rng(0)
    words = [f"w{k}" for k in range(30)]
    documents = [[words[k] for k in rng.integers(0, 30, n)] for n in rng.integers(0, 9, 60)]
    phrases = list(dict.fromkeys(tuple(d[:2]) for d in documents if d))
    monkeypatch.setattr(matching, "BATCH", 7)
    ranks, _ = Matcher(phrases, compiled=compiled).first_of(iter(documents))
    assert ranks.tolist() == [naive.first(phrases, d)[0] for d in documents]


@compiled_or_not
def test_a_copy_builds_its_own_tables(compiled):
    """A pickled matcher once held compiled tables, which do not load without numba."""
    matcher = Matcher([("a", "b")], compiled=compiled)
    assert matcher.all(["a", "b"]) == [(0, 0)]
    assert matcher.first(["a", "b"]) == (0, 0)
    again = copy.copy(matcher)
    assert not {"_trie", "_automaton"} & set(vars(again))
    assert again.first(["x", "a", "b"]) == (0, 1)


def test_compiling_waits_until_it_pays(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.delitem(sys.modules, matching.COMPILED, raising=False)
    monkeypatch.setattr(matching, "ENOUGH", 20)
    monkeypatch.setattr(matching, "BATCH", 2)
    matcher = Matcher([("a", "b")])
    assert matcher.first_of([["a", "b"]] * 3)[0].tolist() == [0, 0, 0]
    assert "_trie" not in vars(matcher)
    assert matcher.first_of([["a", "b"]] * 30)[0].tolist() == [0] * 30
    assert "_trie" in vars(matcher)


def test_a_numba_that_does_not_load_is_done_without(monkeypatch):
    def refuse(name):
        raise RuntimeError("no locator available")

    monkeypatch.delitem(sys.modules, matching.COMPILED, raising=False)
    monkeypatch.setattr(matching.importlib, "import_module", refuse)
    monkeypatch.setattr(matching, "ENOUGH", 0)
    assert Matcher([("a", "b")]).first_of([["a", "b"]])[0].tolist() == [0]


@compiled_or_not
def test_words_beyond_the_surrogates_match(compiled):
    """Code points D800 to DFFF are no characters; word number 55,295 must not get one."""
    phrases = [(f"w{k}",) for k in range(60_000)]
    matcher = Matcher(phrases, compiled=compiled)
    for k in (0, 55_290, 55_294, 55_295, 55_296, 57_400, 59_999):
        # Words are numbered in alphabetical order, so other ranks meet the gap.
        assert matcher.first(["x", f"w{k}"]) == (k, 1)
    assert matcher.first_of([[f"w{k}"] for k in range(60_000)])[0].tolist() == list(range(60_000))


@compiled_or_not
def test_a_matcher_without_phrases_finds_nothing(compiled):
    matcher = Matcher([], compiled=compiled)
    assert len(matcher) == 0
    assert matcher.first(["a"]) == (-1, -1)
    assert matcher.all(["a"]) == []
    assert matcher.occurrences([["a"], []]).shape == (2, 0)
    assert matcher.first_of([])[0].shape == (0,)


def test_a_shared_hash_is_not_a_match(monkeypatch):
    """Numbers are looked up by hash and then compared: equal hashes must not be enough."""
    compiled = pytest.importorskip("rnnscope.rules.compiled")
    trie = compiled.Trie([("goodness",), ("filmlike",)], {"filmlike": 0, "goodness": 1})
    words, starts, table = trie._words
    raw, eights, size = compiled._padded("goldness")
    taken = table[:, 1] > 0
    assert taken.sum() == 2
    hashed, _ = compiled._read_word(eights, 0)
    entries = table[taken, 1].copy()
    table[:, 0], table[:, 1] = hashed, 0
    slot = (int(hashed) >> 32) & (len(table) - 1)
    for k, entry in enumerate(entries):
        table[(slot + k) & (len(table) - 1), 1] = entry
    ids = np.empty(1, np.int32)
    assert compiled._number_words(raw, eights, words, starts, table, ids) == size
    assert ids.tolist() == [-1]


def test_bad_input():
    with pytest.raises(DataError, match=r"'not good' as phrase 0 and as phrase 2"):
        Matcher([("not", "good"), ("x",), ["not", "good"]])
    with pytest.raises(DataError, match="at least one word"):
        Matcher([()])
    with pytest.raises(DataError, match="at least one word"):
        Matcher([("a", 3)])
    with pytest.raises(DataError, match="A phrase is a sequence"):
        Matcher(["good"])
    matcher = Matcher([("a",)])
    with pytest.raises(DataError, match="come as a list"):
        matcher.first_of("a text")
    with pytest.raises(DataError, match="str as document 1"):
        matcher.first_of([["a"], "a text"])
    with pytest.raises(DataError, match="NoneType as document 0"):
        matcher.first_of([None])
    with pytest.raises(DataError, match="document 1: 3 at position 0"):
        matcher.first_of([["a"], [3]])
    with pytest.raises(UsageError, match="belong to the matcher"):
        Matcher([("a",)]).first_of(matcher.encode([["a"]]))
    with pytest.raises(DataError, match="Every index"):
        matcher.encode_ids(np.array([2]), np.array([0, 1]), ["a"])
    with pytest.raises(DataError, match="where each document begins"):
        matcher.encode_ids(np.array([0]), np.array([0, 2]), ["a"])


def test_compiled_needs_numba(monkeypatch):
    monkeypatch.setattr(matching.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs numba"):
        Matcher([("a",)], compiled=True)
    assert Matcher([("a",)]).first(["b", "a"]) == (0, 1)
