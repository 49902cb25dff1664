"""Recurrent systems in k numbers: the network's own step on a chart, and polynomials in z.

z' = L (F(lift(z), x) - c)                                      Lifted
z' = sum_j s_j m_j(z) + sum_j u_j(word) m_j(z)                  Polynomial

m_j are monomials of the coordinates, s_j the part that all words share, u_j(word) what each word
adds: with j = 0 alone a push, with more of them also a decay and a curvature of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.cells.cell import Gates
from rnnscope.dynamics.charts import Chart, monomials


class _OfCoordinates(Cell):
    """Jacobians by automatic differentiation: there are few coordinates."""

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        del state
        return gates["z"]

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        return self._jacobian(x, state, 1)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        return self._jacobian(x, state, 0)

    def _jacobian(self, x: Tensor, state: Tensor, argument: int) -> Tensor:
        self._check(x, state)
        batch = torch.broadcast_shapes(x.shape[:-1], state.shape[:-1])
        flat = [part.expand(*batch, -1).reshape(-1, part.shape[-1]) for part in (x, state)]
        one = torch.func.jacrev(self.step, argnums=argument)
        found = torch.func.vmap(one)(*flat)
        return found.reshape(*batch, *found.shape[1:]).detach()


@dataclass(frozen=True, kw_only=True, eq=False)
class Lifted(_OfCoordinates):
    """A cell run on a chart: lifted from k coordinates, stepped, projected back.

    Attributes:
        chart: the coordinates.
        cell: the cell, the network's own or an approximation of it.
    """

    chart: Chart
    cell: Cell

    kind: ClassVar[str] = "lifted"
    gate_names: ClassVar[tuple[str, ...]] = ("z",)

    @property
    def input_size(self) -> int:
        return self.cell.input_size

    @property
    def hidden_size(self) -> int:
        return self.cell.hidden_size

    @property
    def state_size(self) -> int:
        return self.chart.width

    @property
    def parameters(self) -> dict[str, Tensor]:
        chart = {f"chart.{name}": weight for name, weight in self.chart.parameters.items()}
        return chart | {f"cell.{name}": weight for name, weight in self.cell.parameters.items()}

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        return replace(self, chart=self.chart.map(function), cell=self.cell.map(function))

    def output(self, state: Tensor) -> Tensor:
        return self.cell.output(self.chart.lift(state))

    def drive(self, x: Tensor) -> Tensor:
        return self.cell.drive(x)

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        h = self.chart.lift(state)
        return {"z": self.chart.project(self.cell.update(self.cell.activate(drive, h), h))}


@dataclass(frozen=True, kw_only=True, eq=False)
class Polynomial(_OfCoordinates):
    """A polynomial in k coordinates whose coefficients a word gives, held to a box.

    Attributes:
        shared: s_j, (M, k), of all monomials up to some degree.
        unit: what the coordinates are measured in, (k,).
        low, high: the box, (k,); far away where it has no walls.
        degree: of the words' part: a word's vector holds u_j, (terms k).
        shared_degree: of the shared part.
        output_degree: a readout sees the monomials up to this degree.
    """

    shared: Tensor
    unit: Tensor
    low: Tensor
    high: Tensor
    degree: int
    shared_degree: int
    output_degree: int

    kind: ClassVar[str] = "polynomial"
    gate_names: ClassVar[tuple[str, ...]] = ("z",)

    @property
    def input_size(self) -> int:
        return terms(len(self.unit), self.degree) * len(self.unit)

    @property
    def hidden_size(self) -> int:
        return terms(len(self.unit), self.output_degree)

    @property
    def state_size(self) -> int:
        return len(self.unit)

    def output(self, state: Tensor) -> Tensor:
        return monomials(state / self.unit, self.output_degree)

    def drive(self, x: Tensor) -> Tensor:
        return x

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        z = state / self.unit
        own = drive.unflatten(-1, (-1, len(self.unit)))
        added = (monomials(z, self.degree).unsqueeze(-2) @ own).squeeze(-2)
        after = monomials(z, self.shared_degree) @ self.shared + added
        return {"z": torch.minimum(torch.maximum(after, self.low), self.high)}


def terms(width: int, degree: int) -> int:
    """How many monomials of k coordinates there are up to a degree."""
    return monomials(torch.zeros(width), degree).shape[-1]
