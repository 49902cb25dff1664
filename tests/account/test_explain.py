"""explain: both halves where they apply, and a sentence where they do not."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import rnnscope as rs
from rnnscope.models import from_torch
from rnnscope.synthetic import lexicon_network
from tests.helpers import WORDS, random_documents, random_module

QUICK = {"points": 12, "examples": 3, "min_count": 2}
HOSTILE = ("<script>alert(1)</script>", "</style>", "&amp;", "$x^2$", "]]>", '"onload=x')
KEYS = {
    "model",
    "data",
    "accuracy",
    "scores",
    "rules",
    "baselines",
    "dynamics",
    "valence_correlation",
    "verdict",
    "fidelity",
    "phrase_model",
    "settings",
    "figures",
    "not_applied",
}


def corpus_of(count=60, *, labelled=True, classes=2, seed=0, **options):
    documents = random_documents(count, seed=seed)
    if not labelled:
        return rs.load_corpus(documents)
    return rs.load_corpus(
        [(d, k % classes) for k, d in enumerate(documents)],
        classes=[str(k) for k in range(classes)],
        **options,
    )


def model_of(kind="lstm", **shape):
    return from_torch(random_module(kind, **shape), vocabulary=WORDS)


@pytest.fixture(scope="module")
def lexicon_account():
    weights = {"good": 2.0, "great": 3.0, "bad": -2.0, "awful": -3.0, "the": 0.0, "film": 0.0}
    words = list(weights)
    rng = np.random.default_rng(0)
    rows, ratings = [], []
    for _ in range(300):
        document = [words[k] for k in rng.integers(0, 6, size=rng.integers(3, 9))]
        total = sum(weights[w] for w in document)
        if total:
            rows.append((" ".join(document), "positive" if total > 0 else "negative"))
            ratings.append(total / len(document))
    frame = {"text": [r[0] for r in rows], "label": [r[1] for r in rows], "valence": ratings}
    import polars as pl

    corpus = rs.load_corpus(
        pl.DataFrame(frame), classes=["negative", "positive"], valence="valence"
    )
    return rs.explain(lexicon_network(weights), corpus, points=20)


def test_a_network_whose_rules_and_line_are_known(lexicon_account):
    account = lexicon_account.to_dict()
    assert account["accuracy"] > 0.98
    assert account["scores"]["completeness"]["gamma"]["relative"] <= 1e-12
    singles = {tuple(r["phrase"]): r["class"] for r in account["rules"]["list"]}
    for words, label in singles.items():
        signs = {w in ("good", "great") for w in words}
        assert signs == {label == "positive"}
    assert account["baselines"]["bag_of_words"]["agreement"] > 0.95
    # The memory is kept for ever: every state of the cell is a fixed point, lambda = 1.
    assert account["dynamics"]["points"]["continuum"] > 0
    assert account["dynamics"]["points"]["root"] == 0
    assert account["dynamics"]["eigenvalues"][0][0] == pytest.approx(1, abs=1e-9)
    assert account["valence_correlation"] > 0.8


def test_the_dictionary_has_the_documented_keys_and_is_json(lexicon_account):
    account = lexicon_account.to_dict()
    assert set(account) >= KEYS
    assert json.loads(json.dumps(account, allow_nan=False)) == account
    for part in ("size", "agreement", "accuracy", "coverage"):
        assert isinstance(account["rules"][part], int | float)
    for part in ("points", "eigenvalues", "time_constants", "alignment", "verdict"):
        assert account["dynamics"][part] is not None
    assert account["baselines"].keys() == {"majority", "bag_of_words", "bag_of_ngrams"}


def test_every_number_at_the_top_is_in_the_body(lexicon_account):
    account = lexicon_account.to_dict()
    tiles = {tile["label"]: tile["value"] for tile in account["verdict"]["figures"]}
    assert tiles["right answers"] == account["accuracy"]
    assert tiles["one phrase gives its answer"] == account["rules"]["agreement"]
    assert tiles["one number gives its answer"] == account["join"]["tally"]["value"]
    assert len(tiles) == 5
    assert len(account["verdict"]["sentences"]) == 2


def test_saving_writes_the_page_and_the_numbers(lexicon_account, tmp_path):
    page = lexicon_account.save(tmp_path / "new" / "report.html")
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    saved = json.loads((tmp_path / "new" / "account.json").read_text(encoding="utf-8"))
    assert saved == lexicon_account.to_dict()
    assert sorted(p.name for p in page.parent.iterdir()) == ["account.json", "report.html"]
    for wrong in (tmp_path / "report.txt", tmp_path):
        with pytest.raises(rs.UsageError, match=r"\.html"):
            lexicon_account.save(wrong)


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_every_architecture(kind):
    account = rs.explain(model_of(kind), corpus_of(), **QUICK).to_dict()
    assert account["rules"]["method"] in (("beta",) if kind == "vanilla" else ("beta", "gamma"))
    assert ("gamma" in account["not_applied"]) == (kind == "vanilla")
    assert account["dynamics"]["points"]["seeds"] == 12


def test_the_method_is_chosen_on_the_mined_text():
    account = rs.explain(model_of(), corpus_of(100), **QUICK)
    half, material = account.rules_half, account.material
    network = account.model.predict(material.mined)
    agreement = {}
    for name in ("gamma", "beta"):
        score = rs.CellDecomposition if name == "gamma" else rs.CellDifference
        scores = score(account.model).score(material.mined)
        rules = rs.RuleList.from_phrases(rs.mine_phrases(scores, min_count=2), max_rules=None)
        agreement[name] = (rules.predict(material.mined) == network).mean()
    assert agreement[half.method] == max(agreement.values())
    for name in ("gamma", "beta"):
        chosen = rs.explain(account.model, corpus_of(100), method=name, **QUICK)
        assert chosen.to_dict()["rules"]["method"] == name


def test_judged_text_is_never_mined():
    account = rs.explain(model_of(), corpus_of(100), **QUICK)
    mined = {tuple(d) for d in account.material.mined}
    assert not mined & {tuple(d) for d in account.material.judged}
    data = account.to_dict()["data"]
    assert "may have been trained" in data["caution"]
    assert data["mined_on"]["documents"] + data["judged_on"]["documents"] == 100


def test_without_labels_accuracy_is_left_out_and_agreement_stays():
    account = rs.explain(model_of(), corpus_of(labelled=False), **QUICK).to_dict()
    assert account["accuracy"] is None
    assert "no labels" in account["not_applied"]["accuracy"]
    assert 0 <= account["rules"]["agreement"] <= 1
    assert account["rules"]["accuracy"] is None
    assert account["valence_correlation"] is None
    assert "ratings" in account["not_applied"]["valence"]


def test_a_bidirectional_network_has_rules_and_no_single_dynamics():
    account = rs.explain(model_of(bidirectional=True), corpus_of(), **QUICK).to_dict()
    assert account["dynamics"] is None
    assert "two dynamical systems" in account["not_applied"]["dynamics"]
    assert account["rules"]["size"] >= 0


def test_a_network_of_vectors_without_classifier_has_dynamics_only(tmp_path):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 3)) for n in rng.integers(2, 9, size=20)]
    account = rs.explain(from_torch(torch.nn.GRU(3, 4)), sequences, **QUICK)
    contents = account.to_dict()
    assert contents["rules"] is None
    assert "no readout" in contents["not_applied"]["rules"]
    assert contents["dynamics"]["points"]["seeds"] == 12
    assert account.save(tmp_path / "report.html").stat().st_size > 1000


def test_a_classifier_of_vectors_has_no_phrases():
    class Vectors(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.GRU(3, 4, batch_first=True)
            self.out = torch.nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.rnn(x)[1][-1])

    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 3)) for n in rng.integers(2, 9, size=20)]
    account = rs.explain(from_torch(Vectors()), sequences, **QUICK).to_dict()
    assert account["rules"] is None
    assert "made of words" in account["not_applied"]["rules"]
    assert [f["name"] for f in account["fidelity"]] == ["majority class"]
    assert account["scores"]["completeness"]["gamma"]["relative"] <= 1e-5


def test_three_classes_and_word_indices_without_vocabulary():
    model = from_torch(random_module(classes=3))
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, len(WORDS), size=n) for n in rng.integers(2, 9, size=60)]
    account = rs.explain(model, documents, **QUICK).to_dict()
    assert account["rules"]["size"] >= 0
    assert account["fidelity"][0]["agreement"] is not None


def test_a_network_of_one_answer_has_no_phrase_model():
    network = model_of()
    bias = torch.tensor([50.0, -50.0], dtype=network.dtype)
    always = replace(network, readout=replace(network.require_readout(), bias=bias))
    account = rs.explain(always, corpus_of(), **QUICK).to_dict()
    assert account["phrase_model"] is None
    assert "tells documents apart" in account["not_applied"]["phrase model"]
    assert account["baselines"]["bag_of_words"] is None
    assert "one class only" in account["not_applied"]["bag of 1-3-grams"]
    assert account["baselines"]["majority"]["agreement"] == 1.0
    assert account["baselines"]["majority"]["kappa"] is None


def test_hostile_words_stay_words(tmp_path):
    words = [*WORDS[:2], *HOSTILE, "good", "bad"]
    model = from_torch(random_module(words=len(words), scale=2.0), vocabulary=words)
    rng = np.random.default_rng(0)
    documents = [[words[k] for k in rng.integers(2, len(words), size=6)] for _ in range(40)]
    page = rs.explain(model, documents, **QUICK).save(tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_labels_are_matched_by_name():
    model = from_torch(random_module(), vocabulary=WORDS, classes=["no", "yes"])
    documents = random_documents(40)
    said = model.predict(documents)
    rows = [(d, ["no", "yes"][int(k)]) for d, k in zip(documents, said, strict=True)]
    corpus = rs.load_corpus(rows, classes=["yes", "no"])
    assert rs.explain(model, corpus, **QUICK).to_dict()["accuracy"] == 1.0
    with pytest.raises(rs.DataError, match="must be a class of the model"):
        rs.explain(model, corpus_of(classes=2), **QUICK)


def test_the_same_seed_gives_the_same_account():
    first, second = (rs.explain(model_of(), corpus_of(), **QUICK).to_dict() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speed": 1}, "no such option"),
        ({"method": "lime"}, "'gamma' or 'beta'"),
        ({"points": 0}, "1 or more"),
    ],
)
def test_bad_options(change, message):
    with pytest.raises(rs.UsageError, match=message):
        rs.explain(model_of(), corpus_of(10), **change)


def test_too_little_text():
    with pytest.raises(rs.DataError, match="at least two documents"):
        rs.explain(model_of(), [["good"]])


def test_infinite_figures_become_null(lexicon_account):
    def numbers(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from numbers(item)
        elif isinstance(value, float):
            yield value

    assert all(math.isfinite(number) for number in numbers(lexicon_account.to_dict()))


def test_it_shows_itself(lexicon_account):
    assert "network of 1 unit tells negative from positive" in repr(lexicon_account)
    assert lexicon_account._repr_html_().startswith("<p>")
