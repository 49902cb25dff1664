"""Networks side by side: their figures, what they have in common, and a page that is whole."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from scipy.stats import spearmanr

import rnnscope as rs
from rnnscope.cli import main
from rnnscope.report import render_comparison, side_by_side
from tests.report import sample, variants
from tests.report.test_report import Page, not_saved


@pytest.fixture
def accounts(monkeypatch):
    monkeypatch.setattr("rnnscope.report.comparison.inline", not_saved)
    return {"first": sample.account(), "second": sample.account(1)}


def test_the_figures_are_those_of_the_accounts(accounts):
    made = side_by_side(accounts)
    for row in made["figures"][:5]:
        for name, account in accounts.items():
            tiles = {t["label"]: t["value"] for t in account["verdict"]["figures"]}
            assert row["values"][name]["value"] == tiles[row["label"]]
    (pair,) = made["pairs"]
    words = [
        {row["word"]: row["effect"] for row in account["join"]["words"]["list"]}
        for account in accounts.values()
    ]
    common = sorted(set(words[0]) & set(words[1]))
    expected = spearmanr([words[0][w] for w in common], [words[1][w] for w in common]).statistic
    assert pair["correlation"] == pytest.approx(float(expected))
    assert len(pair["words"]) == len(common)
    apart = [row["apart"] for row in pair["words"]]
    assert apart == sorted(apart, reverse=True)
    phrases = [{tuple(r["phrase"]) for r in a["rules"]["list"]} for a in accounts.values()]
    assert pair["common_rules"] == len(phrases[0] & phrases[1])


def test_the_page_is_whole_and_asks_for_nothing(accounts):
    page = Page(html := render_comparison(accounts))
    assert not page.open
    assert len(page.all("h1")) == 1
    assert str(page.all("meta")[1]["content"]).startswith("default-src 'none'; script-src 'sha256-")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert html.count("<table") == html.count("<caption>")
    for svg in page.all("svg"):
        assert svg["aria-describedby"] in ids


def test_other_text_is_a_caution(accounts):
    assert "judged on the same documents of the same text" in render_comparison(accounts)
    accounts["second"]["data"]["fingerprint"] = "another"
    assert "Caution" in render_comparison(accounts)


def test_hostile_words_and_thin_accounts(accounts):
    made = variants.variants()
    hostile = {variants.HOSTILE[0]: made["hostile"], "b": made["no_dynamics"], "c": made["bare"]}
    html = render_comparison(hostile)
    assert not Page(html).open
    assert "<script>alert" not in html


def test_accounts_are_read_from_runs(accounts, tmp_path, capsys):
    for name, account in accounts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "account.json").write_text(json.dumps(account), encoding="utf-8")
    runs = [str(tmp_path / name) for name in accounts]
    out = tmp_path / "compare.html"
    assert main(["compare", *runs, "--out", str(out)]) == 0
    assert "first" in capsys.readouterr().out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    compared = rs.compare_accounts([tmp_path / "first", accounts["second"]])
    assert list(compared.accounts) == ["first", "GRU"]
    assert "<table>" in compared._repr_html_()
    assert main(["compare", runs[0], "--out", str(out)]) == 2
    assert main(["compare", runs[0], str(tmp_path / "none"), "--out", str(out)]) == 1


def test_the_same_name_twice_is_told_apart(accounts):
    twice = [accounts["first"], copy.deepcopy(accounts["first"])]
    assert list(rs.compare_accounts(twice).accounts) == ["GRU", "GRU (2)"]
    (pair,) = rs.compare_accounts(twice).to_dict()["pairs"]
    assert pair["correlation"] == pytest.approx(1.0)
    assert np.allclose([row["apart"] for row in pair["words"]], 0)


@pytest.mark.parametrize("wrong", ["runs/lstm", 3, [], [{}]])
def test_what_is_no_row_of_accounts_is_refused(wrong):
    with pytest.raises(rs.UsageError):
        rs.compare_accounts(wrong)
