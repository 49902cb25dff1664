"""rnnscope qa train, explain, answer."""

from __future__ import annotations

import json

import pytest

from rnnscope.cli import main
from rnnscope.qa import write_jsonl
from tests.qa.helpers import films


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qa")
    data = folder / "films.jsonl"
    data.write_text(write_jsonl(films(12)))
    code = main(
        [
            "qa",
            "train",
            "--out",
            str(folder / "run"),
            "--data",
            str(data),
            "--units",
            "10",
            "--epochs",
            "8",
            "--learning-rate",
            "0.03",
        ]
    )
    assert code == 0
    return folder


def test_explain_and_answer(run, capsys):
    model = ["--model", str(run / "run"), "--data", str(run / "films.jsonl")]
    exported = run / "patterns.json"
    assert main(["qa", "explain", *model, "--min-count", "2", "--export", str(exported)]) == 0
    shown = capsys.readouterr().out
    assert "hits@1" in shown
    assert "director" in shown
    assert main(["qa", "explain", *model, "--min-count", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patterns"]["questions"] > 0
    text = "Rain was made . it was directed by Di_Fox ."
    question = ["qa", "answer", "who directed Rain", "--document", text]
    assert main([*question, *model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answer"] == "Di_Fox"
    assert main([*question, *model, "--patterns", str(exported)]) == 0
    assert capsys.readouterr().out.startswith("Di_Fox")


def test_wrong_usage(run, capsys):
    model = ["--model", str(run / "run"), "--data", str(run / "films.jsonl")]
    assert main(["qa", "answer", "who directed Nothing", *model]) == 0
    assert "no answer" in capsys.readouterr().out
    assert main(["qa", "answer", "who directed Rain", "--document", " ", *model]) == 1
    assert main(["qa", "answer", "who", "--model", str(run / "nowhere"), *model[2:]]) == 2
    assert main(["qa", "train", "--data", str(run / "none.jsonl"), "--out", str(run / "x")]) == 2
    with pytest.raises(SystemExit):
        main(["qa", "--help"])
    assert "explain" in capsys.readouterr().out
