"""An ONNX file as a graph of plain arrays: weighed first, nothing fetched from other files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from rnnscope.errors import ModelError, RnnscopeError
from rnnscope.models.readers.limits import check_size, damaged, needs, regular_file

NODES = 20_000
"""The most nodes of a graph; recurrent networks have tens."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """One operation."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Input:
    """What the graph is fed: its name, dims (None where free) and whether it is whole numbers."""

    name: str
    dims: tuple[int | None, ...]
    whole: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """The operations in their order, the constants, what goes in, and what comes out."""

    nodes: tuple[Node, ...]
    constants: dict[str, np.ndarray]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]


def graph_of(path: str | Path, max_bytes: int) -> Graph:
    """Read a file.

    Raises:
        UsageError: no such file, or the onnx package is not installed.
        ModelError: damaged, too large, or with weights in other files.
    """
    file = regular_file(path, max_bytes)
    try:
        onnx: Any = import_module("onnx")
    except ImportError as error:
        raise needs("onnx", "onnx", "ONNX files") from error
    try:
        graph = onnx.load_model(str(file), load_external_data=False).graph
        if len(graph.node) > NODES or not graph.node or not graph.output:
            raise ModelError(
                "A graph has operations and an output.",
                expected=f"1 to {NODES:,} operations",
                got=f"{len(graph.node):,}",
            )
        constants = {one.name: _array(one, max_bytes) for one in graph.initializer}
        check_size(sum(a.nbytes for a in constants.values()), max_bytes, str(file))
        nodes = tuple(_node(one, k, max_bytes) for k, one in enumerate(graph.node))
        inputs = tuple(_input(one) for one in graph.input if one.name not in constants)
        outputs = tuple(one.name for one in graph.output)
    except RnnscopeError:
        raise
    except Exception as error:  # protobuf and onnx raise their own
        raise damaged(str(file), error) from error
    return Graph(nodes=nodes, constants=constants, inputs=inputs, outputs=outputs)


def _array(tensor: Any, max_bytes: int) -> np.ndarray:
    onnx: Any = import_module("onnx")

    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelError(
            "A network's weights must be in the file itself.",
            got=f"{tensor.name!r}, which names another file",
            fix="save it again with save_as_external_data=False",
        )
    check_size(8 * math.prod(tensor.dims), max_bytes, tensor.name)
    return np.array(onnx.numpy_helper.to_array(tensor))


def _node(node: Any, k: int, max_bytes: int) -> Node:
    onnx: Any = import_module("onnx")

    attributes: dict[str, Any] = {}
    for one in node.attribute:
        if one.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
            raise ModelError(
                "A graph must be one straight run.",
                got=f"{node.op_type}, which holds a graph of its own",
                fix="export with fixed recurrent operators: LSTM, GRU or RNN",
            )
        if one.type == onnx.AttributeProto.TENSOR:
            attributes[one.name] = _array(one.t, max_bytes)
        else:
            value = onnx.helper.get_attribute_value(one)
            if isinstance(value, list):
                value = [v.decode() if isinstance(v, bytes) else v for v in value]
            attributes[one.name] = value.decode() if isinstance(value, bytes) else value
    return Node(
        op=node.op_type,
        name=node.name or f"{node.op_type} {k}",
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes=attributes,
    )


def _input(value: Any) -> Input:
    kind = value.type.tensor_type
    dims = tuple(d.dim_value or None for d in kind.shape.dim)
    return Input(name=value.name, dims=dims, whole=kind.elem_type in (6, 7, 5, 3))
