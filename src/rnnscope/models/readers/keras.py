"""``from_keras``: a network out of a file that Keras 2 or 3 saved, without Keras.

LSTM         gates i, f, c, o in columns; one bias
GRU          gates z, r, h in columns; reset_after: bias (2, 3n), the reset acts after the product
SimpleRNN    one gate
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Activation, Affine, Cell, Norm
from rnnscope.data import Vocabulary
from rnnscope.errors import ModelError, UsageError
from rnnscope.models.layers import Direction, Layer
from rnnscope.models.model import Model
from rnnscope.models.readers import hdf5
from rnnscope.models.readers.assembly import Assembly, Predict, held_against
from rnnscope.models.readers.gates import ORDERS, OURS, Convention, cell_of
from rnnscope.models.readers.keras_config import KerasLayer, layers_of_config
from rnnscope.models.readers.keras_weights import weights_of
from rnnscope.models.readers.limits import (
    MAX_BYTES,
    Archive,
    parse_json,
    regular_file,
)
from rnnscope.models.readers.torch_names import batch_norm

KINDS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "vanilla"}
POOLS = {
    "GlobalAveragePooling1D": "mean",
    "GlobalMaxPooling1D": "max",
    "GlobalMaxPool1D": "max",
}
FUNCTIONS = {"relu", "tanh", "sigmoid", "silu", "swish", "elu", "softplus", "softsign"}


def from_keras(
    path: str | Path,
    *,
    config: str | Path | Mapping[str, Any] | None = None,
    vocabulary: Vocabulary | Sequence[str] | Mapping[str, int] | None = None,
    classes: Sequence[str] = (),
    predict: Predict | None = None,
    documents: Iterable[Any] | None = None,
    tolerance: float | None = None,
    max_bytes: int = MAX_BYTES,
    progress: bool = False,
) -> Model:
    """Read a network that Keras saved. Keras is not imported and nothing in the file is run.

    Embedding, LSTM, GRU, SimpleRNN, Bidirectional (concat), Dense, TimeDistributed(Dense),
    activations, LayerNormalization, BatchNormalization, global average and max pooling, one above
    the other; dropout, noise and masks are left out. Lambda layers and other code are refused.

    Args:
        path: ``.keras``; ``.h5`` of a whole model; or ``.weights.h5``, with ``config``.
        config: the architecture where the file has none: ``model.to_json()``, a path to it, or the
            mapping that it is.
        vocabulary: word k is row k of the embedding.
        classes: the names of the classes.
        predict: the original, to certify the model with, as
            ``lambda ids: keras_model(ids[None])``.
        documents: what to certify on; random ones when None. They hold no padding.
        tolerance: as in ``from_torch``.
        max_bytes: the most that the weights may take.
        progress: show a bar on standard error while documents are compared.

    Raises:
        UsageError: no such file, or h5py is not installed.
        ModelError: a damaged file, code, a layer or option without equations, or a difference above
            the tolerance.
    """
    file = regular_file(path, max_bytes)
    described = None if config is None else _description(config)
    if file.suffix == ".keras":
        archive = Archive(file, max_bytes)
        described = described or parse_json(archive.read("config.json"), "config.json")
        source: Path | bytes = archive.read("model.weights.h5")
    elif file.suffix in (".h5", ".hdf5"):
        source = file
    else:
        raise UsageError(
            "A Keras file is told by its ending.",
            expected=".keras, .h5, .hdf5 or .weights.h5",
            got=file.name,
        )
    with hdf5.opened(source, str(file)) as opened:
        if described is None:
            described = _own_description(opened, file)
        chain, _ = layers_of_config(described)
        assembly = Assembly()
        for layer in chain:
            weights = weights_of(opened, layer, max_bytes) if _has_weights(layer) else []
            _add(assembly, layer, weights)
    model = assembly.model(
        source=f"Keras file {file.name}",
        vocabulary=None if vocabulary is None else Vocabulary.of(vocabulary),
        classes=classes,
    )
    return held_against(model, predict, documents, tolerance, progress=progress)


def _description(config: Any) -> Any:
    if isinstance(config, Mapping):
        return config
    if isinstance(config, str) and config.lstrip().startswith("{"):
        return parse_json(config, "config")
    return parse_json(regular_file(config, 2**26).read_bytes(), str(config))


def _own_description(opened: Any, file: Path) -> Any:
    text = opened.attrs.get("model_config")
    if text is None:
        raise UsageError(
            "A file of weights alone needs the architecture beside it.",
            expected="config=, the JSON of model.to_json()",
            got=f"{file.name}, which has no description",
        )
    return parse_json(hdf5.text(text), "model_config")


def _has_weights(layer: KerasLayer) -> bool:
    return layer.kind not in ("Activation", "ReLU", "Softmax", *POOLS)


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """One recurrent layer's options."""

    kind: str
    config: dict[str, Any]

    @property
    def backwards(self) -> bool:
        return bool(self.config.get("go_backwards"))

    @property
    def sequences(self) -> bool:
        return bool(self.config.get("return_sequences"))


