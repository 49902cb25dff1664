"""Results as plain values and arrays, and back: what a file can hold without holding code.

Everything but the arrays becomes JSON; what JSON has no form for is an object whose ``"$"`` says
what it is. Only the classes listed here, or by the caller, are ever built from a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import CELLS, Cell, Stack
from rnnscope.dynamics.approximation import OneStepError, RolloutError
from rnnscope.dynamics.arc_length import ArcLength
from rnnscope.dynamics.basins import FlowCheck
from rnnscope.dynamics.branch import Bifurcation, Branch
from rnnscope.dynamics.charts import Chart
from rnnscope.dynamics.class_effects import ClassEffects, LexiconAgreement
from rnnscope.dynamics.continua import Continuum
from rnnscope.dynamics.cycles import Cycles
from rnnscope.dynamics.delayed_effects import DelayedEffects
from rnnscope.dynamics.dimension import Dimension
from rnnscope.dynamics.fates import Fate, LongRun
from rnnscope.dynamics.input_effects import SubspaceProjections, WordProjections
from rnnscope.dynamics.inputs import HeldInput
from rnnscope.dynamics.linear_rnn import LinearOptions, LinearRNN
from rnnscope.dynamics.lyapunov import LyapunovSpectrum
from rnnscope.dynamics.manifold import Manifold
from rnnscope.dynamics.mode_group import ModeGroup
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.modifiers import Modifiers
from rnnscope.dynamics.nonnormality import NonNormality
from rnnscope.dynamics.nulls import Alignment
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.paths import StatePath
from rnnscope.dynamics.piecewise_linear import PiecewiseLinear
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.position import SlowPosition
from rnnscope.dynamics.prediction import Prediction
from rnnscope.dynamics.propagation import FiniteTimeGrowth
from rnnscope.dynamics.reduced_cells import Lifted, Polynomial
from rnnscope.dynamics.relaxation import Development, Relaxation
from rnnscope.dynamics.separability import Separability
from rnnscope.dynamics.slow_curve import CurveRoot, SlowCurve
from rnnscope.dynamics.slow_surface import SlowSurface, SurfaceRoot
from rnnscope.dynamics.stability import Stability
from rnnscope.dynamics.subspaces import GroupLink
from rnnscope.dynamics.track_breaks import Break
from rnnscope.dynamics.tracking import ModeTracks
from rnnscope.dynamics.unstable_directions import Connection
from rnnscope.dynamics.untrained import UntrainedBaseline
from rnnscope.dynamics.verdict import LineAttractorVerdict
from rnnscope.dynamics.word_classes import WordClasses
from rnnscope.errors import DataError, NotApplicable
from rnnscope.models import Model
from rnnscope.statistics import Estimate

_RESULTS = (
    *(Alignment, ArcLength, Break, Chart, ClassEffects, Connection, Continuum, Cycles),
    *(DelayedEffects, Development, Dimension, Estimate, FiniteTimeGrowth, FixedPointOptions),
    *(FixedPoints, FlowCheck, GroupLink, HeldInput, LexiconAgreement, LineAttractorVerdict),
    *(LinearOptions, LyapunovSpectrum, Manifold, ModeGroup, ModeTracks, Modes, Modifiers),
    *(NonNormality, OneStepError, Points, Prediction, Relaxation, RolloutError, Separability),
    *(SlowPosition, Stability, StatePath, SubspaceProjections, UntrainedBaseline, WordClasses),
    *(Bifurcation, Branch, CurveRoot, LongRun, SlowCurve, SlowSurface, SurfaceRoot),
    WordProjections,
)
_CELLS = (*CELLS.values(), Stack, LinearRNN, PiecewiseLinear, Lifted, Polynomial)

Classes = Mapping[str, type[Any]]

CLASSES: Classes = {one.__name__: one for one in (*_RESULTS, *_CELLS)}
"""The classes that a file may hold, by name."""

ENUMS: dict[str, type[Enum]] = {one.__name__: one for one in (Fate, Outcome)}
"""The enumerations that a file may hold, by name."""

MARK = "$"


def field_names(kind: type[Any]) -> list[str]:
    """The fields that an object of a listed class is built from."""
    return [one.name for one in fields(kind) if one.init]


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """A result as plain values and arrays.

    Attributes:
        value: JSON-safe; an array is named there.
        arrays: the arrays by name; complex ones as real and imaginary part along a last axis.
    """

    value: Any
    arrays: dict[str, Tensor]


def pack(result: Any, classes: Classes = CLASSES) -> Packed:
    """A result as plain values and arrays. The result is left alone and shares nothing with it.

    Args:
        classes: what it may hold.

    Raises:
        NotApplicable: it holds code, a whole network, or anything else that is not listed here.
    """
    packer = _Packer(classes)
    value = packer.pack(result, type(result).__name__)
    return Packed(value=value, arrays=packer.arrays)


def unpack(packed: Packed, classes: Classes = CLASSES) -> Any:
    """The result again.

    Args:
        classes: what it may hold.

    Raises:
        DataError: a class, a field or a form that this version does not know.
        KeyError, TypeError, ValueError, RuntimeError: values that do not belong together.
    """
    return _Unpacker(packed.arrays, classes).unpack(packed.value)


@dataclass(frozen=True)
class _Packer:
    classes: Classes
    arrays: dict[str, Tensor] = field(default_factory=dict)
    # One array that stands in two fields is kept once: by identity, as all live in the result.
    names: dict[int, dict[str, Any]] = field(default_factory=dict)

    def pack(self, value: Any, where: str) -> Any:
        """One value; ``where`` is the way to it, for the sentence if it cannot be packed."""
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, Enum) and type(value) in ENUMS.values():
            return {MARK: type(value).__name__, "name": value.name}
        if isinstance(value, Tensor | np.ndarray):
            return self._array(value, where)
        if isinstance(value, np.bool_ | np.number):
            return self.pack(value.item(), where)
        if type(value) is float:
            return value if isfinite(value) else {MARK: "float", "value": repr(value)}
        if type(value) is complex:
            parts = [self.pack(part, where) for part in (value.real, value.imag)]
            return {MARK: "complex", "parts": parts}
        if type(value) is list:
            return self._items(value, where)
        if type(value) is tuple:
            return {MARK: "tuple", "items": self._items(value, where)}
        name = type(value).__name__
        if self.classes.get(name) is type(value):
            packed = {
                one: self.pack(getattr(value, one), f"{where}.{one}")
                for one in field_names(type(value))
            }
            return {MARK: name, "fields": packed}
        if isinstance(value, Mapping):
            pairs = [
                [self.pack(key, where), self.pack(item, f"{where}[{key!r}]")]
                for key, item in value.items()
            ]
            return {MARK: "dict", "pairs": pairs}
        raise _cannot(value, where)

    def _items(self, values: Any, where: str) -> list[Any]:
        return [self.pack(item, f"{where}[{k}]") for k, item in enumerate(values)]

    def _array(self, value: Tensor | np.ndarray, where: str) -> dict[str, Any]:
        if id(value) in self.names:
            return self.names[id(value)]
        try:
            tensor = value if isinstance(value, Tensor) else torch.from_numpy(value.copy())
        except (TypeError, ValueError):
            raise _cannot(value, where) from None
        if tensor.layout != torch.strided:
            raise _cannot(value, where)
        tensor = tensor.detach().to("cpu").resolve_conj().resolve_neg()
        if tensor.is_complex():
            tensor = torch.view_as_real(tensor)
        name = f"a{len(self.arrays)}"
        self.arrays[name] = tensor.clone(memory_format=torch.contiguous_format)
        form = "tensor" if isinstance(value, Tensor) else "array"
        is_complex = value.is_complex() if isinstance(value, Tensor) else np.iscomplexobj(value)
        self.names[id(value)] = {MARK: form, "name": name, "complex": is_complex}
        return self.names[id(value)]


def _cannot(value: Any, where: str) -> NotApplicable:
    fix = "keep the code that makes it, and save what it found"
    if isinstance(value, Model):
        fix = "save the network with model.save(path)"
    elif isinstance(value, Cell):
        fix = "keep the code that builds the cell; of its fixed points the cell is no part"
    return NotApplicable(
        "A saved result holds numbers, words and the results of rnnscope, not code.",
        expected="a result of the dynamics half, or a list, tuple or dict of them",
        got=f"{type(value).__name__} at {where}",
        fix=fix,
    )


class _Unpacker:
    def __init__(self, arrays: Mapping[str, Tensor], classes: Classes) -> None:
        self.arrays, self.classes = arrays, classes
        self.made: dict[tuple[str, str], Tensor | np.ndarray] = {}
        self.forms: dict[str, Callable[[Any], Any]] = {
            "float": lambda given: float(given["value"]),
            "complex": lambda given: complex(*map(self.unpack, given["parts"])),
            "tuple": lambda given: tuple(map(self.unpack, given["items"])),
            "dict": lambda given: {self.unpack(k): self.unpack(v) for k, v in given["pairs"]},
            "tensor": self._array,
            "array": self._array,
        }

    def unpack(self, given: Any) -> Any:
        if isinstance(given, list):
            return list(map(self.unpack, given))
        if not isinstance(given, dict):
            return given
        form = given[MARK]
        if form in self.forms:
            return self.forms[form](given)
        if form in ENUMS:
            return ENUMS[form][given["name"]]
        kind = self.classes.get(form)
        if kind is None:
            raise _unknown("class", str(form), f"one of the {len(self.classes)} that are results")
        known = field_names(kind)
        for name in given["fields"]:
            if name not in known:
                raise _unknown("field", f"{form}.{name}", ", ".join(known))
        return kind(**{name: self.unpack(v) for name, v in given["fields"].items()})

    def _array(self, given: dict[str, Any]) -> Tensor | np.ndarray:
        key = (given["name"], given[MARK])
        if key not in self.made:
            tensor = self.arrays[given["name"]]
            tensor = torch.view_as_complex(tensor) if given["complex"] else tensor
            self.made[key] = tensor if given[MARK] == "tensor" else tensor.numpy()
        return self.made[key]


def _unknown(what: str, got: str, expected: str) -> DataError:
    return DataError(
        f"A saved result's {what} must be one that this version knows.",
        expected=expected,
        got=got,
        fix="read it with the version of rnnscope that wrote it",
    )
