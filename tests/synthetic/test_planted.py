"""Planted phrases: the network does what its rules say, and the pipeline finds them again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import UsageError
from rnnscope.phrases import mine_phrases
from rnnscope.rules import RuleList
from rnnscope.scores import CellDecomposition, CellDifference
from rnnscope.synthetic import SPURIOUS, planted_network
from tests.reference.fidelity import planted_contrast

OVERLAP = {
    "good": 1.5,
    "bad": -1.8,
    "not": 0.4,
    "not bad": 2.4,
    "far": -0.5,
    "far from": -0.6,
    "far from good": -2.0,
    "excellent": 3.2,
    "awful": -3.6,
}
"""The longest phrase that ends at a word counts: "not bad" turns "bad" round."""

WINDOW = {"good": 1.5, "bad": -1.5, "very good": 2.5}

NETWORKS = {
    "overlap": planted_network(OVERLAP, distractors=["loud"]),
    "window": planted_network(WINDOW, negators=["not", "never"], window=3, distractors=["loud"]),
    "both": planted_network({**WINDOW, "not good": -0.7}, negators=["not"], window=2, bias=0.3),
    "deep": planted_network({"a": 1.0, "a a": -2.0, "a a a": 3.0, "b a": 0.5, "a b a": -0.25}),
    "none": planted_network({}, bias=-0.7),
}
WORDS = ["good", "bad", "very", "not", "never", "far", "from", "loud", "the", "a", "b", "unheard"]

SCORES = [CellDecomposition, CellDifference]


@pytest.mark.parametrize("name", NETWORKS)
@given(document=st.lists(st.sampled_from(WORDS), min_size=1, max_size=14))
@settings(max_examples=40, deadline=None)
def test_the_network_does_what_its_rules_say(name, document):
    planted = NETWORKS[name]
    logits = planted.model.logits([document])[0]
    assert float(logits[1] - logits[0]) == pytest.approx(planted.contrast(document), abs=1e-9)
    assert planted.contrast(document) == pytest.approx(
        planted_contrast(
            document,
            planted.phrases,
            negators=planted.negators,
            window=planted.window,
            bias=planted.bias,
        ),
        abs=1e-2,
    )


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("name", NETWORKS)
def test_each_word_scores_what_it_adds(score, name):
    planted = NETWORKS[name]
    documents = planted.documents(30, seed=1)
    for row in score(planted.model).score(documents):
        np.testing.assert_allclose(
            row.contrast.numpy(), planted.effects(row.tokens), atol=1e-9, rtol=0
        )


@pytest.mark.parametrize("score", SCORES)
def test_the_pipeline_recovers_phrases_classes_and_order(score):
    planted = NETWORKS["overlap"]
    rules = _rules(planted, score)
    found = [(rule.words, rule.class_index) for rule in rules.rules]
    # What contains a stronger phrase can never be the first to match, and is left out.
    planted_rules = _first_to_match(planted)
    assert [rule for rule in found if rule[0] in planted.phrases] == planted_rules
    # The paper takes every part of a run as a candidate, so "from good" is one too.
    assert {words for words, _ in found} - set(planted.phrases) <= {("from",), ("from", "good")}
    assert (("not", "bad"), 1) in found
    assert found.index((("not", "bad"), 1)) < found.index((("bad",), 0))
    assert (("far", "from", "good"), 0) in found
    spoken = {word for words, _ in found for word in words}
    assert spoken.isdisjoint({"loud", SPURIOUS, "the", "film"})
    held_out = planted.documents(300, seed=9, phrases=1)
    truth = planted.predict(held_out)
    assert (rules.predict(held_out) == truth).all()
    assert (planted.model.predict(held_out) == truth).all()


@pytest.mark.parametrize("score", SCORES)
def test_a_phrase_that_only_goes_with_a_class_is_no_rule(score):
    """In the corpus "popcorn" tells the class alone: a description of the data, not of the
    network."""
    planted = NETWORKS["overlap"]
    documents = planted.documents(400, seed=2)
    network = planted.model.predict(documents)
    says = np.array([int(SPURIOUS in document) for document in documents])
    assert (says == network).all()
    assert all(SPURIOUS not in rule.words for rule in _rules(planted, score).rules)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("bias", [0.0, -0.7, 1.0])
def test_nothing_is_found_where_nothing_is_planted(score, bias):
    planted = planted_network({}, distractors=["loud"], bias=bias)
    documents = planted.documents(200, seed=3)
    phrases = mine_phrases(score(planted.model).score(documents))
    assert len(phrases) == 0
    rules = RuleList.from_phrases(phrases)
    assert rules.size == 0
    assert (rules.predict(documents) == planted.model.predict(documents)).all()


@pytest.mark.parametrize("score", SCORES)
def test_a_negated_word_is_charged_with_its_negators_effect(score):
    """What beta and gamma cannot tell: the memory does not change at "not", so "not" gets
    nothing, and the sign it turns stands at the word after it."""
    planted = NETWORKS["window"]
    row = score(planted.model).score([["not", "the", "good", "film"]])[0]
    assert row.contrast.numpy() == pytest.approx([0, 0, -1.5, 0], abs=1e-5)
    rules = _rules(planted, score)
    assert not any({"not", "never"} & set(rule.words) for rule in rules.rules)


def test_the_distractor_is_loud_inside_and_silent_outside():
    planted = NETWORKS["overlap"]
    loud, quiet = (
        planted.model.trajectory([["the", word, "the"]], gates=True) for word in ("loud", "film")
    )
    model = planted.model
    row = model.vocabulary.index("loud")
    assert model.embedding[row].norm() == 100 * model.embedding[0].norm()
    moved = (loud.states - quiet.states).abs().amax()
    assert moved > 0.4
    opened = loud.layers[0][0].gates["i"] - quiet.layers[0][0].gates["i"]
    assert opened.abs().amax() > 0.99
    assert np.allclose(loud.logits, quiet.logits, atol=1e-12, rtol=0)


def test_the_planted_rules_are_the_phrases_all_of_whose_words_speak():
    rules = {rule.words: rule for rule in NETWORKS["overlap"].rules}
    assert len(rules) == len(OVERLAP)
    assert rules["not", "bad"].log_importance == pytest.approx(2.8, abs=1e-5)
    assert rules["far", "from", "good"].class_index == 0
    assert ("very", "good") not in {rule.words for rule in NETWORKS["window"].rules}


@pytest.mark.parametrize(
    ("phrases", "options", "message"),
    [
        ({"": 1.0}, {}, "at least one word"),
        ({"good": float("nan")}, {}, "finite"),
        ({"good": 1.0}, {"negators": ["not"]}, "window"),
        ({"good": 1.0}, {"window": 2}, "window"),
        ({"good": 1.0}, {"distractors": ["good"]}, "distractor"),
        ({"good": 1.0}, {"gain": 0.0}, "gain"),
        ({"good": 1.0}, {"bias": float("nan")}, "bias"),
        ({"good": 1.0}, {"window": -1}, "window"),
        # Each was once taken for something else, and the network built.
        ({"not  bad": 1.0, "not bad": 2.0}, {}, "once"),
        ({"bad": 1.0}, {"negators": "not", "window": 1}, "single words"),
        ({"bad": 1.0}, {"negators": ["not at all"], "window": 1}, "single words"),
        ({"bad": 1.0}, {"distractors": "loud"}, "single words"),
        ({SPURIOUS: 1.0}, {}, "mean nothing"),
    ],
)
def test_a_plan_that_cannot_be_built(phrases, options, message):
    with pytest.raises(UsageError, match=message):
        planted_network(phrases, **options)


def test_the_words_around_planted_phrases_mean_nothing():
    """A planted word that the fillers hold too once stood everywhere in the documents."""
    planted = planted_network({"the": 1.0, "bad": -1.0})
    for document in planted.documents(30, phrases=1):
        assert sum(word in ("the", "bad") for word in document) == 1
    with pytest.raises(UsageError, match="one planted thing"):
        planted.documents(3, phrases=0)


def _rules(planted, score):
    scores = score(planted.model).score(planted.documents(600, seed=4, phrases=1))
    return RuleList.from_phrases(mine_phrases(scores))


def _first_to_match(planted):
    kept = []
    for rule in planted.rules:
        text = f" {' '.join(rule.words)} "
        if not any(f" {' '.join(words)} " in text for words, _ in kept):
            kept.append((rule.words, rule.class_index))
    return kept
