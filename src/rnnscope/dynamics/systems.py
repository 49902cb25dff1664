"""Which dynamical system of a network is studied.

A stack of layers that read one way is one system in the joint state of its layers. One of them
alone is a system too, once its input, what the layers below put out, is held fixed. A bidirectional
layer is two systems that never meet: one reads the document, the other reads it from its end.
Pooling, attention and the readout see states and act on none, so they take no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.data import Vocabulary
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Direction, Model, Trajectory
from rnnscope.notebook import ShowsItself

FORWARD, BACKWARD = "forward", "backward"


@dataclass(frozen=True, kw_only=True, eq=False)
class Visits:
    """States visited on a batch of runs, and what was read there.

    Attributes:
        states: (B, T, N); rows beyond a run's length are meaningless.
        inputs: (B, T, input_size), of a layer that reads another one; else None.
        lengths: (B,).
    """

    states: Tensor
    inputs: Tensor | None
    lengths: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class System(ShowsItself):
    """One dynamical system of a network, ``h' = F(h, x)``; made by ``study_system``.

    It can stand wherever the dynamics half takes a model: documents, words and the mean embedding
    mean what they mean to the network as far as this system reads them, and the readout is the part
    of it that looks at this system.

    Attributes:
        name: what it is, in words.
        cell: its equations, as the network holds them.
        model: the network; None for a bare cell.
        layer: which layer it is, from 0; None for all of them jointly.
        direction: "forward" or "backward".
    """

    name: str
    cell: Cell
    model: Model | None = None
    layer: int | None = None
    direction: str = FORWARD

    @classmethod
    def of(cls, network: Any) -> System:
        """The system that a model is as a whole; a bare cell's; or a system as it is.

        Raises:
            NotApplicable: the network reads in two directions.
            UsageError: it is none of these.
        """
        if isinstance(network, System):
            return network
        if isinstance(network, Cell):
            return cls(name=network.kind, cell=network)
        if not isinstance(network, Model):
            raise UsageError(
                "Dynamics are those of a model or of a cell.",
                expected="a rnnscope Model, System or Cell",
                got=type(network).__name__,
                fix="read a torch module with from_torch(module)",
            )
        reverse = network.layers[0].directions[0].reverse
        return cls(
            name=network.architecture,
            cell=network.cell,
            model=network,
            direction=BACKWARD if reverse else FORWARD,
        )

    @property
    def reads_data(self) -> bool:
        """Whether its input is the network's own, and not the output of the layer below."""
        return self.layer is None or self.layer == 0

    @property
    def input_width(self) -> int:
        """Width of what the whole network reads."""
        return self.cell.input_size if self.model is None else self.model.input_size

    @property
    def embedding(self) -> Tensor | None:
        """The vectors of the words it reads, (words, input_size); None where it reads no words."""
        return self.model.embedding if self.model is not None and self.reads_data else None

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The words it reads; None where it reads none."""
        return None if self.embedding is None or self.model is None else self.model.vocabulary

    @property
    def contrast(self) -> Tensor | None:
        """The part of the readout's contrast that looks at its output, (hidden_size,); None where
        the readout does not."""
        if self.model is None or self.model.contrast is None:
            return None
        top = self.model.layers[-1]
        if self.layer not in (None, len(self.model.layers) - 1):
            return None
        widths = [direction.cell.hidden_size for direction in top.directions]
        return self.model.contrast.split(widths)[self._place(len(self.model.layers) - 1)]

    @property
    def fingerprint(self) -> str | None:
        """The whole network's; None for a bare cell."""
        return None if self.model is None else self.model.fingerprint

    @property
    def start(self) -> Tensor:
        """The state before the first input, (N,)."""
        if self.model is None:
            return self.cell.initial_state()
        layers = range(len(self.model.layers)) if self.layer is None else (self.layer,)
        parts = [self.model.layers[k].directions[self._place(k)].start for k in layers]
        return torch.cat(parts, dim=-1)

    @property
    def reads_backwards(self) -> bool:
        """Whether it starts at a document's end."""
        return self.direction == BACKWARD

    def visits(self, documents: Iterable[Any]) -> Iterator[Visits]:
        """Run the network on documents, batch by batch.

        Raises:
            UsageError: a bare cell reads no documents.
        """
        if self.model is None:
            raise UsageError(
                "A cell reads no documents, so its seeds must be states.",
                expected="an array (seeds, state width), a trajectory, or Runs(inputs)",
                got=type(documents).__name__,
                fix="hand over the model, or states it visits",
            )
        for trajectory in self.model.trajectories(documents):
            yield self.visits_of(trajectory)

    def visits_of(self, trajectory: Trajectory) -> Visits:
        """Its own part of a trajectory of the network."""
        lengths, layer = trajectory.lengths, self.layer
        if layer is None or self.model is None:
            return Visits(states=trajectory.states, inputs=None, lengths=lengths)
        if layer >= len(trajectory.layers):
            raise UsageError(
                "A trajectory must be one of the network.",
                expected=f"{len(self.model.layers)} layers",
                got=f"{len(trajectory.layers)}",
            )
        inputs = None
        if layer > 0:
            below = trajectory.layers[layer - 1]
            inputs = torch.cat([one.outputs for one in below], dim=-1)
        states = trajectory.layers[layer][self._place(layer)].states
        return Visits(states=states, inputs=inputs, lengths=lengths)

    def below(self) -> tuple[tuple[Direction, ...], ...]:
        """The directions of the layers below it, lowest first."""
        if self.model is None or self.layer is None:
            return ()
        return tuple(layer.directions for layer in self.model.layers[: self.layer])

    def run_on_arrays(self, runs: Sequence[Any]) -> Iterator[Visits]:
        """Run the whole network on arrays of vectors (T, width of what it reads)."""
        if self.model is None:
            raise UsageError("Only a network is run as a whole.", got="a bare cell")
        return replace(self, model=replace(self.model, embedding=None, vocabulary=None)).visits(
            runs
        )

    def _place(self, layer: int) -> int:
        """Which of a layer's directions is its own."""
        directions = () if self.model is None else self.model.layers[layer].directions
        return int(len(directions) > 1 and self.reads_backwards)

    def __repr__(self) -> str:
        return f"System({self.name}: {self.cell.state_size} numbers)"


