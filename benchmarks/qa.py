"""Question answering on WikiMovies and bAbI: the networks, their patterns, the evidence model.

    OMP_NUM_THREADS=1 python benchmarks/qa.py [--write] [--runs DIR] [--only final|v1|babi|fresh]

Needs the larger data sets (RNNSCOPE_SHARED). WikiMovies: the published questions (10,000 of the
training ones) on documents verbalised from the knowledge base; networks are trained on the training
questions, patterns mined and weights fitted on the network's answers to the validation questions,
everything is judged on all test questions. Categories of test questions come from their words, the
data's own are used for the tables alone. A table goes to stderr; the last line of stdout is one
JSON object, which ``--write`` puts in docs/results/qa.json:

    ceiling           share of the test questions with a right answer in the documents retrieved
    lstm_hits1        final network, test
    patterns_gamma_hits1, patterns_beta_hits1, patterns_gradient_hits1   final patterns, "supported"
    evidence_gamma_hits1   the evidence model on the gamma patterns
    by_relation       of each relation, hits@1 of network, patterns and evidence (gamma)
    rows              one object per method and order: hits1, agreement with the network, the share
                      of answers plausible to it, coverage, patterns, the evidence model's hits1
    variants          the gamma list edited: numbers generalised, located patterns dropped,
                      patterns with a typed answer dropped (the paper's features and is-number)
    order             the methods by hits@1, best first, for each order of the patterns
    documents_per_second   matching, from read documents to answers, one thread,
                      by the processor's clock
    *_v1              the same of the first version
    babi              by task: hits@1 of network and patterns, precision and recall of the marked
                      supporting sentence by the sentence of the answer
    fresh             the final network, patterns and evidence (gamma) on the other half of the
                      validation questions, on which nothing was chosen: choices of the method were
                      made with figures of the test questions in view
    seconds           of each part, and versions
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from rnnscope.qa import (
    Answers,
    Categories,
    PatternEvidence,
    PatternList,
    QuestionCorpus,
    babi_corpus,
    mine_patterns,
    movie_questions,
    train_question_model,
)
from rnnscope.qa.entities import is_number
from rnnscope.qa.training import DEFAULTS

SHARED = Path(os.environ.get("RNNSCOPE_SHARED", Path(__file__).parents[2] / "shared"))
RESULT = Path(__file__).parents[1] / "docs" / "results" / "qa.json"
SPLITS = {"train": "train", "dev": "validation", "test": "test"}
METHODS = ("gamma", "beta", "gradient")
LIMIT = 30

MOVIES = replace(DEFAULTS, epochs=3, min_count=20)
VERSIONS = ("final", "v1")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"also write {RESULT.name}")
    parser.add_argument("--runs", type=Path, help="keep the trained networks here and reuse them")
    parser.add_argument("--only", choices=(*VERSIONS, "babi", "fresh"))
    chosen = parser.parse_args()
    started = time.perf_counter()
    result: dict[str, Any] = {}
    if chosen.only in (None, *VERSIONS):
        corpus = load_movies()
        result |= about(corpus)
        for version in VERSIONS if chosen.only is None else (chosen.only,):
            result |= wikimovies(corpus, version, chosen.runs)
    if chosen.only in (None, "babi"):
        result["babi"] = {str(task): babi(task, chosen.runs) for task in (1, 4, 5)}
    if chosen.only in (None, "fresh"):
        result["fresh"] = fresh(load_movies(fresh=True), chosen.runs)
    seconds = {chosen.only or "all": round(time.perf_counter() - started)}
    result["versions"] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    if chosen.write:
        kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
        written = {**kept, **result, "seconds": kept.get("seconds", {}) | seconds}
        RESULT.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({**result, "seconds": seconds}))


def load_movies(*, fresh: bool = False) -> QuestionCorpus:
    folder = SHARED / "data" / "wikimovies"
    triples = pl.read_parquet(folder / "kb.parquet").rows()
    questions = {
        split: pl.read_parquet(folder / f"{file}.parquet").to_dicts()
        for file, split in SPLITS.items()
    }
    # Every second one is enough to stop training by and to mine from.
    if fresh:
        questions["test"] = questions["validation"][1::2]
    questions["validation"] = questions["validation"][::2]
    return movie_questions(triples, questions, limit=LIMIT)


def about(corpus: QuestionCorpus) -> dict[str, Any]:
    """What is asked, and how much of it can be answered."""
    described = {name: corpus.split(name).describe() for name in SPLITS.values()}
    test = described["test"]
    return {
        "questions": {name: found["questions"] for name, found in described.items()},
        "documents": test["documents"],
        "documents_per_question": round(test["documents_per_question"], 2),
        "ceiling": test["answerable"] / test["questions"],
        "without_candidate": test["without_candidate"],
        "options": MOVIES.to_dict(),
    }


def wikimovies(corpus: QuestionCorpus, version: str, runs: Path | None) -> dict[str, Any]:
    """One version: its network, its patterns by every method, the evidence model."""
    model = train_question_model(
        corpus,
        MOVIES,
        version=version,
        directory=None if runs is None else runs / f"wikimovies-{version}",
        progress=True,
    )
    mined, judged = model.answer(corpus.split("validation")), model.answer(corpus.split("test"))
    say(f"{version}: network {judged.hits1:.4f}, validation {mined.hits1:.4f}")
    suffix = "" if version == "final" else "_v1"
    result: dict[str, Any] = {f"lstm{suffix}_hits1": judged.hits1}
    categories = Categories.learn(mined.reading)
    rows: list[dict[str, Any]] = []
    for method in METHODS:
        started = time.perf_counter()
        count = 5 if version == "final" else 11
        options = {"version": version, "method": method, "min_count": count}
        patterns = mine_patterns(model, mined, categories=categories, **options)
        seconds = round(time.perf_counter() - started, 1)
        evidence = PatternEvidence.fit(patterns, mined)
        orders = {"supported": patterns, "importance": by_importance(patterns)}
        for order, listed in orders.items() if version == "final" else [("forest", patterns)]:
            row = measure(listed, evidence, judged) | {"method": method, "order": order}
            rows.append(row | {"mining_seconds": seconds})
            say(json.dumps({k: v for k, v in rows[-1].items() if k != "by_relation"}))
        result[f"patterns{suffix}_{method}_hits1"] = patterns.answer(judged.reading).hits1
        result[f"evidence{suffix}_{method}_hits1"] = evidence.answer(judged.reading).hits1
        if method == "gamma":
            result[f"by_relation{suffix}"] = by_relation(judged, patterns, evidence)
            result[f"documents_per_second{suffix}"] = speed(patterns, judged)
            result[f"examples{suffix}"] = examples(patterns)
            result[f"variants{suffix}"] = variants(patterns, judged)
            if version == "final":
                plain = mine_patterns(model, mined, categories=categories, bridge=0, **options)
                result["variants"]["every_word_important"] = {
                    "hits1": plain.answer(judged.reading).hits1,
                    "patterns": len(plain),
                }
    result[f"rows{suffix}"] = rows
    result[f"order{suffix}"] = {
        order: [r["method"] for r in sorted(rows, key=hits) if r["order"] == order]
        for order in dict.fromkeys(row["order"] for row in rows)
    }
    return result


def fresh(corpus: QuestionCorpus, runs: Path | None) -> dict[str, Any]:
    """The final version on questions that no choice was made on."""
    folder = None if runs is None else runs / "wikimovies-final"
    model = train_question_model(corpus, MOVIES, version="final", directory=folder, progress=True)
    mined, judged = model.answer(corpus.split("validation")), model.answer(corpus.split("test"))
    found: dict[str, Any] = {"questions": len(judged), "lstm_hits1": judged.hits1}
    for method in METHODS:
        patterns = mine_patterns(
            model,
            mined,
            categories=Categories.learn(mined.reading),
            version="final",
            method=method,
            min_count=5,
        )
        evidence = PatternEvidence.fit(patterns, mined)
        found[f"patterns_{method}_hits1"] = patterns.answer(judged.reading).hits1
        found[f"by_importance_{method}_hits1"] = (
            by_importance(patterns).answer(judged.reading).hits1
        )
        found[f"evidence_{method}_hits1"] = evidence.answer(judged.reading).hits1
    return found


def hits(row: dict[str, Any]) -> float:
    return -row["hits1"]


def by_importance(patterns: PatternList) -> PatternList:
    """The same patterns in the paper's order, by S."""
    return patterns.having(sorted(patterns.patterns, key=lambda p: -(p.score or 0)))


