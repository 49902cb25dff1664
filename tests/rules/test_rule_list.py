"""The rule list: first match decides, on word boundaries, equal to the naive reading."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity import judge
from rnnscope.phrases import mine_phrases
from rnnscope.rules import Rule, RuleList
from rnnscope.scores import CellDifference
from rnnscope.synthetic import lexicon_network
from tests.phrases.test_mining import scores_of
from tests.reference import rules as naive


def rules_of(*phrases, classes=("no", "yes"), default=0):
    rules = [
        Rule(words=words, class_index=label, importance=2.0, count=5, precision=1.0)
        for words, label in phrases
    ]
    return RuleList(rules=tuple(rules), default=default, classes=classes)


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
            rank, _ = naive.first(phrases.words, document)
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
    for wrong in (float("nan"), "high"):
        with pytest.raises(UsageError, match="min_importance"):
            RuleList.from_phrases(phrases, min_importance=wrong)
    with pytest.raises(UsageError, match=r"class index|default of RuleList\.from_phrases"):
        RuleList.from_phrases(phrases, default="yes")
    with pytest.raises(UsageError, match=r"made of phrases|argument phrases of"):
        RuleList.from_phrases(["good"])
    with pytest.raises(DataError, match="'good' as rule 1 and as rule 3"):
        rules_of((("good",), 1), (("bad",), 0), (("good",), 0))
    with pytest.raises(DataError, match="at least one word"):
        rules_of(((), 0))
    with pytest.raises(DataError, match="a text as document 0"):
        RuleList.of([], default="n", classes=["n"], tokenizer="own").predict(["a text"])


def test_the_least_importance_of_a_rule():
    phrases = mine_phrases(scores_of(seed=3), min_count=1)
    middle = float(np.median(phrases.importance))
    rules = RuleList.from_phrases(phrases, max_rules=None, min_importance=middle)
    everything = RuleList.from_phrases(phrases, max_rules=None)
    assert rules.rules == tuple(r for r in everything.rules if r.importance >= middle)
    assert 0 < rules.size < everything.size


def test_a_threshold_that_keeps_nothing_leaves_the_default():
    phrases = mine_phrases(scores_of(), min_count=1)
    rules = RuleList.from_phrases(phrases, min_importance=1e12)
    assert rules.size == 0
    assert rules.predict([["a"], []]).tolist() == [rules.default] * 2
    assert rules.to_frame().is_empty()
    assert "otherwise" in rules._repr_html_()


def test_documents_without_words_or_of_unknown_words_get_the_default():
    rules = rules_of((("good",), 1))
    documents = [[], "", ["zzz"], "good"]
    judged = judge("rules", rules, documents, network=np.array([0, 0, 0, 1]))
    assert rules.fired(documents).tolist() == [-1, -1, -1, 0]
    assert judged.coverage == 0.25
    assert judged.agreement.value == 1.0


def test_one_pass_tells_class_rule_and_place():
    rules = rules_of((("not", "good"), 0), (("good",), 1))
    documents = ["Not good.", ["so", "good"], ["dull"]]
    decided = rules.decide(documents)
    assert decided.labels.tolist() == rules.predict(documents).tolist() == [0, 1, 0]
    assert decided.ranks.tolist() == rules.fired(documents).tolist() == [0, 1, -1]
    assert decided.positions.tolist() == [0, 1, -1]
    assert rules.explain_all(documents) == [rules.explain(d) for d in documents]


def test_a_list_as_a_dictionary():
    described = rules_of((("not", "good"), 0), (("good",), 1)).to_dict(limit=1)
    assert described["size"] == 2
    assert described["default"] == "no"
    assert [r["phrase"] for r in described["rules"]] == [["not", "good"]]


def test_the_supported_order_weighs_importance_by_what_the_network_does_with_it():
    """Log S times the lower end of Wilson's interval of the precision, by hand."""
    phrases = mine_phrases(scores_of(seed=1), min_count=1)
    expected = []
    for phrase in phrases:
        hits, count = round(phrase.precision * phrase.documents), phrase.documents
        low = stats.binomtest(hits, count).proportion_ci(method="wilson").low
        expected.append((-low * math.log(phrase.importance), phrase.words))
    ranked = [words for _, words in sorted(expected, key=lambda pair: pair[0])]
    rules = RuleList.from_phrases(phrases, order="supported", max_rules=None)
    kept = [words for words in ranked if words in {rule.words for rule in rules.rules}]
    assert [rule.words for rule in rules.rules] == kept
    with pytest.raises(UsageError, match="order of the rules"):
        RuleList.from_phrases(phrases, order="best")


@pytest.mark.parametrize(
    ("words", "label", "classes", "message"),
    [
        ("good", 0, ("no", "yes"), "tuple of words"),
        (["good"], 0, ("no", "yes"), "tuple of words"),
        ((3,), 0, ("no", "yes"), "tuple of words"),
        (("good",), 0.5, ("no", "yes"), "class of the list"),
        (("good",), 0, ("no", "no"), "name of its own"),
    ],
)
def test_rules_are_checked(words, label, classes, message):
    """A phrase given as a text was once exported as its letters, and half a class predicted."""
    with pytest.raises(DataError, match=message):
        RuleList(rules=(Rule(words=words, class_index=label),), default=0, classes=classes)


def test_documents_that_are_no_list():
    """None once ended in a TypeError."""
    with pytest.raises(DataError, match="come as a list"):
        rules_of((("good",), 1)).predict(None)


def test_weights_that_are_all_nothing_prune_nothing():
    """With no document that counts, every rule costs nothing, and all of them once went."""
    rules = rules_of((("good",), 1))
    with pytest.raises(DataError, match="must count"):
        rules.pruned([["good"]], np.array([1]), weights=np.zeros(1))
