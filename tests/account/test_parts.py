"""An account that is stopped goes on from the parts that are done, and ends as the same account."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

import rnnscope as rs
from rnnscope.account import parts as module
from rnnscope.account.explain import KEPT
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.parts import Parts, settings_of
from rnnscope.dynamics import save_result
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.synthetic import lexicon_network
from tests.account.test_explain import QUICK, corpus_of, model_of
from tests.helpers import WORDS, random_cell, random_documents


def without_times(account):
    """All that the account says, but how long judging took."""

    def told(value):
        if isinstance(value, dict):
            return {
                k: told(v) for k, v in value.items() if k not in ("seconds", "documents_per_second")
            }
        return [told(item) for item in value] if isinstance(value, list) else value

    return json.dumps(told(account.to_dict()), sort_keys=False)


def vectors():
    """A network that reads vectors, and what it reads."""
    cell = random_cell("gru", d=3, n=5)
    readout = Readout.of(torch.randn(2, 5, dtype=cell.dtype), torch.zeros(2, dtype=cell.dtype))
    model = Model(layers=(Layer(directions=(Direction(cell=cell),)),), readout=readout)
    rng = np.random.default_rng(0)
    return model, [rng.normal(size=(8, 3)) for _ in range(20)]


LEXICON = {f"word{k}": float((-1) ** k * (1 + k % 5)) for k in range(30)} | {"the": 0.0}


def rated(words=WORDS[2:], weights={"good": 1, "bad": -1}, count=80):  # noqa: B006
    """Texts of these words with labels and ratings: the sums of their words' weights."""
    documents = random_documents(count, words=words)
    ratings = [sum(weights.get(word, 0) for word in document) for document in documents]
    rows = {
        "text": [" ".join(document) for document in documents],
        "label": [str(int(rating > 0)) for rating in ratings],
        "valence": ratings,
    }
    return rs.load_corpus(pl.DataFrame(rows), classes=["0", "1"], valence="valence")


def tally():
    """A network that adds words up along a line, which is found, traced and compared with the
    ratings of its text; and the text."""
    model = replace(lexicon_network(LEXICON), classes=("0", "1"))
    return model, rated(tuple(LEXICON), LEXICON, 300)


def cases():
    return {
        "a line, rated": tally(),
        "no labels": (model_of("gru"), corpus_of(60, labelled=False)),
        "three classes": (model_of("lstm", classes=3), corpus_of(60, classes=3)),
        "both directions": (model_of("gru", bidirectional=True), corpus_of(60)),
        "vectors": vectors(),
    }


class Stopped(Exception):
    """In place of Ctrl-C, which would end the tests."""


@pytest.fixture
def written(monkeypatch):
    """The parts that are written; after ``stop[0]`` of them the user loses patience."""
    names, stop = [], [10**9]
    write = module.write_result

    def counted(result, place, classes):
        write(result, place, classes)
        names.append(place.name)
        stop[0] -= 1
        if not stop[0]:
            raise Stopped

    monkeypatch.setattr(module, "write_result", counted)
    return names, stop


@pytest.mark.parametrize("name", list(cases()))
def test_stopped_after_each_part_it_ends_as_the_same_account(name, tmp_path, written):
    model, text = cases()[name]
    whole = without_times(rs.explain(model, text, **QUICK))
    names, stop = written
    for _ in range(50):
        stop[0] = 1
        try:
            account = rs.explain(model, text, directory=tmp_path, **QUICK)
            break
        except Stopped:
            continue
    assert without_times(account) == whole
    assert len(names) == len(set(names)), "a part was made twice"
    assert len(names) > 4
    # And once more, from all of them.
    stop[0] = 10**9
    again = rs.explain(model, text, directory=tmp_path, **QUICK)
    assert without_times(again) == whole
    assert len(names) == len(set(names))


def test_a_line_has_every_part(tmp_path):
    model, text = cases()["a line, rated"]
    rs.explain(model, text, directory=tmp_path, **QUICK)
    kept = {place.parent.name for place in tmp_path.glob("*/*/result.json")}
    assert {
        *("fixed points", "modes", "manifold", "dimension of points", "verdict", "word pushes"),
        *("ratings", "word classes", "two stories", "tally", "phrases by gamma", "phrase model"),
        *("scores of the judged text", "scores of the mined text", "fidelity", "probabilities"),
    } <= kept


def test_examples_are_found_in_an_account_that_went_on(tmp_path):
    model, text = tally()
    first = rs.explain(model, text, directory=tmp_path, **QUICK).rules_half.phrases
    again = rs.explain(model, text, directory=tmp_path, **QUICK).rules_half.phrases
    assert len(first)
    assert again.occurrences.equals(first.occurrences)


