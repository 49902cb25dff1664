"""Charts: k coordinates for a network's state, and the state that k coordinates stand for.

z = L (h - c),    h ~ c + R z + bend(z),    L R = I,  L bend = 0

The coordinates are oblique: L says what is read off a state, R where a change of z puts it. Four
ways to choose them: the slow modes at one point (L left, R right eigenvectors); the principal axes
of the visited states (L = R^T); the two balanced, directions that the text moves and that the
answer depends on (Moore 1981; snapshots as by Rowley 2005); the slow mode beside the directions
that modifiers move (Maheswaranathan & Sussillo 2020). ``curved`` bends the flat chart through the
visited states by a polynomial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations_with_replacement
from operator import mul
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import inverse, norm
from rnnscope.dynamics.modes import Modes
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.numerics import single_thread

VISITED = 1024
"""Visited states whose coordinates a chart keeps."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chart(ShowsItself):
    """k coordinates on states of width N. float64.

    Attributes:
        center: c, (N,).
        right: R, (N, k).
        left: L, (k, N).
        name: how the coordinates were chosen.
        low, high: the range of each coordinate over the visited states, (k,), which a bend is held
            to; None without.
        bend: coefficients of the monomials of ``z / unit``, (M, N); None where flat.
        unit: (k,); None where flat.
        degree: of the polynomial; 0 where flat.
        visited: coordinates of some of the visited states, (n, k), at most 1,024; None without.
    """

    center: Tensor
    right: Tensor
    left: Tensor
    name: str
    low: Tensor | None = None
    high: Tensor | None = None
    bend: Tensor | None = None
    unit: Tensor | None = None
    degree: int = 0
    visited: Tensor | None = None

    @property
    def width(self) -> int:
        """k, the number of coordinates."""
        return self.left.shape[0]

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The tensors that it is made of, by name."""
        kept = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        kept.pop("visited", None)
        return kept

    def map(self, function: Callable[[Tensor], Tensor]) -> Chart:
        """This chart with ``function`` applied to each tensor."""
        changed: dict[str, Any] = {name: function(w) for name, w in self.parameters.items()}
        return replace(self, **changed)

    def project(self, h: Tensor) -> Tensor:
        """The coordinates of states, (..., N) -> (..., k)."""
        return (h - self.center) @ self.left.mT

    def lift(self, z: Tensor) -> Tensor:
        """The states that coordinates stand for, (..., k) -> (..., N)."""
        h = self.center + z @ self.right.mT
        if self.bend is None or self.unit is None:
            return h
        return h + monomials(self.inside(z) / self.unit, self.degree) @ self.bend

    def inside(self, z: Tensor) -> Tensor:
        """Coordinates held to the range of the visited states."""
        if self.low is None or self.high is None:
            return z
        return torch.minimum(torch.maximum(z, self.low), self.high)

    def ranged(self, states: Tensor, *, tail: float = 1e-3) -> Chart:
        """This chart with where states (S, N) lie in it: some of them, and the range of all but a
        share ``tail`` at each end."""
        z = self.project(states.to(torch.float64))
        levels = torch.tensor([tail, 1 - tail], dtype=z.dtype)
        low, high = _quantiles(z, levels)
        some = torch.linspace(0, len(z) - 1, min(len(z), VISITED)).round().long()
        return replace(self, low=low, high=high, visited=z[some])

    def curved(self, states: Tensor, *, degree: int = 3) -> Chart:
        """This chart bent through states (S, N): what they hold beside z, as a polynomial in z, by
        least squares. ``project`` stays as it is.

        Raises:
            UsageError: ``degree`` below 1.
            DataError: fewer states than the polynomial has terms, or all alike.
        """
        if degree < 1:
            raise UsageError("A polynomial has a degree.", expected="degree >= 1", got=str(degree))
        h = states.to(torch.float64)
        z = self.project(h)
        unit = z.std(0)
        if len(z) < 2 or not (unit > 0).all():
            raise DataError("A chart is bent through states that differ.", got=f"{len(z)} states")
        terms = monomials(z / unit, degree)
        if len(terms) < terms.shape[-1]:
            raise DataError(
                "A polynomial is fitted to more states than it has terms.",
                expected=f"at least {terms.shape[-1]} states",
                got=str(len(terms)),
                fix="lower degree",
            )
        rest = h - self.center - z @ self.right.mT
        with single_thread():
            bend = torch.linalg.lstsq(terms, rest, driver="gelsd").solution
        ranged = self.ranged(states)
        return replace(ranged, bend=bend, unit=unit, degree=degree, name=f"{self.name}, curved")

    def error(self, states: Tensor) -> float:
        """The share of the states' variance (S, N) that their coordinates do not give back."""
        h = states.to(torch.float64)
        apart = h - self.lift(self.project(h))
        return float((apart**2).sum() / ((h - h.mean(0)) ** 2).sum())

    def __repr__(self) -> str:
        return f"Chart({self.name}: {self.width} of {len(self.center)} coordinates)"


