"""``from_onnx``: a network out of an ONNX file, without the framework that exported it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnscope.data import Vocabulary
from rnnscope.errors import ModelError
from rnnscope.models.chain import above, below
from rnnscope.models.model import Model
from rnnscope.models.readers.assembly import Predict, held_against
from rnnscope.models.readers.limits import MAX_BYTES
from rnnscope.models.readers.onnx_file import Graph, Input, graph_of
from rnnscope.models.readers.onnx_run import run_graph
from rnnscope.models.trace import Trace

LENGTH = 7
"""Steps of the document on which the chain is looked for."""


def from_onnx(
    path: str | Path,
    *,
    vocabulary: Vocabulary | Sequence[str] | Mapping[str, int] | None = None,
    pooling: str | None = None,
    classes: Sequence[str] = (),
    predict: Predict | None = None,
    documents: Iterable[Any] | None = None,
    tolerance: float | None = None,
    max_bytes: int = MAX_BYTES,
    progress: bool = False,
) -> Model:
    """Read a network with RNN, GRU or LSTM operators out of an ONNX file.

    The graph is run here on one document, operation by operation, and the chain from the words to
    the output is found by what each part read and put out, as ``from_torch`` finds it.

    Args:
        path: the ``.onnx`` file; its weights must be in it.
        vocabulary: word k is row k of the embedding.
        pooling: what the readout sees; found out when None.
        classes: the names of the classes.
        predict: the original, to certify the model with: for onnxruntime
            ``lambda ids: session.run(None, {"ids": ids[None]})[0]``.
        documents: what to certify on; random ones when None.
        tolerance: as in ``from_torch``.
        max_bytes: the most that the weights may take.
        progress: show a bar on standard error while documents are compared.

    Raises:
        UsageError: no such file, or the onnx package is not installed.
        ModelError: a damaged file, an operation or option without equations, a graph that is no
            chain, or a difference above the tolerance.
    """
    graph = graph_of(path, max_bytes)
    failures: list[ModelError] = []
    for turned in (False, True):
        try:
            trace, document = _trace(graph, turned)
            chain = below(trace, document, None, None)
            bare = Model(layers=chain.layers, embedding=chain.table)
            top = bare.trajectory([document.numpy()]).layers[-1]
            outputs = torch.cat([one.outputs for one in top], dim=-1)[0]
            final = torch.cat([one.direction.cell.output(one.final) for one in top], dim=-1)
            if any(piece.step is not None for piece in trace.pieces):
                chain = above(chain, trace, outputs, final, (), pooling=pooling, readout=None)
        except ModelError as error:
            failures.append(error)
            continue
        model = Model(
            layers=chain.layers,
            embedding=chain.table,
            vocabulary=None if vocabulary is None else Vocabulary.of(vocabulary),
            readout=chain.readout,
            pooling=chain.pooling,
            head=chain.head,
            attention=chain.attention,
            classes=tuple(map(str, classes)),
            record={"source": f"ONNX file {Path(path).name}"},
        )
        return held_against(model, predict, documents, tolerance, progress=progress)
    raise failures[0]


def _trace(graph: Graph, turned: bool) -> tuple[Trace, torch.Tensor]:
    """One run on a random document, given as (1, T) or, turned, as (T, 1)."""
    if not graph.inputs:
        raise ModelError("A network reads something.", got="a graph without inputs")
    rng = np.random.default_rng(0)
    first, *others = graph.inputs
    length = _length(first, turned)
    if first.whole:
        rows = _rows(graph)
        document = rng.integers(min(1, rows - 1), rows, size=length)
        fed = document[:, None] if turned else document[None]
        fed = document if len(first.dims) == 1 else fed
    else:
        width = first.dims[-1] if first.dims else None
        if width is None:
            raise ModelError("The width of the input must be in the file.", got=str(first.dims))
        document = rng.normal(size=(length, width)).astype(np.float32)
        fed = document[:, None] if turned else document[None]
    feeds = {first.name: fed}
    for other in others:
        dims = tuple(1 if n is None else n for n in other.dims)
        if other.whole:
            feeds[other.name] = np.full(dims, length, dtype=np.int64)
        else:
            feeds[other.name] = np.zeros(dims, dtype=np.float32)
    return run_graph(graph, feeds), torch.from_numpy(document)


def _length(given: Input, turned: bool) -> int:
    """How many steps the input has: its own number where the export fixed one."""
    place = 0 if turned or len(given.dims) == 1 else 1
    fixed = given.dims[place] if len(given.dims) > place else None
    return fixed if fixed is not None and 1 < fixed <= 10_000 else LENGTH


def _rows(graph: Graph) -> int:
    for node in graph.nodes:
        table = graph.constants.get(node.inputs[0]) if node.inputs else None
        if node.op == "Gather" and table is not None and table.ndim == 2:
            return len(table)
    raise ModelError("Words are read through a table.", got="a graph without an embedding")
