"""How accurate the networks of the reference trainer are on the embedded data, and how fast.

    OMP_NUM_THREADS=1 python benchmarks/accuracy.py [--seeds 3] [--views sentences documents]
        [--architectures vanilla ugrnn gru lstm] [--write]

Trains every architecture with the default options on both views of the embedded data, once per
seed, and a tf-idf logistic regression beside them (its C is chosen on the validation part). A
table goes to stderr; the last line of stdout is one JSON object, which ``--write`` also writes to
docs/results/accuracy.json:

    seeds         list of seeds
    options       the training options shared by all networks
    rows          one object per view and model:
        view        "sentences" or "documents"
        model       an architecture, or "unigrams" or "bigrams" for logistic regression
        test        list of test accuracies, one per seed (logistic regression: one)
        validation  list of validation accuracies, likewise
        documents   test documents
        epochs      list of epochs trained, per seed (networks only)
        words_per_second  median over epochs and seeds (networks only)
        seconds     list of wall-clock seconds per run
    throughput    words_per_second of LSTM(128) in training, its best epoch, and torch's threads
    versions      python, torch, machine
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from rnnscope.data import Corpus, load_corpus
from rnnscope.training import TrainingOptions, train

VIEWS = ("sentences", "documents")
ARCHITECTURES = ("vanilla", "ugrnn", "gru", "lstm")
RESULT = Path(__file__).parents[1] / "docs" / "results" / "accuracy.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="networks per architecture and view")
    parser.add_argument("--views", nargs="+", choices=VIEWS, default=VIEWS)
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES)
    parser.add_argument("--write", action="store_true", help=f"also write {RESULT.name}")
    parser.add_argument("--throughput", action="store_true", help="only the training throughput")
    chosen = parser.parse_args()
    if chosen.throughput:
        print(json.dumps(throughput()))
        return

    rows = []
    for view in chosen.views:
        corpus = load_corpus("embedded", view=view)
        for name, longest in (("unigrams", 1), ("bigrams", 2)):
            rows.append(show({"view": view, "model": name, **regression(corpus, longest)}))
        for architecture in chosen.architectures:
            measured = networks(corpus, architecture, chosen.seeds)
            rows.append(show({"view": view, "model": architecture, **measured}))
    options = TrainingOptions().to_dict()
    result = {
        "seeds": list(range(chosen.seeds)),
        "options": {k: v for k, v in options.items() if k not in ("architecture", "seed")},
        "rows": rows,
        "throughput": throughput(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "machine": platform.machine(),
        },
    }
    if chosen.write:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


def networks(corpus: Corpus, architecture: Any, seeds: int) -> dict[str, Any]:
    """The same network trained once per seed."""
    test = corpus.split("test")
    models, accuracies = [], []
    for seed in range(seeds):
        options = TrainingOptions(architecture=architecture, seed=seed)
        models.append(train(corpus, options, progress=sys.stderr.isatty()))
        accuracies.append(float((models[-1].predict(test) == test.labels).mean()))
    records = [model.record for model in models]
    return {
        "test": accuracies,
        "validation": [record["validation_accuracy"] for record in records],
        "documents": len(test),
        "epochs": [record["epochs"] for record in records],
        "words_per_second": round(
            statistics.median(e["words_per_second"] for r in records for e in r["history"])
        ),
        "seconds": [record["seconds"] for record in records],
    }


def regression(corpus: Corpus, longest: int) -> dict[str, Any]:
    """Logistic regression on tf-idf n-grams of up to ``longest`` words."""
    started = time.perf_counter()
    train_part, validation, test = (corpus.split(s) for s in ("train", "validation", "test"))
    features = TfidfVectorizer(
        analyzer=lambda d: [
            " ".join(d[k : k + n]) for n in range(1, longest + 1) for k in range(len(d) - n + 1)
        ],
        min_df=2,
        sublinear_tf=True,
    )
    learnt = features.fit_transform(train_part.documents)
    tried = []
    for C in (0.1, 0.3, 1.0, 3.0, 10.0):
        model = LogisticRegression(C=C, max_iter=1000).fit(learnt, train_part.labels)
        tried.append(
            (model.score(features.transform(validation.documents), validation.labels), C, model)
        )
    score, _, best = max(tried, key=lambda entry: entry[:2])
    return {
        "test": [float(best.score(features.transform(test.documents), test.labels))],
        "validation": [float(score)],
        "documents": len(test),
        "seconds": [round(time.perf_counter() - started, 2)],
    }


def throughput() -> dict[str, Any]:
    """Words per second that an LSTM of 128 units learns from."""
    options = TrainingOptions(units=128, embedding=128, epochs=2)
    history = train(load_corpus("embedded", view="documents", limit=3000), options).record[
        "history"
    ]
    return {
        "units": options.units,
        "words_per_second": max(entry["words_per_second"] for entry in history),
        "threads": torch.get_num_threads(),
    }


def show(row: dict[str, Any]) -> dict[str, Any]:
    test = row["test"]
    speed = row.get("words_per_second")
    print(
        f"{row['view']:10} {row['model']:10} test {statistics.mean(test):.3f} "
        f"({min(test):.3f} to {max(test):.3f})"
        + (f"  {speed / 1000:.0f}k words/s" if speed else "")
        + f"  {statistics.mean(row['seconds']):.0f} s",
        file=sys.stderr,
        flush=True,
    )
    return row


if __name__ == "__main__":
    main()
