"""How fast word scores are, beside one forward pass of torch's own nn.LSTM in the same run.

Run: OMP_NUM_THREADS=1 python benchmarks/scores.py [--rounds 9] [--only NAME ...] [--acd PATH]

An LSTM(256) with last-state readout and two classes, a vocabulary of 20,000 words, embeddings of
128, 256 documents of 200 words drawn uniformly (real text repeats its words, which only helps),
float32, one thread. Each round times every row once, in turn; a row's figure is its best round.
The clock is the processor's: on one thread that is the elapsed time of a machine that does
nothing else. Every row is the public call, from index arrays to finished scores. The comparison
methods are those of score_methods.py, which also times them on a network that forgets nothing.
acd is run where --acd names a folder that holds its package.

Prints a table to standard error and one JSON object as the last line of standard output:
    beta_gamma_over_forward        time of both scores over the time of the forward pass, by the
                                   best road there is (compiled loops where numba is installed)
    beta_gamma_over_forward_torch  the same without numba
    over_forward                   row -> time a word over the forward pass's
    words_per_second               row -> words a second
    times_captum_ig50              words a second of both scores over captum's integrated gradients
    times_acd                      the same over acd's; without --acd, or where it cannot run,
                                   over 7.6 words a second: a figure measured elsewhere on one
                                   thread and quoted, not run here
    acd                            which of the two it is
    skipped                        row -> why it was not run
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import score_methods
import torch
from torch import nn

import rnnscope as rs
from rnnscope.scores import CellDecomposition, CellDifference, beta_and_gamma, lstm_memory

ACD_WORDS_PER_SECOND = 7.6


class Classifier(nn.Module):
    def __init__(self, words: int = 20_000, width: int = 128, units: int = 256) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.recurrent = nn.LSTM(width, units, batch_first=True)
        self.readout = nn.Linear(units, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.embedding(ids))

    def head(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.readout(self.recurrent(vectors)[0][:, -1])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every row is given.

    Args:
        module: the network as torch has it.
        model: the same, read.
        ids: (documents, words).
    """

    module: Classifier
    model: rs.Model
    ids: torch.Tensor

    def documents(self, count: int) -> list[np.ndarray]:
        """The first documents, as index arrays."""
        return list(self.ids[:count].numpy())


class Skipped(Exception):
    """Why a row is not run."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Args:
        make: from the setting and a number of documents to the call that is timed.
        documents: how many it is timed on; slow methods take few.
        rounds: most rounds it is timed in.
        words: words scored in one call; all of the documents' when None.
    """

    make: Callable[[Setting, int], Callable[[], object]]
    documents: int = 256
    rounds: int = 99
    words: int | None = None


def forward(setting: Setting, count: int) -> Callable[[], object]:
    ids, module = setting.ids[:count], setting.module

    def run() -> object:
        with torch.no_grad():
            return module.recurrent(module.embedding(ids))

    return run


def score(method: type[rs.Score], setting: Setting, count: int) -> Callable[[], object]:
    documents = setting.documents(count)
    return lambda: method(setting.model).score(documents).values


def both(setting: Setting, count: int) -> Callable[[], object]:
    documents = setting.documents(count)
    return lambda: [scores.values for scores in beta_and_gamma(setting.model, documents)]


def both_compiled(setting: Setting, count: int) -> Callable[[], object]:
    if lstm_memory.compiled_scan() is None:
        raise Skipped("numba is not installed (the extra 'fast')")
    return both(setting, count)


def both_in_torch(setting: Setting, count: int) -> Callable[[], object]:
    run = both(setting, count)

    def without_numba() -> object:
        found, lstm_memory.compiled_scan = lstm_memory.compiled_scan, lambda: None
        try:
            return run()
        finally:
            lstm_memory.compiled_scan = found

    return without_numba


def captum_ig50(setting: Setting, count: int) -> Callable[[], object]:
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise Skipped("captum is not installed") from error
    method = IntegratedGradients(setting.module.head)
    vectors = setting.module.embedding(setting.ids[:count]).detach()
    return lambda: method.attribute(vectors, target=1, n_steps=50, internal_batch_size=64)


def comparison(call: score_methods.Call, setting: Setting, count: int) -> Callable[[], object]:
    documents = setting.documents(count)
    return lambda: call(setting.model, documents)


