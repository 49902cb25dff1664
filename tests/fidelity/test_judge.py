"""The judge, the baselines, tables and frontiers."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity import BagOfNgrams, BagOfWords, Majority, compare, frontier, judge
from rnnscope.fidelity.ngrams import Ngrams
from tests.reference import fidelity as slow
from tests.rules.test_rule_list import rules_of

DOCUMENTS = [["good"], ["bad"], ["good", "film"], ["film"]] * 10
NETWORK = np.array([1, 0, 1, 0] * 10)


def test_agreement_accuracy_and_coverage_are_shares():
    rules = rules_of((("good",), 1), (("bad",), 1))
    labels = np.array([1, 1, 0, 0] * 10)
    fidelity = judge("rules", rules, DOCUMENTS, network=NETWORK, labels=labels)
    assert fidelity.agreement.value == 0.75
    assert fidelity.accuracy.value == 0.75
    assert fidelity.coverage == 0.75
    assert fidelity.size == 2
    assert judge("rules", rules, DOCUMENTS, network=NETWORK).accuracy is None
    assert fidelity.to_dict()["agreement"]["value"] == 0.75


def test_baselines():
    majority = Majority.fit(DOCUMENTS, np.array([0, 0, 1, 0] * 10))
    assert majority.predict(DOCUMENTS).tolist() == [0] * 40
    bag = BagOfWords.fit(DOCUMENTS, NETWORK)
    assert judge("bag", bag, DOCUMENTS, network=NETWORK).agreement.value == 1.0
    assert bag.predict([["zebra", "bad"]]).tolist() == [0]
    assert BagOfWords.fit(DOCUMENTS, np.zeros(40, dtype=int)) is None


def test_nothing_to_judge_on():
    with pytest.raises(DataError, match="at least one"):
        judge("rules", rules_of(), [], network=np.array([]))


def test_a_description_is_judged_within_each_class_too():
    network = np.array([1] * 30 + [0] * 10)
    documents = [["good"]] * 25 + [["film"]] * 5 + [["bad"]] * 10
    majority = Majority.fit(documents, network)
    fidelity = judge("majority class", majority, documents, network=network)
    assert fidelity.agreement.value == 0.75
    assert fidelity.balanced.value == 0.5
    assert fidelity.kappa.value == 0
    assert [estimate.value for estimate in fidelity.by_class] == [0, 1]
    assert fidelity.consulted.value == 0
    assert fidelity.covered.value == 0
    assert fidelity.covered.high > 0
    assert fidelity.documents == 40
    assert fidelity.words == 40
    assert not fidelity.notes


def test_time_is_a_measurement_and_no_part_of_equality():
    rules = rules_of((("good",), 1), (("bad",), 0))
    first, second = (judge("rules", rules, DOCUMENTS, network=NETWORK) for _ in range(2))
    assert first == second
    assert first.seconds > 0
    assert first.documents_per_second == 40 / first.seconds


def test_agreement_where_the_network_is_sure():
    rules = rules_of((("good",), 1), (("bad",), 0), default=1)
    sure = np.array([0.9, 0.9, 0.8, 0.6] * 10)
    probabilities = np.stack([1 - sure, sure], axis=1)
    fidelity = judge("r", rules, DOCUMENTS, network=NETWORK, probabilities=probabilities)
    assert fidelity.confident.value == 1
    assert fidelity.confident.count == 20
    assert fidelity.unsure.value == 0.5
    flat = judge("r", rules, DOCUMENTS, network=NETWORK, probabilities=np.full((40, 2), 0.5))
    assert not flat.confident.known
    assert "equally sure" in flat.notes[0]


def test_one_class_or_one_document_makes_no_contrast():
    rules = rules_of((("good",), 1))
    fidelity = judge("r", rules, [["good"]], network=np.array([1]))
    assert fidelity.agreement.value == 1
    assert fidelity.agreement.low < 0.3
    assert not fidelity.kappa.known
    assert not fidelity.balanced.known
    assert "one class only" in fidelity.notes[0]
    json.dumps(fidelity.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("network", "message"),
    [(np.array([0.2, 0.8]), "class indices"), (np.array([-1, 0]), "class indices")],
)
def test_classes_are_indices(network, message):
    with pytest.raises(DataError, match=message):
        judge("r", rules_of((("good",), 1)), [["good"], ["bad"]], network=network)


def test_a_description_must_answer_every_document():
    class Short:
        size = 1

        def predict(self, documents):
            return np.zeros(1, dtype=int)

    with pytest.raises(DataError, match="one class to each"):
        judge("short", Short(), DOCUMENTS, network=NETWORK)


documents_of_words = st.lists(
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=8), min_size=1, max_size=12
)


@given(documents=documents_of_words, least=st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_ngrams_are_those_that_enough_documents_hold(documents, least):
    ngrams, matrix = Ngrams.fit(documents, max_length=3, min_documents=least)
    held = slow.ngrams_held(documents, 3, least)
    assert len(ngrams) == len(held)
    assert matrix.nnz == sum(map(len, held.values()))
    assert matrix.sum() == sum(slow.occurrences(documents, ngram) for ngram in held)
    columns = sorted(tuple(np.flatnonzero(column)) for column in matrix.toarray().T)
    assert columns == sorted(tuple(sorted(rows)) for rows in held.values())
    again = ngrams.matrix(documents)
    assert (again != matrix).nnz == 0
    strange = ngrams.matrix([["zebra"], ["a", "zebra", "b"]])
    expected = [ngram for ngram in held if ngram in (("a",), ("b",))]
    assert strange.sum() == len(expected)


def test_ngrams_of_a_vocabulary_too_large_for_one_number(monkeypatch):
    documents = [["a", "b", "a"], ["b", "a"], ["a", "b"]]
    _, expected = Ngrams.fit(documents, max_length=3, min_documents=1)
    monkeypatch.setattr("rnnscope.fidelity.ngrams.LARGEST", 1)
    _, found = Ngrams.fit(documents, max_length=3, min_documents=1)
    assert (found != expected).nnz == 0


def test_a_bag_of_ngrams_knows_what_a_bag_of_words_cannot():
    """not good / bad are negative, good / not bad positive: no weight per word does that."""
    texts = [["not", "good"], ["bad"], ["good"], ["not", "bad"]] * 20
    network = np.array([0, 0, 1, 1] * 20)
    bag, ngrams = BagOfWords.fit(texts, network), BagOfNgrams.fit(texts, network)
    assert judge("n", ngrams, texts, network=network).agreement.value == 1
    assert judge("w", bag, texts, network=network).agreement.value < 1
    assert bag.size == 3
    assert ngrams.size == 5
    assert ngrams.consulted(texts[:2]).tolist() == [3, 1]
    assert ngrams.fired([["zebra"], ["bad"]]).tolist() == [-1, 0]
    assert BagOfNgrams.fit(texts, network, max_length=2).name == "bag of 1-2-grams"
    assert BagOfNgrams.fit(texts, np.zeros(80, dtype=int)) is None


def test_a_comparison_always_holds_the_baselines():
    rules = rules_of((("good",), 1), (("bad",), 0))
    table = compare(
        {"<rules>": rules},
        DOCUMENTS,
        network=NETWORK,
        labels=1 - NETWORK,
        fitted_on=(DOCUMENTS, NETWORK),
    )
    names = ["<rules>", "majority class", "bag of words", "bag of 1-3-grams"]
    assert [row.name for row in table] == names
    assert table["bag of words"].agreement.value == 1
    assert table[1].kappa.value == 0
    difference = table.difference("<rules>", "majority class")
    agreements = [table[name].agreement.value for name in names[:2]]
    assert difference.value == pytest.approx(agreements[0] - agreements[1])
    assert difference.low <= difference.value <= difference.high
    frame = table.to_frame()
    assert frame["name"].to_list() == names
    assert frame["kappa"][0] == pytest.approx(table[0].kappa.value)
    assert "&lt;rules&gt;" in table._repr_html_()
    assert "<rules>" not in table._repr_html_()
    assert "bag of 1-3-grams" in repr(table)
    json.dumps(table.to_dict(), allow_nan=False)
    with pytest.raises(UsageError, match="called by the name"):
        table.difference("<rules>", "nobody")
    with pytest.raises(UsageError, match="baseline"):
        compare({"bag of words": rules}, DOCUMENTS, network=NETWORK, fitted_on=(DOCUMENTS, NETWORK))


def test_a_network_of_one_class_leaves_only_the_majority_to_compare():
    table = compare(
        {},
        DOCUMENTS,
        network=NETWORK,
        fitted_on=(DOCUMENTS, np.zeros(40, dtype=int)),
    )
    assert [row.name for row in table] == ["majority class"]
    assert set(table.left_out) == {"bag of words", "bag of 1-3-grams"}
    assert "one class only" in table._repr_html_()


@given(points=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_the_frontier_is_what_nothing_dominates(points):
    network = np.ones(6, dtype=int)

    class Description:
        def __init__(self, size, hits):
            self.size, self.hits = size, hits

        def predict(self, documents):
            return (np.arange(6) < self.hits).astype(int)

    found = frontier([Description(*point) for point in points], [["a"]] * 6, network=network)
    sizes = [(point.size, round(6 * point.agreement.value)) for point in found]
    assert sorted(sizes) == sorted(points)
    assert [point.best for point in found] == slow.undominated(sizes)
    best = found.best
    assert all(a.size <= b.size for a, b in pairwise(best))


def test_a_frontier_of_sizes():
    def make(size):
        return rules_of(*[(("good",), 1), (("bad",), 0)][:size])

    found = frontier(make, DOCUMENTS, network=NETWORK, labels=NETWORK, sizes=[1, 2])
    frame = found.to_frame()
    assert frame["size"].to_list() == [1, 2]
    assert frame["accuracy"].to_list() == frame["agreement"].to_list()
    assert "*" in repr(found)
    json.dumps(found.to_dict(), allow_nan=False)
    with pytest.raises(UsageError, match="sizes"):
        frontier(make, DOCUMENTS, network=NETWORK)
    with pytest.raises(UsageError, match="at least one"):
        frontier([], DOCUMENTS, network=NETWORK)


def test_a_bag_counts_where_counting_tells():
    """A network that adds up what it reads answers to how often a word occurs."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 6, size=(400, 2))
    texts = [["good"] * int(a) + ["bad"] * int(b) for a, b in counts if a != b]
    network = np.array([int(a > b) for a, b in counts if a != b])
    bag = BagOfWords.fit(texts[:200], network[:200])
    assert bag.counted
    assert judge("bag", bag, texts[200:], network=network[200:]).agreement.value == 1


