"""Scores of an answer's position: definitions, exactness, completeness, in both directions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope.errors import NotApplicable, UsageError
from rnnscope.qa import Question, QuestionCorpus, score_answers
from rnnscope.qa.reading import known_words
from rnnscope.qa.scores import score_windows
from tests.qa.helpers import films, random_model
from tests.reference.qa import position_scores

KINDS = [("final", True), ("final", False), ("v1", True)]


def inputs_of(model, reading, pair):
    """x_t || h_q of a document, by the cells themselves."""

    def vectors(words):
        ids = model.vocabulary.encode(list(known_words(words, model.vocabulary, reading.corpus)))
        return model.embedding[torch.as_tensor(ids)]

    asked = vectors(reading.question_words[int(reading.question[pair])])
    states = []
    for direction in model.question.directions:
        state = direction.cell.initial_state()
        for x in asked.flip(0) if direction.reverse else asked:
            state = direction.cell.step(x, state)
        states.append(direction.cell.output(state))
    x = vectors(reading.words[pair])
    return torch.cat([x, torch.cat(states).expand(len(x), -1)], dim=1)


def directions_of(model):
    return [
        tuple(w.numpy() for w in (d.cell.W, d.cell.V, d.cell.b)) for d in model.document.directions
    ]


@pytest.mark.parametrize("method", ["beta", "gamma"])
@pytest.mark.parametrize(("version", "bidirectional"), KINDS)
def test_scores_equal_the_slow_reference(version, bidirectional, method):
    corpus = films()
    model = random_model(corpus, version=version, bidirectional=bidirectional)
    answers = model.answer(corpus)
    found = score_answers(model, answers, method=method)
    for row in (0, 3, 7, 11):
        pair, place = int(answers.pair[row]), int(answers.place[row])
        expected = position_scores(
            inputs_of(model, answers.reading, pair).numpy(),
            directions_of(model),
            model.readout.weight.numpy(),
            place,
            method,
        )
        assert np.allclose(found[row].forward + found[row].backward, expected, atol=1e-12)
        assert not found[row].forward[place + 1 :].any()
        assert not found[row].backward[:place].any()


@pytest.mark.parametrize("method", ["beta", "gamma"])
@pytest.mark.parametrize(("version", "bidirectional"), KINDS)
def test_scores_add_up_to_the_logits_less_the_bias(version, bidirectional, method):
    corpus = films(2)
    model = random_model(corpus, version=version, bidirectional=bidirectional, seed=1)
    answers = model.answer(corpus)
    for row, scores in enumerate(score_answers(model, answers, method=method)):
        assert scores.completeness < 1e-12
        contrast = scores.values.sum() + scores.bias[1] - scores.bias[0]
        assert contrast == pytest.approx(answers.contrast[row], abs=1e-10)


def test_gradients_are_those_of_the_log_odds_by_finite_differences():
    corpus = films()
    model = random_model(corpus)
    answers = model.answer(corpus)
    found = score_answers(model, answers, method="gradient")
    row = 4
    pair, place = int(answers.pair[row]), int(answers.place[row])
    joined = inputs_of(model, answers.reading, pair)
    contrast = model.readout.weight[1] - model.readout.weight[0]

    def log_odds(x):
        lengths = torch.tensor([x.shape[0]])
        return float(model.network.read(x[None], lengths)[0, place] @ contrast)

    for word in (0, place, len(joined) - 1):
        slopes = []
        for unit in range(model.embedding.shape[1]):
            up, down = joined.clone(), joined.clone()
            up[word, unit] += 1e-6
            down[word, unit] -= 1e-6
            slopes.append((log_odds(up) - log_odds(down)) / 2e-6)
        assert found[row].values[word] == pytest.approx(np.linalg.norm(slopes), rel=1e-5, abs=1e-8)
    with pytest.raises(NotApplicable):
        _ = found[row].completeness


@pytest.mark.parametrize("method", ["beta", "gamma"])
def test_windows_are_parts_of_the_whole_scores(method):
    corpus = films()
    model = random_model(corpus)
    answers = model.answer(corpus)
    reading = answers.reading
    windows = score_windows(model, reading, range(len(reading)), method=method, reach=3)
    by_pair = {pair: (before, after) for pair, before, after in windows}
    for row, whole in enumerate(score_answers(model, answers, method=method)):
        pair, place = int(answers.pair[row]), int(answers.place[row])
        k = reading.places[pair].tolist().index(place)
        before, after = by_pair[pair]
        forward = (whole.forward[:, 1] - whole.forward[:, 0])[max(0, place - 3) : place + 1]
        backward = (whole.backward[:, 1] - whole.backward[:, 0])[place : place + 4]
        assert np.allclose(before[k][-len(forward) :], forward, atol=1e-12)
        assert np.allclose(after[k][: len(backward)], backward, atol=1e-12)
        assert not before[k][: 4 - len(forward)].any()


def test_a_question_without_an_answer_has_no_scores():
    corpus = QuestionCorpus(
        documents=(("nothing", "here"),),
        questions=(
            Question(words=("who",), documents=(0,)),
            Question(words=("who",), documents=()),
        ),
        entities={"Ann": "person"},
    )
    model = random_model(films())
    answers = model.answer(corpus)
    assert answers.entities == ("", "")
    assert score_answers(model, answers) == [None, None]
    with pytest.raises(UsageError, match="known method"):
        score_answers(model, answers, method="delta")
