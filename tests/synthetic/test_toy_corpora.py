"""Toy corpora: labels are what counting their words gives, by an independent count."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import UsageError
from rnnscope.synthetic import categorical_corpus, ordered_corpus


@settings(max_examples=20, deadline=None)
@given(
    classes=st.integers(2, 6),
    count=st.integers(1, 60),
    length=st.integers(2, 12),
    rng=st.integers(0, 9),
)
def test_the_class_with_most_words_is_the_label(classes, count, length, rng):
    corpus = categorical_corpus(classes=classes, count=count, length=length, rng=rng)
    assert len(corpus.documents) == count
    for document, label in zip(corpus.documents, corpus.labels, strict=True):
        assert len(document) == length
        votes = Counter(word for word in document if word != "the")
        (first, most), *rest = votes.most_common()
        assert corpus.classes[label] == first
        assert all(other < most for _, other in rest)
    sizes = np.bincount(corpus.labels, minlength=classes)
    assert sizes.max() - sizes.min() <= 1


@settings(max_examples=60, deadline=None)
@given(classes=st.integers(2, 5), length=st.integers(3, 12), rng=st.integers(0, 9))
def test_the_range_of_the_summed_score_is_the_label(classes, length, rng):
    corpus = ordered_corpus(classes=classes, count=40, length=length, rng=rng)
    scores = {"awesome": 2, "good": 1, "the": 0, "bad": -1, "awful": -2}
    for document, label, valence in zip(
        corpus.documents, corpus.labels, corpus.valence, strict=True
    ):
        score = sum(scores[word] for word in document)
        assert valence == pytest.approx(score / length)
        edges = [Fraction(length * (2 * k - classes), classes) for k in range(1, classes)]
        assert label == sum(score >= edge for edge in edges)


@pytest.mark.parametrize("make", [categorical_corpus, ordered_corpus])
def test_a_seed_repeats_and_another_does_not(make):
    one, same, other = make(rng=1, count=30), make(rng=1, count=30), make(rng=2, count=30)
    assert one.documents == same.documents
    assert one.documents != other.documents


@pytest.mark.parametrize("make", [categorical_corpus, ordered_corpus])
@pytest.mark.parametrize("wrong", [{"classes": 1}, {"count": 0}, {"length": 0}])
def test_what_cannot_be_made_is_refused(make, wrong):
    with pytest.raises(UsageError, match="toy corpus"):
        make(**wrong)
