"""What tells two inputs that are to be held fixed apart, in a file that work goes on from."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.errors import DataError
from rnnscope.models.fingerprint import fingerprint_of


def input_name(inputs: Any) -> Any:
    """An input as ``find_fixed_points`` takes it, or any option, JSON-safe: words as they are,
    arrays by a digest of every number."""
    if inputs is None or type(inputs) in (bool, int, float, str):
        return inputs
    if is_dataclass(inputs):
        told = (input_name(getattr(inputs, one.name)) for one in fields(inputs))
        return [type(inputs).__name__, *told]
    if isinstance(inputs, list | tuple) and all(isinstance(word, str) for word in inputs):
        return list(inputs)
    try:
        return fingerprint_of("array", {"values": numbers(inputs, "An input")})
    except DataError:
        return repr(inputs)