CHANGES = ("model", "relu", "unknown word", "labels", "text", "option", "input")


def changed(change):
    """The settings of an account, one thing of which is another; "" for none."""
    model = model_of("vanilla", seed=int(change == "model"))
    if change == "relu":
        cell = replace(model.cell, nonlinearity="relu")
        model = replace(model, layers=(Layer(directions=(Direction(cell=cell),)),))
    if change == "unknown word":
        model = replace(model, vocabulary=replace(model.vocabulary, unknown="dull"))
    seed = int(change == "text")
    text = corpus_of(40, labelled=change != "labels", seed=seed)
    options = ExplainOptions(**QUICK)
    if change == "option":
        options = replace(options, points=13)
    if change == "input":
        options = replace(options, inputs=np.full(model.input_size, 0.1))
    material = Material.of(model, text, seed=0)
    return settings_of(model, material, material, options)


@pytest.mark.parametrize("change", CHANGES)
def test_parts_of_another_account_are_not_taken(change):
    assert changed(change) != changed("")
    assert changed(change) == changed(change)


def test_ratings_of_the_mined_text_count():
    model, text = model_of("lstm"), rated().split_by_seed(fraction=0.8, seed=0)
    other = np.array(text.valence, dtype=float)
    other[np.flatnonzero(text.splits == "train")[0]] += 1
    parts = [Material.of(model, one, seed=0) for one in (text, replace(text, valence=other))]
    assert parts[0].fingerprint != parts[1].fingerprint
    assert (parts[0].valence == parts[1].valence).all()


def test_another_account_has_a_folder_of_its_own(tmp_path):
    model, text = model_of("gru"), corpus_of(40)
    for points in (12, 13):
        options = QUICK | {"points": points}
        account = rs.explain(model, text, directory=tmp_path, **options)
        assert without_times(account) == without_times(rs.explain(model, text, **options))
    assert len(list(tmp_path.iterdir())) == 2


def test_an_input_that_needs_a_gradient_or_is_of_half_precision(tmp_path):
    model, text = model_of("gru"), corpus_of(40)
    for dtype in (torch.float64, torch.bfloat16):
        held = torch.full((model.input_size,), 0.125, dtype=dtype).requires_grad_()
        rs.explain(model, text, directory=tmp_path, inputs=held, **QUICK)
    assert len(list(tmp_path.iterdir())) == 1


def test_vectors_held_fixed_are_told_apart(tmp_path):
    model, text = model_of("gru"), corpus_of(40)
    for value in (0.1, 0.2):
        rs.explain(
            model, text, directory=tmp_path, inputs=np.full(model.input_size, value), **QUICK
        )
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_part_is_named_and_nothing_is_made_of_it(tmp_path):
    model, text = model_of("gru"), corpus_of(40)
    rs.explain(model, text, directory=tmp_path, **QUICK)
    (damaged,) = tmp_path.glob("*/fixed points/arrays.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-8])
    with pytest.raises(rs.DataError, match=r"kept part") as caught:
        rs.explain(model, text, directory=tmp_path, **QUICK)
    assert str(damaged.parent) in str(caught.value)
    shutil.rmtree(damaged.parent)
    rs.explain(model, text, directory=tmp_path, **QUICK)


def test_a_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(rs.UsageError):
        rs.explain(model_of("gru"), corpus_of(40), directory=tmp_path / "file", **QUICK)
    assert (tmp_path / "file").read_text() == "mine"


def test_code_is_made_again_not_kept(tmp_path):
    parts = Parts(folder=tmp_path, classes=KEPT)
    calls = []
    for _ in range(2):
        made = parts.keep("part", lambda: calls.append(1) or len, {})
        assert made is len
    assert len(calls) == 2
    assert not list(tmp_path.iterdir())


def test_what_was_left_out_is_told_again(tmp_path):
    parts = Parts(folder=tmp_path, classes=KEPT)

    def make(left_out):
        left_out["words"] = "why"
        return 3.5

    for _ in range(2):
        left_out = {"before": "because"}
        assert parts.keep("part", lambda told=left_out: make(told), left_out) == 3.5
        assert left_out == {"before": "because", "words": "why"}


def test_a_saved_result_of_the_dynamics_takes_no_part_of_an_account(tmp_path):
    rule = rs.Rule(words=("good",), class_index=1)
    with pytest.raises(rs.NotApplicable):
        save_result([rule], tmp_path / "saved")
