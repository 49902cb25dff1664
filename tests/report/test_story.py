"""The page as a story and as a document: its order, its scripts, its data, its words."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from typing import Any

import numpy as np
import pytest

from rnnscope import report
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.report import interactive
from rnnscope.report.page import PANELS
from rnnscope.report.tables import embedded, figure_columns
from tests.report import sample, variants
from tests.report.test_report import VARIANTS, Page, html_of, quick

ORDER = ["verdict", "rules", "sentences", "dynamics", "stories", "trust"]
LIMIT = 2_500_000


def block(html: str, name: str) -> Any:
    """What one of the page's data elements holds."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def test_the_story_is_told_in_order() -> None:
    page = Page(html_of("complete"))
    sections = [s["aria-labelledby"] for s in page.all("section")]
    assert sections == ORDER
    heads = [attributes.get("id") for attributes in page.all("h2")]
    assert heads == ORDER
    links = [a["href"] for a in page.all("a")]
    assert [f"#{name}" for name in ORDER] == links[1 : 1 + len(ORDER)]


def test_every_script_that_runs_is_named_by_its_hash() -> None:
    html = html_of("complete")
    policy = Page(html).all("meta")[1]["content"]
    assert "unsafe-eval" not in str(policy)
    assert "'unsafe-inline'" not in str(policy).split("script-src")[1].split(";")[0]
    (inline,) = re.findall(r"<script>(.*?)</script>", html, re.S)
    for text in (inline, interactive.bokeh_source()):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in str(policy)


def test_each_figure_has_a_title_a_caption_and_its_data() -> None:
    html = html_of("complete")
    page, data = Page(html), block(html, "data")
    captions = {f["id"] for f in page.all("figcaption") if "id" in f}
    drawings = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(drawings) == len(captions)
    for svg in drawings:
        assert svg["aria-describedby"] in captions
    for name in PANELS:
        assert data[name]
    lengths = {
        name: {len(c if isinstance(c, list) else c["codes"]) for c in columns.values()}
        for name, columns in data.items()
        if name != "valence_pushes"
    }
    assert all(len(found) == 1 for found in lengths.values())


def test_the_data_are_those_of_the_account() -> None:
    account = sample.account()
    columns = figure_columns(account, "state_space")
    finals = [k for k, kind in enumerate(columns["kind"]) if kind == "final state"]
    xy = np.array(account["figures"]["state_space"]["states"]["xy"])
    np.testing.assert_array_equal(np.array(columns["x"])[finals], xy[:, 0])
    assert set(columns["kind"]) >= {"path", "root", "ghost", "manifold", "visited state"}
    way = figure_columns(account, "way-0")
    assert way["token"][1:] == account["scores"]["examples"][0]["tokens"]
    assert way["gamma"][1:] == account["scores"]["examples"][0]["gamma"]


@pytest.mark.parametrize("word", variants.HOSTILE)
def test_no_word_ends_the_data_element(word: str) -> None:
    text = embedded({"a": {"word": [word, "x"], "same": [word] * 30}})
    assert not set("<>&") & set(text)
    assert text.isascii()
    held = json.loads(text)["a"]
    assert held["same"] == [held["word"][0]] * 30 or held["same"]["levels"] == [held["word"][0]]


def test_the_page_holds_to_its_size() -> None:
    assert len(html_of("complete").encode()) < LIMIT


def test_several_scores_stand_side_by_side() -> None:
    html = html_of("complete")
    example = VARIANTS["complete"]["scores"]["examples"][0]
    assert html.count("leave one out") >= len(example["tokens"])
    # One bar a word for each method but the one that shades the word itself.
    first = html.split("<article", 2)[1]
    bars = len(re.findall(r'<i class="[ud]"', first))
    assert bars == 2 * len(example["tokens"])


def test_the_two_stories_give_their_figures() -> None:
    account = VARIANTS["complete"]
    html = html_of("complete")
    section = html.split('id="stories"')[1].split("</section>")[0]
    assert "96.0" in section
    assert section.count("<li>Score and") == 2
    for row in account["join"]["words"]["list"][:5]:
        assert f"<bdi>{row['word']}</bdi>" in section


def test_without_bokeh_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnscope.report.page.installed", lambda: False)
    html = quick(VARIANTS["complete"])
    assert "made without bokeh" in html
    assert 'id="library"' not in html
    with pytest.raises(UsageError, match="drawn by bokeh"):
        quick(VARIANTS["complete"], interactive=True)


def test_the_view_can_be_left_out() -> None:
    html = quick(VARIANTS["complete"], interactive=False)
    assert 'id="library"' not in html
    assert len(html) < len(html_of("complete"))


def test_a_way_is_drawn_or_refused_with_a_reason() -> None:
    account = sample.account()
    ax = report.evidence_path(account, 1)
    drawn = ax.lines[1].get_ydata()
    np.testing.assert_allclose(np.asarray(drawn), account["scores"]["examples"][1]["way"])
    with pytest.raises(NotApplicable):
        report.evidence_path(account, 99)


def test_private_pages_say_that_texts_are_left_out() -> None:
    account = copy.deepcopy(VARIANTS["complete"])
    account["private"] = {"support": 25}
    assert "phrases that 25 documents or more hold" in quick(account)
