"""Word vectors that a network starts from."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, TrainingError, UsageError
from rnnscope.training import train
from rnnscope.training.run import Run
from rnnscope.training.word_vectors import WordVectors
from tests.training.tiny import corpus, options, same_weights

NEW = ("zebra", "quagga")


def table_of(words, width=8, seed=0):
    rows = np.random.default_rng(seed).normal(size=(len(words), width)).astype(np.float32)
    return dict(zip(words, rows, strict=True))


@pytest.fixture(scope="module")
def tiny():
    return corpus(100)


def numpy_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002 - the global one is looked at


def started(tiny, vectors, **changes):
    """The table that a run starts from, and each word's row in it."""
    built = Vocabulary.build(tiny.documents)
    start = None if vectors is None else WordVectors.of(vectors)
    run = Run(options(**changes), tiny, tiny, built, start)
    return run, {word: k for k, word in enumerate(built.words)}


def test_a_run_starts_from_the_vectors(tiny):
    vectors = table_of(("good", "a", "zebra"))
    run, index = started(tiny, vectors)
    for network in (run.network, run.averaged):
        rows = network.embedding.weight.detach().numpy()
        for word in ("good", "a"):
            np.testing.assert_array_equal(rows[index[word]], vectors[word])


def test_all_else_starts_as_it_does_without_vectors(tiny):
    run, index = started(tiny, table_of(("good",)))
    plain, _ = started(tiny, None)
    found, expected = run.network.state_dict(), plain.network.state_dict()
    others = [row for word, row in index.items() if word != "good"]
    for name in expected:
        rows = others if name == "embedding.weight" else slice(None)
        assert torch.equal(found[name][rows], expected[name][rows])


def test_narrower_vectors_fill_the_first_columns(tiny):
    vectors = table_of(("good",), width=3)
    run, index = started(tiny, vectors)
    plain, _ = started(tiny, None)
    row = run.network.embedding.weight.detach().numpy()[index["good"]]
    random_row = plain.network.embedding.weight.detach().numpy()[index["good"]]
    np.testing.assert_array_equal(row[:3], vectors["good"])
    np.testing.assert_array_equal(row[3:], random_row[3:])


def test_wider_vectors_are_refused(tiny):
    with pytest.raises(UsageError, match=r"(?s)as wide as the word vectors.*embedding=9 or more"):
        train(tiny, options(), vectors=table_of(("good",), width=9))


def test_words_are_added_to_the_vocabulary_and_keep_their_vectors(tiny):
    """A word that the training text lacks only moves with the mean that goes into the bias."""
    vectors = table_of(("good", *NEW))
    model = train(tiny, options(epochs=1), vectors=vectors)
    built = train(tiny, options(epochs=1)).vocabulary
    assert model.vocabulary.words == (*built.words, *NEW)
    assert len(model.embedding) == len(model.vocabulary)
    rows = [model.embedding[model.vocabulary.index(word)].numpy() for word in NEW]
    apart = vectors[NEW[0]] - vectors[NEW[1]]
    np.testing.assert_allclose(rows[0] - rows[1], apart, atol=1e-6)


def test_the_same_run_twice_and_another_without(tiny):
    vectors = table_of(("good", "bad"))
    once = train(tiny, options(epochs=1), vectors=vectors)
    assert same_weights(once, train(tiny, options(epochs=1), vectors=vectors))
    assert not same_weights(once, train(tiny, options(epochs=1)))


@pytest.mark.parametrize(
    "vectors", [{}, [("good", [1.0])], "good", 3, np.zeros((2, 8)), ("good", "bad")]
)
def test_what_is_no_mapping_is_refused(tiny, vectors):
    with pytest.raises(UsageError, match="come as a mapping"):
        train(tiny, options(), vectors=vectors)


@pytest.mark.parametrize(
    "vectors",
    [
        {"good": [1.0, 2.0], "bad": [1.0]},
        {"good": 1.0},
        {"good": [[1.0, 2.0]]},
        {"good": [1.0, 2.0], "bad": [[1.0, 2.0]]},
        {"good": []},
        {"good": [[1.0], [1.0, 2.0]]},
    ],
)
def test_vectors_of_no_one_width_are_refused(tiny, vectors):
    with pytest.raises(DataError, match="one width"):
        train(tiny, options(), vectors=vectors)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_vectors_that_are_not_finite_are_refused(tiny, bad):
    """1e300 is finite until it is made a float32."""
    with pytest.raises(DataError, match=r"(?s)finite numbers.*'bad'"):
        train(tiny, options(), vectors={"good": [1.0, 2.0], "bad": [1.0, bad]})


@pytest.mark.parametrize("bad", [["x", "y"], [None, 1.0], [1j, 2.0]])
def test_vectors_that_are_no_numbers_are_refused(tiny, bad):
    with pytest.raises(DataError, match="numbers"):
        train(tiny, options(), vectors={"good": bad})


@pytest.mark.parametrize("word", [3, None, b"good"])
def test_words_that_are_no_strings_are_refused(tiny, word):
    with pytest.raises(DataError, match="is a string"):
        train(tiny, options(), vectors={word: [1.0, 2.0]})


def test_a_run_goes_on_with_its_own_vectors_alone(tmp_path, tiny):
    vectors = table_of(("good", *NEW))
    straight = train(tiny, options(epochs=2), vectors=vectors)
    train(tiny, options(epochs=1), vectors=vectors, directory=tmp_path)
    for other in (table_of(("good", *NEW), seed=1), table_of(("bad", *NEW)), None):
        with pytest.raises(TrainingError, match="word vectors"):
            train(tiny, options(epochs=2), vectors=other, directory=tmp_path)
    resumed = train(tiny, options(epochs=2), vectors=vectors, directory=tmp_path)
    assert same_weights(resumed, straight)


def test_a_run_without_vectors_does_not_go_on_with_them(tmp_path, tiny):
    train(tiny, options(epochs=1), directory=tmp_path)
    with pytest.raises(TrainingError, match="word vectors"):
        train(tiny, options(epochs=2), vectors=table_of(("good",)), directory=tmp_path)


def test_nothing_of_the_callers_is_altered(tiny):
    vectors = table_of(("good", *NEW))
    kept = {word: vector.copy() for word, vector in vectors.items()}
    states = torch.get_rng_state(), numpy_state(), random.getstate()
    train(tiny, options(epochs=1), vectors=vectors)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(numpy_state(), states[1])
    assert random.getstate() == states[2]
    assert vectors.keys() == kept.keys()
    for word, vector in vectors.items():
        np.testing.assert_array_equal(vector, kept[word])
