"""Read a network from an ordinary torch module, and certify that our equations are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.cells import GRU, LSTM, Cell, ProjectedLSTM, Vanilla
from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, ModelError, UsageError
from rnnscope.models.certificate import Certificate
from rnnscope.models.layers import Direction, Layer, Readout
from rnnscope.models.model import Model
from rnnscope.models.parity import TOLERANCE, certify_logits, states_difference
from rnnscope.models.trajectory import POOLINGS, Pooling

Part = TypeVar("Part", bound=nn.Module)


def from_torch(
    module: nn.Module,
    *,
    vocabulary: Vocabulary | Sequence[str] | Mapping[str, int] | None = None,
    pooling: Pooling | None = None,
    classes: Sequence[str] = (),
    documents: Iterable[Any] | None = None,
    embedding: str | None = None,
    recurrent: str | None = None,
    readout: str | None = None,
    forward: Callable[[nn.Module, Tensor], Any] | None = None,
    tolerance: float | None = None,
) -> Model:
    """Read an embedding, a recurrent stack and a linear readout out of a torch module.

    The weights are copied and the module is left as it was. Then the module itself and our
    equations are run on the same documents, one at a time, and the largest difference is stored
    as ``model.certificate``; above the tolerance nothing is returned.

    Args:
        module: holds one ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` (several layers, either
            ``batch_first``, one or two directions, with or without ``proj_size``), at most one
            ``nn.Embedding`` and one ``nn.Linear`` readout; or is a bare recurrent module.
        vocabulary: word k is row k of the embedding; a list, or a mapping from word to row.
        pooling: what the readout sees: "last", "mean" or "max"; found by trying when None.
        classes: the names of the classes; numbers when empty.
        documents: what to certify on: your own texts, token lists, index or vector arrays;
            random ones when None.
        embedding, recurrent, readout: names of the parts (as in ``named_modules``) where the
            module has several.
        forward: how to call the module on a batch of one, if not ``module(batch)``.
        tolerance: largest accepted difference relative to max(1, largest value); by default
            1e-10 in float64, 1e-4 in float32, 1e-2 in float16 and 1e-1 in bfloat16.

    Raises:
        ModelError: no recurrent part, several candidates, an option we have no equations for, or
            a difference above the tolerance (the message says where).
    """
    if not isinstance(module, nn.Module):
        raise ModelError(
            "A network is read from a torch module.",
            expected="an instance of torch.nn.Module",
            got=type(module).__name__,
            fix="create it: from_torch(MyModel())" if isinstance(module, type) else "",
        )
    if pooling is not None and pooling not in POOLINGS:
        raise UsageError(
            "The pooling must be known.",
            expected=" or ".join(map(repr, POOLINGS)),
            got=repr(pooling),
        )
    stack = _part(module, nn.RNNBase, recurrent, "recurrent", needed=True)
    table = _part(module, nn.Embedding, embedding, "embedding")
    linear = _part(module, nn.Linear, readout, "readout")
    _one_dtype(stack, table, linear)
    if tolerance is not None and not (isinstance(tolerance, int | float) and tolerance >= 0):
        raise UsageError(
            "The tolerance is a number no less than zero.", expected=">= 0", got=repr(tolerance)
        )
    if classes is None or isinstance(classes, str) or len(set(classes)) != len(classes):
        raise UsageError(
            "The classes are a list of different names.",
            expected="one name per logit, or an empty list for numbers",
            got=repr(classes),
        )
    model = Model(
        layers=_layers(stack),
        embedding=None if table is None else _weight(_plain(table).weight),
        vocabulary=None if vocabulary is None else Vocabulary.of(vocabulary),
        readout=None if linear is None else _readout(linear),
        pooling=pooling or "last",
        classes=tuple(str(name) for name in classes),
        record={"source": f"torch module {type(module).__name__}"},
    )
    given = documents is not None
    encoded = model.encode(documents) if given else _random_documents(model, table)
    if not encoded:
        raise DataError(
            "A certificate needs documents to compare on.",
            expected="at least one document, or documents=None for random ones",
            got="an empty list",
        )
    allowed = TOLERANCE[next(stack.parameters()).dtype] if tolerance is None else tolerance
    certificate = Certificate(
        states=states_difference(model, stack, encoded, allowed),
        logits=None,
        documents=len(encoded),
        words=sum(map(len, encoded)),
        tolerance=allowed,
        data="yours" if given else "random",
    )
    if model.readout is None or module is stack:
        return replace(model, certificate=certificate)
    return certify_logits(model, module, stack, encoded, certificate, pooling, forward)


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


def _one_dtype(*parts: nn.Module | None) -> None:
    """Refuse a module that computes in several dtypes, or whose weights are not there yet."""
    weights = [w for part in parts if part is not None for w in part.parameters()]
    if any(nn.parameter.is_lazy(w) or w.is_meta for w in weights):
        raise ModelError(
            "The weights must be there to be read.",
            expected="a module that has been run or loaded once",
            got="weights without values (lazy, or on the meta device)",
        )
    dtypes = {w.dtype for w in weights}
    if len(dtypes) > 1:
        raise ModelError(
            "Embedding, recurrent part and readout must share one dtype.",
            expected="one floating point dtype",
            got=", ".join(sorted(map(str, dtypes))),
            fix="convert the module: module.float() or module.double()",
        )


def _layers(stack: nn.RNNBase) -> tuple[Layer, ...]:
    suffixes = ("", "_reverse") if stack.bidirectional else ("",)
    return tuple(
        Layer(
            directions=tuple(
                Direction(cell=_cell(stack, f"l{k}{suffix}"), reverse=bool(suffix))
                for suffix in suffixes
            )
        )
        for k in range(stack.num_layers)
    )


def _cell(stack: nn.RNNBase, suffix: str) -> Cell:
    W = _weight(getattr(stack, f"weight_ih_{suffix}"))
    V = _weight(getattr(stack, f"weight_hh_{suffix}"))
    if stack.bias:
        b = _weight(getattr(stack, f"bias_ih_{suffix}"))
        a = _weight(getattr(stack, f"bias_hh_{suffix}"))
    else:
        b = a = W.new_zeros(len(W))
    if isinstance(stack, nn.GRU):
        n = V.shape[1]
        return GRU(W=W, V=V, b=torch.cat([b[: 2 * n] + a[: 2 * n], b[2 * n :]]), a=a[2 * n :])
    if isinstance(stack, nn.LSTM) and stack.proj_size:
        return ProjectedLSTM(W=W, V=V, b=b + a, R=_weight(getattr(stack, f"weight_hr_{suffix}")))
    if isinstance(stack, nn.LSTM):
        return LSTM(W=W, V=V, b=b + a)
    if isinstance(stack, nn.RNN):
        return Vanilla(W=W, V=V, b=b + a, nonlinearity="relu" if _is_relu(stack) else "tanh")
    raise ModelError(
        "The recurrent part must be one whose equations we know.",
        expected="nn.RNN, nn.GRU or nn.LSTM",
        got=type(stack).__name__,
    )


def _is_relu(stack: nn.RNN) -> bool:
    return stack.nonlinearity == "relu"


def _readout(linear: nn.Linear) -> Readout:
    return Readout.of(_weight(linear.weight), None if linear.bias is None else _weight(linear.bias))


def _plain(table: nn.Embedding) -> nn.Embedding:
    if table.max_norm is not None:
        raise ModelError(
            "An embedding that rescales its own rows while it runs cannot be copied as it is.",
            expected="max_norm=None",
            got=f"max_norm={table.max_norm}",
            fix="apply the norm to the weights once and set max_norm=None",
        )
    return table


def _weight(parameter: Tensor) -> Tensor:
    """A copy, so that nothing is shared with the user's module; half precision is widened."""
    copy = parameter.detach().clone()
    return copy if copy.dtype in (torch.float32, torch.float64) else copy.float()


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
