"""Cycles: states that come back after p steps and not before.

``F^p(h) = h``, by Newton's method with the Jacobian of the p-fold step from the chain rule,

M(h) = J(h_{p-1}) ... J(h_1) J(h_0),   d = (I - M)^-1 (F^p(h) - h)

from the seeds themselves, which finds cycles of every stability, and from where the network takes
them, which finds those that attract. The eigenvalues of M are the cycle's multipliers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.fed_inputs import fed_inputs
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.dynamics.linalg import eigenvectors, heavy, norm, solve
from rnnscope.dynamics.orbits import monodromy, steps
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.seeds import gather_seeds, seed_scale
from rnnscope.errors import UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.progress import told_rows

SAME = 1e-6
"""Two states this close, in scales, are one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cycles(ShowsItself):
    """C distinct cycles of one period.

    Attributes:
        states: each cycle's states in their order, (C, p, N).
        residual: ``||F^p(h) - h||`` at the first of them, (C,).
        multipliers: eigenvalues of the p-fold step's Jacobian, by falling modulus, (C, N).
        count: seeds that came to each, (C,).
        period: p.
        scale: the seeds' mean distance to their centroid.
    """

    states: Tensor
    residual: Tensor
    multipliers: Tensor
    count: Tensor
    period: int
    scale: float

    def __len__(self) -> int:
        return len(self.states)

    @property
    def stable(self) -> Tensor:
        """Whether each attracts: all multipliers inside the unit circle, (C,)."""
        return self.multipliers.abs().amax(-1) < 1

    @property
    def amplitude(self) -> Tensor:
        """The farthest that a cycle's states lie from their mean, in scales, (C,)."""
        centre = self.states.mean(1, keepdim=True)
        return norm(self.states - centre).amax(-1) / self.scale

    def sentence(self, cycle: int) -> str:
        """One cycle in words."""
        growing = int((self.multipliers[cycle].abs() > 1).sum())
        kind = "It attracts" if not growing else f"It repels in {growing} directions"
        return (
            f"A cycle of {self.period} steps, {float(self.amplitude[cycle]):.2g} scales wide. "
            f"{kind}; its largest multiplier is {float(self.multipliers[cycle, 0].abs()):.4g}."
        )

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "period": self.period,
            "cycles": len(self),
            "stable": int(self.stable.sum()),
            "amplitudes_in_scales": self.amplitude.tolist(),
            "largest_multipliers": self.multipliers.abs().amax(-1).tolist() if len(self) else [],
            "seeds": self.count.tolist(),
        }

    def __repr__(self) -> str:
        stable = int(self.stable.sum()) if len(self) else 0
        return f"Cycles({len(self)} of period {self.period}, {stable} of them attract)"


def find_cycles(
    model: Model | Cell,
    seeds: Any,
    inputs: Any = "zero",
    *,
    period: int = 2,
    settle: int = 500,
    max_steps: int = 60,
    count: int = 64,
    rng: int = 0,
) -> Cycles:
    """Cycles of a given period under an input held fixed.

    Args:
        model: a model or a bare cell; not changed.
        seeds, inputs: as of ``find_fixed_points``.
        period: p, at least 2; points that come back sooner are left out.
        settle: steps of the network after which a second search starts.
        max_steps: most Newton steps.
        count, rng: states drawn from documents, and the seed of the draw.

    Raises:
        DataError, UsageError, ModelError, NotApplicable: as of ``find_fixed_points``.
    """
    if not isinstance(period, int) or period < 2:
        raise UsageError(
            "A cycle takes two steps or more.",
            expected="a whole number, at least 2",
            got=repr(period),
            fix="a cycle of one step is a fixed point: use find_fixed_points",
        )
    cell = study_cell(model)
    held = hold_input(model, cell, inputs, fed_inputs(model, seeds))
    states = gather_seeds(model, cell, seeds, count=count, rng=rng)
    scale = seed_scale(states)
    problem = Problem(cell=cell, x=held.common)
    with heavy():
        settled = states
        for _ in range(settle):
            settled = problem.step(settled)
        starts = torch.cat([states, settled[torch.isfinite(settled).all(-1)]])
        ends, done = _newton(problem, starts, period, max_steps)
        return _collect(problem, ends[done], period, scale)


def _newton(problem: Problem, starts: Tensor, period: int, max_steps: int) -> tuple[Tensor, Tensor]:
    """Damped Newton steps of each start, and whether it came to rest."""
    h = starts.clone()
    length = torch.ones(len(h), dtype=h.dtype)
    active = torch.isfinite(h).all(-1)
    for _ in range(max_steps):
        k = active.nonzero().squeeze(-1)
        if not len(k):
            break
        for rows in told_rows(problem.chunks(len(k)), "closing cycles"):
            part = k[rows]
            orbit = steps(problem, h[part], period)
            G = orbit[:, -1] - h[part]
            A = monodromy(problem, orbit)
            A.diagonal(dim1=-2, dim2=-1).sub_(1)
            d = -solve(A, G)
            new = h[part] + length[part, None] * d
            left = norm(steps(problem, new, period)[:, -1] - new)
            better = left < norm(G)
            h[part] = torch.where(better[:, None], new, h[part])
            length[part] = torch.where(better, (2 * length[part]).clamp_max(1), length[part] / 2)
            rest = norm(G) <= period * problem.rounding(h[part])
            active[part] = ~rest & (length[part] > 1e-6) & torch.isfinite(norm(d))
    residual = norm(steps(problem, h, period)[:, -1] - h)
    return h, residual <= 10 * period * problem.rounding(h)


def _collect(problem: Problem, ends: Tensor, period: int, scale: float) -> Cycles:
    """Distinct cycles among states at rest under the p-fold step."""
    orbit = steps(problem, ends, period)
    shorter = [d for d in range(1, period) if period % d == 0]
    own = torch.ones(len(ends), dtype=torch.bool)
    for d in shorter:
        own &= norm(orbit[:, d] - orbit[:, 0]) > SAME * scale
    found: list[int] = []
    count: list[int] = []
    for k in own.nonzero().squeeze(-1).tolist():
        for place, head in enumerate(found):
            if norm(orbit[head, :period] - orbit[k, 0]).min() <= SAME * scale:
                count[place] += 1
                break
        else:
            found.append(k)
            count.append(1)
    states = orbit[found][:, :period]
    values = (
        eigenvectors(monodromy(problem, orbit[found]))[0]
        if found
        else ends[:0].to(torch.complex128)
    )
    order = values.abs().argsort(dim=-1, descending=True, stable=True)
    return Cycles(
        states=states,
        residual=norm(orbit[found][:, -1] - orbit[found][:, 0]),
        multipliers=values.gather(-1, order),
        count=torch.tensor(count, dtype=torch.long),
        period=period,
        scale=scale,
    )
