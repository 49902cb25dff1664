"""The page: whole, escaped, alone, the same each time; its figures leave matplotlib as it was."""

from __future__ import annotations

import copy
import functools
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnscope import report
from rnnscope.errors import NotApplicable
from rnnscope.report import figures, text
from rnnscope.report.page import PANELS
from rnnscope.report.svg import inline
from tests.report import sample, variants

VARIANTS = variants.variants()
VOID = {"meta", "br", "link", "img", "hr", "input"}
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


class Page(HTMLParser):
    """Every tag, attribute and text of a page, and whether its tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


SAVED = ("complete", "hostile")
"""Variants whose figures are laid out and written: that takes most of the time of a page."""


def not_saved(ax: Axes, name: str, description: str, *, caption: str = "") -> Markup:
    """A figure that was drawn, in place of its SVG."""
    assert isinstance(ax, Axes)
    made = f'<svg role="img" aria-label="{description}"'
    return Markup(made + (f' aria-describedby="{caption}"' if caption else "") + "></svg>")


def quick(account: dict[str, Any], **options: Any) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnscope.report.page.inline", not_saved)
        return report.render(account, **options)


@functools.cache
def html_of(name: str) -> str:
    return report.render(VARIANTS[name]) if name in SAVED else quick(VARIANTS[name])


@pytest.fixture(scope="module", params=VARIANTS)
def rendered(request: pytest.FixtureRequest) -> tuple[dict[str, Any], str, Page]:
    html = html_of(request.param)
    return VARIANTS[request.param], html, Page(html)


def test_the_page_is_whole(rendered: tuple[dict[str, Any], str, Page]) -> None:
    _, html, page = rendered
    assert not page.open
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    html.encode("utf-8")


def test_ids_are_unique_and_every_reference_is_met(
    rendered: tuple[dict[str, Any], str, Page],
) -> None:
    page = rendered[2]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for key in ("href", "aria-labelledby", "clip-path"):
            value = attributes.get(key) or ""
            if value and not value.startswith("data:"):
                assert re.sub(r"url\(#|[#)]", "", value) in ids


def test_the_page_asks_for_nothing(rendered: tuple[dict[str, Any], str, Page]) -> None:
    _, html, page = rendered
    policy = page.all("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert str(policy["content"]).startswith("default-src 'none'")
    for tag, attributes in page.tags:
        assert tag not in {"iframe", "object", "embed", "link", "form", "base"}
        for key, value in attributes.items():
            assert not key.startswith("on")
            if key in {"src", "href", "xlink:href", "action", "srcset"}:
                assert str(value).startswith(("#", "data:image/png;base64,"))
            if key == "style":
                assert "url(" not in str(value).replace("url(#", "")
    css = "".join(re.findall(r"<style>(.*?)</style>", html, re.S))
    assert "url(" not in css
    assert "@import" not in css


def test_tables_and_figures_are_named(rendered: tuple[dict[str, Any], str, Page]) -> None:
    _, html, page = rendered
    assert html.count("<table") == html.count("<caption>")
    assert html.count("<figure") == html.count("<figcaption")
    assert all(row.get("scope") in ("col", "row") for row in page.all("th"))
    for drawing in page.all("svg"):
        assert drawing["role"] == "img"
        assert drawing["aria-label"]


def test_tiles_hold_the_numbers_of_the_account(
    rendered: tuple[dict[str, Any], str, Page],
) -> None:
    account, html, page = rendered
    tiles = (account.get("verdict") or {}).get("figures") or []
    assert [float(str(data["value"])) for data in page.all("data")] == [
        tile["value"] for tile in tiles
    ]
    for tile in tiles:
        assert f">{text.measure(tile['value'], tile['unit'])}</data>" in html
        bounds = text.interval(tile["interval"], tile["unit"])
        assert not bounds or f"interval {bounds}</dd>" in html


def test_what_is_missing_is_named_with_its_reason(
    rendered: tuple[dict[str, Any], str, Page],
) -> None:
    account, _, page = rendered
    shown = "".join(page.words)
    for sentence in account["not_applied"].values():
        assert text.clean(sentence) in shown


def test_evidence_and_phrase_model_are_on_the_page() -> None:
    account = VARIANTS["complete"]
    html = html_of("complete")
    for rule in account["rules"]["evidence"]:
        against = rule["counterexample"]
        assert against is None or against["excerpt"] in html
    for one in account["phrase_model"]["list"]:
        for key in ("parts", "weight", "together"):
            assert f">{text.signed(one[key])}</td>" in html
    kappas = [row["kappa"] for row in account["fidelity"]]
    assert all(f">{text.fixed(kappa)}</td>" in html for kappa in kappas)
    single = html_of("single_words_only")
    assert "No phrase of several words was worth a weight" in single
    assert ">kappa<" not in html_of("older")


def test_hostile_words_stay_words() -> None:
    html = html_of("hostile")
    page = Page(html)
    shown = set(page.words)
    for word in variants.HOSTILE:
        assert text.token(word) in shown
    assert "<script>alert" not in html
    for forbidden in ("<b>", "\x00", "\x07", "\ud800", "\u202e", "x" * 1000):
        assert forbidden not in html
    assert "54439" not in html
    assert "onmouseover" not in {key for _, attributes in page.tags for key in attributes}
    assert "$x^2$" in shown


@settings(max_examples=15, deadline=None)
@given(words=st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_any_word_is_escaped(words: list[str]) -> None:
    account = copy.deepcopy(VARIANTS["no_dynamics"])
    example = account["scores"]["examples"][0]
    example |= {"tokens": words, "gamma": [1.0] * len(words), "beta": None, "rule": None}
    example |= {"others": {}, "way": None}
    account["fidelity"] = []
    account["scores"]["examples"] = [example]
    page = Page(quick(account))
    assert not page.open
    assert all(text.token(word) in page.words for word in words)


def test_rendering_reads_only_gives_the_same_page_and_leaves_matplotlib_alone() -> None:
    account = sample.account()
    given_account = copy.deepcopy(account)
    with mpl.rc_context({"lines.linewidth": 7.0, "text.usetex": True, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        html = report.render(account)
        assert dict(mpl.rcParams) == before
    assert html == html_of("complete")
    assert account == given_account


def test_the_page_is_small_enough_with_many_states() -> None:
    account = sample.account()
    states = account["figures"]["state_space"]["states"]
    account["figures"] = {"state_space": account["figures"]["state_space"], "pushes": None}
    account["figures"]["state_space"]["states"] = {key: rows * 20 for key, rows in states.items()}
    account |= {"join": None, "fidelity": [], "scores": None}
    html = report.render(account)
    assert "data:image/png;base64," in html
    assert len(html.encode()) < 2_500_000


@pytest.mark.parametrize("name", PANELS)
def test_figures_draw_on_the_axes_they_are_given(name: str) -> None:
    draw = getattr(report, name)
    given_axes = Figure().add_subplot()
    assert draw(VARIANTS["complete"], given_axes) is given_axes
    assert given_axes.has_data()
    assert isinstance(draw(VARIANTS["complete"]), Axes)


@pytest.mark.parametrize("name", PANELS)
def test_figures_say_why_there_is_nothing_to_draw(name: str) -> None:
    account = {"not_applied": {name: "The moon was full."}}
    with pytest.raises(NotApplicable, match="The moon was full"):
        getattr(report, name)(account)


def test_a_figure_is_labelled_and_takes_the_colours_of_the_page() -> None:
    drawn = inline(figures.state_space(sample.account()), "here", 'a "plane"')
    assert 'aria-label="a &quot;plane&quot;"' in drawn
    assert "rgb(var(--class-1))" in drawn
    assert "<style" not in drawn
    assert all(name.startswith("here-") for name in re.findall(r' id="([^"]+)"', drawn))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.8734512, "0.873"),
        (1.2e-15, "1.2e−15"),
        (1e-9, "1e−9"),
        (-3.14159, "−3.14"),
        (12345, "12,345"),
        (12345.6, "12,346"),
        (0, "0"),
        (2.5e8, "2.5e8"),
        (True, "yes"),
    ],
)
def test_numbers_are_written_for_people(value: Any, shown: str) -> None:
    assert text.number(value) == shown


def test_units_are_named() -> None:
    assert text.measure(0.8734512, "share") == "87.3\N{NO-BREAK SPACE}%"
    assert text.measure(1, "steps") == "1\N{NO-BREAK SPACE}step"
    assert text.measure(None, "steps") == "not finite"
    assert text.measure(-0.5, "correlation") == "−0.50"
    assert text.measure(3.21, "ratio") == "3.21\N{NO-BREAK SPACE}times"
    assert text.measure(60.0, "count") == "60"
    assert text.interval([0.1, 0.25]) == "10.0 to 25.0\N{NO-BREAK SPACE}%"
    assert text.interval(None) == text.interval([None, 1.0]) == ""


@pytest.mark.skipif(BROWSER is None, reason="no chromium binary on the path")
@pytest.mark.parametrize("name", ["complete", "hostile"])
def test_a_browser_shows_the_page_and_asks_for_nothing(name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(html_of(name), encoding="utf-8")
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
    ]  # fmt: skip
    done = subprocess.run(
        [str(BROWSER), *flags, "--dump-dom", page.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    shown = done.stdout.decode("utf-8", "replace")
    assert len(shown) > 10_000
    ways = sum(bool(one.get("way")) for one in VARIANTS[name]["scores"]["examples"])
    assert shown.count('role="img"') == len(PANELS) + ways
    assert b"Content Security Policy" not in done.stderr
