"""Corpora, readers, the generator, retrieval, the embedded set."""

from __future__ import annotations

import gzip
import importlib.util
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from rnnscope.errors import DataError, UsageError
from rnnscope.qa import (
    EntityNames,
    Question,
    QuestionCorpus,
    Reading,
    Retriever,
    load_questions,
    read_babi,
    read_jsonl,
    read_squad,
    read_wikimovies,
    verbalise,
    write_jsonl,
)
from tests.qa.helpers import films

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_questions.py"


def test_bad_corpora_are_refused():
    with pytest.raises(DataError, match="at least one token"):
        QuestionCorpus(documents=((),), questions=())
    with pytest.raises(DataError, match="documents that exist"):
        QuestionCorpus(documents=(("a",),), questions=(Question(words=("b",), documents=(1,)),))
    with pytest.raises(DataError, match="at least one word"):
        QuestionCorpus(documents=(("a",),), questions=(Question(words=(), documents=(0,)),))
    with pytest.raises(DataError, match="three splits"):
        QuestionCorpus(
            documents=(("a",),), questions=(Question(words=("b",), documents=(0,), split="dev"),)
        )
    with pytest.raises(UsageError, match="by a name it has"):
        films().split("nowhere")


def test_what_cannot_be_answered_is_counted():
    corpus = QuestionCorpus(
        documents=(("Ann", "sings"), ("nobody", "sings")),
        questions=(
            Question(words=("who",), documents=(0,), answers=("Ann",)),
            Question(words=("who",), documents=(0,), answers=("Bo",)),
            Question(words=("who",), documents=(1,), answers=("Ann",)),
            Question(words=("is", "Ann"), documents=(0,), answers=("Ann",)),
        ),
        entities={"Ann": "person", "Bo": "person"},
    )
    described = corpus.describe()
    assert described["answerable"] == 1
    assert described["without_candidate"] == 2


def test_names_are_the_longest_that_fit():
    names = EntityNames(["Woody Allen", "Woody", "Annie Hall", "1977"])
    assert names.tokens("Did Woody Allen direct Annie Hall in 1977? Woody did") == [
        "did", "Woody_Allen", "direct", "Annie_Hall", "in", "1977", "?", "Woody", "did",
    ]  # fmt: skip


def test_retrieval_by_rare_words():
    documents = [("x", "is", "rare"), ("is", "y"), ("is", "x", "y")]
    retrieve = Retriever(documents, below=3)
    assert retrieve(["is"]) == ()
    assert retrieve(["is", "x"]) == (0, 2)
    assert retrieve(["x", "y"])[0] == 2
    assert Retriever(documents, below=3, limit=1)(["x", "y"]) == (2,)
    with pytest.raises(UsageError):
        Retriever(documents, below=0)


def test_what_a_question_names_becomes_a_placeholder():
    reading = Reading.of(films())
    assert reading.question_words[0] == ("who", "directed", "<asked1>")
    assert reading.words[0][0] == "<asked1>"
    assert reading.token(0, 0) == "Dawn"
    assert 0 not in reading.places[0]
    assert reading.right(0).sum() == 1


def test_jsonl_there_and_back(tmp_path):
    corpus = films()
    path = tmp_path / "films.jsonl"
    path.write_text(write_jsonl(corpus))
    assert read_jsonl(path).fingerprint == corpus.fingerprint


def test_jsonl_written_by_hand(tmp_path):
    path = tmp_path / "hand.jsonl"
    path.write_text(
        '{"question": "Who directed Dawn?", "document": "Dawn was directed by Ann Lee.", '
        '"answers": ["Ann Lee"]}\n{"entity": "Dawn", "type": "film"}\n'
    )
    corpus = load_questions(path)
    assert corpus.questions[0].answers == ("Ann_Lee",)
    assert "Ann_Lee" in corpus.documents[0]
    assert corpus.candidates(corpus.questions[0]) == ["Ann_Lee"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "JSON object"),
        ("[1]", "JSON object"),
        ('{"question": "a", "documents": ["7"]}', "by their id"),
        ('{"question": "a", "documents": [], "answer": "b"}', "known keys"),
        ('{"question": "a", "documents": [], "answers": "b"}', "list of strings"),
        ('{"question": "", "documents": []}', "at least one word"),
        ('{"document": "", "id": "1"}', "at least one token"),
    ],
)
def test_mistakes_in_jsonl_are_named(tmp_path, line, message):
    path = tmp_path / "wrong.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=message):
        read_jsonl(path)


