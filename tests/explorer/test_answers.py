"""What the page is told is what the library gives."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import torch

import rnnscope as rs
from rnnscope.explorer import (
    find_phrase,
    look_at,
    look_at_point,
    look_at_word,
    open_run,
    slower_score,
)
from rnnscope.explorer.exhibit import MAX_WORDS
from rnnscope.scores import against_others
from tests.explorer.conftest import QUICK
from tests.helpers import WORDS, random_documents, random_module
from tests.training import tiny

TEXT = "a b good c d e"


def probability(model, words):
    return model.probabilities([words])[0].double().numpy()


def test_the_answer_is_what_the_network_says_after_each_word(exhibit):
    answer = look_at(exhibit, TEXT)
    json.dumps(answer, allow_nan=False)
    words = TEXT.split()
    assert [one["text"] for one in answer["words"]] == words
    for k in range(1, len(words) + 1):
        expected = probability(exhibit.model, words[:k])
        np.testing.assert_allclose(answer["probabilities"][k], expected, atol=2e-5)
    assert answer["predicted"] == exhibit.model.predict([words])[0]


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("beta", rs.CellDifference),
        ("gamma", rs.CellDecomposition),
        ("gradient x input", rs.GradientTimesInput),
        ("leave one out", rs.LeaveOneOut),
        ("occlusion", rs.Occlusion),
    ],
)
def test_scores_are_those_of_the_methods(exhibit, name, score):
    (strip,) = [s for s in look_at(exhibit, TEXT)["scores"] if s["method"] == name]
    found = score(exhibit.model).score([TEXT.split()])[0]
    np.testing.assert_allclose(strip["values"], against_others(found.values)[:, 1], atol=2e-4)
    assert strip["sums"] == (name in ("beta", "gamma"))


def test_slower_scores_are_given_when_asked_for(exhibit):
    strip = slower_score(exhibit, TEXT, "integrated gradients")
    found = rs.IntegratedGradients(exhibit.model).score([TEXT.split()])[0]
    np.testing.assert_allclose(strip["values"], against_others(found.values)[:, 1], atol=2e-4)
    with pytest.raises(rs.UsageError, match="computed when asked for"):
        slower_score(exhibit, TEXT, "beta")


def test_changes_are_runs_of_the_network(exhibit):
    words = TEXT.split()
    changes = look_at(exhibit, TEXT)["changes"]
    for k, found in enumerate(changes["remove"]):
        left = words[:k] + words[k + 1 :]
        np.testing.assert_allclose(found, probability(exhibit.model, left), atol=2e-5)
    for one in changes["swap"]:
        swapped = list(words)
        j = one["position"]
        swapped[j : j + 2] = swapped[j + 1], swapped[j]
        found = one["probabilities"]
        np.testing.assert_allclose(found, probability(exhibit.model, swapped), atol=2e-5)
    assert changes["replace"]
    for one in changes["replace"]:
        put = [*words[: one["position"]], one["word"], *words[one["position"] + 1 :]]
        found = one["probabilities"]
        np.testing.assert_allclose(found, probability(exhibit.model, put), atol=2e-5)
    telling = {one["word"] for one in changes["replace"]}
    assert telling & {"good", "bad"}  # the words that this language's classes hang on


def test_one_word_anywhere_else_and_others_in_its_place(exhibit):
    words = TEXT.split()
    answer = look_at_word(exhibit, TEXT, 2, "odd bad")
    assert [one["to"] for one in answer["move"]] == [0, 1, 3, 4, 5]
    for one in answer["move"]:
        moved = words[:2] + words[3:]
        moved.insert(one["to"], words[2])
        found = one["probabilities"]
        np.testing.assert_allclose(found, probability(exhibit.model, moved), atol=2e-5)
    put = ["a", "b", "odd", "bad", "c", "d", "e"]
    found = answer["typed"]["probabilities"]
    np.testing.assert_allclose(found, probability(exhibit.model, put), atol=2e-5)
    order = [one["probabilities"][1] for one in answer["replace"]]
    assert order == sorted(order, reverse=True)
    assert look_at_word(exhibit, TEXT, 0)["typed"] is None
    with pytest.raises(rs.UsageError, match="place"):
        look_at_word(exhibit, TEXT, 6)


def test_a_sentence_of_one_word(exhibit):
    answer = look_at(exhibit, "good")
    assert len(answer["changes"]["remove"]) == 1
    # Without its only word the readout sees the state before the first.
    assert answer["changes"]["remove"][0] == answer["probabilities"][0]
    assert answer["changes"]["swap"] == []
    assert look_at_word(exhibit, "good", 0)["move"] == []


def test_rules_that_occur_and_the_one_that_decides(exhibit):
    answer = look_at(exhibit, "a good b bad")["rules"]
    firing = exhibit.rules.explain(["a", "good", "b", "bad"])
    assert answer["list"][0]["rank"] == firing.rank + 1
    assert answer["says"] == firing.class_index
    ranks = [one["rank"] for one in answer["list"]]
    assert ranks == sorted(ranks)
    words = {word for one in answer["list"] for word in one["words"]}
    assert {"good", "bad"} <= words
    nothing = look_at(exhibit, "zzz")["rules"]
    assert nothing["list"] == []
    assert nothing["says"] == exhibit.rules.default


def test_the_path_is_in_the_plane_of_the_report(exhibit, corpus):
    answer = look_at(exhibit, TEXT)["path"]
    account = rs.explain(exhibit.model, corpus, options=QUICK).to_dict()
    plane = exhibit.sites.plane
    shares = account["figures"]["state_space"]["axes_variance"]
    assert shares[:2] == pytest.approx(plane.variance)
    for kind, held in account["figures"]["state_space"]["points"].items():
        kept = [k for k, one in enumerate(exhibit.sites.kinds) if one == kind]
        mine = plane.project(exhibit.sites.modes.states[kept]).reshape(-1)
        np.testing.assert_allclose(mine, np.ravel(held["xy"]), rtol=1e-5, atol=1e-8)
    states = exhibit.model.trajectory([TEXT.split()]).states[0]
    np.testing.assert_allclose(answer["xy"][1:], plane.project(states), atol=1e-4)
    away = torch.cdist(states.double(), exhibit.sites.modes.states) / exhibit.sites.points.scale
    np.testing.assert_allclose(answer["distance"][1:], away.min(dim=1).values, atol=1e-3)


def test_a_phrase_is_counted_where_it_stands(exhibit, corpus):
    answer = find_phrase(exhibit, "a b")
    at = [
        row
        for row, words in enumerate(corpus.documents)
        for pair in pairwise(words)
        if pair == ("a", "b")
    ]
    assert answer["occurrences"] == len(at) > 0
    assert answer["documents"] == len(set(at))
    says = exhibit.model.predict([corpus.documents[row] for row in sorted(set(at))])
    assert answer["answers"] == [int((says == 0).sum()), int((says == 1).sum())]
    for one in answer["examples"]:
        assert "a b" in one["text"]
        assert one["phrase"] == "a b"
    assert find_phrase(exhibit, "good good good good")["occurrences"] == 0


def test_the_nearest_states_of_a_fixed_point(exhibit):
    answer = look_at_point(exhibit, 0)
    state = exhibit.sites.modes.states[0]
    first = answer["nearest"][0]
    states = [
        (float(torch.linalg.vector_norm(own.double() - state)), words[k], row)
        for row, words in enumerate(exhibit.sites.texts)
        for k, own in enumerate(exhibit.model.trajectory([words]).states[0])
    ]
    distance, word, _ = min(states)
    assert first["distance"] == pytest.approx(distance / exhibit.sites.points.scale, abs=2e-3)
    assert first["word"] == word
    distances = [one["distance"] for one in answer["nearest"]]
    assert distances == sorted(distances)
    J = exhibit.model.cell.to(torch.float64).J_rec(torch.zeros(8, dtype=torch.float64), state)
    largest = torch.linalg.eigvals(J).abs().max()
    assert abs(complex(*answer["eigenvalues"][0])) == pytest.approx(float(largest), abs=1e-4)
    with pytest.raises(rs.UsageError, match="place in the list"):
        look_at_point(exhibit, 10_000)


def test_a_sentence_has_words_and_not_too_many(exhibit):
    with pytest.raises(rs.DataError, match="none"):
        look_at(exhibit, " \t\n")
    assert len(look_at(exhibit, "a " * MAX_WORDS)["words"]) == MAX_WORDS
    with pytest.raises(rs.DataError, match="201"):
        look_at(exhibit, "a " * (MAX_WORDS + 1))


@pytest.mark.parametrize(
    "shape",
    [{"bidirectional": True}, {"layers": 2}, {"kind": "vanilla"}, {"pooling": "mean"}],
    ids=str,
)
def test_networks_of_other_kinds(shape, tmp_path):
    model = rs.from_torch(random_module(**shape), vocabulary=WORDS)
    model.save(tmp_path / "model")
    found = open_run(tmp_path, data=rs.load_corpus(random_documents(40)), options=QUICK)
    answer = look_at(found, "the film not good")
    for k in range(1, 5):
        expected = probability(model, ["the", "film", "not", "good"][:k])
        np.testing.assert_allclose(answer["probabilities"][k], expected, atol=2e-5)
    if "bidirectional" in shape:
        assert answer["path"] is None
        assert "two dynamical systems" in found.left_out["fixed points"]
    else:
        assert len(answer["path"]["xy"]) == 5
    if shape.get("kind") == "vanilla":
        assert "gamma" in answer["missing"]
    methods = {one["method"] for one in answer["scores"]}
    assert {"gradient x input", "leave one out", "occlusion"} <= methods


def test_three_classes(tmp_path):
    corpus = tiny.corpus(200, classes=3)
    model = rs.train(corpus, tiny.options(epochs=1))
    model.save(tmp_path / "model")
    answer = look_at(open_run(tmp_path, data=corpus, options=QUICK), "a odd b")
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in answer["probabilities"])
    found = rs.GradientTimesInput(model).score([["a", "odd", "b"]])[0]
    (strip,) = [s for s in answer["scores"] if s["method"] == "gradient x input"]
    np.testing.assert_allclose(strip["values"], against_others(found.values)[:, 1], atol=2e-4)
