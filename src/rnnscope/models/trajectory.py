"""A trajectory: the states, and gates, that a model visits on a batch of documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from rnnscope.errors import NotApplicable
from rnnscope.models.attention import Attention
from rnnscope.models.layers import Run

Pooling: TypeAlias = str
"""One of ``POOLINGS``, "attention", or several joined by "+"."""

POOLINGS: tuple[Pooling, ...] = ("last", "mean", "max")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """What a model did on a batch of documents of unequal lengths.

    Args:
        indices: (B,) which documents of the input these are.
        lengths: (B,) words of each.
        layers: for each layer, lowest first, what each of its directions did.
        pooled: (B, H), what the readout sees.
        logits: (B, classes), or None without a readout.
    """

    indices: Tensor
    lengths: Tensor
    layers: tuple[tuple[Run, ...], ...]
    pooled: Tensor
    logits: Tensor | None

    @property
    def states(self) -> Tensor:
        """The joint state of all layers at every position, (B, T, state_size).

        Raises:
            NotApplicable: the model reads in two directions, so it is two systems, not one.
        """
        if any(len(layer) > 1 for layer in self.layers):
            raise NotApplicable(
                "A bidirectional network is two dynamical systems, so it has no single state.",
                expected="a network that reads in one direction",
                got="a bidirectional layer",
                fix="look at the runs of each direction in .layers",
            )
        return torch.cat([layer[0].states for layer in self.layers], dim=-1)

    @property
    def mask(self) -> Tensor:
        """(B, T): True where there is a word, False in the padding."""
        steps = torch.arange(self.layers[0][0].states.shape[1], device=self.lengths.device)
        return steps < self.lengths[:, None]

    def visited(self) -> Tensor:
        """All states after a word, without padding, (words, state_size)."""
        return self.states[self.mask]

    def final(self) -> Tensor:
        """The state after the last word of each document, (B, state_size)."""
        return self.states[torch.arange(len(self.lengths)), self.lengths - 1]


def pool(top: tuple[Run, ...], pooling: str, attention: Attention | None = None) -> Tensor:
    """What the readout sees of the top layer, (B, H); poolings joined by "+" stand side by side."""
    if "+" in pooling:
        return torch.cat([pool(top, one, attention) for one in pooling.split("+")], dim=-1)
    if pooling == "last":
        return torch.cat([run.direction.cell.output(run.final) for run in top], dim=-1)
    outputs = torch.cat([run.outputs for run in top], dim=-1)
    lengths = top[0].lengths
    steps = torch.arange(outputs.shape[1], device=outputs.device)
    padding = (steps >= lengths[:, None]).unsqueeze(-1)
    if pooling == "mean":
        return outputs.masked_fill(padding, 0).sum(dim=1) / lengths[:, None].to(outputs.dtype)
    if pooling == "attention" and attention is not None:
        last = pool(top, "last")
        weights = attention.weights(outputs, last, padding.squeeze(-1))
        return (weights.unsqueeze(-1) * outputs.masked_fill(padding, 0)).sum(dim=1)
    return outputs.masked_fill(padding, -torch.inf).amax(dim=1)
