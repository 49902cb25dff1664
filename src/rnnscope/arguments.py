"""What a public function is given, held against its annotations before it runs.

So that a wrong kind of argument is one sentence that names it, and not an attribute that some inner
object lacks. Values are the functions' own matter: only kinds are checked here.
"""

from __future__ import annotations

import dataclasses
import inspect
import numbers
import os
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import numpy as np
import torch
from torch import Tensor, strided

from rnnscope.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

MOST = 2**63 - 1
"""The largest whole number that an array's size or a seed can be."""

PLAIN = {int, float, str}
"""Kinds whose every element is looked at in a sequence of them."""


def checked(function: F) -> F:
    """The function, which refuses arguments of another kind than it is annotated with.

    Raises:
        UsageError: names the argument, what it should be and what came; by the function returned.
    """
    signature = inspect.signature(function)
    kinds = _hints(function)
    called = function.__qualname__.rpartition("<locals>.")[2]
    checks = {
        name: kinds[name]
        for name, one in signature.parameters.items()
        if name in kinds and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    }

    @wraps(function)
    def guarded(*given: Any, **named: Any) -> Any:
        try:
            bound = signature.bind(*given, **named)
        except TypeError as error:
            raise UsageError(
                f"{called} takes the arguments that it is documented with.",
                expected=f"{called}{_shown(signature)}",
                got=str(error),
            ) from None
        for name, value in bound.arguments.items():
            kind = checks.get(name, Any)
            if value is signature.parameters[name].default or fits(value, kind):
                continue
            raise UsageError(
                f"The argument {name} of {called} must be of its kind.",
                expected=described(kind),
                got=_misfit(value, kind),
            )
        return function(*given, **named)

    return typing.cast(F, guarded)


def check_class_methods(kind: type) -> None:
    """Let a class's own class methods refuse arguments of another kind, as ``checked`` does."""
    for name, method in list(vars(kind).items()):
        if isinstance(method, classmethod) and not name.startswith("_"):
            setattr(kind, name, classmethod(checked(method.__func__)))


def check_fields(instance: Any) -> None:
    """Hold a dataclass's fields against their annotations.

    Raises:
        UsageError: names the field, what it should be and what came.
    """
    for name, kind in _fields_of(type(instance)).items():
        value = getattr(instance, name)
        if fits(value, kind):
            continue
        raise UsageError(
            f"The field {name} of {type(instance).__name__} must be of its kind.",
            expected=described(kind),
            got=_misfit(value, kind),
        )


def _misfit(value: Any, kind: Any) -> str:
    """What does not fit: of a plain sequence or mapping the first element that does not."""
    options = typing.get_args(kind) if typing.get_origin(kind) in (Union, types.UnionType) else ()
    for option in options or (kind,):
        origin, parts = typing.get_origin(option), typing.get_args(option)
        if not any(parts[:1] == (plain,) for plain in PLAIN):
            continue
        if origin is Mapping and isinstance(value, Mapping):
            for key, item in value.items():
                if not fits(key, parts[0]) or not fits(item, parts[1]):
                    return f"{_short(key)}: {_short(item)} ({type(item).__name__})"
        elif origin is not Mapping and isinstance(value, list | tuple):
            for place, item in enumerate(value):
                if not fits(item, parts[0]):
                    return f"{_short(item)} ({type(item).__name__}) at position {place}"
    return f"{_short(value)} ({type(value).__name__})"


