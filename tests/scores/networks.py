"""The networks that the tests of the comparison methods share."""

from __future__ import annotations

import torch

import rnnscope.models as models
from rnnscope.data import Vocabulary
from tests.helpers import WORDS, random_cell, random_module

LSTMS = [
    {"kind": "lstm"},
    {"kind": "lstm", "classes": 1},
    {"kind": "lstm", "classes": 3, "bidirectional": True, "pooling": "max"},
    {"kind": "lstm", "layers": 2, "pooling": "mean"},
]
SHAPES = [
    *LSTMS,
    {"kind": "lstm", "layers": 2, "bidirectional": True},
    {"kind": "lstm", "units": 4, "projection": 3},
    {"kind": "gru", "classes": 3, "pooling": "mean"},
    {"kind": "gru", "layers": 2, "pooling": "max"},
    {"kind": "vanilla", "bidirectional": True},
]


def model_of(dtype=torch.float64, scale=1.5, **shape):
    module = random_module(dtype=dtype, scale=scale, **{"units": 3, "width": 3, **shape})
    return models.from_torch(module, vocabulary=WORDS, pooling=shape.get("pooling", "last"))


def own_cell_model(kind, *, seed=0, scale=1.0, embedding=True):
    """A model with an initial state around one of our own cells."""
    rng = torch.Generator().manual_seed(seed)
    cell = random_cell(kind, seed=seed, scale=scale)
    start = torch.randn(cell.state_size, generator=rng, dtype=torch.float64)
    table = torch.randn(len(WORDS), 3, generator=rng, dtype=torch.float64)
    return models.Model(
        layers=(models.Layer(directions=(models.Direction(cell=cell, initial=start),)),),
        embedding=table if embedding else None,
        vocabulary=Vocabulary.of(WORDS) if embedding else None,
        readout=models.Readout.of(torch.randn(3, 4, generator=rng, dtype=torch.float64)),
    )


def ids_of(document):
    return [WORDS.index(word) for word in document]


def without_numba(monkeypatch):
    """Make the library find no compiled steps."""
    monkeypatch.setattr("rnnscope.scores.lstm_kernels._compiled", lambda: None)


def same_in_any_batch(method, documents, limit):
    """Assert that order, company and padding change no score."""
    together, backwards = method.score(documents), method.score(documents[::-1])
    for k, document in enumerate(documents):
        alone = method.score([document])[0].values
        room = limit * max(1.0, float(alone.abs().max()))
        assert float((together[k].values - alone).abs().max()) <= room
        assert float((backwards[len(documents) - 1 - k].values - alone).abs().max()) <= room
