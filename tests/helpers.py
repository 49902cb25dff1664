"""Random cells and models that several test modules share."""

from __future__ import annotations

import torch

import rnnscope.cells as cells

GATES = {"vanilla": 1, "ugrnn": 2, "gru": 3, "gru_reset_first": 3, "lstm": 4}


def random_cell(kind, *, d=3, n=4, seed=0, scale=1.0, dtype=torch.float64, **options):
    """A cell of this kind with normal weights."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return scale * torch.randn(*shape, generator=rng, dtype=dtype)

    k = GATES[kind]
    weights = {"W": normal(k * n, d), "V": normal(k * n, n) / n**0.5, "b": normal(k * n)}
    if kind == "gru":
        weights["a"] = normal(n)
    return cells.CELLS[kind](**weights, **options)
