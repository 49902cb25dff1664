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
from rnnscope.dynamics.stability import MARGIN, Stability
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself

ILL_CONDITIONED = 1e8
"""An eigenvalue this sensitive has no meaningful single eigenvector."""

GAP = 1e-10
"""Two eigenvalues this close, relative to the radius, are repeated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Modes(ShowsItself):
    """The modes of P points, slowest first. float64 and complex128 on the CPU.

    Attributes:
        states: the points, (P, N).
        eigenvalues: by falling |lambda|; conjugate pairs adjacent, the one with positive
            imaginary part first, (P, K): all of them, K = N, or those of largest modulus where
            not ``complete``.
        right: unit columns r_a of the first modes, (P, N, count).
        left: rows l_a^T of R^-1, (P, count, N): ``left @ right = I``. Not finite where R is
            singular.
        held: the input held fixed.
        readout: the readout's contrast in the state's coordinates, (N,), or None. The sign of a
            real r_a is chosen along it.
        cell: the cell, in float64.
        complete: whether every eigenvalue is here. If not, those left out are no larger than the
            last one here, and what cannot be known from those here is refused or named a bound.
        residuals: ``||J_rec r_a - lambda_a r_a||`` of each kept mode where it was found by
            iteration, (P, count); None where J_rec was decomposed in full.
    """

    states: Tensor
    eigenvalues: Tensor
    right: Tensor
    left: Tensor
    held: HeldInput
    readout: Tensor | None
    cell: Cell
    complete: bool = True
    residuals: Tensor | None = None

    def __post_init__(self) -> None:
        if self.complete and self.eigenvalues.shape[-1] != self.width:
            raise UsageError(
                "Modes are complete only with every eigenvalue.",
                expected=f"{self.width} eigenvalues a point, or complete=False",
                got=f"{self.eigenvalues.shape[-1]}",
            )

    def __len__(self) -> int:
        return len(self.states)

    @property
    def count(self) -> int:
        """Number of modes whose vectors are kept."""
        return self.right.shape[-1]

    @property
    def width(self) -> int:
        """N, the width of the state: how many modes there are, kept or not."""
        return self.states.shape[-1]

    @property
    def radius(self) -> Tensor:
        """The largest |lambda|, (P,)."""
        return self.eigenvalues[:, 0].abs()

    @property
    def rates(self) -> Tensor:
        """``ln |lambda|`` a step, (P, K): growth above 0, decay below, -inf at lambda = 0."""
        return self.eigenvalues.abs().log()

    @property
    def time_constants(self) -> Tensor:
        """``tau = |1 / ln |lambda||`` in steps, growth and decay alike, (P, K): inf at
        |lambda| = 1, 0 at lambda = 0. ``growing`` tells them apart.

        Source:
            Maheswaranathan et al. 2019
        """
        return (1 / self.rates).abs()

    @property
    def decay_times(self) -> Tensor:
        """Steps to fall by a factor e, (P, K): inf at |lambda| = 1, nan where the mode grows."""
        return self.time_constants.masked_fill(self.growing, torch.nan)

    @property
    def growth_times(self) -> Tensor:
        """Steps to grow by a factor e, (P, K): nan where the mode does not grow."""
        return self.time_constants.masked_fill(~self.growing, torch.nan)

    @property
    def signed_time_constants(self) -> Tensor:
        """``-1 / ln |lambda|`` in steps, (P, K): positive for decay, negative for growth."""
        return torch.where(self.growing, -self.time_constants, self.time_constants)

    @property
    def periods(self) -> Tensor:
        """Steps to turn once, (P, K): 2 for a negative eigenvalue, inf for one that is positive
        or 0."""
        return 2 * torch.pi / self.eigenvalues.angle().abs()

    @property
    def growing(self) -> Tensor:
        """Whether tau is a time of growth, |lambda| > 1, (P, K)."""
        return self.eigenvalues.abs() > 1

    @property
    def oscillating(self) -> Tensor:
        """Whether the mode is one of a complex pair, (P, K)."""
        return self.eigenvalues.imag != 0

    @property
    def alternating(self) -> Tensor:
        """Whether the mode changes sign every step: lambda real and negative, (P, K)."""
        return ~self.oscillating & (self.eigenvalues.real < 0)

    @property
    def unstable_count(self) -> Tensor:
        """Number of growing modes, (P,); at least this many where ``unstable_bound``."""
        return self.growing.sum(-1)

    @property
    def unstable_bound(self) -> Tensor:
        """Whether ``unstable_count`` is only a lower bound, (P,): every eigenvalue here grows, and
        there are others."""
        return self.growing.all(-1) & (not self.complete)

    @property
    def stable(self) -> Tensor:
        """Whether every mode decays, (P,)."""
        return self.radius < 1

    def stability(self, point: int, *, tolerance: float = MARGIN) -> Stability:
        """The kind of one point, with a sentence: node, spiral, saddle, repeller, or marginal.

        Args:
            point: its row.
            tolerance: a mode is marginal where ``||lambda| - 1|`` is at most this.

        Raises:
            UsageError: no such point, or a tolerance that is not from 0 to 1.
        """
        if not -len(self) <= point < len(self):
            raise UsageError(
                "Stability is that of one point.",
                expected=f"a row from 0 to {len(self) - 1}",
                got=str(point),
            )
        return Stability.of(self.eigenvalues[point], width=self.width, tolerance=tolerance)

    @property
    def condition(self) -> Tensor:
        """The condition of each kept eigenvalue, ``||l_a|| ||r_a||``, (P, count): how many times
        a small change of J_rec moves it; 1 for a normal matrix, inf or nan for a defective one."""
        return norm(self.left) * norm(self.right.mT)

    @property
    def ill_defined(self) -> Tensor:
        """Kept modes whose single vectors mean nothing, (P, count): the eigenvalue is repeated or
        nearly defective. Read the subspace such modes span (``mode_groups``), not its vectors.
        Where the modes are not complete, a twin of the last one may be among those left out."""
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
            "complete": self.complete,
            "worst_residual": None if self.residuals is None else float(self.residuals.max()),
            "median_radius": float(self.radius.median()),
            "median_time_constants": [float(t) if torch.isfinite(t) else None for t in tau],
            "stable_points": int(self.stable.sum()),
            "median_unstable_modes": int(self.unstable_count.median()),
            "unstable_modes_are_a_bound": bool(self.unstable_bound.any()),
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
