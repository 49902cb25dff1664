"""The model that a run shows: words or vectors, recurrent parts, pooling, head, readout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations

import torch
from torch import Tensor

from rnnscope.cells import Affine, Steps, affine_of, through
from rnnscope.errors import ModelError
from rnnscope.models.attention import Attention
from rnnscope.models.folding import between, finished, onto_lowest, turned
from rnnscope.models.layers import Layer, Readout
from rnnscope.models.paths import Node, path, reach, same
from rnnscope.models.torch_weights import weight_of
from rnnscope.models.trace import Piece, Trace
from rnnscope.models.trajectory import POOLINGS

FORMS = (
    ("logits", lambda z: z),
    ("log-probabilities", lambda z: torch.log_softmax(z, dim=-1)),
    ("probabilities", lambda z: torch.softmax(z, dim=-1)),
    ("probabilities", torch.sigmoid),
)
"""What a module's forward may make of its logits, (rows, classes)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """The parts of a model, as a traced run shows them.

    Args:
        table: the rows that the lowest layer reads, one a word; None for vectors.
        layers: the recurrent layers.
        parts: for each recurrent part, its name and its top layer.
        starts: for each recurrent part, the initial states it was handed.
        backwards: whether the parts are fed the document from its end.
        pooling, attention, head, readout: as in ``Model``.
        output: what the module's forward returns.
        every_position: whether it returns that for each position.
    """

    table: Tensor | None
    layers: tuple[Layer, ...]
    parts: tuple[tuple[str, int], ...]
    starts: tuple[tuple[Tensor, ...], ...] = ()
    backwards: bool = False
    pooling: str = "last"
    attention: Attention | None = None
    head: Steps = ()
    readout: Readout | None = None
    output: str = "logits"
    every_position: bool = False


def below(trace: Trace, document: Tensor, embedding: str | None, recurrent: str | None) -> Chain:
    """The recurrent parts in the order in which they read each other, and what the lowest reads.

    Raises:
        ModelError: what a part reads is neither the input nor the part below, through steps.
    """
    pieces = [p for p in trace.recurrent if recurrent is None or p.name == recurrent]
    if not pieces:
        raise ModelError("The module's forward must run its recurrent part.", got="it did not")
    table, first, backwards = _lowest(trace, pieces[0], document, embedding)
    layers, parts = list(first), [(pieces[0].name, len(first) - 1)]
    for lower, upper in pairwise(pieces):
        steps = None if upper.x is None else path(lower.y, upper.x, trace)
        if steps is None:
            raise ModelError(
                "Several recurrent parts must read each other, one above the other.",
                expected=f"{upper.name!r} reads what {lower.name!r} puts out",
                got="something else",
                fix="name the one to study: recurrent= one of "
                + ", ".join(repr(piece.name) for piece in pieces),
            )
        layers[-1], upwards = between(layers[-1], steps, upper.layers)
        layers += upwards
        parts.append((upper.name, len(layers) - 1))
    found = tuple(turned(layer) for layer in layers) if backwards else tuple(layers)
    return Chain(
        table=table,
        layers=found,
        parts=tuple(parts),
        starts=tuple(tuple(piece.starts) for piece in pieces),
        backwards=backwards,
    )


def above(
    chain: Chain,
    trace: Trace,
    top: Tensor,
    final: Tensor,
    parameters: Sequence[Tensor],
    *,
    pooling: str | None,
    readout: str | None,
) -> Chain:
    """What stands between the top layer and the module's output.

    Args:
        chain: the parts below.
        trace: the run.
        top: (T, H), what the top layer put out, in the order of the text.
        final: (1, H), each direction's output after the last word it reads.
        parameters: the module's own vectors, which attention may use.
        pooling, readout: what the user says of it.

    Raises:
        ModelError: no pooling, head and linear layer that we know give the output.
    """
    for name, attention, steps, value, rows in _pooled(top, final, trace, parameters):
        if pooling is not None and name != pooling:
            continue
        for node in reach(value, trace):
            found = _readout(node, trace, readout)
            if found is not None:
                head, last, output = found
                layers, head, last = finished(chain.layers, steps, name, head, last)
                return replace(
                    chain,
                    layers=layers,
                    pooling=name,
                    attention=attention,
                    head=head,
                    readout=last,
                    output=output,
                    every_position=rows > 1,
                )
    raise ModelError(
        "The module's output must be reached from its states by what we have equations for.",
        expected="the last, mean, max or attention pooling of the top layer, or several side by "
        "side; linear layers, layer or batch norms and activations; a linear layer",
        got="another way from the states to an output of shape "
        f"{tuple(trace.output.shape)}" + (f", or pooling {pooling!r} is not it" if pooling else ""),
        fix="pass forward= with the part of the module that ends in one linear layer",
    )


def _lowest(
    trace: Trace, piece: Piece, document: Tensor, embedding: str | None
) -> tuple[Tensor | None, tuple[Layer, ...], bool]:
    """The table of words, or None, the part's layers, and whether it is fed from the end."""
    x, layers = piece.y if piece.x is None else piece.x, piece.layers
    one_way = len(layers) == 1 and len(layers[0].directions) == 1
    for table, source in _sources(trace, document, embedding, x):
        for backwards in (False, True) if one_way or len(layers) > 1 else (False,):
            steps = path(source.flip(0) if backwards else source, x, trace)
            if steps is None:
                continue
            if table is not None:
                return through(steps, table), layers, backwards
            fold = affine_of(steps)
            if fold is not None:
                return None, onto_lowest(layers, fold), backwards
            if steps == ():
                return None, layers, backwards
    raise ModelError(
        "The recurrent part must read the words' vectors, or the input, as they are or through "
        "steps of which we have the equations.",
        expected="an embedding's rows, or for vectors linear layers only, before the recurrence",
        got=f"{piece.name!r} reads something else of width {x.shape[1]}",
        fix="hand over the vectors that the recurrent part reads, with recurrent= alone",
    )


