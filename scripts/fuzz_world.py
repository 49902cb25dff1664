# ruff: noqa: E501
"""What the fuzzer's targets are given: small things of every kind that fit, and odd ones."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import rnnscope as rs
from rnnscope.dynamics import follow

WORDS = ("<pad>", "<unk>", "the", "film", "good", "bad", "not", "very", "dull", "fine")
STUDY = """name = "small"
architectures = ["vanilla"]
units = [2]
seeds = [0]
data.d = {{ source = "{data}" }}
training = {{ embedding = 2, epochs = 1, min_count = 1 }}
analyses.accuracy = {{}}
"""


@dataclass
class World:
    """Small things of every kind, made once."""

    folder: Path
    good: dict[str, list[Any]] = field(default_factory=dict)
    odd: dict[str, list[Any]] = field(default_factory=dict)


def network(kind: str, **options: Any) -> nn.Module:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.emb = nn.Embedding(len(WORDS), 3)
            make = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind]
            self.rnn = make(3, 4, batch_first=True, **options)
            self.out = nn.Linear(4 * (1 + options.get("bidirectional", False)), 2)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.out(self.rnn(self.emb(ids))[0].mean(1))

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net().double()


def make_world(folder: Path) -> World:
    """Everything that targets take."""
    world = World(folder=folder)
    lstm, gru = network("lstm"), network("gru")
    model = rs.from_torch(lstm, vocabulary=WORDS)
    last = rs.Model(
        layers=model.layers, embedding=model.embedding, vocabulary=model.vocabulary,
        readout=model.readout,
    )  # fmt: skip
    both = rs.from_torch(network("gru", bidirectional=True), vocabulary=WORDS)
    raw = rs.from_torch(nn.GRU(2, 3))
    rng = np.random.default_rng(0)
    documents = [[WORDS[k] for k in rng.integers(2, 10, size=n)] for n in rng.integers(1, 9, 40)]
    labels = np.array([k % 2 for k in range(40)])
    corpus = rs.Corpus(
        documents=tuple(map(tuple, documents)), labels=labels, classes=("neg", "pos"),
        splits=np.array(["train"] * 24 + ["validation"] * 8 + ["test"] * 8),
    )  # fmt: skip
    scores = rs.CellDifference(model).score(documents)
    phrases = rs.mine_phrases(scores, word_threshold=1.0001, min_count=1)
    rules = rs.RuleList.from_phrases(phrases, max_rules=20)
    predicted = model.predict(documents)
    points = rs.find_fixed_points(last, seeds=documents, count=16)
    modes = rs.linearize(last, points)
    words = rs.WordClasses(
        positive=("good", "fine"), negative=("bad", "dull"), neutral=("the", "film"),
        values={"good": 2.0, "fine": 1.0, "bad": -2.0, "dull": -1.0, "the": 0.0, "film": 0.0},
    )  # fmt: skip
    table = folder / "reviews.csv"
    table.write_text("text,label\n" + "\n".join(f'"{" ".join(d)}",{k % 2}' for k, d in
                                                enumerate(documents)))  # fmt: skip
    saved = [model.save(folder / "model"), phrases.save(folder / "phrases")]
    table_of = rs.PhraseTable.of(scores, max_length=3)
    saved.append(table_of.save(folder / "table"))
    rules.export(folder / "rules.json")
    phrase_model = rs.PhraseModel.summed(phrases)
    phrase_model.save(folder / "phrase_model.json")
    torch.save(lstm.state_dict(), folder / "weights.pt")
    rs.save_result(modes, folder / "modes")
    grid = folder / "study.toml"
    grid.write_text(STUDY.format(data=table), encoding="utf-8")
    cell = model.layers[0].directions[0].cell
    states = torch.randn(30, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    world.good = {
        "model": [model, last, both],
        "one_way": [last],
        "raw": [raw],
        "module": [lstm, gru, network("rnn", num_layers=2), nn.LSTM(2, 3)],
        "documents": [documents, corpus, [["good", "film"]], [np.array([2, 3])], ["a good film"]],
        "vectors": [[rng.normal(size=(4, 2))], [np.zeros((1, 2))]],
        "corpus": [corpus],
        "vocabulary": [WORDS, list(WORDS), {w: k for k, w in enumerate(WORDS)}, None],
        "labels": [labels, predicted, None],
        "predicted": [predicted],
        "scores": [scores],
        "phrases": [phrases],
        "rules": [rules],
        "phrase_model": [phrase_model],
        "points": [points],
        "modes": [modes],
        "line": [None],
        "classes": [words],
        "cell": [cell, last.cell, raw.cell],
        "x": [torch.zeros(2, 3, dtype=torch.float64)],
        "h": [torch.zeros(2, 8, dtype=torch.float64)],
        "states": [states, states[:5]],
        "weight": [torch.randn(16, 3), torch.randn(16, 4), torch.randn(16)],
        "count": [1, 2, 5, 16],
        "number": [0.0, 0.5, 1.0, 1e-3],
        "seed": [0, 1],
        "flag": [True, False],
        "text": ["a good film", "not bad", "good " * 50],
        "tree": ["(3 (2 very) (4 good))"],
        "word_list": [["good", "bad"], None, ("film",)],
        "inputs": ["zero", "mean", None, "good"],
        "pooling": ["last", "mean", "max", None],
        "names": [(), ("a", "b"), ["neg", "pos"]],
        "description": [rules, phrase_model, rs.Majority.fit(documents, predicted)],
        "path": [folder / "model", folder / "reviews.csv"],
        "model_path": [folder / "model", folder / "model" / "model.json"],
        "phrases_path": [folder / "phrases"],
        "table_path": [folder / "table"],
        "rules_path": [folder / "rules.json"],
        "phrase_model_path": [folder / "phrase_model.json"],
        "weights_path": [folder / "weights.pt", lstm.state_dict()],
        "out_path": [folder / "out" / "new"],
        "data": [table, "embedded:sentences", corpus, list(zip(documents, labels, strict=True))],
        "method": ["beta", "gamma"],
        "score_type": [rs.CellDifference, rs.CellDecomposition, rs.GradientTimesInput,
                       rs.GradientNorm, rs.Occlusion, rs.LeaveOneOut],
        "matrix": [np.eye(6, dtype=np.int64)[[0, 1, 2, 3] * 3], (states[:12] > 0).numpy()],
        "y": [np.array([0, 1] * 6)],
        "tokens": [["good", "film"], ["<unk>"], ["nothing"]],
        "neighbours": [(3,), (2, 4)],
        "root": [points.roots.states[0] if len(points.roots) else points.line_states[0]],
        "score": [rs.CellDifference(model)],
        "token_lists": [documents],
        "grid": [{"data": {"d": {"source": str(table)}}, "architectures": ["gru"], "seeds": [0]}],
        "study": [rs.Study.of({
            "data": {"d": {"source": str(table)}}, "architectures": ["vanilla"], "units": [2],
            "seeds": [0], "training": {"embedding": 2, "epochs": 1, "min_count": 1},
            "analyses": {"accuracy": {}}})],
        "study_path": [grid],
        "status": ["status", "tables", "all"],
        "result_path": [folder / "modes"],
        "out_file": [folder / "out" / "new.json"],
        "checkpoints": [[last, last]],
        "state_path": [follow(last, documents[0] * 3), follow(last.cell, torch.zeros(5, 3).double())],
        "chart": [rs.fit_chart(last, documents, size=2)],
        "step": ["table", "expansion", "pushes"],
        "start": [None, points.seeds[0]],
        "valences": [words.values],
        "tree_phrases": [[(("good", "film"), 0.5), (("bad",), -0.5)] * 10],
        "strengths": [rng.normal(size=20), len],
        "pairs": [[(d, [*d, "bad"]) for d in documents]],
        **_questions(folder),
    }  # fmt: skip
    world.odd = _odd(folder)
    return world


def _questions(folder: Path) -> dict[str, list[Any]]:
    """A small corpus of questions, a network that answers them, and what is read out of it."""
    people, films = ("Ann_Lee", "Bo_Dahl", "Cy_Roe", "Di_Fox"), ("Dawn", "Dusk", "Noon", "Night")
    documents, asked = [], []
    for k in range(16):
        film, (one, two) = films[k % 4], (people[k % 4], people[(k + 1) % 4])
        documents.append(
            f"{film} is a film . it was directed by {one} and written by {two} .".split()
        )
        for verb, who in (("directed", one), ("wrote", two)):
            asked.append(rs.Question(
                words=("who", verb, film), documents=(k,), answers=(who,), category=verb,
                split=("train", "train", "validation", "test")[k // 4],
            ))  # fmt: skip
    corpus = rs.QuestionCorpus(
        documents=tuple(map(tuple, documents)), questions=tuple(asked),
        entities=dict.fromkeys(people, "person") | dict.fromkeys(films, "film"), name="films",
    )  # fmt: skip
    model = rs.train_question_model(corpus, units=4, embedding=4, epochs=1, min_count=1)
    answers = model.answer(corpus)
    patterns = rs.mine_patterns(model, answers, min_count=1)
    model.save(folder / "question_model")
    patterns.export(folder / "patterns.json")
    rows = [{"document": d, "id": str(k)} for k, d in enumerate(documents)]
    rows += [{"question": q.words, "documents": [str(q.documents[0])], "answers": q.answers,
              "category": q.category, "split": q.split} for q in asked]  # fmt: skip
    rows += [{"entity": name, "type": kind} for name, kind in corpus.entities.items()]
    path = folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return {
        "questions": [corpus, corpus.split("test")],
        "asked": [corpus.questions],
        "question": ["who wrote Dawn", "who directed Noon?"],
        "question_model": [model],
        "answers": [answers],
        "patterns": [patterns],
        "questions_path": [path, corpus],
        "question_model_path": [folder / "question_model"],
        "patterns_path": [folder / "patterns.json"],
    }


def _odd(folder: Path) -> dict[str, list[Any]]:
    """Values that fit nothing, or only just: by kind, and for all."""
    nan, inf = float("nan"), float("inf")
    any_value: list[Any] = [
        None, True, -1, 0, 10**30, -(10**30), nan, inf, -inf, 1e308, 5e-324, "", "last", b"bytes", [],
        {}, (), [[]], [None], object(), np.array([]), np.zeros((0, 3)), np.array(nan), math.pi,
        np.array(["a", 1, None], dtype=object), torch.tensor(nan), torch.zeros(0), {1: 2}, {"a"},
        "\ud800", "\x00", "x" * 10_000, complex(1, 2), range(3), [["\ud800"]], [b"x"], [1.5], [-1],
        [10**20], np.zeros((2, 2, 2)), np.full((3, 4), inf), torch.full((2, 4), nan).double(),
        np.array([2**62]), float, [[""]], [["good"], []], "None", Path("/nonexistent/\x00"),
    ]  # fmt: skip
    numbers: list[Any] = [
        -1,
        0,
        1,
        200,
        10**30,
        nan,
        inf,
        -inf,
        0.5,
        "3",
        None,
        True,
        1e-320,
        -0.0,
    ]
    paths: list[Any] = [
        "", ".", "/", "/dev/null", "/dev/null/x", "a" * 5000, "\x00", folder, 3, None, b"x",
        folder / "reviews.csv", "~", "file:///etc", folder / "damaged",
    ]  # fmt: skip
    texts: list[Any] = [
        "",
        " ",
        "\x00",
        "\ud800",
        "a" * 20_000,
        "ﷺ" * 50,
        "<script>",
        3,
        None,
        [],
        b"x",
    ]
    arrays: list[Any] = [
        torch.zeros(3, 4), torch.full((5, 4), nan, dtype=torch.float64), torch.zeros(0, 4),
        torch.zeros(5, 4, dtype=torch.int64), np.zeros((5, 4)), [[1.0, 2.0]], torch.zeros(5, 3).double(),
        torch.full((5, 4), 1e308, dtype=torch.float64), torch.zeros(1, 4, dtype=torch.float64), "x",
        torch.zeros(2, 4).to_sparse(), torch.zeros(2, 4, dtype=torch.complex64), None,
    ]  # fmt: skip
    tree = [
        "(",
        ")",
        "()",
        "(3)",
        "(a b)",
        "(3 (2",
        "(3 x))",
        "(" * 5000,
        "(3 " * 2000 + "x" + ")" * 2000,
    ]
    return {
        "any": any_value,
        "count": numbers, "number": numbers, "seed": numbers,
        "text": texts, "tree": [*texts, *tree],
        "states": arrays, "x": arrays, "h": arrays, "weight": arrays, "matrix": arrays,
        **dict.fromkeys(("path", "model_path", "phrases_path", "table_path", "rules_path", "phrase_model_path", "weights_path", "out_path", "data", "out_file", "study_path",
                        "questions_path", "question_model_path", "patterns_path", "result_path"), paths),
    }  # fmt: skip