@cache
def _fields_of(kind: type) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(kind)
    except (NameError, TypeError, AttributeError):  # a name that only type checkers import
        return {}
    return {one.name: hints[one.name] for one in dataclasses.fields(kind)}


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of an annotated kind, arrays and sequences taken for one another."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, inspect.Parameter.empty, object) or isinstance(kind, TypeVar | str):
        return True
    if kind is None or kind is type(None):
        return value is None
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str | int | type(None))
    kind = origin or kind
    if kind is int:
        return _is_number(value, numbers.Integral) and abs(int(value)) <= MOST
    if kind is float:
        return _is_number(value, numbers.Real)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if kind is Tensor:
        return isinstance(value, Tensor) and value.layout == strided
    if kind is np.ndarray:
        return _is_array(value)
    if kind in (Sequence, Iterable, Iterator, list, tuple):
        if not _is_iterable(value, kind):
            return False
        inner = [part for part in parts if isinstance(part, type) and part.__module__ != "builtins"]
        if kind is tuple and inner:
            if not isinstance(value, tuple | list):
                return False
            if parts[-1] is Ellipsis:
                return all(isinstance(one, inner[0]) for one in value)
            return len(value) == len(parts) and all(map(fits, value, parts))
        if parts and parts[0] in PLAIN and hasattr(value, "__len__"):
            listed = value.tolist() if isinstance(value, np.ndarray | Tensor) else value
            return all(fits(one, parts[0]) for one in listed)
        return True
    if kind is Mapping or kind is dict:
        if not isinstance(value, Mapping):
            return False
        plain = bool(parts) and PLAIN.issuperset(parts)
        return not plain or all(fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items())
    if kind is Callable:
        return callable(value)
    if kind is Path:
        return isinstance(value, os.PathLike)
    if getattr(kind, "_is_protocol", False):
        return all(hasattr(value, name) for name in _members(kind))
    return not isinstance(kind, type) or isinstance(value, kind)


def described(kind: Any) -> str:
    """A kind in words."""
    parts = typing.get_args(kind)
    if typing.get_origin(kind) in (Union, types.UnionType):
        return " or ".join(described(part) for part in parts)
    if typing.get_origin(kind) is Literal:
        return " or ".join(map(repr, parts))
    several = {int: "whole numbers", float: "numbers", str: "strings"}
    if typing.get_origin(kind) in (Sequence, list, tuple) and parts and parts[0] in several:
        return f"a sequence of {several[parts[0]]}"
    names = {int: "a whole number", float: "a number", str: "a string", bool: "True or False"}
    names |= {type(None): "None", None: "None"}
    base = typing.get_origin(kind) or kind
    return names.get(base) or getattr(base, "__name__", str(base))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # a name that only type checkers import
        return {}


def _is_number(value: Any, kind: type) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, kind)


def _is_array(value: Any) -> bool:
    if not isinstance(value, np.ndarray | Tensor | list | tuple) and not hasattr(
        value, "__array__"
    ):
        return False
    try:
        np.shape(value)
    except (ValueError, TypeError, RuntimeError):  # rows of different lengths, sparse tensors
        return False
    return True


def _is_iterable(value: Any, kind: type) -> bool:
    if isinstance(value, np.ndarray | Tensor):
        return value.ndim > 0
    if kind is Iterable or kind is Iterator:
        return isinstance(value, Iterable) or hasattr(value, "__getitem__")
    return hasattr(value, "__len__") and isinstance(value, Iterable) and not isinstance(value, dict)


def _members(protocol: type) -> set[str]:
    names: set[str] = set()
    for base in protocol.__mro__[:-1]:
        if getattr(base, "_is_protocol", False) and base.__name__ != "Protocol":
            names |= {n for n in vars(base) if not n.startswith("_")}
            names |= {n for n in getattr(base, "__annotations__", {}) if not n.startswith("_")}
    return names


def _shown(signature: inspect.Signature) -> str:
    return "(" + ", ".join(signature.parameters) + ")"


def _short(value: Any) -> str:
    try:
        return repr(value).splitlines()[0][:60]
    except Exception:  # an object whose repr fails
        return "an object"


def require_device(device: str, dtype: torch.dtype = torch.float32) -> None:
    """Hold a device that work in a precision is asked for on against what is here.

    Raises:
        UsageError: torch cannot use it here, or not in that precision.
    """
    try:
        torch.empty(0, device=device, dtype=dtype).cpu()
    except (RuntimeError, AssertionError, TypeError) as error:
        found = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
        raise UsageError(
            "The device must be one that torch can use here.",
            expected=f"{' or '.join(found)}, for {str(dtype).removeprefix('torch.')}",
            got=repr(device),
        ) from error
