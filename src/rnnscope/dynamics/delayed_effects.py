"""What a word did k steps before the end of a document: by modes, and in truth.

By modes (Maheswaranathan et al. 2019), expanded at the fixed point nearest to the state that the
word met, with the modes that were kept:

effect_k = w^T R Lambda^k L J_inp (x - x*)

In truth: the document is read again with that word replaced by the input held fixed, and the final
states are compared, ``w^T (h_T - h_T without the word)``. w is the readout, or l_1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from rnnscope.dynamics.linalg import EPS, norm
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.resampling import between, resamples
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model, Trajectory
from rnnscope.notebook import ShowsItself
from rnnscope.statistics import Estimate, correlation

Along = Literal["readout", "slow"]

DRAWS = 1000

ROUNDING = 64 * EPS
"""A change of the final state below this, in units of its length, is none."""

LEAST = 3
"""Documents below which no correlation is measured."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DelayedEffects(ShowsItself):
    """The effects of words k = 0..K steps before the end, on D documents.

    Attributes:
        true, predicted: the effect of the word at T - k, nan where the document has none,
            (D, K + 1).
        point: the row of the modes that it was expanded at; -1 where there is none, (D, K + 1).
        correlation: for each k, that of both (Pearson), with an interval over documents.
        error: for each k, the root of the mean square of their difference, over that of the true
            effect: 0 is exact, 1 no better than no effect at all.
        null_high: for each k, 95 % quantile of the correlation for predictions shuffled over the
            documents.
        along: what effects are measured along.
        modes: how many modes the prediction was made of.
    """

    true: Tensor
    predicted: Tensor
    point: Tensor
    correlation: tuple[Estimate, ...]
    error: tuple[Estimate, ...]
    null_high: tuple[float, ...]
    along: Along
    modes: int

    @property
    def horizon(self) -> int:
        """K, the largest number of steps before the end."""
        return self.true.shape[1] - 1

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "along": self.along,
            "modes": self.modes,
            "correlation": [one.to_dict() for one in self.correlation],
            "error": [one.to_dict() for one in self.error],
            "null_95": [None if v != v else v for v in self.null_high],
        }

    def __repr__(self) -> str:
        shown = sorted({0, self.horizon // 2, self.horizon})
        told = "; ".join(
            f"k = {k}: correlation {self.correlation[k]:.2f}, error {self.error[k]:.2f}"
            for k in shown
        )
        return f"DelayedEffects along the {self.along} of {len(self.true)} documents: {told}"


def delayed_effects(
    model: Model,
    modes: Modes,
    documents: Iterable[Any],
    *,
    horizon: int = 10,
    along: Along = "readout",
    count: int | None = None,
    rng: int = 0,
) -> DelayedEffects:
    """Hold the effects that modes give words against those they have, by distance from the end.

    Args:
        model, modes: the network and its linearization.
        documents: what the model reads. Those of fewer than k + 1 words do not count at k.
        horizon: K; steps before the end at most.
        along: the "readout", or the "slow" mode's l_1 at the point of expansion.
        count: the slowest modes used; all that were kept when None. A complex pair is not cut, so
            one fewer may be.
        rng: seed of intervals and null.

    Raises:
        NotApplicable: no readout to measure along, or the slow mode is nowhere real.
        UsageError: a horizon below 0, more modes than were kept, another ``along``.
        DataError: no document, or one the model cannot read.
    """
    size = modes.count if count is None else count
    if horizon < 0 or not 1 <= size <= modes.count or along not in ("readout", "slow"):
        raise UsageError(
            "Effects are those of kept modes, 0 steps before the end or more.",
            expected=f"horizon >= 0, count from 1 to {modes.count}, along 'readout' or 'slow'",
            got=f"horizon={horizon}, count={count}, along={along!r}",
        )
    usable = _usable(modes, along)
    exact = model.to(torch.float64, "cpu")
    parts, places = [], []
    documents = list(documents)
    for trajectory in exact.trajectories(documents):
        batch = [documents[k] for k in trajectory.indices.tolist()]
        ends = _Ends.of(exact, trajectory, batch, horizon)
        parts.append(_effects(modes, ends, usable, size, along))
        places.append(trajectory.indices)
    if not parts:
        raise DataError("Effects are measured on documents.", expected="one or more", got="none")
    order = torch.cat(places).argsort()
    true, predicted, point = (torch.cat(one)[order] for one in zip(*parts, strict=True))
    figures = [_compare(true[:, k], predicted[:, k], rng) for k in range(horizon + 1)]
    agreement, error, null = zip(*figures, strict=True)
    return DelayedEffects(
        true=true,
        predicted=predicted,
        point=point,
        correlation=agreement,
        error=error,
        null_high=null,
        along=along,
        modes=size,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ends:
    """The last words of a batch of documents, aligned at the end.

    ``before[:, k]`` is the state before the word k steps before the end, ``inputs[:, k]`` that
    word's input, (B, K + 1, ...); ``there`` says whether the document has such a word.
    """

    before: Tensor
    inputs: Tensor
    final: Tensor
    there: Tensor

    @classmethod
    def of(cls, model: Model, trajectory: Trajectory, documents: list[Any], horizon: int) -> _Ends:
        start = torch.cat([layer.directions[0].start for layer in model.layers])
        states, lengths = trajectory.states, trajectory.lengths
        states = torch.cat([start.expand(len(states), 1, -1), states], dim=1)
        rows = torch.arange(len(states))[:, None]
        place = lengths[:, None] - 1 - torch.arange(horizon + 1)
        encoded = model.encode(documents)
        inputs = torch.zeros(len(states), horizon + 1, model.input_size, dtype=torch.float64)
        for row, document in enumerate(encoded):
            last = document[::-1][: horizon + 1].copy()
            values = torch.from_numpy(last)
            if model.embedding is not None:
                values = model.embedding[values]
            inputs[row, : len(last)] = values
        return cls(
            before=states[rows, place.clamp_min(0)],
            inputs=inputs,
            final=trajectory.final(),
            there=place >= 0,
        )


def _usable(modes: Modes, along: Along) -> Tensor:
    """Rows of the modes that effects can be expanded at."""
    if along == "readout" and modes.readout is None:
        raise NotApplicable(
            "Effects along the readout need one.",
            expected="a model whose readout sees this state",
            got="none",
            fix="use along='slow'",
        )
    usable = torch.isfinite(modes.left).flatten(1).all(-1).nonzero().squeeze(-1)
    usable = modes.simple_points if along == "slow" else usable
    if not len(usable):
        raise NotApplicable(
            "Effects are expanded at points with well-defined modes.",
            expected="one point or more where they are"
            + (" and the slowest is real" if along == "slow" else ""),
            got="none",
        )
    return usable


def _effects(
    modes: Modes, ends: _Ends, usable: Tensor, size: int, along: Along
) -> tuple[Tensor, Tensor, Tensor]:
    """True and predicted effects, and the point of expansion, each (B, K + 1)."""
    near = [torch.cdist(part, modes.states[usable]) for part in ends.before.split(256)]
    point = usable[torch.cat(near).argmin(-1)]
    slow = along == "slow" or modes.readout is None
    w = modes.left[point, 0].real if slow else modes.readout
    changed = ends.final[:, None] - _without(modes, ends)
    w = torch.as_tensor(w)
    true = (changed * w).sum(-1)
    rounding = ROUNDING * norm(ends.final)[:, None] * norm(w)
    true = torch.where(true.abs() > rounding, true, 0.0)
    predicted = _by_modes(modes, ends.inputs - modes.held.common, point, size, along)
    gone = ~ends.there
    return (
        true.masked_fill(gone, torch.nan),
        predicted.masked_fill(gone, torch.nan),
        point.masked_fill(gone, -1),
    )


def _without(modes: Modes, ends: _Ends) -> Tensor:
    """The final states with the word at each distance replaced, (B, K + 1, N)."""
    cell, held = modes.cell, modes.held.common
    replaced = torch.zeros_like(ends.before)
    with torch.no_grad():
        for k in range(ends.before.shape[1] - 1, -1, -1):
            # Those replaced earlier read this word as it is.
            words = ends.inputs[:, k, None].expand(-1, replaced.shape[1] - k - 1, -1)
            replaced[:, k + 1 :] = cell.step(words, replaced[:, k + 1 :])
            replaced[:, k] = cell.step(held.expand(len(replaced), -1), ends.before[:, k])
    return replaced


def _by_modes(modes: Modes, x: Tensor, point: Tensor, size: int, along: Along) -> Tensor:
    """``w^T R Lambda^k L J_inp x`` at each word's own point, (B, K + 1)."""
    cut = modes.eigenvalues[:, size - 1].imag > 0
    kept = torch.arange(size) < size - cut.long()[:, None]
    right = modes.right[..., :size]
    if along == "slow" or modes.readout is None:
        seen = torch.zeros(len(modes), size, dtype=right.dtype)
        seen[:, 0] = 1
    else:
        seen = modes.readout.to(right.dtype) @ right
    weight = torch.where(kept, seen, 0)
    push = modes.left[:, :size] @ modes.J_inp.to(modes.left.dtype)
    result = torch.empty(point.shape, dtype=torch.float64)
    for k in range(point.shape[1]):
        decayed = weight * modes.eigenvalues[:, :size] ** k
        rows = torch.einsum("pa,pad->pd", decayed, push).real
        result[:, k] = (rows[point[:, k]] * x[:, k]).sum(-1)
    return result


def _compare(true: Tensor, predicted: Tensor, rng: int) -> tuple[Estimate, Estimate, float]:
    """Correlation, relative error, and the correlation that shuffled predictions reach."""
    there = ~torch.isnan(true)
    a, b = true[there].numpy(), predicted[there].numpy()
    if len(a) < LEAST:
        return Estimate.unknown(len(a)), Estimate.unknown(len(a)), float("nan")
    rows = resamples(len(a), DRAWS, rng=rng)
    missed, size = (a - b) ** 2, a**2
    if not size.sum() > 0:
        return Estimate.unknown(len(a)), Estimate.unknown(len(a)), float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.sqrt(missed[rows].mean(1) / size[rows].mean(1))
    error = between(float(np.sqrt(missed.mean() / size.mean())), drawn, len(a))
    agreement = correlation(b, a, seed=rng)
    if not agreement.known:
        return agreement, error, float("nan")
    generator = np.random.default_rng(rng)
    orders = np.stack([generator.permutation(len(a)) for _ in range(DRAWS)])
    x, y = ((v - v.mean()) / v.std() for v in (a, b))
    return agreement, error, float(np.quantile(y[orders] @ x / len(a), 0.95))
