"""Read a network from an ordinary torch module, and certify that our equations are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.cells import Autodiff
from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, ModelError, RnnscopeError, UsageError
from rnnscope.models.certificate import Certificate
from rnnscope.models.model import Model
from rnnscope.models.parity import TOLERANCE, certify_logits, states_difference
from rnnscope.models.torch_weights import layers_of, one_dtype, readout_of, table_of, weight_of
from rnnscope.models.traced import Named, read_traced, reader_of, with_precisions
from rnnscope.models.trajectory import POOLINGS
from rnnscope.models.undisturbed import undisturbed
from rnnscope.progress import showing

Part = TypeVar("Part", bound=nn.Module)


def from_torch(
    module: nn.Module,
    *,
    vocabulary: Vocabulary | Sequence[str] | Mapping[str, int] | None = None,
    pooling: str | None = None,
    classes: Sequence[str] = (),
    documents: Iterable[Any] | None = None,
    embedding: str | None = None,
    recurrent: str | None = None,
    readout: str | None = None,
    forward: Callable[[nn.Module, Tensor], Any] | None = None,
    step: Callable[[Tensor, Tensor], Tensor] | None = None,
    state_size: int | None = None,
    output_size: int | None = None,
    tolerance: float | None = None,
    progress: bool = False,
) -> Model:
    """Read an embedding, a recurrent stack and a readout out of a torch module.

    The weights are copied and the module is left as it was. Then the module itself and our
    equations are run on the same documents, one at a time, and the largest differences of states
    and logits are stored as ``model.certificate``, in its own dtype and in float32 and float64;
    above the tolerance nothing is returned.

    Where the module holds one recurrent part, at most one embedding and one linear layer, they are
    these. Anything richer is found by watching the module run: several recurrent parts one above
    the other, their cells in a loop, learned initial states, linear layers, layer norms, batch
    norms and activations before, between and after, attention, and poolings side by side.

    Args:
        module: holds ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` parts (several layers, either
            ``batch_first``, one or two directions, with or without ``proj_size``) or their cells,
            at most one ``nn.Embedding``; or is a bare recurrent module.
        vocabulary: word k is row k of the embedding; a list, or a mapping from word to row.
        pooling: what the readout sees: "last", "mean", "max", "attention", or several joined as in
            "last+max"; found by trying when None.
        classes: the names of the classes; numbers when empty.
        documents: what to certify on: your own texts, token lists, index or vector arrays;
            random ones when None.
        embedding, recurrent, readout: names of the parts (as in ``named_modules``) where the
            module has several.
        forward: how to call the module on a batch of one, if not ``module(batch)``.
        step: ``step(x, h) -> h'`` of a recurrence of your own, batched over rows and
            differentiable; with ``state_size``, the width of h. It is called, not copied.
        state_size: the width of the state of ``step``.
        output_size: how many numbers of that state, from the first on, are read by what follows.
        tolerance: largest accepted difference relative to max(1, largest value); by default
            1e-10 in float64, 1e-4 in float32, 1e-2 in float16 and 1e-1 in bfloat16.
        progress: show a bar on standard error while documents are compared.

    Raises:
        ModelError: no recurrent part, several candidates, an option we have no equations for, or
            a difference above the tolerance (the message says where: document, layer, step, gate).
    """
    if not isinstance(module, nn.Module):
        raise ModelError(
            "A network is read from a torch module.",
            expected="an instance of torch.nn.Module",
            got=type(module).__name__,
            fix="create it: from_torch(MyModel())" if isinstance(module, type) else "",
        )
    _check_options(pooling, tolerance, classes)
    words = None if vocabulary is None else Vocabulary.of(vocabulary)
    named = Named(
        embedding=embedding,
        recurrent=recurrent,
        readout=readout,
        pooling=pooling,
        forward=forward,
        vocabulary=words,
        classes=tuple(str(name) for name in classes),
        cell=None if step is None else _own_step(module, step, state_size, output_size),
    )
    given = None if documents is None else _listed(documents)
    with showing(progress):
        if step is not None or pooling not in (None, *POOLINGS):
            return _traced(module, named, given, tolerance)
        return _read(module, named, given, tolerance)


def _read(module: nn.Module, named: Named, given: list[Any] | None, tolerance: float | None):
    """The plain reading, or, where watching the module run may show more, that."""
    try:
        return _plain(module, named, given, tolerance)
    except RnnscopeError as error:
        if not error.rule.startswith(TRACE_HELPS):
            raise
        failure = error
    try:
        return _traced(module, named, given, tolerance)
    except RnnscopeError as error:
        raise (error if error.rule.startswith(SAYS_MORE) else failure) from None


TRACE_HELPS = (
    "There must be one recurrent",
    "There must be one embedding",
    "There must be one readout",
    "A network needs a recurrent part",
    "Our equations must give the logits",
    "The recurrent part must be one whose",
    "The readout must fit",
    "Layer 0 must read",
    "A sequence of vectors must",
    "Where the module's own",
)
"""Where the plain reading fails so, watching the module run may show more."""

SAYS_MORE = (
    "Our equations must",
    "A network's initial state",
    "Several recurrent",
    "Steps that join",
    "There must be one class",
    "Word k of the vocabulary",
    "Every weight",
)
"""The failures of the watched reading that say more than the plain one's."""


def _plain(module: nn.Module, named: Named, given: list[Any] | None, tolerance: float | None):
    """The model of a module with one recurrent part, at most one embedding and one linear layer."""
    stack = _part(module, nn.RNNBase, named.recurrent, "recurrent", needed=True)
    table = _part(module, nn.Embedding, named.embedding, "embedding")
    linear = _part(module, nn.Linear, named.readout, "readout")
    one_dtype(stack, table, linear)
    model = Model(
        layers=layers_of(stack),
        embedding=None if table is None else weight_of(table_of(table).weight),
        vocabulary=named.vocabulary,
        readout=None if linear is None else readout_of(linear),
        pooling=named.pooling or "last",
        classes=named.classes,
        record={"source": f"torch module {type(module).__name__}"},
    )
    encoded = _encoded(model, given, table)
    allowed = TOLERANCE[next(stack.parameters()).dtype] if tolerance is None else tolerance
    certificate = Certificate(
        states=states_difference(model, stack, encoded, allowed),
        logits=None,
        documents=len(encoded),
        words=sum(map(len, encoded)),
        tolerance=allowed,
        data="random" if given is None else "yours",
    )
    if model.readout is None or module is stack:
        model = replace(model, certificate=certificate)
    else:
        model = certify_logits(
            model, module, stack, encoded, certificate, named.pooling, named.forward
        )
    return with_precisions(model, module, stack, encoded, named)


def _traced(module: nn.Module, named: Named, given: list[Any] | None, tolerance: float | None):
    """The model of any module whose run shows what it does."""
    one_dtype(module)
    reader = reader_of(module, named, given)
    table = next((p for p in module.modules() if isinstance(p, nn.Embedding)), None)
    encoded = _encoded(reader, given, table)
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    certificate = Certificate(
        states=None,
        logits=None,
        documents=len(encoded),
        words=sum(map(len, encoded)),
        tolerance=TOLERANCE.get(dtype, 1e-4) if tolerance is None else tolerance,
        data="random" if given is None else "yours",
    )
    return read_traced(module, named, encoded, certificate)


def _encoded(model: Model, given: list[Any] | None, table: nn.Embedding | None):
    encoded = _random_documents(model, table) if given is None else model.encode(given)
    if not encoded:
        raise DataError(
            "A certificate needs documents to compare on.",
            expected="at least one document, or documents=None for random ones",
            got="an empty list",
        )
    return encoded


def _listed(documents: Any) -> Any:
    """Documents that may be an iterator, looked at more than once."""
    return list(documents) if isinstance(documents, Iterator) else documents


def _own_step(
    module: nn.Module,
    step: Callable[[Tensor, Tensor], Tensor],
    state_size: int | None,
    output_size: int | None,
) -> Autodiff:
    if state_size is None:
        raise UsageError(
            "A step of your own comes with the width of its state.",
            expected="state_size=, a whole number",
            got="none",
        )
    like = next((p.detach() for p in module.parameters() if p.is_floating_point()), None)
    table = next((p for p in module.modules() if isinstance(p, nn.Embedding)), None)
    widths = [table.embedding_dim] if table is not None else []
    widths += [p.in_features for p in module.modules() if isinstance(p, nn.Linear)]
    widths += [p.shape[-1] for p in module.parameters() if p.ndim == 2]
    failure: Exception = ModelError("A step needs an input.", got="a module without weights")
    like = None if like is None else like.new_zeros(())
    with undisturbed(module):
        for width in dict.fromkeys(widths):
            try:
                return Autodiff(
                    function=step, inputs=width, states=state_size, like=like, outputs=output_size
                )
            except ModelError:
                raise
            except Exception as error:
                failure = error
    raise ModelError(
        "The step must run on a batch of inputs and states.",
        expected=f"step(x, h) -> h' with h (batch, {state_size})",
        got=f"{type(failure).__name__}: {failure}",
    ) from failure


def _check_options(pooling: Any, tolerance: Any, classes: Any) -> None:
    known = (*POOLINGS, "attention")
    parts = pooling.split("+") if isinstance(pooling, str) else [pooling]
    if pooling is not None and any(part not in known for part in parts):
        raise UsageError(
            "The pooling must be known.",
            expected=" or ".join(map(repr, known)),
            got=repr(pooling),
        )
    if tolerance is not None and not (isinstance(tolerance, int | float) and tolerance >= 0):
        raise UsageError(
            "The tolerance is a number no less than zero.", expected=">= 0", got=repr(tolerance)
        )
    if classes is None or isinstance(classes, str) or len(set(map(str, classes))) != len(classes):
        raise UsageError(
            "The classes are a list of different names.",
            expected="one name per logit, or an empty list for numbers",
            got=repr(classes),
        )


def _part(
    module: nn.Module, kind: type[Part], name: str | None, role: str, *, needed: bool = False
) -> Any:
    """The one submodule of a kind, or the one the user names."""
    candidates = {n: part for n, part in module.named_modules() if isinstance(part, kind)}
    if name is not None:
        if name not in candidates:
            raise UsageError(
                f"The {role} part must be named as in named_modules().",
                expected=", ".join(candidates) or f"a {kind.__name__}, and there is none",
                got=repr(name),
            )
        return candidates[name]
    if len(candidates) > 1:
        raise ModelError(
            f"There must be one {role} part, or you say which.",
            expected=f"{role}= one of {', '.join(map(repr, candidates))}",
            got=f"{len(candidates)} candidates",
            fix="if the network needs several of them, it is not yet one we have equations for",
        )
    if needed and not candidates:
        inside = sorted({type(part).__name__ for part in module.modules()})
        raise ModelError(
            "A network needs a recurrent part.",
            expected="an nn.RNN, nn.GRU or nn.LSTM inside the module",
            got=", ".join(inside[:8]),
            fix="for any other recurrence use rnnscope.Autodiff with its step",
        )
    return next(iter(candidates.values()), None)


def _random_documents(model: Model, table: nn.Embedding | None) -> list[np.ndarray]:
    """Documents of several lengths without the padding word, which a module may take for none."""
    rng = np.random.default_rng(0)
    lengths = (1, 2, 3, 5, 8, 13, 21, 34)
    if model.embedding is None:
        return [rng.normal(size=(length, model.input_size)) for length in lengths]
    rows = np.arange(len(model.embedding))
    padding = {None if table is None else table.padding_idx}
    if model.vocabulary is not None and model.vocabulary.padding is not None:
        padding.add(model.vocabulary.index(model.vocabulary.padding))
    usable = np.array([row for row in rows if row not in padding])
    if not len(usable):
        usable = rows
    return [rng.choice(usable, size=length) for length in lengths]
