"""The networks: their equations, their losses, training, answers, saving."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rnnscope.errors import DataError, ModelError, UsageError
from rnnscope.qa import (
    PatternAnswerer,
    Question,
    load_question_model,
    train_question_model,
)
from rnnscope.qa.network import loss_of
from tests.qa.helpers import films, random_model
from tests.qa.test_scores import directions_of, inputs_of
from tests.reference.qa import lstm_output, softmax_of_entities


def log_odds(model, reading, pair, place):
    h = lstm_output(inputs_of(model, reading, pair).numpy(), directions_of(model), place)
    logits = model.readout.weight.numpy() @ h + model.readout.bias.numpy()
    return logits[1] - logits[0]


@pytest.mark.parametrize("version", ["final", "v1"])
def test_the_answer_is_the_entity_with_the_highest_probability(version):
    corpus = films()
    model = random_model(corpus, version=version, seed=2)
    answers = model.answer(corpus)
    reading = answers.reading
    for row in (0, 5, 9):
        pair = int(reading.pairs_of[row][0])
        places = reading.places[pair].tolist()
        odds = [log_odds(model, reading, pair, t) for t in places]
        entities = [reading.token(pair, t) for t in places]
        if version == "final":
            expected = softmax_of_entities(odds, entities)
        else:
            expected = {
                e: 1 / (1 + math.exp(-z)) for z, e in sorted(zip(odds, entities, strict=True))
            }
        assert answers.entities[row] == max(expected, key=expected.__getitem__)
        assert answers.probability[row] == pytest.approx(max(expected.values()), abs=1e-12)
        assert answers.entities[row] in answers.plausible[row]


def test_the_losses_are_their_definitions():
    corpus = films()
    for version in ("final", "v1"):
        model = random_model(corpus, version=version, seed=3)
        answers = model.answer(corpus)
        reading = answers.reading
        loss = float(loss_of(model.network(model.examples(reading))))
        terms = []
        for pair in range(len(reading)):
            places, right = reading.places[pair].tolist(), reading.right(pair)
            odds = [log_odds(model, reading, pair, t) for t in places]
            if version == "final":
                names = [reading.token(pair, t) for t in places]
                chance = softmax_of_entities(odds, names)
                good = {n for n, r in zip(names, right, strict=True) if r}
                terms.append(-np.mean([math.log(chance[n]) for n in good]))
            else:
                terms += [
                    -math.log(1 / (1 + math.exp(-z if r else z)))
                    for z, r in zip(odds, right, strict=True)
                ]
        assert loss == pytest.approx(np.mean(terms), abs=1e-10)


def test_padding_and_batches_change_nothing():
    corpus = films(2)
    model = random_model(corpus)
    together = model.answer(corpus)
    for row in (0, 13, 20):
        alone = model.answer(corpus.having([corpus.questions[row]]))
        assert alone.entities[0] == together.entities[row]
        assert alone.contrast[0] == pytest.approx(together.contrast[row], abs=1e-12)


def test_entities_never_seen_and_questions_without_candidates():
    corpus = films()
    model = random_model(corpus)
    documents = (["Zed", "is", "directed", "by", "Zoe", "."], ["nobody", "here"])
    new = type(corpus)(
        documents=tuple(map(tuple, documents)),
        questions=(
            Question(words=("who", "directed", "Zed"), documents=(0,), answers=("Zoe",)),
            Question(words=("who", "directed", "Zed"), documents=(1,), answers=("Zoe",)),
            Question(words=("who", "directed", "Zed"), documents=(), answers=("Zoe",)),
        ),
        entities={"Zed": "film", "Zoe": "person"},
    )
    answers = model.answer(new)
    assert answers.entities == ("Zoe", "", "")
    assert answers.hits1 == pytest.approx(1 / 3)
    assert answers.probability[1:].tolist() == [0, 0]


@pytest.mark.parametrize("version", ["final", "v1"])
def test_a_trained_network_is_explained_by_the_patterns_of_its_language(version):
    corpus = films(24)
    before = torch.get_rng_state()
    model = train_question_model(
        corpus, version=version, units=12, embedding=12, epochs=8, learning_rate=2e-2, batch=8
    )
    assert torch.equal(torch.get_rng_state(), before)
    test = corpus.split("test")
    answers = model.answer(test)
    assert answers.hits1 == 1
    answerer = PatternAnswerer(model, version=version, min_count=3).fit(corpus.split("validation"))
    # v1 has words with gaps in an order by counts, which tells fewer of the facts apart.
    least = 0.95 if version == "final" else 0.6
    assert answerer.score(test) >= least
    assert answerer.score(test, answers) >= least
    reason = answerer.explain(test, 0)
    assert "by" in reason.excerpt
    table = answerer.predict(test).by_category()
    assert set(table) == {"director", "writer"}


def test_the_same_seed_gives_the_same_network_and_a_stopped_run_goes_on(tmp_path):
    corpus = films(4)
    options = {"units": 6, "embedding": 6, "patience": 9}
    once = train_question_model(corpus, epochs=3, **options)
    train_question_model(corpus, epochs=1, directory=tmp_path, **options)
    again = train_question_model(corpus, epochs=3, directory=tmp_path, **options)
    assert torch.equal(once.embedding, again.embedding)
    loaded = load_question_model(tmp_path)
    assert torch.equal(loaded.readout.weight, again.readout.weight)
    assert loaded.answer(corpus).entities == again.answer(corpus).entities
    (tmp_path / "model" / "questions.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match="readable"):
        load_question_model(tmp_path)


def test_bad_input_to_training(tmp_path):
    corpus = films()
    with pytest.raises(UsageError, match="has a version"):
        train_question_model(corpus, version="v3")
    with pytest.raises(UsageError, match="is an LSTM"):
        train_question_model(corpus, architecture="gru")
    lost = corpus.having(
        Question(words=q.words, documents=q.documents, answers=("Nobody",))
        for q in corpus.questions
    )
    with pytest.raises(DataError, match="answers stand in their documents"):
        train_question_model(lost)
    with pytest.raises(UsageError, match="saved question network"):
        load_question_model(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="own directory"):
        random_model(corpus).save(tmp_path)


def test_a_saved_network_is_old_or_new_and_a_changed_word_is_noticed(tmp_path, monkeypatch):
    """The weights used to be replaced first: a kill before the description lost both."""
    corpus = films()
    old, new = (random_model(corpus, seed=seed) for seed in (0, 1))
    old.save(tmp_path / "m")

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", stop)
        with pytest.raises(KeyboardInterrupt):
            new.save(tmp_path / "m")
    kept = load_question_model(tmp_path / "m")
    assert torch.equal(kept.embedding, old.embedding)
    description = tmp_path / "m" / "questions.json"
    description.write_text(description.read_text().replace("directed", "detested"))
    with pytest.raises(ModelError, match="description"):
        load_question_model(tmp_path / "m")
