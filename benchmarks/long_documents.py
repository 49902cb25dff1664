"""Peak memory and time of one very long document, task by task.

Run: OMP_NUM_THREADS=1 python benchmarks/long_documents.py [--words 1000000] [--units 64] [--out F]

For a GRU and an LSTM (float32, last state, 1,000 words, two classes): the class (logits), all
states in stretches, beta and gamma of every word, gradient x input of every word. Each runs in a
process of its own; "megabytes" is its peak resident memory less what it held before the work
began, results and, for scores, the words' names included. Beside it what one array of the states
of all steps, and those with gates and drives, would take. Writes JSON, over what is there already.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import rnnscope as rs

OUT = Path(__file__).parent.parent / "docs" / "results" / "long_documents.json"
KINDS = {"gru": (nn.GRU, 1, 6), "lstm": (nn.LSTM, 2, 8)}
"""Module; numbers a unit and step in the state; with the gates and drives."""

TASKS = {
    "logits": lambda model, document: model.logits([document]),
    "states": lambda model, document: sum(float(p.sum()) for p in model.stretches(document)),
    "beta": lambda model, document: rs.CellDifference(model).score([document]).values,
    "gamma": lambda model, document: rs.CellDecomposition(model).score([document]).values,
    "gradient x input": lambda model, document: (
        rs.GradientTimesInput(model).score([document]).values
    ),
}


class Network(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 32)
        self.recurrent = kind(32, units, batch_first=True)
        self.readout = nn.Linear(units, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.readout(self.recurrent(self.embedding(ids))[0][:, -1])


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(kind: str, task: str, words: int, units: int) -> dict[str, float]:
    """Run one task here."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    document = np.random.default_rng(0).integers(1, 1000, size=words)
    model = rs.from_torch(Network(KINDS[kind][0], units))
    TASKS[task](model, document[:1000])
    before, started = peak(), time.perf_counter()
    TASKS[task](model, document)
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 1), "megabytes": round(peak() - before)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--kinds", default=",".join(KINDS), help="of them, joined by commas")
    parser.add_argument("--tasks", default="all", help="some of them, joined by commas")
    parser.add_argument("--only", default="", help="kind/task, in this process")
    arguments = parser.parse_args()
    sizes = ["--words", str(arguments.words), "--units", str(arguments.units)]
    if arguments.only:
        kind, task = arguments.only.split("/")
        print(json.dumps(one(kind, task, arguments.words, arguments.units)))
        return
    result: dict = {
        "command": "OMP_NUM_THREADS=1 python benchmarks/long_documents.py",
        "words": arguments.words,
        "units": arguments.units,
    }
    if arguments.out.exists():
        before = json.loads(arguments.out.read_text(encoding="utf-8"))
        if (before["words"], before["units"]) == (arguments.words, arguments.units):
            result = before
    for kind in arguments.kinds.split(","):
        _, state, all_of_it = KINDS[kind]
        megabytes = 4 * arguments.words * arguments.units / 2**20
        found: dict = result.get(kind) or {
            "megabytes of all states": round(state * megabytes),
            "with gates and drives": round((state + all_of_it) * megabytes),
        }
        for task in TASKS if arguments.tasks == "all" else arguments.tasks.split(","):
            call = [sys.executable, __file__, *sizes, "--only", f"{kind}/{task}"]
            done = subprocess.run(call, check=True, capture_output=True, text=True)
            found[task] = json.loads(done.stdout.splitlines()[-1])
            print(kind, task, found[task], file=sys.stderr, flush=True)
            result[kind] = found
            # Each is minutes of work: what was measured is kept.
            arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
