# ruff: noqa: E501
"""What the fuzzer calls: every public entry point and command, and what it gives them.

A target is a function of keyword arguments and, for each argument, a kind. ``World.good`` has values
of a kind that fit, ``World.odd`` ones that may not.
"""

from __future__ import annotations

import contextlib
import io
import math
import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import rnnscope as rs
from rnnscope.cli import main as command

WORDS = ("<pad>", "<unk>", "the", "film", "good", "bad", "not", "very", "dull", "fine")
NOT_FUZZED = {
    # Results: they are made by what is fuzzed, and their own methods are called there.
    "Account", "Certificate", "Comparison", "Estimate", "Fidelity", "Firing", "FixedPoints",
    "LineAttractorVerdict", "Manifold", "Modes", "Outcome", "Phrase", "Points", "RuleEvidence",
    "Trajectory", "WordScores", "Phrases", "Branch", "LongRun", "SlowCurve",
    "SlowSurface", "StudyRun", "StudyTables", "Question", "QuestionModel",
    # Bases and errors.
    "CELLS", "Cell", "Score", "DataError", "ModelError", "NotApplicable", "RnnscopeError",
    "TrainingError", "UsageError",
}  # fmt: skip
"""Public names that are no entry points."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One entry point.

    Args:
        name: the public name, or the command.
        call: runs it.
        kinds: for each argument, its kind.
        cost: how rarely it is drawn: 1 often, 5 seldom.
        also: what else it may raise: scikit-learn's estimators have its own errors.
    """

    name: str
    call: Callable[..., Any]
    kinds: dict[str, str]
    cost: int = 1
    also: tuple[type[Exception], ...] = ()


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
    }  # fmt: skip
    world.odd = _odd(folder)
    return world


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
        **dict.fromkeys(("path", "model_path", "phrases_path", "table_path", "rules_path", "phrase_model_path", "weights_path", "out_path", "data"), paths),
    }  # fmt: skip


def _run_command(**arguments: Any) -> Any:
    """A command line in this process; what it prints is dropped."""
    words = []
    for name, value in arguments.items():
        if name == "command":
            words.insert(0, str(value))
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


