"""The input held fixed: zero, the mean embedding, a word, or a vector."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.data import Corpus
from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.models import Model

ZERO, MEAN, VECTOR, OWN = "zero", "mean", "vector", "one a seed"

OUTSIDE = 3.0
FAR = " No word is that far out: what is found under it need not be what the network does on text."


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldInput:
    """The input a network is studied under.

    Attributes:
        name: "zero", "mean", "vector", the word, "one a seed", or, along a document, "each step's
            own".
        vector: (input_size,) float64; one a seed or a state: (S, input_size).
        distance: how far it is from the mean of the word vectors the text feeds in, in units of
            their root-mean-square distance to it; over the vocabulary's words where the seeds are
            no text; None without embeddings. Of inputs of their own, the median.
    """

    name: str
    vector: Tensor
    distance: float | None = None

    @property
    def sentence(self) -> str:
        """What the network is held at, and whether the data feeds in anything like it."""
        if self.distance is None:
            return (
                f"The input is held at {self.name!r}; how far that is from the data is not known."
            )
        text = (
            f"The input is held at {self.name!r}, {self.distance:.2g} times as far from the mean "
            "of what the text feeds in as its words are."
        )
        return text + (FAR if self.distance > OUTSIDE else "")


def study_cell(model: Model | Cell) -> Cell:
    """The cell of a model, or the cell itself, in float64 on the CPU.

    Raises:
        ModelError: a weight is not finite.
    """
    if not isinstance(model, Model | Cell):
        raise UsageError(
            "Dynamics are those of a model or of a cell.",
            expected="a rnnscope Model or Cell",
            got=type(model).__name__,
            fix="read a torch module with from_torch(module)",
        )
    cell = model if isinstance(model, Cell) else model.cell
    for name, weight in cell.parameters.items():
        if not torch.isfinite(weight).all():
            raise ModelError(
                "The weights of a network must be finite.",
                expected="finite numbers",
                got=f"{int((~torch.isfinite(weight)).sum())} that are not, in {name}",
                fix="train again, or load another checkpoint",
            )
    return cell.to(torch.float64, "cpu").map(lambda weight: weight.detach())


def hold_input(
    model: Model | Cell, cell: Cell, inputs: Any, counts: Tensor | None = None
) -> HeldInput:
    """Resolve ``inputs`` for this network.

    Args:
        model, cell: the network.
        inputs: "zero", "mean", a word, a vector; or one a seed: a table (S, input_size), or a list
            of words.
        counts: how often the text feeds in each word, (words,); the mean is weighted by it.

    Raises:
        DataError: a vector has the wrong width or is not finite.
        UsageError: an unknown word.
        NotApplicable: a mean or a word is asked of a network without embeddings.
    """
    table = None if isinstance(model, Cell) else model.embedding
    table = None if table is None else table.detach().to("cpu", torch.float64)
    if isinstance(inputs, str) and inputs == ZERO:
        name, vector = ZERO, torch.zeros(cell.input_size, dtype=torch.float64)
    elif isinstance(inputs, str):
        if isinstance(model, Cell) or table is None:
            raise NotApplicable(
                "Only a model with an embedding can hold its mean or a word fixed.",
                expected="'zero' or a vector",
                got=repr(inputs),
            )
        name = inputs
        mean = inputs == MEAN
        vector = _mean(table, _weights(model, counts)) if mean else table[_row(model, inputs)]
    elif isinstance(inputs, list | tuple) and inputs and all(isinstance(w, str) for w in inputs):
        if table is None or not isinstance(model, Model):
            raise NotApplicable(
                "Only a model with an embedding can hold words fixed.",
                expected="a table (seeds, input width)",
                got=f"{len(inputs)} words",
            )
        name, vector = OWN, table[[_row(model, word) for word in inputs]]
    else:
        vector = _vector(inputs, cell.input_size)
        name = VECTOR if vector.ndim == 1 else OWN
    distance = None
    if table is not None and isinstance(model, Model):
        distance = _distance(vector, table, _weights(model, counts))
    return HeldInput(name=name, vector=vector, distance=distance)


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


def word_counts(model: Model | Cell, seeds: Any) -> Tensor | None:
    """How often each word stands in the seeds, (words,), where they are a corpus; else None."""
    if isinstance(model, Cell) or model.embedding is None or not isinstance(seeds, Corpus):
        return None
    ids = torch.as_tensor(np.concatenate(model.encode(seeds)))
    return torch.bincount(ids, minlength=len(model.embedding)).to(torch.float64)


def _weights(model: Model, counts: Tensor | None) -> Tensor:
    """Each word's share of the mean; without text all words alike, and no special token."""
    if counts is not None:
        return counts / counts.sum()
    table: Any = model.embedding
    weights = torch.ones(len(table), dtype=torch.float64)
    if model.vocabulary is not None and len(model.vocabulary) > 2:
        for word in (model.vocabulary.unknown, model.vocabulary.padding):
            if word is not None:
                weights[model.vocabulary.index(word)] = 0
    return weights / weights.sum()


def _mean(table: Tensor, weights: Tensor) -> Tensor:
    return weights @ table


def _row(model: Model, word: str) -> int:
    """The embedding's row of a word of the vocabulary."""
    words = () if model.vocabulary is None else model.vocabulary.words
    if model.vocabulary is None or word not in words:
        close = get_close_matches(word, words, n=3)
        raise UsageError(
            "The input held fixed must be 'zero', 'mean', a vector or a word of the vocabulary.",
            expected=f"one of the {len(words)} words",
            got=repr(word),
            fix="did you mean " + " or ".join(map(repr, close)) + "?" if close else "",
        )
    return model.vocabulary.index(word)


def _vector(inputs: Any, width: int) -> Tensor:
    try:
        vector = torch.as_tensor(
            inputs.detach() if isinstance(inputs, Tensor) else np.asarray(inputs, dtype=np.float64)
        )
    except (TypeError, ValueError) as error:
        raise UsageError(
            "The input held fixed must be 'zero', 'mean', a vector or a word of the vocabulary.",
            expected=f"a vector ({width},)",
            got=type(inputs).__name__,
        ) from error
    vector = vector.to("cpu", torch.float64, copy=True)
    fits = vector.ndim in (1, 2) and vector.shape[-1:] == (width,) and vector.numel() > 0
    if not fits or not torch.isfinite(vector).all():
        raise DataError(
            "The input held fixed must be one finite vector as wide as the cell's input, or one a "
            "seed.",
            expected=f"({width},) or (seeds, {width}), finite",
            got=f"{tuple(vector.shape)}"
            + ("" if torch.isfinite(vector).all() else " with values that are not finite"),
        )
    return vector


def _distance(vector: Tensor, table: Tensor, weights: Tensor) -> float | None:
    mean = _mean(table, weights)
    spread = float((weights @ (table - mean).square().sum(-1)).sqrt())
    apart = torch.linalg.vector_norm(vector - mean, dim=-1)
    return float(apart.median()) / spread if spread > 0 else None
