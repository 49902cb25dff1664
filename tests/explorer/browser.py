"""A served explorer and a browser to click through it; and what is wrong with a page's layout."""

from __future__ import annotations

import io
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

FAULTS = Path(__file__).with_name("faults.js").read_text()
"""Gives what is wrong with how the page is laid out."""


@contextmanager
def served(app):
    """The address of a running explorer."""
    import uvicorn

    from rnnscope.explorer.serving import listen

    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    socket = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()


@contextmanager
def chromium():
    """Debian's, found on the path; nothing is downloaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium on the path")
    with playwright.sync_playwright() as found:
        browser = found.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def ink(screenshot: bytes, cell: int = 12) -> np.ndarray:
    """Which squares of a screenshot show something: pixels unlike the commonest, the paper."""
    grey = np.asarray(Image.open(io.BytesIO(screenshot)).convert("L"), dtype=int)
    paper = np.bincount(grey.ravel()).argmax()
    marked = np.abs(grey - paper) > 24
    rows, columns = (n // cell for n in marked.shape)
    squares = marked[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    return squares.mean(axis=(1, 3)) > 0.02


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """The share of the squares with something in either that have it in both; 0 for other sizes."""
    if one.shape != other.shape:
        return 0.0
    return float((one & other).sum() / max(1, (one | other).sum()))
