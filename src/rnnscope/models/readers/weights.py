"""``from_weights``: a network out of its named arrays alone, whatever framework wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from rnnscope.cells import ACTIVATIONS, Activation
from rnnscope.data import Vocabulary
from rnnscope.errors import ModelError, UsageError
from rnnscope.models.layers import Layer
from rnnscope.models.model import Model
from rnnscope.models.readers.arrays import named_arrays
from rnnscope.models.readers.assembly import Assembly, Predict, held_against
from rnnscope.models.readers.blocks import Block, blocks_of
from rnnscope.models.readers.gates import Convention
from rnnscope.models.readers.limits import MAX_BYTES


def from_weights(
    source: Any,
    *,
    vocabulary: Vocabulary | Sequence[str] | Mapping[str, int] | None = None,
    pooling: str = "last",
    classes: Sequence[str] = (),
    order: Sequence[str | tuple[str, str]] | None = None,
    forget_bias: float = 0.0,
    gate_bias: float = 0.0,
    reset_first: bool | None = None,
    nonlinearity: str = "tanh",
    predict: Predict | None = None,
    documents: Iterable[Any] | None = None,
    tolerance: float | None = None,
    max_bytes: int = MAX_BYTES,
    progress: bool = False,
) -> Model:
    """Read a network from named arrays: a state_dict, or a parameter tree of JAX.

    Names and shapes show the parts: torch's and Equinox's ``weight_ih``, Flax's ``ii``, ``hf`` and
    ``kernel``, renn's ``update_gate``, TensorFlow 1's ``gates/kernel``. What they do not show is
    the order of several parts and the functions between them: say it with ``order``. No framework
    is imported, and nothing in a file is run.

    Args:
        source: a path (``.safetensors``, ``.pt``, ``.npz``, ``.msgpack``), or nested mappings,
            lists and dataclasses of arrays.
        vocabulary: word k is row k of the embedding.
        pooling: what the readout sees: "last", "mean" or "max".
        classes: the names of the classes.
        order: the parts by name in the direction of the data, with activations ("relu") between
            them and "pool" where the pooling stands, if not right after the last recurrent part; a
            pair of names is a forward and a backward cell. Needed where more than one
            order fits.
        forget_bias: added to the LSTM's forget gate when it ran; TensorFlow 1 and renn: 1.0.
        gate_bias: added to the update gate of renn's GRU and UGRNN.
        reset_first: whether the GRU's reset gate acts before the recurrent product; None for the
            framework's own way.
        nonlinearity: of a vanilla RNN, "tanh" or "relu".
        predict: the original, ``predict(document) -> output``, to certify the model with.
        documents: what to certify on; random ones when None.
        tolerance: as in ``from_torch``.
        max_bytes: the most the arrays may hold.
        progress: show a bar on standard error while documents are compared.

    Raises:
        UsageError: no such file, or an order that names what is not there.
        ModelError: a damaged file, arrays of no part we know, parts that do not fit together, or a
            difference above the tolerance.
    """
    arrays, what = named_arrays(source, max_bytes)
    convention = Convention(
        forget_bias=float(forget_bias),
        gate_bias=float(gate_bias),
        reset_first=reset_first,
        nonlinearity=nonlinearity,
    )
    blocks = blocks_of(_one_dtype(arrays), convention)
    assembly = Assembly()
    names = _order(blocks) if order is None else list(order)
    _check_names(names, blocks)
    by_name = {block.name: block for block in blocks}
    cells = [k for k, name in enumerate(names) if _is_recurrent(name, by_name)]
    for k, name in enumerate(names):
        _add(assembly, name, by_name, pooling)
        if cells and k == cells[-1] and "pool" not in names:
            assembly.pool(pooling)
    words = None if vocabulary is None else Vocabulary.of(vocabulary)
    model = assembly.model(source=what, vocabulary=words, classes=classes)
    return held_against(model, predict, documents, tolerance, progress=progress)


def _one_dtype(arrays: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Half precision widened to float32; float64 where anything is float64."""
    floats = {w.dtype for w in arrays.values() if w.is_floating_point()}
    dtype = torch.float64 if torch.float64 in floats else torch.float32
    return {n: w.to(dtype) if w.is_floating_point() else w for n, w in arrays.items()}


def _add(assembly: Assembly, name: str | tuple[str, str], by_name: dict[str, Block], pooling: str):
    if isinstance(name, tuple):
        forward, backward = (by_name[one].layers[0][0] for one in name)
        from dataclasses import replace

        assembly.recur(Layer(directions=(forward, replace(backward, reverse=True))))
    elif name in by_name:
        block = by_name[name]
        if block.table is not None:
            assembly.embed(block.table)
        for directions in block.layers:
            assembly.recur(Layer(directions=directions))
        if block.step is not None:
            assembly.apply(block.step)
    elif name == "pool":
        assembly.pool(pooling)
    else:
        assembly.apply(Activation(name=name))


def _is_recurrent(name: Any, by_name: dict[str, Block]) -> bool:
    return isinstance(name, tuple) or (name in by_name and bool(by_name[name].layers))


def _order(blocks: list[Block]) -> list[str]:
    """The one order that needs no saying: an embedding, a recurrent part, a linear layer."""
    tables = [b.name for b in blocks if b.table is not None]
    cells = [b.name for b in blocks if b.layers]
    steps = [b.name for b in blocks if b.step is not None]
    if len(tables) <= 1 and len(cells) == 1 and len(steps) <= 1:
        return [*tables, *cells, *steps]
    raise ModelError(
        "Where a network has several parts of a kind, their order must be said.",
        expected="order=[...], naming the parts in the direction of the data",
        got=", ".join(block.name or "(the whole)" for block in blocks),
        fix='for example order=["embedding", "lstm", "fc1", "relu", "fc2"]',
    )


def _check_names(names: list[Any], blocks: list[Block]) -> None:
    known = {block.name for block in blocks}
    flat = [one for name in names for one in (name if isinstance(name, tuple) else (name,))]
    unnamed = [one for one in flat if not isinstance(one, str)]
    if unnamed:
        raise UsageError(
            "The order of a network's parts is given by their names.",
            expected="names, and pairs of names of two directions",
            got=f"{unnamed[0]!r} ({type(unnamed[0]).__name__})"[:200],
        )
    wrong = [one for one in flat if one not in known and one not in (*ACTIVATIONS, "pool")]
    paired = [one for name in names if isinstance(name, tuple) for one in name]
    cells = {block.name for block in blocks if block.layers}
    wrong += [one for one in paired if one not in cells]
    if wrong:
        raise UsageError(
            "The order names parts of the network, activations, and where it is pooled.",
            expected=", ".join(sorted(name or "(the whole)" for name in known)),
            got=repr(wrong[0]),
        )
