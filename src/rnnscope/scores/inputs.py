"""What the comparison methods are given: padded arrays, target classes, a baseline word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.models import Model

BASELINES = ("zero", "mean", "unknown")


def as_documents(inputs: Any, lengths: Any) -> tuple[Any, int]:
    """Documents from a padded tensor (B, T) or (B, T, width), and T; lists pass as they are."""
    if not isinstance(inputs, Tensor | np.ndarray) or np.ndim(inputs) not in (2, 3):
        if lengths is not None:
            raise UsageError(
                "Lengths belong to a padded tensor.",
                expected="inputs (B, T) or (B, T, width)",
                got=f"lengths beside {type(inputs).__name__}",
            )
        return inputs, 0
    padded = inputs.detach().cpu().numpy() if isinstance(inputs, Tensor) else inputs
    rows, width = padded.shape[:2]
    sizes = np.full(rows, width) if lengths is None else np.asarray(_on_cpu(lengths))
    fits = sizes.shape == (rows,) and sizes.dtype.kind in "iu"
    if not fits or (rows and not (sizes.min() >= 1 and sizes.max() <= width)):
        raise DataError(
            "A padded tensor has one length a row, from one word to its width.",
            expected=f"{rows} whole numbers from 1 to {width}",
            got=f"{sizes.tolist()}"[:80],
        )
    return [row[:size] for row, size in zip(padded, sizes, strict=True)], width


def as_targets(target: Any, documents: int, classes: int) -> Tensor:
    """(documents,) class indices, from one for all or one for each."""
    try:
        values = np.asarray([] if target is None else _on_cpu(target))
    except (TypeError, ValueError):
        values = np.asarray([])
    whole = values.dtype.kind in "iu" and values.shape in ((), (documents,))
    if not whole or (values.size and not (values.min() >= 0 and values.max() < classes)):
        raise UsageError(
            "A target is a class index, one for all documents or one for each.",
            expected=f"0 to {classes - 1}, or {documents} of them",
            got=repr(target)[:80],
        )
    return torch.as_tensor(np.broadcast_to(values, (documents,)).astype(np.int64))


def _on_cpu(values: Any) -> Any:
    return values.detach().cpu() if isinstance(values, Tensor) else values


def require_room(model: Model, encoded: Sequence[np.ndarray]) -> None:
    """Hold the largest sums that these documents may lead to against what the dtype holds.

    An infinite sum would saturate a gate, by the sign of whichever term came first, and look like
    a number.

    Raises:
        ModelError: weights and inputs so large that a sum may be infinite.
    """
    if model.embedding is not None:
        largest = float(model.embedding.detach().abs().max())
    else:
        largest = max((float(np.abs(document).max()) for document in encoded), default=0.0)
    room = torch.finfo(model.dtype).max
    for k, layer in enumerate(model.layers):
        weights = [pair for d in layer.directions for pair in d.cell.parameters.items()]
        for name, weight in weights:
            if weight.ndim != 2:
                continue
            reach = float(weight.detach().double().abs().sum(dim=1).max())
            reach *= max(1.0, largest) if k == 0 and name == "W" else 1.0
            if not reach <= room:
                raise ModelError(
                    "The sums inside a network must stay finite numbers.",
                    expected=f"sums within {room:.0e}",
                    got=f"up to {reach:.0e} by {name} of layer {k}: an overflow in "
                    + str(model.dtype).removeprefix("torch."),
                    fix="look for a weight or an input that is far too large, or score "
                    "model.to(torch.float64)",
                )


def baseline_vector(model: Model, baseline: Any) -> Tensor:
    """(width,): the vector that stands for no word.

    Args:
        model: the network.
        baseline: "zero", "mean" (of the rows of the embedding), "unknown" (the unknown word's), or
            a vector.

    Raises:
        UsageError: no such baseline, or a vector that does not fit or is not finite.
        NotApplicable: the model has no embedding, or no unknown word.
    """
    if isinstance(baseline, str):
        return _named(model, baseline)
    try:
        vector = torch.as_tensor(baseline, dtype=model.dtype, device=model.device)
        vector = vector.detach().clone()
    except (TypeError, ValueError, RuntimeError):
        vector = torch.empty(0)
    if vector.shape != (model.input_size,) or not bool(torch.isfinite(vector).all()):
        raise UsageError(
            "A baseline is a name, or a finite vector of the width that the network reads.",
            expected=f"{', '.join(BASELINES)}, or {model.input_size} numbers",
            got=f"{type(baseline).__name__} {str(baseline)[:60]}",
            fix="for a word, pass its row of model.embedding",
        )
    return vector


def _named(model: Model, name: str) -> Tensor:
    if name not in BASELINES:
        raise UsageError(
            "A baseline must be known.",
            expected=" or ".join(map(repr, BASELINES)) + ", or a vector",
            got=repr(name),
            fix="for a word, pass its row of model.embedding",
        )
    if name == "zero":
        return torch.zeros(model.input_size, dtype=model.dtype, device=model.device)
    if model.embedding is None:
        raise NotApplicable(
            f"This network reads vectors, so it has no {name} word.",
            expected="a network with an embedding",
            got=model.architecture,
            fix="use 'zero' or pass a vector",
        )
    if name == "mean":
        return model.embedding.mean(dim=0)
    vocabulary = model.vocabulary
    if vocabulary is None or vocabulary.unknown is None:
        raise NotApplicable(
            "This network's vocabulary has no unknown word.",
            expected="a vocabulary with an unknown word",
            got="none",
            fix="use 'zero' or 'mean', or pass a vector",
        )
    return model.embedding[vocabulary.index(vocabulary.unknown)]
