"""Lyapunov exponents of a long run: the mean growth of directions kept orthogonal as they go.

J_t Q_{t-1} = Q_t R_t,   exponent_a = 1/T sum_t ln |R_t[a, a]|
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.paths import StatePath
from rnnscope.errors import UsageError
from rnnscope.progress import told

BLOCKS = 10
"""Stretches of the run that the errors are taken from: longer than the run's own memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LyapunovSpectrum:
    """Growth of small changes along a run.

    Attributes:
        exponents: mean ``ln`` of growth a step, falling, (count,): above 0 for sensitive
            dependence, -inf where a direction is lost at once.
        errors: standard error of each over ten stretches of the run, (count,); nan where the run
            is shorter than that.
        steps: steps averaged over.
        discarded: steps before them, in which the directions settled.
        width: N.
    """

    exponents: Tensor
    errors: Tensor
    steps: int
    discarded: int
    width: int

    @property
    def time_constants(self) -> Tensor:
        """``-1 / exponent`` in steps: positive for decay, negative for growth, (count,)."""
        return -1 / self.exponents

    @property
    def dimension(self) -> float | None:
        """Kaplan-Yorke dimension; None where more exponents are needed to tell."""
        total = self.exponents.cumsum(0)
        kept = int((total >= 0).sum())
        if kept == self.width:
            return float(kept)
        if kept == len(total):
            return None
        before = float(total[kept - 1]) if kept else 0.0
        return kept + before / abs(float(self.exponents[kept]))

    @property
    def sentence(self) -> str:
        """The largest exponent, in words."""
        first, error = float(self.exponents[0]), float(self.errors[0])
        known = error == error
        spread = f" (standard error {error:.2g})" if known else ""
        head = f"Over {self.steps} steps small changes multiply by e^{first:.4g} a step{spread}"
        if not known or abs(first) <= 2 * error:
            return f"{head}: too few steps to tell growth from decay."
        return f"{head}: they {'grow' if first > 0 else 'decay'} on average."


def lyapunov_spectrum(
    path: StatePath, *, count: int | None = None, discard: int = 0, rng: int = 0
) -> LyapunovSpectrum:
    """The ``count`` largest Lyapunov exponents along a path, by repeated QR.

    Args:
        path: T steps under their own inputs: a held input repeated, or a long text.
        count: exponents; None for all N.
        discard: first steps that the directions settle in and that are not averaged.
        rng: seed of the first directions.

    Raises:
        UsageError: a count that is not 1 to N, or no step left to average.

    Source:
        Benettin, Galgani, Giorgilli & Strelcyn 1980; dimension: Kaplan & Yorke 1979
    """
    width = path.states.shape[-1]
    count = width if count is None else count
    if not 1 <= count <= width:
        raise UsageError(
            "There are as many exponents as the state is wide.",
            expected=f"1 to {width}",
            got=str(count),
        )
    if not 0 <= discard < len(path):
        raise UsageError(
            "Some steps must be left to average.",
            expected=f"discard from 0 to {len(path) - 1}",
            got=str(discard),
        )
    generator = torch.Generator().manual_seed(rng)
    logs = torch.empty(len(path), count, dtype=torch.float64)
    with heavy():
        start = torch.randn(width, count, generator=generator, dtype=torch.float64)
        Q = torch.linalg.qr(start).Q
        steps = path.tangents(0, len(path))
        for t, J in enumerate(told(steps, "following changes", total=len(path), unit="step")):
            Q, R = torch.linalg.qr(J.push(Q.mT[None])[0].mT)
            logs[t] = R.diagonal().abs().log()
    logs = logs[discard:]
    exponents, order = logs.mean(0).sort(descending=True, stable=True)
    return LyapunovSpectrum(
        exponents=exponents,
        errors=_errors(logs)[order],
        steps=len(logs),
        discarded=discard,
        width=width,
    )


def _errors(logs: Tensor) -> Tensor:
    size = len(logs) // BLOCKS
    if size < 2:
        return torch.full(logs.shape[1:], torch.nan, dtype=torch.float64)
    blocks = logs[-size * BLOCKS :].reshape(BLOCKS, size, -1).mean(1)
    return blocks.std(0) / BLOCKS**0.5
