"""ONNX's operations on plain arrays; each result is weighed before it is made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rnnscope.errors import ModelError

ENTRIES = 50_000_000
"""The most numbers that one result may hold."""


def _weighed(shape: Any) -> tuple[int, ...]:
    found = tuple(int(n) for n in shape)
    if math.prod(max(n, 1) for n in found) > ENTRIES:
        raise ModelError("A result must be of a bounded size.", got=f"shape {found}")
    return found


def _axes(given: list[Any], attributes: Any) -> tuple[int, ...] | None:
    axes = given[1] if len(given) > 1 and given[1] is not None else attributes.get("axes")
    return None if axes is None else tuple(int(a) for a in np.atleast_1d(axes))


def _reshape(given: list[Any], attributes: Any) -> Any:
    shape = [int(n) for n in given[1]]
    if not attributes.get("allowzero", 0):
        shape = [given[0].shape[k] if n == 0 else n for k, n in enumerate(shape)]
    return given[0].reshape(shape)


def _unsqueeze(given: list[Any], attributes: Any) -> Any:
    value = given[0]
    axes = _axes(given, attributes) or ()
    rank = np.ndim(value) + len(axes)
    for axis in sorted(a % rank for a in axes):
        value = np.expand_dims(value, axis)
    return value


def _slice(given: list[Any], attributes: Any) -> Any:
    if len(given) < 3:
        starts, ends = attributes["starts"], attributes["ends"]
        axes, steps = attributes.get("axes"), None
    else:
        starts, ends = given[1], given[2]
        axes = given[3] if len(given) > 3 else None
        steps = given[4] if len(given) > 4 else None
    axes = range(len(starts)) if axes is None else [int(a) for a in axes]
    steps = [1] * len(starts) if steps is None else [int(s) for s in steps]
    cut = [slice(None)] * given[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        stop = None if step < 0 and int(end) < -given[0].shape[axis] else int(end)
        cut[axis] = slice(int(start), stop, step)
    return given[0][tuple(cut)]


def _expand(given: list[Any], attributes: Any) -> Any:
    shape = _weighed(np.broadcast_shapes(given[0].shape, tuple(int(n) for n in given[1])))
    return np.broadcast_to(given[0], shape).copy()


def _filled(given: list[Any], attributes: Any) -> Any:
    value = attributes.get("value", np.zeros(1, np.float32))
    return np.full(_weighed(given[0]), value.reshape(-1)[0])


def _reduce(function: Callable[..., Any]) -> Callable[[list[Any], Any], Any]:
    def reduce(given: list[Any], attributes: Any) -> Any:
        keep = bool(attributes.get("keepdims", 1))
        return function(given[0], axis=_axes(given, attributes), keepdims=keep)

    return reduce


def _matmul(given: list[Any], attributes: Any) -> Any:
    a, b = given[:2]
    if a.ndim > 1 and b.ndim > 1:
        _weighed((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]))
    return np.matmul(a, b)


def _gemm(given: list[Any], attributes: Any) -> Any:
    a = given[0].T if attributes.get("transA", 0) else given[0]
    b = given[1].T if attributes.get("transB", 0) else given[1]
    result = np.float64(attributes.get("alpha", 1.0)).astype(a.dtype) * (a @ b)
    if len(given) > 2 and given[2] is not None:
        result = result + np.float64(attributes.get("beta", 1.0)).astype(a.dtype) * given[2]
    return result


def _torch(function: Callable[[Tensor], Tensor]) -> Callable[[list[Any], Any], Any]:
    def apply(given: list[Any], attributes: Any) -> Any:
        return function(torch.from_numpy(np.array(given[0]))).numpy()

    return apply


def _softmax(function: Callable[..., Tensor]) -> Callable[[list[Any], Any], Any]:
    def apply(given: list[Any], attributes: Any) -> Any:
        axis = int(attributes.get("axis", -1))
        return function(torch.from_numpy(np.array(given[0])), dim=axis).numpy()

    return apply


def _layer_norm(given: list[Any], attributes: Any) -> Any:
    x, weight = (torch.from_numpy(np.array(v)) for v in given[:2])
    bias = torch.from_numpy(np.array(given[2])) if len(given) > 2 else None
    eps = float(attributes.get("epsilon", 1e-5))
    return functional.layer_norm(x, weight.shape, weight, bias, eps).numpy()


def _cast(given: list[Any], attributes: Any) -> Any:
    kinds = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 11: np.float64}
    return np.asarray(given[0]).astype(kinds[attributes["to"]])


def _transpose(given: list[Any], attributes: Any) -> Any:
    return np.transpose(given[0], attributes.get("perm"))


def _constant(given: list[Any], attributes: Any) -> Any:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in attributes:
            value = np.asarray(attributes[name])
            return value.astype(np.float32) if "float" in name else value
    raise ModelError("A constant must be numbers.", got=", ".join(attributes))


def _split(given: list[Any], attributes: Any) -> Any:
    axis = int(attributes.get("axis", 0))
    sizes = given[1] if len(given) > 1 else attributes.get("split")
    count = int(attributes.get("num_outputs", 2))
    if sizes is None:
        return tuple(np.array_split(given[0], count, axis=axis))
    return tuple(np.split(given[0], np.cumsum(np.asarray(sizes))[:-1], axis=axis))


OPERATIONS: dict[str, Callable[[list[Any], Any], Any]] = {
    "Identity": lambda g, a: g[0],
    "Dropout": lambda g, a: g[0],
    "Cast": _cast,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Shape": lambda g, a: np.array(g[0].shape, dtype=np.int64)[a.get("start", 0) : a.get("end")],
    "Gather": lambda g, a: np.take(g[0], g[1], axis=a.get("axis", 0)),
    "Transpose": _transpose,
    "Squeeze": lambda g, a: np.squeeze(g[0], _axes(g, a)),
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Flatten": lambda g, a: g[0].reshape(math.prod(g[0].shape[: a.get("axis", 1)]), -1),
    "Concat": lambda g, a: np.concatenate(g, axis=a["axis"]),
    "Slice": _slice,
    "Expand": _expand,
    "Split": _split,
    "Add": lambda g, a: g[0] + g[1],
    "Sub": lambda g, a: g[0] - g[1],
    "Mul": lambda g, a: g[0] * g[1],
    "Div": lambda g, a: g[0] // g[1] if g[0].dtype.kind == "i" else g[0] / g[1],
    "MatMul": _matmul,
    "Gemm": _gemm,
    "LayerNormalization": _layer_norm,
    "ReduceMean": _reduce(np.mean),
    "ReduceMax": _reduce(np.max),
    "ReduceSum": _reduce(np.sum),
    "Relu": _torch(torch.relu),
    "Tanh": _torch(torch.tanh),
    "Sigmoid": _torch(torch.sigmoid),
    "Elu": _torch(functional.elu),
    "Softplus": _torch(functional.softplus),
    "Softsign": _torch(functional.softsign),
    "Erf": _torch(torch.erf),
    "Sqrt": lambda g, a: np.sqrt(g[0]),
    "Softmax": _softmax(torch.softmax),
    "LogSoftmax": _softmax(torch.log_softmax),
}
"""ONNX operation -> what it gives for its inputs and attributes."""
