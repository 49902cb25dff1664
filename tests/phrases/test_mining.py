"""Phrase mining against loops over dictionaries, and against hand-made networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnscope.models as models
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.phrases import mine_phrases
from rnnscope.scores import CellDecomposition, CellDifference
from rnnscope.synthetic import lexicon_network
from tests.helpers import random_documents
from tests.phrases.shards import model_of
from tests.reference.phrases import mine


def scores_of(*, classes=2, seed=0, count=60, kind="lstm"):
    model = model_of(classes=classes, seed=seed % 8, kind=kind)
    return CellDecomposition(model).score(random_documents(count, seed=seed))


@given(
    seed=st.integers(0, 200),
    classes=st.sampled_from([2, 3]),
    threshold=st.sampled_from([1.01, 1.1, 1.3]),
    longest=st.integers(1, 6),
    least=st.integers(1, 4),
    test=st.sampled_from(["ratio", "raw"]),
    kind=st.sampled_from(["mean_ratio", "ratio_of_means"]),
)
@settings(max_examples=40, deadline=None)
def test_phrases_are_the_references(seed, classes, threshold, longest, least, test, kind):
    scores = scores_of(classes=classes, seed=seed)
    got = mine_phrases(
        scores,
        word_threshold=threshold,
        max_length=longest,
        min_count=least,
        test=test,
        importance=kind,
    )
    expected = mine(
        [list(d.tokens) for d in scores],
        [d.values.tolist() for d in scores],
        threshold=threshold,
        longest=longest,
        least=least,
        test=test,
        kind=kind,
        skip=("<unk>", "<pad>"),
    )
    assert set(got.words) == set(expected)
    for k, words in enumerate(got.words):
        logs, count = expected[words]
        np.testing.assert_allclose(got.log_importance[k], logs, atol=1e-10)
        assert got.counts[k] == count
    order = [(-p.importance, -p.count, p.words) for p in got]
    assert order == sorted(order)


def test_documents_are_counted_once_and_by_the_networks_class():
    scores = scores_of()
    for phrase in mine_phrases(scores, min_count=1):
        n = len(phrase.words)
        holding = [
            row
            for row, d in enumerate(scores)
            if any(d.tokens[a : a + n] == phrase.words for a in range(len(d.tokens)))
        ]
        right = sum(scores.predictions[row] == phrase.class_index for row in holding)
        assert phrase.documents == len(holding)
        assert phrase.precision == right / len(holding)


def test_two_classes_mirror_each_other():
    """S_0 of a phrase that occurs once is 1 / S_1."""
    phrases = mine_phrases(scores_of(), min_count=1)
    once = phrases.counts == 1
    assert once.any()
    np.testing.assert_allclose(phrases.log_importance[once].sum(axis=1), 0, atol=1e-12)


def test_a_lexicon_network_gives_back_its_lexicon():
    weights = {"good": 1.0, "great": 2.0, "bad": -1.0, "awful": -2.0, "the": 0.0, "film": 0.0}
    model = lexicon_network(weights)
    rng = np.random.default_rng(0)
    words = list(weights)
    documents = [[words[k] for k in rng.integers(0, 6, size=6)] for _ in range(200)]
    for method in (CellDifference, CellDecomposition):
        phrases = mine_phrases(method(model).score(documents), max_length=1)
        assert {p.text: p.class_name for p in phrases} == {
            word: "positive" if weight > 0 else "negative"
            for word, weight in weights.items()
            if weight
        }
        assert {phrases[0].text, phrases[1].text} == {"great", "awful"}


def test_a_network_without_words_that_matter_gives_nothing():
    model = lexicon_network({"good": 0.0, "bad": 0.0})
    phrases = mine_phrases(CellDifference(model).score([["good", "bad"]] * 20))
    assert len(phrases) == 0
    assert phrases.to_frame().height == 0


def test_unknown_words_end_a_run():
    model = lexicon_network({"good": 2.0}, unknown=2.0)
    phrases = mine_phrases(CellDifference(model).score([["good", "zzz", "good"]] * 9), min_count=1)
    assert phrases.words == (("good",),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1}, "word_threshold, max_length"),
        ({"word_threshold": 0}, "above 0"),
        ({"max_length": 0}, "at least 1 word"),
        ({"max_length": 1.5}, "at least 1 word"),
        ({"word_threshold": "x"}, "above 0"),
        ({"word_threshold": float("inf")}, "above 0"),
        ({"min_count": 0}, "at least 1 occurrence"),
        ({"test": "both"}, "'ratio' or 'raw'"),
        ({"importance": "mean"}, "'mean_ratio'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(UsageError, match=message):
        mine_phrases(scores_of(count=2), **options)


def test_vectors_have_no_phrases():
    cell = models.from_torch(torch.nn.LSTM(3, 4)).cell
    model = models.Model(
        layers=(models.Layer(directions=(models.Direction(cell=cell),)),),
        readout=models.Readout.of(torch.ones(2, 4)),
    )
    scores = CellDifference(model).score([np.ones((3, 3))])
    with pytest.raises(NotApplicable, match="made of words"):
        mine_phrases(scores)
