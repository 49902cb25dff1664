"""How the answer depends on the states on the way to it, by one pass back through each document.

s_T = dw/dh_T = w,    s_t = J_rec(h_t, x_{t+1})^T s_{t+1}

with w the readout's contrast in the coordinates of the state. Their mean of s s^T is the empirical
observability Gramian of the network as the text drives it (Moore 1981, Lall et al. 2002).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.readout import readout_direction
from rnnscope.dynamics.visited import one_system
from rnnscope.errors import DataError, NotApplicable
from rnnscope.models import Model


def answer_gradients(
    model: Model, documents: Iterable[Any], *, count: int = 256, rng: int = 0
) -> Tensor:
    """``d (w^T h_T) / d h_t`` for every state after a word, (words, N) float64.

    Args:
        model: with one recurrent system and a readout of its last state; not changed.
        documents: the text; ``count`` of them are drawn.
        count: documents.
        rng: seed of the draw.

    Raises:
        DataError: no documents.
        NotApplicable: no readout, or two directions.
    """
    model = one_system(model)
    model.require_readout()
    cell = study_cell(model)
    w = readout_direction(model, cell)
    if w is None:
        raise NotApplicable(
            "What the answer depends on needs a readout that sees the state.",
            expected="a readout as wide as the cell's output",
            got="another width",
        )
    encoded = model.encode(documents)
    if not encoded:
        raise DataError("Gradients are taken on documents.", got="none")
    generator = torch.Generator().manual_seed(rng)
    chosen = torch.randperm(len(encoded), generator=generator)[:count].sort().values.tolist()
    parts: list[Tensor] = []
    with heavy():
        for trajectory in model.trajectories([encoded[k] for k in chosen]):
            documents = [encoded[chosen[k]] for k in trajectory.indices.tolist()]
            inputs = _inputs(model, documents)
            states, lengths = trajectory.states.detach(), trajectory.lengths
            s = torch.zeros_like(states)
            now = torch.zeros_like(states[:, 0])
            for t in reversed(range(states.shape[1])):
                now = torch.where((lengths == t + 1)[:, None], w, now)
                s[:, t] = now
                if t:
                    now = _back(cell, inputs[:, t], states[:, t - 1], now)
            parts.append(s[trajectory.mask])
    return torch.cat(parts)


def _back(cell: Any, x: Tensor, h: Tensor, s: Tensor) -> Tensor:
    """``J_rec(h, x)^T s``."""
    with torch.enable_grad():
        h = h.detach().requires_grad_()
        (back,) = torch.autograd.grad(cell.step(x, h), h, s)
    return back


def _inputs(model: Model, documents: list[Any]) -> Tensor:
    """The padded inputs, (B, T, d)."""
    read = [torch.as_tensor(document) for document in documents]
    if model.embedding is not None:
        ids = torch.nn.utils.rnn.pad_sequence(read, batch_first=True)
        return model.embedding[ids].detach()
    vectors = [document.to(torch.float64) for document in read]
    return torch.nn.utils.rnn.pad_sequence(vectors, batch_first=True)
