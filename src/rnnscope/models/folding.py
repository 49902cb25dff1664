"""Steps before, between and after layers, put where a model has a place for them.

Affine steps become part of the weights that read them: ``W (A x + a) + b``. Others stay: as a step
on what a layer's output is seen through, or in the head.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from rnnscope.cells import Affine, Cell, Steps, Transformed, affine_of
from rnnscope.errors import ModelError
from rnnscope.models.layers import Layer, Readout


def turned(layer: Layer) -> Layer:
    return replace(layer, directions=tuple(replace(d, reverse=True) for d in layer.directions))


def between(
    lower: Layer, steps: Steps, upper: tuple[Layer, ...]
) -> tuple[Layer, tuple[Layer, ...]]:
    """Steps between two layers: into the upper one's input weights where affine, else onto the
    lower one's output."""
    if not steps:
        return lower, upper
    fold = affine_of(steps)
    if fold is not None:
        return lower, onto_lowest(upper, fold)
    return seen_through(lower, steps), upper


def onto_lowest(layers: tuple[Layer, ...], fold: Affine) -> tuple[Layer, ...]:
    return tuple(layer if k else folded(layer, fold) for k, layer in enumerate(layers))


def folded(layer: Layer, fold: Affine) -> Layer:
    """A layer that reads ``fold(x)`` as one that reads ``x``: ``W (A x + a) + b``."""

    def cell(own: Cell) -> Cell:
        wide = own.W.to(torch.float64)  # type: ignore[attr-defined]
        W = wide @ fold.weight.to(torch.float64)
        b = own.b.to(torch.float64) + wide @ fold.bias.to(torch.float64)  # type: ignore[attr-defined]
        return replace(own, W=W.to(own.dtype), b=b.to(own.dtype))  # type: ignore[type-var]

    directions = tuple(replace(d, cell=cell(d.cell)) for d in layer.directions)
    return replace(layer, directions=directions)


def seen_through(layer: Layer, steps: Steps) -> Layer:
    if len(layer.directions) > 1:
        raise ModelError(
            "Steps that join the two directions of a layer are read only where they are linear, or "
            "where they follow the last states.",
            expected="one direction, or a linear layer",
            got=f"{len(steps)} steps after a bidirectional layer",
        )
    only = next(iter(layer.directions))
    return replace(
        layer, directions=(replace(only, cell=Transformed(inner=only.cell, steps=steps)),)
    )


def finished(
    layers: tuple[Layer, ...], steps: Steps, pooling: str, head: Steps, readout: Readout | None
) -> tuple[tuple[Layer, ...], Steps, Readout | None]:
    """The layers, head and readout of a model whose top outputs go through ``steps`` before they
    are pooled, and whose pooled vector through ``head`` before the readout."""
    linear = affine_of(steps) is not None
    if steps and (pooling == "last" or (pooling == "mean" and linear)):
        head = (*steps, *head)  # a step of one vector; the mean of an affine map is the map's mean
    elif steps:
        layers = (*layers[:-1], seen_through(layers[-1], steps))
    while head and readout is not None and isinstance(head[-1], Affine):
        fold = affine_of((head[-1], Affine(weight=readout.weight, bias=readout.bias)))
        if fold is None:
            break
        readout = replace(readout, weight=fold.weight, bias=fold.bias)
        head = head[:-1]
    return layers, head, readout