def _add(assembly: Assembly, layer: KerasLayer, weights: list[Tensor]) -> None:
    kind, config = layer.kind, layer.config
    if kind == "Embedding":
        assembly.embed(weights[0])
    elif kind in KINDS:
        _recur(assembly, layer, _Cell(kind=kind, config=config), weights)
    elif kind == "Bidirectional":
        _bidirectional(assembly, layer, weights)
    elif kind in POOLS:
        assembly.pool(POOLS[kind])
    elif kind == "TimeDistributed":
        inner = config["layer"]
        if inner["class_name"] != "Dense":
            raise _no_equations(layer, f"TimeDistributed({inner['class_name']})")
        _dense(assembly, layer, inner["config"], weights)
    elif kind == "Dense":
        _dense(assembly, layer, config, weights)
    elif kind in ("Activation", "ReLU", "Softmax"):
        name = {"ReLU": "relu", "Softmax": "softmax"}.get(kind) or config.get("activation")
        if kind == "ReLU" and any(
            config.get(k) for k in ("max_value", "negative_slope", "threshold")
        ):
            raise _no_equations(layer, "a ReLU with options")
        _function(assembly, layer, name)
    elif kind == "LayerNormalization":
        size = len(weights[0]) if weights else 0
        gamma, beta = _scale_and_center(config, weights, size)
        assembly.apply(Norm(weight=gamma, bias=beta, eps=float(config.get("epsilon", 1e-3))))
    elif kind == "BatchNormalization":
        *first, mean, variance = weights
        gamma, beta = _scale_and_center(config, first, len(mean))
        eps = float(config.get("epsilon", 1e-3))
        assembly.apply(batch_norm(mean, variance, {"weight": gamma, "bias": beta}, eps))
    else:
        raise _no_equations(layer, kind)


def _recur(assembly: Assembly, layer: KerasLayer, cell: _Cell, weights: list[Tensor]) -> None:
    direction = Direction(cell=_cell(layer, cell, weights), reverse=cell.backwards)
    if cell.backwards and cell.sequences:
        raise _no_equations(layer, "go_backwards with return_sequences, whose output is turned")
    assembly.recur(Layer(directions=(direction,)))
    if not cell.sequences:
        assembly.pool("last")


def _bidirectional(assembly: Assembly, layer: KerasLayer, weights: list[Tensor]) -> None:
    config = layer.config
    if config.get("merge_mode", "concat") != "concat":
        raise _no_equations(layer, f"merge_mode={config.get('merge_mode')!r}")
    inner = config["layer"]
    ahead = _Cell(kind=inner["class_name"], config=inner["config"])
    back = config.get("backward_layer") or inner
    behind = _Cell(kind=back["class_name"], config=back["config"])
    half = len(weights) // 2
    if {ahead.kind, behind.kind} - set(KINDS) or ahead.backwards or half * 2 != len(weights):
        raise _no_equations(layer, f"Bidirectional({ahead.kind})")
    assembly.recur(
        Layer(
            directions=(
                Direction(cell=_cell(layer, ahead, weights[:half])),
                Direction(cell=_cell(layer, behind, weights[half:]), reverse=True),
            )
        )
    )
    if not ahead.sequences:
        assembly.pool("last")


def _cell(layer: KerasLayer, cell: _Cell, weights: list[Tensor]) -> Cell:
    kind, config = KINDS[cell.kind], cell.config
    activation = _name(config.get("activation", "tanh"))
    gate = _name(config.get("recurrent_activation", "sigmoid"))
    allowed = ("tanh", "relu") if kind == "vanilla" else ("tanh",)
    if activation not in allowed or (kind != "vanilla" and gate != "sigmoid"):
        raise _no_equations(layer, f"activation={activation!r}, recurrent_activation={gate!r}")
    if len(weights) != 2 + bool(config.get("use_bias", True)):
        raise ModelError(
            "A recurrent layer has a kernel, a recurrent kernel and perhaps a bias.",
            got=f"{len(weights)} arrays of {layer.name!r}",
        )
    b = weights[2] if len(weights) > 2 else None
    a = None
    after = bool(config.get("reset_after", b is not None and b.ndim == 2))
    if b is not None and b.ndim == 2:
        b, a = b[0], b[1]
    return cell_of(
        kind,
        ORDERS["keras"].get(kind) or OURS[kind],
        weights[0].mT,
        weights[1].mT,
        b,
        a,
        reset_first=not after,
        convention=Convention(nonlinearity=activation),
    )


def _dense(
    assembly: Assembly, layer: KerasLayer, config: Mapping[str, Any], weights: list[Tensor]
) -> None:
    weight = weights[0].mT.contiguous()
    bias = weights[1] if len(weights) > 1 else weight.new_zeros(len(weight))
    assembly.apply(Affine(weight=weight, bias=bias))
    _function(assembly, layer, config.get("activation"))


def _function(assembly: Assembly, layer: KerasLayer, value: Any) -> None:
    name = _name(value)
    if name in (None, "linear", "softmax", "log_softmax"):
        assembly.closed = name in ("softmax", "log_softmax")
        return
    if name not in FUNCTIONS:
        raise _no_equations(layer, f"activation={name!r}")
    assembly.apply(Activation(name="silu" if name == "swish" else str(name)))


def _name(value: Any) -> Any:
    if isinstance(value, Mapping):
        config = value.get("config")
        value = config if isinstance(config, str) else value.get("class_name")
        value = str(value).lower()
    return value


def _scale_and_center(
    config: Mapping[str, Any], weights: list[Tensor], size: int
) -> tuple[Tensor, Tensor]:
    rest = list(weights)
    gamma = rest.pop(0) if config.get("scale", True) and rest else torch.ones(size)
    beta = rest.pop(0) if config.get("center", True) and rest else torch.zeros(size)
    return gamma, beta


def _no_equations(layer: KerasLayer, what: str) -> ModelError:
    return ModelError(
        "Every layer must be one that we have equations for.",
        got=f"{layer.name!r}: {what}",
        fix="rnnscope.Autodiff takes any step; see docs/import.md",
    )
