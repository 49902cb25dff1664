"""Where both halves meet, on a network whose words' weights are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

import rnnscope as rs
from rnnscope.scores import LeaveOneOut, contrast
from rnnscope.synthetic import lexicon_network

WEIGHTS = {f"word{chr(97 + k)}": float(w) for k, w in enumerate(np.linspace(-2, 2, 16))}


@pytest.fixture(scope="module")
def made():
    model = lexicon_network(WEIGHTS)
    rng = np.random.default_rng(0)
    words = list(WEIGHTS)
    documents = [[words[k] for k in rng.integers(0, len(words), size=5)] for _ in range(300)]
    rows = [(d, int(sum(WEIGHTS[w] for w in d) > 0)) for d in documents]
    corpus = rs.load_corpus(rows, classes=["negative", "positive"])
    return model, rs.explain(model, corpus, points=15, min_count=2, examples=2)


def test_all_three_measures_order_the_words_as_their_weights(made):
    _, account = made
    words = account.join.words
    assert set(words.words) <= set(WEIGHTS)
    assert len(words.words) >= 14
    weights = [WEIGHTS[word] for word in words.words]
    for measure in (words.score, words.push, words.effect):
        assert spearmanr(measure, weights).statistic > 0.9
    for pair, found in words.correlations.items():
        assert found.low > words.nulls[pair]


def test_the_effect_is_that_of_leaving_the_word_out(made):
    model, account = made
    judged = account.material.judged
    totals, counts = dict.fromkeys(WEIGHTS, 0.0), dict.fromkeys(WEIGHTS, 0)
    for document, found in zip(judged, LeaveOneOut(model).score(judged), strict=True):
        for word, value in zip(document, contrast(found.values).tolist(), strict=True):
            totals[word] += value
            counts[word] += 1
    words = account.join.words
    expected = [totals[word] / counts[word] for word in words.words]
    np.testing.assert_allclose(words.effect, expected, atol=1e-9)
    assert words.count.tolist() == [counts[word] for word in words.words]


def test_telling_words_have_the_side_of_their_weight(made):
    low, high = made[1].join.words.telling(3)
    assert len(low) == len(high) == 3
    assert all(WEIGHTS[word] < 0 for word in low)
    assert all(WEIGHTS[word] > 0 for word in high)


def test_the_tally_is_the_side_of_the_position(made):
    model, account = made
    join = account.join
    position = account.dynamics_half.position(model.final_states(account.material.judged)).numpy()
    said = position > join.threshold
    agrees = (said == (account.rules_half.predictions == 1)).mean()
    assert join.tally.value == pytest.approx(agrees)
    assert agrees > 0.9
    assert "It keeps a tally" in account.to_dict()["verdict"]["sentences"][1]


def test_the_way_of_an_example_ends_where_its_text_does(made):
    model, account = made
    for example in account.to_dict()["scores"]["examples"]:
        end = account.dynamics_half.position(model.final_states([example["tokens"]]))
        assert example["way"][-1] == pytest.approx(float(end[0]), rel=1e-4)
        assert len(example["way"]) == len(example["tokens"]) + 1
        assert set(example["others"]) == {
            "gradient x input", "integrated gradients", "leave one out",
        }  # fmt: skip


def test_three_classes_have_no_tally():
    from tests.account.test_explain import QUICK, corpus_of, model_of

    account = rs.explain(model_of(classes=3), corpus_of(classes=3), **QUICK).to_dict()
    assert account["join"] == {"tally": None, "words": None}
    assert "two classes" in account["not_applied"]["tally"]
    assert len(account["verdict"]["sentences"]) == 2
