"""How fast n-gram statistics are taken and phrases mined, and how much memory that needs.

    OMP_NUM_THREADS=1 python benchmarks/mining.py [--corpus] [--documents 25000] [--repeats 3]

Every 1..5-gram of 25,000 documents of 230 words (about 28.5 million occurrences), on one thread.
By default the words are synthetic: a Markov chain with Zipfian words, tuned so that about 40 % of
the occurrences are different, as in film reviews. ``--corpus`` takes the reviews in
$RNNSCOPE_SHARED/data/imdb instead. The scores are random and heavy-tailed, about one word in 25
is above the threshold. Tables go to stderr; the last line of stdout is one JSON object:

    ngrams_per_second           all statistics of every 1..5-gram (PhraseTable.of), best of repeats
    written_ngrams_per_second   the same, each length written to disk as it is done
    filtered_ngrams_per_second  mine_phrases with its defaults: n-grams of the text per second
    peak_bytes                  of a process that makes and writes the whole table
    kept_peak_bytes             of a process that makes the whole table and keeps it in memory
    base_bytes                  of the same process before that: libraries, text and scores
    cpu                         the three figures by processor time instead of the wall clock
    rivals                      n-grams per second, side by side in the same run: "dict" (plain
                                Python, count alone, on a sample), "polars_streaming" (count and
                                one sum, on every n-gram; packed keys)
    ngrams, distinct, strong    occurrences, different n-grams, share of words above the threshold
    data, numba, versions       what was measured, with what
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

import rnnscope as rs
from rnnscope.phrases import PhraseTable, mine_phrases
from rnnscope.scores import WordScores
from rnnscope.scores.word_scores import Batch

WORDS = 230
VOCABULARY = 25_000
LONGEST = 5
SAMPLE = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", action="store_true", help="real reviews, where they are")
    parser.add_argument("--documents", type=int, default=25_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peak", nargs=2, metavar=("FILE", "KIND"), help="used by itself")
    chosen = parser.parse_args()
    if chosen.peak:
        print(json.dumps(memory(*chosen.peak)))
        return
    documents = reviews(chosen.documents) if chosen.corpus else synthetic(chosen.documents)
    scores = made_up_scores(documents)

    table = PhraseTable.of(scores)  # compiles
    ngrams, distinct = table.occurrences(), len(table)
    del table
    ratio = (scores.values[:, 1] - scores.values[:, 0]).abs()
    result: dict[str, Any] = {
        "data": "imdb" if chosen.corpus else "synthetic",
        "documents": len(documents),
        "ngrams": ngrams,
        "distinct": distinct,
        "strong": float((ratio > np.log(1.1)).double().mean()),
        "numba": find_spec("numba") is not None,
    }
    with tempfile.TemporaryDirectory() as folder:
        kinds: dict[str, Callable[[], Any]] = {
            "ngrams_per_second": lambda: PhraseTable.of(scores),
            "written_ngrams_per_second": lambda: PhraseTable.of(scores, path=Path(folder) / "t"),
            "filtered_ngrams_per_second": lambda: mine_phrases(scores),
            "polars_streaming": lambda: polars_streaming(scores),
        }
        best: dict[str, tuple[float, float]] = {}
        for _ in range(chosen.repeats):
            for name, run in kinds.items():
                wall, cpu = timed(run)
                before = best.get(name, (float("inf"), float("inf")))
                best[name] = min(wall, before[0]), min(cpu, before[1])
    result |= {name: ngrams / best[name][0] for name in kinds if name != "polars_streaming"}
    result["cpu"] = {name: ngrams / cpu for name, (_, cpu) in best.items()}
    counted, seconds = plain_dictionary(scores)
    result["rivals"] = {
        "dict": counted / seconds,
        "polars_streaming": ngrams / best["polars_streaming"][0],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "documents.npz")
        np.savez(file, ids=np.concatenate(documents), lengths=[len(d) for d in documents])
        for kind in ("written", "kept"):
            command = [sys.executable, __file__, "--peak", file, kind]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            result |= json.loads(done.stdout.splitlines()[-1])
    result["versions"] = {
        "python": platform.python_version(),
        "polars": pl.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
    }
    for name in (*[n for n in kinds if n in result], "peak_bytes", "kept_peak_bytes"):
        print(f"{name:28s} {result[name] / 1e6:10.1f} M", file=sys.stderr)
    for name, rate in result["rivals"].items():
        print(f"{name:28s} {rate / 1e6:10.1f} M", file=sys.stderr)
    print(json.dumps(result))


def memory(file: str, kind: str) -> dict[str, int]:
    """The most memory that this process holds, before and after it makes the table."""
    held = np.load(file)
    scores = made_up_scores(np.split(held["ids"], np.cumsum(held["lengths"])[:-1]))
    base = peak()
    with tempfile.TemporaryDirectory() as folder:
        PhraseTable.of(scores, path=Path(folder) / "table" if kind == "written" else None)
    if kind == "kept":
        return {"kept_peak_bytes": peak()}
    return {"base_bytes": base, "peak_bytes": peak()}


def synthetic(count: int, *, seed: int = 0) -> list[np.ndarray]:
    """Documents of word indices from 2 on; 1 is unknown."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, VOCABULARY + 1) ** 1.05
    common = np.cumsum(weights / weights.sum())
    followers = np.searchsorted(common, rng.random((VOCABULARY, 16))).clip(max=VOCABULARY - 1)
    words = np.empty((WORDS, count), dtype=np.int64)
    words[0] = np.searchsorted(common, rng.random(count)).clip(max=VOCABULARY - 1)
    for t in range(1, WORDS):
        pick = np.minimum(rng.geometric(0.35, size=count) - 1, 15)
        free = np.searchsorted(common, rng.random(count)).clip(max=VOCABULARY - 1)
        words[t] = np.where(rng.random(count) < 0.65, followers[words[t - 1], pick], free)
    return list((words + 2).T)


