"""The input held fixed: zero, the mean embedding, a word, or a vector."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.models import Model

ZERO, MEAN, VECTOR = "zero", "mean", "vector"


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldInput:
    """The input a network is studied under.

    Attributes:
        name: "zero", "mean", "vector", or the word.
        vector: (input_size,) float64.
        distance: how far it is from the mean of the embeddings, in units of their
            root-mean-square distance to it; None without embeddings.
    """

    name: str
    vector: Tensor
    distance: float | None = None


def study_cell(model: Model | Cell) -> Cell:
    """The cell of a model, or the cell itself, in float64 on the CPU.

    Raises:
        ModelError: a weight is not finite.
    """
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


def hold_input(model: Model | Cell, cell: Cell, inputs: Any) -> HeldInput:
    """Resolve ``inputs`` for this network.

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
        vector = table.mean(0) if inputs == MEAN else table[_row(model, inputs)]
    else:
        name, vector = VECTOR, _vector(inputs, cell.input_size)
    return HeldInput(name=name, vector=vector, distance=_distance(vector, table))


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
    if tuple(vector.shape) != (width,) or not torch.isfinite(vector).all():
        raise DataError(
            "The input held fixed must be one finite vector as wide as the cell's input.",
            expected=f"({width},), finite",
            got=f"{tuple(vector.shape)}"
            + ("" if torch.isfinite(vector).all() else " with values that are not finite"),
        )
    return vector


def _distance(vector: Tensor, table: Tensor | None) -> float | None:
    if table is None:
        return None
    mean = table.mean(0)
    spread = float((table - mean).square().sum(-1).mean().sqrt())
    return float(torch.linalg.vector_norm(vector - mean)) / spread if spread > 0 else None
