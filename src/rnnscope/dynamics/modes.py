"""Eigenmodes of the linearized network at each of a set of points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.inputs import HeldInput
from rnnscope.dynamics.linalg import norm
from rnnscope.errors import DataError, UsageError

ILL_CONDITIONED = 1e8
"""An eigenvalue this sensitive has no meaningful single eigenvector."""

GAP = 1e-10
"""Two eigenvalues this close, relative to the radius, are repeated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Modes:
    """The modes of P points, slowest first. float64 and complex128 on the CPU.

    Attributes:
        states: the points, (P, N).
        eigenvalues: all of them, by falling |lambda|; conjugate pairs adjacent, the one with
            positive imaginary part first, (P, N).
        right: unit columns r_a of the first modes, (P, N, count).
        left: rows l_a^T of R^-1, (P, count, N): ``left @ right = I``. Not finite where R is
            singular.
        held: the input held fixed.
        readout: the readout's contrast in the state's coordinates, (N,), or None. The sign of a
            real r_a is chosen along it.
        cell: the cell, in float64.
    """

    states: Tensor
    eigenvalues: Tensor
    right: Tensor
    left: Tensor
    held: HeldInput
    readout: Tensor | None
    cell: Cell

    def __len__(self) -> int:
        return len(self.states)

    @property
    def count(self) -> int:
        """Number of modes whose vectors are kept."""
        return self.right.shape[-1]

    @property
    def radius(self) -> Tensor:
        """The largest |lambda|, (P,)."""
        return self.eigenvalues[:, 0].abs()

    @property
    def time_constants(self) -> Tensor:
        """``tau = |1 / ln |lambda||`` in steps, (P, N): inf at |lambda| = 1, 0 at lambda = 0."""
        return (1 / self.eigenvalues.abs().log()).abs()

    @property
    def growing(self) -> Tensor:
        """Whether tau is a time of growth, |lambda| > 1, (P, N)."""
        return self.eigenvalues.abs() > 1

    @property
    def oscillating(self) -> Tensor:
        """Whether the mode is one of a complex pair, (P, N)."""
        return self.eigenvalues.imag != 0

    @property
    def alternating(self) -> Tensor:
        """Whether the mode changes sign every step: lambda real and negative, (P, N)."""
        return ~self.oscillating & (self.eigenvalues.real < 0)

    @property
    def unstable_count(self) -> Tensor:
        """Number of growing modes, (P,)."""
        return self.growing.sum(-1)

    @property
    def stable(self) -> Tensor:
        """Whether every mode decays, (P,)."""
        return self.radius < 1

    @property
    def condition(self) -> Tensor:
        """``||l_a|| ||r_a||`` of each kept mode: 1 for a normal matrix, (P, count)."""
        return norm(self.left) * norm(self.right.mT)

    @property
    def ill_defined(self) -> Tensor:
        """Kept modes whose single vectors mean nothing, (P, count): the eigenvalue is repeated or
        nearly defective. Read the subspace such modes span, not its vectors."""
        gaps = (self.eigenvalues[:, : self.count, None] - self.eigenvalues[:, None, :]).abs()
        itself = torch.eye(self.eigenvalues.shape[-1], dtype=torch.bool)[: self.count]
        gap = gaps.masked_fill(itself, torch.inf).amin(-1)
        repeated = gap <= GAP * self.radius[:, None].clamp_min(1e-300)
        return repeated | ~(self.condition <= ILL_CONDITIONED)

    @property
    def simple_points(self) -> Tensor:
        """Rows of the points whose slowest mode is real and well defined."""
        return (~self.oscillating[:, 0] & ~self.ill_defined[:, 0]).nonzero().squeeze(-1)

    def slow_basis(self, size: int) -> Tensor:
        """A real orthonormal basis of the span of the first ``size`` modes, (P, N, size).

        Raises:
            UsageError: a complex pair would be cut, or more modes than were kept.
        """
        cut = 1 <= size <= self.count and bool((self.eigenvalues[:, size - 1].imag > 0).any())
        if cut or not 1 <= size <= self.count:
            raise UsageError(
                "A slow subspace is spanned by kept modes, complex pairs whole.",
                expected=f"1 to {self.count} modes that cut no pair",
                got=str(size),
                fix="ask for one more or one fewer, or linearize with a larger count",
            )
        second = (self.eigenvalues[:, :size].imag < 0)[:, None, :]
        span = self.right[..., :size]
        return torch.linalg.qr(torch.where(second, span.imag, span.real)).Q

    @cached_property
    def J_inp(self) -> Tensor:
        """``dF/dx`` at each point, (P, N, d)."""
        x = self.held.vector.expand(len(self), -1)
        with torch.no_grad():
            return self.cell.J_inp(x, self.states)

    def effects(self, x: Any) -> Tensor:
        """Instantaneous effects ``J_inp x`` of inputs (V, d) at each point, (P, V, N)."""
        return self._inputs(x) @ self.J_inp.mT

    def input_projection(self, x: Any, mode: int = 0) -> Tensor:
        """``l_a^T J_inp x``: the push of inputs (V, d) along mode a, (P, V).

        Real where the mode is real at every point; complex otherwise. The sign is that of r_a.
        """
        if not 0 <= mode < self.count:
            raise UsageError(
                "Projections are on kept modes.", expected=f"0 to {self.count - 1}", got=str(mode)
            )
        left = self.left[:, mode]
        if not self.oscillating[:, mode].any():
            left = left.real
        rows = (left.unsqueeze(-2) @ self.J_inp.to(left.dtype)).squeeze(-2)
        return rows @ self._inputs(x).to(left.dtype).mT

    def _inputs(self, x: Any) -> Tensor:
        x = torch.atleast_2d(torch.as_tensor(x).detach().to("cpu", torch.float64))
        if x.ndim != 2 or x.shape[-1] != self.cell.input_size:
            raise DataError(
                "Inputs must be as wide as the cell's input.",
                expected=f"(words, {self.cell.input_size})",
                got=str(tuple(x.shape)),
            )
        return x

    def summary(self) -> dict[str, Any]:
        """The modes in figures, JSON-safe; infinite time constants are None."""
        tau = self.time_constants[:, : min(3, self.eigenvalues.shape[-1])].median(0).values
        return {
            "points": len(self),
            "input": self.held.name,
            "median_radius": float(self.radius.median()),
            "median_time_constants": [float(t) if torch.isfinite(t) else None for t in tau],
            "stable_points": int(self.stable.sum()),
            "median_unstable_modes": int(self.unstable_count.median()),
            "ill_defined_first_modes": int(self.ill_defined[:, 0].sum()),
        }

    def __repr__(self) -> str:
        tau = ", ".join(
            "inf" if t is None else f"{t:.3g}" for t in self.summary()["median_time_constants"]
        )
        return (
            f"Modes of a {self.cell.kind} at {len(self)} points, input {self.held.name!r}: "
            f"median time constants {tau} steps, {int(self.stable.sum())} stable points"
        )