def acd(folder: Path | None, words: int, setting: Setting, count: int) -> Callable[[], object]:
    """Contextual decomposition by its authors' package, of some words of a document."""
    if folder is None:
        raise Skipped("no --acd")
    sys.path.insert(0, str(folder))
    try:
        from acd.scores.cd import cd_text  # type: ignore[import-not-found]
    except Exception as error:  # old code fails in many ways
        raise Skipped(f"acd cannot be imported: {error}") from error
    finally:
        sys.path.remove(str(folder))
    module = setting.module
    theirs = SimpleNamespace(
        embed=module.embedding,
        lstm=module.recurrent,
        hidden_to_label=module.readout,
        hidden_dim=module.recurrent.hidden_size,
    )
    batch = SimpleNamespace(text=setting.ids[:count].T)

    def run() -> object:
        try:
            with torch.no_grad():
                return [cd_text(batch, theirs, start=k, stop=k) for k in range(words)]
        except Exception as error:
            raise Skipped(f"acd cannot run: {error}") from error

    return run


ACD_WORDS = 8
COMPARISONS = {
    name: Row(
        make=partial(comparison, call),
        documents=score_methods.DOCUMENTS.get(name, score_methods.FEW),
        rounds=3,
    )
    for name, call in score_methods.ROWS.items()
}

# A method is added by one line here: a name, and how to make the call from a setting.
ROWS: dict[str, Row] = {
    "forward": Row(make=forward),
    "beta_gamma": Row(make=both_compiled),
    "beta_gamma_torch": Row(make=both_in_torch),
    "beta": Row(make=partial(score, CellDifference)),
    "gamma": Row(make=partial(score, CellDecomposition)),
    "captum_ig50": Row(make=captum_ig50, documents=8, rounds=2),
    "acd": Row(make=partial(acd, None, ACD_WORDS), documents=1, rounds=1, words=ACD_WORDS),
    **COMPARISONS,
}


def measure(
    setting: Setting, rows: dict[str, Row], rounds: int
) -> tuple[dict[str, float], dict[str, str]]:
    """Seconds a word of each row, its best round; and why a row was skipped."""
    calls: dict[str, Callable[[], object]] = {}
    skipped: dict[str, str] = {}
    for name, row in rows.items():
        try:
            call = row.make(setting, row.documents)
            call()
            calls[name] = call
        except Skipped as reason:
            skipped[name] = str(reason)
    best = dict.fromkeys(calls, float("inf"))
    for k in range(rounds):
        for name, call in calls.items():
            if k < rows[name].rounds:
                start = time.process_time()
                call()
                took = time.process_time() - start
                words = rows[name].words or rows[name].documents * setting.ids.shape[1]
                best[name] = min(best[name], took / words)
    return best, skipped


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="*", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--acd", type=Path, help="the folder that holds the package acd")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = Classifier().eval()
    setting = Setting(
        module=module,
        model=rs.from_torch(module, pooling="last"),
        ids=torch.randint(20_000, (256, 200)),
    )
    rows = {name: row for name, row in ROWS.items() if name in {"forward", *arguments.only}}
    if "acd" in rows:
        rows["acd"] = replace(rows["acd"], make=partial(acd, arguments.acd, ACD_WORDS))
    seconds, skipped = measure(setting, rows, arguments.rounds)
    over = {name: s / seconds["forward"] for name, s in seconds.items()}
    rate = {name: 1 / s for name, s in seconds.items()}
    for name in rows:
        line = f"{over[name]:9.2f} x {rate[name]:12,.0f} words/s" if name in over else skipped[name]
        print(f"{name:24} {line}", file=sys.stderr)
    fastest = min(over.keys() & {"beta_gamma", "beta_gamma_torch"}, key=lambda name: over[name])
    captum = rate[fastest] / rate["captum_ig50"] if "captum_ig50" in rate else None
    result = {
        "beta_gamma_over_forward": over[fastest],
        "beta_gamma_over_forward_torch": over.get("beta_gamma_torch"),
        "over_forward": over,
        "words_per_second": rate,
        "times_captum_ig50": captum,
        "times_acd": rate[fastest] / rate.get("acd", ACD_WORDS_PER_SECOND),
        "acd": "run here"
        if "acd" in rate
        else f"{ACD_WORDS_PER_SECOND} words/s, measured elsewhere and quoted, not run here",
        "skipped": skipped,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
