"""Scoring and mining against workers and corpus size, and what that says of very large corpora.

Run: OMP_NUM_THREADS=1 python benchmarks/scale.py [--tokens 1e6 1e7 1e8] [--workers 1 2] [--write]

A generated corpus (words drawn by Zipf's law, documents of 30 words) is scored by gamma with an
LSTM of 64 units and random weights, and mined for phrases of up to five words, shard by shard
(``mine_on``, the table on disk), each row in a process of its own. Prints progress to standard
error and one JSON object as the last line of standard output:
    rows        for each corpus size and number of workers: seconds, tokens a second, peak memory of
                the process that merges, and n-grams in the table
    speed_up    tokens a second of two workers over one, on the largest corpus that both did
    projection  hours for 10^12 tokens at the best rate of one worker, by number of workers
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnscope.cells import LSTM
from rnnscope.data import Vocabulary
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.scores import CellDecomposition
from rnnscope.study import mine_on

RESULT = Path(__file__).parent.parent / "docs" / "results" / "scale.json"
WORDS, LENGTH, UNITS, WIDTH = 20_000, 30, 64, 64


def network() -> Model:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return (2 * torch.rand(*shape, generator=generator) - 1) / UNITS**0.5

    cell = LSTM(W=drawn(4 * UNITS, WIDTH), V=drawn(4 * UNITS, UNITS), b=drawn(4 * UNITS))
    words = ("<unk>", *(f"w{k}" for k in range(1, WORDS)))
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=torch.randn(WORDS, WIDTH, generator=generator),
        vocabulary=Vocabulary(words=words),
        readout=Readout.of(drawn(2, UNITS)),
        classes=("negative", "positive"),
    )


def documents(tokens: int) -> Iterator[list[str]]:
    """Drawn as they are needed, so that the corpus is never held."""
    generator = np.random.default_rng(0)
    names = np.array([f"w{k}" for k in range(WORDS)])
    for _ in range(0, tokens // LENGTH, 1000):
        drawn = generator.zipf(1.2, (1000, LENGTH))
        yield from names[np.minimum(drawn, WORDS - 1)].tolist()


def row(tokens: int, workers: int) -> dict[str, Any]:
    score = CellDecomposition(network())
    context = multiprocessing.get_context("spawn")
    with nullcontext() if workers == 1 else ProcessPoolExecutor(workers, context) as pool:
        if pool is not None:
            # The processes' own start is not the work.
            mine_on(score, documents(20_000), pool, shard=100)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            table = mine_on(
                score,
                documents(tokens),
                pool,
                shard=5_000,
                ahead=2 * workers,
                path=Path(folder) / "table",
            )
            ngrams = len(table)
        seconds = time.perf_counter() - start
    return {
        "tokens": tokens,
        "workers": workers,
        "seconds": seconds,
        "tokens_a_second": tokens / seconds,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "ngrams": ngrams,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=float, nargs="+", default=[1e6, 1e7])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", type=int, nargs=2, help="one row: tokens and workers")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(row(*options.only)))
        return
    rows = []
    for tokens in map(int, options.tokens):
        for workers in options.workers:
            command = [sys.executable, __file__, "--only", str(tokens), str(workers)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(f"  {rows[-1]}", file=sys.stderr, flush=True)
    by = {(one["tokens"], one["workers"]): one["tokens_a_second"] for one in rows}
    both = [t for t in map(int, options.tokens) if (t, 1) in by and (t, 2) in by]
    best = max(one["tokens_a_second"] for one in rows if one["workers"] == 1)
    result = {
        "rows": rows,
        "speed_up": by[both[-1], 2] / by[both[-1], 1] if both else None,
        "projection_hours_for_1e12_tokens": {
            str(n): 1e12 / best / n / 3600 for n in (1, 100, 1000, 10_000)
        },
    }
    if options.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
