"""The Python blocks of the documentation run, in their order."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np

from rnnscope.synthetic import lexicon_network
from tests.dynamics.line_networks import documents, line_network

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def run(page, names, folder, monkeypatch):
    """Every block of a page in one namespace, as a reader would type them."""
    monkeypatch.chdir(folder)
    blocks = BLOCK.findall((DOCS / page).read_text())
    with mpl.rc_context({"backend": "agg"}):
        for number, code in enumerate(blocks):
            exec(compile(code, f"{page}, block {number}", "exec"), names)
    return blocks


def test_the_page_on_dynamics(tmp_path, monkeypatch):
    model = line_network()
    names = {"model": model, "corpus": documents(model, 60)}
    assert len(run("dynamics.md", names, tmp_path, monkeypatch)) == 2
    assert (tmp_path / "branch.svg").stat().st_size > 1000
    assert (tmp_path / "drift.svg").stat().st_size > 1000


def test_the_page_on_the_explorer(tmp_path, monkeypatch):
    weights = {"good": 2.0, "bad": -2.0, "not": 0.0, "a": 0.0, "film": 0.0}
    lexicon_network(weights).save(tmp_path / "runs" / "demo" / "model")
    rng = np.random.default_rng(0)
    corpus = [" ".join(rng.choice(list(weights), size=5)) for _ in range(40)]
    assert len(run("explorer.md", {"corpus": corpus}, tmp_path, monkeypatch)) == 1


def test_the_page_on_studies(tmp_path, monkeypatch):
    assert len(run("studies.md", {}, tmp_path, monkeypatch)) == 1
    assert (tmp_path / "runs" / "small" / "study.html").exists()
