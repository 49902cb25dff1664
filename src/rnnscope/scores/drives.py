"""Documents as what they add to the lowest layer's gates, step by step, longest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.cells.cell import AffineCell
from rnnscope.models import Model
from rnnscope.models.streaming import STRETCH as STRETCH
from rnnscope.models.streaming import steps_at_once
from rnnscope.scores.products import product_with

TABLE_BYTES = 256 * 2**20
"""A table of drives over all the words of a corpus is made once where it is at most this big."""

TAPE = 2
"""What going backwards holds, in units of what a run holds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drives:
    """A batch of documents as the drives of each direction of the lowest layer.

    The drive is affine in the word's vector, so a straight path between two vectors is a straight
    path between their drives, and ``<gradient by the drive, change of the drive>`` equals
    ``<gradient by the vector, change of the vector>``: no vector is needed after this.

    Args:
        indices: (B,) which documents these are.
        lengths: (B,) words of each, falling: the documents at work at a step come first.
        rows: for each direction (T, B), the row of each word in ``tables``, in reading order.
        tables: for each direction (words, drive_size), ``drive(x)``.
    """

    indices: Tensor
    lengths: Tensor
    rows: tuple[Tensor, ...]
    tables: tuple[Tensor, ...]

    @property
    def active(self) -> list[int]:
        """How many documents are at work at each step, and a last 0."""
        return active_rows(self.lengths)

    def at(self, direction: int, t: int, count: int) -> Tensor:
        """(count, drive_size): the drives of the first documents at a step."""
        return self.tables[direction].index_select(0, self.rows[direction][t, :count])


def words_at_once(model: Model, most: int, *, copies: int = 1) -> int:
    """Padded words in a batch: ``most``, or fewer within a memory budget.

    Args:
        copies: rows that each word stands for: points of a path, variants of a document.
    """
    return steps_at_once(model, gates=True, most=most, copies=TAPE * copies)


def active_rows(lengths: Tensor) -> list[int]:
    """How many of ``lengths`` (falling) are above 0, 1, 2, ...; the last is 0."""
    steps = torch.arange(int(lengths.max()) + 1, device=lengths.device)
    return (lengths[:, None] > steps).sum(dim=0).tolist()


def drives_of(model: Model, encoded: Sequence[np.ndarray], *, tokens: int) -> Iterator[Drives]:
    """Documents in batches of similar lengths, as drives.

    Args:
        model: the network.
        encoded: documents as ``model.encode`` gives them.
        tokens: padded words in a batch.
    """
    cells = [direction.cell for direction in model.layers[0].directions]
    shared = None
    if model.embedding is not None and encoded:
        words = np.unique(np.concatenate(encoded))
        if len(words) * _drive_bytes(cells, model.embedding) <= TABLE_BYTES:
            shared = words, _tables(cells, model.embedding, words)
    for chosen in batches_by_length([len(document) for document in encoded], tokens):
        documents = [encoded[k] for k in chosen]
        lengths = [len(document) for document in documents]
        flat = np.concatenate(documents)
        if model.embedding is None:
            vectors = torch.as_tensor(flat, dtype=model.dtype, device=model.device)
            tables = tuple(_drive_of(cell, vectors) for cell in cells)
            where = np.arange(len(flat))
        else:
            words, tables = shared or (None, None)
            if words is None or tables is None:
                words = np.unique(flat)
                tables = _tables(cells, model.embedding, words)
            where = np.searchsorted(words, flat)
        rows = tuple(
            torch.as_tensor(_time_major(where, lengths, d.reverse), device=model.device)
            for d in model.layers[0].directions
        )
        yield Drives(
            indices=torch.as_tensor(np.asarray(chosen)),
            lengths=torch.tensor(lengths, device=model.device),
            rows=rows,
            tables=tables,
        )


def batches_by_length(lengths: Sequence[int], tokens: int) -> Iterator[np.ndarray]:
    """Indices of documents, longest first, as many at a time as their padded words allow."""
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    while start < len(order):
        stop = start + max(1, tokens // lengths[order[start]])
        yield order[start:stop]
        start = stop


def zero_drive(cell: Cell) -> Tensor:
    """(drive_size,): what a zero vector adds to the gates."""
    return cell.drive(torch.zeros(cell.input_size, dtype=cell.dtype, device=cell.device))


def flip_time(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each row of (T, B, ...) within its own length; its own inverse."""
    steps = torch.arange(x.shape[0], device=x.device)[:, None]
    mirrored = lengths - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return x[index, torch.arange(x.shape[1], device=x.device)]


def _drive_bytes(cells: list[Cell], embedding: Tensor) -> int:
    one = sum(cell.drive(embedding[:1]).numel() for cell in cells)
    return one * embedding.element_size()


def _tables(cells: list[Cell], embedding: Tensor, words: np.ndarray) -> tuple[Tensor, ...]:
    vectors = embedding[torch.as_tensor(words, device=embedding.device)]
    return tuple(_drive_of(cell, vectors) for cell in cells)


def _drive_of(cell: Cell, vectors: Tensor) -> Tensor:
    if isinstance(cell, AffineCell) and type(cell).drive is AffineCell.drive:
        return product_with(cell.W, cell.b)(vectors, None)
    return cell.drive(vectors)


def _time_major(where: np.ndarray, lengths: list[int], reverse: bool) -> np.ndarray:
    padded = np.zeros((lengths[0], len(lengths)), dtype=np.int64)
    start = 0
    for column, length in enumerate(lengths):
        own = where[start : start + length]
        padded[:length, column] = own[::-1] if reverse else own
        start += length
    return padded
