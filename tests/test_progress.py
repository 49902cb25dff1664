"""Bars are shown where they are asked for, count what is done, and change nothing else."""

from __future__ import annotations

import re

import pytest
import torch

import rnnscope as rs
from rnnscope import progress
from rnnscope.progress import counted, show_progress, showing, told, told_rows
from tests.helpers import WORDS, random_documents, random_module


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Every bar, however short its work, and every state of it."""
    monkeypatch.setattr(progress, "DELAY", 0)
    monkeypatch.setattr(progress, "refresh", lambda: 0)


def network(units: int) -> rs.Model:
    return rs.from_torch(random_module("gru", units=units), vocabulary=WORDS)


def bars(captured: str) -> dict[str, tuple[str, str]]:
    """What each bar came to: of its name, how many of how many."""
    found = re.findall(r"([A-Za-z ]+): +\d+%\|[^|]*\| (\S+)/(\S+) \w+ \[", captured)
    return {name.strip(): (done, total) for name, done, total in found}


def test_nothing_is_shown_unasked(capsys):
    assert list(told(range(3), "counting")) == [0, 1, 2]
    with counted(3, "counting", "step") as count:
        count(3)
    assert capsys.readouterr().err == ""


def test_a_bar_counts_the_sizes_of_its_items(capsys):
    with show_progress():
        assert list(told(["ab", "c"], "reading", total=3, unit="letter", size=len)) == ["ab", "c"]
        rows = [slice(0, 4), slice(4, 5)]
        assert list(told_rows(rows, "projecting")) == rows
    shown = bars(capsys.readouterr().err)
    assert shown == {"reading": ("3", "3"), "projecting": ("5", "5")}


def test_what_is_asked_for_around_holds_inside_and_ends(capsys):
    with show_progress(), showing(False):
        list(told([1], "asked for"))
    with showing(True):
        list(told([1], "asked for here"))
    with show_progress(), show_progress(False):
        list(told([1], "not wanted"))
    list(told([1], "unasked"))
    assert set(bars(capsys.readouterr().err)) == {"asked for", "asked for here"}


def test_an_error_leaves_no_bar_and_the_setting_as_it_was(capsys):
    def fail():
        with show_progress():
            for _ in told([1], "failing"):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    capsys.readouterr()
    list(told([1], "unasked"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("units", [6, 100])
def test_a_search_says_how_far_it_is_and_finds_the_same(capsys, units):
    """Narrow networks go by matrices, wide ones by products."""
    model = network(units)
    documents = random_documents(40)
    quiet = rs.find_fixed_points(model, documents, count=24)
    assert capsys.readouterr().err == ""
    found = rs.find_fixed_points(model, documents, count=24, progress=True)
    shown = bars(capsys.readouterr().err)
    assert shown["projecting"] == ("24", "24")
    assert shown["following flows"][0] == shown["following flows"][1]
    assert {"descending", "certifying"} & set(shown)
    assert found.outcomes == quiet.outcomes
    assert torch.equal(found.terminals, quiet.terminals)
    assert torch.equal(found.basin, quiet.basin)


def test_scores_runs_and_modes_say_how_far_they_are(capsys):
    model = network(6)
    documents = random_documents(40)
    score = rs.GradientTimesInput(model)
    plain = score.score(documents).values
    with show_progress():
        scores = score.score(documents)
        assert torch.equal(scores.values, plain)
        model.logits(documents)
        points = rs.find_fixed_points(model, documents, count=8)
        rs.linearize(model, points.seeds)
    shown = bars(capsys.readouterr().err)
    assert shown["scoring"] == shown["running"] == ("40", "40")
    assert shown["linearizing"] == ("8", "8")
