"""The phrase model: sums of phrase weights, against loops and against planted weights."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import PhraseOptions, Phrases
from rnnscope.rules import PhraseModel
from tests.reference import rules as naive

WORDS = "abcd"
PHRASES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(tuple), max_size=8, unique=True
)
DOCUMENTS = st.lists(st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=9), max_size=6)


def mined(words, mean=None, *, classes=("no", "yes"), tokenizer="words"):
    """Phrases as mining gives them; their means are these centred logits, each class held against
    the mean of the others."""
    shape = len(words), len(classes)
    ones = np.ones(shape)
    against_others = len(classes) / (len(classes) - 1) if len(classes) > 1 else 1.0
    return Phrases(
        words=tuple(tuple(w) for w in words),
        log_importance=ones,
        class_counts=ones.astype(int),
        document_counts=ones.astype(int),
        mean=ones * 0.0
        if mean is None
        else np.array(mean, dtype=float).reshape(shape) * against_others,
        variance=ones,
        standard_error=ones,
        classes=tuple(classes),
        predicted=np.ones(len(classes), dtype=int),
        method="beta",
        fingerprint="f00d",
        options=PhraseOptions(),
        tokenizer=tokenizer,
    )


def model_of(weights, *, bias=(0.0, 0.0), classes=("no", "yes"), **options):
    """A model of texts and their weights."""
    return PhraseModel(
        phrases=tuple(tuple(text.split()) for text in weights),
        weights=np.array(list(weights.values()), dtype=float).reshape(-1, len(classes)),
        bias=np.array(bias, dtype=float),
        classes=tuple(classes),
        **options,
    )


def centred_means(count, classes, seed):
    mean = np.random.default_rng(seed).normal(size=(count, classes))
    return mean - mean.mean(axis=1, keepdims=True)


# ------------------------------------------------------------------------------------- summed


@given(phrases=PHRASES, classes=st.integers(2, 3), seed=st.integers(0, 99), documents=DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_summed_weights_are_what_a_phrase_adds_to_its_parts(phrases, classes, seed, documents):
    mean = centred_means(len(phrases), classes, seed)
    names = [f"c{k}" for k in range(classes)]
    model = PhraseModel.summed(mined(phrases, mean, classes=names))
    expected = np.array(naive.residual_weights(phrases, mean.tolist())).reshape(mean.shape)
    np.testing.assert_allclose(model.weights, expected, atol=1e-9)
    # A text that is one of the phrases has that phrase's mean.
    np.testing.assert_allclose(model.logits(phrases), mean, atol=1e-9)
    logits = [naive.evidence(phrases, expected.tolist(), [0.0] * classes, d) for d in documents]
    np.testing.assert_allclose(
        model.logits(documents), np.array(logits).reshape(-1, classes), atol=1e-9
    )
    assert (model.method, model.fingerprint) == ("beta, summed", "f00d")


def test_summed_says_negation_and_intensification():
    phrases = mined(
        [["good"], ["not"], ["very"], ["not", "good"], ["very", "good"]],
        [[-1, 1], [0.25, -0.25], [0, 0], [1.5, -1.5], [-1.75, 1.75]],
    )
    model = PhraseModel.summed(phrases)
    by_phrase = dict(zip(model.phrases, model.weights[:, 1].tolist(), strict=True))
    assert by_phrase["not", "good"] == -1.5 + 0.25 - 1
    assert by_phrase["very", "good"] == 0.75
    assert model.predict(["good", "not good", "very good"]).tolist() == [1, 0, 1]
    table = model.to_frame().row(by_predicate=None, index=3, named=True)
    assert table == {"phrase": "not good", "class": "no", "weight": 2.25, "together": 1.5}


def test_summed_takes_the_networks_bias():
    phrases = mined([["good"]], [[-1, 1]])
    model = PhraseModel.summed(phrases, bias=np.array([0.5, -0.5]))
    np.testing.assert_allclose(model.logits([["good"], ["film"]]), [[-0.5, 0.5], [0.5, -0.5]])
    with pytest.raises(DataError, match="bias"):
        PhraseModel.summed(phrases, bias=np.zeros(3))


def test_summed_keeps_the_first_so_many():
    phrases = mined([["not", "good"], ["good"]], [[1, -1], [-1, 1]])
    model = PhraseModel.summed(phrases, max_phrases=1)
    # The part that is left out takes nothing away.
    assert model.phrases == (("not", "good"),)
    assert model.weights.tolist() == [[1, -1]]
    for budget in (0, -1, 1.5):
        with pytest.raises(UsageError, match=r"budget|max_phrases"):
            PhraseModel.summed(phrases, max_phrases=budget)
    with pytest.raises(UsageError, match=r"made of phrases|argument phrases of"):
        PhraseModel.summed([["good"]])


# ---------------------------------------------------------------------------------------- fit

PLANTED = {"good": 2.0, "bad": -2.0, "dull": -1.0, "not good": -4.0, "very good": 1.0, "film": 0.0}
LEXICON = ["good", "bad", "dull", "not", "very", "film", "the", "a", "of", "it"]


def planted(count, seed):
    """Documents, and the log-odds that the planted phrases give them."""
    rng = np.random.default_rng(seed)
    documents = [list(rng.choice(LEXICON, size=rng.integers(3, 9))) for _ in range(count)]
    phrases = [tuple(text.split()) for text in PLANTED]
    odds = np.array([[w] for w in PLANTED.values()])
    given = [naive.evidence(phrases, odds.tolist(), [0.25], d)[0] for d in documents]
    return documents, np.stack([-np.array(given) / 2, np.array(given) / 2], axis=1)


@pytest.fixture(scope="module")
def fitted():
    documents, logits = planted(1500, seed=0)
    phrases = mined([text.split() for text in [*PLANTED, "the film", "of it", "never there"]])
    return PhraseModel.fit(phrases, documents, logits)


def test_planted_weights_are_recovered(fitted):
    fresh, logits = planted(500, seed=1)
    agreement = (fitted.predict(fresh) == logits.argmax(axis=1)).mean()
    assert agreement >= 0.97
    frame = fitted.to_frame()
    odds = {
        " ".join(words): row[1] - row[0]
        for words, row in zip(fitted.phrases, fitted.weights, strict=True)
    }
    for text in ("good", "bad", "dull", "not good", "very good"):
        assert odds[text] * np.sign(PLANTED[text]) > abs(PLANTED[text]) / 3
    # The word that does nothing by itself turns the one after it around.
    assert abs(odds.get("not", 0.0)) < 0.5
    together = dict(frame.select("phrase", "together").iter_rows())
    speaks = dict(frame.select("phrase", "class").iter_rows())
    assert speaks["not good"] == "no"
    assert speaks["good"] == "yes"
    assert together["not good"] > 0.25
    assert fitted.predict(["good", "not good", "very good", "bad"]).tolist() == [1, 0, 1, 0]
    np.testing.assert_allclose(fitted.weights.sum(axis=1), 0, atol=1e-9)
    spread = np.abs(fitted.weights).max(axis=1)
    assert (np.diff(spread) <= 0).all()
    assert (fitted.method, fitted.fingerprint) == ("beta, refitted", "f00d")


def test_the_same_input_gives_the_same_bits(fitted):
    documents, logits = planted(1500, seed=0)
    phrases = mined([text.split() for text in [*PLANTED, "the film", "of it", "never there"]])
    again = PhraseModel.fit(phrases, documents, logits)
    assert again.phrases == fitted.phrases
    assert again.weights.tobytes() == fitted.weights.tobytes()
    assert again.bias.tobytes() == fitted.bias.tobytes()


def test_the_budget_holds_and_goes_to_what_tells_most():
    documents, logits = planted(600, seed=2)
    phrases = mined([text.split() for text in PLANTED])
    for budget in (1, 3, 8):
        model = PhraseModel.fit(phrases, documents, logits, max_phrases=budget)
        assert model.size <= budget
    three = PhraseModel.fit(phrases, documents, logits, max_phrases=3, choose="l1")
    assert {" ".join(words) for words in three.phrases} <= {"good", "bad", "not good", "dull"}
    assert (three.predict(documents) == logits.argmax(axis=1)).mean() > 0.8


def test_the_budget_goes_to_the_largest_energy():
    documents, logits = planted(600, seed=3)
    phrases = mined(
        [["good"], ["bad"], ["very", "good"], ["it"]],
        [[-1, 1], [0.4, -0.4], [-1.5, 1.5], [0, 0]],
    )
    model = PhraseModel.fit(phrases, documents, logits, max_phrases=1)
    # "very good" weighs more, "good" more often.
    assert model.phrases == (("good",),)
    rare = np.array([3.0 if "bad" in document else 0.0 for document in documents])
    weighed = PhraseModel.fit(phrases, documents, logits, max_phrases=2, weights=rare)
    assert ("bad",) in weighed.phrases


def test_own_scores_are_kept_where_they_meet_the_answers():
    documents, logits = planted(600, seed=3)
    words = [text.split() for text in PLANTED]
    own = [PLANTED[" ".join(w)] + (PLANTED["good"] if w[1:] == ["good"] else 0) for w in words]
    phrases = mined(words, [[-x / 2, x / 2] for x in own])
    model = PhraseModel.fit(phrases, documents, logits, max_phrases=None)
    found = {
        " ".join(w): row[1] - row[0] for w, row in zip(model.phrases, model.weights, strict=True)
    }
    for text, weight in PLANTED.items():
        assert found[text] == pytest.approx(weight, rel=0.1, abs=0.1)
    assert model.bias[1] - model.bias[0] == pytest.approx(0.25, abs=0.1)


def test_documents_are_weighed_by_numbers():
    documents, logits = planted(50, seed=3)
    for wrong in (np.ones(49), -np.ones(50), np.full(50, np.nan)):
        with pytest.raises(DataError, match="weighed by numbers"):
            PhraseModel.fit(mined([["good"]]), documents, logits, weights=wrong)
    with pytest.raises(UsageError, match="must exist"):
        PhraseModel.fit(mined([["good"]]), documents, logits, choose="best")


def test_labels_play_no_part():
    assert not {"labels", "y"} & set(inspect.signature(PhraseModel.fit).parameters)


def test_three_classes():
    rng = np.random.default_rng(0)
    words = ["x", "y", "z", "o"]
    documents = [list(rng.choice(words, size=5)) for _ in range(600)]
    logits = np.array([[2.0 * d.count(w) for w in "xyz"] for d in documents])
    phrases = mined([["x"], ["y"], ["z"], ["o", "o"]], classes=("x", "y", "z"))
    model = PhraseModel.fit(phrases, documents, logits)
    assert model.predict(["x x y", "y y o", "z o z o x"]).tolist() == [0, 1, 2]
    clear = np.sort(logits, axis=1)[:, -1] > np.sort(logits, axis=1)[:, -2]
    agreement = model.predict(documents)[clear] == logits[clear].argmax(axis=1)
    assert agreement.mean() > 0.97
    frame = model.to_frame()
    for phrase, name in frame.select("phrase", "class").iter_rows():
        assert phrase not in "xyz" or name == phrase


def test_a_network_that_gives_one_class_is_refused():
    documents, logits = planted(50, seed=4)
    with pytest.raises(DataError, match="tells documents apart"):
        PhraseModel.fit(mined([["good"]]), documents, np.abs(logits) * [0, 1] + [0, 1])
    with pytest.raises(DataError, match="tells documents apart"):
        PhraseModel.fit(mined([["good"]]), [], np.empty((0, 2)))


def test_what_cannot_be_fitted():
    documents, logits = planted(30, seed=5)
    phrases = mined([["good"]])
    for wrong in (logits[:-1], logits[:, :1], logits[:, 0], np.pad(logits, [(0, 0), (0, 1)])):
        with pytest.raises(DataError, match="logits of each document"):
            PhraseModel.fit(phrases, documents, wrong)
    for bad in (np.nan, np.inf, -np.inf):
        holed = logits.copy()
        holed[7, 1] = bad
        with pytest.raises(DataError, match="of document 7"):
            PhraseModel.fit(phrases, documents, holed)
    for budget in (0, -3, 2.5):
        with pytest.raises(UsageError, match=r"budget|max_phrases"):
            PhraseModel.fit(phrases, documents, logits, max_phrases=budget)
    with pytest.raises(UsageError, match=r"made of phrases|argument phrases of"):
        PhraseModel.fit([["good"]], documents, logits)
    with pytest.raises(DataError, match="other things in document 2"):
        PhraseModel.fit(phrases, [["a"], ["b"], ["a", 3], *documents[3:]], logits)
    with pytest.raises(DataError, match="not stored"):
        PhraseModel.fit(mined([["good"]], tokenizer="own"), ["good"] * 30, logits)


def test_nothing_to_choose_from():
    documents, logits = planted(200, seed=6)
    model = PhraseModel.fit(mined([]), documents, logits)
    assert model.size == 0
    assert model.predict(documents).tolist() == [int(model.bias.argmax())] * 200


# ------------------------------------------------------------------------------------ reading


@given(phrases=PHRASES, classes=st.integers(1, 3), seed=st.integers(0, 99), documents=DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_logits_are_sums_and_explanations_add_up_to_them(phrases, classes, seed, documents):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(len(phrases), classes)), rng.normal(size=classes)
    names = tuple(f"c{k}" for k in range(classes))
    model = PhraseModel(phrases=tuple(phrases), weights=weights, bias=bias, classes=names)
    logits = model.logits(documents)
    assert logits.shape == (len(documents), classes)
    np.testing.assert_array_equal(model.predict(documents), logits.argmax(axis=1))
    fired = model.fired(documents)
    for row, document in enumerate(documents):
        expected = naive.evidence(phrases, weights.tolist(), bias.tolist(), document)
        np.testing.assert_allclose(logits[row], expected, atol=1e-9)
        told = model.explain(document)
        total = np.array([item.weights for item in told]).reshape(-1, classes).sum(axis=0) + bias
        np.testing.assert_allclose(total, logits[row], atol=1e-9)
        spread = [max(item.weights) - min(item.weights) for item in told]
        assert spread == sorted(spread, reverse=True)
        for item in told:
            assert item.position in naive.occurs_at(item.words, document)
        assert fired[row] == (len(told) or -1)
        # A document alone has the bits that it has among others.
        assert model.logits([document]).tobytes() == logits[row : row + 1].tobytes()


def test_nothing_known_leaves_the_bias():
    model = model_of({"good": [-1, 1]}, bias=(0.5, -0.5))
    documents = [[], ["unknown", "words"], "", "good"]
    assert model.logits(documents).tolist() == [[0.5, -0.5]] * 3 + [[-0.5, 0.5]]
    assert model.predict(documents).tolist() == [0, 0, 0, 1]
    assert model.fired(documents).tolist() == [-1, -1, -1, 1]
    assert model.explain([]) == []
    assert model.logits([]).shape == (0, 2)
    assert model.predict([]).tolist() == []
    none = model_of({}, bias=(0, 1))
    assert none.predict(["good", []]).tolist() == [1, 1]
    assert none.explain("good") == []
    assert len(none.to_frame()) == 0
    assert "0 phrases" in repr(none)
    assert "<table>" in none._repr_html_()


def test_of_equal_classes_the_first():
    model = model_of({"a": [0.1, 0.0], "b": [0.0, 0.1], "c": [-0.0, 0.0]})
    assert model.predict(["a b", "c", ""]).tolist() == [0, 0, 0]


def test_only_differences_between_classes_are_shown():
    model = model_of({"good": [-2, 0], "bad": [3, 0]})
    rows = model.to_frame().select("phrase", "class", "weight").rows()
    assert rows == [("good", "yes", 1.0), ("bad", "no", 1.5)]
    assert "'good' -> yes +1.00" in repr(model)


def test_documents_are_checked():
    model = model_of({"good": [-1, 1]})
    with pytest.raises(DataError, match="come as a list"):
        model.predict("good")
    with pytest.raises(DataError, match="not stored"):
        model_of({"good": [-1, 1]}, tokenizer="own").predict(["good"])


def test_models_are_checked():
    for weights, bias in (([[1, 2, 3]], [0, 0]), ([[1, 2]], [0]), ([1, 2], [0, 0]), ([], [0, 0])):
        with pytest.raises(DataError, match="a weight for each phrase and class"):
            PhraseModel(phrases=(("a",),), weights=weights, bias=bias, classes=("n", "y"))
    for bad in (np.nan, np.inf, 1e101):
        with pytest.raises(DataError, match="for 'yes' in the weights of 'so good'"):
            model_of({"bad": [1, 0], "so good": [0, bad]})
        with pytest.raises(DataError, match="for 'no' in the bias"):
            model_of({}, bias=(bad, 0))
    with pytest.raises(DataError, match="'a b' as phrase 1 and as phrase 2"):
        PhraseModel(
            phrases=(("a", "b"), ("a", "b")), weights=np.ones((2, 1)), bias=[0], classes=("n",)
        )
    with pytest.raises(DataError, match="at least one word"):
        PhraseModel(phrases=((),), weights=[[1.0]], bias=[0], classes=("n",))
    whole = PhraseModel(phrases=(("a",),), weights=[[1, 2]], bias=[0, 0], classes=("n", "y"))
    assert whole.weights.dtype == whole.bias.dtype == np.float64


def test_tables_are_escaped():
    model = PhraseModel(
        phrases=(("<script>alert(1)</script>",), ("\u202e\ud800",)),
        weights=np.array([[1.0, -1.0], [0.5, -0.5]]),
        bias=np.zeros(2),
        classes=("<b>", "y"),
        method="\u202e<i>",
    )
    # The table is no data frame, which cannot hold a lone surrogate.
    shown = model._repr_html_()
    for tag in ("<script", "<b>", "<i>"):
        assert tag not in shown
    shown.encode()
    repr(model).encode()
    assert "\u202e" not in shown + repr(model)


def test_documents_that_count_for_nothing_are_as_good_as_absent():
    """Where all that counted were put aside, the fit once failed inside scikit-learn."""
    documents, logits = [["a"], ["b"]] * 12, np.array([[1.0, -1.0], [-1.0, 1.0]] * 12)
    phrases = mined([("a",), ("b",)], [[0.5, -0.5], [-0.5, 0.5]])
    weights = np.repeat([1.0, 0.0], 12)
    found = PhraseModel.fit(phrases, documents, logits, weights=weights)
    alone = PhraseModel.fit(phrases, documents[:12], logits[:12])
    np.testing.assert_array_equal(found.weights, alone.weights)
    with pytest.raises(DataError, match="must count"):
        PhraseModel.fit(phrases, documents, logits, weights=np.zeros(24))


def test_a_model_does_not_change_with_the_callers_array():
    weights = np.array([[1.0, -1.0]])
    model = PhraseModel(phrases=(("a",),), weights=weights, bias=[0, 0], classes=("n", "y"))
    weights[0] = 7.0
    assert model.weights.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("phrase", ["a", ["a"], (1,)])
def test_a_phrase_is_a_tuple_of_words(phrase):
    """A list once ended in a TypeError, a text was taken for letters."""
    with pytest.raises(DataError, match="tuple of words"):
        PhraseModel(phrases=(phrase,), weights=[[1, 2]], bias=[0, 0], classes=("n", "y"))


def test_a_class_named_twice_is_refused():
    with pytest.raises(DataError, match="name of its own"):
        model_of({"a": [1, 2]}, classes=("no", "no"))
