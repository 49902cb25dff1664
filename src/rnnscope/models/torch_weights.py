"""The weights of torch's own modules, as our cells, tables and readouts hold them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnnscope.cells import GRU, LSTM, Affine, Cell, Norm, Pointwise, ProjectedLSTM, Vanilla
from rnnscope.errors import ModelError
from rnnscope.models.layers import Direction, Layer, Readout


def one_dtype(*parts: nn.Module | None) -> None:
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


def layers_of(part: nn.Module, starts: Sequence[Tensor] = ()) -> tuple[Layer, ...]:
    """The layers of an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, or the one of a cell.

    Args:
        part: the module.
        starts: the initial state of each direction of each layer, (state_size,), if not zero.

    Raises:
        ModelError: another kind of module.
    """
    if isinstance(part, nn.RNNCellBase):
        return (Layer(directions=(_direction(part, "", False, starts, 0),)),)
    if not isinstance(part, nn.RNNBase):
        raise _unknown(part)
    suffixes = ("", "_reverse") if part.bidirectional else ("",)
    return tuple(
        Layer(
            directions=tuple(
                _direction(part, f"_l{k}{suffix}", bool(suffix), starts, k * len(suffixes) + side)
                for side, suffix in enumerate(suffixes)
            )
        )
        for k in range(part.num_layers)
    )


def _direction(
    part: nn.Module, suffix: str, reverse: bool, starts: Sequence[Tensor], place: int
) -> Direction:
    initial = weight_of(starts[place]) if starts else None
    if initial is not None and not initial.any():
        initial = None
    return Direction(cell=_cell(part, suffix), initial=initial, reverse=reverse)


def _cell(part: nn.Module, suffix: str) -> Cell:
    W = weight_of(getattr(part, f"weight_ih{suffix}"))
    V = weight_of(getattr(part, f"weight_hh{suffix}"))
    if part.bias:
        b = weight_of(getattr(part, f"bias_ih{suffix}"))
        a = weight_of(getattr(part, f"bias_hh{suffix}"))
    else:
        b = a = W.new_zeros(len(W))
    if isinstance(part, nn.GRU | nn.GRUCell):
        n = V.shape[1]
        return GRU(W=W, V=V, b=torch.cat([b[: 2 * n] + a[: 2 * n], b[2 * n :]]), a=a[2 * n :])
    if isinstance(part, nn.LSTM) and part.proj_size:
        return ProjectedLSTM(W=W, V=V, b=b + a, R=weight_of(getattr(part, f"weight_hr{suffix}")))
    if isinstance(part, nn.LSTM | nn.LSTMCell):
        return LSTM(W=W, V=V, b=b + a)
    if isinstance(part, nn.RNN | nn.RNNCell):
        relu = part.nonlinearity == "relu"
        return Vanilla(W=W, V=V, b=b + a, nonlinearity="relu" if relu else "tanh")
    raise _unknown(part)


def _unknown(part: nn.Module) -> ModelError:
    return ModelError(
        "The recurrent part must be one whose equations we know.",
        expected="nn.RNN, nn.GRU or nn.LSTM, or their cells",
        got=type(part).__name__,
        fix="give its step: from_torch(module, step=..., state_size=...)",
    )


POINTWISE_PARTS = (nn.Linear, nn.LayerNorm, nn.BatchNorm1d)
"""The modules that act on one vector at a time and whose weights are read."""


def step_of(part: nn.Module) -> Pointwise | None:
    """A linear layer, layer norm or batch norm (of eval mode) as our step; None where it is none of
    them."""
    if isinstance(part, nn.Linear):
        weight = weight_of(part.weight)
        bias = weight.new_zeros(len(weight)) if part.bias is None else weight_of(part.bias)
        return Affine(weight=weight, bias=bias)
    if isinstance(part, nn.LayerNorm) and len(part.normalized_shape) == 1:
        like = next(part.parameters(), torch.zeros(()))
        one = torch.ones(part.normalized_shape, dtype=like.dtype, device=like.device)
        weight = one if part.weight is None else weight_of(part.weight)
        bias = torch.zeros_like(one) if part.bias is None else weight_of(part.bias)
        return Norm(weight=weight, bias=bias, eps=part.eps)
    if isinstance(part, nn.BatchNorm1d) and part.running_var is not None:
        scale = (weight_of(part.running_var) + part.eps).rsqrt()
        scale = scale if part.weight is None else scale * weight_of(part.weight)
        mean = torch.zeros_like(scale) if part.running_mean is None else part.running_mean
        shift = torch.zeros_like(scale) if part.bias is None else weight_of(part.bias)
        return Affine(weight=torch.diag(scale), bias=shift - scale * weight_of(mean))
    return None


def readout_of(linear: nn.Linear) -> Readout:
    bias = None if linear.bias is None else weight_of(linear.bias)
    return Readout.of(weight_of(linear.weight), bias)


def table_of(table: nn.Embedding) -> nn.Embedding:
    if table.max_norm is not None:
        raise ModelError(
            "An embedding that rescales its own rows while it runs cannot be copied as it is.",
            expected="max_norm=None",
            got=f"max_norm={table.max_norm}",
            fix="apply the norm to the weights once and set max_norm=None",
        )
    return table


def weight_of(parameter: Tensor) -> Tensor:
    """A copy, so that nothing is shared with the user's module; half precision is widened."""
    copy = parameter.detach().clone()
    return copy if copy.dtype in (torch.float32, torch.float64) else copy.float()
