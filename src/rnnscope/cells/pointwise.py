"""What networks do to one vector at a time, between their layers and before their readout.

affine  y = W x + b
norm    y = w * (x - mean(x)) / sqrt(var(x) + eps) + b     (Ba, Kiros & Hinton 2016)
phi     y = phi(x), one number at a time
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional

from rnnscope.errors import ModelError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "elu": functional.elu,
    "leaky_relu": functional.leaky_relu,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
}
"""The functions of one number that a head may hold, as torch defines them by default."""


class Pointwise(ABC):
    """A function of one vector, (..., width) -> (..., width'), the same at every position."""

    kind: ClassVar[str]

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """The function's value at each row."""

    @abstractmethod
    def width(self, width: int) -> int:
        """The width that it gives to vectors this wide.

        Raises:
            ModelError: it does not take vectors this wide.
        """

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The weights by name."""
        return {}

    @property
    def options(self) -> dict[str, Any]:
        """What else it is made of, JSON-safe."""
        return {}

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """This with ``function`` applied to each weight."""
        changed: Any = {name: function(weight) for name, weight in self.parameters.items()}
        return replace(self, **changed) if changed else self  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine(Pointwise):
    """``W x + b``: ``weight`` (out, in), ``bias`` (out,)."""

    weight: Tensor
    bias: Tensor

    kind: ClassVar[str] = "affine"

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or tuple(self.bias.shape) != (self.weight.shape[0],):
            raise ModelError(
                "A linear layer is a matrix and a bias of one number per output.",
                expected="weight (out, in), bias (out,)",
                got=f"weight {tuple(self.weight.shape)}, bias {tuple(self.bias.shape)}",
            )

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.weight.mT + self.bias

    def width(self, width: int) -> int:
        _must_be(self.weight.shape[1], width, "linear layer")
        return self.weight.shape[0]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {"weight": self.weight, "bias": self.bias}


@dataclass(frozen=True, kw_only=True, eq=False)
class Norm(Pointwise):
    """Layer normalization over the width: ``weight`` and ``bias`` (width,)."""

    weight: Tensor
    bias: Tensor
    eps: float = 1e-5

    kind: ClassVar[str] = "norm"

    def __call__(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)

    def width(self, width: int) -> int:
        _must_be(len(self.weight), width, "layer norm")
        return width

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {"weight": self.weight, "bias": self.bias}

    @property
    def options(self) -> dict[str, Any]:
        return {"eps": self.eps}


@dataclass(frozen=True, kw_only=True, eq=False)
class Activation(Pointwise):
    """A function of one number, by name; see ``ACTIVATIONS``."""

    name: str

    kind: ClassVar[str] = "activation"

    def __post_init__(self) -> None:
        if self.name not in ACTIVATIONS:
            raise ModelError(
                "An activation must be one we know.",
                expected=", ".join(ACTIVATIONS),
                got=repr(self.name),
            )

    def __call__(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.name](x)

    def width(self, width: int) -> int:
        return width

    @property
    def options(self) -> dict[str, Any]:
        return {"name": self.name}


POINTWISE: dict[str, type[Pointwise]] = {one.kind: one for one in (Affine, Norm, Activation)}
"""By the name that files use."""

Steps = tuple[Pointwise, ...]


def through(steps: Sequence[Pointwise], x: Tensor) -> Tensor:
    """``x`` after all the steps, in their order."""
    for step in steps:
        x = step(x)
    return x


def width_after(steps: Sequence[Pointwise], width: int) -> int:
    """The width of vectors this wide after all the steps."""
    for step in steps:
        width = step.width(width)
    return width


def affine_of(steps: Sequence[Pointwise]) -> Affine | None:
    """The one affine map that affine steps are together; None where they are more than that."""
    one: Affine | None = None
    for step in steps:
        if not isinstance(step, Affine):
            return None
        one = step if one is None else _after(step, one)
    return one


def _after(second: Affine, first: Affine) -> Affine:
    """Composed in float64, so that folding costs one rounding of each weight."""
    wide = [w.to(torch.float64) for w in (second.weight, first.weight, first.bias, second.bias)]
    weight, bias = wide[0] @ wide[1], wide[0] @ wide[2] + wide[3]
    dtype = first.weight.dtype
    return Affine(weight=weight.to(dtype), bias=bias.to(dtype))


def _must_be(expected: int, got: int, what: str) -> None:
    if expected != got:
        raise ModelError(
            f"A {what} must fit what it reads.", expected=f"width {expected}", got=f"{got}"
        )
