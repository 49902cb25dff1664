"""An account without texts: nothing of them is written but phrases that many documents hold."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

import rnnscope as rs
from rnnscope.cli import main
from rnnscope.synthetic import lexicon_network

SUPPORT = 25
COMMON = {"zqgood": 2.0, "zqgreat": 3.0, "zqbad": -2.0, "zqawful": -3.0, "zqthe": 0.0}
RARE = {f"zqrare{k}": (-1.0) ** k * 2.5 for k in range(40)}


@pytest.fixture(scope="module")
def made():
    weights = {**COMMON, **RARE}
    rng = np.random.default_rng(0)
    rows = []
    for k in range(240):
        document = [list(COMMON)[i] for i in rng.integers(0, len(COMMON), size=6)]
        document[int(rng.integers(0, 6))] = f"zqrare{k % 40}"
        total = sum(weights[word] for word in document)
        rows.append((document, "positive" if total > 0 else "negative"))
    corpus = rs.load_corpus(rows, classes=["negative", "positive"])
    model = lexicon_network(weights)
    return model, corpus, rs.explain(model, corpus, points=20, min_count=2)


def held_by(corpus, phrase):
    run = tuple(phrase)
    return sum(
        any(tuple(d[k : k + len(run)]) == run for k in range(len(d))) for d in corpus.documents
    )


def test_only_phrases_of_enough_documents_are_written(made, tmp_path):
    _, corpus, account = made
    page = account.save(tmp_path / "report.html", texts=False, support=SUPPORT)
    written = page.read_text(encoding="utf-8") + (tmp_path / "account.json").read_text("utf-8")
    words = {word for document in corpus.documents for word in document}
    known = {word for word in words if held_by(corpus, [word]) >= SUPPORT}
    assert known == set(COMMON)
    for word in words - known:
        assert word not in written
    # No run of words either, but those listed as phrases, and of these only supported ones.
    for document in corpus.documents:
        for pair in pairwise(document):
            if held_by(corpus, pair) < SUPPORT:
                assert " ".join(pair) not in written
                assert f"<bdi>{pair[0]}</bdi> <bdi>{pair[1]}</bdi>" not in written
    contents = json.loads((tmp_path / "account.json").read_text("utf-8"))
    listed = [*contents["rules"]["list"], *contents["rules"]["evidence"]]
    assert listed
    for row in listed:
        assert held_by(corpus, row["phrase"]) >= SUPPORT
    assert any(word in written for word in known)


def test_the_open_account_does_hold_them(made, tmp_path):
    _, _, account = made
    written = account.save(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "zqrare1" in written


def test_what_could_give_texts_away_is_left_out_and_the_numbers_stay(made):
    _, _, account = made
    hidden, full = account.to_dict(texts=False, support=SUPPORT), account.to_dict()
    assert hidden["private"] == {"support": SUPPORT}
    assert full["private"] is None
    assert hidden["scores"]["examples"] == []
    assert hidden["figures"]["state_space"]["paths"] == []
    assert "visited" not in hidden["figures"]["state_space"]
    assert all(
        row["counterexample"] is None or row["counterexample"]["excerpt"] is None
        for row in hidden["rules"]["evidence"]
    )
    assert hidden["accuracy"] == full["accuracy"]
    assert hidden["fidelity"] == full["fidelity"]
    assert hidden["join"]["tally"] == full["join"]["tally"]
    assert "private" in hidden["not_applied"]["examples"]


def test_the_input_held_is_not_named_where_it_is_rare(made):
    model, corpus, _ = made
    account = rs.explain(model, corpus, points=10, min_count=2, inputs="zqrare3")
    written = json.dumps(account.to_dict(texts=False, support=SUPPORT))
    assert "zqrare3" not in written
    assert "zqrare3" in json.dumps(account.to_dict())


@pytest.mark.parametrize("support", [1, 0, -3, True, 2.5])
def test_a_support_that_hides_nothing_is_refused(made, support):
    with pytest.raises(rs.UsageError, match="several documents"):
        made[2].to_dict(texts=False, support=support)


def test_the_command_leaves_texts_out(made, tmp_path, capsys):
    model, corpus, _ = made
    model.save(tmp_path / "model")
    lines = ["text,label"] + [
        f"{' '.join(document)},{corpus.classes[label]}"
        for document, label in zip(corpus.documents, corpus.labels, strict=True)
    ]
    (tmp_path / "data.csv").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["report", "--model", str(tmp_path / "model"), "--data", str(tmp_path / "data.csv")]
    arguments += ["--out", str(tmp_path / "report.html"), "--private", "--support", str(SUPPORT)]
    assert main(arguments) == 0
    told = capsys.readouterr().out + (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "zqrare" not in told
    assert main([*arguments[:-1], "1"]) == 2