def targets() -> list[Target]:
    """Every entry point."""
    T = Target
    found = [
        T(name="from_torch", call=rs.from_torch, cost=2, kinds={
            "module": "module", "vocabulary": "vocabulary", "pooling": "pooling",
            "classes": "names", "documents": "documents", "tolerance": "number"}),
        T(name="from_weights", call=rs.from_weights, cost=2, kinds={
            "source": "weights_path", "vocabulary": "vocabulary", "classes": "names",
            "forget_bias": "number", "order": "names"}),
        T(name="from_keras", call=rs.from_keras, kinds={"path": "path", "vocabulary": "vocabulary"}),
        T(name="from_onnx", call=rs.from_onnx, kinds={"path": "path", "vocabulary": "vocabulary"}),
        T(name="load", call=rs.load, kinds={"path": "model_path"}),
        T(name="Model", call=lambda model, documents: model.logits(documents),
          kinds={"model": "its model", "documents": "documents"}),
        T(name="Model", call=lambda model, documents: list(model.trajectories(documents, gates=True)),
          kinds={"model": "its model", "documents": "documents"}),
        T(name="Model", call=lambda raw, documents: raw.final_states(documents),
          kinds={"raw": "its raw", "documents": "vectors"}),
        T(name="Model", call=lambda model, path: model.save(path), cost=2,
          kinds={"model": "its model", "path": "out_path"}),
        T(name="Model", call=rs.Model, kinds={
            "layers": "any", "embedding": "states", "pooling": "pooling", "classes": "names"}),
        T(name="Layer", call=lambda d: rs.Model(layers=(rs.Layer(directions=d),)), kinds={"d": "any"}),
        T(name="Direction", call=lambda cell, initial: rs.Direction(cell=cell, initial=initial),
          kinds={"cell": "cell", "initial": "states"}),
        T(name="Readout", call=lambda weight, bias: rs.Readout(weight=weight, bias=bias),
          kinds={"weight": "states", "bias": "states"}),
        T(name="Vocabulary", call=rs.Vocabulary.of, kinds={"words": "vocabulary"}),
        T(name="Vocabulary", call=lambda tokens: rs.Vocabulary.of(WORDS).encode(tokens),
          kinds={"tokens": "tokens"}),
        T(name="load_corpus", call=rs.load_corpus, cost=2, kinds={
            "source": "data", "limit": "count", "label": "text", "text": "text"}),
        T(name="load_corpus", call=rs.load_corpus, cost=2, kinds={"source": "data"}),
        T(name="stream_corpus", call=lambda **k: list(rs.stream_corpus(**k)), cost=2,
          kinds={"source": "data", "limit": "count", "chunk": "count"}),
        T(name="Corpus", call=rs.Corpus, kinds={
            "documents": "documents", "labels": "labels", "classes": "names"}),
        T(name="tokenize", call=rs.tokenize, kinds={"text": "text"}),
        T(name="beta_and_gamma", call=rs.beta_and_gamma,
          kinds={"model": "model", "documents": "documents"}),
        T(name="CellDifference", call=lambda t, m, d: list(t(m).score(d)),
          kinds={"t": "its score_type", "m": "model", "d": "documents"}),
        T(name="IntegratedGradients", call=lambda m, d, p, q: list(
            rs.IntegratedGradients(m, tolerance=p, max_points=q).score(d)),
          kinds={"m": "model", "d": "documents", "p": "number", "q": "count"}, cost=3),
        T(name="ContextualDecomposition", call=lambda m, d: list(
            rs.ContextualDecomposition(m).score(d)), cost=3,
          kinds={"m": "model", "d": "documents"}),
        T(name="mine_phrases", call=rs.mine_phrases, kinds={
            "scores": "scores", "word_threshold": "number", "max_length": "count",
            "min_count": "count"}),
        T(name="PhraseOptions", call=rs.PhraseOptions.checked, kinds={
            "word_threshold": "number", "max_length": "count", "min_count": "count"}),
        T(name="PhraseTable", call=rs.PhraseTable.of, kinds={"scores": "scores", "max_length": "count"}),
        T(name="PhraseTable", call=rs.PhraseTable.load, kinds={"path": "table_path"}),
        T(name="mine_phrases", call=lambda path: type(_any_phrases()).load(path),
          kinds={"path": "phrases_path"}),
        T(name="RuleList", call=rs.RuleList.from_phrases,
          kinds={"phrases": "phrases", "max_rules": "count"}),
        T(name="RuleList", call=rs.RuleList.load, kinds={"path": "rules_path"}),
        T(name="RuleList", call=lambda rules, d: rules.predict(d),
          kinds={"rules": "its rules", "d": "documents"}),
        T(name="RuleList", call=lambda rules, text: rules.explain(text),
          kinds={"rules": "its rules", "text": "text"}),
        T(name="Rule", call=lambda words, c: rs.Rule(words=words, class_index=c),
          kinds={"words": "tokens", "c": "count"}),
        T(name="Matcher", call=lambda phrases, d: rs.Matcher(phrases).first(d),
          kinds={"phrases": "documents", "d": "documents"}),
        T(name="PhraseModel", call=rs.PhraseModel.load, kinds={"path": "phrase_model_path"}),
        T(name="PhraseModel", call=lambda m, d: m.logits(d),
          kinds={"m": "its phrase_model", "d": "documents"}),
        T(name="compare_with_network", call=rs.compare_with_network, cost=3, kinds={
            "rules": "rules", "model": "model", "documents": "documents", "repeats": "count"}),
        T(name="judge", call=rs.judge, kinds={
            "name": "text", "description": "description", "documents": "corpus",
            "network": "predicted", "labels": "labels"}),
        T(name="compare", call=lambda d, documents, network: rs.compare(
            {"rules": d}, documents, network=network, fitted_on=(documents, network)), cost=4,
          kinds={"d": "description", "documents": "corpus", "network": "predicted"}),
        T(name="frontier", call=lambda d, documents, network: rs.frontier(
            [d], documents, network=network), cost=2,
          kinds={"d": "description", "documents": "corpus", "network": "predicted"}),
        T(name="BagOfWords", call=rs.BagOfWords.fit, cost=3,
          kinds={"documents": "corpus", "predictions": "predicted"}),
        T(name="BagOfNgrams", call=rs.BagOfNgrams.fit, cost=3,
          kinds={"documents": "corpus", "predictions": "predicted"}),
        T(name="Majority", call=rs.Majority.fit, kinds={"documents": "documents", "predictions": "predicted"}),
        T(name="deletion", call=rs.deletion, cost=3, kinds={
            "model": "model", "scores": "scores", "draws": "count", "levels": "neighbours"}),
        T(name="rank_agreement", call=rs.rank_agreement, cost=3,
          kinds={"model": "model", "scores": "scores"}),
        T(name="phrase_correlation", call=rs.phrase_correlation,
          kinds={"scores": "any", "phrases": "any"}),
        T(name="randomisation_test", call=lambda m, d, r: rs.randomisation_test(
            m, rs.CellDifference, None, d, repeats=r), cost=5,
          kinds={"m": "model", "d": "documents", "r": "count"}),
        T(name="counterfactual_edits", call=lambda pairs, m: rs.counterfactual_edits(
            pairs, rs.CellDifference(m)), kinds={"pairs": "any", "m": "model"}),
        T(name="read_tree", call=rs.read_tree, kinds={"text": "tree"}),
        T(name="RuleListClassifier", call=lambda X, y, k: rs.RuleListClassifier(max_rules=k).fit(X, y),
          kinds={"X": "matrix", "y": "y", "k": "count"}, also=(ValueError, TypeError)),
        T(name="PhraseVectorizer", call=lambda d, k: rs.PhraseVectorizer(min_count=k).fit_transform(d),
          kinds={"d": "documents", "k": "count"}, also=(ValueError, TypeError)),
        T(name="train", call=lambda c, e, u: rs.train(c, epochs=e, units=u, embedding=4), cost=5,
          kinds={"c": "corpus", "e": "one", "u": "count"}),
        T(name="TrainingOptions", call=rs.TrainingOptions, kinds={
            "units": "count", "dropout": "number", "learning_rate": "number", "epochs": "count"}),
        T(name="ExplainOptions", call=rs.ExplainOptions, kinds={
            "word_threshold": "number", "max_length": "count", "points": "count"}),
        T(name="explain", call=lambda m, c, p: rs.explain(m, c, points=p, min_count=2), cost=5,
          kinds={"m": "one_way", "c": "corpus", "p": "count"}),
        T(name="Autodiff", call=lambda i, s: rs.Autodiff(
            function=lambda x, h: torch.tanh(h), inputs=i, states=s), kinds={"i": "count", "s": "count"}),
        T(name="LSTM", call=lambda W, V, b: rs.LSTM(W=W, V=V, b=b),
          kinds={"W": "weight", "V": "weight", "b": "weight"}),
        T(name="GRU", call=lambda W, V, b: rs.GRU(W=W, V=V, b=b, a=b),
          kinds={"W": "weight", "V": "weight", "b": "weight"}),
        T(name="Vanilla", call=lambda W, V, b: rs.Vanilla(W=W, V=V, b=b),
          kinds={"W": "weight", "V": "weight", "b": "weight"}),
        T(name="UGRNN", call=lambda W, V, b: rs.UGRNN(W=W, V=V, b=b),
          kinds={"W": "weight", "V": "weight", "b": "weight"}),
        T(name="ResetFirstGRU", call=lambda W, V, b: rs.ResetFirstGRU(W=W, V=V, b=b),
          kinds={"W": "weight", "V": "weight", "b": "weight"}),
        T(name="ProjectedLSTM", call=lambda W, V, b: rs.ProjectedLSTM(W=W, V=V, b=b, R=V),
          kinds={"W": "weight", "V": "weight", "b": "weight"}),
        T(name="Stack", call=lambda cells: rs.Stack(layers=cells), kinds={"cells": "any"}),
        T(name="LSTM", call=lambda c, x, h: (c.step(x, h), c.gates(x, h)),
          kinds={"c": "its cell", "x": "x", "h": "h"}),
    ]  # fmt: skip
    return found + _dynamics() + _commands()