def test_a_text_is_not_a_list_of_letters():
    """A string is a sequence too, and once was taken for a document of one-letter words."""
    bag = BagOfWords.fit(DOCUMENTS, NETWORK)
    with pytest.raises(DataError, match="not of letters"):
        bag.predict(["good film"])
    with pytest.raises(DataError, match="not of letters"):
        BagOfWords.fit(["good", "bad"], np.array([0, 1]))
    with pytest.raises(DataError, match="without any"):
        BagOfWords.fit([[], []], np.array([0, 1]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["yes", "no"] * 20, "class indices"),
        ([None] * 40, "class indices"),
        (np.full(40, np.nan), "class indices"),
        (np.full(40, -1), "class indices"),
        (NETWORK[:, None], "one label for each"),
    ],
)
def test_labels_are_indices(labels, message):
    """Names of classes, or missing labels, once gave an accuracy of 0."""
    with pytest.raises(DataError, match=message):
        judge("rules", rules_of((("good",), 1)), DOCUMENTS, network=NETWORK, labels=labels)


def test_the_words_of_texts_are_counted():
    """The letters of a text once were."""
    found = judge("rules", rules_of((("good",), 1)), ["Not good!"], network=np.array([1]))
    assert found.words == 3


def test_what_cannot_be_judged():
    rules = rules_of((("good",), 1))
    with pytest.raises(DataError, match="come as a list"):
        judge("rules", rules, iter(DOCUMENTS), network=NETWORK)
    with pytest.raises(UsageError, match="has a size"):
        judge("rules", object(), DOCUMENTS, network=NETWORK)
    for classes in (NETWORK.astype(float), NETWORK - 1):
        with pytest.raises(DataError, match="class indices"):
            compare({"rules": rules}, DOCUMENTS, network=NETWORK, fitted_on=(DOCUMENTS, classes))