def slow_chart(modes: Modes, point: int, size: int) -> Chart:
    """The ``size`` slowest modes at one point: eigenvectors, complex pairs as real planes.

    Raises:
        UsageError: no such point; a complex pair would be cut, or more modes than were kept.
        NotApplicable: the modes there have no single left vectors.
    """
    if not -len(modes) <= point < len(modes):
        raise UsageError("A chart is of a point there is.", got=str(point))
    if not 1 <= size <= modes.count or float(modes.eigenvalues[point, size - 1].imag) > 0:
        raise UsageError(
            "A slow subspace is spanned by kept modes, complex pairs whole.",
            expected=f"1 to {modes.count} modes that cut no pair",
            got=str(size),
            fix="ask for one more or one fewer, or linearize with a larger count",
        )
    values = modes.eigenvalues[point, :size]
    r, rows = modes.right[point, :, :size], modes.left[point, :size]
    if not torch.isfinite(rows).all():
        raise NotApplicable(
            "Coordinates along modes need left eigenvectors.",
            expected="a point where J_rec can be decomposed",
            got=f"a defective matrix at point {point}",
        )
    # z r + conj = 2 Re(z) Re(r) - 2 Im(z) Im(r): a pair's plane is spanned by Re(r) and Im(r).
    second, twice = values.imag < 0, 1.0 + (values.imag != 0).double()
    right = torch.where(second, -r.imag, r.real)
    left = torch.where(second[:, None], 2 * rows.imag, twice[:, None] * rows.real)
    return Chart(center=modes.states[point], right=right, left=left, name="slow modes")


def principal_chart(states: Tensor, size: int) -> Chart:
    """The first principal axes of states (S, N) (proper orthogonal decomposition)."""
    h = _checked(states, size)
    with single_thread():
        axes = torch.linalg.eigh(torch.cov(h.mT)).eigenvectors.flip(-1)[:, :size]
    return Chart(center=h.mean(0), right=axes, left=axes.mT.contiguous(), name="principal axes")


def balanced_chart(states: Tensor, sensitivities: Tensor, size: int) -> Chart:
    """The directions that vary most in what matters most for the answer.

    With X X^T the covariance of the visited states and Y Y^T the mean of s s^T over the answer's
    gradients s with respect to states, Y^T X = U S V^T gives ``R = X V S^-1/2``, ``L = S^-1/2 U^T
    Y^T``. A direction that the text never moves, or that no later answer depends on, has S = 0.

    Args:
        states: visited states, (S, N).
        sensitivities: gradients of the answer with respect to states, (G, N); see
            ``answer_gradients``.
        size: k.

    Raises:
        NotApplicable: fewer than k directions both vary and matter.

    Source:
        Moore 1981; Rowley 2005
    """
    h, s = _checked(states, size), _checked(sensitivities, size)
    with single_thread():
        X, Y = _root(torch.cov(h.mT)), _root(s.mT @ s / len(s))
        U, sigma, Vh = torch.linalg.svd(Y.mT @ X)
    if not sigma[size - 1] > 1e-10 * sigma[0]:
        raise NotApplicable(
            "Balanced coordinates are directions that vary and that the answer depends on.",
            expected=f"{size} such directions",
            got=str(int((sigma > 1e-10 * sigma[0]).sum())) if sigma[0] > 0 else "0",
            fix="ask for fewer",
        )
    scale = sigma[:size].rsqrt()
    return Chart(
        center=h.mean(0),
        right=X @ Vh[:size].mT * scale,
        left=scale[:, None] * (U[:, :size].mT @ Y.mT),
        name="balanced",
    )


