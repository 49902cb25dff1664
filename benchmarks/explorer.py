"""How long the explorer takes for a sentence: all that the page shows of it, computed and sent.

Sentences of a given length are cut out of the held-out text and put to the server one after the
other. Three times are given: what the server says it took, what the client waited, and the
processor time of the same computation, which other work on the machine moves less.

    OMP_NUM_THREADS=1 python benchmarks/explorer.py runs/demo --words 50
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import threading
import time
from itertools import chain
from pathlib import Path

import httpx
import numpy as np
import uvicorn

from rnnscope.explorer import look_at, open_run
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.explorer.serving import build_app, listen


def sentences(exhibit: Exhibit, words: int, count: int) -> list[str]:
    """Texts of so many words, run on one from the other."""
    flat = list(chain.from_iterable(exhibit.material.judged))
    cut = [flat[k : k + words] for k in range(0, len(flat) - words, words)]
    order = np.random.default_rng(0).permutation(len(cut))[:count]
    return [" ".join(cut[k]) for k in order]


def row(values: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 1),
        "p95": round(float(np.percentile(ordered, 95)), 1),
        "largest": round(ordered[-1], 1),
    }


def measure(exhibit: Exhibit, words: int, count: int) -> dict[str, object]:
    """Ask one sentence after the other."""
    config = uvicorn.Config(build_app([exhibit]), log_level="error", lifespan="off")
    server, listening = uvicorn.Server(config), listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/sentence"
    texts = sentences(exhibit, words, count + 5)
    own: list[float] = []
    waited: list[float] = []
    size = 0
    with httpx.Client(timeout=60) as client:
        while not server.started:
            time.sleep(0.02)
        for k, text in enumerate(texts):
            began = time.perf_counter()
            answer = client.post(url, json={"text": text})
            passed = 1000 * (time.perf_counter() - began)
            answer.raise_for_status()
            time.sleep(0.02)
            if k >= 5:  # the first pay for what is computed once
                own.append(answer.json()["milliseconds"])
                waited.append(passed)
                size = max(size, len(answer.content))
    server.should_exit = True
    thread.join(10)
    used: list[float] = []
    for text in texts[5:]:
        began = time.thread_time()
        look_at(exhibit, text)
        used.append(1000 * (time.thread_time() - began))
    return {
        "network": exhibit.model.architecture,
        "words": words,
        "sentences": len(own),
        "server_ms": row(own),
        "client_ms": row(waited),
        "processor_ms": row(used),
        "largest_answer_bytes": size,
    }


def main() -> None:
    """Measure, and print a JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a folder that rnnscope demo or train wrote")
    parser.add_argument("--words", type=int, nargs="+", default=[10, 20, 50, 100, 200])
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--write", type=Path, help="a JSON file to write as well")
    given = parser.parse_args()
    exhibit = open_run(given.run, say=print)
    rows = [measure(exhibit, words, given.sentences) for words in given.words]
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "rows": rows,
    }
    text = json.dumps(found, indent=1)
    print(text)
    if given.write:
        given.write.write_text(text + "\n")


if __name__ == "__main__":
    main()
