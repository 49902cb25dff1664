"""What a study measures of each network. Each analysis gives a JSON-safe dictionary."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnscope.account import explain
from rnnscope.data import Corpus
from rnnscope.dynamics import find_fixed_points, linearize, long_run, one_step_error
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.fidelity import BagOfWords, judge
from rnnscope.models import Model
from rnnscope.phrases import mine_phrases
from rnnscope.rules import RuleList
from rnnscope.scores import CellDecomposition, CellDifference, GradientTimesInput, Score
from rnnscope.statistics import finite, share

Analysis = Callable[[Model, Corpus, dict[str, Any], Path], dict[str, Any]]


def accuracy(model: Model, corpus: Corpus, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The network and a bag of words fitted to the labels, on the test documents."""
    _no_options("accuracy", options, ())
    del folder
    train, test = corpus.split("train"), corpus.split("test")
    predicted = model.predict(test)
    labels = np.asarray(test.labels)
    words = BagOfWords.fit(train.documents, np.asarray(train.labels))
    answers = {"network": np.asarray(predicted)}
    if words is not None:
        answers["bag_of_words"] = words.predict(test.documents)
    return {
        "documents": len(test),
        "classes": len(corpus.classes),
        **{name: share(given == labels).to_dict() for name, given in answers.items()},
        "training": model.record,
    }


def account(model: Model, corpus: Corpus, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The whole account; its page is saved beside, and its parts until then."""
    parts = folder / "parts"
    found = explain(model, corpus, directory=parts, **options)
    found.save(folder / "report.html")
    shutil.rmtree(parts, ignore_errors=True)
    return found.to_dict()


def approximation(
    model: Model, corpus: Corpus, options: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """One step linearized at the nearest point, beside no change (paper B's Figure 5)."""
    _no_options("approximation", options, ("count", "documents"))
    del folder
    test = corpus.split("test").documents[: options.get("documents", 500)]
    points = find_fixed_points(model, test, count=options.get("count", 256), basins=False)
    found = one_step_error(model, points, test)
    return {"points": points.counts, "one_step": found.summary()}


def left_alone(
    model: Model, corpus: Corpus, options: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """What becomes of the network without input, from states that documents lead to, and whether
    its slowest mode oscillates (paper B's exception is a vanilla network that does): whether it
    turns by a half or more before it has fallen, or grown, by a factor e."""
    _no_options("long_run", options, ("count", "documents", "steps"))
    del folder
    test = corpus.split("test").documents[: options.get("documents", 500)]
    count = options.get("count", 64)
    run = long_run(model, test, count=count, steps=options.get("steps", 16_384))
    points = find_fixed_points(model, test, count=count, basins=False)
    modes = linearize(model, points)
    slowest = modes.periods[:, 0]
    turning = slowest <= 2 * modes.time_constants[:, 0]
    return {
        "run": run.summary(),
        "points": len(modes),
        "turning": finite(float(turning.double().mean())),
        "period": float(slowest[turning].median()) if turning.any() else None,
        "saddles": finite(float(modes.growing[:, 0].double().mean())),
    }


METHODS: dict[str, Callable[[Model], Score]] = {
    "gamma": CellDecomposition,
    "beta": CellDifference,
    "gradient": GradientTimesInput,
}


def methods(model: Model, corpus: Corpus, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Rules mined from each word score, judged against the network and the labels (paper A's
    Table 1)."""
    _no_options("methods", options, ("max_rules", "documents"))
    del folder
    train, test = corpus.split("train"), corpus.split("test")
    mined = train.take(np.arange(min(len(train), options.get("documents", len(train)))))
    network = model.predict(test)
    rows: dict[str, Any] = {}
    for name, make in METHODS.items():
        try:
            scores = make(model).score(mined)
            rules = RuleList.from_phrases(mine_phrases(scores), max_rules=options.get("max_rules"))
        except NotApplicable as error:
            rows[name] = {"not_applied": str(error)}
            continue
        judged = judge(name, rules, test.documents, network=network, labels=test.labels)
        rows[name] = judged.to_dict()
    return {"methods": rows, "documents": len(test)}


RUN: dict[str, Analysis] = {
    "accuracy": accuracy,
    "account": account,
    "approximation": approximation,
    "methods": methods,
    "long_run": left_alone,
}


def _no_options(name: str, options: dict[str, Any], known: tuple[str, ...]) -> None:
    for option in options:
        if option not in known:
            raise UsageError(
                f"The analysis {name} has no such option.",
                expected=", ".join(known) or "none",
                got=option,
            )
