"""The documentation is what it says: its code runs, its commands exist, its pages are complete.

Every ```python block of every page is executed, a page a namespace, as a reader would type them, in
a folder where a small network stands for that of ``make demo`` and a part of the embedded sentences
for all of them. Commands are held against the command line. What is not run stands under a line
that says so, and why.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import sys
import types
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch

import rnnscope as rs
import rnnscope.qa
from rnnscope import cli
from rnnscope.cli import questions

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r"\*Not run by the tests: \S[^*]*\.\*\s*\Z")
UNITS, DOCUMENTS = 12, 1200


def blocks(page: Path, *languages: str) -> list[str]:
    """The blocks of a page in these languages, but for those marked as not run."""
    text = page.read_text(encoding="utf-8")
    found = [m for m in FENCE.finditer(text) if m[1] in languages]
    return [m[2] for m in found if not NOT_RUN.search(text[: m.start()])]


WITH_CODE = [page for page in PAGES if blocks(page, "python")]
COMMANDS = [
    pytest.param(line, id=f"{page.name}: {line[:60]}")
    for page in PAGES
    for block in blocks(page, "", "sh", "bash", "console")
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("rnnscope ")
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """A folder as ``make demo`` leaves it, with a small network and what pages call their files."""
    folder = tmp_path_factory.mktemp("docs")
    corpus = rs.load_corpus("embedded:sentences", limit=DOCUMENTS)
    options = {"embedding": UNITS, "epochs": 5, "batch": 32, "averaging": 0.97, "dropout": 0.2}
    torch.manual_seed(0)
    model = rs.train(
        corpus, units=UNITS, learning_rate=5e-3, directory=folder / "runs" / "demo", **options
    )
    phrases = rs.mine_phrases(rs.CellDifference(model).score(corpus))
    rs.RuleList.from_phrases(phrases, max_rules=20).export(folder / "rules.json")
    rs.PhraseModel.summed(phrases).save(folder / "model.json")
    return folder


@pytest.fixture
def small(demo, monkeypatch) -> Path:
    """Stand in that folder; embedded sets give their first documents, training is short."""
    whole, train = rs.load_corpus, rs.qa.train_question_model

    def part(source, **options):
        return whole(source, **{"limit": DOCUMENTS, **options})

    def briefly(corpus, **options):
        return train(corpus, **{**options, "units": 4, "embedding": 4, "epochs": 1})

    monkeypatch.setattr(rs, "load_corpus", part)
    monkeypatch.setattr(rs.qa, "train_question_model", briefly)
    monkeypatch.chdir(demo)
    monkeypatch.syspath_prepend(str(demo))
    return demo


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_every_block_of_code_runs(page, small, monkeypatch):
    module = types.ModuleType("page")  # dataclasses look their module up
    monkeypatch.setitem(sys.modules, "page", module)
    known = set(sys.modules)
    try:
        with mpl.rc_context({"backend": "agg", "figure.max_open_warning": 0}):
            for number, code in enumerate(blocks(page, "python"), 1):
                exec(compile(code, f"{page.name}, block {number}", "exec"), vars(module))
    finally:
        plt.close("all")
        for name in {"rules", "model", "patterns"} & (set(sys.modules) - known):
            del sys.modules[name]


def test_what_the_pages_write(small):
    """After the pages: figures that hold something, and a page for the studied networks."""
    for name in ("branch.svg", "drift.svg", "fixed_points.svg", "report.html", "rules.py"):
        assert (small / name).stat().st_size > 1000, name
    assert (small / "runs" / "small" / "study.html").exists()


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one(line, monkeypatch):
    """Parsed as typed; each command is replaced by one of its signature that does nothing."""
    called = []

    def idle(function):
        return functools.wraps(function)(lambda *a, **k: called.append(function.__name__))

    for commands in (cli.COMMANDS, questions.COMMANDS):
        for name, function in list(commands.items()):
            monkeypatch.setitem(commands, name, idle(function))
    assert cli.main(shlex.split(line, comments=True)[1:]) == 0
    assert called


def test_every_command_has_its_row(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    named = re.search(r"\{([\w,]+)\}", capsys.readouterr().out)
    assert named
    page = (DOCS / "command_line.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == named[1].split(",")


def test_a_cheap_command_runs(small, capsys):
    line = 'score "not a bad film" --model runs/demo --method leave-one-out'
    assert cli.main(shlex.split(line)) == 0
    assert "film" in capsys.readouterr().out


def test_every_public_name_is_in_the_reference_once():
    listed = re.findall(r"^   (\w+)$", (DOCS / "reference.md").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) | {"CELLS"} == set(rs.__all__)


def test_every_page_is_reached_from_the_first():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    trees = "\n".join(re.findall(r"```{toctree}(.*?)```", index, re.DOTALL))
    entries = [line for line in trees.splitlines() if line and not line.startswith(":")]
    for page in DOCS.glob("*.md"):
        reached = any(Path(page.stem).match(entry) for entry in entries)
        assert page.stem == "index" or reached, page.name


def test_files_that_pages_link_to_exist():
    for page in PAGES:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target:
                there = (page.parent / target).exists()
                assert there, f"{page.name}: {target}"


def test_the_notebook_is_stored_without_output():
    notebook = json.loads((DOCS / "quickstart.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_equations_can_be_drawn():
    """By the same converter as in the site, which knows a part of LaTeX."""
    latex2mathml = pytest.importorskip("docutils.utils.math.latex2mathml")
    for page in DOCS.glob("*.md"):
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        for block, inline in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", text, re.DOTALL):
            assert latex2mathml.tex2mathml((block or inline).strip(), as_block=bool(block))
