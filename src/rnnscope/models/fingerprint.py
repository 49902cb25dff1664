"""A digest of weights, by which networks and parts of them are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell


def fingerprint_of(described: str, weights: Mapping[str, Tensor]) -> str:
    """A digest of a description and of every weight: its name, shape, dtype and bits."""
    digest = hashlib.sha256(described.encode("utf-8", "backslashreplace"))
    for name, weight in sorted(weights.items()):
        array = weight.detach().cpu().contiguous()
        digest.update(f"{name}|{tuple(array.shape)}|{array.dtype}".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def choices_of(cell: Cell) -> str:
    """What a cell is told beside its kind and its weights, such as relu in place of tanh, where it
    is not what it is by default; a callable by its name."""
    told = _choices(cell)
    return "" if told is None else repr(told)


def _choices(value: Any) -> Any:
    if isinstance(value, Tensor):
        return None
    if isinstance(value, tuple):
        found = [_choices(item) for item in value]
        return found if any(found) else None
    if is_dataclass(value):
        own = {one.name: (getattr(value, one.name), one.default) for one in fields(value)}
        chosen = {
            name: _choices(given)
            for name, (given, default) in own.items()
            if isinstance(given, Tensor) or given != default
        }
        return {name: told for name, told in chosen.items() if told is not None} or None
    return getattr(value, "__qualname__", None) or repr(value)
