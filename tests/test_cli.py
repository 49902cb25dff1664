"""Every command: what it prints, its exit code, and what it says when the call is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

import rnnscope as rs
from rnnscope.cli import COMMANDS, METHODS, main
from rnnscope.synthetic import lexicon_network
from tests.helpers import stopped_after

WEIGHTS = {"good": 2.0, "great": 3.0, "bad": -2.0, "awful": -3.0, "the": 0.0, "film": 0.0}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A saved network, and a file of texts for it."""
    folder = tmp_path_factory.mktemp("run")
    lexicon_network(WEIGHTS).save(folder / "model")
    rows = ["text,label,stars"]
    for k in range(80):
        word, label = [("good", "positive"), ("awful", "negative")][k % 2]
        rows.append(f"the {'film ' * (k % 5)}{word} film x{k},{label},{2 * (k % 2)}")
    (folder / "reviews.csv").write_text("\n".join(rows) + "\n")
    return folder


def call(capsys, *arguments):
    """Exit code, standard output, standard error."""
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_one_real_example(command, capsys):
    code, out, _ = call(capsys, command, "--help")
    assert code == 0
    assert f"Example: rnnscope {command}" in " ".join(out.split())
    assert "--json" in out


def test_score_adds_up(run, capsys):
    code, out, _ = call(capsys, "score", "A good film, not bad!", "--model", run, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["tokens"] == ["a", "good", "film", ",", "not", "bad", "!"]
    for k, logit in enumerate(result["logits"]):
        total = sum(row[k] for row in result["values"]) + result["bias"][k]
        assert total == pytest.approx(logit, abs=1e-12)
    code, out, _ = call(capsys, "score", "good", "--model", run, "--method", "beta")
    assert code == 0
    assert "positive: 0." in out


def test_rules(run, capsys):
    arguments = ("rules", "--model", run, "--data", run / "reviews.csv", "--min-count", 2)
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["agreement"] == 1.0
    assert {"good", "awful"} <= {word for rule in result["rules"] for word in rule["phrase"]}
    code, out, _ = call(capsys, *arguments, "--show", 1)
    assert code == 0
    assert "agreement with the network 1.000" in out


def test_rules_are_bounded_pruned_and_exported(run, capsys, tmp_path):
    arguments = ("rules", "--model", run, "--data", run / "reviews.csv", "--min-count", 2)
    whole = json.loads(call(capsys, *arguments, "--json")[1])
    file = tmp_path / "rules.json"
    code, out, err = call(capsys, *arguments, "--prune", "--export", file, "--json")
    assert code == 0
    assert f"rules: {file}" in err
    pruned = json.loads(out)
    assert pruned["pruned"]
    assert pruned["agreement"] == pruned["fidelity"]["agreement"]["value"] == 1.0
    assert pruned["size"] < whole["size"]
    assert rs.RuleList.load(file).to_dict()["rules"] == pruned["rules"]
    least = whole["rules"][0]["importance"]
    code, out, _ = call(capsys, *arguments, "--min-importance", least, "--json")
    assert {rule["importance"] for rule in json.loads(out)["rules"]} == {least}
    code, out, _ = call(capsys, *arguments, "--max-rules", 1, "--score", "gamma", "--json")
    assert (json.loads(out)["size"], json.loads(out)["method"]) == (1, "gamma")
    script = tmp_path / "rules.py"
    assert call(capsys, *arguments, "--prune", "--export", script)[0] == 0
    done = subprocess.run(
        [sys.executable, script], input="a good film\nan awful film\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["positive", "negative"]


def test_an_edited_list_is_judged_beside_the_baselines(run, capsys, tmp_path):
    source = ("--model", run, "--data", run / "reviews.csv")
    file = tmp_path / "rules.json"
    call(capsys, "rules", *source, "--min-count", 2, "--prune", "--export", file)
    code, out, _ = call(capsys, "judge", "--rules", file, *source, "--json")
    assert code == 0
    result = json.loads(out)
    rows = {row["name"]: row for row in result["rows"]}
    assert list(rows) == ["rules", "majority class", "bag of words", "bag of 1-3-grams"]
    assert rows["rules"]["agreement"]["value"] == 1.0
    assert result["against"] == []
    assert result["rules_less_bag_of_words"]["value"] <= 0.0
    edited = json.loads(file.read_text())
    wrong = {"phrase": "Film", "class": "positive"}
    edited |= {"rules": [wrong, *edited["rules"]], "fingerprint": "another"}
    file.write_text(json.dumps(edited))
    code, out, err = call(capsys, "judge", "--rules", file, *source, "--label", "label")
    assert code == 0
    assert "read out of another network" in err
    assert "film: positive" in out
    assert "bag of words" in out
    file.write_text(json.dumps(edited | {"classes": ["positive", "negative"]}))
    code, _, err = call(capsys, "judge", "--rules", file, *source)
    assert code == 1
    assert "expected: negative, positive" in err


@pytest.mark.parametrize("method", METHODS)
def test_every_method_scores(run, capsys, method):
    arguments = ("score", "a good film", "--model", run, "--method", method)
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    result = json.loads(out)
    good = result["values"][result["tokens"].index("good")]
    assert good[1] > good[0]
    complete = method in ("beta", "gamma", "integrated-gradients")
    assert (result["completeness"] is not None) == complete
    _, out, _ = call(capsys, *arguments)
    assert ("(no word)" in out) == complete
    assert ("do not add up" in out) != complete


def test_report_writes_the_page_and_names_it(run, capsys, tmp_path):
    page = tmp_path / "out" / "page.html"
    arguments = ("report", "--model", run, "--data", run / "reviews.csv", "--out", page)
    code, out, _ = call(capsys, *arguments, "--label", "label", "--valence", "stars")
    assert code == 0
    assert out.rstrip().endswith(f"report: {page}")
    assert page.is_file()
    assert json.loads((page.parent / "account.json").read_text())["accuracy"] == 1.0


def test_a_report_that_is_stopped_goes_on(run, capsys, tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    arguments = ("report", "--model", run, "--data", run / "reviews.csv", "--out", page)
    names = stopped_after(monkeypatch, 5, KeyboardInterrupt)
    code, _, err = call(capsys, *arguments)
    assert code == 1
    assert "what was finished is kept" in err
    assert len(list(tmp_path.glob(".page.parts/*/*/result.json"))) == 5
    assert call(capsys, *arguments)[0] == 0
    assert len(set(names)) == len(names) > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["account.json", "page.html"]


def test_train_then_dynamics(tmp_path, capsys):
    data = tmp_path / "tiny.jsonl"
    lines = [
        json.dumps({"text": f"{w} film {k}", "label": w})
        for k in range(40)
        for w in ("good", "bad")
    ]
    data.write_text("\n".join(lines))
    sizes = ("--architecture", "gru", "--units", 4, "--embedding", 4, "--epochs", 2)
    code, out, err = call(capsys, "train", tmp_path / "gru", "--data", data, *sizes)
    assert code == 0, err
    assert "model: " in out
    assert rs.load(tmp_path / "gru").architecture == "gru(4)"
    code, out, err = call(
        capsys, "dynamics", "--model", tmp_path / "gru", "--data", data, "--points", 20, "--json"
    )
    assert code == 0, err
    assert json.loads(out)["points"]["seeds"] == 20


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("score", "x", "--model", "nowhere"), 2, "nothing there"),
        (("rules", "--model", "{run}", "--data", "nothing.csv"), 2, "nothing.csv"),
        (
            ("rules", "--model", "{run}", "--data", "{run}/reviews.csv", "--text", "body"),
            2,
            "stars",
        ),
        (("rules", "--model", "{run}", "--data", "embeded"), 2, "embedded"),
        (("report", "--model", "{run}", "--out", "page.txt"), 2, ".html"),
        (("rules", "--model", "nowhere", "--export", "rules.txt"), 2, ".json or .py"),
        (("rules", "--model", "{run}", "--score", "occlusion"), 2, "gamma"),
        (("judge", "--model", "{run}"), 2, "--rules"),
        (("judge", "--rules", "nothing.json", "--model", "{run}"), 2, "nothing.json"),
        (("judge", "--rules", "{run}/reviews.csv", "--model", "{run}"), 1, "line 1"),
        (("score", "x", "--model", "{run}", "--method", "lime"), 2, "leave-one-out"),
        (("train", "out", "--architecture", "transformer"), 2, "lstm"),
        (("train",), 2, "DIR"),
        (("explode",), 2, "dynamics"),
        (("score", "", "--model", "{run}"), 1, "document 0 is empty"),
        (("dynamics", "--model", "{run}", "--inputs", "zzz"), 2, "vocabulary"),
        ((), 2, "demo"),
        (("report", "--model", "{run}", "--out", "/dev/null/x.html"), 2, "/dev/null"),
        (("dynamics", "--model", "{run}", "--seed", "-1"), 2, "rng"),
        (("report", "--model", "{run}", "--seed", "-1"), 2, "seed"),
        (("train", "{run}/reviews.csv", "--data", "{run}/reviews.csv"), 2, "which is a file"),
    ],
    ids=str,
)
def test_what_is_wrong_is_answered_with_what_exists(run, capsys, arguments, code, message):
    got, out, err = call(capsys, *(a.format(run=run) for a in arguments))
    assert got == code
    assert message in out + err
    assert "Traceback" not in err


