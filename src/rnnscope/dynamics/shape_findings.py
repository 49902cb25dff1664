"""The predictions of a line attractor that are about shape: one axis, along the readout and r_1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from rnnscope.dynamics.manifold import Manifold
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.nulls import Alignment, unit
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.prediction import Prediction, beside, interval_of, judge
from rnnscope.dynamics.principal_axis import drawn_axes
from rnnscope.dynamics.resampling import between, bootstrap, centred, resamples
from rnnscope.dynamics.untrained import UntrainedBaseline
from rnnscope.statistics import Estimate

NO_LINE = "all points are one"


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """The line's first axis over bootstrap samples of its points.

    Attributes:
        share: of each sample's variance, (draws,).
        axis: unit length, of either sign, (draws, N).
        rng: seed.
    """

    share: Tensor
    axis: Tensor
    rng: int

    @classmethod
    def of(cls, line: Manifold, *, draws: int, rng: int) -> Self:
        """Draw the points of a line again and again."""
        share, axis = drawn_axes(line.states, draws=draws, rng=rng)
        return cls(share=share, axis=axis, rng=rng)


def dimension(
    line: Manifold | None,
    drawn: Drawn | None,
    untrained: UntrainedBaseline | None,
    *,
    built: bool,
) -> Prediction:
    """The share of the points' variance along their first axis."""
    if line is None or drawn is None:
        return Prediction.unknown("dimension", f"The points have no axis: {NO_LINE}.")
    estimate = _share(float(line.variance[0]), drawn.share, len(line))
    null = line.variance_null
    nulls, beyond = _with_untrained(null, untrained, "points_variance", "visited states", ".1%")
    against = "nothing to hold it against" if null is None else f"visited states reach {null:.1%}"
    return Prediction(
        name="dimension",
        value=estimate.value,
        null=null,
        sentence=f"The first axis holds {estimate.value:.1%}{beside(estimate, '.1%')} of the "
        f"points' variance ({against}{beyond}).",
        finding=judge(estimate, nulls, built=built),
        interval=interval_of(estimate),
        nulls=nulls,
    )


def visited(
    points: FixedPoints, untrained: UntrainedBaseline, *, draws: int, rng: int
) -> Prediction:
    """The share of the visited states' variance along their first axis: nothing is built here."""
    states = points.seeds
    spectrum = torch.linalg.svdvals(states - states.mean(0)).square()
    total = float(spectrum.sum())
    null = untrained.high("visited_variance")
    if not total > 0 or null is None:
        return Prediction.unknown("visited", "The visited states do not vary.")
    share, _ = drawn_axes(states, draws=draws, rng=rng)
    first = float(spectrum[0]) / total
    estimate = _share(first, share, len(states))
    ratio = total**2 / float(spectrum.square().sum())
    other = untrained.median("visited_participation")
    beside_ratio = "" if other is None else f", that of untrained ones {other:.2f}"
    nulls = {"untrained": null}
    return Prediction(
        name="visited",
        value=first,
        null=null,
        sentence=f"The first axis of the visited states holds {first:.1%}"
        f"{beside(estimate, '.1%')} of their variance (untrained networks: 95 % below {null:.1%}); "
        f"their participation ratio is {ratio:.2f}{beside_ratio}.",
        finding=judge(estimate, nulls, built=False),
        interval=interval_of(estimate),
        nulls=nulls,
    )


def readout(
    line: Manifold | None,
    points: FixedPoints,
    drawn: Drawn | None,
    untrained: UntrainedBaseline | None,
) -> Prediction:
    """|cos| of the line's axis with the readout."""
    what = "the line's axis with the readout"
    if line is None or line.readout is None or drawn is None or points.readout is None:
        return _aligned("readout", what, None, None, untrained, built=False)
    direction = unit(points.readout[points.sees])
    cosines = (unit(drawn.axis[:, points.sees]) @ direction).abs()
    estimate = between(line.readout.median, cosines.numpy(), len(line))
    return _aligned("readout", what, line.readout, estimate, untrained, built=False)


def integration(
    line: Manifold | None,
    modes: Modes,
    drawn: Drawn | None,
    untrained: UntrainedBaseline | None,
    *,
    built: bool,
) -> Prediction:
    """|cos| of r_1 with the line's axis."""
    what = "the slow direction r_1 with the line's axis"
    if line is None or line.modes is None or drawn is None:
        return _aligned("integration", what, None, None, untrained, built=built)
    right = modes.right[~modes.oscillating[:, 0], :, 0].real
    cosines = (right @ drawn.axis.mT).abs().numpy()
    rows = resamples(len(cosines), cosines.shape[1], rng=drawn.rng)
    medians = np.array([np.median(cosines[row, k]) for k, row in enumerate(rows)])
    estimate = between(line.modes.median, medians, len(cosines))
    return _aligned("integration", what, line.modes, estimate, untrained, built=built)


def tangent(
    line: Manifold | None,
    untrained: UntrainedBaseline | None,
    *,
    built: bool,
    draws: int,
    rng: int,
) -> Prediction:
    """|cos| of r_1 with the manifold's own direction at the point."""
    what = "the slow direction r_1 with the manifold's own direction at the point"
    if line is None or line.tangents is None:
        return _aligned("tangent", what, None, None, untrained, built=built)
    values = line.tangents.values.numpy()
    estimate = bootstrap(lambda v: float(np.median(v)), values, draws=draws, rng=rng)
    return _aligned("tangent", what, line.tangents, estimate, untrained, built=built)


def _aligned(
    name: str,
    what: str,
    alignment: Alignment | None,
    estimate: Estimate | None,
    untrained: UntrainedBaseline | None,
    *,
    built: bool,
) -> Prediction:
    if alignment is None or estimate is None:
        return Prediction.unknown(
            name, f"The alignment of {what} cannot be measured: one of them is not known."
        )
    nulls, beyond = _with_untrained(
        alignment.null_high, untrained, name, "directions of the visited states", ".2f"
    )
    return Prediction(
        name=name,
        value=alignment.median,
        null=alignment.null_high,
        sentence=f"The median |cos| of {what} is {alignment.median:.2f}{beside(estimate, '.2f')} "
        f"(directions of the visited states: median {alignment.null_median:.2f}, "
        f"95 % below {alignment.null_high:.2f}; at random: median "
        f"{alignment.isotropic_median:.2f}{beyond}).",
        finding=judge(estimate, nulls, built=built),
        interval=interval_of(estimate),
        nulls=nulls,
    )


def _share(value: float, drawn: Tensor, count: int) -> Estimate:
    """With its interval, between 0 and 1. Repeated points make a first axis look stronger."""
    found = centred(value, drawn.numpy(), count)
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _with_untrained(
    null: float | None, untrained: UntrainedBaseline | None, name: str, label: str, spec: str
) -> tuple[dict[str, float], str]:
    """All nulls by name, and the further one in words."""
    nulls = {} if null is None else {label: null}
    other = None if untrained is None else untrained.high(name)
    if other is None:
        return nulls, ""
    return {**nulls, "untrained": other}, f"; untrained networks: 95 % below {other:{spec}}"
