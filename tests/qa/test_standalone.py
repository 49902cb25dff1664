"""The exported Python file answers as the list does, without rnnscope."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

from rnnscope.errors import UsageError
from rnnscope.qa import Categories, Pattern, PatternList, Question, QuestionCorpus

ENTITIES = {"X": "person", "Y": "person", "Z": "film", "7": "", "1999": ""}
WORDS = ["a", "by", "in", "who", *ENTITIES]
SLOTS = ["<answer>", "<answer:person>", "<answer:number>"]
PLACEHOLDERS = ["<entity>", "<number>", "<asked1>", "<asked2>"]


def random_corpus(rng, count=40):
    documents = [tuple(map(str, rng.choice(WORDS, rng.integers(1, 12)))) for _ in range(12)]
    questions = []
    for _ in range(count):
        words = tuple(map(str, rng.choice(WORDS, rng.integers(1, 5))))
        chosen = rng.choice(12, rng.integers(0, 4), replace=False)
        candidates = None if rng.random() < 0.7 else tuple(map(str, rng.choice(list(ENTITIES), 2)))
        questions.append(
            Question(words=words, documents=tuple(map(int, chosen)), candidates=candidates)
        )
    return QuestionCorpus(documents=tuple(documents), questions=tuple(questions), entities=ENTITIES)


def random_list(rng, *, gap, occurrence):
    """Patterns with and without an answer of their own, ends, placeholders and gaps."""
    found = {}
    for _ in range(30):
        words = [str(w) for w in rng.choice(WORDS + PLACEHOLDERS, rng.integers(1, 4))]
        if rng.random() < 0.6:
            words.insert(int(rng.integers(0, len(words) + 1)), str(rng.choice(SLOTS)))
        if rng.random() < 0.2:
            words.insert(0, "<start>")
        if rng.random() < 0.2:
            words.append("<end>")
        if rng.random() < 0.3 and len(words) > 1:
            words.insert(1, "...")
        category = str(rng.choice(["one", "two"]))
        found[category, tuple(words)] = Pattern(words=tuple(words), category=category)
    weights = {
        name: {str(w): float(rng.normal()) for w in ["", "a", "who", "by X", "<start> in"]}
        for name in ("one", "two")
    }
    return PatternList(
        patterns=tuple(found.values()),
        categories=Categories(weights=weights),
        gap=gap,
        within=int(rng.integers(0, 6)),
        occurrence=occurrence,
    )


def imported(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("occurrence", ["first", "last"])
@pytest.mark.parametrize("seed", range(6))
def test_the_file_answers_as_the_list_does(tmp_path, seed, occurrence):
    rng = np.random.default_rng(seed)
    corpus = random_corpus(rng)
    patterns = random_list(rng, gap=int(rng.integers(0, 3)), occurrence=occurrence)
    module = imported(patterns.export(tmp_path / "patterns.py"))
    found = patterns.answer(corpus)
    assert (found.rank >= 0).sum() > 5
    for row, question in enumerate(corpus.questions):
        documents = [corpus.documents[k] for k in question.documents]
        told = module.explain(question.words, documents, ENTITIES, question.candidates)
        assert told["answer"] == found.entities[row]
        assert told["rank"] == found.rank[row]
        if found.rank[row] >= 0:
            places = [told[name] for name in ("first", "last", "place")]
            assert places == [found.first[row], found.last[row], found.place[row]]
            number = int(found.reading.document[found.pair[row]])
            assert question.documents[told["document"]] == number


def test_the_file_needs_nothing_but_python(tmp_path):
    patterns = PatternList(
        patterns=(Pattern(words=("by", "<answer>"), category="who"),),
        categories=Categories(weights={"who": {}}),
    )
    path = patterns.export(tmp_path / "patterns.py")
    asked = {"question": "who made Z", "documents": ["Z is by X ."], "entities": ["X", "Z"]}
    done = subprocess.run(
        [sys.executable, "-I", "-S", path],
        input=json.dumps(asked) + "\n\n",
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["answer"] == "X"
    assert told["pattern"] == "by <answer>"
    assert "rnnscope" not in path.read_text().split("import", 1)[1]


def test_words_that_would_be_code_stay_words(tmp_path):
    words = ('"""', "\\", "'); raise SystemExit('", "<answer>")
    patterns = PatternList(
        patterns=(Pattern(words=words, category="é\n"),),
        categories=Categories(weights={"é\n": {'"': 1.0}}),
    )
    module = imported(patterns.export(tmp_path / "patterns.py"))
    assert (("é\n", words),) == module.PATTERNS
    assert module.answer("who", [[*words[:3], "X"]], ["X"]) == "X"


def test_another_ending_is_refused_and_only_its_own_kind_is_replaced(tmp_path):
    patterns = PatternList(patterns=(), categories=Categories(weights={"a": {}}))
    with pytest.raises(UsageError, match="ending"):
        patterns.export(tmp_path / "patterns.txt")
    other = tmp_path / "mine.py"
    other.write_text("print('mine')\n")
    with pytest.raises(UsageError):
        patterns.export(other)
    assert other.read_text() == "print('mine')\n"
    path = patterns.export(tmp_path / "patterns.py")
    assert patterns.export(path) == path
    assert imported(path).answer("who", ["X"], ["X"]) == ""
