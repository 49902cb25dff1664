"""Reading a module by watching it run: every recurrent part, what it reads, what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.cells import Affine, Autodiff, Vanilla
from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, ModelError, UsageError
from rnnscope.models.certificate import Certificate
from rnnscope.models.certify import certified, in_both_precisions
from rnnscope.models.chain import Chain, above, below
from rnnscope.models.layers import Direction, Layer
from rnnscope.models.model import Model
from rnnscope.models.torch_weights import table_of, weight_of
from rnnscope.models.trace import Trace, traced

TRIED = 3
"""Documents whose run may show the chain; one may hide it, such as a relu that never closes."""

LONGEST = 200
"""Words of a document on which the chain is looked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Named:
    """What the user says of the module; None is found out."""

    embedding: str | None = None
    recurrent: str | None = None
    readout: str | None = None
    pooling: str | None = None
    forward: Callable[[nn.Module, Tensor], Any] | None = None
    vocabulary: Vocabulary | None = None
    classes: tuple[str, ...] = ()
    cell: Autodiff | None = None


def reader_of(module: nn.Module, named: Named, documents: Any) -> Model:
    """A model that only reads documents as the module does: its table of words, or vectors."""
    tables = {n: p for n, p in module.named_modules() if isinstance(p, nn.Embedding)}
    if named.embedding is not None and named.embedding not in tables:
        raise UsageError(
            "The embedding part must be named as in named_modules().",
            expected=", ".join(tables) or "an Embedding, and there is none",
            got=repr(named.embedding),
        )
    if len(tables) > 1 and named.embedding is None:
        raise ModelError(
            "There must be one embedding part, or you say which.",
            expected=f"embedding= one of {', '.join(map(repr, tables))}",
            got=f"{len(tables)} candidates",
        )
    table = tables.get(named.embedding or "", next(iter(tables.values()), None))
    if table is not None:
        embedding = weight_of(table_of(table).weight)
        width = embedding.shape[1]
    else:
        embedding, width = None, _width(module, named, documents)
    dtype = torch.float32 if embedding is None else embedding.dtype
    zero = Vanilla(
        W=torch.zeros(1, width, dtype=dtype),
        V=torch.zeros(1, 1, dtype=dtype),
        b=torch.zeros(1, dtype=dtype),
    )
    return Model(
        layers=(Layer(directions=(Direction(cell=zero),)),),
        embedding=None if embedding is None else embedding.to("cpu"),
        vocabulary=named.vocabulary,
    )


def _width(module: nn.Module, named: Named, documents: Any) -> int:
    for document in documents or ():
        if getattr(document, "ndim", 0) == 2:
            return int(document.shape[1])
    if named.cell is not None:
        return named.cell.input_size
    for part in module.modules():
        if isinstance(part, nn.Linear):
            return part.in_features
        if isinstance(part, nn.RNNBase | nn.RNNCellBase):
            return part.input_size
    raise ModelError("A network needs something that reads its input.", got=type(module).__name__)


def read_traced(
    module: nn.Module,
    named: Named,
    encoded: Sequence[np.ndarray],
    certificate: Certificate,
) -> Model:
    """Read a module from its own runs on documents, and certify the result on all of them.

    Raises:
        ModelError: its forward cannot be run, or does what we have no equations for.
    """
    first = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(()))
    order = sorted(encoded, key=lambda document: -min(len(document), LONGEST))
    failures: list[Exception] = []
    for batch_first in _orders(module, named):
        run = partial(_run, named=named, batch_first=batch_first, device=first.device)
        for document in order[:TRIED]:
            try:
                trace = run(module, document[:LONGEST], first.dtype)
            except Exception as error:
                failures.append(_cannot_run(error, named))
                break
            try:
                model, chain = _read(module, named, trace, document[:LONGEST])
                model = certified(model, chain, module, encoded, certificate, run)
            except ModelError as error:
                failures.append(error)
                continue
            both = in_both_precisions(model, chain, module, encoded, run)
            if model.certificate is None:
                return model
            return replace(model, certificate=replace(model.certificate, precisions=both))
    raise _most_telling(failures)


