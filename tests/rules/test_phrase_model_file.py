"""Phrase models as files: what is loaded or run again gives the same; mistakes are named."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity import judge
from rnnscope.rules import PhraseModel, RuleList
from tests.rules.test_export import HOSTILE, PHRASES, TEXT, WORD, run_file
from tests.rules.test_phrase_model import model_of

# Tenths do not add up in floats: many sums are ties but for the order in which they are added.
TENTHS = st.integers(-9, 9).map(lambda n: n / 10)
ANY = TENTHS | st.floats(-1e100, 1e100)


@st.composite
def models(draw, number=TENTHS):
    phrases = draw(PHRASES)
    classes = draw(st.integers(1, 3))
    row = st.lists(number, min_size=classes, max_size=classes)
    rows = draw(st.lists(row, min_size=len(phrases), max_size=len(phrases)))
    return PhraseModel(
        phrases=tuple(phrases),
        weights=np.array(rows, dtype=float).reshape(-1, classes),
        bias=np.array(draw(row)),
        classes=("no", 'it\'s "so"\n', "\ud800")[:classes],
    )


@given(model=models(ANY))
@settings(max_examples=60, deadline=None)
def test_a_saved_model_is_loaded_bit_for_bit(model, tmp_path_factory):
    path = model.save(tmp_path_factory.mktemp("model") / "model.json")
    again = PhraseModel.load(path)
    assert again.phrases == model.phrases
    assert again.weights.tobytes() == model.weights.tobytes()
    assert again.bias.tobytes() == model.bias.tobytes()
    for name in ("classes", "tokenizer", "method", "fingerprint"):
        assert getattr(again, name) == getattr(model, name)
    text = path.read_bytes()
    assert again.export(path).read_bytes() == text
    assert text.count(b"\n") == (11 + model.size if model.size else 10)


@given(
    model=models(TENTHS) | models(ANY),
    documents=st.lists(st.lists(WORD, max_size=12) | TEXT, max_size=6),
)
@settings(max_examples=100, deadline=None)
def test_exported_models_give_the_same(model, documents, tmp_path_factory):
    alone = run_file(model.export(tmp_path_factory.mktemp("model") / "model.py"))
    logits = model.logits(documents)
    names = [model.classes[k] for k in model.predict(documents)]
    for row, document in enumerate(documents):
        assert alone["predict"](document) == names[row]
        told = alone["explain"](document)
        assert told["class"] == names[row]
        # Not nearly: the same bits, so that ties are the same ties.
        assert list(told["logits"].values()) == logits[row].tolist()
        expected = [
            {
                "phrase": list(item.words),
                "position": item.position,
                "weights": dict(zip(model.classes, item.weights, strict=True)),
            }
            for item in model.explain(document)
        ]
        assert told["phrases"] == expected


def test_the_end_of_a_document_is_not_read_twice(tmp_path):
    """A slice over the end is shorter: "good" was counted again as the start of "good film"."""
    model = model_of({"good": [0, 1], "good film": [3, 0], "good film here": [0, 0]})
    alone = run_file(model.export(tmp_path / "model.py"))
    assert alone["explain"]("good")["logits"] == {"no": 0, "yes": 1}
    assert alone["explain"]("good good film")["logits"] == {"no": 3, "yes": 2}


def test_overlapping_occurrences_all_count(tmp_path):
    model = model_of({"a a": [0, 1]})
    alone = run_file(model.export(tmp_path / "model.py"))
    assert alone["explain"]("a a a a")["logits"]["yes"] == 3 == model.logits(["a a a a"])[0, 1]


def test_the_python_file_runs_with_python_alone(tmp_path):
    weights = {word: [k / 10, 0.3] for k, word in enumerate(["good", "not good", "film", "bad"])}
    phrases = [*(tuple(text.split()) for text in weights), *((word, "good") for word in HOSTILE)]
    rng = np.random.default_rng(0)
    model = PhraseModel(
        phrases=tuple(phrases),
        weights=np.round(rng.normal(size=(len(phrases), 2)), 1),
        bias=np.array([0.1, 0.2]),
        classes=("no", 'it\'s "so"\n'),
    )
    words = ["Not", "good!", "film", "BAD", "don\u2019t", "\U0001f600", "x", "\ufeff", "<3"]
    texts = ["", *(" ".join(rng.choice(words, size=rng.integers(0, 9))) for _ in range(200))]
    path = model.export(tmp_path / "model.py")
    for options in ([], ["--explain"]):
        ran = subprocess.run(
            [sys.executable, "-I", "-S", str(path), *options],
            input="\n".join(texts).encode(),
            capture_output=True,
            check=True,
        )
        assert not ran.stderr
        told = ran.stdout.decode().splitlines()
        names = [model.classes[k] for k in model.predict(texts)]
        if options:
            logits = [list(json.loads(line)["logits"].values()) for line in told]
            assert logits == model.logits(texts).tolist()
        else:
            assert told == [n if n.isprintable() else ascii(n) for n in names]
    assert len(set(names)) == 2
    wrong = subprocess.run([sys.executable, "-I", str(path), "--help"], capture_output=True)
    assert wrong.returncode == 1
    assert b"usage" in wrong.stderr


def test_the_python_file_of_another_tokenizer_takes_words_only(tmp_path):
    model = model_of({"a": [0, 1]}, tokenizer="own")
    alone = run_file(model.export(tmp_path / "model.py"))
    assert alone["predict"](["a"]) == "yes"
    with pytest.raises(TypeError, match="give words"):
        alone["predict"]("a")


def test_a_model_edited_by_hand_is_judged_the_same_way(tmp_path):
    model = model_of({"not good": [2, -2], "good": [-1, 1], "dull": [1, -1]}, bias=(0.5, 0))
    path = model.save(tmp_path / "model.json")
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if '"not"' in line)
    # Drop "not good", change "good", add one as a text and one as words.
    lines[first : first + 3] = [
        '  {"phrase": ["good"], "weights": {"no": -1, "yes": 1.5}},',
        '  {"phrase": "Dull", "weights": {"no": 1e0}},',
        '  {"phrase": "not so", "weights": {"no": 9}},',
        '  {"phrase": ["so", "good"], "weights": {"yes": 2, "no": 0}}',
    ]
    path.write_text("\n".join(lines))
    edited = PhraseModel.load(path)
    assert [" ".join(words) for words in edited.phrases] == ["good", "dull", "not so", "so good"]
    # A class that is left out has 0.
    assert edited.weights.tolist() == [[-1, 1.5], [1, 0], [9, 0], [0, 2]]
    documents = ["not good", "not so good", "so good", "dull", "x"]
    assert edited.predict(documents).tolist() == [1, 0, 1, 0, 0]
    judged = judge("edited", edited, documents, network=np.array([1, 0, 1, 0, 1]))
    assert judged.agreement.value == 0.8
    assert judged.size == 4


def edited(tmp_path, **changes):
    content = {
        "format": "rnnscope phrase model",
        "version": 1,
        "classes": ["no", "yes"],
        "bias": {"no": 0.5},
        "phrases": [{"phrase": "good", "weights": {"yes": 1}}],
    }
    path = tmp_path / "edited.json"
    path.write_text(json.dumps({**content, **changes}))
    return path


def test_what_may_be_left_out(tmp_path):
    model = PhraseModel.load(edited(tmp_path))
    assert (model.tokenizer, model.method, model.fingerprint) == ("words", "", "")
    assert model.bias.tolist() == [0.5, 0]
    assert PhraseModel.load(edited(tmp_path, phrases=[], bias={})).bias.tolist() == [0, 0]


def entry(weights, phrase="a"):
    return {"phrases": [{"phrase": "b", "weights": {}}, {"phrase": phrase, "weights": weights}]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (entry({"perhaps": 1}), r"'perhaps' in the weights of phrase 2, 'a'"),
        (entry({"yes": "1"}), r"'1' in the weights of phrase 2, 'a'"),
        (entry({"yes": True}), "True in the weights of phrase 2"),
        (entry({"yes": None}), "None in the weights of phrase 2"),
        (entry({"yes": float("nan")}), "nan in the weights of phrase 2"),
        (entry({"yes": 10**400}), "in the weights of phrase 2"),
        (entry({"yes": 1e200}), "for 'yes' in the weights of 'a'"),
        (entry([1, 2]), r"\[1, 2\] as the weights of phrase 2"),
        (entry(None), "None as the weights of phrase 2"),
        (entry({}, phrase="B"), "'b' as phrase 1 and as phrase 2"),
        (entry({}, phrase=" "), "' ' in phrase 2"),
        (entry({}, phrase=[]), r"\[\] in phrase 2"),
        (entry({}, phrase=[1]), r"\[1\] in phrase 2"),
        ({"phrases": [{"weights": {}}]}, "None in phrase 1"),
        ({"phrases": [{"phrase": "a", "weight": {}}]}, "'weight' in phrase 1"),
        ({"phrases": ["good"]}, "'good' as phrase 1"),
        ({"phrases": {}}, "phrases in a list"),
        ({"bias": {"maybe": 1}}, "'maybe' in the bias"),
        ({"bias": [0, 1]}, r"\[0, 1\] as the bias"),
        ({"classes": ["no", "no"]}, "each once"),
        ({"classes": []}, "names its classes"),
        ({"format": "rnnscope rule list"}, "says what it is"),
        ({"version": 2}, "version 2"),
        ({"default": "no"}, "'default' in the file"),
        ({"tokenizer": "own"}, "the phrase of phrase 1"),
        ({"method": 3}, '"method" is a string'),
    ],
)
def test_mistakes_are_named(tmp_path, changes, said):
    with pytest.raises(DataError, match=said):
        PhraseModel.load(edited(tmp_path, **changes))


def test_numbers_too_long_to_read(tmp_path):
    """Python reads no whole number of more than 4,300 digits; its error is its own."""
    path = edited(tmp_path)
    path.write_text(path.read_text().replace("0.5", "1" * 5000))
    with pytest.raises(DataError, match="is a JSON file"):
        PhraseModel.load(path)
    rules = {"format": "rnnscope rule list", "version": 1, "classes": ["n"], "default": "n"}
    for number in (10**400, -(10**400)):
        entries = [{"phrase": "a", "class": "n", "importance": number}]
        path.write_text(json.dumps({**rules, "rules": entries}))
        with pytest.raises(DataError, match='"importance" is a number'):
            RuleList.load(path)


def test_only_a_file_of_its_kind_is_replaced(tmp_path):
    model = model_of({"a": [1, 2]})
    rules = RuleList.of([("a", "no")], default="no", classes=["no", "yes"])
    for name in ("m.json", "m.py"):
        path = rules.export(tmp_path / name)
        before = path.read_bytes()
        with pytest.raises(UsageError, match="holds something else"):
            model.export(path)
        assert path.read_bytes() == before
        path.unlink()
        model.export(path)
        with pytest.raises(UsageError, match="holds something else"):
            rules.export(path)
        model_of({"b": [1, 2]}).export(path)
        assert "b" in str(run_file(path)["PHRASES"] if name == "m.py" else path.read_text())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.json", "m.py"]
    with pytest.raises(UsageError, match=r"ends in \.json"):
        model.save(tmp_path / "other.py")
    with pytest.raises(UsageError, match=r"\.json or \.py"):
        model.export(tmp_path / "other.txt")
    with pytest.raises(UsageError, match="can be written"):
        model.save(tmp_path / "m.json" / "m.json")
    for missing in (tmp_path / "none.json", tmp_path, 3):
        with pytest.raises(UsageError, match=r"must be a phrase model|path of PhraseModel\.load"):
            PhraseModel.load(missing)


def test_what_json_cannot_hold_is_refused(tmp_path):
    pair = PhraseModel(
        phrases=(("\ud83d\ude00",),), weights=[[0.1, -0.1]], bias=[0, 0], classes=("n", "y")
    )
    with pytest.raises(DataError, match="phrase 1"):
        pair.save(tmp_path / "m.json")
    assert list(tmp_path.iterdir()) == []
