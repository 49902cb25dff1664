"""The fixed-point problem: the residual ``G(h) = F(h, x*) - h`` under an input held fixed.

Speeds, with N the width of the whole state (2n for an LSTM):

q  = 1/N ||h - F(h, x*)||^2      the unit of Maheswaranathan et al. 2019
q' = 1/2 ||h - F(h, x*)||^2      FixedPointFinder's unit, q' = N/2 q
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.cells.tangent import Tangent
from rnnscope.dynamics.linalg import norm
from rnnscope.memory import at_once, budget

PART = 16_384
"""States that a function is applied to at a time, fewer within a memory budget."""

GATES = 8
"""Arrays of the states' size that a step may hold at once."""

WORKSPACE = 64 * 2**20
"""Bytes that a batch of matrices may take at once: larger ones leave the processor's caches."""

AWAY = 16
"""A GPU has no such caches to keep to, and wants this many times the work at once."""

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A cell with its input held fixed. float64, unless ``to`` says otherwise.

    Args:
        cell: the cell.
        x: the input held fixed, (input_size,); or one a state, (S, input_size), and then every
            batch of states must be the S states, or those of ``rows``.
        device: where work on many states at once may be done, see ``away``. Weights, states and
            results lie on the CPU.
    """

    cell: Cell
    x: Tensor
    device: torch.device = CPU

    @property
    def width(self) -> int:
        """N, the width of the state."""
        return self.cell.state_size

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the work."""
        return self.cell.dtype

    def rows(self, k: Any) -> Problem:
        """The problem of some of the states: an index, a mask or a slice."""
        return self if self.x.ndim == 1 else replace(self, x=self.x[k])

    def rowwise(self, function: Callable[[Problem, Tensor], Tensor], h: Tensor) -> Tensor:
        """What a function of a problem and its states gives for each state, a part at a time: of
        very many states no array beside them is ever held whole."""
        size = at_once(PART, GATES * h.element_size() * self.width)
        parts = [slice(k, k + size) for k in range(0, max(1, len(h)), size)]
        return torch.cat([function(self.rows(part), h[part]) for part in parts])

    def to(self, dtype: torch.dtype) -> Problem:
        """The same in another precision."""
        if dtype == self.dtype:
            return self
        return replace(self, cell=self.cell.to(dtype), x=self.x.to(dtype))

    def away(self, dtype: torch.dtype) -> Problem:
        """The same where work on many states is done, in a precision; its states lie there too."""
        if self.device.type == "cpu":
            return self.to(dtype)
        cell, x = self.cell.to(dtype, self.device), self.x.to(self.device, dtype)
        return replace(self, cell=cell, x=x)

    @property
    def here(self) -> Problem:
        """The same with all work on the CPU: single points are not worth the way."""
        return replace(self, device=CPU)

    def inputs(self, h: Tensor) -> Tensor:
        """The input to go with the states ``h``: once for each row, or once for all where the
        cell's equations broadcast, so that what it adds to the gates is computed once."""
        if self.x.ndim == 1 and self.cell.matrix_free:
            return self.x
        return self.x.expand(*h.shape[:-1], -1)

    def step(self, h: Tensor) -> Tensor:
        """``F(h, x*)``, (..., N); of very many states, whose gates would be many times theirs, a
        part at a time."""
        if h.ndim == 2 and len(h) > at_once(PART, GATES * h.element_size() * self.width):
            return self.rowwise(Problem.step, h)
        with torch.no_grad():
            return self.cell.step(self.inputs(h), h)

    def residual(self, h: Tensor) -> Tensor:
        """``G(h) = F(h, x*) - h``, (..., N)."""
        return self.step(h) - h

    def jacobian(self, h: Tensor) -> Tensor:
        """``A(h) = dG/dh = J_rec - I``, (..., N, N)."""
        with torch.no_grad():
            A = self.cell.J_rec(self.inputs(h), h).clone()
        A.diagonal(dim1=-2, dim2=-1).sub_(1)
        return A

    def tangent(self, h: Tensor) -> Tangent:
        """``J_rec`` at states (S, N) as a map on vectors."""
        with torch.no_grad():
            return self.cell.tangent(self.inputs(h), h)

    def hessian(self, h: Tensor) -> Tensor:
        """The full Hessian of q' at one state, second derivatives of F included: (N,) -> (N, N).

        ``A^T A + sum_i G_i d^2 F_i / dh^2``
        """

        def speed(state: Tensor) -> Tensor:
            G = self.cell.step(self.x.reshape(-1), state) - state
            return (G * G).sum() / 2

        result = torch.func.jacrev(torch.func.grad(speed), chunk_size=128)(h)
        return (result + result.mT).detach() / 2

    def rounding(self, h: Tensor) -> Tensor:
        """The size that rounding alone may give the residual at ``h``, (...)."""
        return 4 * torch.finfo(h.dtype).eps * (h.shape[-1] ** 0.5 + norm(h))

    def parts(self, count: int, size: int, arrays: int) -> list[slice]:
        """Slices of ``count`` states: ``size`` a slice, or, away from the CPU, as many as there is
        room for with this many arrays of the states' size."""
        if self.x.device.type != "cpu":
            room = budget() // torch.get_num_threads()
            size = max(1, min(PART, room // (arrays * 8 * self.width)))
        return [slice(k, k + size) for k in range(0, count, size)]

    def chunks(self, count: int, *, matrices: int = 12) -> Iterator[slice]:
        """Slices of ``count`` points small enough to hold this many matrices each at once."""
        room = WORKSPACE * (1 if self.x.device.type == "cpu" else AWAY)
        size = max(1, at_once(room, 2) // (matrices * 8 * self.width**2))
        for start in range(0, count, size):
            yield slice(start, min(start + size, count))


def paper_speed(G: Tensor) -> Tensor:
    """q, the unit of Maheswaranathan et al. 2019: ``1/N ||G||^2``."""
    return (G * G).mean(-1)


def finder_speed(G: Tensor) -> Tensor:
    """q', FixedPointFinder's unit: ``1/2 ||G||^2``."""
    return (G * G).sum(-1) / 2