def test_the_module_runs_as_a_process(run):
    done = subprocess.run(
        [sys.executable, "-m", "rnnscope.cli", "score", "good", "--model", run / "nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "There must be a saved model" in done.stderr


def test_what_cannot_be_exported_is_said_before_the_work(run, capsys, tmp_path):
    """Once after minutes of mining, and the list was lost."""
    (tmp_path / "mine.py").write_text("print(1)")
    for arguments in (["--export", tmp_path / "mine.py"], ["--max-rules", 0]):
        code, _, err = call(
            capsys, "rules", "--model", run, "--data", run / "reviews.csv", *arguments
        )
        assert code == 2
        assert "scoring" not in err
    assert (tmp_path / "mine.py").read_text() == "print(1)"


def test_a_class_name_cannot_steer_the_terminal(run, capsys, tmp_path):
    """Escape codes in a model's or a list's class names were once printed as they are."""
    names = ("\x1b[31mnegative", "positive")
    replace(lexicon_network(WEIGHTS), classes=names).save(tmp_path / "model")
    rows = ["text"] + [f"a {'good' if k % 2 else 'awful'} film x{k}" for k in range(80)]
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n")
    wrong = rs.RuleList.of([("good", names[0])], default=names[1], classes=names)
    wrong.export(tmp_path / "wrong.json")
    data = ["--model", tmp_path, "--data", tmp_path / "data.csv"]
    for arguments in (
        ["rules", *data],
        ["judge", "--rules", tmp_path / "wrong.json", *data],
        ["score", "good", "--model", tmp_path],
    ):
        code, out, _ = call(capsys, *arguments)
        assert code == 0
        assert "negative" in out
        assert "\x1b" not in out
