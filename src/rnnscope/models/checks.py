"""What a model and its documents must satisfy, each with its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from rnnscope.cells import width_after
from rnnscope.errors import ModelError
from rnnscope.models.trajectory import POOLINGS

if TYPE_CHECKING:
    from rnnscope.models.model import Model


def check_parts(model: Model) -> None:
    """Hold the parts of a model against each other.

    Raises:
        ModelError: parts that do not fit together, or weights that are not finite.
    """
    if not model.layers or not all(layer.directions for layer in model.layers):
        raise ModelError("A model needs at least one recurrent layer.", got="none")
    _check_pooling(model)
    for name, weight in model.weights().items():
        if weight.dtype != model.dtype or not weight.is_floating_point():
            raise ModelError(
                "All weights of a model must share one floating point dtype.",
                expected=str(model.dtype),
                got=f"{name}: {weight.dtype}",
            )
        if not torch.isfinite(weight).all():
            bad = int((~torch.isfinite(weight)).sum())
            raise ModelError(
                "Every weight must be a finite number.",
                expected="no NaN and no infinity",
                got=f"{bad} of {weight.numel()} entries of {name} are not finite",
                fix="the training has diverged, or the file is damaged; use an earlier checkpoint",
            )
    width = None if model.embedding is None else model.embedding.shape[-1]
    for k, layer in enumerate(model.layers):
        for direction in layer.directions:
            if width is not None and direction.cell.input_size != width:
                raise ModelError(
                    f"Layer {k} must read what stands below it.",
                    expected=f"input width {direction.cell.input_size}",
                    got=f"{width}",
                )
        width = layer.output_size
    width = (width or 0) * len(model.pooling.split("+"))
    width = width_after(model.head, width)
    if model.readout is not None:
        classes, units = model.readout.weight.shape
        if units != width:
            raise ModelError(
                "The readout must fit the last layer.",
                expected=f"{width} inputs",
                got=f"{units}",
            )
        if len(set(model.classes)) != len(model.classes):
            raise ModelError(
                "Class names must differ.",
                expected="different names",
                got=", ".join(map(str, model.classes)),
            )
        if model.classes and len(model.classes) != classes:
            raise ModelError(
                "There must be one class name per logit.",
                expected=f"{classes} names",
                got=f"{len(model.classes)}: {', '.join(model.classes)}",
            )
    if model.vocabulary is not None and model.embedding is not None:
        rows = len(model.embedding)
        if len(model.vocabulary) != rows:
            raise ModelError(
                "Word k of the vocabulary is row k of the embedding.",
                expected=f"{rows} words",
                got=f"{len(model.vocabulary)}",
                fix="pass the vocabulary that the network was trained with, special tokens too",
            )


def _check_pooling(model: Model) -> None:
    parts = model.pooling.split("+") if isinstance(model.pooling, str) else [model.pooling]
    known = (*POOLINGS, "attention")
    if any(part not in known for part in parts) or len(set(parts)) != len(parts):
        raise ModelError(
            "The pooling must be known.",
            expected=" or ".join(map(repr, POOLINGS)),
            got=repr(model.pooling),
        )
    if ("attention" in parts) != (model.attention is not None):
        raise ModelError(
            "The pooling by attention and what decides the weights go together.",
            expected="pooling='attention' with attention=, or neither",
            got=f"pooling={model.pooling!r}, attention={model.attention!r}",
        )
    if model.attention is not None:
        model.attention.check(model.layers[-1].output_size)
