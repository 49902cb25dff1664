"""The order in which each framework stacks its gates, and the cells that come out of it.

framework    LSTM          GRU            bias                            GRU reset
torch        i f g o       r z n          two, one of W x, one of V h     after the product
keras        i f c o       z r h          one, or (2, 3n) of the GRU      option reset_after
onnx         i o f c       z r h          two                             linear_before_reset
flax         named         named          of V h (LSTM), of W x and n     after the product
equinox      i f g o       r z n          one, and bias_n                 after the product
tensorflow   i j f o       r u | c        one; forget_bias at run time    before the product
renn         named         named          one; forget_bias, gate_bias     before the product

(TensorFlow 1: BasicLSTMCell, LSTMCell, GRUCell; renn: Maheswaranathan et al. 2019's own code.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.cells import GRU, LSTM, UGRNN, Cell, ProjectedLSTM, ResetFirstGRU, Vanilla
from rnnscope.errors import ModelError

OURS = {"vanilla": ("h",), "ugrnn": ("u", "g"), "gru": ("r", "z", "n"), "lstm": tuple("ifgo")}

ORDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "torch": {"lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")},
    "equinox": {"lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")},
    "keras": {"lstm": ("i", "f", "g", "o"), "gru": ("z", "r", "n")},
    "onnx": {"lstm": ("i", "o", "f", "g"), "gru": ("z", "r", "n")},
    "tensorflow": {"lstm": ("i", "g", "f", "o"), "gru": ("r", "z", "n")},
}
"""Framework -> architecture -> our gates in the order in which it stacks them."""


@dataclass(frozen=True, kw_only=True)
class Convention:
    """What a framework does at run time that its weights do not show.

    Args:
        forget_bias: added to the LSTM's forget gate; TensorFlow's BasicLSTMCell and renn: 1.
        gate_bias: added to the update gate of renn's GRU and UGRNN.
        reset_first: the GRU's reset gate acts before the recurrent product, where the weights do
            not tell; None for the framework's own way.
        nonlinearity: of a vanilla RNN.
    """

    forget_bias: float = 0.0
    gate_bias: float = 0.0
    reset_first: bool | None = None
    nonlinearity: str = "tanh"


def cell_of(
    kind: str,
    order: Sequence[str],
    W: Tensor,
    V: Tensor,
    b: Tensor | None = None,
    a: Tensor | None = None,
    R: Tensor | None = None,
    *,
    reset_first: bool = False,
    convention: Convention = Convention(),
) -> Cell:
    """A cell from weights stacked in a framework's own order.

    Args:
        kind: "vanilla", "ugrnn", "gru" or "lstm".
        order: our names of the gates, as they are stacked.
        W: (gates n, d). V: (gates n, n). b: (gates n,), of W x. a: (gates n,), of V h.
        R: (p, n), of a projected LSTM.
        reset_first: whether the GRU's reset gate acts before the recurrent product.
        convention: what is added at run time.

    Raises:
        ModelError: shapes that do not fit.
    """
    ours = OURS[kind]
    rows = W.shape[0] // len(ours) if W.ndim == 2 else 0
    for name, weight in (("input", W), ("recurrent", V), ("bias", b), ("bias", a)):
        if weight is not None and (not rows or weight.shape[0] != rows * len(ours)):
            raise ModelError(
                f"The {name} weights of a {kind} hold {len(ours)} gates.",
                expected=f"{rows * len(ours)} rows",
                got=f"shape {tuple(weight.shape)}",
            )

    def arranged(weight: Tensor) -> Tensor:
        parts = dict(zip(order, weight.split(rows), strict=True))
        return torch.cat([parts[gate] for gate in ours]).contiguous()

    W, V = arranged(W), arranged(V)
    b = W.new_zeros(len(W)) if b is None else arranged(b)
    a = W.new_zeros(len(W)) if a is None else arranged(a)
    if kind == "gru":
        if convention.gate_bias:
            b = b.clone()
            b[rows : 2 * rows] += convention.gate_bias
        if reset_first:
            return ResetFirstGRU(W=W, V=V, b=b + a)
        k = 2 * rows
        return GRU(W=W, V=V, b=torch.cat([b[:k] + a[:k], b[k:]]), a=a[k:].clone())
    total = b + a
    if kind == "lstm":
        if convention.forget_bias:
            total[rows : 2 * rows] += convention.forget_bias
        if R is not None:
            return ProjectedLSTM(W=W, V=V, b=total, R=R)
        return LSTM(W=W, V=V, b=total)
    if kind == "ugrnn":
        total[:rows] += convention.gate_bias
        return UGRNN(W=W, V=V, b=total)
    return Vanilla(W=W, V=V, b=total, nonlinearity=convention.nonlinearity)  # type: ignore[arg-type]
