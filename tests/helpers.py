"""Random cells and models that several test modules share."""

from __future__ import annotations

import torch

import rnnscope.cells as cells

GATES = {"vanilla": 1, "ugrnn": 2, "gru": 3, "gru_reset_first": 3, "lstm": 4, "lstm_projected": 4}


def random_cell(kind, *, d=3, n=4, seed=0, scale=1.0, dtype=torch.float64, **options):
    """A cell of this kind with normal weights; ``n`` is what its output has."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return scale * torch.randn(*shape, generator=rng, dtype=dtype)

    k = GATES[kind]
    weights = {"W": normal(k * n, d), "V": normal(k * n, n) / n**0.5, "b": normal(k * n)}
    if kind == "gru":
        weights["a"] = normal(n)
    if kind == "lstm_projected":
        units = n + 2
        weights = {"W": normal(k * units, d), "V": normal(k * units, n) / n**0.5}
        weights |= {"b": normal(k * units), "R": normal(n, units) / n**0.5}
    return cells.CELLS[kind](**weights, **options)


WORDS = ("<pad>", "<unk>", "the", "a", "film", "good", "bad", "not", "very", "dull")


def random_module(
    kind="lstm",
    *,
    classes=2,
    units=5,
    width=4,
    layers=1,
    bidirectional=False,
    batch_first=True,
    pooling="last",
    dtype=torch.float64,
    seed=0,
    scale=1.0,
    words=None,
    projection=0,
):
    """An ordinary torch classifier that users might write; eval mode is not set."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Classifier(
            kind,
            classes,
            units,
            width,
            layers,
            bidirectional,
            batch_first,
            pooling,
            words or len(WORDS),
            projection,
        ).to(dtype)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter *= scale
    return module


class Classifier(torch.nn.Module):
    def __init__(
        self,
        kind,
        classes,
        units,
        width,
        layers,
        bidirectional,
        batch_first,
        pooling,
        words,
        projection=0,
    ):
        super().__init__()
        self.emb = torch.nn.Embedding(words, width)
        options = {"num_layers": layers, "bidirectional": bidirectional}
        if projection:
            options["proj_size"] = projection
        make = {
            "vanilla": torch.nn.RNN,
            "relu": lambda *a, **k: torch.nn.RNN(*a, nonlinearity="relu", **k),
            "gru": torch.nn.GRU,
            "lstm": torch.nn.LSTM,
        }[kind]
        self.rnn = make(width, units, batch_first=batch_first, **options)
        self.drop = torch.nn.Dropout(0.5)
        self.out = torch.nn.Linear((projection or units) * (1 + bidirectional), classes)
        self.pooling = pooling

    def forward(self, ids):
        outputs, hidden = self.rnn(self.drop(self.emb(ids)))
        time = 1 if self.rnn.batch_first else 0
        if self.pooling == "mean":
            pooled = outputs.mean(time)
        elif self.pooling == "max":
            pooled = outputs.amax(time)
        else:
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
            directions = 2 if self.rnn.bidirectional else 1
            pooled = torch.cat(list(hidden[-directions:]), dim=-1)
        return self.out(self.drop(pooled))


def random_documents(count=12, *, longest=9, seed=0, words=WORDS[2:]):
    """Token lists of unequal lengths, the first of length one."""
    import numpy as np

    rng = np.random.default_rng(seed)
    lengths = [1, *rng.integers(1, longest + 1, size=count - 1)]
    return [[words[k] for k in rng.integers(0, len(words), size=n)] for n in lengths]


def stopped_after(monkeypatch, count, error):
    """Writing a part of an account raises the error after so many parts; the names of all."""
    from rnnscope.account import parts

    write, names = parts.write_result, []

    def stopping(result, place, classes):
        write(result, place, classes)
        names.append(place.name)
        if len(names) == count:
            raise error

    monkeypatch.setattr(parts, "write_result", stopping)
    return names


def run_apart(module):
    """What a module of the tests prints as JSON, run in a process of its own."""
    import json
    import subprocess
    import sys
    from pathlib import Path

    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