def _any_phrases() -> Any:
    from rnnscope.phrases import Phrases

    return Phrases.__new__(Phrases)


def _dynamics() -> list[Target]:
    T = Target
    return [
        T(name="find_fixed_points", call=rs.find_fixed_points, cost=2, kinds={
            "model": "one_way", "seeds": "documents", "inputs": "inputs", "count": "count",
            "rng": "seed"}),
        T(name="FixedPointOptions", call=rs.FixedPointOptions, kinds={
            "count": "count", "tolerance": "number", "max_steps": "count", "far": "number"}),
        T(name="linearize", call=rs.linearize, kinds={
            "model": "one_way", "points": "points", "count": "count"}),
        T(name="fit_manifold", call=rs.fit_manifold, kinds={
            "points": "points", "modes": "modes", "draws": "count"}),
        T(name="jacobians", call=rs.jacobians, kinds={"model": "one_way", "points": "points"}),
        T(name="relax", call=rs.relax, kinds={
            "model": "one_way", "seeds": "documents", "steps": "count", "count": "count"}),
        T(name="find_cycles", call=rs.find_cycles, cost=2, kinds={
            "model": "one_way", "seeds": "documents", "period": "count", "settle": "count"}),
        T(name="find_continua", call=rs.find_continua, kinds={"model": "one_way", "points": "points"}),
        T(name="follow_unstable", call=rs.follow_unstable, kinds={
            "model": "one_way", "points": "points", "epsilon": "number"}),
        T(name="mode_groups", call=rs.mode_groups, kinds={
            "modes": "modes", "count": "count", "gap": "number"}),
        T(name="track_modes", call=rs.track_modes, kinds={"modes": "modes"}),
        T(name="arc_length", call=rs.arc_length, kinds={"states": "states", "neighbours": "count"}),
        T(name="estimate_dimension", call=rs.estimate_dimension, kinds={
            "states": "states", "neighbours": "neighbours", "draws": "count"}),
        T(name="class_effects", call=rs.class_effects, kinds={
            "model": "one_way", "modes": "modes", "classes": "classes", "mode": "count"}),
        T(name="word_projections", call=rs.word_projections, kinds={
            "model": "one_way", "modes": "modes", "words": "word_list", "mode": "count"}),
        T(name="word_separability", call=rs.word_separability, kinds={
            "model": "one_way", "modes": "modes", "classes": "classes", "folds": "count"}),
        T(name="delayed_effects", call=rs.delayed_effects, kinds={
            "model": "one_way", "modes": "modes", "documents": "documents", "horizon": "count"}),
        T(name="slow_position", call=rs.slow_position, kinds={
            "model": "one_way", "modes": "modes", "line": "line", "documents": "documents"}),
        T(name="one_step_error", call=rs.one_step_error, kinds={
            "model": "one_way", "points": "points", "documents": "documents", "count": "count"}),
        T(name="rollout_error", call=rs.rollout_error, cost=2, kinds={
            "model": "one_way", "points": "points", "documents": "documents", "steps": "count"}),
        T(name="linearized_network", call=rs.linearized_network, kinds={
            "model": "one_way", "points": "points", "point": "count"}),
        T(name="fit_chart", call=rs.fit_chart, kinds={
            "model": "one_way", "documents": "documents", "size": "count", "degree": "count"}),
        T(name="reduced_model", call=rs.reduced_model, kinds={"model": "one_way", "chart": "any"}),
        T(name="train_linear_rnn", call=rs.train_linear_rnn, cost=5, kinds={
            "model": "one_way", "documents": "documents", "epochs": "one"}),
        T(name="untrained_baseline", call=rs.untrained_baseline, cost=5, kinds={
            "networks": "one_way", "documents": "documents", "count": "count"}),
        T(name="line_attractor_verdict", call=rs.line_attractor_verdict, cost=2, kinds={
            "points": "points", "modes": "modes", "line": "line"}),
        T(name="development", call=rs.development, kinds={
            "checkpoints": "any", "documents": "documents", "steps": "count"}),
        T(name="lyapunov_spectrum", call=rs.lyapunov_spectrum, kinds={"path": "any"}),
        T(name="paper_figures", call=rs.paper_figures, kinds={
            "points": "points", "modes": "modes", "line": "line"}),
        T(name="Box", call=lambda low, high, n: rs.Box(low=low, high=high, count=n),
          kinds={"low": "number", "high": "number", "n": "count"}),
        T(name="Drawn", call=lambda s, n: rs.Drawn(source=s, count=n),
          kinds={"s": "documents", "n": "count"}),
        T(name="Runs", call=lambda x: rs.Runs(inputs=x), kinds={"x": "vectors"}),
        T(name="WordClasses", call=rs.WordClasses.of_valences, kinds={"valences": "any"}),
        T(name="continue_in_input", call=rs.continue_in_input, cost=2, kinds={
            "model": "one_way", "state": "root", "direction": "inputs", "inputs": "inputs",
            "step": "number", "max_points": "count"}),
        T(name="long_run", call=rs.long_run, cost=3, kinds={
            "model": "one_way", "seeds": "h", "inputs": "inputs", "max_period": "count"}),
        T(name="trace_slow_curve", call=rs.trace_slow_curve, cost=2, kinds={
            "model": "one_way", "points": "points", "start": "any", "step": "number"}),
        T(name="trace_slow_surface", call=rs.trace_slow_surface, cost=2, kinds={
            "model": "one_way", "points": "points", "start": "any", "step": "number"}),
        T(name="find_on", call=rs.find_on, cost=3, kinds={
            "model": "one_way", "seeds": "h", "shard": "count", "ahead": "count"}),
        T(name="mine_on", call=rs.mine_on, cost=2, kinds={
            "score": "score", "documents": "token_lists", "shard": "count", "max_length": "count"}),
        T(name="find_fixed_points_by_direction", call=rs.find_fixed_points_by_direction, cost=3,
          kinds={"model": "one_way", "seeds": "documents", "count": "count"}),
        T(name="save_result", call=rs.save_result, cost=2, kinds={
            "result": "modes", "folder": "out_path"}),
        T(name="load_result", call=rs.load_result, kinds={"folder": "path"}),
        T(name="study_system", call=rs.study_system, kinds={"model": "one_way", "layer": "count"}),
        T(name="System", call=rs.System.of, kinds={"network": "one_way"}),
        T(name="Rest", call=lambda i, n: rs.Rest(inputs=i, steps=n), kinds={
            "i": "inputs", "n": "count"}),
        T(name="find_modifiers", call=rs.find_modifiers, cost=3, kinds={
            "model": "one_way", "documents": "documents"}),
        T(name="lexicon_agreement", call=rs.lexicon_agreement, kinds={
            "model": "one_way", "modes": "modes", "valences": "any"}),
        T(name="answer_gradients", call=rs.answer_gradients, cost=2, kinds={
            "model": "one_way", "documents": "documents"}),
        T(name="trajectory_modes", call=rs.trajectory_modes, cost=2, kinds={
            "model": "one_way", "documents": "documents", "count": "count"}),
        T(name="finite_time_growth", call=rs.finite_time_growth, kinds={"path": "any"}),
        T(name="non_normality", call=rs.non_normality, kinds={"modes": "modes"}),
        *_studies(),
        *_questions(),
    ]  # fmt: skip


