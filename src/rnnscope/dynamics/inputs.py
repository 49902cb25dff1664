"""The input held fixed: zero, the mean of what the data feeds in, a word, a vector, one a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.any_precision import in_any_precision
from rnnscope.dynamics.drawn_seeds import numbers
from rnnscope.dynamics.fed_inputs import FedInputs, words_read
from rnnscope.dynamics.rest import Rest, output_at_rest
from rnnscope.dynamics.systems import Network, System, study_system
from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError

ZERO, MEAN, VECTOR, OWN = "zero", "mean", "vector", "one a seed"
RULE = (
    "The input held fixed must be 'zero', 'mean', a vector or a word of the vocabulary; or vectors "
    "or words, one a seed."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldInput:
    """The input a network is studied under, and how far it is from what the data feeds in.

    What the data feeds in are the inputs on the documents or runs that the seeds come from. Where
    the seeds are states, a model's words stand for it, and nothing does for other networks: the
    figures are None.

    Attributes:
        name: "zero", "mean", "vector", the word, where the layer below is at rest, "one a seed",
            or, along a document, "each step's own".
        vector: (input_size,) float64; one a seed or a state: (S, input_size).
        distance: how far it is from the mean of the fed inputs, in units of their
            root-mean-square distance to it; one a seed, the median.
        nearest: how far it is from the nearest fed input, in the same unit; None one a seed.
        reach: how many times as far from the mean it is as any fed input in its direction: above 1
            it is no average of fed inputs, and outside the data; one a seed, the median.
        outside: the share of the seeds held outside, 0 or 1 for one input.
        distances, reaches: one a seed, (S,); else None.
        fed: what it was held against, in words; "" where the data is not known.
    """

    name: str
    vector: Tensor
    distance: float | None = None
    nearest: float | None = None
    reach: float | None = None
    outside: float | None = None
    distances: Tensor | None = None
    reaches: Tensor | None = None
    fed: str = ""

    @property
    def sentence(self) -> str:
        """What the network is held at, and whether the data feeds in anything like it."""
        own = self.vector.ndim == 2
        text = "Each seed has an input of its own" if own else f"The input is held at {self.name}"
        if self.reach is None:
            return f"{text}; how far that is from what the data feeds in is not known."
        if self.distance is None:
            text += f"; {self.fed} do not vary."
        else:
            text += f", {'half of them ' if own else ''}{self.distance:.2g} times as far"
            text += f"{' or less' if own else ''} from the mean of {self.fed} as those are."
        if not self.outside:
            return text
        text += f" {self.outside:.0%} of them lie outside" if own else " It lies outside"
        text += " the data"
        if not own and self.reach < float("inf"):
            text += f", {self.reach:.3g} times as far out in its direction as any of those"
        return f"{text}: what is found there need not be what the network does on the data."

    @property
    def common(self) -> Tensor:
        """The one input of all seeds; a sentence where each has its own (``NotApplicable``)."""
        if self.vector.ndim == 2:
            raise NotApplicable(
                "This is measured under one input that is the same everywhere.",
                expected=f"a vector ({self.vector.shape[-1]},), a word, 'zero' or 'mean'",
                got=f"{len(self.vector)} inputs, {self.name}",
            )
        return self.vector

    def rows(self, k: Any) -> HeldInput:
        """The inputs of some of the seeds: an index, a mask or a slice. One input stays as it is.

        The figures of a few seeds are their own.
        """
        if self.vector.ndim == 1:
            return self
        distances = None if self.distances is None else self.distances[k]
        reaches = None if self.reaches is None else self.reaches[k]
        return replace(
            self,
            vector=self.vector[k],
            distance=_median(distances),
            reach=_median(reaches),
            outside=_share_outside(reaches),
            distances=distances,
            reaches=reaches,
        )


def study_cell(model: Network) -> Cell:
    """The cell of a model or system, or the cell itself, in float64 on the CPU.

    Raises:
        ModelError: a weight is not finite.
        NotApplicable: the network reads in two directions.
    """
    cell = System.of(model).cell
    for name, weight in cell.parameters.items():
        if not torch.isfinite(weight).all():
            raise ModelError(
                "The weights of a network must be finite.",
                expected="finite numbers",
                got=f"{int((~torch.isfinite(weight)).sum())} that are not, in {name}",
                fix="train again, or load another checkpoint",
            )
    return in_any_precision(cell.to(torch.float64, "cpu").map(lambda weight: weight.detach()))


def hold_input(
    model: Network,
    cell: Cell,
    inputs: Any,
    fed: FedInputs | None = None,
    *,
    seeds: int | None = None,
) -> HeldInput:
    """Resolve ``inputs`` for this network.

    Args:
        model, cell: the network.
        inputs: "zero", "mean", a word, a vector; ``Rest(...)`` for a layer above others; one a
            seed: a table (S, input_size), or a list of words; or an input that was held before.
        fed: what the data feeds in; a model's words where it is not known.
        seeds: S, how many seeds there are; None where that is not known yet.

    Raises:
        DataError: a vector has the wrong width or is not finite, or there is not one for each seed.
        UsageError: an unknown word.
        NotApplicable: a mean or a word is asked of a network that reads none, or a layer below
            does not come to rest.
    """
    system = System.of(model)
    if isinstance(inputs, HeldInput):
        _check_width(inputs.vector, cell.input_size)
        held = inputs
    else:
        fed = words_read(system) if fed is None else fed
        name, vector = _resolve(system, cell, inputs, fed)
        held = _compare(name, vector, fed)
    if seeds is not None:
        one_for_each(held, seeds)
    return held


def one_for_each(held: HeldInput, count: int) -> None:
    """Hold inputs of their own against the number of states.

    Raises:
        DataError: there are more or fewer.
    """
    if held.vector.ndim == 2 and len(held.vector) != count:
        raise DataError(
            "Inputs of their own come one a seed.",
            expected=f"{count} inputs",
            got=str(len(held.vector)),
            fix="hand over the seeds as states, in the order of the inputs",
        )


def _resolve(system: System, cell: Cell, inputs: Any, fed: FedInputs | None) -> tuple[str, Tensor]:
    """The name and the vector of what is to be held."""
    if isinstance(inputs, str) and inputs == ZERO:
        return ZERO, torch.zeros(cell.input_size, dtype=torch.float64)
    if isinstance(inputs, str) and inputs == MEAN:
        if fed is None:
            raise NotApplicable(
                "Only where it is known what the data feeds in can its mean be held: a model with "
                "an embedding, or documents or runs as seeds.",
                expected="'zero' or a vector",
                got=repr(inputs),
                fix="hand over Runs(inputs), or the mean as a vector",
            )
        return MEAN, fed.mean
    if isinstance(inputs, Rest):
        below = _below(system)
        inner = hold_input(below, study_cell(below), inputs.inputs)
        if inner.vector.ndim > 1:
            raise UsageError("The layers below rest under one input.", got="one a seed")
        vector = output_at_rest(system, inner.vector, steps=inputs.steps)
        return f"the layer below at rest under {inner.name}", vector
    words = [inputs] if isinstance(inputs, str) else inputs
    if isinstance(words, list | tuple) and words and all(isinstance(w, str) for w in words):
        if system.embedding is None:
            raise NotApplicable(
                "Only a model with an embedding can hold a word fixed."
                if system.reads_data
                else "A layer above others reads no words, but what the layer below puts out.",
                expected="'zero', 'mean' or a vector",
                got=repr(words[0]),
                fix="" if system.reads_data else f"Rest({words[0]!r})",
            )
        table = system.embedding.detach().to("cpu", torch.float64)
        vectors = table[[_row(system, word) for word in words]]
        return (words[0], vectors[0]) if isinstance(inputs, str) else (OWN, vectors)
    vector = _vector(inputs, cell.input_size)
    return (VECTOR if vector.ndim == 1 else OWN), vector


def _below(system: System) -> System:
    """The lowest layer of the network, which reads its words."""
    if system.model is None or system.reads_data:
        return system
    first = system.model.layers[0].directions
    direction = system.direction if len(first) > 1 else None
    return study_system(system.model, layer=0, direction=direction)


def _compare(name: str, vector: Tensor, fed: FedInputs | None) -> HeldInput:
    """The held input beside what the data feeds in."""
    if fed is None:
        return HeldInput(name=name, vector=vector)
    table = vector.reshape(-1, vector.shape[-1])
    distances, reaches, own = fed.distance(table), fed.reach(table), vector.ndim == 2
    return HeldInput(
        name=name,
        vector=vector,
        distance=_median(distances),
        nearest=None if own else fed.nearest(vector),
        reach=_median(reaches),
        outside=_share_outside(reaches),
        distances=distances if own else None,
        reaches=reaches if own else None,
        fed=fed.what,
    )


def _median(values: Tensor | None) -> float | None:
    return None if values is None or not len(values) else float(values.median())


def _share_outside(reaches: Tensor | None) -> float | None:
    # A fed input is as far out as itself, but for rounding.
    return None if reaches is None else float((reaches > 1 + 1e-9).double().mean())


def _row(system: System, word: str) -> int:
    """The embedding's row of a word of the vocabulary."""
    vocabulary = system.vocabulary
    words = () if vocabulary is None else vocabulary.words
    if vocabulary is None or word not in words:
        close = get_close_matches(word, words, n=3)
        raise UsageError(
            RULE,
            expected=f"one of the {len(words)} words",
            got=repr(word),
            fix="did you mean " + " or ".join(map(repr, close)) + "?" if close else "",
        )
    return vocabulary.index(word)


def _vector(inputs: Any, width: int) -> Tensor:
    """One input, or a table of them, as float64 on the CPU, a copy."""
    try:
        vector = numbers(inputs, "The input held fixed")
    except DataError as error:
        if hasattr(inputs, "__len__"):
            raise
        raise UsageError(
            RULE, expected=f"a vector ({width},)", got=type(inputs).__name__
        ) from error
    _check_width(vector, width)
    return vector


def _check_width(vector: Tensor, width: int) -> None:
    fits = vector.ndim in (1, 2) and vector.shape[-1:] == (width,) and vector.numel() > 0
    finite = bool(torch.isfinite(vector).all())
    if not fits or not finite:
        raise DataError(
            "The input held fixed must be one finite vector as wide as the cell's input, or one a "
            "seed.",
            expected=f"({width},) or (seeds, {width}), finite",
            got=f"{tuple(vector.shape)}" + ("" if finite else " with values that are not finite"),
        )
