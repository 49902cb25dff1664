"""Export and hand-editing: what is loaded or run again decides the same; mistakes are named."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity import judge
from rnnscope.rules import Rule, RuleList

HOSTILE = [
    *("'", '"', '"""', "'''", "\\", "\\'", "\n", "\r\n", "\u2028", "\0", "{0}", "%s", "{x!r}"),
    *("é", "\U0001f600", "\ud800", "\udfff", "\u202e", "#", "')]\nimport os", "</script>", " ", ""),
]
WORD = st.sampled_from([*HOSTILE, "good", "bad", "not"])
PHRASES = st.lists(st.lists(WORD, min_size=1, max_size=4).map(tuple), max_size=10, unique=True)
TEXT = st.text() | st.lists(st.sampled_from([*HOSTILE, "good", "bad", "Not", "!"])).map(" ".join)


def hostile_rules(phrases, names=("no", "yes")):
    rules = [Rule(words=words, class_index=k % len(names)) for k, words in enumerate(phrases)]
    return RuleList(rules=tuple(rules), default=0, classes=tuple(names))


def run_file(path):
    space = {"__name__": "exported"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)
    return space


@given(phrases=PHRASES, documents=st.lists(st.lists(WORD, max_size=8) | TEXT, max_size=6))
@settings(max_examples=40, deadline=None)
def test_exported_lists_decide_the_same(phrases, documents, tmp_path_factory):
    rules = hostile_rules(phrases)
    folder = tmp_path_factory.mktemp("rules")
    alone = run_file(rules.export(folder / "rules.py"))
    expected = [rules.classes[k] for k in rules.predict(documents)]
    assert [alone["predict"](d) for d in documents] == expected
    for document in documents:
        why, told = rules.explain(document), alone["explain"](document)
        assert (told["class"], told["rank"], told["position"]) == (
            why.class_name,
            why.rank,
            why.position,
        )
        assert told["phrase"] == (None if why.rule is None else list(why.rule.words))
    again = RuleList.load(rules.export(folder / "rules.json"))
    assert again.rules == rules.rules
    assert again.to_dict() == rules.to_dict()
    np.testing.assert_array_equal(again.predict(documents), rules.predict(documents))


def test_the_python_file_runs_with_python_alone(tmp_path):
    phrases = [("not", "good"), ("good",), *((word, "good") for word in HOSTILE)]
    rules = hostile_rules(phrases, names=("no", "yes", 'it\'s "so"\n'))
    texts = ["Not good!", "GOOD film", "", "bad", "don\u2019t \U0001f600 good", "x \ufeff good"]
    path = rules.export(tmp_path / "rules.py")
    for options in ([], ["--explain"]):
        ran = subprocess.run(
            [sys.executable, "-I", "-S", str(path), *options],
            input="\n".join(texts).encode(),
            capture_output=True,
            check=True,
        )
        told = ran.stdout.decode().splitlines()
        names = [rules.classes[k] for k in rules.predict(texts)]
        if options:
            assert [json.loads(line)["class"] for line in told] == names
        else:
            assert told == [n if n.isprintable() else ascii(n) for n in names]
    wrong = subprocess.run([sys.executable, "-I", str(path), "--help"], capture_output=True)
    assert wrong.returncode == 1
    assert b"usage" in wrong.stderr


def test_the_python_file_of_another_tokenizer_takes_words_only(tmp_path):
    rules = RuleList.of([(["a b"], "y")], default="n", classes=["n", "y"], tokenizer="own")
    alone = run_file(rules.export(tmp_path / "rules.py"))
    assert alone["predict"](["a b"]) == "y"
    with pytest.raises(TypeError, match="give words"):
        alone["predict"]("a b")
    with pytest.raises(TypeError, match="sequence of words"):
        alone["predict"]([1])


def test_an_empty_list_exports_and_loads(tmp_path):
    rules = hostile_rules([])
    assert RuleList.load(rules.export(tmp_path / "r.json")).predict(["x"]).tolist() == [0]
    assert run_file(rules.export(tmp_path / "r.py"))["predict"]("x") == "no"


