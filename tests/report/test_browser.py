"""The page in a browser: what its script adds, and that nothing is missing without it."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.browser import alike, ink
from tests.report.test_report import VARIANTS, html_of
from tests.report.variants import HOSTILE

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no chromium binary on the path"),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="playwright is not installed"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("pages")

    def of(name: str) -> str:
        page = folder / f"{name}.html"
        if not page.exists():
            page.write_text(html_of(name), encoding="utf-8")
        return page.as_uri()

    return of


@pytest.fixture
def opened(browser: Any, address: Any) -> Iterator[Any]:
    faults: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: faults.append(r.url) if r.url.startswith("http") else None)
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.goto(address("complete"))
    yield page
    page.close()
    assert not faults


def test_screenshots_show_the_same_in_light_and_dark(browser: Any, address: Any) -> None:
    """What is seen in one look and not in the other is a fault."""
    shots = {}
    for look in ("light", "dark"):
        page = browser.new_page(color_scheme=look)
        page.goto(address("complete"))
        shots[look] = ink(page.screenshot(full_page=True))
        if look == "dark":
            page.locator("figure svg").first.evaluate("(part) => { part.style.opacity = 0; }")
            shots["part missing"] = ink(page.screenshot(full_page=True))
        page.close()
    assert 0.02 < shots["light"].mean() < 0.6
    assert alike(shots["light"], shots["dark"]) > 0.992
    # One part that is not seen is enough to tell.
    assert alike(shots["light"], shots["part missing"]) < 0.992


def column(table: Any, place: int) -> list[float]:
    cells = table.locator(f"tbody tr td:nth-child({place}), tbody tr th:nth-child({place})")
    return [float(v) for v in cells.evaluate_all("cells => cells.map(c => c.dataset.v ?? NaN)")]


def test_tables_are_sorted_and_searched(opened: Any) -> None:
    table = opened.locator("table[data-name=rules-that-decide]")
    head = table.locator("th").nth(2)
    head.locator("button").click()
    decides = column(table, 3)
    assert decides == sorted(decides, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").press("Enter")
    assert column(table, 3) == sorted(decides)
    word = VARIANTS["complete"]["rules"]["evidence"][0]["phrase"][-1]
    opened.get_by_label("Search in: The").first.fill(word)
    shown = table.locator("tbody tr:visible")
    assert 0 < shown.count() < len(decides)
    assert all(word in text for text in shown.all_inner_texts())


def test_figures_are_saved_as_svg_png_and_csv(opened: Any, tmp_path: Path) -> None:
    figure = opened.locator("#figure-eigenvalues")
    for name in ("SVG", "PNG", "CSV"):
        with opened.expect_download() as started:
            figure.get_by_role("button", name=name).click()
        started.value.save_as(tmp_path / started.value.suggested_filename)
    svg = (tmp_path / "eigenvalues.svg").read_text(encoding="utf-8")
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert "var(" not in svg
    assert (tmp_path / "eigenvalues.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "eigenvalues.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    values = VARIANTS["complete"]["figures"]["eigenvalues"]["reference"]
    assert len(rows) == len(values)
    assert float(rows[0]["real"]) == pytest.approx(values[0][0], rel=1e-4)


def test_the_view_starts_when_it_is_opened(opened: Any) -> None:
    assert opened.evaluate("typeof Bokeh") == "undefined"
    opened.locator("#interactive summary").click()
    opened.wait_for_selector("#state-space-view[data-drawn]")
    assert opened.locator("#state-space-view canvas").count() > 0
    states = opened.evaluate(
        "Bokeh.documents.at(-1).roots()[0].renderers.map(r => r.data_source.data.x.length)"
        ".reduce((a, b) => a + b)"
    )
    assert states >= len(VARIANTS["complete"]["figures"]["state_space"]["states"]["xy"])
    opened.get_by_label("up").select_option("2")
    label = opened.evaluate("Bokeh.documents.at(-1).roots()[0].left[0].axis_label")
    assert label.startswith("principal axis 3")


def test_hostile_words_do_nothing(browser: Any, address: Any) -> None:
    page = browser.new_page()
    faults: list[str] = []
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: faults.append(r.url) if r.url.startswith("http") else None)
    page.goto(address("hostile"))
    page.locator("#interactive summary").click()
    page.wait_for_selector("#state-space-view[data-drawn]")
    field = page.locator("input[type=search]").first
    for word in HOSTILE[:8]:
        field.fill(word.replace("\x00", ""))
    with page.expect_download():
        page.locator("#figure-two-stories").get_by_role("button", name="CSV").click()
    assert page.evaluate("document.querySelectorAll('b, main script').length") == 0
    page.close()
    assert not faults


def test_nothing_is_missing_without_scripts(browser: Any, address: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address("complete"))
    assert page.locator("button").count() == 0
    assert page.locator("svg[role=img]").count() > 10
    for rule in VARIANTS["complete"]["rules"]["evidence"]:
        assert page.get_by_text(" ".join(rule["phrase"]), exact=True).first.count()
    assert page.locator("noscript").count() == 1
    context.close()


@pytest.mark.parametrize("width", [400, 900, 1400])
def test_the_page_is_never_wider_than_the_window(browser: Any, address: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address("complete"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_keyboard_reaches_what_can_be_used(opened: Any) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    for box in opened.locator(".scroll").all():
        if box.evaluate("b => b.scrollWidth > b.clientWidth || b.scrollHeight > b.clientHeight"):
            assert box.get_attribute("tabindex") == "0"
    unnamed = opened.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter(e => "
        "!(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length"
    )
    assert unnamed == 0
