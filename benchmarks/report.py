"""How long a report takes: to write, to its first view, and until its state space can be moved.

Run ``python benchmarks/report.py [account.json]``. Without an account a small network is trained on
the embedded sentences. Needs bokeh, playwright and a chromium binary on the path.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

import rnnscope as rs
from rnnscope.report import render

STATES = 20_000
REPEATS = 5
FIRST_VIEW, INTERACTIVE, SIZE = 1.0, 2.0, 2_500_000


def account() -> dict[str, Any]:
    """The account of a small network, or the one that was named."""
    if len(sys.argv) > 1:
        return json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sentences = rs.load_corpus("embedded:sentences")
    with tempfile.TemporaryDirectory() as folder:
        model = rs.train(sentences, epochs=2, units=16, directory=folder)
    return rs.explain(model, sentences, points=60).to_dict()


def enlarged(held: dict[str, Any]) -> dict[str, Any]:
    """The account with as many states on the way as the view is to stand."""
    rng = np.random.default_rng(0)
    space = held["figures"]["state_space"]
    xy = np.array(space["states"]["xy"])
    drawn = xy[rng.integers(0, len(xy), STATES)] + rng.normal(0, 0.3, (STATES, 2))
    space["visited"] = {
        "xy": drawn.round(4).tolist(),
        "z": rng.normal(0, 0.3, STATES).round(4).tolist(),
        "document": (np.arange(STATES) // 20).tolist(),
        "word": (np.arange(STATES) % 20 + 1).tolist(),
    }
    return held


def first_view(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds to the first paint, and until everything is loaded."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    page.wait_for_function("performance.getEntriesByType('paint').length > 0")
    paint, load = page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime,"
        " performance.getEntriesByType('navigation')[0].loadEventEnd]"
    )
    page.close()
    return paint / 1000, load / 1000


def interactive(browser: Browser, address: str) -> float:
    """Seconds from opening the view until it is drawn."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    page.locator("#interactive summary").click()
    page.wait_for_selector("#state-space-view[data-drawn]")
    seconds = float(page.locator("#state-space-view").get_attribute("data-drawn") or "nan") / 1000
    page.close()
    return seconds


def main() -> None:
    held = account()
    started = time.perf_counter()
    html = render(held)
    print(f"written in {time.perf_counter() - started:.1f} s, {len(html.encode()):,} bytes")
    many = render(enlarged(held))
    print(f"with {STATES:,} states on the way: {len(many.encode()):,} bytes (target {SIZE:,})")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, text in (("as it is", html), (f"{STATES:,} states", many)):
            path = Path(folder) / "page.html"
            path.write_text(text, encoding="utf-8")
            views = [first_view(browser, path.as_uri()) for _ in range(REPEATS)]
            opened = [interactive(browser, path.as_uri()) for _ in range(REPEATS)]
            paint, load = (statistics.median(column) for column in zip(*views, strict=True))
            print(
                f"{name}: first paint {paint:.2f} s, loaded {load:.2f} s (target {FIRST_VIEW}); "
                f"view {statistics.median(opened):.2f} s, {min(opened):.2f} to {max(opened):.2f} "
                f"(target {INTERACTIVE})"
            )
        browser.close()


if __name__ == "__main__":
    main()
