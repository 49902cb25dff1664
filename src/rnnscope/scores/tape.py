"""One direction of one layer, run forwards so that it can go backwards through time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rnnscope.models.layers import Direction

Read = Callable[[int, int], Tensor]
"""``read(t, rows)``: the drives of the first rows at a step, (rows, drive_size)."""

Push = Callable[[int], tuple[int, Tensor] | None]
"""``push(t) = (first, d)``: the gradients by the outputs at a step, d (rows, K, units), of the
rows from ``first`` on; None where there are none."""

Take = Callable[[int, Tensor], None]
"""``take(t, d)`` is given the gradients by the drives at a step, d (rows, K, drive_size); they
are overwritten after."""


class Tape(ABC):
    """A direction that ran over a batch, in its reading order."""

    outputs: Tensor
    """(T, B, units); rows that are not at work hold nothing of meaning."""

    @abstractmethod
    def backward(self, classes: int, push: Push, take: Take) -> None:
        """Gradients by the drives, from the last step to the first, of K scalars a row."""


class AutodiffTape(Tape):
    """Any cell, by torch's automatic differentiation of its equations.

    Args:
        direction: the cell and its initial state.
        read: its drives.
        active: how many rows are at work at each step, falling, and a last 0.
    """

    def __init__(self, direction: Direction, read: Read, active: Sequence[int]) -> None:
        cell = direction.cell
        self._drives: list[Tensor] = []
        self._outputs: list[Tensor] = []
        with torch.inference_mode(False), torch.enable_grad():
            if any(weight.is_inference() for weight in cell.parameters.values()):
                cell = cell.map(torch.clone)  # made in inference mode, it cannot be differentiated
            state = direction.start.expand(active[0], -1).clone()
            for t, count in enumerate(active[:-1]):
                drive = read(t, count).detach().clone().requires_grad_()
                state = state[:count]
                state = cell.update(cell.activate(drive, state), state)
                self._drives.append(drive)
                self._outputs.append(cell.output(state))
        with torch.no_grad():
            rows = [_fill(output, active[0]) for output in self._outputs]
            self.outputs = torch.stack(rows)

    def backward(self, classes: int, push: Push, take: Take) -> None:
        by_class: list[tuple[Tensor | None, ...]] = []
        for k in range(classes):
            pushed = []
            for t, output in enumerate(self._outputs):
                gradient = torch.zeros_like(output)
                given = push(t)
                if given is not None:
                    gradient[given[0] :] = given[1][:, k]
                pushed.append(gradient)
            by_class.append(
                torch.autograd.grad(
                    self._outputs, self._drives, pushed, retain_graph=True, allow_unused=True
                )
            )
        for t in reversed(range(len(self._drives))):
            zero = torch.zeros_like(self._drives[t])
            found = (gradients[t] for gradients in by_class)
            take(t, torch.stack([zero if g is None else g for g in found], dim=1))


def _fill(rows: Tensor, count: int) -> Tensor:
    missing = count - len(rows)
    rows = rows.detach()
    return rows if not missing else torch.cat([rows, rows.new_zeros(missing, rows.shape[1])])
