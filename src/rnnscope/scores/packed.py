"""A batch of documents laid out for a scan, and the arrays it is scanned in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


def room_for(*shape: int, like: Tensor) -> Tensor:
    """An uninitialised array. On the CPU it is numpy's, which asks for huge pages: fresh memory
    in small pages costs as much as the arithmetic done on it."""
    if like.device.type != "cpu":
        return like.new_empty(shape)
    width = {torch.float32: np.float32, torch.float64: np.float64}[like.dtype]
    return torch.from_numpy(np.empty(shape, width))


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """Documents laid out step by step, longest first, so that those at work come first.

    Args:
        lengths: (B,) words of each document, falling.
        active: (T,) documents at work at each step.
        starts: (T + 1,) where each step's words begin; the last is the number of words.
        docs: (words,) the document of each packed word.
        steps: (words,) its step.
    """

    lengths: np.ndarray
    active: np.ndarray
    starts: np.ndarray
    docs: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, lengths: np.ndarray) -> Packed:
        """From falling lengths."""
        inside = np.arange(int(lengths[0]))[:, None] < lengths
        active = inside.sum(axis=1)
        steps, docs = np.nonzero(inside)
        starts = np.concatenate([[0], np.cumsum(active)])
        return cls(lengths=lengths, active=active, starts=starts, docs=docs, steps=steps)

    def chunks(self, rows: int) -> Iterator[tuple[int, int]]:
        """Runs of steps whose words, and one more memory each, fit into so many rows."""
        start, used = 0, int(self.active[0])
        for t, count in enumerate(self.active.tolist()):
            if t > start and used + count > rows:
                yield start, t
                start, used = t, count
            used += count
        yield start, len(self.active)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a direction reads: row ``rows[k]`` of ``source`` at packed word k.

    Args:
        source: (rows, width), vectors, or with ``driven`` what they add to the gates.
        rows: (words,).
        driven: whether ``source`` holds drives: ``W x + b`` done once for each distinct word.
    """

    source: Tensor
    rows: Tensor
    driven: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Scanned:
    """What one direction adds: scores of each packed word and of the initial state, by method.

    Args:
        words: for each method (words, classes).
        initial: for each method (B, classes).
        pooled: (B, classes), the readout of the pooled state.
    """

    words: tuple[Tensor, ...]
    initial: tuple[Tensor, ...]
    pooled: Tensor
