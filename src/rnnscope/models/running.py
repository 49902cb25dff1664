"""A network run on encoded documents: batches of similar lengths whole, very long ones in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Cell, through
from rnnscope.data import bucketed
from rnnscope.models.layers import Readout, Run, run
from rnnscope.models.streaming import (
    can_stream,
    pooled_in_stretches,
    split_by_length,
    states_in_stretches,
    steps_at_once,
)
from rnnscope.models.trajectory import Trajectory, pool
from rnnscope.progress import told

if TYPE_CHECKING:
    from rnnscope.models.model import Model


@torch.no_grad()
def run_batch(
    model: Model, encoded: Sequence[np.ndarray], indices: Any, *, gates: bool = False
) -> Trajectory:
    """Documents as one batch, in the model's own dtype whatever autocast says."""
    with torch.autocast(model.device.type, enabled=False):
        lengths = torch.tensor([len(document) for document in encoded], device=model.device)
        inputs, drive = padded_inputs(model, encoded)
        layers: list[tuple[Run, ...]] = []
        for layer in model.layers:
            runs = tuple(
                run(d, drive(d.cell) if drive else d.cell.drive(inputs), lengths, gates=gates)
                for d in layer.directions
            )
            layers.append(runs)
            inputs, drive = torch.cat([one.outputs for one in runs], dim=-1), None
        pooled = through(model.head, pool(layers[-1], model.pooling, model.attention))
        logits = None
        if model.readout is not None:
            logits = pooled @ model.readout.weight.mT + model.readout.bias
        return Trajectory(
            indices=torch.as_tensor(np.asarray(indices)),
            lengths=lengths,
            layers=tuple(layers),
            pooled=pooled,
            logits=logits,
        )


def padded_inputs(
    model: Model, encoded: Sequence[np.ndarray]
) -> tuple[Tensor, Callable[[Cell], Tensor] | None]:
    """The padded inputs, and for words a quicker way to the drive: once per distinct word."""
    longest = max(len(document) for document in encoded)
    if model.embedding is None:
        padded = torch.zeros(
            len(encoded), longest, model.input_size, dtype=model.dtype, device=model.device
        )
        for row, document in enumerate(encoded):
            values = torch.as_tensor(document, dtype=model.dtype, device=model.device)
            padded[row, : len(document)] = values
        return padded, None
    ids = np.zeros((len(encoded), longest), dtype=np.int64)
    for row, document in enumerate(encoded):
        ids[row, : len(document)] = document
    words, where = np.unique(ids, return_inverse=True)
    vectors = model.embedding[torch.as_tensor(words, device=model.device)]
    index = torch.as_tensor(where.reshape(ids.shape), device=model.device)
    return vectors, lambda cell: cell.drive(vectors)[index]


def logits_of(model: Model, readout: Readout, encoded: Sequence[np.ndarray]) -> Tensor:
    """See ``Model.logits``."""
    result = readout.weight.new_empty(len(encoded), len(model.classes))
    tokens = steps_at_once(model)
    batches = bucketed([len(document) for document in encoded], tokens=tokens)
    for batch in told(batches, "running", total=len(encoded), size=len):
        if len(encoded[batch[0]]) > tokens and can_stream(model):
            for k in batch:
                pooled = through(model.head, pooled_in_stretches(model, encoded[k], tokens))
                result[int(k)] = (pooled @ readout.weight.mT + readout.bias)[0]
            continue
        trajectory = run_batch(model, [encoded[k] for k in batch], batch)
        if trajectory.logits is not None:
            result[trajectory.indices] = trajectory.logits
    return result


def final_states_of(model: Model, encoded: Sequence[np.ndarray]) -> Tensor:
    """See ``Model.final_states``."""
    states = torch.empty(len(encoded), model.cell.state_size, dtype=model.dtype)
    tokens = steps_at_once(model)
    short, long = split_by_length(encoded, tokens)
    batches = bucketed([len(encoded[k]) for k in short], tokens=tokens)
    for batch in told(batches, "running", total=len(short), size=len):
        rows = [short[k] for k in batch]
        states[rows] = run_batch(model, [encoded[k] for k in rows], rows).final().cpu()
    for k in long:
        for part in states_in_stretches(model, encoded[k], tokens):
            states[k] = part[-1].cpu()
    return states