def with_precisions(
    model: Model, module: nn.Module, stack: nn.RNNBase, encoded: Sequence[np.ndarray], named: Named
) -> Model:
    """The model with the differences in both precisions added to its certificate."""
    if model.certificate is None:
        return model
    certificate = model.certificate
    name = next(name for name, part in module.named_modules() if part is stack)
    chain = Chain(
        table=None,
        layers=model.layers,
        parts=((name, len(model.layers) - 1),),
        pooling=model.pooling,
        output=certificate.output,
    )
    bare = replace(model, readout=None, classes=()) if certificate.logits is None else model
    for batch_first in _orders(module, named):
        run = partial(_run, named=named, batch_first=batch_first, device=model.device)
        both = in_both_precisions(bare, chain, module, encoded, run)
        if both:
            return replace(model, certificate=replace(certificate, precisions=both))
    return model


def _run(
    module: nn.Module,
    document: np.ndarray,
    dtype: torch.dtype,
    *,
    named: Named,
    batch_first: bool,
    device: torch.device,
) -> Trace:
    return traced(
        module,
        document,
        batch_first=batch_first,
        forward=named.forward,
        dtype=dtype,
        device=device,
    )


def _read(
    module: nn.Module, named: Named, trace: Trace, document: np.ndarray
) -> tuple[Model, Chain]:
    if named.cell is None:
        chain = below(trace, torch.as_tensor(document), named.embedding, named.recurrent)
    else:
        chain = _around(named.cell, trace, named)
    record = {"source": f"torch module {type(module).__name__}"}
    bare = Model(
        layers=chain.layers,
        embedding=chain.table,
        vocabulary=named.vocabulary if chain.table is not None else None,
        record=record,
    )
    run = bare.trajectory([document]).layers[-1]
    top = torch.cat([one.outputs for one in run], dim=-1)[0].to(trace.output.dtype)
    final = torch.cat([one.direction.cell.output(one.final) for one in run], dim=-1)
    final = final.to(trace.output.dtype)
    called = [piece for piece in trace.steps if isinstance(piece.step, Affine)]
    if called or named.pooling is not None:
        own = [p for p in module.parameters() if p.numel() > 1 and 1 in (p.ndim, *p.shape)]
        chain = above(chain, trace, top, final, own, pooling=named.pooling, readout=named.readout)
    model = replace(
        bare,
        layers=chain.layers,
        pooling=chain.pooling,
        attention=chain.attention,
        head=chain.head,
        readout=chain.readout,
        classes=named.classes,
    )
    return model, chain


def _around(cell: Autodiff, trace: Trace, named: Named) -> Chain:
    """The chain below a step given as a callable, which no run shows."""
    tables = trace.tables
    table = tables[0].table if tables else None
    layer = Layer(directions=(Direction(cell=cell),))
    return Chain(table=table, layers=(layer,), parts=())


def _orders(module: nn.Module, named: Named) -> tuple[bool, ...]:
    if named.forward is not None:
        return (True,) if not _time_major(module) else (False,)
    return (False, True) if _time_major(module) else (True, False)


def _time_major(module: nn.Module) -> bool:
    parts = [part for part in module.modules() if isinstance(part, nn.RNNBase)]
    return bool(parts) and not parts[0].batch_first


def _cannot_run(error: Exception, named: Named) -> ModelError:
    return ModelError(
        "The forward given must run the module on a batch of one and return a tensor."
        if named.forward
        else "The module's own forward must run on a batch of one document.",
        expected="forward(module, batch) -> logits",
        got=f"{type(error).__name__}: {error}",
        fix="say how to call it: forward=lambda module, batch: module(batch, ...)",
    )


def _most_telling(failures: list[Exception]) -> Exception:
    """A difference that was measured says more than a structure that was not found, and that more
    than a forward that did not run."""
    ranks = ("Our equations must", "A network's initial", "The module's output", "The recurrent")
    for start in ranks:
        for failure in failures:
            if str(failure).startswith(start):
                return failure
    return failures[0] if failures else DataError("A certificate needs documents.", got="none")
