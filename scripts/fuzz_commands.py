# ruff: noqa: E501
"""Targets of the fuzzer on the command line, in studies and in question answering."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from fuzz_target import Target

import rnnscope as rs
from rnnscope.cli import main as command


def _run_command(**arguments: Any) -> Any:
    """A command line in this process; what it prints is dropped."""
    words = []
    for name, value in arguments.items():
        if name == "command":
            words = [*str(value).split(), *words]
        elif name.startswith("positional"):
            words.append(str(value))
        elif value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        try:
            code = command(words)
        except SystemExit as error:
            code = 0 if error.code is None else error.code
    if code not in (0, 1, 2):
        raise AssertionError(f"exit code {code!r}")
    return code


def _command(name: str, cost: int = 4, **kinds: str) -> Target:
    return Target(
        name=f"rnnscope {name}",
        call=lambda **given: _run_command(command=name, **given),
        kinds=kinds,
        cost=cost,
    )


def studies() -> list[Target]:
    T = Target
    return [
        T(name="Study", call=rs.Study.of, kinds={"table": "grid"}),
        T(name="Study", call=rs.Study.read, kinds={"path": "path"}),
        T(name="DataSource", call=lambda name, s, n: rs.DataSource(name=name, source=s, limit=n),
          kinds={"name": "text", "s": "text", "n": "count"}),
        T(name="run_study", call=rs.run_study, cost=5, kinds={
            "study": "study", "folder": "out_path", "workers": "one"}),
        T(name="study_status", call=rs.study_status, kinds={"study": "study", "folder": "its out_path"}),
        T(name="study_tables", call=rs.study_tables, kinds={"study": "study", "folder": "its out_path"}),
        T(name="save_study", call=rs.save_study, cost=5, kinds={
            "study": "study", "folder": "its out_path"}),
    ]  # fmt: skip


def questions() -> list[Target]:
    T = Target
    return [
        T(name="load_questions", call=rs.load_questions, kinds={"source": "questions_path"}),
        T(name="QuestionCorpus", call=rs.QuestionCorpus, kinds={
            "documents": "token_lists", "questions": "asked", "entities": "any"}),
        T(name="Question", call=rs.Question, kinds={
            "words": "tokens", "documents": "any", "answers": "tokens", "candidates": "tokens"}),
        T(name="train_question_model", call=lambda corpus, units, rate: rs.train_question_model(
            corpus, units=units, embedding=2, epochs=1, learning_rate=rate), cost=5,
          kinds={"corpus": "questions", "units": "count", "rate": "number"}),
        T(name="load_question_model", call=rs.load_question_model, kinds={"path": "question_model_path"}),
        T(name="QuestionModel", call=lambda m, c: m.answer(c),
          kinds={"m": "its question_model", "c": "questions"}),
        T(name="QuestionModel", call=lambda m, p: m.save(p), cost=2,
          kinds={"m": "its question_model", "p": "out_path"}),
        T(name="PatternList", call=rs.PatternList.load, kinds={"path": "patterns_path"}),
        T(name="PatternList", call=lambda p, c: p.answer(c),
          kinds={"p": "its patterns", "c": "questions"}),
        T(name="PatternList", call=lambda p, path: p.export(path), cost=2,
          kinds={"p": "its patterns", "path": "out_file"}),
        T(name="PatternAnswerer", call=lambda m, x, k: rs.PatternAnswerer(m, min_count=k).fit(x), cost=3,
          kinds={"m": "question_model", "x": "questions", "k": "count"}),
        T(name="PatternEvidence", call=rs.PatternEvidence.fit, kinds={
            "patterns": "patterns", "answers": "answers", "penalty": "number"}),
        T(name="mine_patterns", call=rs.mine_patterns, cost=2, kinds={
            "model": "question_model", "answers": "answers", "min_count": "count"}),
        T(name="score_answers", call=rs.score_answers, cost=2, kinds={
            "model": "question_model", "answers": "answers", "method": "method"}),
    ]  # fmt: skip


def commands() -> list[Target]:
    """Every command; ``demo`` can only be given a place that it cannot write to, else it trains."""
    return [
        _command("score", 2, positional="text", model="model_path", method="method"),
        _command("rules", model="model_path", data="data", min_count="count", max_rules="count"),
        _command("judge", rules="rules_path", model="model_path", data="data"),
        _command("dynamics", model="model_path", data="data", points="count", inputs="inputs"),
        _command("report", model="path", data="path", out="path", text="text"),
        _command("train", positional="out_path", data="data", epochs="one", units="count",
                 embedding="count", label="text"),
        _command("demo", out="bad_path"),
        _command("study", positional="study_path", folder="out_path", only="status", workers="one"),
        _command("qa train", out="out_path", data="questions_path", epochs="one", units="count"),
        _command("qa explain", model="question_model_path", data="questions_path",
                 min_count="count", method="method", export="out_file"),
        _command("qa answer", 3, positional="question", model="question_model_path",
                 data="questions_path", document="text"),
        _command("compare", positional="path", positional2="path", out="out_file"),
        _command("qa", kind="any"),
        _command("nothing", 2, model="model_path"),
    ]  # fmt: skip
