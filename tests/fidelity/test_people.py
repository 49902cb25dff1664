"""Scores against what people did: edits that turn a text round, labels on every phrase."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity import (
    Span,
    counterfactual_edits,
    edited_words,
    phrase_correlation,
    read_tree,
    sentences,
    summed_scores,
    tree_phrases,
)
from rnnscope.scores import CellDecomposition, CellDifference
from rnnscope.synthetic import lexicon_network
from tests.reference import fidelity as slow

LEXICON = {"good": 2.0, "bad": -2.0, "dull": -1.5, "fine": 1.0, "the": 0.01, "film": -0.02}
MODEL = lexicon_network(LEXICON, gain=1e-3)

PAIRS = [
    (["the", "film", "is", "good"], ["the", "film", "is", "bad"]),
    (["a", "dull", "film", "the", "end"], ["a", "fine", "film", "the", "end"]),
    (["bad", "bad", "film"], ["good", "good", "film"]),
    (["the", "good", "film"], ["the", "not", "so", "good", "film"]),
    (["film", "good"], ["film", "dull"]),
]


def test_edited_words_are_what_the_other_text_lacks():
    first, second = edited_words(["the", "film", "is", "good"], ["the", "film", "is", "not", "bad"])
    assert first.tolist() == [False, False, False, True]
    assert second.tolist() == [False, False, False, True, True]
    only_in, put_in = edited_words(["a", "b"], ["a", "x", "b"])
    assert not only_in.any()
    assert put_in.tolist() == [False, True, False]


words = st.lists(st.sampled_from("abc"), min_size=1, max_size=9)


@given(a=words, b=words)
@settings(max_examples=60, deadline=None)
def test_what_is_not_edited_is_the_same_in_both(a, b):
    first, second = edited_words(a, b)
    kept = [w for w, changed in zip(a, first, strict=True) if not changed]
    assert kept == [w for w, changed in zip(b, second, strict=True) if not changed]
    same = edited_words(a, a)
    assert not np.concatenate(same).any()


@pytest.mark.parametrize("signed", [False, True])
def test_edits_by_definition(signed):
    found = counterfactual_edits(PAIRS, CellDecomposition(MODEL), signed=signed)
    aucs, precisions, masses, uniforms = [], [], [], []
    for original, revised in PAIRS:
        for words, changed in zip(
            (original, revised), edited_words(original, revised), strict=True
        ):
            if changed.all() or not changed.any():
                continue
            label = int(MODEL.predict([words])[0])
            row = CellDecomposition(MODEL).score([words])[0]
            values = [slow.against_others(v.tolist(), label) for v in row.values]
            values = values if signed else np.abs(values).tolist()
            aucs.append(slow.auc(values, changed.tolist()))
            top = sorted(range(len(words)), key=lambda j: -values[j])[: int(changed.sum())]
            precisions.append(np.mean([changed[j] for j in top]))
            positive = np.maximum(values, 0)
            masses.append(positive[changed].sum() / positive.sum())
            uniforms.append(changed.mean())
    assert found.texts == len(aucs) == 9
    assert found.left_out == 1
    assert found.auc.value == pytest.approx(np.mean(aucs))
    assert found.mass.value == pytest.approx(np.nanmean(masses))
    assert found.uniform.value == pytest.approx(np.mean(uniforms))
    if not signed:
        assert found.precision.value == pytest.approx(np.mean(precisions))
        assert "higher on the words" in found.sentence
    assert "left out" not in repr(found)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_score_that_adds_up_word_by_word_predicts_the_change():
    found = counterfactual_edits(PAIRS, CellDifference(MODEL))
    assert found.change.value == pytest.approx(1, abs=1e-4)


def test_equal_scores_find_nothing():
    blank = lexicon_network(dict.fromkeys(LEXICON, 0.0))
    found = counterfactual_edits(PAIRS, CellDecomposition(blank))
    assert found.auc.value == 0.5
    assert found.precision.value == pytest.approx(found.uniform.value)
    assert not found.mass.known
    assert not found.change.known
    assert "does not tell" in found.sentence


def test_pairs_that_cannot_be_used():
    score = CellDecomposition(MODEL)
    with pytest.raises(UsageError, match="two lists of words"):
        counterfactual_edits([("good", "bad")], score)
    with pytest.raises(DataError, match="at least one pair"):
        counterfactual_edits([], score)
    one = counterfactual_edits(PAIRS[:1], score)
    assert "One pair" in one.sentence
    assert np.isnan(one.auc.low)
    same = counterfactual_edits([(["good"], ["good"])], score)
    assert not same.auc.known
    assert "No text" in same.sentence
    json.dumps(same.to_dict(), allow_nan=False)


def test_edits_of_the_published_pairs(shared):
    frame = pl.read_parquet(shared / "data" / "imdb_counterfactual" / "dev.parquet")
    by_pair = {
        pair: {row["kind"]: tokenize(row["text"]) for row in rows.iter_rows(named=True)}
        for (pair,), rows in frame.group_by("pair", maintain_order=True)
    }
    pairs = [(t["orig"], t["revised"]) for t in by_pair.values() if {"orig", "revised"} <= set(t)]
    assert len(pairs) > 100
    found = counterfactual_edits(pairs[:60], CellDecomposition(_rated_words(shared)))
    assert found.auc.low > 0.5
    assert found.mass_gain.low > 0.1
    assert 0.02 < found.uniform.value < 0.5


# Trees ---------------------------------------------------------------------------------------

TREE = "(3 (2 It) (4 (2 (2 's) (2 -LRB-)) (4 (3 really) (4 great\\/good))))"


def test_a_tree_by_hand():
    tree = read_tree(TREE)
    assert tree.words == ("It", "'s", "(", "really", "great/good")
    assert tree.label == 3
    assert tree.spans == (
        Span(0, 1, 2),
        Span(1, 2, 2),
        Span(2, 3, 2),
        Span(1, 3, 2),
        Span(3, 4, 3),
        Span(4, 5, 4),
        Span(3, 5, 4),
        Span(1, 5, 4),
        Span(0, 5, 3),
    )
    phrases = tree_phrases([tree, tree])
    assert len(phrases) == 16
    assert phrases[8].sentence == 1
    assert len(tree_phrases([tree], whole_sentences=True, single_words=False)) == 4
    assert sentences([tree]) == [list(tree.words)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not closed"),
        ("(2 good", "not closed"),
        ("(good)", "no whole number"),
        ("(2 (3 ))", "without words"),
        ("(2 good) (3 bad)", "after its end"),
        ("good", "outside"),
        (") (2 a)", "outside"),
    ],
)
def test_what_is_no_tree(text, message):
    with pytest.raises(DataError, match=message):
        read_tree(text)


def test_correlation_with_labels_is_scipys_at_each_length():
    rng = np.random.default_rng(0)
    trees = [_random_tree(rng) for _ in range(40)]
    phrases = tree_phrases(trees, whole_sentences=True)
    noisy = np.array([p.label + rng.normal() for p in phrases])
    found = phrase_correlation(noisy, phrases, lengths=((1, 1), (2, 4), (90, 99)))
    for row in (*found.rows, found.overall):
        chosen = [row.shortest <= p.length <= row.longest for p in phrases]
        labels = [p.label for p, take in zip(phrases, chosen, strict=True) if take]
        assert row.phrases == len(labels)
        assert row.pearson.value == pytest.approx(stats.pearsonr(noisy[chosen], labels).statistic)
        expected = stats.spearmanr(noisy[chosen], labels).statistic
        assert row.spearman.value == pytest.approx(expected)
        assert row.pearson.low < row.pearson.value < row.pearson.high
    assert len(found.rows) == 2
    by_function = phrase_correlation(lambda p: float(p.label), phrases)
    assert by_function.overall.pearson.value == pytest.approx(1)
    assert found.to_frame()["phrases"].to_list() == [r.phrases for r in found.rows] + [len(phrases)]
    json.dumps(found.to_dict(), allow_nan=False)
    assert "Spearman" in repr(found)


def test_a_phrase_is_the_sum_of_its_words():
    trees = [read_tree("(3 (2 the) (4 (1 bad) (4 good)))"), read_tree("(1 (1 dull) (2 film))")]
    scores = CellDecomposition(MODEL).score(sentences(trees))
    phrases = tree_phrases(trees, whole_sentences=True)
    found = summed_scores(scores, phrases)
    for phrase, value in zip(phrases, found, strict=True):
        row = scores[phrase.sentence].contrast[phrase.start : phrase.stop]
        assert value == pytest.approx(float(row.sum()))
    one = summed_scores(scores, phrases, class_index=1)
    assert one == pytest.approx(found / 2)
    with pytest.raises(DataError, match="sentences that the phrases are from"):
        summed_scores(CellDecomposition(MODEL).score([["the"]]), phrases)


def test_labels_that_say_nothing():
    phrases = tree_phrases([read_tree("(2 (2 a) (2 b))")])
    found = phrase_correlation(np.array([0.1, 0.7]), phrases)
    assert not found.overall.pearson.known
    json.dumps(found.to_dict(), allow_nan=False)
    with pytest.raises(DataError, match="one score for each"):
        phrase_correlation(np.ones(3), phrases)
    with pytest.raises(DataError, match="one score for each"):
        phrase_correlation(np.ones(0), [])
    with pytest.raises(DataError, match="finite"):
        phrase_correlation(np.array([0.1, np.nan]), phrases)


def test_the_published_trees(shared):
    frame = pl.read_parquet(shared / "data" / "sst5" / "dev.parquet")
    trees = [read_tree(text) for text in frame["tree"]]
    assert [tree.label for tree in trees] == frame["label"].to_list()
    assert all(tree.spans[-1] == (0, len(tree.words), tree.label) for tree in trees)
    assert all(len(tree.spans) == 2 * len(tree.words) - 1 for tree in trees)
    words = [[word.lower() for word in tree.words] for tree in trees]
    phrases = tree_phrases(trees)
    scores = CellDifference(_rated_words(shared)).score(words)
    found = phrase_correlation(summed_scores(scores, phrases), phrases)
    assert found.overall.pearson.low > 0.3


def _rated_words(shared):
    """A network that adds up people's ratings of words."""
    lexicon = pl.read_parquet(shared / "data" / "lexicons" / "vader.parquet")
    lexicon = lexicon.unique("token", maintain_order=True)
    return lexicon_network(dict(lexicon.select("token", "valence").iter_rows()), gain=1e-3)


def _random_tree(rng):
    def node(depth):
        label = int(rng.integers(0, 5))
        if depth == 0 or rng.random() < 0.2:
            return f"({label} w{int(rng.integers(9))})"
        return f"({label} {node(depth - 1)} {node(depth - 1)})"

    return read_tree(node(3))
