"""Each choice of phrase extraction against loops, and bad input."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnscope.errors import DataError, ModelError, UsageError
from rnnscope.phrases import PhraseTable, mine_phrases
from rnnscope.scores import CellDecomposition
from rnnscope.synthetic import lexicon_network
from tests.helpers import random_documents
from tests.phrases.shards import SKIP, cut, made_up, model_of, scores_of
from tests.reference.phrases import clustered_error, maximal, mine, occurrences

T_QUANTILE = {2: 12.706204736432095, 3: 4.302652729911275, 5: 2.7764451051977987}


def tokens_and_betas(scores):
    return [list(d.tokens) for d in scores], [d.values.tolist() for d in scores]


@pytest.mark.parametrize("classes", [2, 3])
def test_mean_log_and_the_figures_of_a_phrase(classes):
    scores = scores_of(classes=classes)
    documents, betas = tokens_and_betas(scores)
    seen = occurrences(documents, betas, longest=3, skip=SKIP)
    phrases = mine_phrases(scores, max_length=3, min_count=2, importance="mean_log")
    assert set(phrases.words) == set(
        mine(documents, betas, threshold=1.1, longest=3, least=2, skip=SKIP)
    )
    for k, words in enumerate(phrases.words):
        found = seen[words]
        for i in range(classes):
            values = [o[2][i] for o in found]
            assert math.isclose(phrases.mean[k, i], np.mean(values), rel_tol=1e-9, abs_tol=1e-12)
            assert math.isclose(
                phrases.variance[k, i], np.var(values, ddof=1), rel_tol=1e-7, abs_tol=1e-12
            )
            error = clustered_error(found, i)
            if error is None:
                assert np.isnan(phrases.standard_error[k, i])
            else:
                assert math.isclose(phrases.standard_error[k, i], error, rel_tol=1e-6, abs_tol=1e-8)
        np.testing.assert_array_equal(phrases.log_importance[k], phrases.mean[k])
        held = phrases[k].documents
        if held in T_QUANTILE:
            low, high = phrases[k].interval
            error = clustered_error(found, phrases[k].class_index)
            assert math.isclose((high - low) / 2, T_QUANTILE[held] * error, rel_tol=1e-6)


def test_the_lower_bound_ranks_by_the_lower_end():
    scores = scores_of()
    phrases = mine_phrases(scores, min_count=1, importance="lower_bound")
    assert (phrases.document_counts.sum(axis=1) > 1).all()
    np.testing.assert_allclose(phrases.log_importance.max(axis=1), phrases.interval[:, 0])
    assert (np.diff(phrases.importance) <= 0).all()
    sure = mine_phrases(scores, min_count=1, importance="lower_bound", min_importance=1)
    assert 0 < len(sure) < len(phrases)
    assert (sure.interval[:, 0] >= 0).all()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("longest", [1, 2, 4])
def test_maximal_runs_are_the_references(classes, longest):
    scores = scores_of(classes=classes)
    documents, betas = tokens_and_betas(scores)
    expected = maximal(documents, betas, threshold=1.1, longest=longest, skip=SKIP)
    got = mine_phrases(scores, runs="maximal", max_length=longest, min_count=1)
    assert set(got.words) == expected
    parts = mine_phrases(scores, max_length=longest, min_count=1)
    assert expected <= set(parts.words)
    for k, words in enumerate(got.words):
        row = parts.words.index(words)
        np.testing.assert_array_equal(got.log_importance[k], parts.log_importance[row])


@pytest.mark.parametrize("runs", ["parts", "maximal"])
@pytest.mark.parametrize("cuts", [[], [3], [1, 7, 20]])
def test_shards_and_tables_give_the_phrases_of_the_whole(runs, cuts):
    documents = random_documents(30, seed=3)
    options = {"runs": runs, "min_count": 2, "max_length": 3}
    whole = mine_phrases(scores_of(documents), **options)
    shards = [scores_of(part) for part in cut(documents, cuts)]
    mined = [mine_phrases(shards, **options)]
    if runs == "parts":
        tables = [PhraseTable.of(shard) for shard in shards]
        mined.append(mine_phrases(PhraseTable.merge(tables), **options))
    for got in mined:
        assert got.words == whole.words
        assert got.class_counts.tolist() == whole.class_counts.tolist()
        assert got.document_counts.tolist() == whole.document_counts.tolist()
        assert got.predicted.tolist() == whole.predicted.tolist()
        np.testing.assert_allclose(got.log_importance, whole.log_importance, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(got.mean, whole.mean, rtol=1e-10, atol=1e-13)
    found = mined[0].occurrences.drop("log_ratio")
    assert found.equals(whole.occurrences.drop("log_ratio"))


@pytest.mark.parametrize("test", ["ratio", "raw"])
@pytest.mark.parametrize("importance", ["mean_ratio", "ratio_of_means", "mean_log"])
def test_only_the_gauge_free_choices_forget_a_vector_added_to_every_row(test, importance):
    documents = random_documents(30, seed=4)
    scores = scores_of(documents)
    values = scores.values.numpy()
    shift = np.random.default_rng(0).normal(size=(len(values), 1))
    moved = made_up(documents, values + shift, scores.logits.numpy())
    options = {"test": test, "importance": importance, "min_count": 2}
    a, b = mine_phrases(scores, **options), mine_phrases(moved, **options)
    if test == "ratio":
        assert set(a.words) == set(b.words)
    else:
        assert set(a.words) != set(b.words)
    same = [w for w in a.words if w in b.words]
    S = [[p.log_importance[p.words.index(w)] for w in same] for p in (a, b)]
    assert np.allclose(*S, atol=1e-10) == (importance != "ratio_of_means")


def test_norms_are_summed_and_take_the_networks_majority():
    rng = np.random.default_rng(0)
    documents = random_documents(25, seed=5)
    norms = np.repeat(rng.random((sum(map(len, documents)), 1)), 2, axis=1)
    logits = rng.normal(size=(25, 2))
    scores = made_up(documents, norms, logits, method="gradient norm")
    phrases = mine_phrases(scores, importance="sum", max_length=2, min_count=3, word_threshold=1.5)
    shares, start = [], 0
    for document in documents:
        part = norms[start : start + len(document), 0]
        shares.append(part / part.max())
        start += len(document)
    labels = logits.argmax(axis=1)
    seen, candidates = {}, set()
    for row, words in enumerate(documents):
        for n in (1, 2):
            for a in range(len(words) - n + 1):
                part = shares[row][a : a + n]
                seen.setdefault(tuple(words[a : a + n]), []).append((row, part.sum()))
                if part.min() > math.log(1.5):
                    candidates.add(tuple(words[a : a + n]))
    expected = {w for w in candidates if len(seen[w]) >= 3}
    assert set(phrases.words) == expected
    for k, phrase in enumerate(phrases):
        found = seen[phrase.words]
        mean = np.mean([value for _, value in found])
        votes = np.bincount(labels[sorted({row for row, _ in found})], minlength=2)
        assert phrase.class_index == votes.argmax()
        np.testing.assert_allclose(phrases.log_importance[k, phrase.class_index], mean)
        np.testing.assert_allclose(phrases.log_importance[k].sum(), 0, atol=1e-15)
    table = PhraseTable.of(scores, signed=False)
    again = mine_phrases(table, importance="sum", max_length=2, min_count=3, word_threshold=1.5)
    assert again == replace(phrases)
    with pytest.raises(DataError, match="without a sign are not negative"):
        mine_phrases(scores_of(documents), importance="sum")


def test_a_part_of_the_corpus():
    documents = random_documents(30, seed=6)
    splits = np.array(["train", "test", "train"] * 10)
    scores = scores_of(documents)
    part = mine_phrases(scores, splits=splits, split="train", min_count=1)
    inside = [d for d, s in zip(documents, splits, strict=True) if s == "train"]
    alone = mine_phrases(scores_of(inside), min_count=1)
    assert part.words == alone.words
    np.testing.assert_allclose(part.log_importance, alone.log_importance, atol=1e-12)
    assert part.predicted.sum() == 20
    assert part.options.split == "train"
    assert set(splits[part.occurrences["document"].to_numpy()]) == {"train"}
    with pytest.raises(UsageError, match="no splits"):
        mine_phrases(scores, split="train")
    with pytest.raises(UsageError, match="'test' or 'train'"):
        mine_phrases(scores, splits=splits, split="validation")


def test_the_list_is_cut_after_it_is_ordered():
    phrases = mine_phrases(scores_of(), min_count=1)
    assert mine_phrases(scores_of(), min_count=1, max_phrases=5).words == phrases.words[:5]
    bar = float(phrases.importance[7])
    above = mine_phrases(scores_of(), min_count=1, min_importance=bar)
    assert above.words[:7] == phrases.words[:7]
    assert (above.importance >= bar * (1 - 1e-12)).all()


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e9])
def test_scores_that_are_not_finite_are_refused(wrong):
    documents = [["good", "bad"], ["film"]]
    values = np.zeros((3, 2))
    values[1, 0] = wrong
    scores = made_up(documents, values, [[0, 1], [1, 0]])
    # NaN and infinity are refused where scores are made; the rest where phrases are.
    error, message = (DataError, "1 that are not") if wrong == 1e9 else (ModelError, "finite")
    for use in (mine_phrases, PhraseTable.of, lambda s: mine_phrases([s])):
        with pytest.raises(error, match=message):
            use(scores)


def test_a_network_that_gives_nan_is_refused():
    scores = made_up([["good"]], np.zeros((1, 2)), [[0, float("nan")]])
    with pytest.raises(ModelError, match="must be finite"):
        mine_phrases(scores)


def everything_works_on_nothing(phrases, path):
    assert len(phrases) == 0
    assert list(phrases) == []
    assert phrases.to_frame().height == phrases.occurrences.height == 0
    assert phrases.interval.shape == (0, 2)
    assert "0 phrases" in phrases._repr_html_()
    assert repr(phrases).startswith("Phrases(0")
    phrases.save(path)
    assert type(phrases).load(path) == phrases


def test_unknown_words_alone_give_an_empty_list(tmp_path):
    scores = CellDecomposition(model_of()).score([["zzz", "yyy"]] * 9)
    everything_works_on_nothing(mine_phrases(scores), tmp_path / "a")
    everything_works_on_nothing(mine_phrases([scores]), tmp_path / "b")
    table = PhraseTable.of(scores)
    assert len(table) == table.occurrences() == 0
    assert len(table + PhraseTable.of(scores_of())) > 0
    assert len(mine_phrases(table)) == 0


@pytest.mark.parametrize("options", [{"word_threshold": 1e9}, {"min_count": 10**6}])
def test_a_threshold_that_keeps_nothing_gives_an_empty_list(options, tmp_path):
    everything_works_on_nothing(mine_phrases(scores_of(), **options), tmp_path / "p")
    assert len(mine_phrases([scores_of()], **options)) == 0
    assert len(mine_phrases(PhraseTable.of(scores_of()), **options)) == 0
    none = mine_phrases(scores_of(), min_importance=1e300)
    everything_works_on_nothing(none, tmp_path / "q")


def test_no_documents_and_empty_documents(tmp_path):
    everything_works_on_nothing(
        mine_phrases(made_up([], np.zeros((0, 2)), np.zeros((0, 2)))), tmp_path
    )
    with pytest.raises(DataError):
        mine_phrases(scores_of([["good"], []]))
    with pytest.raises(DataError, match="one shard"):
        mine_phrases([])


def test_a_network_of_one_answer():
    """Every document is given class 1: counts stand there, S does not depend on it."""
    weights = {"good": 1.0, "bad": -0.1}
    scores = CellDecomposition(lexicon_network(weights)).score([["good", "good", "bad"]] * 6)
    assert set(scores.predictions) == {1}
    phrases = mine_phrases(scores)
    assert (phrases.document_counts[:, 0] == 0).all()
    assert {p.text: p.class_name for p in phrases if len(p.words) == 1}["bad"] == "negative"
    assert next(p for p in phrases if p.text == "bad").precision == 0


def test_shards_that_cannot_be_mined():
    scores = scores_of()
    with pytest.raises(UsageError, match="can be gone through once"):
        mine_phrases(iter([scores]))
    with pytest.raises(DataError, match="the same shard twice"):
        mine_phrases([scores, scores])
    with pytest.raises(DataError, match="where the fingerprint is the same"):
        mine_phrases([scores, scores_of(seed=1)])
    for wrong in ("text", 3, [["good"]], torch.zeros(3)):
        with pytest.raises(UsageError, match="mined from word scores"):
            mine_phrases(wrong)
