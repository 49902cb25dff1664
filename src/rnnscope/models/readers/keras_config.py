"""The layers of a Keras model in the order of the data, from its description alone.

Keras 2 and 3, Sequential and functional. What holds code (Lambda layers, marshalled functions) or
needs a class of the user's is refused: a description is read, never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnscope.errors import ModelError

IDENTITY = {
    "Dropout",
    "SpatialDropout1D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "InputLayer",
    "Masking",
    "NotEqual",
}
"""What does nothing to the data when a network answers (a mask skips padding, which ours never
read)."""

READ = {
    "Embedding",
    "LSTM",
    "GRU",
    "SimpleRNN",
    "Bidirectional",
    "Dense",
    "TimeDistributed",
    "Activation",
    "ReLU",
    "Softmax",
    "LayerNormalization",
    "BatchNormalization",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "GlobalMaxPool1D",
}
"""What has equations here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KerasLayer:
    """One layer: its class, its options, and the name and place under which its weights lie.

    Args:
        kind: the class's name.
        name: the layer's own name.
        config: its options.
        place: how many layers of the same class stand before it in the description.
    """

    kind: str
    name: str
    config: dict[str, Any]
    place: int


def layers_of_config(config: Any) -> tuple[list[KerasLayer], list[KerasLayer]]:
    """The layers that lead from the input to the output, and all that the description lists.

    Raises:
        ModelError: code in the description, a layer without equations, branches.
    """
    try:
        return _layers(config)
    except ModelError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as error:
        raise ModelError(
            "A Keras model's description must be one that Keras writes.",
            expected="the JSON of model.to_json() or config.json",
            got=f"{type(error).__name__}: {str(error)[:120]}",
        ) from error


def _layers(config: Any) -> tuple[list[KerasLayer], list[KerasLayer]]:
    kind, inner = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional", "Model"):
        raise ModelError(
            "A Keras model must be a Sequential or a functional one.",
            expected="Sequential or Functional",
            got=str(kind)[:60],
            fix="a subclassed model is code: pass its weights to from_weights instead",
        )
    listed = inner["layers"] if isinstance(inner, Mapping) else inner
    counts: dict[str, int] = {}
    layers: dict[str, KerasLayer] = {}
    edges: dict[str, list[str]] = {}
    for described in listed:
        layer = _layer(described, counts)
        layers[layer.name] = layer
        edges[layer.name] = _sources(described.get("inbound_nodes") or [])
    every = list(layers.values())
    if kind == "Sequential":
        chain = every
    else:
        chain = _chain(layers, edges, _first_name(inner["output_layers"]))
    for layer in chain:
        if layer.kind not in READ and layer.kind not in IDENTITY:
            raise ModelError(
                "Every layer must be one that we have equations for.",
                expected=", ".join(sorted(READ)),
                got=f"{layer.kind} {layer.name!r}",
                fix="pass the part of the model that has these layers only",
            )
    return [layer for layer in chain if layer.kind in READ], every


def _layer(described: Any, counts: dict[str, int]) -> KerasLayer:
    kind, config = str(described["class_name"]), described["config"]
    if kind in ("Lambda", "Functional", "Sequential", "Model") or "__lambda__" in str(config):
        raise ModelError(
            "A description that holds code, or a model inside a model, is not read.",
            expected="plain layers",
            got=f"a {kind} layer",
            fix="replace a Lambda by a layer of Keras; flatten models inside models",
        )
    place = counts.get(kind, 0)
    counts[kind] = place + 1
    return KerasLayer(kind=kind, name=str(config["name"]), config=dict(config), place=place)


def _sources(nodes: Any) -> list[str]:
    """The layers whose outputs a layer is called on: its first argument, masks left aside."""
    if not nodes:
        return []
    first = nodes[0]
    if isinstance(first, Mapping):  # Keras 3
        found: list[str] = []
        _histories(first.get("args", []), found)
        return found
    if first and isinstance(first[0], str):  # Keras 2, one input without a list
        return [first[0]]
    return [one[0] for one in first]


def _histories(value: Any, found: list[str]) -> None:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            found.append(value["config"]["keras_history"][0])
    elif isinstance(value, list):
        for one in value:
            _histories(one, found)


def _first_name(outputs: Any) -> str:
    while isinstance(outputs, list):
        if len(outputs) > 1 and isinstance(outputs[0], list):
            raise ModelError("A network has one output.", got=f"{len(outputs)} in the description")
        outputs = outputs[0]
    return str(outputs)


def _chain(
    layers: dict[str, KerasLayer], edges: dict[str, list[str]], last: str
) -> list[KerasLayer]:
    chain, name = [], last
    for _ in range(len(layers) + 1):
        chain.append(layers[name])
        sources = edges[name]
        if not sources:
            return chain[::-1]
        if len(set(sources)) > 1:
            raise ModelError(
                "The layers must stand one above the other.",
                expected="one input a layer",
                got=f"{layers[name].kind} {name!r} with {', '.join(map(repr, sources[:4]))}",
            )
        name = sources[0]
    raise ModelError("The layers must stand one above the other.", got="a circle")