def measure(patterns: PatternList, evidence: PatternEvidence, judged: Answers) -> dict[str, Any]:
    answers, weighed = patterns.answer(judged.reading), evidence.answer(judged.reading)
    return {
        "patterns": len(patterns),
        "occurrence": patterns.occurrence,
        "hits1": answers.hits1,
        "interval": [answers.estimate.low, answers.estimate.high],
        "agreement": answers.agreement(judged),
        "plausible": answers.plausibility(judged),
        "coverage": float(answers.given.mean()),
        "evidence_hits1": weighed.hits1,
        "evidence_plausible": weighed.plausibility(judged),
        "by_relation": {name: round(h, 4) for name, (_, h) in answers.by_category().items()},
    }


def by_relation(
    judged: Answers, patterns: PatternList, evidence: PatternEvidence
) -> dict[str, dict[str, float]]:
    tables = {
        "lstm": judged.by_category(),
        "patterns_gamma": patterns.answer(judged.reading).by_category(),
        "evidence_gamma": evidence.answer(judged.reading).by_category(),
    }
    return {
        name: {"questions": count}
        | {key: round(table[name][1], 4) for key, table in tables.items()}
        for name, (count, _) in judged.by_category().items()
    }


def variants(patterns: PatternList, judged: Answers) -> dict[str, Any]:
    """Lists edited as a person might: numbers generalised, located patterns dropped."""
    edited = {
        "any_number": with_any_number(patterns),
        "without_located": patterns.having(p for p in patterns.patterns if "..." not in p.words),
        "without_types": patterns.having(
            p for p in patterns.patterns if (p.slot or "") in ("", "<answer>", "<answer:number>")
        ),
    }
    found: dict[str, Any] = {}
    for name, listed in {"as_mined": patterns, **edited}.items():
        answers = listed.answer(judged.reading)
        years = answers.by_category()["release_year"][1]
        found[name] = {"hits1": answers.hits1, "release_year": years, "patterns": len(listed)}
    return found


