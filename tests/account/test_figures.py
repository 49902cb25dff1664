"""Every figure of an account, recomputed from the parts by other means."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rnnscope as rs
from rnnscope.data import EMBEDDED
from rnnscope.models import from_torch
from tests.helpers import WORDS, random_documents, random_module


@pytest.fixture(scope="module")
def case():
    """A corpus with splits, labels and ratings, a network, and its account."""
    documents = random_documents(160, longest=7, seed=3)
    generator = np.random.default_rng(4)
    splits = generator.choice(["train", "test"], size=160, p=[0.7, 0.3])
    model = from_torch(random_module("gru", scale=2.0), vocabulary=WORDS, classes=["no", "yes"])
    logits = model.logits(documents)
    clean = (logits[:, 1] - logits[:, 0]).numpy()
    corpus = rs.Corpus(
        documents=tuple(map(tuple, documents)),
        labels=(clean + generator.normal(size=160) > 0).astype(np.int64),
        classes=("no", "yes"),
        valence=clean + generator.normal(size=160),
        splits=splits,
        name="case",
    )
    return corpus, model, rs.explain(model, corpus, points=40, min_count=2).to_dict()


def test_accuracy_and_agreement(case):
    corpus, model, account = case
    judged = corpus.split("test")
    network = model.predict(judged.documents)
    assert account["accuracy"] == (network == judged.labels).mean()
    entries = {f["name"]: f for f in account["fidelity"]}
    for method, score in (("beta", rs.CellDifference), ("gamma", rs.CellDecomposition)):
        phrases = rs.mine_phrases(score(model).score(corpus.split("train")), min_count=2)
        rules = rs.RuleList.from_phrases(phrases, max_rules=None)
        said = rules.predict(judged.documents)
        entry = entries[f"rules ({method})"]
        assert entry["agreement"] == (said == network).mean()
        assert entry["accuracy"] == (said == judged.labels).mean()
        assert entry["coverage"] == (rules.fired(judged.documents) >= 0).mean()
        assert entry["size"] == rules.size
        if method == account["rules"]["method"]:
            fired = rules.fired(judged.documents)
            for rank, rule in enumerate(account["rules"]["list"]):
                assert rule["phrase"] == list(rules.rules[rank].words)
                assert rule["fired"] == (fired == rank).sum()
    bag = rs.BagOfWords.fit(
        corpus.split("train").documents, model.predict(corpus.split("train").documents)
    )
    agreement = (bag.predict(judged.documents) == network).mean()
    assert account["baselines"]["bag_of_words"]["agreement"] == agreement
    train = model.predict(corpus.split("train").documents)
    majority = np.bincount(train).argmax()
    assert account["baselines"]["majority"]["agreement"] == (network == majority).mean()


def test_every_listed_rule_and_its_evidence(case):
    corpus, model, account = case
    judged = corpus.split("test")
    network = model.predict(judged.documents)
    half = account["rules"]
    score = rs.CellDifference if half["method"] == "beta" else rs.CellDecomposition
    phrases = rs.mine_phrases(score(model).score(corpus.split("train")), min_count=2)
    rules = rs.RuleList.from_phrases(phrases, max_rules=None)
    fired = rules.fired(judged.documents)
    decides = [one["decides"] for one in half["evidence"]]
    assert decides == sorted(decides, reverse=True)
    assert decides[0] == np.bincount(fired[fired >= 0]).max()
    for one in half["evidence"]:
        rows = np.flatnonzero(fired == one["rank"])
        label = model.classes.index(one["class"])
        assert one["phrase"] == list(rules.rules[one["rank"]].words)
        assert one["agreement"] == (network[rows] == label).mean()
        assert one["accuracy"] == (judged.labels[rows] == label).mean()
        low, high = one["intervals"]["agreement"]
        assert low <= one["agreement"] <= high
        against = one["counterexample"]
        wrong = (network[rows] != label) | (judged.labels[rows] != label)
        assert (against is None) == (not wrong.any())
        if against is not None:
            assert against["document"] in rows[wrong]
            assert " ".join(one["phrase"]) in against["excerpt"]


def test_the_phrase_model_is_judged_and_its_phrases_add_up(case):
    corpus, model, account = case
    found = account["phrase_model"]
    entries = {f["name"]: f for f in account["fidelity"]}
    assert found["agreement"] == entries[found["name"]]["agreement"]
    for one in found["list"]:
        assert len(one["phrase"]) > 1
        assert one["together"] >= 0
        assert one["together"] == pytest.approx(one["weight"] + one["parts"])
    own = rs.PhraseModel.fit(
        rs.mine_phrases(
            (rs.CellDifference if account["rules"]["method"] == "beta" else rs.CellDecomposition)(
                model
            ).score(corpus.split("train")),
            min_count=2,
        ),
        corpus.split("train").documents,
        model.logits(corpus.split("train")).numpy(),
    )
    assert found["size"] == own.size
    for one in found["list"]:
        k = own.phrases.index(tuple(one["phrase"]))
        assert one["weight"] == own.weights[k, model.classes.index(one["class"])]
    judged = corpus.split("test").documents
    assert found["agreement"] == (own.predict(judged) == model.predict(judged)).mean()


def test_a_long_list_is_pruned_on_the_mined_text(case, monkeypatch):
    corpus, model, _ = case
    from rnnscope.account import rules_half

    monkeypatch.setattr(rules_half, "SHORT_LIST", 3)
    account = rs.explain(model, corpus, points=5, min_count=2)
    half, train = account.rules_half, corpus.split("train").documents
    pruned = half.rules.pruned(train, model.predict(train), max_rules=3)
    entry = half.named(f"pruned rules ({half.method})")
    assert entry.size == pruned.size <= 3
    said = pruned.predict(corpus.split("test").documents)
    assert entry.agreement.value == (said == half.predictions).mean()


def test_completeness_is_the_worst_document(case):
    corpus, model, account = case
    for method, score in (("beta", rs.CellDifference), ("gamma", rs.CellDecomposition)):
        each = [d.completeness for d in score(model).score(corpus.split("test"))]
        found = account["scores"]["completeness"][method]
        assert found["documents"] == len(each)
        assert found["error"] == pytest.approx(max(each), abs=1e-14)


def test_dynamics_and_ratings(case):
    corpus, model, account = case
    judged = corpus.split("test")
    points = rs.find_fixed_points(model, judged, count=40)
    modes = rs.linearize(model, points)
    dynamics = account["dynamics"]
    assert dynamics["points"]["root"] == len(points.roots)
    assert dynamics["points"]["manifold"] == len(points.manifold)
    growing = (modes.eigenvalues[:, 0].abs() > 1).double().mean()
    assert dynamics["growing"] == pytest.approx(float(growing))
    tau = (1 / modes.eigenvalues[:, 0].abs().log()).abs().numpy()
    assert dynamics["time_constants"][0] == pytest.approx(float(np.median(tau)))
    if account["valence"] is None:
        assert account["not_applied"]["valence"]
        return
    logits = model.logits(judged.documents)
    output = (logits[:, 1] - logits[:, 0]).numpy()
    expected = np.corrcoef(output, judged.valence)[0, 1]
    assert account["valence"]["logit"]["value"] == pytest.approx(expected)
    position = np.array(account["figures"]["positions"]["position"])
    rated = np.array(account["figures"]["positions"]["valence"])
    np.testing.assert_allclose(rated, judged.valence, rtol=1e-5)
    assert account["valence_correlation"] == pytest.approx(
        np.corrcoef(position, rated)[0, 1], abs=1e-4
    )


def test_the_sentences_give_the_figures(case):
    _, _, account = case
    told = " ".join([*account["verdict"]["sentences"], *account["verdict"]["findings"]])
    assert f"right on {account['accuracy']:.0%}" in told
    assert f"gives its answer on {account['rules']['agreement']:.0%}" in told
    assert f"the same class {account['baselines']['majority']['agreement']:.0%}" in told


def test_no_judged_document_is_fitted_or_mined(case, monkeypatch):
    corpus, model, _ = case
    judged = {tuple(d) for d in corpus.split("test").documents}
    seen: list[tuple[str, ...]] = []
    fit, weigh, prune = rs.BagOfNgrams.fit.__func__, rs.PhraseModel.fit, rs.RuleList.pruned
    called: list[str] = []

    def noted(name, documents):
        called.append(name)
        seen.extend(map(tuple, documents))

    monkeypatch.setattr(
        rs.BagOfNgrams, "fit", classmethod(lambda cls, d, p: (noted("fit", d), fit(cls, d, p))[1])
    )
    monkeypatch.setattr(
        rs.PhraseModel, "fit", lambda f, d, p, **o: (noted("weigh", d), weigh(f, d, p, **o))[1]
    )
    monkeypatch.setattr(
        rs.RuleList, "pruned", lambda r, d, p, **o: (noted("prune", d), prune(r, d, p, **o))[1]
    )
    from rnnscope.account import rules_half

    monkeypatch.setattr(rules_half, "SHORT_LIST", 3)

    mine = rules_half.mine_phrases
    monkeypatch.setattr(
        rules_half, "mine_phrases", lambda s, **o: (seen.extend(s.tokens), mine(s, **o))[1]
    )
    rs.explain(model, corpus, points=10, min_count=2)
    only_judged = judged - {tuple(d) for d in corpus.split("train").documents}
    assert seen
    assert {"fit", "weigh", "prune"} <= set(called)
    assert only_judged
    assert not only_judged & set(seen)


def test_the_caution_tells_what_is_known(case):
    corpus, model, account = case
    assert "may have been trained" in account["data"]["caution"]
    from dataclasses import replace

    def caution(record, text):
        known = replace(model, record=record)
        return rs.explain(known, text, points=5, min_count=2).to_dict()["data"]["caution"]

    own = {"data": corpus.name, "data_fingerprint": corpus.fingerprint}
    assert "never saw the test split" in caution(own, corpus)
    names = np.where(corpus.splits == "test", "validation", corpus.splits)
    chosen = replace(corpus, splits=names)
    own = {"data": chosen.name, "data_fingerprint": chosen.fingerprint}
    assert "chose when training stopped" in caution(own, chosen)
    for name in (*EMBEDDED, "embedded-mine"):
        posing = {"data": "embedded:documents", "data_fingerprint": "0"}
        assert "may have been" in caution(posing, replace(corpus, name=name))


def test_three_classes_are_named():
    model = from_torch(random_module(classes=3), vocabulary=WORDS, classes=["a", "b", "c"])
    said = rs.explain(model, random_documents(40), points=5, min_count=2)
    assert "decides between a, b and c" in repr(said)


def test_growth_is_told_apart():
    from rnnscope.account.story import _memory
    from rnnscope.dynamics.verdict import Prediction

    class Verdict:
        growing_share = 1.0
        stability = Prediction(
            name="stability", value=20.0, null=3.0, sentence="", finding="by definition"
        )

    assert "grows over about 20 words, along the next over 3.0" in _memory(Verdict())
    Verdict.growing_share = 0.0
    assert "fades over about 20 words" in _memory(Verdict())
    Verdict.growing_share = 0.5
    assert "at 50% of the points grows" in _memory(Verdict())
    Verdict.stability = Prediction(
        name="stability", value=float("inf"), null=None, sentence="", finding=""
    )
    assert _memory(Verdict()) == "a difference along the slowest direction does not fade"
    assert torch.isinf(torch.tensor(Verdict.stability.value))


def test_a_network_that_gives_one_class_is_said_to():
    from dataclasses import replace

    model = from_torch(random_module(), vocabulary=WORDS, classes=["no", "yes"])
    bias = torch.tensor([50.0, -50.0], dtype=torch.float64)
    constant = replace(model, readout=replace(model.readout, bias=bias))
    told = repr(rs.explain(constant, random_documents(40), points=5))
    assert "gives one class only on the held-out texts: no" in told
    assert "tells" not in told.splitlines()[0]