def test_a_list_edited_by_hand_is_judged_the_same_way(tmp_path):
    rules = RuleList.of(
        [("not good", "no"), ("good", "yes"), ("bad", "no")], default="yes", classes=["no", "yes"]
    )
    path = rules.export(tmp_path / "rules.json")
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if '"not"' in line)
    # Drop "not good", put "bad" before "good", add one as a text and one as words.
    lines[first : first + 3] = [
        '  {"phrase": ["bad"], "class": "no"},',
        '  {"phrase": "not so", "class": "no"},',
        '  {"phrase": ["so", "good"], "class": "yes"},',
        '  {"phrase": "good", "class": "yes"}',
    ]
    path.write_text("\n".join(lines))
    edited = RuleList.load(path)
    assert [rule.text for rule in edited.rules] == ["bad", "not so", "so good", "good"]
    documents = ["not so good", "so good", "good but bad", "x"]
    assert edited.predict(documents).tolist() == [0, 1, 0, 1]
    judged = judge("edited", edited, documents, network=np.array([0, 1, 1, 1]))
    assert judged.agreement.value == 0.75
    assert judged.coverage == 0.75
    assert judged.size == 4


def test_mined_numbers_survive(tmp_path):
    rule = Rule(words=("a",), class_index=1, importance=2.5, count=7, precision=0.1 + 0.2)
    endless = Rule(words=("b",), class_index=0, importance=float("inf"), count=np.int64(3))
    rules = RuleList(rules=(rule, endless), default=np.int64(1), classes=("n", "y"), method="beta")
    again = RuleList.load(rules.export(tmp_path / "r.json"))
    assert again.rules[0] == rule
    assert (again.rules[1].importance, again.rules[1].count) == (None, 3)
    assert (again.default, again.method) == (1, "beta")


