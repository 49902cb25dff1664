"""The account of a network on a line: what its verdict is held against, in numbers and words."""

from __future__ import annotations

import json

import pytest

import rnnscope as rs
from rnnscope.dynamics import WordClasses, find_fixed_points, linearize, word_separability
from tests.dynamics import line_networks as ln


@pytest.fixture(scope="module")
def explained():
    model = ln.line_network(count=40)
    corpus = ln.corpus(model, 400).split_by_seed(seed=0)
    return model, corpus, rs.explain(model, corpus, points=60, min_count=2, examples=1)


def test_every_prediction_has_an_effect_an_interval_and_its_nulls(explained):
    _, _, account = explained
    found = {p["name"]: p for p in account.to_dict()["dynamics"]["verdict"]["predictions"]}
    assert {"visited", "readout", "stability", "separability", "classifier"} <= set(found)
    for one in found.values():
        low, high = one["interval"]
        assert low <= one["value"] <= high
        assert one["nulls"]
        assert one["sentence"]
        assert one["finding"]
    assert found["separability"]["finding"] == found["classifier"]["finding"] == "yes"
    assert "shuffled labels" in found["separability"]["nulls"]


def test_words_are_classed_on_the_mined_text_alone(explained):
    model, corpus, account = explained
    words = account.to_dict()["dynamics"]["words"]
    expected = WordClasses.of_corpus(corpus.split("train"), model.vocabulary)
    assert words["classes"]["positive"]["words"] == list(expected.positive[:20])
    assert words["classes"]["positive"]["effect"]["mean"] > 0
    assert words["classes"]["negative"]["effect"]["mean"] < 0


def test_the_figures_are_those_of_the_parts(explained):
    model, corpus, account = explained
    half = account.dynamics_half
    words = WordClasses.of_corpus(corpus, model.vocabulary)
    points = find_fixed_points(model, corpus.split("test"), count=60)
    told = word_separability(model, linearize(model, points), words)
    assert half.verdict.separability.value == pytest.approx(told.auc.value)
    dynamics = account.to_dict()["dynamics"]
    assert dynamics["dimension"]["points"]["count"] <= len(half.line)
    assert len(dynamics["delayed"]["correlation"]) == 11
    assert dynamics["delayed"]["correlation"][0]["value"] > 0.9
    assert dynamics["untrained"]["networks"] == 5
    json.dumps(dynamics, allow_nan=False)


def test_the_story_says_how_words_push(explained):
    _, _, account = explained
    value = account.dynamics_half.verdict.separability.value
    assert f"to that side than a word that stands with the other in {value:.0%}" in repr(account)


def test_text_without_labels_has_no_word_classes(explained):
    model, corpus, _ = explained
    account = rs.explain(model, list(corpus.documents[:60]), points=20, min_count=2).to_dict()
    assert account["dynamics"]["words"] is None
    assert "labelled text" in account["not_applied"]["word classes"]
    names = {p["name"] for p in account["dynamics"]["verdict"]["predictions"]}
    assert "visited" in names
    assert "separability" not in names