def test_babi(tmp_path):
    path = tmp_path / "qa1.txt"
    path.write_text(
        "1 Mary moved to the hall.\n2 John went home.\n3 Where is Mary? \thall\t1\n"
        "4 Mary went home.\n5 Where is Mary?\thome\t4\n1 Ann left.\n2 Where is Ann?\thall\t1\n"
    )
    corpus = read_babi(path, split="test")
    assert [q.supporting for q in corpus.questions] == [(0,), (2,), (0,)]
    assert corpus.questions[0].answers == ("hall",)
    assert corpus.documents[2] == ("ann", "left", ".")
    assert Reading.of(corpus).question_words[0] == ("where", "is", "<asked1>", "?")
    path.write_text("no number\n")
    with pytest.raises(DataError, match="number and a sentence"):
        read_babi(path)


def test_squad(tmp_path):
    path = tmp_path / "squad.json"
    question = {"question": "Who wrote Dusk?", "answers": [{"text": "Bo Dahl", "answer_start": 5}]}
    impossible = {"question": "Why?", "answers": [], "is_impossible": True}
    paragraph = {"context": "It was Bo Dahl.", "qas": [question, impossible]}
    path.write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    corpus = read_squad(path)
    assert corpus.documents[0] == ("it", "was", "Bo_Dahl", ".")
    assert [q.answers for q in corpus.questions] == [("Bo_Dahl",), ()]
    path.write_text('{"data": [{}]}')
    with pytest.raises(DataError, match="SQuAD-like"):
        read_squad(path)


def test_wikimovies_as_published(tmp_path):
    (tmp_path / "wiki.txt").write_text(
        "1 Dawn Dawn is a film directed by Ann Lee .\n2 It came out in 1950 .\n\n"
        "1 Dusk Dusk is a film .\n"
    )
    (tmp_path / "entities.txt").write_text("Dawn\nDusk\nAnn Lee\nLee, Bo\n1950\n")
    (tmp_path / "qa.txt").write_text("1 who directed Dawn?\tAnn Lee, Lee, Bo\n")
    corpus = read_wikimovies(
        tmp_path / "wiki.txt", tmp_path / "entities.txt", {"test": tmp_path / "qa.txt"}, below=2
    )
    assert len(corpus.documents) == 2
    assert corpus.questions[0].documents == (0,)
    assert corpus.questions[0].answers == ("Ann_Lee", "Lee,_Bo")
    assert corpus.entities["1950"] == "number"


def test_documents_state_every_fact_and_depend_on_the_seed_alone():
    facts = {
        "Dawn": {"directed_by": ["Ann Lee"], "release_year": ["1950"]},
        "Dusk": {"starred_actors": ["Bo Dahl", "Ann Lee"]},
    }
    documents, entities = verbalise(facts, seed=3)
    assert {"Dawn", "Ann_Lee", "1950"} <= set(documents[0])
    assert {"Dusk", "Bo_Dahl", "Ann_Lee"} <= set(documents[1])
    assert documents[1][0] == "Dusk"
    assert entities == {
        "Ann_Lee": "person", "1950": "number", "Bo_Dahl": "person", "Dawn": "film", "Dusk": "film",
    }  # fmt: skip
    assert verbalise(facts, seed=3)[0] == documents
    assert any(verbalise(facts, seed=s)[0] != documents for s in range(4, 8))
    with pytest.raises(DataError, match="templates"):
        verbalise({"Dawn": {"sung_by": ["Ann"]}})


def test_the_embedded_set_is_what_the_script_builds():
    spec = importlib.util.spec_from_file_location("build_questions", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    packed = (files("rnnscope.data") / "embedded" / "questions.jsonl.gz").read_bytes()
    assert gzip.decompress(packed).decode() == write_jsonl(script.build())


def test_the_embedded_set():
    corpus = load_questions("embedded")
    assert "generated" in corpus.source
    assert corpus.describe()["answerable"] == len(corpus)
    asked = {
        split: {w for q in corpus.split(split).questions for w in q.words if w in corpus.entities}
        for split in ("train", "test")
    }
    assert asked["train"].isdisjoint(asked["test"])
    with pytest.raises(UsageError, match="known endings"):
        load_questions("questions.csv")
    with pytest.raises(UsageError, match="file to read"):
        load_questions("nowhere.jsonl")


def test_the_movies_of_the_larger_sets(shared):
    pl = pytest.importorskip("polars")
    from rnnscope.qa import movie_questions

    folder = shared / "data" / "wikimovies"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    triples = pl.read_parquet(folder / "kb.parquet").rows()
    rows = pl.read_parquet(folder / "test.parquet").head(300).to_dicts()
    corpus = movie_questions(triples, {"test": rows}, limit=30)
    assert np.mean([corpus.answerable(q) for q in corpus.questions]) > 0.98