def _studies() -> list[Target]:
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


def _questions() -> list[Target]:
    T = Target
    return [
        T(name="load_questions", call=rs.load_questions, kinds={"source": "path"}),
        T(name="QuestionCorpus", call=rs.load_questions, kinds={"source": "data"}),
        T(name="train_question_model", call=rs.train_question_model, cost=3, kinds={"corpus": "any"}),
        T(name="load_question_model", call=rs.load_question_model, kinds={"path": "path"}),
        T(name="PatternList", call=rs.PatternList.load, kinds={"path": "path"}),
        T(name="PatternAnswerer", call=lambda m, x: rs.PatternAnswerer(m).fit(x), kinds={
            "m": "any", "x": "any"}),
        T(name="PatternEvidence", call=rs.PatternEvidence.fit, kinds={
            "patterns": "any", "answers": "any"}),
        T(name="mine_patterns", call=rs.mine_patterns, kinds={"model": "any", "answers": "any"}),
        T(name="score_answers", call=rs.score_answers, kinds={"model": "any", "answers": "any"}),
    ]  # fmt: skip


def _commands() -> list[Target]:
    return [
        _command("score", 2, positional="text", model="model_path", method="method"),
        _command("rules", model="model_path", data="data", min_count="count"),
        _command("judge", rules="rules_path", model="model_path", data="data"),
        _command("dynamics", model="model_path", data="data", points="count", inputs="inputs"),
        _command("report", model="path", data="path", out="path", text="text"),
        _command("train", positional="path", data="path", text="text", label="text"),
        _command("demo", out="bad_path"),
        _command("nothing", 2, model="model_path"),
    ]


def covered(found: list[Target]) -> set[str]:
    """The public names that the targets call."""
    by_type = {
        "CellDecomposition", "GradientNorm", "GradientTimesInput", "LeaveOneOut", "Occlusion",
    }  # fmt: skip
    return {target.name for target in found} | by_type


def draw(world: World, target: Target, rng: random.Random) -> dict[str, Any]:
    """Arguments: all that fit, or one or two that may not."""
    given = {}
    fixed = ("its ", "bad_path", "one")
    free = [name for name, kind in target.kinds.items() if not kind.startswith(fixed)]
    odd = set(rng.sample(free, min(len(free), rng.choice([0, 1, 1, 1, 2]))))
    for name, kind in target.kinds.items():
        good = world.good.get(kind.removeprefix("its "), world.odd["any"])
        pool = world.odd.get(kind, world.odd["any"])
        if name in odd:
            given[name] = rng.choice(world.odd["any"] if rng.random() < 0.3 else pool)
        elif kind == "one":
            given[name] = 1
        elif kind == "bad_path":
            given[name] = "/dev/null/x"
        else:
            given[name] = rng.choice(good)
    return given


def quiet() -> None:
    """Warnings are no matter of the fuzzer's."""
    warnings.simplefilter("ignore")
