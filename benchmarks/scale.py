"""Scoring, mining and fixed points against workers and size, and what that says of far larger ones.

Run: OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 python benchmarks/scale.py --write
     [--tokens 1e6 1e7 1e8] [--seeds 1e4 1e5 1e6] [--workers 1 2]

A generated corpus (word ids drawn by Zipf's law, documents of 30 words) is scored by gamma with an
LSTM of 64 units and random weights; the same is scored and mined for phrases of up to five words,
shard by shard (``mine_on``, the table on disk). Fixed points are sought (``find_on``) from states
drawn in a cube: of a hand-built flip-flop whose 27 roots are known, and, where the benchmark
networks are at hand, of a trained GRU of 64 units with a line attractor (the fewest seeds only).
Each row is a process of its own with a pool of workers, one thread each; the largest size is left
to the most workers, which keeps the whole within a quarter of an hour. Progress goes to standard
error; the last line of standard output is one JSON object:
    scoring, mining   for each size and number of workers: seconds, tokens a second, peak memory of
                      the parent and of the largest worker in GiB; n-grams and bytes of the table
    fixed_points      seeds a second, roots, peak memory
    speed_up          of two workers over one, for each kind of work, at the largest size of both:
                      the fastest run of each
    growth            n-grams of the table as a power of the tokens, between the last two sizes
    projection        for 10^8 to 10^12 tokens: hours by workers at one worker's rate, rows and
                      bytes of the table by that power, and the largest count of one word
                      (``--project`` prints it as a table, from the saved rows)
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fixed_points import read
from scipy.special import zeta

from rnnscope.cells import LSTM
from rnnscope.data import Vocabulary
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.scores import CellDecomposition
from rnnscope.study import find_on, mine_on
from rnnscope.study.shards import ordered
from rnnscope.synthetic import flip_flop

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "docs" / "results" / "scale.json"
NETWORKS = Path(os.environ.get("RNNSCOPE_SHARED", ROOT.parent / "shared")) / "bench" / "dynamics"
WORDS, LENGTH, UNITS, WIDTH, SHARD = 20_000, 30, 64, 64, 20_000
EXPONENT = 1.2
"""Of Zipf's law, whose most frequent word has a share of 1 / zeta(1.2)."""

PROJECTED = (1e8, 1e9, 1e10, 1e11, 1e12)
WORKERS = (1, 100, 10_000)
COUNTS_END = 2**32


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


def shard(number: int, count: int) -> list[np.ndarray]:
    """One shard's documents, drawn where they are needed."""
    drawn = np.random.default_rng(number).zipf(EXPONENT, (count, LENGTH))
    return list(np.minimum(drawn, WORDS - 1))


def shards(tokens: int) -> Iterator[partial[list[np.ndarray]]]:
    """The corpus, never held: every worker draws the shards that it scores."""
    documents = tokens // LENGTH
    for number, start in enumerate(range(0, documents, SHARD)):
        yield partial(shard, number, min(SHARD, documents - start))


def states(count: int, width: int, scale: float = 1.0) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    for start in range(0, count, 16_384):
        size = min(16_384, count - start)
        yield scale * (2 * torch.rand(size, width, generator=generator, dtype=torch.float64) - 1)


def scored(score: CellDecomposition, part: partial[list[np.ndarray]]) -> int:
    return len(score.score(part()).values)


def scoring(tokens: int, pool: ProcessPoolExecutor, workers: int) -> dict[str, Any]:
    score = CellDecomposition(network())
    jobs = ((score, part) for part in shards(tokens))
    done = sum(ordered(scored, jobs, pool, 2 * workers))
    return {"amount": done}


def mining(tokens: int, pool: ProcessPoolExecutor, workers: int) -> dict[str, Any]:
    score = CellDecomposition(network())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        table = mine_on(score, shards(tokens), pool, ahead=2 * workers, path=path)
        size = sum(file.stat().st_size for file in path.iterdir())
        return {"amount": table.words, "ngrams": len(table), "bytes": size}


def seeds(count: int, pool: ProcessPoolExecutor, workers: int) -> dict[str, Any]:
    found = find_on(flip_flop().cell, states(count, 3), pool, ahead=2 * workers)
    return {"amount": found.seeds, "roots": len(found.roots), "to_none": found.to_none}


def line_seeds(count: int, pool: ProcessPoolExecutor, workers: int) -> dict[str, Any]:
    cell, _, _ = read(NETWORKS / "gru_line.safetensors")
    found = find_on(cell, states(count, cell.state_size, 0.5), pool, ahead=2 * workers)
    return {"amount": found.seeds, "roots": len(found.roots), "outcomes": found.outcomes}


WORK = {"scoring": scoring, "mining": mining, "seeds": seeds, "line_seeds": line_seeds}
SMALL = {"scoring": 2e6, "mining": 2e6, "seeds": 4096, "line_seeds": 64}
"""What each pool does first: its processes' start and compilation are not the work."""