Network: TypeAlias = Model | Cell | System
"""What has dynamics."""


def study_system(
    model: Network, *, layer: int | None = None, direction: str | None = None
) -> System:
    """Choose the dynamical system of a network that is studied.

    Args:
        model: a model, or a bare cell, which is one system.
        layer: one layer alone, from 0, -1 for the last. The lowest reads what the network reads;
            any other reads the layer below, so that its input is held fixed at a vector, at "zero",
            at the "mean" of what the layer below puts out on the documents, or at what it puts out
            at rest, ``Rest(word)``. None for all layers jointly.
        direction: "forward" or "backward", of a bidirectional network. The backward one reads each
            document from its end.

    Raises:
        UsageError: no such layer or direction.
        NotApplicable: a bidirectional network without a direction; or all layers jointly of a
            bidirectional stack, whose upper layers read both directions, the future too.
    """
    if not isinstance(model, Model):
        if layer is not None or direction is not None:
            raise UsageError(
                "Only a model has layers and directions to choose from.",
                expected="a rnnscope Model",
                got=type(model).__name__,
            )
        return System.of(model)
    count = len(model.layers)
    if layer is not None and not (isinstance(layer, int) and -count <= layer < count):
        raise UsageError(
            "The layer must be one of the network's.",
            expected=f"0 to {count - 1}, or None for all",
            got=repr(layer),
        )
    k = None if layer is None else layer % count
    own = directions_of(model, k)
    if direction is not None and direction not in own:
        raise UsageError(
            "The direction must be one that is read in.",
            expected=" or ".join(map(repr, own)),
            got=repr(direction),
        )
    if direction is None and len(own) > 1:
        raise NotApplicable(
            "A bidirectional network is two dynamical systems, one for each direction.",
            expected="direction='forward' or direction='backward'",
            got=f"neither, of a {model.architecture}",
            fix="study each, or both with find_fixed_points_by_direction",
        )
    if k is None and len(own) > 1 and count > 1:
        raise NotApplicable(
            "The layers of a bidirectional stack are no joint system: above the lowest each reads "
            "both directions of the layer below, what comes before a word and what comes after.",
            expected="one layer: layer=0, or an upper one with its input held fixed",
            got=f"all layers of a {model.architecture}",
            fix="study_system(model, layer=0, direction=...)",
        )
    if k is None and len(own) == 1:
        return System.of(model)
    k = 0 if k is None else k
    direction = own[0] if direction is None else direction
    directions = model.layers[k].directions
    cell = directions[int(len(directions) > 1 and direction == BACKWARD)].cell
    names = [f"{cell.kind}({cell.hidden_size})"]
    names += [f"layer {k} of {count} alone"] if count > 1 else []
    names += [direction] if len(directions) > 1 else []
    return System(name=", ".join(names), cell=cell, model=model, layer=k, direction=direction)


def directions_of(model: Model, layer: int | None = None) -> list[str]:
    """The directions that a network, or one of its layers, reads in."""
    layers = model.layers if layer is None else model.layers[layer : layer + 1]
    backward = {direction.reverse for one in layers for direction in one.directions}
    return [name for name in (FORWARD, BACKWARD) if (name == BACKWARD) in backward]
