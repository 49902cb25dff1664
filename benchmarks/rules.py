"""Rules and phrase models read out of LSTMs, on SST-2, IMDB and Yelp reviews.

Run: OMP_NUM_THREADS=1 python benchmarks/rules.py --write [--data sst2 imdb yelp] [--seeds 0 1 2]

Needs the folder RNNSCOPE_SHARED. Trains (once; kept under runs/rules) an LSTM for each data set and
seed, scores and mines the training text, and judges every description on the test split against
the network's answers and the labels. Prints a table to standard error and one JSON object as the
last line of standard output; --write also puts it in docs/results/rules.json:
    <data>.rows.<row>        agreement, accuracy and size: mean, and lowest and highest of the seeds
    <data>.rules_1000_agreement, <data>.phrase_model_agreement   the same figures, flat
    imdb.pipeline            seconds of each step from the texts of the 25,000 training reviews to a
                             rule list judged on the tenth of them that was not mined

The paper's rows take the phrases in the order of S; "supported" takes log S times the lower end of
the precision's interval. Lists of at most so many rules are pruned on the mined text.
Text that is mined: the training texts; for SST-2 also its labelled phrases of three words or more
and sentences of IMDB's training reviews, whose labels are not used.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import review_data as data
from review_networks import corpus_of, network_of

import rnnscope as rs
from rnnscope.fidelity import BagOfNgrams, BagOfWords, Majority

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results" / "rules.json"
MIN_COUNT = {"sst2": 5, "imdb": 10, "yelp": 5}
SENTENCE_WEIGHT = 10.0
"""How much a training sentence of SST-2 counts beside the other text (chosen on validation)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["sst2", "imdb", "yelp"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("runs/rules"))
    parser.add_argument("--pipeline", action="store_true", help="time IMDB's pipeline alone")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if not data.shared().is_dir():
        sys.exit(f"No data: {data.shared()} is not there; name the folder in RNNSCOPE_SHARED.")
    result: dict[str, Any] = {}
    if arguments.pipeline:
        result = json.loads(RESULTS.read_text())
        result["imdb"]["pipeline"] = pipeline(rs.load(arguments.folder / "imdb_0" / "model"))
        if arguments.write:
            RESULTS.write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result["imdb"]["pipeline"]))
        return
    for name in arguments.data:
        corpus = corpus_of(name)
        runs = [one_run(name, corpus, seed, arguments.folder) for seed in arguments.seeds]
        result[name] = gathered(runs) | {"seeds": arguments.seeds, **described(corpus)}
        if name == "imdb":
            model = network_of(name, corpus, arguments.seeds[0], arguments.folder)
            result[name] |= {"pipeline": pipeline(model)}
        show(name, result[name])
        if arguments.write:
            RESULTS.parent.mkdir(parents=True, exist_ok=True)
            kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            RESULTS.write_text(json.dumps(kept | result, indent=1) + "\n")
    print(json.dumps(result))


def one_run(name: str, corpus: rs.Corpus, seed: int, folder: Path) -> dict[str, Any]:
    """Every description of one network, judged on the test split."""
    model = network_of(name, corpus, seed, folder)
    say(f"{name} {seed}: network ready")
    test = corpus.split("test")
    network = model.predict(test.documents)
    mined, weights = mined_text(name, corpus)
    beta, gamma = rs.beta_and_gamma(model, mined)
    answers, logits = beta.predictions, beta.logits.numpy()
    bias = model.require_readout().bias.double().numpy()
    rows: dict[str, dict[str, Any]] = {
        "lstm": {"accuracy": share(network == test.labels), "agreement": 1.0, "size": 0}
    }

    def judge(row: str, description: Any) -> None:
        given = description.predict(test.documents)
        rows[row] = {
            "agreement": share(given == network),
            "accuracy": share(given == test.labels),
            "size": description.size,
        }
        say(f"{name} {seed}: {row} {rows[row]}")

    for method, scores in (("beta", beta), ("gamma", gamma)):
        phrases = rs.mine_phrases(scores, min_count=MIN_COUNT[name])
        whole = rs.RuleList.from_phrases(phrases, max_rules=None)
        judge(f"rules_{method}", whole)
        supported = rs.RuleList.from_phrases(phrases, max_rules=None, order="supported")
        judge(f"rules_{method}_supported", supported)
        judge(f"rules_{method}_pruned", supported.pruned(mined, answers, weights=weights))
        for size in (300, 1000, 3000):
            pruned = supported.pruned(mined, answers, max_rules=size, weights=weights)
            judge(f"rules_{method}_{size}", pruned)
        if method == "beta":
            for size in (1000, 3000, 10_000, None):
                fitted = rs.PhraseModel.fit(
                    phrases, mined, logits, max_phrases=size, weights=weights
                )
                judge(f"phrase_model_{size or 'all'}", fitted)
        judge(f"phrases_summed_{method}", rs.PhraseModel.summed(phrases, bias=bias))
    gradient_rules(model, mined, name, judge)
    for row, bag in (("bag_of_words", BagOfWords), ("bag_of_1_3_grams", BagOfNgrams)):
        judge(row, bag.fit(mined, answers))
    judge("majority", Majority.fit(mined, answers))
    return rows


