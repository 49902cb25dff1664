"""Pruning against a reference that decides every document again for every rule it could drop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from rnnscope.errors import DataError, UsageError
from rnnscope.rules import Rule, RuleList
from rnnscope.rules.pruning import kept_by_pruning
from tests.reference import rules as naive


@st.composite
def problems(draw):
    documents, rules = draw(st.integers(1, 12)), draw(st.integers(0, 8))
    classes = draw(st.integers(2, 4))
    label = st.integers(0, classes - 1)
    row = st.lists(st.sampled_from([0, 0, 1, 2]), min_size=rules, max_size=rules)
    return {
        "matches": draw(st.lists(row, min_size=documents, max_size=documents)),
        "labels": draw(st.lists(label, min_size=rules, max_size=rules)),
        "default": draw(label),
        "network": draw(st.lists(label, min_size=documents, max_size=documents)),
        "weights": draw(
            st.lists(st.integers(0, 5), min_size=documents, max_size=documents)
            | st.just([1] * documents)
        ),
    }


def kept_of(problem, max_rules, *, weights=True, scale=1.0):
    rules = len(problem["labels"])
    matches = np.array(problem["matches"], dtype=np.int64).reshape(len(problem["network"]), rules)
    return kept_by_pruning(
        csr_matrix(matches),
        np.array(problem["labels"], dtype=np.int64),
        problem["default"],
        np.array(problem["network"]),
        max_rules=max_rules,
        weights=scale * np.array(problem["weights"], dtype=float) if weights else None,
    )


def agreement(problem, kept):
    given = zip(problem["matches"], problem["network"], problem["weights"], strict=True)
    return sum(
        weight
        for row, answer, weight in given
        if naive.class_of_matches(row, kept, problem["labels"], problem["default"]) == answer
    )


@given(problem=problems(), max_rules=st.none() | st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_each_step_drops_the_cheapest_rule(problem, max_rules):
    expected = naive.backward_elimination(**problem, max_rules=max_rules)
    kept = kept_of(problem, max_rules)
    assert kept.tolist() == expected
    assert max_rules is None or len(kept) <= max_rules
    everything = range(len(problem["labels"]))
    if max_rules is None or max_rules >= len(everything):
        assert agreement(problem, kept) >= agreement(problem, everything)
    # Whole numbers in any unit are the same weights.
    assert kept_of(problem, max_rules, scale=0.25).tolist() == expected
    counted = naive.backward_elimination(
        **{**problem, "weights": [1] * len(problem["network"])}, max_rules=max_rules
    )
    assert kept_of(problem, max_rules, weights=False).tolist() == counted


@given(problem=problems())
@settings(max_examples=60, deadline=None)
def test_what_is_left_pays_for_itself(problem):
    kept = kept_of(problem, None).tolist()
    for rule in kept:
        without = [k for k in kept if k != rule]
        assert agreement(problem, without) < agreement(problem, kept)


def test_weights_that_only_rounding_tells_apart_cost_nothing():
    """In floats 0.1 + 0.2 - 0.2 - 0.1 is above 0: a rule without any effect was kept for it."""
    labels = np.array([0, 0])
    matches = np.array([[1, 1], [1, 1], [1, 1]])
    weights = np.array([0.1, 0.2, 0.7])
    kept = kept_by_pruning(matches, labels, 1, np.array([0, 0, 0]), weights=weights)
    assert kept.tolist() == [0]
    kept = kept_by_pruning(matches, labels, 0, np.array([0, 0, 0]), weights=weights)
    assert kept.tolist() == []


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_are_checked(weight):
    with pytest.raises(DataError, match="weights of documents"):
        kept_by_pruning(np.eye(2), np.array([0, 1]), 0, np.array([0, 1]), weights=[1.0, weight])


def test_a_class_that_no_rule_names_is_a_class():
    """The network's class 3 stood outside a table that had as many rows as the rules needed."""
    kept = kept_by_pruning(np.eye(2), np.array([0, 1]), 0, np.array([3, 1]))
    assert kept.tolist() == [1]


def test_the_matches_are_left_as_they_are():
    matches = csr_matrix(([1, 1, 0], [1, 0, 1], [0, 2, 3]), shape=(2, 2))
    assert not matches.has_sorted_indices
    kept = kept_by_pruning(matches, np.array([0, 1]), 0, np.array([1, 1]))
    assert kept.tolist() == [1]
    assert matches.indices.tolist() == [1, 0, 1]
    assert matches.nnz == 3


def rules_of(*phrases, classes=("no", "yes"), default=0):
    rules = [Rule(words=tuple(text.split()), class_index=k) for text, k in phrases]
    return RuleList(rules=tuple(rules), default=default, classes=classes)


def test_a_list_keeps_the_rules_that_its_documents_need():
    rules = rules_of(("not good", 0), ("dull", 0), ("good", 1), ("fine", 0), ("never", 1))
    documents = ["not good", "good", "dull but good", "dull", "fine", "good, fine", "", "good good"]
    network = np.array([0, 1, 0, 0, 0, 1, 0, 1])
    shorter = rules.pruned(documents, network)
    assert [rule.text for rule in shorter.rules] == ["not good", "dull", "good"]
    assert shorter.predict(documents).tolist() == network.tolist()
    one = rules.pruned(documents, network, max_rules=1)
    assert [rule.text for rule in one.rules] == ["good"]
    assert (one.default, one.classes) == (rules.default, rules.classes)
    assert rules_of().pruned(documents, network).size == 0
    # Token lists are documents as well.
    tokens = [text.replace(",", "").split() for text in documents]
    assert rules.pruned(tokens, network.tolist()).rules == shorter.rules


@given(seed=st.integers(0, 1000), budget=st.none() | st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_a_pruned_list_agrees_no_less(seed, budget):
    rng = np.random.default_rng(seed)
    words = list("abcd")
    phrases = sorted({tuple(rng.choice(words, size=rng.integers(1, 3))) for _ in range(8)})
    rules = RuleList(
        rules=tuple(Rule(words=p, class_index=int(rng.integers(3))) for p in phrases),
        default=int(rng.integers(3)),
        classes=("x", "y", "z"),
    )
    documents = [list(rng.choice(words, size=rng.integers(0, 6))) for _ in range(20)]
    network = rng.integers(0, 3, size=20)
    shorter = rules.pruned(documents, network, max_rules=budget)
    kept = [rules.rules.index(rule) for rule in shorter.rules]
    assert kept == sorted(kept)
    if budget is None:
        before, after = (
            (description.predict(documents) == network).sum() for description in (rules, shorter)
        )
        assert after >= before
    else:
        assert shorter.size <= budget


def test_what_a_list_cannot_be_pruned_on():
    rules = rules_of(("good", 1))
    for network in (np.array([0, 1]), np.array([[0.5, 0.5]]), 1):
        with pytest.raises(DataError, match="network's class of each"):
            rules.pruned(["good"], network)
    for network in ([2], [-1], [0.5], ["yes"], [True]):
        with pytest.raises(DataError, match="is an index"):
            rules.pruned(["good"], np.array(network))
    with pytest.raises(DataError, match="one document or more"):
        rules.pruned([], np.array([], dtype=int))
    with pytest.raises(DataError, match="come as a list"):
        rules.pruned("good", np.array([1]))
    for budget in (0, -1, 1.5):
        with pytest.raises(UsageError, match="max_rules"):
            rules.pruned(["good"], np.array([1]), max_rules=budget)
