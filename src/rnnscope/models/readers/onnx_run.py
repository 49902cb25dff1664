"""Running a graph on one document, operation by operation, and what its parts read and put out.

Only the operations that exports of recurrent classifiers hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Affine, Norm, Pointwise
from rnnscope.errors import ModelError, RnnscopeError
from rnnscope.models.layers import run
from rnnscope.models.readers.onnx_file import Graph, Node
from rnnscope.models.readers.onnx_operations import OPERATIONS
from rnnscope.models.readers.onnx_recurrent import KINDS, layer_of
from rnnscope.models.trace import Piece, Trace

Values = dict[str, Any]


def run_graph(graph: Graph, feeds: dict[str, np.ndarray]) -> Trace:
    """The pieces of the graph on one document, and its first output.

    Raises:
        ModelError: an operation that is not known, or that does not fit its inputs.
    """
    values: Values = {**graph.constants, **feeds, "": None}
    constant = set(graph.constants)
    pieces: list[Piece] = []
    for node in graph.nodes:
        try:
            given = [values[name] for name in node.inputs]
            known = [name in constant for name in node.inputs]
            if node.op in KINDS:
                results = _recur(node, given, pieces)
            else:
                result = _plain(node, given)
                results = result if isinstance(result, tuple) else (result,)
                _piece(node, given, known, results[0], pieces)
            if (node.inputs and all(known)) or node.op == "Constant":
                constant |= set(node.outputs)
        except RnnscopeError:
            raise
        except Exception as error:
            raise ModelError(
                "Every operation must fit what it is given.",
                got=f"{node.op} {node.name!r}: {type(error).__name__}: {str(error)[:120]}",
            ) from error
        values |= dict(zip(node.outputs, results, strict=False))
    missing = [name for name in graph.outputs if name not in values]
    if missing:
        raise ModelError("A graph must make its outputs.", got=f"no {missing[0]!r}")
    output = torch.from_numpy(np.array(values[graph.outputs[0]]))
    return Trace(pieces=tuple(pieces), output=output)


def _recur(node: Node, given: list[Any], pieces: list[Piece]) -> tuple[Any, ...]:
    layer, starts = layer_of(node, given)
    x = torch.from_numpy(np.array(given[0]))
    if x.ndim != 3 or x.shape[1] != 1:
        raise ModelError("A document is run alone.", got=f"an input of shape {tuple(x.shape)}")
    lengths = torch.tensor([len(x)])
    runs = [run(d, d.cell.drive(x[:, 0][None]), lengths) for d in layer.directions]
    y = torch.cat([one.outputs[0] for one in runs], dim=-1)
    pieces.append(Piece(name=node.name, part=None, x=x[:, 0], y=y, starts=starts, layers=(layer,)))
    cells = [one.direction.cell for one in runs]
    Y = torch.stack([one.outputs[0] for one in runs], dim=1)[:, :, None]
    finals = [one.final for one in runs]
    Y_h = torch.stack([cell.output(f) for cell, f in zip(cells, finals, strict=True)])
    Y_c = torch.stack([cell.memory(f) for cell, f in zip(cells, finals, strict=True)])
    return Y.numpy(), Y_h.numpy(), Y_c.numpy()


def _piece(
    node: Node, given: list[Any], known: list[bool], result: Any, pieces: list[Piece]
) -> None:
    """What an operation with constants is as a part of a network."""
    if node.op == "Gather" and known[0] and not known[1] and given[0].ndim == 2:
        if node.attributes.get("axis", 0) == 0:
            table = torch.from_numpy(np.array(given[0]))
            pieces.append(Piece(name=node.name, part=None, x=None, y=_rows(result), table=table))
        return
    found = _step(node, given, known)
    if found is not None:
        step, x = found
        pieces.append(Piece(name=node.name, part=None, x=_rows(x), y=_rows(result), step=step))


def _step(node: Node, given: list[Any], known: list[bool]) -> tuple[Pointwise, Any] | None:
    op = node.op
    if op not in ("MatMul", "Gemm", "Add", "Sub", "Mul", "Div", "LayerNormalization"):
        return None
    if len(known) < 2 or known[0] == known[1]:
        return None
    x, other = (given[0], given[1]) if known[1] else (given[1], given[0])
    weight = torch.from_numpy(np.array(other))
    if not weight.is_floating_point():
        return None
    if op == "LayerNormalization":
        bias = torch.from_numpy(np.array(given[2])) if len(given) > 2 else torch.zeros_like(weight)
        if node.attributes.get("axis", -1) not in (-1, np.ndim(x) - 1):
            return None
        eps = float(node.attributes.get("epsilon", 1e-5))
        return Norm(weight=weight, bias=bias, eps=eps), x
    if op == "MatMul" and known[1] and weight.ndim == 2:
        return Affine(weight=weight.mT.contiguous(), bias=weight.new_zeros(weight.shape[1])), x
    if op == "Gemm" and known[1] and not node.attributes.get("transA", 0):
        W = weight if node.attributes.get("transB", 0) else weight.mT
        W = float(node.attributes.get("alpha", 1.0)) * W
        bias = weight.new_zeros(len(W))
        if len(given) > 2 and given[2] is not None:
            bias = float(node.attributes.get("beta", 1.0)) * torch.from_numpy(np.array(given[2]))
        return Affine(weight=W.contiguous(), bias=bias.expand(len(W)).clone()), x
    width = np.shape(x)[-1] if np.ndim(x) else 0
    if op in ("MatMul", "Gemm") or weight.numel() not in (1, width) or not width:
        return None
    if (op == "Sub" or op == "Div") and known[0]:
        return None
    row = weight.reshape(-1).expand(width)
    one, zero = torch.ones_like(row), torch.zeros_like(row)
    scale = {"Mul": row, "Div": 1 / row}.get(op, one)
    shift = {"Add": row, "Sub": -row}.get(op, zero)
    return Affine(weight=torch.diag(scale), bias=shift.clone()), x


def _rows(value: Any) -> Tensor:
    tensor = torch.from_numpy(np.array(value))
    return tensor.reshape(-1, tensor.shape[-1]) if tensor.ndim else tensor.reshape(1, 1)


def _plain(node: Node, given: list[Any]) -> Any:
    operation = OPERATIONS.get(node.op)
    if operation is None:
        raise ModelError(
            "Every operation must be one that we know.",
            expected=", ".join([*KINDS, *sorted(OPERATIONS)]),
            got=f"{node.op} {node.name!r}",
        )
    return operation(given, node.attributes)
