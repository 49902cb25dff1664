"""The evidence for each rule, against a count made document by document."""

from __future__ import annotations

import numpy as np
import pytest

from rnnscope.errors import DataError, UsageError
from rnnscope.rules import RuleList, compare_with_network
from rnnscope.statistics import share
from rnnscope.synthetic import lexicon_network
from tests.reference import rules as naive

RULES = RuleList.of(
    [("not good", "no"), ("good", "yes"), ("bad", "no"), ("never said", "no")],
    default="yes",
    classes=["no", "yes"],
)


def sample(seed=0, count=80):
    rng = np.random.default_rng(seed)
    words = ["not", "good", "bad", "film", "the"]
    documents = [[words[k] for k in rng.integers(0, 5, n)] for n in rng.integers(0, 7, count)]
    return documents, rng.integers(0, 2, count), rng.integers(0, 2, count)


def test_evidence_is_its_definition():
    documents, network, labels = sample()
    phrases = [rule.words for rule in RULES.rules]
    fired = [naive.first(phrases, document) for document in documents]
    evidence = RULES.evidence(documents, network=network, labels=labels, examples=100)
    assert len(evidence) == 4
    assert evidence.documents == 80
    for rank, one in [*enumerate(evidence), (-1, evidence.default)]:
        decided = [d for d, (r, _) in enumerate(fired) if r == rank]
        occurs = decided
        if rank >= 0:
            occurs = [d for d in range(80) if naive.occurs_at(phrases[rank], documents[d])]
        label = RULES.default if rank < 0 else RULES.rules[rank].class_index
        assert (one.occurs, one.decides) == (len(occurs), len(decided))
        for given, found in (
            (one.agreement, network[decided] == label),
            (one.agreement_where_it_occurs, network[occurs] == label),
            (one.accuracy, labels[decided] == label),
            (one.accuracy_where_it_occurs, labels[occurs] == label),
        ):
            np.testing.assert_equal(vars(given), vars(share(found)))
        wrong_network = [d for d in decided if network[d] != label]
        wrong_label = [d for d in decided if network[d] == label != labels[d]]
        assert [e.document for e in one.counterexamples] == wrong_network + wrong_label
        right = [d for d in decided if network[d] == label == labels[d]]
        assert [e.document for e in one.covered] == right
        assert all(e.position == fired[e.document][1] for e in one.covered)


def test_counterexamples_come_surest_first():
    documents = [["good"], ["good", "x"], ["so", "good"], ["good"]]
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    one = RULES.evidence(documents, network=probabilities, examples=2)[1]
    assert [(e.document, e.confidence) for e in one.counterexamples] == [(1, 0.9), (3, 0.7)]
    assert [e.document for e in one.covered] == [2]
    assert one.accuracy is None
    assert one.agreement.value == 0.25


def test_excerpts_show_the_match_and_what_is_around():
    long = ["w"] * 20 + ["not", "good"] + ["v"] * 20
    one = RULES.evidence([long, "It is NOT good"], network=np.array([1, 0]))[0]
    assert one.counterexamples[0].excerpt == "… " + "w " * 8 + "not good" + " v" * 8 + " …"
    assert one.covered[0].excerpt == "it is not good"


def test_evidence_prints_and_tabulates():
    documents, network, labels = sample()
    documents[0] = ["<script>", "good"]
    evidence = RULES.evidence(documents, network=network, labels=labels, examples=90)
    frame = evidence.to_frame()
    assert frame["phrase"].to_list() == ["not good", "good", "bad", "never said", "otherwise"]
    assert frame["decides"].sum() == 80
    assert frame["agreement"].to_list()[3] is None
    assert frame["agreement_low"][0] == pytest.approx(evidence[0].agreement.low)
    assert "decides" in repr(evidence)
    assert "'never said'" in repr(evidence[3])
    shown = evidence._repr_html_()
    assert "<script" not in shown
    assert [one.rank for one in evidence[1:3]] == [1, 2]
    assert RULES.evidence(documents, network=network).to_frame()["accuracy"].is_null().all()


def test_a_list_without_rules_and_no_documents():
    empty = RuleList.of([], default="no", classes=["no", "yes"])
    evidence = empty.evidence([["a"], []], network=np.array([0, 1]))
    assert len(evidence) == 0
    assert evidence.default.decides == 2
    assert evidence.to_frame().height == 1
    assert RULES.evidence([], network=np.array([])).default.decides == 0


def test_bad_input():
    documents, network, _ = sample()
    with pytest.raises(DataError, match="for each document in network"):
        RULES.evidence(documents, network=network[1:])
    with pytest.raises(DataError, match="for each document in labels"):
        RULES.evidence(documents, network=network, labels=network[1:])
    with pytest.raises(DataError, match="indices into"):
        RULES.evidence(documents, network=network + 1)
    with pytest.raises(DataError, match="indices into"):
        RULES.evidence(documents, network=network.astype(float))
    with pytest.raises(DataError, match="one row a document"):
        RULES.evidence(documents, network=np.ones((80, 3)))
    with pytest.raises(DataError, match="come as a list"):
        RULES.evidence("good", network=network)
    with pytest.raises(UsageError, match="Examples are counted"):
        RULES.evidence(documents, network=network, examples=-1)


def test_a_list_beside_its_network():
    model = lexicon_network({"good": 3.0, "bad": -3.0, "film": 0.0})
    negative, positive = model.classes
    rules = RuleList.of(
        [("good", positive), ("bad", negative)], default=negative, classes=model.classes
    )
    documents = [["good", "film"], ["bad"], ["good", "bad", "bad"]]
    found = compare_with_network(rules, model, documents, repeats=1)
    assert found.agreement.value == pytest.approx(2 / 3)
    assert found.network_bytes == sum(
        w.numel() * w.element_size() for w in model.weights().values()
    )
    assert (found.rules, found.documents) == (2, 3)
    assert found.rules_bytes > 0
    assert found.times_faster == found.rules_per_second / found.network_per_second > 0
    assert "times smaller" in repr(found)
    assert "<script" not in found._repr_html_()
    with pytest.raises(UsageError, match="compared with a network"):
        compare_with_network(rules, "model", documents)
    with pytest.raises(DataError, match="must be documents"):
        compare_with_network(rules, model, [])
    with pytest.raises(UsageError, match="once or more"):
        compare_with_network(rules, model, documents, repeats=0)


def test_documents_that_can_be_read_once_are_quoted_all_the_same():
    """Words given by iterators were used up by the matching, and the excerpts empty."""
    documents = [["the", "good", "film"]]
    found = RULES.evidence([iter(document) for document in documents], network=np.array([1]))
    assert found[1].covered[0].excerpt == "the good film"
