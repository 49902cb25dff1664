"""Phrases found in a corpus, against looking at every place."""

from __future__ import annotations

from rnnscope.phrases import PhraseSearch
from tests.helpers import random_documents

DOCUMENTS = random_documents(60, seed=3)


def test_every_place_is_found():
    search = PhraseSearch.of(DOCUMENTS)
    for phrase in (["not", "good"], ["film"], ["the", "a", "film"], DOCUMENTS[7]):
        places = [
            (row, at)
            for row, words in enumerate(DOCUMENTS)
            for at in range(len(words) - len(phrase) + 1)
            if words[at : at + len(phrase)] == phrase
        ]
        documents, positions = search.find(phrase)
        assert list(zip(documents.tolist(), positions.tolist(), strict=True)) == places


def test_no_phrase_reaches_over_the_end_of_a_document():
    search = PhraseSearch.of([["a", "b"], ["c"], [], ["a"], ["b"]])
    assert search.find(["b", "c"])[0].tolist() == []
    assert search.find(["a", "b"])[0].tolist() == [0]
    assert search.find(["b"])[0].tolist() == [0, 4]


def test_what_is_nowhere():
    search = PhraseSearch.of(DOCUMENTS)
    for phrase in ([], ["elsewhere"], ["the"] * 1000):
        assert [part.tolist() for part in search.find(phrase)] == [[], []]
    assert PhraseSearch.of([]).find(["a"])[0].tolist() == []


def test_words_that_stand_between_others():
    search = PhraseSearch.of(DOCUMENTS)
    names = list(search.numbers)
    for before, after in (("the", "film"), (None, "good"), ("bad", None), (None, None)):
        after_it = {
            padded[k]
            for words in DOCUMENTS
            for padded in [[None, *words, None]]
            for k in range(1, len(padded) - 1)
            if padded[k - 1] == before
        }
        before_it = {
            padded[k]
            for words in DOCUMENTS
            for padded in [[None, *words, None]]
            for k in range(1, len(padded) - 1)
            if padded[k + 1] == after
        }
        found = {names[k] for k in search.between(before, after).nonzero()[0]}
        assert found == after_it & before_it
    assert not search.between("elsewhere", "good").any()


def test_counts():
    search = PhraseSearch.of([["a", "b", "a"], ["c"]])
    assert dict(zip(search.numbers, search.counts.tolist(), strict=True)) == {
        "a": 2,
        "b": 1,
        "c": 1,
    }
