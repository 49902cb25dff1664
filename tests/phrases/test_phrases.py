"""What a list of phrases shows, finds in the text, saves and refuses."""

from __future__ import annotations

import numpy as np
import pytest

from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import Phrases, mine_phrases
from tests.helpers import random_documents
from tests.phrases.shards import SKIP, made_up, scores_of
from tests.reference.phrases import occurrences


def test_examples_are_the_strongest_and_the_weakest_and_stand_in_the_text():
    scores = scores_of()
    documents = [list(d.tokens) for d in scores]
    seen = occurrences(documents, [d.values.tolist() for d in scores], longest=5, skip=SKIP)
    phrases = mine_phrases(scores, min_count=1)
    assert {len(words) for words in phrases.words} > {1}
    for k, phrase in enumerate(phrases):
        found = sorted((-o[2][phrase.class_index], o[0], o[1]) for o in seen[phrase.words])
        places = [(-s, row, at) for s, row, at in found]
        weak = sorted(places[3:])[:3]
        got = phrases.examples(k)
        assert [(e.document, e.position) for e in got] == [p[1:] for p in places[:3] + weak]
        np.testing.assert_allclose([e.log_ratio for e in got], [p[0] for p in places[:3] + weak])
        for example in got:
            n, words = len(phrase.words), documents[example.document]
            assert tuple(words[example.position : example.position + n]) == phrase.words
            whole = [*example.before.split(), *phrase.words, *example.after.split()]
            assert " ".join(whole) in " ".join(words)
            assert f"[{phrase.text}]" in example.text
        one = phrases.examples(k, n=1)
        assert one[0] == got[0]
        assert [e.side for e in one] == ["for", "against"][: len(one)]
    with pytest.raises(UsageError, match="1 to 3"):
        phrases.examples(0, n=4)
    with pytest.raises(IndexError):
        phrases.examples(len(phrases))


def test_phrases_come_back_as_they_were_saved(tmp_path):
    phrases = mine_phrases(scores_of(classes=3), min_count=2, runs="maximal")
    path = phrases.save(tmp_path / "p")
    again = Phrases.load(path)
    assert again == phrases
    assert hash(again) == hash(phrases)
    assert list(again) == list(phrases)
    assert again.to_frame().equals(phrases.to_frame())
    assert all(again.examples(k) == phrases.examples(k) for k in range(len(phrases)))
    assert again != mine_phrases(scores_of(classes=3), min_count=3, runs="maximal")
    assert phrases != "phrases"
    assert Phrases.load(again.save(path)) == phrases
    (path / "phrases.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="as it was written"):
        Phrases.load(path)
    with pytest.raises(UsageError, match="There must be saved phrases"):
        Phrases.load(tmp_path / "none")


def test_the_notebooks_table_is_escaped_and_without_script():
    documents = random_documents(30, words=["good", "<script>"])
    scores = made_up(
        [["good" if w == "<script>" else w for w in d] for d in documents],
        np.random.default_rng(0).normal(size=(sum(map(len, documents)), 2)),
        np.zeros((30, 2)),
        method="<script>alert(1)</script>",
    )
    shown = mine_phrases(scores)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert shown.count("<tr>") > 1


def test_a_phrase_is_found_by_index_and_slice():
    phrases = mine_phrases(scores_of(), min_count=1)
    assert phrases[-1] == list(phrases)[-1]
    assert phrases[1:3] == [phrases[1], phrases[2]]
    frame = phrases.to_frame()
    assert frame["importance"].to_list() == [p.importance for p in phrases]
    assert frame["phrase"].to_list() == [p.text for p in phrases]
