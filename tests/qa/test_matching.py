"""Matching: equal to trying every choice of positions, gaps of zero, ends, placeholders."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.qa import Pattern, Question, QuestionCorpus, Reading
from rnnscope.qa.matching import Texts, one_per_question
from tests.reference.qa import answer_after, pattern_ends

WORDS = st.lists(st.sampled_from(["a", "b", "c", "X", "Y", "7"]), min_size=1, max_size=9)


def texts_of(documents, entities=("X", "Y", "7")):
    corpus = QuestionCorpus(
        documents=tuple(map(tuple, documents)),
        questions=(Question(words=("who",), documents=tuple(range(len(documents)))),),
        entities=dict.fromkeys(entities, ""),
    )
    reading = Reading.of(corpus)
    return Texts.of(reading, np.arange(len(reading)))


def matched(documents, words, gap=0, within=5):
    found = texts_of(documents).matches(Pattern(words=words, category=""), gap=gap, within=within)
    return list(zip(found.pair.tolist(), found.place.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=3),
    st.lists(st.sampled_from(["a", "b", "c", "X"]), min_size=1, max_size=3),
    st.integers(0, 3),
    st.integers(0, 5),
)
def test_matches_equal_the_slow_reference(documents, pattern, gap, within):
    expected = []
    for k, words in enumerate(documents):
        candidates = {p for p, w in enumerate(words) if w in ("X", "Y", "7")}
        for end in pattern_ends(words, pattern, gap):
            place = answer_after(words, end, candidates, within)
            if place is not None:
                expected.append((k, place))
    assert matched(documents, pattern, gap, within) == expected


def test_a_gap_of_zero_is_words_next_to_each_other():
    document = ["by", "the", "X", "by", "Y"]
    assert matched([document], ("by", "<answer>")) == [(0, 4)]
    assert matched([document], ("by", "<answer>"), gap=1) == [(0, 2), (0, 4)]


def test_placeholders_and_ends():
    document = ["X", "in", "7", "with", "Y"]
    assert matched([document], ("<start>", "<answer>")) == [(0, 0)]
    assert matched([document], ("<answer>", "<end>")) == [(0, 4)]
    assert matched([document], ("in", "<answer:number>")) == [(0, 2)]
    assert matched([document], ("with", "<answer:number>")) == []
    assert matched([document], ("with", "<answer:film>")) == []
    assert matched([document], ("<answer>", "in", "<number>")) == [(0, 0)]
    assert matched([document], ("<entity>", "in", "<answer>")) == [(0, 2)]
    assert matched([document], ("<start>", "<answer>", "...", "with", "Y")) == [(0, 0)]
    assert matched([document], ("<start>",), within=1) == [(0, 0)]


def test_nothing_matches_across_documents():
    assert matched([["a"], ["b", "X"]], ("a", "b"), gap=3) == []
    assert matched([["a"], ["X"]], ("a",), within=5) == []
    assert matched([["a"], ["X", "b"]], ("<start>", "<answer>", "...", "a")) == []


def test_the_first_document_decides_and_in_it_the_first_or_the_last_match():
    texts = texts_of([["a"], ["b", "X", "b", "Y"], ["b", "7"]])
    found = texts.matches(Pattern(words=("b", "<answer>"), category=""), gap=0, within=5)
    for last, place in ((False, 1), (True, 3)):
        asked, at = one_per_question(texts.reading, found, last=last)
        assert asked.tolist() == [0]
        assert (found.pair[at[0]], found.place[at[0]]) == (1, place)