def reviews(count: int) -> list[np.ndarray]:
    """Film reviews as word indices, cut at twice the synthetic length; 230 words in the mean."""
    file = Path(os.environ.get("RNNSCOPE_SHARED", "")) / "data" / "imdb" / "train.parquet"
    if not file.is_file():
        raise SystemExit("set RNNSCOPE_SHARED to the folder that holds data/imdb/train.parquet")
    texts = pl.read_parquet(file)["text"].head(count)
    token = re.compile(r"[a-z0-9']+|[^\sa-z0-9']")
    documents = [token.findall(text.lower())[:375] for text in texts]
    counts: Counter[str] = Counter(word for document in documents for word in document)
    index = {word: k + 2 for k, (word, _) in enumerate(counts.most_common(VOCABULARY))}
    return [np.array([index.get(word, 1) for word in d], dtype=np.int64) for d in documents]


class Classifier(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY + 2, 2)
        self.recurrent = torch.nn.LSTM(2, 2, batch_first=True)
        self.readout = torch.nn.Linear(2, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.readout(self.recurrent(self.embedding(ids))[1][0][-1])


def made_up_scores(documents: list[np.ndarray]) -> WordScores:
    """Scores of a network that need not be run: a word's own effect, with some noise."""
    names = ("<pad>", "<unk>", *(f"w{k}" for k in range(VOCABULARY)))
    model = rs.from_torch(Classifier().eval(), vocabulary=names)
    rng = np.random.default_rng(1)
    effect = rng.laplace(0, 0.03, size=VOCABULARY + 2)
    ids = np.concatenate(documents)
    contrast = effect[ids] + rng.laplace(0, 0.015, size=len(ids))
    values = torch.from_numpy(np.stack([-contrast / 2, contrast / 2], axis=1).astype(np.float32))
    logits = torch.from_numpy(rng.normal(size=(len(documents), 2)).astype(np.float32))
    stops = np.cumsum([len(d) for d in documents])

    def batches() -> Any:
        for k, (document, stop) in enumerate(zip(documents, stops, strict=True)):
            yield Batch(
                indices=torch.tensor([k]),
                values=values[None, stop - len(document) : stop],
                initial=torch.zeros(1, 2),
                logits=logits[k : k + 1],
            )

    scores = WordScores(
        method="made up",
        model=model,
        tokens=[()] * len(documents),
        encoded=documents,
        batches=batches,
    )
    _ = scores.values
    return scores


def plain_dictionary(scores: WordScores) -> tuple[int, float]:
    """Counting the n-grams of a sample with a dictionary: (n-grams, seconds)."""
    counts: dict[tuple[int, ...], int] = {}
    total = 0
    started = time.perf_counter()
    for document in scores.ids or ():
        ids = document.tolist()
        for n in range(1, LONGEST + 1):
            for gram in zip(*(ids[k:] for k in range(n)), strict=False):
                counts[gram] = counts.get(gram, 0) + 1
            total += max(0, len(ids) - n + 1)
        if total > SAMPLE:
            break
    return total, time.perf_counter() - started


def polars_streaming(scores: WordScores) -> int:
    """Count and one sum of every n-gram by polars, its keys packed in one or two numbers."""
    ids = np.concatenate(scores.ids or ()).astype(np.uint64)
    owner = np.repeat(np.arange(len(scores)), np.diff(scores.offsets))
    value = scores.values[:, 1].numpy()
    distinct = 0
    for n in range(1, LONGEST + 1):
        at = np.arange(len(ids) - n + 1)
        at = at[owner[at] == owner[at + n - 1]]
        keys = {"low": np.zeros(len(at), dtype=np.uint64)}
        for k in range(n):
            if k == 4:
                keys["high"] = ids[at + k]
            else:
                keys["low"] = (keys["low"] << np.uint64(15)) | ids[at + k]
        frame = pl.LazyFrame(keys | {"value": value[at]}).group_by(list(keys))
        made = frame.agg(pl.len(), pl.col("value").sum()).collect(engine="streaming")
        distinct += made.height
    return distinct


def timed(run: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak() -> int:
    """Bytes of memory this process has held at most."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands ru_maxrss on to a started program; VmHWM begins with the program itself.
        lines = status.read_text().splitlines()
        high = next((line for line in lines if line.startswith("VmHWM:")), None)
        if high is not None:
            return int(high.split()[1]) * 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
