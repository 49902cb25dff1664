"""``rnnscope study``: runs a grid, tells how far it is, and writes what is finished."""

from __future__ import annotations

import json

from rnnscope.cli import main
from tests.study.grids import write_reviews

GRID = """
name = "tiny"
architectures = ["vanilla"]
units = [4]
seeds = [0]
[training]
embedding = 4
epochs = 1
min_count = 1
[analyses.accuracy]
[data.reviews]
source = "{source}"
"""


def call(capsys, *arguments):
    code = main(["study", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_study_from_the_command_line(tmp_path, capsys):
    write_reviews(tmp_path)
    grid = tmp_path / "tiny.toml"
    grid.write_text(GRID.format(source="reviews.jsonl"))
    out = tmp_path / "out"
    code, printed, _ = call(capsys, grid, "--folder", out, "--only", "status")
    assert code == 0
    assert printed.startswith("waiting")
    code, printed, _ = call(capsys, grid, "--folder", out)
    assert code == 0
    assert "Accuracy on held-out documents" in printed
    assert (out / "study.html").exists()
    code, printed, _ = call(capsys, grid, "--folder", out, "--only", "status", "--json")
    assert [row["state"] for row in json.loads(printed)] == ["finished"]
    code, printed, _ = call(capsys, grid, "--folder", out, "--only", "tables", "--json")
    assert len(json.loads(printed)["written"]) > 4


def test_a_study_whose_data_is_not_there(tmp_path, capsys):
    grid = tmp_path / "tiny.toml"
    grid.write_text(GRID.format(source="none.jsonl"))
    code, _, told = call(capsys, grid, "--folder", tmp_path / "out")
    assert code == 1
    assert "1 that failed" in told
    assert call(capsys, tmp_path / "none.toml")[0] == 2