def row(kind: str, amount: int, workers: int) -> dict[str, Any]:
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        WORK[kind](int(SMALL[kind]), pool, workers)
        start = time.perf_counter()
        found = WORK[kind](amount, pool, workers)
        seconds = time.perf_counter() - start
    return {
        "workers": workers,
        **found,
        "seconds": round(seconds, 2),
        "a_second": found["amount"] / seconds,
        "parent_peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "worker_peak_gib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20,
    }


def projection(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    if not rows["mining"]:
        return {}
    mined = [
        one for one in rows["mining"] if one["workers"] == max(r["workers"] for r in rows["mining"])
    ]
    alone = [one for one in rows["mining"] if one["workers"] == 1]
    if len(mined) < 2 or not alone:
        return {}
    last, before = mined[-1], mined[-2]
    power = math.log(last["ngrams"] / before["ngrams"]) / math.log(
        last["amount"] / before["amount"]
    )
    share = float(1 / zeta(EXPONENT))
    found = []
    for tokens in PROJECTED:
        ngrams = last["ngrams"] * (tokens / last["amount"]) ** power
        hours = {str(n): tokens / alone[-1]["a_second"] / n / 3600 for n in WORKERS}
        found.append(
            {
                "tokens": tokens,
                "hours_by_workers": hours,
                "ngrams": ngrams,
                "bytes": ngrams * last["bytes"] / last["ngrams"],
                "largest_count": tokens * share,
                "counts_hold": tokens * share < COUNTS_END,
            }
        )
    return {"growth": power, "projection": found}


def table(projected: list[dict[str, Any]]) -> str:
    """The projection in Markdown."""
    heads = [f"hours by {n:,}" for n in WORKERS]
    head = ["tokens", *heads, "n-grams", "table", "largest count", f"below 2^32 = {COUNTS_END:.1e}"]
    lines = [head, ["---"] * len(head)]
    for one in projected:
        hours = [_short(value) for value in one["hours_by_workers"].values()]
        size = f"{_short(one['bytes'] / 1e12)} TB"
        facts = [f"{one['ngrams']:.1e}", size, f"{one['largest_count']:.1e}"]
        held = "yes" if one["counts_hold"] else "**no**"
        lines.append([f"{one['tokens']:.0e}", *hours, *facts, held])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=float, nargs="*", default=[1e6, 1e7, 1e8])
    parser.add_argument("--seeds", type=float, nargs="*", default=[1e4, 1e5, 1e6])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs=3, help="one row: kind, amount and workers")
    parser.add_argument("--write", action="store_true", help="put the rows into the results")
    parser.add_argument("--project", action="store_true", help="from the saved rows, as a table")
    options = parser.parse_args()
    if options.project:
        saved = json.loads(RESULT.read_text())
        saved |= projection({name: saved.get(name, []) for name in WORK})
        RESULT.write_text(json.dumps(saved, indent=1) + "\n")
        print(table(saved["projection"]))
        return
    if options.only:
        kind, amount, workers = options.only
        found = row(kind, int(float(amount)), int(workers))
        if options.write:
            put(kind, found)
        print(json.dumps(found))
        return
    amounts = {
        "scoring": options.tokens,
        "mining": options.tokens,
        "seeds": options.seeds,
        "line_seeds": options.seeds[:1] if NETWORKS.is_dir() else [],
    }
    for kind, sizes in amounts.items():
        for amount in map(int, sizes):
            largest = len(sizes) > 1 and amount == max(map(int, sizes))
            for workers in options.workers[-1:] if largest else options.workers:
                command = [sys.executable, __file__, "--only", kind, str(amount), str(workers)]
                command += ["--write"] * options.write
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(f"  {kind} {done.stdout.splitlines()[-1]}", file=sys.stderr, flush=True)
    print(json.dumps(json.loads(RESULT.read_text()) if options.write else {}))


def put(kind: str, found: dict[str, Any]) -> None:
    """One row into the results, and what follows from all. Of a row that was measured before the
    fastest is kept, with the seconds of every run: on shared cores the slower ones are others'."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in WORK}
    if RESULT.exists():
        rows |= {name: json.loads(RESULT.read_text()).get(name, []) for name in WORK}
    same = (found["amount"], found["workers"])
    before = [one for one in rows[kind] if (one["amount"], one["workers"]) == same]
    runs = [*(before[0]["runs"] if before else []), found["seconds"]]
    fastest = min([*before, found], key=lambda one: one["seconds"]) | {"runs": runs}
    rows[kind] = [one for one in rows[kind] if one not in before]
    rows[kind] = sorted([*rows[kind], fastest], key=lambda one: (one["amount"], one["workers"]))
    result = {
        "machine": f"{os.cpu_count()} cores",
        **rows,
        "speed_up": {name: speed_up(own) for name, own in rows.items()},
        **projection(rows),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


def speed_up(rows: list[dict[str, Any]]) -> float | None:
    """Two workers over one, at the largest size that both did."""
    by = {(one["amount"], one["workers"]): one["a_second"] for one in rows}
    both = sorted(amount for amount, n in by if n == 1 and (amount, 2) in by)
    return by[both[-1], 2] / by[both[-1], 1] if both else None


if __name__ == "__main__":
    main()
