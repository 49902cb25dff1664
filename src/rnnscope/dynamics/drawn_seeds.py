"""Seeds that are made rather than visited: in a box, or drawn like visited states; and the states
that a network without words visits when it is run on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, strided

from rnnscope.errors import DataError, UsageError
from rnnscope.numerics import single_thread

METHODS = ("normal", "components")


@dataclass(frozen=True, kw_only=True, eq=False)
class Box:
    """States drawn evenly from a box.

    Args:
        low, high: bounds, a number or one a coordinate (N,); None for the least and the largest
            value that the states of ``source`` have there.
        count: how many.
        source: documents, a trajectory, runs or states; needed where a bound is None.

    Raises:
        UsageError: ``count`` below 1, or a bound left open without a source.
    """

    low: Any = None
    high: Any = None
    count: int = 256
    source: Any = None

    def __post_init__(self) -> None:
        _check_count(self.count)
        if self.source is None and (self.low is None or self.high is None):
            raise UsageError(
                "A box needs its bounds, or states whose range it takes.",
                expected="low and high, or source",
                got="neither" if self.low is None and self.high is None else "one bound",
                fix="Box(source=documents), or Box(low=-1, high=1)",
            )

    def bounds(self, visited: Tensor | None, width: int) -> tuple[Tensor, Tensor]:
        """Both bounds, (N,) each; ``visited`` are the states of the source, (S, N).

        Raises:
            DataError: bounds of another width, not finite, or crossed.
        """
        if visited is None:
            low, high = _bound(self.low, width, "low"), _bound(self.high, width, "high")
        else:
            low = visited.amin(0) if self.low is None else _bound(self.low, width, "low")
            high = visited.amax(0) if self.high is None else _bound(self.high, width, "high")
        crossed = (low > high).nonzero().squeeze(-1).tolist()
        if crossed:
            raise DataError(
                "The lower bound of a box is no larger than the upper one.",
                expected="low <= high in every coordinate",
                got=f"coordinate {crossed[0]}: {float(low[crossed[0]]):.3g} above "
                f"{float(high[crossed[0]]):.3g}",
            )
        return low, high

    def draw(self, visited: Tensor | None, width: int, *, rng: int) -> Tensor:
        """(count, N) float64, evenly from the box."""
        low, high = self.bounds(visited, width)
        generator = torch.Generator().manual_seed(rng)
        even = torch.rand(self.count, width, generator=generator, dtype=torch.float64)
        return low + even * (high - low)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """States drawn to match the distribution of the states that a source visits.

    Unlike visited states themselves they are new, and as many as wanted.

    Args:
        source: documents, a trajectory, runs or states: anything that seeds can be.
        count: how many.
        visited: most visited states that the distribution is taken from.
        method: "normal": a normal distribution with their mean and covariance; "components": each
            principal component drawn from the values it takes, apart from the others, which keeps
            mean and covariance, and the two humps or the bound that a component may have.

    Raises:
        UsageError: a count below 1, or an unknown method.
    """

    source: Any
    count: int = 256
    visited: int = 2048
    method: Literal["normal", "components"] = "normal"

    def __post_init__(self) -> None:
        _check_count(self.count)
        _check_count(self.visited)
        if self.method not in METHODS:
            raise UsageError(
                "The way to draw must be known.",
                expected=" or ".join(map(repr, METHODS)),
                got=repr(self.method),
            )

    def draw(self, visited: Tensor, *, rng: int) -> Tensor:
        """(count, N) float64, like the visited states (S, N)."""
        centre, size = visited.mean(0), len(visited)
        generator = torch.Generator().manual_seed(rng)
        if self.method == "normal":
            weights = torch.randn(self.count, size, generator=generator, dtype=torch.float64)
            return centre + weights @ (visited - centre) / max(1, size - 1) ** 0.5
        with single_thread():
            axes = torch.linalg.svd(visited - centre, full_matrices=False).Vh
        scores = (visited - centre) @ axes.mT
        rows = torch.randint(size, (self.count, len(axes)), generator=generator)
        return centre + scores.gather(0, rows) @ axes


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """Arrays of inputs that the network is run on: how a task without words is handed over.

    Args:
        inputs: (runs, T, input_size); one run (T, input_size); or a list of runs of unequal
            lengths. For one layer of a deep network: what the whole network reads.
        initial: the state before the first input, (N,) or one a run (runs, N); None for the
            network's own.
        lengths: steps of each run, (runs,), where the array is padded.
    """

    inputs: Any
    initial: Any = None
    lengths: Any = None

    def padded(self, width: int) -> tuple[Tensor, Tensor]:
        """The inputs (runs, T, input_size), float64 on the CPU, a copy with zeros in the padding,
        and the lengths.

        Raises:
            DataError: no runs, an empty run, a wrong width, lengths that do not fit, or values
                that are not finite.
        """
        listed = isinstance(self.inputs, list | tuple) and _ragged(self.inputs)
        runs = [numbers(run, "A run") for run in self.inputs] if listed else None
        if runs is None:
            table = numbers(self.inputs, "Runs")
            table = table[None] if table.ndim == 2 else table
            runs = list(table) if table.ndim == 3 else [table]
        for row, run in enumerate(runs):
            if run.ndim != 2 or run.shape[-1] != width or not len(run):
                raise DataError(
                    "Each run must be a table of inputs, as wide as the network's.",
                    expected=f"(steps, {width}), one step or more",
                    got=f"run {row}: {tuple(run.shape)}",
                )
        if not runs:
            raise DataError("At least one run is needed.", expected="one run or more", got="none")
        lengths = torch.tensor([len(run) for run in runs])
        if self.lengths is not None:
            given = numbers(self.lengths, "Lengths").reshape(-1)
            whole = bool((given == given.round()).all())
            if not whole or len(given) != len(runs) or not bool((given >= 1).all()):
                raise DataError(
                    "Lengths are one whole number a run, 1 or more.",
                    expected=f"{len(runs)} lengths",
                    got=f"{len(given)}: {given[:8].tolist()}",
                )
            if bool((given > lengths).any()):
                raise DataError(
                    "A run is no longer than its array.",
                    expected=f"lengths up to {int(lengths.max())}",
                    got=str(int(given.max())),
                )
            lengths = given.long()
        padded = torch.zeros(len(runs), int(lengths.max()), width, dtype=torch.float64)
        for row, (run, length) in enumerate(zip(runs, lengths.tolist(), strict=True)):
            padded[row, :length] = run[:length]
        bad = (~torch.isfinite(padded).all(-1)).any(-1).nonzero().squeeze(-1).tolist()
        if bad:
            raise DataError(
                "Inputs must be finite.",
                expected="finite numbers",
                got=f"{len(bad)} runs with others, the first is run {bad[0]}",
            )
        return padded, lengths

    def documents(self, width: int) -> list[np.ndarray]:
        """Each run by itself, (steps, input_size); see ``padded``."""
        padded, lengths = self.padded(width)
        return [run[:n].numpy() for run, n in zip(padded, lengths.tolist(), strict=True)]


def numbers(values: Any, what: str) -> Tensor:
    """Real numbers as float64 on the CPU, always a copy.

    Raises:
        DataError: complex numbers, or none at all.
    """
    try:
        if isinstance(values, Tensor):
            array = values.detach()
            if array.layout != strided:
                raise TypeError("a sparse tensor")
            if not array.is_complex():
                return array.to("cpu", torch.float64, copy=True)
            kind = str(array.dtype)
        else:
            array = np.asarray(values)
            if array.dtype.kind in "biuf" or array.dtype.kind == "O":
                return torch.from_numpy(np.array(array, dtype=np.float64))
            kind = str(array.dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{what} must be an array of real numbers.",
            expected="numbers in rows of one length",
            got=f"{type(values).__name__}: {str(error).splitlines()[0]}",
        ) from error
    raise DataError(
        f"{what} must be an array of real numbers.",
        expected="float32, float64, whole numbers, or what converts to them",
        got=kind,
        fix="hand over real and imaginary parts as coordinates of their own"
        if "complex" in kind
        else "convert it first",
    )


def _ragged(runs: Any) -> bool:
    """Whether a list is one of runs, rather than one run typed as rows of numbers."""
    return not len(runs) or getattr(runs[0], "ndim", None) == 2 or _depth(runs[0]) == 2


def _depth(item: Any) -> int:
    depth = 0
    while isinstance(item, list | tuple) and item:
        depth, item = depth + 1, item[0]
    return depth + getattr(item, "ndim", 0)


def _bound(given: Any, width: int, name: str) -> Tensor:
    bound = numbers(given, f"The bound {name} of a box")
    if bound.shape not in ((), (width,)) or not bool(torch.isfinite(bound).all()):
        raise DataError(
            "The bounds of a box are finite numbers, one for all coordinates or one for each.",
            expected=f"a number, or ({width},)",
            got=f"{name}: {tuple(bound.shape)}"
            + ("" if bool(torch.isfinite(bound).all()) else " with values that are not finite"),
        )
    return bound.expand(width)


def _check_count(count: Any) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError(
            "The number of states to draw is a whole number.",
            expected="count >= 1",
            got=repr(count),
        )
