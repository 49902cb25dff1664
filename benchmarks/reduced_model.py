"""How few numbers a trained network can be run in: the reduced model on IMDB, by ablation.

Run: OMP_NUM_THREADS=1 python benchmarks/reduced_model.py [--documents 3000] [--write]

A GRU(128) trained on IMDB (the last 400 words of each review; kept under runs/reduced) is replaced
by systems in k = 1, 2, 3 numbers, and each is judged on held-out reviews by the fidelity module,
beside bags of words fitted to the network's answers. Charts and tables are made from training text.

Prints progress to standard error and one JSON object as the last line of standard output:
    accuracy    the network's own, on the reviews judged
    rows        description -> agreement with the network with its interval, accuracy, size
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import review_data as data

import rnnscope as rs
from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.dynamics.charts import slow_chart
from rnnscope.dynamics.linear_rnn import train_linear_rnn
from rnnscope.dynamics.piecewise_linear import linearized_network
from rnnscope.dynamics.reduced import fit_chart, reduced_model
from rnnscope.dynamics.visited import visited_steps
from rnnscope.fidelity import compare

OPTIONS = {"units": 128, "embedding": 128, "batch": 64, "min_count": 5, "epochs": 3}
FITTED = 1500
"""Training reviews that charts are made from."""


def say(text: str) -> None:
    print(f"{time.perf_counter() - START:6.0f} s  {text}", file=sys.stderr, flush=True)


def systems(model: rs.Model, fitted: list[list[str]], train: list[list[str]]) -> dict[str, object]:
    """Every description that is judged, by name."""
    rows: dict[str, object] = {}
    states = visited_steps(model, fitted, count=20_000).after
    points = find_fixed_points(model, fitted, count=128, basins=False)
    say(repr(points))
    modes = linearize(model, points, count=8)
    middle = int(modes.simple_points[len(modes.simple_points) // 2])
    one = slow_chart(modes, middle, 1)
    rows["one slow mode, expanded at one point"] = reduced_model(model, one, "expansion")
    rows["the same, each word's whole push"] = reduced_model(model, one, "pushes")
    rows["the same, switched along the manifold"] = reduced_model(
        model, one, "switched", points=points
    )
    rows["one linearization of the whole network"] = linearized_network(model, points, point=middle)
    for k in (1, 2, 3):
        for kind in ("principal", "balanced"):
            chart = fit_chart(model, fitted, k, kind=kind)
            say(f"{kind} {k}: {chart.error(states):.3f} of the variance is left out")
            rows[f"{k} {kind}, network's step on the curved chart"] = reduced_model(
                model, chart, "lifted"
            )
            if kind == "balanced":
                rows[f"{k} balanced, a table of words"] = reduced_model(model, chart, "table")
                flat = fit_chart(model, fitted, k, kind=kind, degree=0)
                rows[f"{k} balanced, network's step on a flat chart"] = reduced_model(
                    model, flat, "lifted"
                )
                rows[f"{k} balanced, pushes that do not depend on the state"] = reduced_model(
                    model, chart, "table", degree=0
                )
    rows["linear RNN trained on its answers"] = train_linear_rnn(model, train[:8000], epochs=3)
    return rows


if __name__ == "__main__":
    START = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--folder", type=Path, default=Path("runs/reduced"))
    parser.add_argument("--write", action="store_true", help="to docs/results/reduced_model.json")
    args = parser.parse_args()
    corpus = data.imdb()
    where = args.folder / "imdb_gru"
    if (where / "model").exists():
        model = rs.load(where / "model")
    else:
        model = rs.train(corpus, architecture="gru", seed=0, directory=where, **OPTIONS)
    train, test = corpus.split("train"), corpus.split("test")
    chosen = np.random.default_rng(0).permutation(len(test.documents))[: args.documents]
    held = [test.documents[k] for k in chosen]
    labels = np.asarray(test.labels)[chosen]
    answers = model.predict(held)
    accuracy = float((answers == labels).mean())
    say(f"the network is right on {accuracy:.3f} of {len(held)} reviews")
    some = [list(d) for d in train.documents]
    rows = systems(model, some[:FITTED], some)
    say("judging")
    table = compare(
        rows, held, network=answers, labels=labels, fitted_on=(some, model.predict(some))
    )
    frame = table.to_frame()
    result = {"network": "GRU(128), IMDB", "accuracy": accuracy, "documents": len(held)}
    result["rows"] = frame.to_dicts()
    if args.write:
        out = Path(__file__).parents[1] / "docs" / "results" / "reduced_model.json"
        out.write_text(json.dumps(result, indent=1, default=float) + "\n")
    print(table, file=sys.stderr)
    print(json.dumps(result, default=float))