def with_directions(chart: Chart, directions: Tensor, *, name: str) -> Chart:
    """A flat chart with further coordinates, along directions (N, m): what of them the chart does
    not hold already.

    Raises:
        NotApplicable: the chart holds them all.
    """
    held = chart.right @ (chart.left @ directions)
    rest = directions - held
    with single_thread():
        Q, R = torch.linalg.qr(rest)
    if not (R.diagonal().abs() > 1e-10 * norm(directions.mT)).all():
        raise NotApplicable(
            "A further coordinate is along a direction that the chart does not hold.", got=name
        )
    beyond = Q.mT - (Q.mT @ chart.right) @ chart.left
    left = inverse(beyond @ Q) @ beyond
    return Chart(
        center=chart.center,
        right=torch.cat([chart.right, Q], dim=-1),
        left=torch.cat([chart.left, left]),
        name=f"{chart.name} and {name}",
    )


def with_readout(chart: Chart, readout: Tensor, states: Tensor) -> Chart:
    """A flat chart with one more coordinate: what the readout (N,) sees beside the chart's own.

    The answer is then a function of the coordinates, with nothing of it lost in fast directions;
    R puts a change of it where the visited states (S, N) have theirs.

    Raises:
        NotApplicable: the readout sees nothing beside the chart's coordinates.
    """
    row = readout - (readout @ chart.right) @ chart.left
    rest = states.to(torch.float64) - chart.center
    rest = rest - (rest @ chart.left.mT) @ chart.right.mT
    seen = rest @ row
    if not float((seen**2).mean()) > 1e-20 * float((readout @ readout) * (rest**2).sum(-1).mean()):
        raise NotApplicable(
            "The readout's own coordinate is what it sees beside the others.", got="nothing"
        )
    column = rest.mT @ seen / (seen @ seen)
    return Chart(
        center=chart.center,
        right=torch.cat([chart.right, column[:, None]], dim=-1),
        left=torch.cat([chart.left, row[None]]),
        name=f"{chart.name} and readout",
    )


def monomials(z: Tensor, degree: int) -> Tensor:
    """All products of at most ``degree`` coordinates, the constant first, (..., k) -> (..., M)."""
    each = z.unbind(-1)
    columns = [torch.ones_like(each[0])]
    for order in range(1, degree + 1):
        columns += [reduce(mul, some) for some in combinations_with_replacement(each, order)]
    return torch.stack(columns, dim=-1)


def _root(M: Tensor) -> Tensor:
    """X with ``X X^T = M``, positive semidefinite."""
    values, vectors = torch.linalg.eigh(M)
    return vectors * values.clamp_min(0).sqrt()


def _quantiles(z: Tensor, levels: Tensor) -> Tensor:
    """Quantiles of each column, (levels, k); torch.quantile refuses long columns."""
    ordered = z.sort(0).values
    return ordered[(levels * (len(z) - 1)).round().long()]


def _checked(states: Tensor, size: int) -> Tensor:
    h = torch.as_tensor(states).detach().to("cpu", torch.float64)
    if h.ndim != 2 or not torch.isfinite(h).all() or len(h) < 2:
        raise DataError(
            "A chart is made of states.",
            expected="a table (states, N) of finite numbers, two rows or more",
            got=str(tuple(h.shape)),
        )
    if not 1 <= size <= h.shape[-1]:
        raise UsageError(
            "A chart has at least one coordinate and no more than the state.",
            expected=f"1 to {h.shape[-1]}",
            got=str(size),
        )
    return h
