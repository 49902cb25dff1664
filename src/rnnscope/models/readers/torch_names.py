"""State dicts of torch and trees of Equinox, whose cells have torch's names.

torch     weight_ih_l0 (G n, d), weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0; _reverse
equinox   weight_ih, weight_hh, bias (one), bias_n (of the GRU's V_n h)

G = 1, 3, 4 tells a vanilla RNN, a GRU and an LSTM.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from rnnscope.cells import Affine, Norm
from rnnscope.errors import ModelError
from rnnscope.models.layers import Direction
from rnnscope.models.readers.blocks import Block, Group
from rnnscope.models.readers.gates import ORDERS, OURS, Convention, cell_of

KINDS = {1: "vanilla", 3: "gru", 4: "lstm"}
_STACKED = re.compile(r"weight_ih(?:_l(\d+))?(_reverse)?$")


def recurrent(name: str, group: Group, convention: Convention) -> Block | None:
    """``nn.RNN``, ``nn.GRU``, ``nn.LSTM``, their cells, and Equinox's ``GRUCell``, ``LSTMCell``."""
    if not any(_STACKED.match(key) for key in group):
        return None
    layers = []
    for k in range(len(group)):
        stem = f"_l{k}" if f"weight_ih_l{k}" in group else ""
        if f"weight_ih{stem}" not in group or (k and not stem):
            break
        sides = [""] + (["_reverse"] if f"weight_ih{stem}_reverse" in group else [])
        layers.append(tuple(_direction(name, group, stem + side, convention) for side in sides))
    return Block(name=name, layers=tuple(layers))


def _direction(name: str, group: Group, suffix: str, convention: Convention) -> Direction:
    W, V = group[f"weight_ih{suffix}"], group.get(f"weight_hh{suffix}")
    if V is None or V.ndim != 2 or W.ndim != 2:
        raise ModelError("A cell has recurrent weights.", got=f"none in {name}{suffix}")
    R = group.get(f"weight_hr{suffix}")
    units = V.shape[1] if R is None else R.shape[1]
    kind = KINDS.get(V.shape[0] // max(units, 1))
    if kind is None or V.shape[0] % max(units, 1):
        raise ModelError(
            "A cell's recurrent weights hold one, three or four gates.",
            expected="(n, n), (3n, n) or (4n, n)",
            got=f"{name}: {tuple(V.shape)}",
        )
    order = ORDERS["torch"].get(kind) or OURS[kind]
    b, a = group.get(f"bias_ih{suffix}"), group.get(f"bias_hh{suffix}")
    if "bias" in group and not suffix:
        b = group["bias"]
        if "bias_n" in group:
            a = torch.cat([b.new_zeros(2 * units), group["bias_n"]])
    cell = cell_of(
        kind,
        order,
        W,
        V,
        b,
        a,
        R,
        reset_first=bool(convention.reset_first),
        convention=convention,
    )
    return Direction(cell=cell, reverse=suffix.endswith("_reverse"))


def other(name: str, group: Group, convention: Convention) -> Block | None:
    """``nn.Linear``, ``nn.Embedding``, ``nn.LayerNorm``, ``nn.BatchNorm1d``."""
    del convention
    weight = group.get("weight")
    if weight is None or any("." in key for key in group):
        return None
    if "running_mean" in group and "running_var" in group:
        return Block(name=name, step=batch_norm(group["running_mean"], group["running_var"], group))
    if weight.ndim == 1:
        bias = group.get("bias", torch.zeros_like(weight))
        return Block(name=name, step=Norm(weight=weight, bias=bias))
    if weight.ndim != 2:
        return None
    bias = group.get("bias")
    if bias is None and _is_table(name):
        return Block(name=name, table=weight)
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    return Block(name=name, step=Affine(weight=weight, bias=bias))


def batch_norm(mean: Tensor, variance: Tensor, group: Group, eps: float = 1e-5) -> Affine:
    """A batch norm of eval mode: ``w (x - mean) / sqrt(var + eps) + b``."""
    scale = (variance + eps).rsqrt() * group.get("weight", torch.ones_like(variance))
    shift = group.get("bias", torch.zeros_like(mean)) - scale * mean
    return Affine(weight=torch.diag(scale), bias=shift)


def _is_table(name: str) -> bool:
    return bool(re.search(r"emb|lookup|word|token|encoder$|wte", name.lower()))
