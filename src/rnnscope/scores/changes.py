"""What a network says of a text as it is read, and of the text with words taken out, put in, moved.

All changes of a text are run in one batch. The states before a change are those of the text itself,
so each change joins the batch at the first word that differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import DataError, NotApplicable
from rnnscope.models import Model
from rnnscope.numerics import flushed_denormals
from rnnscope.scores.suffixes import system_of

NOTHING = -1
"""The index, in a changed text, of a vector of zeros in the place of a word."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A text of T words read word by word, and changed versions of it.

    Args:
        states: (T + 1, N), before the first word and after each; None where the network reads in
            two directions and has no one state.
        steps: (T + 1, classes), the logits of the text so far; of no words at first.
        changed: (changes, classes), the logits of each changed version.
    """

    states: Tensor | None
    steps: Tensor
    changed: Tensor


@torch.no_grad()
def read_changes(model: Model, document: np.ndarray, changes: Sequence[np.ndarray] = ()) -> Reading:
    """Read a text, and changed versions of it.

    Exact: every version is run on the network itself. Of a text without words the readout sees
    the state before the first word.

    Args:
        model: the network, with an embedding and a readout that is linear in the states.
        document: the text's word indices, (T,).
        changes: word indices of each version, of any length; ``NOTHING`` for a vector of zeros.

    Raises:
        NotApplicable: the network reads vectors, or has no such readout.
        DataError: a text without words, or an index out of range.
    """
    model.require_readout()
    if model.embedding is None:
        raise NotApplicable(
            "Words are changed in a network that reads words.",
            expected="a network with an embedding",
            got="one that reads vectors",
        )
    words = len(model.embedding)
    versions = [np.asarray(change, dtype=np.int64) for change in (document, *changes)]
    flat = np.concatenate(versions)
    if not len(versions[0]) or flat.min() < NOTHING or flat.max() >= words:
        raise DataError(
            "A text to change is word indices.",
            expected=f"one or more from 0 to {words - 1}, and {NOTHING} in changes for nothing",
            got=str(versions[0].tolist())[:80],
        )
    forward = all(
        len(layer.directions) == 1 and not layer.directions[0].reverse for layer in model.layers
    )
    with flushed_denormals():
        if forward and model.pooling == "last":
            return _shared(model, versions[0], versions[1:])
        return _anew(model, versions[0], versions[1:], forward)


def _shared(model: Model, document: np.ndarray, versions: list[np.ndarray]) -> Reading:
    """Row 0 is the text; the versions follow in the order in which they part from it."""
    parting = np.array([_first_difference(document, one) for one in versions], dtype=np.int64)
    order = np.argsort(parting, kind="stable")
    rows = [document, *(versions[k] for k in order)]
    joins = np.concatenate([[0], parting[order]])
    lengths = np.array([len(row) for row in rows])
    steps = int(lengths.max())
    padded = np.full((len(rows), steps), document[0])
    for k, row in enumerate(rows):
        padded[k, : len(row)] = row
    drive, read = _drives(model, padded)

    system = system_of(model.cell)
    first = system.start(torch.cat([layer.directions[0].start for layer in model.layers]))
    state = tuple(part.expand(len(rows), -1).clone() for part in first)
    ends = system.output(state).clone()
    states, outputs = [_joined(state)], [ends[0].clone()]
    joined = 1
    for t in range(steps):
        arriving = int(np.searchsorted(joins, t, side="right"))
        for part in state:
            part[joined:arriving] = part[:1]
        joined = arriving
        own = tuple(part[:joined] for part in state)
        system.step(drive, read[t, :joined], own)
        output = system.output(own)
        ending = torch.as_tensor(np.flatnonzero(lengths[:joined] == t + 1))
        ends[ending] = output[ending]
        if t < len(document):
            states.append(_joined(state))
            outputs.append(output[0].clone())
    # A version that ends where it parts from the text saw what the text had shown by then.
    for k in np.flatnonzero(joins >= lengths):
        ends[k] = outputs[lengths[k]]
    readout = model.require_readout()
    logits = ends[1:] @ readout.weight.mT + readout.bias
    back = np.argsort(order, kind="stable")
    return Reading(
        states=torch.stack(states),
        steps=torch.stack(outputs) @ readout.weight.mT + readout.bias,
        changed=logits[torch.as_tensor(back)],
    )


def _drives(model: Model, padded: np.ndarray) -> tuple[Tensor, Tensor]:
    """The drive of each distinct word, and (steps, rows) which of them is read."""
    table = cast(Tensor, model.embedding)
    place = np.zeros(len(table) + 1, dtype=np.int64)
    place[padded - NOTHING] = 1
    words = np.flatnonzero(place) + NOTHING
    place[words - NOTHING] = np.arange(len(words))
    read = torch.as_tensor(np.ascontiguousarray(place[padded - NOTHING].T))
    return model.cell.drive(_vectors(model, words)), read.to(model.device)


def _vectors(model: Model, words: np.ndarray) -> Tensor:
    table = cast(Tensor, model.embedding)
    vectors = table[torch.as_tensor(words.clip(min=0), device=model.device)].clone()
    vectors[torch.as_tensor(words == NOTHING)] = 0
    return vectors


def _joined(state: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([part[0] for part in state])


def _first_difference(document: np.ndarray, version: np.ndarray) -> int:
    least = min(len(document), len(version))
    differs = np.flatnonzero(document[:least] != version[:least])
    return int(differs[0]) if len(differs) else least


def _anew(model: Model, document: np.ndarray, versions: list[np.ndarray], forward: bool) -> Reading:
    """Every version from its first word on: for networks that see a change everywhere."""
    readout, table = model.require_readout(), cast(Tensor, model.embedding)
    nothing = len(table)
    table = torch.cat([table, torch.zeros_like(table[:1])])
    padded = replace(model, embedding=table, vocabulary=None)
    ends = [d.cell.output(d.start) for d in model.layers[-1].directions]
    none = readout.weight @ torch.cat(ends) + readout.bias

    def logits(documents: list[np.ndarray]) -> Tensor:
        found = none.expand(len(documents), -1).clone()
        rows = [k for k, one in enumerate(documents) if len(one)]
        if rows:
            given = [np.where(documents[k] == NOTHING, nothing, documents[k]) for k in rows]
            found[rows] = padded.logits(given)
        return found

    states = None
    if forward:
        start = torch.cat([layer.directions[0].start for layer in model.layers])
        states = torch.cat([start[None], model.trajectory([document]).states[0]])
    return Reading(
        states=states,
        steps=logits([document[:t] for t in range(len(document) + 1)]),
        changed=logits(versions),
    )
