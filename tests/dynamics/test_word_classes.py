"""Classes of words: recovered where they were planted, and a sentence where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.data import Corpus, Vocabulary
from rnnscope.dynamics import WordClasses
from rnnscope.errors import DataError, NotApplicable, UsageError
from tests.dynamics import line_networks as ln


@pytest.fixture(scope="module")
def corpus():
    return ln.corpus(ln.line_network(count=20), 1200)


def test_planted_words_are_found(corpus):
    found = WordClasses.of_corpus(corpus, count=12)
    assert len(found.positive) == len(found.negative) == len(found.neutral) == 12
    assert all(word.startswith("positive") for word in found.positive)
    assert all(word.startswith("negative") for word in found.negative)
    assert sum(word.startswith("neutral") for word in found.neutral) >= 11
    values = found.values
    assert values[found.positive[0]] == max(values.values())
    assert values[found.negative[0]] == min(values.values())
    least = max(abs(values[word]) for word in found.neutral)
    rest = set(values) - {*found.positive, *found.negative, *found.neutral}
    assert all(abs(values[word]) >= least for word in rest)
    assert "1,200 documents" in found.source
    assert "12 positive" in repr(found)


def test_coefficients_are_those_of_a_fit_of_counts(corpus):
    """The gradient of the penalised log likelihood vanishes at them."""
    found = WordClasses.of_corpus(corpus, count=12, penalty=0.1)
    words = sorted(found.values)
    counts = np.array([[document.count(word) for word in words] for document in corpus.documents])
    w = np.array([found.values[word] for word in words])
    margin, labels = counts @ w, corpus.labels

    def slope(bias):
        return (1 / (1 + np.exp(-margin - bias)) - labels).sum()

    low, high = -20.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    gradient = counts.T @ (1 / (1 + np.exp(-margin - low)) - labels) + w / 0.1
    assert np.abs(gradient).max() < 0.1


def test_only_the_train_split_and_the_vocabulary_count(corpus):
    splits = np.where(np.arange(len(corpus)) < 300, "train", "test")
    documents = list(corpus.documents)
    documents[300:] = [("unseen",) * 20] * (len(corpus) - 300)
    vocabulary = Vocabulary(
        words=("<unk>", "positive1", "positive2", "negative1", "negative2", "neutral1"),
        unknown="<unk>",
    )
    split = replace(corpus, documents=tuple(documents), splits=splits)
    found = WordClasses.of_corpus(split, vocabulary)
    assert set(found.values) == set(vocabulary.words) - {"<unk>"}
    assert "unseen" not in WordClasses.of_corpus(split).values
    assert found.source.startswith("coefficients")


def test_a_lexicon():
    valences = {"good": 2.0, "fine": 1.0, "bad": -2.0, "the": 0.0, "odd": -0.1}
    found = WordClasses.of_valences(valences, count=2)
    assert found.positive == ("good", "fine")
    assert found.negative == ("bad", "odd")
    assert found.neutral == ("the",)
    few = WordClasses.of_valences(valences, Vocabulary(words=("good", "x")))
    assert few.positive == ("good",)
    assert len(few) == 1
    with pytest.raises(DataError, match="word that both have"):
        WordClasses.of_valences(valences, Vocabulary(words=("x",)))
    with pytest.raises(DataError, match="'nan'"):
        WordClasses.of_valences({"nan": float("nan")})
    with pytest.raises(UsageError, match="count >= 1"):
        WordClasses.of_valences(valences, count=0)


def test_classes_face_the_model():
    model = ln.line_network(count=5)
    same = ln.classes(5)
    assert same.facing(model) is same
    turned = replace(same, classes=("good", "bad")).facing(model)
    assert turned.positive == same.negative
    assert turned.classes == model.classes
    assert same.within(Vocabulary(words=("positive1",))).positive == ("positive1",)


@given(st.dictionaries(st.text(max_size=4), st.floats(-5, 5), min_size=1), st.integers(1, 6))
def test_signs_and_order_always_hold(valences, count):
    found = WordClasses.of_valences(valences, count=count)
    assert all(valences[word] > 0 for word in found.positive)
    assert all(valences[word] < 0 for word in found.negative)
    assert max(map(len, found.named.values())) <= count
    ordered = [valences[word] for word in found.positive]
    assert ordered == sorted(ordered, reverse=True)


def test_bad_corpora(corpus):
    plain = Corpus(documents=corpus.documents)
    with pytest.raises(NotApplicable, match="two classes"):
        WordClasses.of_corpus(plain)
    with pytest.raises(DataError, match="often enough"):
        WordClasses.of_corpus(corpus, min_count=1000)
    with pytest.raises(UsageError, match="penalty > 0"):
        WordClasses.of_corpus(corpus, penalty=0)
    with pytest.raises(DataError, match="'a'"):
        WordClasses(positive=("a",), negative=("a",), neutral=(), values={})
