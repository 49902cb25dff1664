"""An account of a real corpus, killed again and again, beside one that was left alone.

Run: OMP_NUM_THREADS=1 python benchmarks/resumed_account.py --model DIR [--every 20] [--write]

The data is Yelp's reviews, or ``--data``, as studies/reproduction.toml cuts them. Each process
explains the network with a directory for the finished parts and is killed (SIGKILL) ``--every``
seconds after it has begun, the next one later where no part was finished, until one comes to its
end. Beside it the same account without a directory, one that is not killed, and one from all parts.
JSON: seconds of each, bytes of the parts, the seconds of the longest part, and whether all accounts
are the same (but for what judging took).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import rnnscope as rs

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "results" / "resumed_account.json"
TIMES = ("seconds", "documents_per_second")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", default="yelp_reviews")
    parser.add_argument("--every", type=float, default=20)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--parts", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.out is not None:
        explain(arguments.model, arguments.data, arguments.parts, arguments.out)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = measured(arguments, Path(folder))
    text = json.dumps(found, indent=1)
    print(text)
    if arguments.write:
        OUT.write_text(text + "\n", encoding="utf-8")
    return 0 if found["same"] else 1


def explain(model: Path, data: str, parts: Path | None, out: Path) -> None:
    """One account, in a process of its own; says when it begins."""
    study = rs.Study.read(ROOT / "studies" / "reproduction.toml")
    corpus = next(one for one in study.data if one.name == data).load()
    network = rs.load(model)
    print(f"begun {len(corpus)}", flush=True)
    begun = time.perf_counter()
    account = rs.explain(network, corpus, directory=parts, points=128)
    seconds = time.perf_counter() - begun
    text = json.dumps({"seconds": seconds, "account": without_times(account.to_dict())})
    out.write_text(text, encoding="utf-8")


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return list(map(without_times, value)) if isinstance(value, list) else value


def measured(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    out, parts = folder / "account.json", folder / "parts"

    def process(kept: Path | None, after: float | None) -> tuple[int, float]:
        """Runs one; killed ``after`` seconds. How many documents there are, and its seconds."""
        command = [sys.executable, __file__, "--model", str(arguments.model)]
        command += ["--data", arguments.data, "--out", str(out)]
        command += [] if kept is None else ["--parts", str(kept)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            documents = int(child.stdout.readline().split()[1])
            begun = time.perf_counter()
            try:
                child.wait(after)
            except subprocess.TimeoutExpired:
                child.kill()
            return documents, time.perf_counter() - begun

    documents, _ = process(None, None)
    plain = json.loads(out.read_text(encoding="utf-8"))
    after, seconds, finished = arguments.every, [], []
    out.unlink()
    while not out.exists():
        before = len(done(parts))
        seconds.append(round(process(parts, after)[1], 1))
        finished.append(len(done(parts)) - before)
        if not finished[-1]:
            after *= 1.5
    resumed = json.loads(out.read_text(encoding="utf-8"))
    weight = sum(file.stat().st_size for file in parts.rglob("*") if file.is_file())
    process(parts, None)
    again = json.loads(out.read_text(encoding="utf-8"))
    shutil.rmtree(parts)
    process(parts, None)
    kept = json.loads(out.read_text(encoding="utf-8"))
    ends = [place.stat().st_mtime for place in done(parts)]
    accounts = [one["account"] for one in (plain, resumed, again, kept)]
    return {
        "documents": documents,
        "parts": len(ends),
        "megabytes": round(weight / 1e6),
        "plain": round(plain["seconds"], 1),
        "kept": round(kept["seconds"], 1),
        "processes": seconds,
        "finished_by_each": finished,
        "killed_in_all": round(sum(seconds), 1),
        "from_all_parts": round(again["seconds"], 1),
        "longest_part": round(max(b - a for a, b in pairwise(ends)), 1),
        "same": all(one == accounts[0] for one in accounts),
    }


def done(parts: Path) -> list[Path]:
    """The finished parts, in the order in which they were finished."""
    return sorted(parts.glob("*/*/result.json"), key=lambda place: place.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
