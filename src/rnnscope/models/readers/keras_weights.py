"""The weights of each layer of a Keras file, in the order of ``layer.weights``.

.keras, .weights.h5 (Keras 3)   layers/<class in snake case>[_k]/[cell/]vars/<i>
.h5 (Keras 2 and 3)             [model_weights/]<layer name>, attribute weight_names
"""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from rnnscope.errors import ModelError
from rnnscope.models.readers.hdf5 import array, child, text
from rnnscope.models.readers.keras_config import KerasLayer

ROOTS = ("layers", "_layer_checkpoint_dependencies", "")
INNER = ("forward_layer", "backward_layer", "layer", "cell", "cells")


def weights_of(file: Any, layer: KerasLayer, max_bytes: int) -> list[Tensor]:
    """A layer's arrays, those of a bidirectional one forwards first.

    Raises:
        ModelError: the file has none under the layer's name.
    """
    legacy = child(file, "model_weights") if child(file, "model_weights") is not None else file
    if "layer_names" in legacy.attrs:
        return _legacy(legacy, layer, max_bytes)
    for group in _candidates(file, layer):
        found = _vars(group, max_bytes)
        if found:
            return found
    raise ModelError(
        "A weights file must hold the weights of each layer.",
        expected=f"those of {layer.kind} {layer.name!r}",
        got=", ".join(list(child(file, "layers") or file)[:8]) or "nothing",
    )


def _legacy(group: Any, layer: KerasLayer, max_bytes: int) -> list[Tensor]:
    own = child(group, layer.name)
    names = [text(name) for name in own.attrs.get("weight_names", [])] if own is not None else []
    return [array(child(own, name), f"{layer.name}/{name}", max_bytes) for name in names]


def _candidates(file: Any, layer: KerasLayer) -> list[Any]:
    """The groups that may be the layer's: by the name that they bear, else by their class."""
    snake = re.sub(
        r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", layer.kind)
    )
    snake = snake.lower() + (f"_{layer.place}" if layer.place else "")
    named, by_class, by_name = [], [], []
    for root in ROOTS:
        group = child(file, root)
        if group is None or not hasattr(group, "keys"):
            continue
        for key in group:
            one = child(group, key)
            own = child(one, "vars")
            bears = "" if own is None else text(own.attrs.get("name", ""))
            if bears == layer.name:
                named.append(one)
            elif key == snake and not bears:
                by_class.append(one)
            elif key == layer.name:
                by_name.append(one)
    return named + by_name + by_class


def _vars(group: Any, max_bytes: int, depth: int = 0) -> list[Tensor]:
    """The arrays under a layer: its own, then those of the layers and cells inside it."""
    own = child(group, "vars")
    found: list[Tensor] = []
    if own is not None:
        found += [array(child(own, k), f"vars/{k}", max_bytes) for k in sorted(own, key=_number)]
    for name in INNER if depth < 4 else ():
        inner = child(group, name)
        if inner is not None:
            found += _vars(inner, max_bytes, depth + 1)
    return found


def _number(key: str) -> int:
    return int(key) if key.isdigit() else 0
