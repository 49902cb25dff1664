"""What a module's parts read and put out while its own forward runs on one document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnscope.cells import Pointwise
from rnnscope.models.layers import Layer
from rnnscope.models.parity import call_module, first_tensor
from rnnscope.models.torch_weights import POINTWISE_PARTS, layers_of, step_of, table_of, weight_of
from rnnscope.models.undisturbed import undisturbed

RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@dataclass(kw_only=True, eq=False)
class Piece:
    """One part of the module, its calls joined in their order.

    Args:
        name: as in ``named_modules``.
        part: the module itself; None where the network is no torch module.
        x: (rows, width), what it read; None of an embedding.
        y: (rows, width), what it put out: one row a word, or a single one.
        starts: of a recurrent part, the initial state of each direction of each layer.
        layers: of a recurrent part, its layers as they were when it ran.
        table: of an embedding, its rows.
        step: of a linear layer or a norm, itself.
    """

    name: str
    part: nn.Module | None
    x: Tensor | None
    y: Tensor
    starts: list[Tensor] = field(default_factory=list)
    layers: tuple[Layer, ...] = ()
    table: Tensor | None = None
    step: Pointwise | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One run: the parts in the order of their first call, and what the module returned."""

    pieces: tuple[Piece, ...]
    output: Tensor

    @property
    def recurrent(self) -> list[Piece]:
        """The recurrent parts."""
        return [piece for piece in self.pieces if piece.layers]

    @property
    def tables(self) -> list[Piece]:
        """The embeddings."""
        return [piece for piece in self.pieces if piece.table is not None]

    @property
    def steps(self) -> list[Piece]:
        """The linear layers and norms."""
        return [piece for piece in self.pieces if piece.step is not None]


def traced(
    module: nn.Module,
    document: np.ndarray,
    *,
    batch_first: bool,
    forward: Callable[[nn.Module, Tensor], Any] | None,
    dtype: torch.dtype,
    device: torch.device,
) -> Trace:
    """Run the module on one document, as a batch of one, and watch its parts.

    Raises:
        Exception: whatever its forward raises.
    """
    ids = torch.as_tensor(document, device=device)
    ids = ids if ids.ndim == 1 else ids.to(dtype)
    batched = ids[None] if batch_first else ids[:, None]
    pieces: dict[str, Piece] = {}
    watches = [
        part.register_forward_hook(_watch(name, pieces), with_kwargs=True)
        for name, part in module.named_modules()
        if isinstance(part, (*RECURRENT, *POINTWISE_PARTS, nn.Embedding))
    ]
    try:
        with undisturbed(module):
            raw = forward(module, batched) if forward else call_module(module, batched, len(ids))
            output = first_tensor(raw).detach().clone()
    finally:
        for watch in watches:
            watch.remove()
    return Trace(pieces=tuple(pieces.values()), output=output)


def _watch(name: str, pieces: dict[str, Piece]) -> Callable[..., None]:
    def watch(part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        given = [*args, *kwargs.values()]
        y = _rows(out[0] if isinstance(out, tuple) else out)
        x = None if isinstance(part, nn.Embedding) else _rows(given[0])
        if name in pieces:
            before = pieces[name]
            if len(y) > 1 and len(before.y) == len(y) and torch.equal(before.y, y):
                return  # the same document handed to the same part again
            before.y = torch.cat([before.y, y])
            before.x = None if x is None or before.x is None else torch.cat([before.x, x])
            return
        piece = Piece(name=name, part=part, x=x, y=y)
        if isinstance(part, nn.Embedding):
            piece.table = weight_of(table_of(part).weight)
        if isinstance(part, RECURRENT):
            piece.starts = _starts(given[1] if len(given) > 1 else None)
            piece.layers = layers_of(part, piece.starts)
        if isinstance(part, POINTWISE_PARTS):
            piece.step = step_of(part)
        pieces[name] = piece

    return watch


def _rows(value: Any) -> Tensor:
    """A batch of one as its rows, (rows, width), copied."""
    if isinstance(value, PackedSequence):
        value = value.data
    return value.detach().reshape(-1, value.shape[-1]).clone()


def _starts(state: Any) -> list[Tensor]:
    """The state handed to a recurrent part, as one (state_size,) a direction a layer."""
    if state is None:
        return []
    parts = [_rows(part) for part in (state if isinstance(state, tuple) else (state,))]
    return list(torch.cat(parts, dim=-1))
