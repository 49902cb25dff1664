"""``rnnscope demo|train|report``: a network, and its account."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import tyro

from rnnscope.account import ExplainOptions, compare_accounts, explain
from rnnscope.account.account import check_page
from rnnscope.account.private import SUPPORT, check_support
from rnnscope.cli.common import (
    DEMO,
    Flag,
    Flat,
    Json,
    Source,
    Where,
    finish,
    print_json,
    say,
)
from rnnscope.data import load_corpus
from rnnscope.errors import NotApplicable
from rnnscope.models import load
from rnnscope.training import TrainingOptions
from rnnscope.training import train as train_network


def demo(out: Where = DEMO, seed: int = 0, as_json: Json = False) -> None:
    """Train an LSTM on the embedded rated sentences and write its report.

    The network is trained on documents composed of 1 to 8 sentences; rules are mined and judged
    on single sentences. Run again, it takes up the trained network; stopped, it goes on.

    Example: rnnscope demo --out runs/demo

    Args:
        out: where the report, account.json and the model go.
        seed: of the network and every sample.
        as_json: print the account instead of its summary.
    """
    started = time.perf_counter()
    documents, sentences = load_corpus("embedded:documents"), load_corpus("embedded:sentences")
    say(f"training an LSTM on {len(documents.split('train')):,} documents (kept in {out})")
    model = train_network(documents, TrainingOptions(seed=seed), directory=out, progress=True)
    say("explaining it")
    options = ExplainOptions(seed=seed)
    page = out / "report.html"
    with _parts_beside(page) as parts:
        account = explain(
            model,
            sentences,
            dynamics_corpus=documents,
            options=options,
            directory=parts,
            progress=True,
        )
        account.save(page)
    finish(account, page, as_json, started)


def train(
    out: tyro.conf.Positional[Where],
    options: Flat[TrainingOptions] = TrainingOptions(),  # noqa: B008
    data: Source = "embedded:documents",
    text: str = "text",
    label: str | None = None,
    as_json: Json = False,
) -> None:
    """Train a reference network and save it.

    Every finished epoch is checkpointed in the directory; a run that was stopped goes on there.

    Example: rnnscope train runs/gru --architecture gru --data reviews.csv --label label

    Args:
        out: a directory for the checkpoint and the model.
        options: how to train.
        data: a CSV, TSV, JSONL or Parquet file, or "embedded:sentences", "embedded:documents".
        text: its column of texts.
        label: its column of labels; "label" if there is one.
        as_json: print the training record as JSON.
    """
    corpus = load_corpus(data, text=text, label=label)
    model = train_network(corpus, options, directory=out, progress=True)
    record = dict(model.record)
    if corpus.has_split("test") and corpus.labels is not None:
        test = corpus.split("test")
        record["test_accuracy"] = float((model.predict(test.documents) == test.labels).mean())
    if as_json:
        print_json(record)
        return
    print(model)
    for name in ("validation_accuracy", "test_accuracy"):
        if name in record:
            print(f"{name.replace('_', ' ')}: {record[name]:.3f}")
    print(f"model: {out / 'model'}")


def report(
    model: Where = DEMO,
    data: Source = "embedded:sentences",
    out: Annotated[Path, tyro.conf.arg(metavar="HTML")] = Path("report.html"),
    text: str = "text",
    label: str | None = None,
    valence: str | None = None,
    max_rules: int | None = None,
    seed: int = 0,
    private: Flag = False,
    support: int = SUPPORT,
    as_json: Json = False,
) -> None:
    """Explain a saved network on a corpus and write the page.

    What is done is kept beside the page until that is written: stopped, the same command goes on
    (but for --private, which keeps no words).

    Example: rnnscope report --model runs/demo --data reviews.csv --out report.html

    Args:
        model: a saved model's directory.
        data: a file or an embedded set.
        out: the page; account.json goes beside it.
        text: the column of texts.
        label: the column of labels; labels are optional.
        valence: a column of human ratings to compare with.
        max_rules: rules in the list at most; every mined phrase when not given.
        seed: of splits and samples.
        private: leave the texts out of page and account.json; of them only phrases are named that
            --support documents or more hold.
        support: documents.
        as_json: print the account instead of its summary.
    """
    started = time.perf_counter()
    check_page(out)
    if private:
        check_support(support)
    network, corpus = load(model), load_corpus(data, text=text, label=label, valence=valence)
    with _parts_beside(out) as parts:
        account = explain(
            network,
            corpus,
            directory=None if private else parts,
            progress=True,
            max_rules=max_rules,
            seed=seed,
        )
        page = account.save(out, texts=not private, support=support)
    finish(account, page, as_json, started, texts=not private, support=support)


@contextmanager
def _parts_beside(page: Path) -> Iterator[Path]:
    """Where the parts of an account are kept until its page is written, or none can be."""
    folder = page.with_name(f".{page.stem}.parts")
    try:
        yield folder
    except NotApplicable:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def compare(
    runs: tyro.conf.Positional[list[Annotated[Path, tyro.conf.arg(metavar="RUN")]]],
    out: Annotated[Path, tyro.conf.arg(metavar="HTML")] = Path("compare.html"),
    as_json: Json = False,
) -> None:
    """Set the reports of two networks or more side by side.

    Example: rnnscope compare runs/lstm runs/gru --out compare.html

    Args:
        runs: folders in which a report was written, or account.json files.
        out: the page.
        as_json: print what is compared as JSON.
    """
    made = compare_accounts(runs)
    page = made.save(out)
    if as_json:
        print_json(made.to_dict())
    else:
        print(made)
    print(f"comparison: {page}", file=sys.stderr if as_json else sys.stdout)
