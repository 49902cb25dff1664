"""A copy of a network whose weights say nothing any more, from the readout down."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from rnnscope.models import Model, Readout

How = Literal["permute", "normal"]


def randomised(model: Model, *, depth: int, how: How = "permute", seed: int = 0) -> Model:
    """A copy of a network, its weights randomised from the readout down.

    Args:
        model: the network; it is left as it is.
        depth: how many parts: 1 the readout, 2 the top layer too, and so on to the embedding.
        how: see ``randomisation_test``.
        seed: of the draws.
    """
    rng = torch.Generator().manual_seed(seed)

    def change(weight: Tensor) -> Tensor:
        flat = weight.detach().cpu().reshape(-1)
        if how == "permute":
            flat = flat[torch.randperm(len(flat), generator=rng)]
        else:
            drawn = torch.randn(len(flat), generator=rng, dtype=flat.dtype)
            flat = flat.mean() + flat.std(correction=0) * drawn
        return flat.reshape(weight.shape).to(weight.device)

    readout = model.require_readout()
    if readout.one_logit:
        # The two rows are one weight and its opposite, and stay so.
        new = Readout.of(change(2 * readout.weight[1:]), 2 * readout.bias[1:])
    else:
        new = readout.map(change)
    layers, count = list(model.layers), len(model.layers)
    for k in reversed(range(max(0, count - depth + 1), count)):
        layers[k] = layers[k].map(change)
    embedding = model.embedding
    if embedding is not None and depth > count + 1:
        embedding = change(embedding)
    return replace(
        model,
        layers=tuple(layers),
        embedding=embedding,
        readout=new,
        certificate=None,
        record={"source": f"weights randomised ({how}), seed {seed}, depth {depth}"},
    )
