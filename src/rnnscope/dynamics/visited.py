"""Steps that a network takes on text: the state before a word, the word, the state after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class VisitedSteps:
    """S steps drawn from documents. float64 on the CPU.

    Attributes:
        before: the state before the word, the initial state before a first word, (S, N).
        inputs: what the network read, (S, input_size).
        words: the row of the embedding, (S,); -1 where the network reads vectors.
        after: the state after it, (S, N).
        document: which document, (S,).
        place: how many words stand before this one, (S,).
    """

    before: Tensor
    inputs: Tensor
    words: Tensor
    after: Tensor
    document: Tensor
    place: Tensor

    def __len__(self) -> int:
        return len(self.before)

    def take(self, rows: Tensor) -> VisitedSteps:
        """Some of the steps: an index or a mask."""
        return VisitedSteps(**{name: value[rows] for name, value in vars(self).items()})


def one_system(model: Any) -> Model:
    """The model in float64 on the CPU, if it is one recurrent system whose last state is read.

    Raises:
        UsageError: not a model.
        NotApplicable: it reads in two directions, or its readout sees more than the last state.
    """
    if isinstance(model, Cell) or not isinstance(model, Model):
        raise UsageError(
            "Only a model reads documents.",
            expected="a rnnscope Model",
            got=type(model).__name__,
            fix="give the cell an embedding and a readout: Model(layers=..., embedding=...)",
        )
    if model.pooling != "last":
        raise NotApplicable(
            "Only where the last state is read does the state alone decide.",
            expected="a network with pooling='last'",
            got=model.pooling,
        )
    _ = model.cell  # a sentence where it is two systems
    return model.to(torch.float64, "cpu")


def initial_state(model: Model) -> Tensor:
    """The joint state of all layers before the first word, (N,) float64."""
    parts = [layer.directions[0].start for layer in model.layers]
    return torch.cat(parts, dim=-1).detach().to("cpu", torch.float64)


def visited_steps(
    model: Model, documents: Iterable[Any], *, count: int = 4000, rng: int = 0
) -> VisitedSteps:
    """Draw steps, every word of every document alike.

    Args:
        model: with one recurrent system; not changed.
        documents: token lists, index arrays, vectors, or a corpus.
        count: steps drawn at most.
        rng: seed of the draw.

    Raises:
        DataError: no documents.
        UsageError: ``count`` below 1.
        NotApplicable: the network is no single system, or reads in two directions.
    """
    if count < 1:
        raise UsageError("At least one step is drawn.", expected="count >= 1", got=str(count))
    model = one_system(model)
    encoded = model.encode(documents)
    if not encoded:
        raise DataError("Steps are drawn from documents.", got="none")
    lengths = torch.tensor([len(document) for document in encoded])
    total = int(lengths.sum())
    generator = torch.Generator().manual_seed(rng)
    chosen = torch.zeros(total, dtype=torch.bool)
    chosen[torch.randperm(total, generator=generator)[:count]] = True
    by_document = chosen.split(lengths.tolist())
    used = [k for k, rows in enumerate(by_document) if rows.any()]
    start = initial_state(model)[None]
    parts: list[VisitedSteps] = []
    for trajectory in model.trajectories([encoded[k] for k in used]):
        visited = trajectory.states  # joined anew each time that it is asked for
        for row, index in enumerate(trajectory.indices.tolist()):
            k = used[index]
            places = by_document[k].nonzero().squeeze(-1)
            states = torch.cat([start, visited[row, : lengths[k]]])
            read = torch.as_tensor(encoded[k])
            words, inputs = _read(model, read[places])
            parts.append(
                VisitedSteps(
                    before=states[places],
                    inputs=inputs,
                    words=words,
                    after=states[places + 1],
                    document=torch.full_like(places, k),
                    place=places,
                )
            )
    joined = {name: torch.cat([getattr(p, name) for p in parts]) for name in vars(parts[0])}
    order = (joined["document"] * (int(lengths.max()) + 1) + joined["place"]).argsort()
    return VisitedSteps(**joined).take(order)


def _read(model: Model, read: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of the embedding and vectors of what was read."""
    if model.embedding is None:
        return torch.full((len(read),), -1), read.to(torch.float64)
    return read, model.embedding[read].detach()
