"""The rule list: first match decides, on word boundaries, equal to the naive reading."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import mine_phrases
from rnnscope.rules import Matcher, Rule, RuleList
from rnnscope.scores import CellDifference
from rnnscope.synthetic import lexicon_network
from tests.phrases.test_mining import scores_of

WORD = st.sampled_from(["a", "b", "ab", "c", "a b", "é", "\x01"])
PHRASES = st.lists(st.tuples(WORD) | st.tuples(WORD, WORD), max_size=6, unique=True)


def rules_of(*phrases, classes=("no", "yes"), default=0):
    rules = [
        Rule(words=words, class_index=label, importance=2.0, count=5, precision=1.0)
        for words, label in phrases
    ]
    return RuleList(rules=tuple(rules), default=default, classes=classes)


def naive_first(phrases, document):
    for rank, phrase in enumerate(phrases):
        for start in range(len(document) - len(phrase) + 1):
            if tuple(document[start : start + len(phrase)]) == phrase:
                return rank, start
    return -1, -1


@given(phrases=PHRASES, document=st.lists(WORD, max_size=8))
@settings(max_examples=200, deadline=None)
def test_matching_is_the_naive_reading(phrases, document):
    matcher = Matcher(phrases)
    assert matcher.first(document) == naive_first(phrases, document)
    everywhere = [
        (rank, start)
        for rank, phrase in enumerate(phrases)
        for start in range(len(document))
        if tuple(document[start : start + len(phrase)]) == phrase
    ]
    assert matcher.all(document) == everywhere


def test_words_beyond_the_surrogates_match():
    """Code points D800 to DFFF are no characters; word number 55,295 must not get one."""
    phrases = [(f"w{k}",) for k in range(60_000)]
    matcher = Matcher(phrases)
    for k in (0, 55_290, 55_294, 55_295, 55_296, 57_400, 59_999):
        assert matcher.first(["x", f"w{k}"]) == (k, 1)


def test_the_first_rule_decides_and_the_default_is_left():
    rules = rules_of((("not", "good"), 0), (("good",), 1))
    documents = [["good"], ["not", "good"], ["not", "so", "good"], ["dull"]]
    assert rules.predict(documents).tolist() == [1, 0, 1, 0]
    assert rules.fired(documents).tolist() == [1, 0, 1, -1]
    why = rules.explain(["so", "not", "good"])
    assert (why.rank, why.position, why.class_name) == (0, 1, "no")
    assert rules.explain("Dull!").rule is None
    assert rules.predict(["Not good."]).tolist() == [0]


@given(seed=st.integers(0, 100), budget=st.none() | st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_leaving_out_unreachable_phrases_changes_no_prediction(seed, budget):
    scores = scores_of(seed=seed)
    phrases = mine_phrases(scores, min_count=1)
    rules = RuleList.from_phrases(phrases, max_rules=budget)
    kept = [rule.words for rule in rules.rules]
    assert len(kept) <= (budget or len(phrases))
    if budget is None:
        for document in scores.tokens:
            rank, _ = naive_first(phrases.words, document)
            expected = rules.default if rank < 0 else phrases[rank].class_index
            assert rules.explain(document).class_index == expected


def test_the_default_is_the_networks_majority():
    model = lexicon_network({"good": 1.0, "bad": -1.0})
    documents = [["bad"]] * 6 + [["good"]] * 3
    phrases = mine_phrases(CellDifference(model).score(documents), min_count=1)
    assert RuleList.from_phrases(phrases).default == 0
    assert RuleList.from_phrases(phrases, default=1).default == 1


def test_rules_of_a_lexicon_network_replace_it():
    model = lexicon_network({"good": 3.0, "bad": -3.0, "film": 0.0})
    rng = np.random.default_rng(0)
    words = ["film", "the", "x"]
    documents = []
    for k in range(60):
        document = [words[j] for j in rng.integers(0, 3, size=6)]
        document[int(rng.integers(6))] = "good" if k % 2 else "bad"
        documents.append(document)
    rules = RuleList.from_phrases(mine_phrases(CellDifference(model).score(documents)))
    np.testing.assert_array_equal(rules.predict(documents), model.predict(documents))


def test_an_empty_list_gives_the_default():
    rules = rules_of(default=1)
    assert rules.predict([["good"], ["x"]]).tolist() == [1, 1]
    assert rules.predict([]).tolist() == []


def test_bad_input():
    with pytest.raises(DataError, match="name a class"):
        rules_of((("good",), 2))
    with pytest.raises(DataError, match="come as a list"):
        rules_of().predict("good film")
    with pytest.raises(DataError, match="document 1"):
        rules_of().predict([["good"], [3]])
    phrases = mine_phrases(scores_of(count=5), min_count=1)
    with pytest.raises(UsageError, match="max_rules >= 1"):
        RuleList.from_phrases(phrases, max_rules=0)
    with pytest.raises(UsageError, match="class index"):
        RuleList.from_phrases(phrases, default="yes")


def test_a_list_as_a_dictionary():
    described = rules_of((("not", "good"), 0), (("good",), 1)).to_dict(limit=1)
    assert described["size"] == 2
    assert described["default"] == "no"
    assert [r["phrase"] for r in described["rules"]] == [["not", "good"]]
