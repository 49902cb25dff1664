"""Documents through an LSTM scan, in batches: see ``lstm_scan`` for the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import LSTM, ProjectedLSTM
from rnnscope.data import bucketed
from rnnscope.memory import at_once
from rnnscope.models import Model
from rnnscope.models.streaming import STRETCH
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.scores.lstm_scan import LSTMScan
from rnnscope.scores.packed import Inputs, Packed, room_for
from rnnscope.scores.products import product_with
from rnnscope.scores.word_scores import Batch

ARRAY_BYTES = 2**26
"""Size of each array of a scan; with the number of documents it bounds the memory of a batch."""

ARRAYS = 8
"""How many arrays of that size a scan holds, tables of drives beside."""

DOCUMENTS = 256
"""Documents at work at a time: enough for a quick product, few enough to stay in the cache."""

TABLE_BYTES = 2**28
"""A table of drives, one row a distinct word, is made where it is at most this big."""

TABLE_ROWS = 128
"""Rows of the table made at a time, so that they are still in the cache when they are stored."""

COMPILED_FROM = 2**20
"""Words times units from which the compiled loops are worth loading."""


def compiled_scan() -> type[LSTMScan] | None:
    """The scan in compiled loops, or None where numba is not installed."""
    try:
        from rnnscope.scores.lstm_scan_numba import FusedScan
    except ImportError:
        return None
    return FusedScan


def reads_by_scan(model: Model) -> bool:
    """Whether the top layer is made of LSTMs that a scan can read out."""
    cells = [type(direction.cell) for direction in model.layers[-1].directions]
    by_unit = model.pooling == "max" and ProjectedLSTM in cells
    return set(cells) <= {LSTM, ProjectedLSTM} and not by_unit


def scan_batches(
    model: Model, encoded: Sequence[np.ndarray], methods: tuple[bool, ...]
) -> Iterator[tuple[Batch, ...]]:
    """Batch by batch, the scores of each method.

    Args:
        model: a network whose top layer ``reads_by_scan``.
        encoded: documents as ``model.encode`` gives them.
        methods: for each score whether partial memories are what is left of them (gamma).
    """
    if not len(encoded):
        return
    directions = model.layers[-1].directions
    lengths = np.array([len(document) for document in encoded])
    room = _room(model, lengths, methods)
    tables = _tables(model, encoded)
    weights = model.require_readout().weight.split(
        [direction.cell.hidden_size for direction in directions], dim=1
    )
    kind = _kind(model, int(lengths.sum()))
    scans = [
        kind(
            direction,
            weight,
            pooling=model.pooling,
            methods=methods,
            rows=min(room, int(lengths.sum()) + len(lengths)),
            documents=min(DOCUMENTS, len(encoded)),
            driven=bool(tables),
        )
        for direction, weight in zip(directions, weights, strict=True)
    ]
    for chosen, source, first in _sources(model, encoded, lengths, room):
        with torch.no_grad(), flushed_denormals(), single_thread():
            packed = Packed.of(lengths[chosen])
            batch = _batch(model, scans, packed, chosen, source, first, tables)
        yield batch


Tables = tuple[Tensor, list[Tensor]] | None
"""Where each word stands, and for each direction ``W x + b`` of the words."""


def _room(model: Model, lengths: np.ndarray, methods: tuple[bool, ...]) -> int:
    """How many words and initial states the arrays of a scan may hold."""
    cell = model.layers[-1].directions[0].cell
    width = (cell.state_size - cell.hidden_size) * torch.empty(0, dtype=cell.dtype).element_size()
    room = max(4 * DOCUMENTS, at_once(ARRAY_BYTES, ARRAYS) // width)
    if model.pooling == "mean" and True in methods:
        room = max(room, int(lengths.max()) + 1)
    return room


def _kind(model: Model, words: int) -> type[LSTMScan]:
    units = sum(direction.cell.hidden_size for direction in model.layers[-1].directions)
    compiles = model.dtype == torch.float32 and model.device.type == "cpu"
    if compiles and words * units >= COMPILED_FROM:
        return compiled_scan() or LSTMScan
    return LSTMScan


def _tables(model: Model, encoded: Sequence[np.ndarray]) -> Tables:
    """For words that come again often, what each adds to the gates."""
    if model.embedding is None or model.layers[:-1]:
        return None
    directions = model.layers[-1].directions
    occurs = np.zeros(len(model.embedding), dtype=bool)
    for document in encoded:
        occurs[document] = True
    words, total = np.flatnonzero(occurs), sum(map(len, encoded))
    one = directions[0].cell.drive(model.embedding[:1])
    size = len(words) * one.numel() * one.element_size()
    if 4 * len(words) > total or size * len(directions) > at_once(TABLE_BYTES, 4):
        return None
    place = torch.zeros(len(model.embedding), dtype=torch.long, device=model.device)
    chosen = torch.as_tensor(words, device=model.device)
    place[chosen] = torch.arange(len(words), device=model.device)
    tables = []
    with torch.no_grad(), single_thread():
        for direction in directions:
            cell = direction.cell
            product = product_with(cell.W, cell.b)  # type: ignore[attr-defined]
            table = room_for(len(words), one.numel(), like=model.embedding)
            for k in range(0, len(words), TABLE_ROWS):
                part = model.embedding[chosen[k : k + TABLE_ROWS]]
                table[k : k + TABLE_ROWS] = product(part, None)
            tables.append(table)
    return place, tables


def _sources(
    model: Model, encoded: Sequence[np.ndarray], lengths: np.ndarray, room: int
) -> Iterator[tuple[np.ndarray, Tensor, np.ndarray]]:
    """For each batch its documents, longest first; what the top layer reads; where each begins.

    Words come as (words,) indices, whatever else as (rows, width) vectors.
    """
    if len(model.layers) > 1:
        below = replace(model, layers=model.layers[:-1], readout=None, classes=())
        # A batch of the layers below is in rising order and as padded as its longest document.
        for trajectory in below.trajectories(encoded, batch_tokens=min(room // 2, STRETCH)):
            outputs = torch.cat([run.outputs for run in trajectory.layers[-1]], dim=-1)
            indices = trajectory.indices.numpy()
            steps = outputs.shape[1]
            falling = np.argsort(-lengths[indices], kind="stable")
            for k in range(0, len(falling), DOCUMENTS):
                part = falling[k : k + DOCUMENTS]
                yield indices[part], outputs.flatten(0, 1), part * steps
        return
    for batch in bucketed(lengths + 1, tokens=room):
        for k in range(0, len(batch), DOCUMENTS):
            chosen = batch[::-1][k : k + DOCUMENTS]
            flat = torch.as_tensor(np.concatenate([encoded[j] for j in chosen]))
            flat = flat.to(model.device, None if flat.ndim == 1 else model.dtype)
            yield chosen, flat, np.cumsum(lengths[chosen]) - lengths[chosen]


def _batch(
    model: Model,
    scans: list[LSTMScan],
    packed: Packed,
    chosen: np.ndarray,
    source: Tensor,
    first: np.ndarray,
    tables: Tables,
) -> tuple[Batch, ...]:
    readout = model.require_readout()
    batch, steps, classes = len(chosen), len(packed.active), len(readout.weight)
    count = len(scans[0].methods)
    values = readout.weight.new_zeros(count, batch, steps, classes)
    initial = readout.weight.new_zeros(count, batch, classes)
    logits = readout.bias.expand(batch, classes).clone()
    docs = torch.as_tensor(packed.docs, device=model.device)
    for k, scan in enumerate(scans):
        place = packed.steps
        if scan.reverse:
            place = packed.lengths[packed.docs] - 1 - place
        rows = torch.as_tensor(first[packed.docs] + place, device=model.device)
        if source.ndim == 1 and model.embedding is not None:
            rows, table = source[rows], model.embedding
        else:
            table = source
        if tables is not None:
            rows, table = tables[0][rows], tables[1][k]
        found = scan.scan(packed, Inputs(source=table, rows=rows, driven=tables is not None))
        where = torch.as_tensor(place, device=model.device)
        for m in range(count):
            values[m, docs, where] += found.words[m]
            initial[m] += found.initial[m]
        logits += found.pooled
    indices = torch.as_tensor(chosen.copy())
    return tuple(
        Batch(indices=indices, values=values[m], initial=initial[m], logits=logits)
        for m in range(count)
    )