def edited(tmp_path, **changes):
    content = {
        "format": "rnnscope rule list",
        "version": 1,
        "classes": ["no", "yes"],
        "default": "no",
        "rules": [{"phrase": "good", "class": "yes"}],
    }
    path = tmp_path / "edited.json"
    path.write_text(json.dumps({**content, **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rules": [{"phrase": "a", "class": "perhaps"}]}, r"'perhaps' in rule 1, 'a'"),
        ({"rules": [{"phrase": "a"}]}, r"None in rule 1"),
        (
            {"rules": [{"phrase": p, "class": "no"} for p in ("a", "b", ["a"])]},
            "'a' as rule 1 and as rule 3",
        ),
        ({"rules": [{"phrase": "  ", "class": "no"}]}, r"'  ' in rule 1"),
        ({"rules": [{"phrase": [], "class": "no"}]}, r"\[\] in rule 1"),
        ({"rules": [{"phrase": 3, "class": "no"}]}, r"3 in rule 1"),
        ({"rules": [{"phrase": "a", "class": "no", "clas": 1}]}, "'clas' in rule 1"),
        ({"rules": [{"phrase": "a", "class": "no", "count": 1.5}]}, "1.5 in rule 1"),
        ({"rules": [{"phrase": "a", "class": "no", "importance": "x"}]}, "'x' in rule 1"),
        ({"rules": ["good"]}, "'good' as rule 1"),
        ({"rules": {}}, "rules in a list"),
        ({"default": "?"}, r"'\?' in the default"),
        ({"classes": ["no", "no"]}, "each once"),
        ({"classes": "no"}, "names its classes"),
        ({"format": "x"}, "says what it is"),
        ({"version": 2}, "version 2"),
        ({"tokeniser": "words"}, "'tokeniser' in the file"),
        ({"tokenizer": "own"}, "the phrase of rule 1"),
        ({"method": 3}, '"method" is a string'),
    ],
)
def test_mistakes_are_named(tmp_path, changes, said):
    with pytest.raises(DataError, match=said):
        RuleList.load(edited(tmp_path, **changes))


def test_files_that_are_no_rule_list(tmp_path):
    path = tmp_path / "r.json"
    path.write_text('{\n "format": "rnnscope rule list",\n "rules": [\n  {"phrase": "a"},\n ]\n}')
    with pytest.raises(DataError, match=r"r.json, line \d, column \d"):
        RuleList.load(path)
    path.write_text('{"classes": [], "classes": []}')
    with pytest.raises(DataError, match="stands once in an object"):
        RuleList.load(path)
    path.write_text("[" * 100_000)
    with pytest.raises(DataError, match="is a JSON file"):
        RuleList.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        RuleList.load(path)
    for missing in (tmp_path / "none.json", tmp_path, "\0", 3):
        with pytest.raises(UsageError, match=r"must be a rule list|path of RuleList\.load"):
            RuleList.load(missing)


def test_nothing_else_is_overwritten(tmp_path):
    rules = hostile_rules([("a",)])
    for name in ("r.json", "r.py"):
        path = tmp_path / name
        path.write_text("mine")
        with pytest.raises(UsageError, match="holds something else"):
            rules.export(path)
        assert path.read_text() == "mine"
        path.unlink()
        rules.export(path)
        hostile_rules([("b",)]).export(path)
        assert "'b'" in path.read_text() or '"b"' in path.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.json", "r.py"]
    with pytest.raises(UsageError, match=r"\.json or \.py"):
        rules.export(tmp_path / "r.txt")
    with pytest.raises(UsageError, match="can be written"):
        rules.export(tmp_path / "r.json" / "r.py")
    with pytest.raises(UsageError, match="can be written"):
        rules.export("\0.json")


def test_what_json_cannot_hold_is_refused(tmp_path):
    """Two surrogates side by side come back from JSON as one character."""
    rules = hostile_rules([("\ud83d\ude00",), ("\U0001f600",)])
    with pytest.raises(DataError, match="rule 1"):
        rules.export(tmp_path / "r.json")
    alone = run_file(rules.export(tmp_path / "r.py"))
    for rule in rules.rules:
        assert alone["explain"](rule.words)["phrase"] == list(rule.words)
    assert list(tmp_path.iterdir()) == [tmp_path / "r.py"]


def test_lists_made_by_hand():
    rules = RuleList.of(
        [("Not good", "no"), (["good"], "yes")], default="no", classes=["no", "yes"]
    )
    assert rules.rules[0] == Rule(words=("not", "good"), class_index=0)
    assert rules.predict(["not good", "good", "x"]).tolist() == [0, 1, 0]
    assert "not good" in repr(rules)
    with pytest.raises(DataError, match="'perhaps' in rule 1"):
        RuleList.of([("good", "perhaps")], default="no", classes=["no", "yes"])
    with pytest.raises(DataError, match="'good' as rule 1 and as rule 2"):
        RuleList.of([("good", "yes"), ("Good", "no")], default="no", classes=["no", "yes"])


def test_tables_are_escaped():
    rules = hostile_rules([("<script>alert(1)</script>",), ("\u202e\ud800",)], names=("<b>", "y"))
    shown = rules._repr_html_()
    assert "<script" not in shown
    assert "<b>" not in shown
    shown.encode()
    frame = hostile_rules([("not", "good"), ("good",)]).to_frame()
    assert frame["phrase"].to_list() == ["not good", "good"]
    assert frame["class"].to_list() == ["no", "yes"]


def test_a_file_that_only_mentions_the_format_is_not_replaced(tmp_path):
    """Any JSON file with a "format" and the words "rnnscope rule list" was once overwritten."""
    path = tmp_path / "notes.json"
    path.write_text('{"format": "notes", "about": "an rnnscope rule list"}')
    with pytest.raises(UsageError, match="holds something else"):
        hostile_rules([("a",)]).export(path)
    assert "notes" in path.read_text()


def test_a_link_and_a_files_permissions_are_kept(tmp_path):
    """A link was once replaced by a file, and a private file made readable for all."""
    rules = hostile_rules([("a",)])
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    rules.export(target)
    target.chmod(0o600)
    link.symlink_to(target)
    hostile_rules([("b",)]).export(link)
    assert link.is_symlink()
    assert RuleList.load(target).rules[0].words == ("b",)
    assert target.stat().st_mode & 0o777 == 0o600


def test_numbers_of_numpy_are_written(tmp_path):
    """A float32 importance once ended the export with a TypeError."""
    rule = Rule(words=("a",), class_index=0, importance=np.float32(2), precision=np.float32(0.5))
    rules = RuleList(rules=(rule,), default=0, classes=("no", "yes"))
    loaded = RuleList.load(rules.export(tmp_path / "rules.json"))
    assert (loaded.rules[0].importance, loaded.rules[0].precision) == (2.0, 0.5)
