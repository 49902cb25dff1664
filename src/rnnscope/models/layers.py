"""The parts of a model: directions, layers and the readout, and how a cell runs over a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from rnnscope.arguments import check_fields
from rnnscope.cells import Cell
from rnnscope.errors import ModelError


@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """One cell reading a document forwards, or backwards from its end.

    Args:
        cell: the equations.
        initial: the state before the first word, (state_size,); zero when None.
        reverse: read from the last word to the first.
    """

    cell: Cell
    initial: Tensor | None = None
    reverse: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.initial is not None and tuple(self.initial.shape) != (self.cell.state_size,):
            raise ModelError(
                "An initial state must fit the cell.",
                expected=str((self.cell.state_size,)),
                got=str(tuple(self.initial.shape)),
            )

    @property
    def start(self) -> Tensor:
        """The state before the first word, (state_size,)."""
        return self.cell.initial_state() if self.initial is None else self.initial

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """This direction with ``function`` applied to each weight."""
        initial = None if self.initial is None else function(self.initial)
        return replace(self, cell=self.cell.map(function), initial=initial)


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What one direction did on a batch, position by position in the order of the text.

    Args:
        direction: the cell that ran.
        states: (B, T, state_size); rows beyond a document's length are meaningless.
        gates: the gates by name, each (B, T, units of the memory); empty when not recorded.
        lengths: (B,) words of each document.
    """

    direction: Direction
    states: Tensor
    gates: dict[str, Tensor]
    lengths: Tensor

    @property
    def outputs(self) -> Tensor:
        """What the next layer or the readout sees, (B, T, hidden_size)."""
        return self.direction.cell.output(self.states)

    @property
    def final(self) -> Tensor:
        """The state after the last word this direction reads, (B, state_size)."""
        if self.direction.reverse:
            return self.states[:, 0]
        return self.states[torch.arange(len(self.lengths)), self.lengths - 1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One direction, or a forward and a backward one whose outputs are joined in that order."""

    directions: tuple[Direction, ...]

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def output_size(self) -> int:
        """Width of what the layer puts out."""
        return sum(direction.cell.hidden_size for direction in self.directions)

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """This layer with ``function`` applied to each weight."""
        return replace(self, directions=tuple(d.map(function) for d in self.directions))


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """``logits = weight @ pooled + bias``.

    A readout with one logit z is read as two classes, with weights -w/2 and +w/2: the contrast of
    the two logits is z, and softmax of the pair is the sigmoid of z.

    Args:
        weight: (classes, units).
        bias: (classes,). It belongs to no word.
        one_logit: whether the network itself has a single logit.
    """

    weight: Tensor
    bias: Tensor
    one_logit: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.weight.ndim != 2 or tuple(self.bias.shape) != (self.weight.shape[0],):
            raise ModelError(
                "A readout is a matrix and a bias of one number per class.",
                expected="weight (classes, units), bias (classes,)",
                got=f"weight {tuple(self.weight.shape)}, bias {tuple(self.bias.shape)}",
            )

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None = None) -> Self:
        """A readout from a linear layer's weights; one logit becomes two classes."""
        bias = weight.new_zeros(weight.shape[0]) if bias is None else bias
        if weight.shape[0] > 1:
            return cls(weight=weight, bias=bias)
        halves = torch.tensor([-0.5, 0.5], dtype=weight.dtype, device=weight.device)
        return cls(weight=halves[:, None] * weight, bias=halves * bias, one_logit=True)

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """This readout with ``function`` applied to each weight."""
        return replace(self, weight=function(self.weight), bias=function(self.bias))


def run(direction: Direction, drive: Tensor, lengths: Tensor, *, gates: bool = False) -> Run:
    """Run a cell over a padded batch.

    Args:
        direction: the cell, its initial state, its reading order.
        drive: (B, T, drive_size), what the inputs add to the gates, in the order of the text.
        lengths: (B,) words of each document.
        gates: keep the gates too.
    """
    cell = direction.cell
    if direction.reverse:
        drive = flip(drive, lengths)
    batch, steps = drive.shape[:2]
    state = direction.start.expand(batch, -1)
    states = drive.new_empty(steps, batch, cell.state_size)
    kept: dict[str, Tensor] = {}
    for t, now in enumerate(drive.unbind(dim=1)):
        opened = cell.activate(now, state)
        state = cell.update(opened, state)
        states[t] = state
        for name, gate in opened.items() if gates else ():
            if t == 0:
                kept[name] = gate.new_empty(steps, *gate.shape)
            kept[name][t] = gate

    def in_text_order(record: Tensor) -> Tensor:
        record = record.transpose(0, 1)
        return flip(record, lengths) if direction.reverse else record

    return Run(
        direction=direction,
        states=in_text_order(states),
        gates={name: in_text_order(record) for name, record in kept.items()},
        lengths=lengths,
    )


def flip(batch: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each row of (B, T, ...) within its own length; its own inverse."""
    steps = torch.arange(batch.shape[1], device=batch.device)
    mirrored = lengths[:, None] - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return batch[torch.arange(len(batch), device=batch.device)[:, None], index]
