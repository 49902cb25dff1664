# ruff: noqa: E501
"""What the fuzzer calls: every public entry point and command, and what it gives them.

A target is a function of keyword arguments and, for each argument, a kind. ``World.good`` has values
of a kind that fit, ``World.odd`` ones that may not.
"""

from __future__ import annotations

from typing import Any

import torch
from fuzz_commands import commands, questions, studies
from fuzz_dynamics import dynamics
from fuzz_explorer import explorer
from fuzz_target import Target
from fuzz_world import WORDS

import rnnscope as rs

RESULTS = {
    "Account", "AccountComparison", "Branch", "Certificate", "Comparison", "Estimate", "Exhibit", "Fidelity", "Firing",
    "FixedPoints", "LineAttractorVerdict", "LongRun", "Manifold", "Modes", "Outcome", "Phrase",
    "Phrases", "Points", "RuleEvidence", "SlowCurve", "SlowSurface", "StudyRun", "StudyTables",
    "Trajectory", "WordScores",
}  # fmt: skip
ERRORS = {
    "DataError",
    "ModelError",
    "NotApplicable",
    "RnnscopeError",
    "TrainingError",
    "UsageError",
}
NOT_FUZZED = {
    **dict.fromkeys(RESULTS, "a result: made by a target, and not by hand"),
    **dict.fromkeys(ERRORS, "an error: raised by the targets"),
    "serve": "does not return; its requests are tried in tests/explorer",
    "figures": "functions of matplotlib's axes; hostile words are tried in tests/report",
    "CELLS": "a table of the cells, which are targets",
    "Cell": "abstract: the cells are targets",
    "Score": "abstract: the scores are targets",
}
"""Public names that are no entry points, each with the reason."""


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
        T(name="memory_budget", call=_within, kinds={
            "gib": "number", "model": "its model", "documents": "documents"}),
        T(name="show_progress", call=_shown, cost=2, kinds={
            "shown": "any", "model": "its model", "documents": "documents"}),
        T(name="tokenize", call=rs.tokenize, kinds={"text": "text"}),
        T(name="beta_and_gamma", call=rs.beta_and_gamma,
          kinds={"model": "model", "documents": "documents"}),
        T(name="CellDifference", call=lambda t, m, d: list(t(m).score(d)),
          kinds={"t": "its score_type", "m": "model", "d": "documents"}, names=(
              "CellDecomposition", "GradientNorm", "GradientTimesInput", "LeaveOneOut", "Occlusion")),
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
          kinds={"scores": "strengths", "phrases": "tree_phrases"}),
        T(name="randomisation_test", call=lambda m, d, r: rs.randomisation_test(
            m, rs.CellDifference, None, d, repeats=r), cost=5,
          kinds={"m": "model", "d": "documents", "r": "count"}),
        T(name="counterfactual_edits", call=lambda pairs, m: rs.counterfactual_edits(
            pairs, rs.CellDifference(m)), kinds={"pairs": "pairs", "m": "model"}),
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
    return found + dynamics() + explorer() + studies() + questions() + commands()


def _within(gib: Any, model: rs.Model, documents: Any) -> Any:
    with rs.memory_budget(gib):
        return model.logits(documents)


def _shown(shown: Any, model: rs.Model, documents: Any) -> Any:
    with rs.show_progress(shown):
        return model.logits(documents)


def _any_phrases() -> Any:
    from rnnscope.phrases import Phrases

    return Phrases.__new__(Phrases)


def covered(found: list[Target]) -> set[str]:
    """The public names that the targets call."""
    return {name for target in found for name in (target.name, *target.names)}


def kinds(found: list[Target]) -> set[str]:
    """The kinds of value that the targets take."""
    return {kind.removeprefix("its ") for target in found for kind in target.kinds.values()}
