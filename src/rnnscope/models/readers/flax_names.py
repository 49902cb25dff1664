"""Parameter trees of Flax (linen and nnx): one dense layer a gate, kernels (d, n).

LSTMCell, OptimizedLSTMCell   ii if ig io (no bias), hi hf hg ho (bias); c' = f c + i g
GRUCell                       ir iz in (bias), hr hz (none), hn (bias, reset after the product)
SimpleCell                    i (bias), h (none)
Dense kernel, bias; LayerNorm scale, bias (eps 1e-6); Embed embedding
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.cells import Affine, Norm
from rnnscope.models.layers import Direction
from rnnscope.models.readers.blocks import Block, Group
from rnnscope.models.readers.gates import OURS, Convention, cell_of

CELLS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "lstm": (("ii", "if", "ig", "io"), ("hi", "hf", "hg", "ho"), ("i", "f", "g", "o")),
    "gru": (("ir", "iz", "in"), ("hr", "hz", "hn"), ("r", "z", "n")),
    "vanilla": (("i",), ("h",), ("h",)),
}
"""Architecture -> the dense layers of x, those of h, and our gates, in the same order."""


def recurrent(name: str, group: Group, convention: Convention) -> Block | None:
    """A cell, or an ``nn.RNN`` that holds one as ``cell``."""
    parts = {tuple(key.rsplit(".", 1)): weight for key, weight in group.items() if "." in key}
    dense: dict[str, Group] = {}
    for (layer, leaf), weight in parts.items():
        dense.setdefault(layer.rstrip("_"), {})[leaf] = weight
    for kind, (inputs, states, gates) in CELLS.items():
        if set(dense) != {*inputs, *states} or not all("kernel" in d for d in dense.values()):
            continue
        W = torch.cat([dense[one]["kernel"].mT for one in inputs])
        V = torch.cat([dense[one]["kernel"].mT for one in states])
        b, a = _bias(dense, inputs, W), _bias(dense, states, V)
        assert gates == OURS[kind]  # noqa: S101 - the table above is in our own order
        cell = cell_of(
            kind,
            gates,
            W,
            V,
            b,
            a,
            reset_first=bool(convention.reset_first),
            convention=convention,
        )
        return Block(name=name, layers=((Direction(cell=cell),),))
    return None


def _bias(dense: dict[str, Group], layers: tuple[str, ...], like: Tensor) -> Tensor:
    n = len(like) // len(layers)
    return torch.cat([dense[one].get("bias", like.new_zeros(n)) for one in layers])


def other(name: str, group: Group, convention: Convention) -> Block | None:
    """``Dense``, ``Embed`` and ``LayerNorm``."""
    del convention
    if set(group) == {"embedding"}:
        return Block(name=name, table=group["embedding"])
    if set(group) in ({"kernel"}, {"kernel", "bias"}) and group["kernel"].ndim == 2:
        weight = group["kernel"].mT.contiguous()
        bias = group.get("bias", weight.new_zeros(len(weight)))
        return Block(name=name, step=Affine(weight=weight, bias=bias))
    if set(group) in ({"scale"}, {"scale", "bias"}):
        scale = group["scale"]
        bias = group.get("bias", torch.zeros_like(scale))
        return Block(name=name, step=Norm(weight=scale, bias=bias, eps=1e-6))
    return None
