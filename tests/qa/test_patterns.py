"""Mining, the list, its file, and the evidence model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnscope.errors import DataError, UsageError
from rnnscope.qa import (
    Answers,
    AnswerScores,
    Categories,
    Pattern,
    PatternAnswerer,
    PatternEvidence,
    PatternList,
    PatternOptions,
    Question,
    Reading,
    mine_patterns,
)
from rnnscope.qa.mining_final import candidates_of
from rnnscope.qa.mining_v1 import in_forest_order, patterns_of
from tests.qa.helpers import films, random_model

ONE = Categories(weights={"all": {}})


def scores_of(words, place, forward, backward=None):
    zeros = np.zeros(len(words))

    def two(values):
        return np.stack([zeros, np.array(values, dtype=float)], axis=1)

    return AnswerScores(
        words=tuple(words),
        place=place,
        forward=two(forward),
        backward=two(backward or zeros),
        bias=np.zeros(2),
        logits=np.zeros(2),
        method="gamma",
    )


def test_v1_patterns_of_one_answer():
    words = ["it", "was", "directed", "by", "Ann_Lee", "."]
    scores = scores_of(words, 4, [0, 0, 1, 1, 1, 0])
    assert patterns_of(scores, PatternOptions(version="v1")) == {
        ("directed", "by", "Ann_Lee"),
        ("by", "Ann_Lee"),
        ("Ann_Lee",),
        ("directed", "by"),
        ("by",),
    }
    scores = scores_of(words, 4, [0, 0, 1, 1, 0, 0])
    assert patterns_of(scores, PatternOptions(version="v1")) == {("directed", "by"), ("by",)}


def test_v1_adds_the_beginning_of_the_document():
    scores = scores_of(["Dawn", "is"], 0, [1, 0])
    assert patterns_of(scores, PatternOptions(version="v1")) == {("Dawn",), ("<start>",)}


def test_the_threshold_is_of_the_exponential():
    words = ["by", "Ann_Lee"]
    below = scores_of(words, 1, [np.log(1.09), 0])
    above = scores_of(words, 1, [np.log(1.11), 0])
    assert patterns_of(below, PatternOptions(version="v1")) == set()
    assert patterns_of(above, PatternOptions(version="v1")) == {("by",)}


def test_the_order_of_the_forest():
    counts = {
        ("by",): 50,
        ("directed", "by"): 30,
        ("film", "directed", "by"): 10,
        ("written", "by"): 20,
        ("1938",): 5,
    }
    occurrences = {"by": 100, "directed": 40, "written": 20, "film": 200, "1938": 5}
    order = [words for words, _ in in_forest_order(counts, occurrences)]
    assert order == [
        ("1938",),  # 5 / 5 before 50 / 100
        ("written", "by"),  # 20 / 20 before 30 / 40
        ("film", "directed", "by"),  # children before their parent
        ("directed", "by"),
        ("by",),
    ]


def test_final_candidates_are_runs_next_to_the_answer_with_placeholders():
    corpus = films()
    reading = Reading.of(corpus)
    words = reading.words[0]
    place = words.index("Ann_Lee")
    forward = np.zeros(len(words))
    forward[place - 2 : place + 1] = 1
    backward = np.zeros(len(words))
    backward[place : place + 2] = 1
    found = candidates_of(
        scores_of(words, place, forward, backward.tolist()), reading, 0, PatternOptions(bridge=0)
    )
    assert ("directed", "by", "<answer>") in found
    assert ("by", "<answer>", ".") in found
    assert ("<answer>", ".") in found
    assert ("was", "directed", "by", "<answer>") not in found
    bridged = candidates_of(
        scores_of(words, place, forward, backward.tolist()), reading, 0, PatternOptions(bridge=1)
    )
    assert ("was", "directed", "by", "<answer>") in bridged
    assert ("it", "was", "directed", "by", "<answer>") not in bridged
    assert ("directed", "by", "<answer:person>") in found
    assert found["directed", "by", "<answer>"] == pytest.approx(2 + 1 + 1)
    assert all("Ann_Lee" not in pattern for pattern in found)


def listed(*patterns, **settings):
    return PatternList(
        patterns=tuple(Pattern(words=tuple(p.split()), category="all") for p in patterns),
        categories=ONE,
        **settings,
    )


def test_the_first_pattern_that_matches_answers():
    corpus = films()
    found = listed("written by <answer>", "directed by <answer>").answer(corpus)
    assert found.entities[0] == found.entities[1] == corpus.questions[1].answers[0]
    assert set(found.rank.tolist()) == {0}
    found = listed("nowhere <answer>").answer(corpus)
    assert set(found.entities) == {""}
    assert found.hits1 == 0
    assert not found.given.any()


def test_an_explanation_names_the_pattern_and_the_place():
    corpus = films()
    reason = listed("nowhere <answer>", "directed by <answer>").explain(corpus, 0)
    assert reason.answer == corpus.questions[0].answers[0]
    assert reason.rank == 1
    assert reason.excerpt == ("directed", "by", reason.answer)
    assert corpus.documents[reason.document][reason.first : reason.last + 1] == reason.excerpt
    assert "directed by" in str(reason)
    assert listed("nowhere").explain(corpus, 0).pattern is None


def test_what_the_question_names_is_no_candidate():
    corpus = films()
    assert set(listed("<start> <answer>").answer(corpus).entities) == {""}


def test_a_list_is_exported_edited_loaded_and_judged(tmp_path):
    corpus = films()
    path = listed("came out in 1950 <answer>", "written by <answer>").export(tmp_path / "p.json")
    loaded = PatternList.load(path)
    assert [p.text for p in loaded.patterns] == ["came out in 1950 <answer>", "written by <answer>"]
    text = json.loads(path.read_text())
    text["patterns"] = [
        {"category": "all", "pattern": ["written", "by", "<answer>"]},
        {"category": "all", "pattern": "out in <answer:number>"},
    ]
    path.write_text(json.dumps(text))
    edited = PatternList.load(path)
    judged = edited.judge(corpus, edited.answer(corpus))
    assert judged["hits1"] == 0.5
    assert judged["agreement"] == 1
    assert judged["by_category"]["writer"]["hits1"] == 1


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"category": "none", "pattern": "a b"}, "category of the list"),
        ({"category": "all", "pattern": ""}, "begins and ends"),
        ({"category": "all", "pattern": "... a"}, "begins and ends"),
        ({"category": "all", "pattern": "<answer> <answer>"}, "one answer"),
        ({"category": "all"}, "words and a category"),
        ({"category": "all", "pattern": "a", "weight": 1}, "weight"),
        ({"category": "all", "pattern": "a", "count": "many"}, "number"),
        ("a b", "words and a category"),
    ],
)
def test_mistakes_in_an_edited_list_are_named(tmp_path, entry, message):
    path = listed("a <answer>").export(tmp_path / "p.json")
    text = json.loads(path.read_text())
    text["patterns"].append(entry)
    path.write_text(json.dumps(text))
    with pytest.raises(DataError, match=message):
        PatternList.load(path)


def test_bad_settings():
    with pytest.raises(UsageError, match="0 or more"):
        listed("a", gap=-1)
    with pytest.raises(UsageError, match="first or the last"):
        listed("a", occurrence="any")
    with pytest.raises(DataError, match="stands once"):
        listed("a b", "a b")
    assert listed("a", gap=0).gap == 0
    for wrong in ({"method": "delta"}, {"version": "v2"}, {"min_count": 0}, {"gap": -1}):
        with pytest.raises(UsageError):
            PatternOptions(**wrong)


def test_an_empty_list_answers_nothing():
    assert set(listed().answer(films()).entities) == {""}


def truth(corpus):
    """A network that is always right, for mining without training."""
    reading = Reading.of(corpus)
    pairs = np.arange(len(reading))
    places = [int(reading.places[k][reading.right(k)][0]) for k in pairs]
    return Answers.of(reading, pairs, np.array(places))


@pytest.mark.parametrize("version", ["final", "v1"])
@pytest.mark.parametrize("method", ["gamma", "beta", "gradient"])
def test_mining_runs_on_every_version_and_method(version, method):
    corpus = films(2)
    model = random_model(corpus, version=version)
    found = mine_patterns(model, truth(corpus), version=version, method=method, min_count=2)
    assert found.gap == (3 if version == "v1" else 0)
    assert found.method == method
    assert len(found.answer(corpus)) == len(corpus)


def test_evidence_outvotes_the_first_pattern():
    corpus = films(3)
    # The first pattern of the list is wrong for half of the questions of its category.
    patterns = listed("by <answer>", "directed by <answer>")
    directed = corpus.where(lambda q: q.category == "director")
    answers = truth(directed)
    evidence = PatternEvidence.fit(patterns, answers, penalty=0.1)
    assert patterns.answer(directed).hits1 < 1
    assert evidence.answer(directed).hits1 == 1
    assert evidence.to_dict()["all"]["directed by <answer>"] > 0


def test_evidence_without_a_candidate():
    corpus = films(2)
    evidence = PatternEvidence.fit(listed("by <answer>"), truth(corpus))
    none = corpus.having([Question(words=("who",), documents=())])
    assert evidence.answer(none).entities == ("",)
    with pytest.raises(DataError, match="weighed"):
        PatternEvidence.fit(listed("by"), listed("nowhere").answer(corpus))


def test_categories_are_those_of_the_data_or_found():
    corpus = films(3)
    reading = Reading.of(corpus)
    named = Categories.learn(reading)
    assert [named.names[k] for k in named.of(reading)] == [q.category for q in corpus.questions]
    bare = corpus.having(
        Question(words=q.words, documents=q.documents, answers=q.answers) for q in corpus.questions
    )
    found = Categories.learn(Reading.of(bare), count=2).of(Reading.of(bare))
    by_verb = {q.words[1]: set() for q in corpus.questions}
    for question, category in zip(bare.questions, found.tolist(), strict=True):
        by_verb[question.words[1]].add(category)
    assert by_verb["directed"].isdisjoint(by_verb["wrote"])


def test_an_answerer_is_fitted_first():
    model = random_model(films())
    with pytest.raises(UsageError, match="fitted first"):
        PatternAnswerer(model).predict(films())
    fitted = PatternAnswerer(model, min_count=1).fit(films())
    assert 0 <= fitted.score(films()) <= 1
    assert fitted.get_params()["min_count"] == 1
    with pytest.raises(UsageError, match="no such option"):
        PatternAnswerer(model, depth=3).fit(films())