def with_any_number(patterns: PatternList) -> PatternList:
    """Every number in a pattern stands for any, as in the paper's manual variant."""
    kept = {}
    for pattern in patterns.patterns:
        words = tuple("<number>" if is_number(word) else word for word in pattern.words)
        kept.setdefault(
            (pattern.category, words), type(pattern)(words=words, category=pattern.category)
        )
    return patterns.having(kept.values())


def speed(patterns: PatternList, judged: Answers) -> float:
    """Documents a second of the processor's time, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        started = time.process_time()
        patterns.answer(judged.reading)
        best = max(best, len(judged.reading) / (time.process_time() - started))
    return round(best)


def examples(patterns: PatternList) -> dict[str, list[str]]:
    """The first three patterns of each category."""
    return {
        name: [p.text for p in patterns.patterns if p.category == name][:3]
        for name in patterns.categories.names
    }


def babi(task: int, runs: Path | None) -> dict[str, Any]:
    folder = SHARED / "data" / "babi"
    rows: list[dict[str, Any]] = []
    for file, most in (("train", 2500), ("test", None)):
        table = pl.read_parquet(folder / f"{file}.parquet").filter(pl.col("task") == task)
        for k, row in enumerate(table.head(most or table.height).to_dicts()):
            split = "test" if file == "test" else "validation" if k % 5 == 4 else "train"
            rows.append(row | {"split": split, "task": ""})
    corpus = babi_corpus(rows, name=f"babi task {task}")
    model = train_question_model(
        corpus,
        units=32,
        embedding=32,
        epochs=30,
        patience=8,
        directory=None if runs is None else runs / f"babi-{task}",
        progress=True,
    )
    mined, judged = model.answer(corpus.split("validation")), model.answer(corpus.split("test"))
    patterns = mine_patterns(model, mined, categories=Categories(weights={"all": {}}))
    if task == 5:
        patterns = mine_patterns(model, mined)
    found = patterns.answer(judged.reading)
    evidence = PatternEvidence.fit(patterns, mined).answer(judged.reading)
    marked = [q.supporting for q in judged.reading.corpus.questions]

    def facts(answers: Answers) -> dict[str, float]:
        places = answers.sentences().tolist()
        hits = np.array([s in m for s, m in zip(places, marked, strict=True)])
        return {
            "precision": float(hits.sum() / max(1, answers.given.sum())),
            "recall": float(hits.sum() / sum(map(len, marked))),
        }

    result = {
        "questions": len(judged),
        "ceiling": corpus.split("test").describe()["answerable"] / len(judged),
        "lstm_hits1": judged.hits1,
        "patterns_gamma_hits1": found.hits1,
        "evidence_gamma_hits1": evidence.hits1,
        "coverage": float(found.given.mean()),
        "occurrence": patterns.occurrence,
        "patterns": len(patterns),
        "supporting_by_patterns": facts(found),
        "supporting_by_network": facts(judged),
        "examples": [p.text for p in patterns.patterns[:5]],
    }
    say(json.dumps(result))
    return result


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