def _sources(
    trace: Trace, document: Tensor, embedding: str | None, like: Tensor
) -> Iterator[tuple[Tensor | None, Tensor]]:
    """What the lowest part may read, in the order of the text: (T, width)."""
    if document.ndim == 2:
        yield None, document.to(like.dtype)
        return
    for piece in trace.tables:
        if embedding in (None, piece.name):
            table = piece.table
            if table is not None:
                yield table, table[document].to(like.dtype)


def _pooled(
    top: Tensor, final: Tensor, trace: Trace, parameters: Sequence[Tensor]
) -> Iterator[tuple[str, Attention | None, Steps, Tensor, int]]:
    """Every pooling of the top outputs and of what steps make of them: its name, its attention, the
    steps, its value (1, width) or, for an output at every position, (T, width)."""
    plain = {"last": final, "mean": top.mean(0, keepdim=True), "max": top.amax(0, keepdim=True)}
    for name, value in plain.items():
        yield name, None, (), value, 1
    if len(top) > 1:
        yield "last", None, (), top, len(top)
    for count in (2, 3):
        for names in permutations(POOLINGS, count):
            yield "+".join(names), None, (), torch.cat([plain[n] for n in names], dim=-1), 1
    seen = [node for node in reach(top, trace) if len(node.steps) <= 3]
    for attention in _attentions(top, seen, parameters):
        weights = attention.weights(top[None], final, torch.zeros(1, len(top), dtype=torch.bool))
        yield "attention", attention, (), weights @ top, 1
    for node in seen[1:]:
        if node.last:
            yield "mean", None, node.steps, node.value.mean(0, keepdim=True), 1
            yield "max", None, node.steps, node.value.amax(0, keepdim=True), 1


def _attentions(top: Tensor, seen: list[Node], parameters: Sequence[Tensor]) -> Iterator[Attention]:
    for node in seen:
        if node.value.shape[1] == 1 and isinstance(node.steps[-1], Affine):
            yield Attention(steps=node.steps)
        for vector in parameters:
            if vector.numel() == node.value.shape[1]:
                row = weight_of(vector).reshape(1, -1)
                dot = Affine(weight=row, bias=row.new_zeros(1))
                yield Attention(steps=(*node.steps, dot))
    yield Attention()
    yield Attention(scale=top.shape[1] ** -0.5)


def _readout(node: Node, trace: Trace, name: str | None) -> tuple[Steps, Readout, str] | None:
    """The head, readout and form of the output, where the node's last step is the readout."""
    steps = node.steps
    if not node.last or not isinstance(steps[-1], Affine) or name not in (None, node.last):
        return None
    for output, form in FORMS:
        theirs, ours = trace.output, form(node.value)
        if theirs.numel() == ours.numel() and same(ours, theirs.reshape(ours.shape)):
            return steps[:-1], Readout.of(steps[-1].weight, steps[-1].bias), output
    return None
