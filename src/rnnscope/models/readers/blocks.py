"""What named arrays are parts of: cells, embeddings, linear layers and norms, by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from rnnscope.cells import Pointwise
from rnnscope.errors import ModelError
from rnnscope.models.layers import Direction
from rnnscope.models.readers.arrays import Arrays
from rnnscope.models.readers.gates import Convention


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """One part of a network.

    Args:
        name: the dotted name that its arrays share.
        layers: of a recurrent part, the directions of each of its layers.
        table: of an embedding, its rows.
        step: of a linear layer or a norm, itself.
    """

    name: str
    layers: tuple[tuple[Direction, ...], ...] = ()
    table: Tensor | None = None
    step: Pointwise | None = None


Group = dict[str, Tensor]
Finder = Callable[[str, Group, Convention], Block | None]
"""From a name and the arrays under it, by the rest of their names, a framework's block."""


def blocks_of(arrays: Arrays, convention: Convention) -> list[Block]:
    """Every part that the names show, in the order of the arrays.

    Raises:
        ModelError: arrays that belong to no part that we know, the first few of them by name.
    """
    from rnnscope.models.readers import (
        flax_names,
        renn_names,
        tensorflow_names,
        torch_names,
    )

    finders: tuple[Finder, ...] = (
        tensorflow_names.block,
        renn_names.block,
        flax_names.recurrent,
        torch_names.recurrent,
        flax_names.other,
        torch_names.other,
    )
    rest = dict(arrays)
    found: list[Block] = []
    for finder in finders:
        # The shortest names first: a part takes all that lies under it.
        for prefix in sorted(_prefixes(rest), key=lambda p: (p.count("."), len(p))):
            start = f"{prefix}." if prefix else ""
            group = {n.removeprefix(start): w for n, w in rest.items() if n.startswith(start)}
            block = finder(prefix, group, convention) if group else None
            if block is not None:
                found.append(block)
                rest = {n: w for n, w in rest.items() if not n.startswith(start)}
    strange = [n for n, w in rest.items() if w.is_floating_point() and w.numel() > 1]
    if strange:
        raise ModelError(
            "Every array must belong to a part that we have equations for.",
            expected="cells, embeddings, linear layers and layer norms, by their usual names",
            got=", ".join(f"{name} {tuple(rest[name].shape)}" for name in strange[:5]),
            fix="leave out what the network's output does not need",
        )
    order = list(arrays)
    return sorted(found, key=lambda block: _place(order, block.name))


def _prefixes(arrays: Arrays) -> set[str]:
    found = {""}
    for name in arrays:
        parts = name.split(".")
        found |= {".".join(parts[:k]) for k in range(1, len(parts))}
    return found


def _place(order: list[str], name: str) -> int:
    return next((k for k, one in enumerate(order) if one == name or one.startswith(f"{name}.")), 0)