def gradient_rules(model: rs.Model, mined: Sequence[Any], name: str, judge: Any) -> None:
    """Rules from the norm of the gradient, whose class is the network's majority answer where the
    phrase occurs, and from gradient x input, whose sign is the class. On the first 8,000 texts."""
    some = mined[:8000]
    norms = rs.GradientNorm(model).score(some)
    phrases = rs.mine_phrases(norms, min_count=MIN_COUNT[name], importance="sum")
    judge("rules_gradient_norm", rs.RuleList.from_phrases(phrases, max_rules=None))
    products = rs.GradientTimesInput(model).score(some)
    phrases = rs.mine_phrases(products, min_count=MIN_COUNT[name])
    judge("rules_gradient_times_input", rs.RuleList.from_phrases(phrases, max_rules=None))


def mined_text(name: str, corpus: rs.Corpus) -> tuple[list[tuple[str, ...]], np.ndarray | None]:
    """What is mined and fitted on, and how much each text counts."""
    if name != "sst2":
        return list(corpus.split("train").documents), None
    sentences = list(data.sst2(phrases=False).split("train").documents)
    phrases = [d for d in corpus.split("train").documents if len(d) >= 3]
    others = data.imdb_sentences(220_000)
    weights = np.ones(len(sentences) + len(phrases) + len(others))
    weights[: len(sentences)] = SENTENCE_WEIGHT
    return [*sentences, *phrases, *others], weights


def pipeline(model: rs.Model) -> dict[str, float]:
    """The whole IMDB training set, from its texts to a validated rule list: seconds by step."""
    texts = data.imdb_texts()
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(step: str) -> None:
        nonlocal clock
        seconds[step] = time.perf_counter() - clock
        clock = time.perf_counter()

    documents = [data.last_words(text) for text in texts]
    mined, held = documents[: len(documents) * 9 // 10], documents[len(documents) * 9 // 10 :]
    lap("tokenize")
    beta, _ = rs.beta_and_gamma(model, mined)
    answers = beta.predictions
    lap("score")
    phrases = rs.mine_phrases(beta, min_count=MIN_COUNT["imdb"])
    lap("mine")
    whole = rs.RuleList.from_phrases(phrases, max_rules=None, order="supported")
    rules = whole.pruned(mined, answers, max_rules=1000)
    lap("rules")
    judged = rs.judge("rules", rules, held, network=model.predict(held))
    lap("judge")
    return {
        **seconds,
        "total": sum(seconds.values()),
        "reviews": len(texts),
        "rules_kept": rules.size,
        "agreement_on_the_tenth": judged.agreement.value,
    }


def gathered(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean, lowest and highest of the seeds, row by row."""
    rows: dict[str, Any] = {}
    for row in runs[0]:
        rows[row] = {
            key: {
                "mean": float(np.mean([run[row][key] for run in runs])),
                "range": [min(run[row][key] for run in runs), max(run[row][key] for run in runs)],
            }
            for key in runs[0][row]
        }
    return {
        "rows": rows,
        "rules_1000_agreement": rows["rules_beta_1000"]["agreement"]["mean"],
        "phrase_model_agreement": rows["phrase_model_3000"]["agreement"]["mean"],
        "lstm_accuracy": rows["lstm"]["accuracy"]["mean"],
    }


def described(corpus: rs.Corpus) -> dict[str, Any]:
    """What the figures are of."""
    test = corpus.split("test")
    return {
        "test_documents": len(test),
        "mean_length": float(np.mean([len(d) for d in test.documents])),
    }


def share(hits: np.ndarray) -> float:
    return float(np.mean(hits))


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def show(name: str, result: dict[str, Any]) -> None:
    print(f"\n{name}: {result['test_documents']} test documents", file=sys.stderr)
    for row, figures in result["rows"].items():
        cells = " ".join(f"{key} {value['mean']:10.4f}" for key, value in figures.items())
        print(f"  {row:28} {cells}", file=sys.stderr)


if __name__ == "__main__":
    main()
