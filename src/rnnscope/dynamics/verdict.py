"""How far a network is a line attractor: the hypothesis's predictions, measured beside nulls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from rnnscope.dynamics.manifold import Manifold
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.nulls import Alignment
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.points import FixedPoints


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """One prediction, measured.

    Attributes:
        name: which.
        value: what was measured; None where it could not be, the sentence says why.
        null: what it is held against; None where there is nothing to hold it against.
        sentence: both, in words.
        finding: whether it exceeds the null: "yes", "no", "by definition", "by construction" (of
            the points it was measured at), "cannot tell" (the null is at its ceiling), "not known".
    """

    name: str
    value: float | None
    null: float | None
    sentence: str
    finding: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LineAttractorVerdict:
    """The predictions, and what they rest on.

    Attributes:
        sentence: the finding, with its figures.
        dimension: variance share of the first axis, against points drawn with the covariance of
            the visited states.
        stability: median time constant of the slowest mode, against that of the second.
        integration: median |cos| of r_1 with m, against drawn directions.
        tangent: median |cos| of r_1 with the manifold's own direction at the point, against drawn
            directions. Not in the paper: where the line is bent, this is what integration means.
        readout: |cos| of m with the readout, against drawn directions.
        ghost_share: share of the seeds that end in ghosts. No evidence either way: at a ghost J
            has an eigenvalue 1 by construction.
        growing_share: share of the linearized points whose slowest mode grows.
    """

    sentence: str
    dimension: Prediction
    stability: Prediction
    integration: Prediction
    tangent: Prediction
    readout: Prediction
    ghost_share: float
    growing_share: float

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """All of them, in the order of the paper's argument."""
        return self.dimension, self.stability, self.integration, self.tangent, self.readout

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "sentence": self.sentence,
            "predictions": {
                p.name: {
                    "value": p.value,
                    "null": p.null,
                    "sentence": p.sentence,
                    "finding": p.finding,
                }
                for p in self.predictions
            },
            "ghost_share": self.ghost_share,
            "growing_share": self.growing_share,
        }

    def __repr__(self) -> str:
        return "\n  ".join([self.sentence, *(p.sentence for p in self.predictions)])


def line_attractor_verdict(
    points: FixedPoints, modes: Modes, line: Manifold
) -> LineAttractorVerdict:
    """Hold a network against the line-attractor hypothesis.

    Measured at manifold points, continua and roots only, never at ghosts. Manifold points are seeds
    moved until only their slow directions are left. So wherever one direction is slower than
    ``slow_time``, they form a line along r_1 in any network: that they do is no evidence, and is
    said to be by construction. What can fail is how slow that direction is, how far apart from the
    next, whether the line runs along the readout, and whether words push along it; the last, the
    paper's third prediction, needs labelled words: see ``word_projections``.

    Args:
        points: what ``find_fixed_points`` gave.
        modes: ``linearize(model, points)``.
        line: ``fit_manifold(points, modes)``.

    Source:
        Maheswaranathan et al. 2019
    """
    ghosts = sum(outcome is Outcome.GHOST for outcome in points.outcomes) / len(points)
    built = len(points.manifold) > 0
    dimension, stability = _dimension(line, built=built), _stability(modes)
    axis = "the slow direction r_1 with the line's axis"
    integration = _aligned("integration", axis, line.modes, built=built)
    along = "the slow direction r_1 with the manifold's own direction at the point"
    tangent = _aligned("tangent", along, line.tangents, built=built)
    across = "the line's axis with the readout"
    readout = _aligned("readout", across, line.readout, built=False)
    sentence = " ".join([_found(points), stability.sentence, readout.sentence])
    return LineAttractorVerdict(
        sentence=sentence,
        dimension=dimension,
        stability=stability,
        integration=integration,
        tangent=tangent,
        readout=readout,
        ghost_share=ghosts,
        growing_share=float(modes.growing[:, 0].double().mean()),
    )


def _found(points: FixedPoints) -> str:
    kinds = ", ".join(
        f"{len(kind)} {name}"
        for name, kind in (
            ("manifold points", points.manifold),
            ("points of continua", points.continua),
            ("roots", points.roots),
        )
    )
    return f"From {len(points)} seeds: {kinds}."


CEILING = 0.95
"""A null this high leaves nothing to exceed."""

MARGIN = 0.01
"""A difference below this is none."""


def _finding(value: float | None, null: float | None, *, built: bool) -> str:
    if value is None or null is None:
        return "not known"
    if built:
        return "by construction"
    if null >= CEILING:
        return "cannot tell"
    return "yes" if value > null + MARGIN else "no"


def _dimension(line: Manifold, *, built: bool) -> Prediction:
    value, null = float(line.variance[0]), line.variance_null
    against = "nothing to hold it against" if null is None else f"visited states reach {null:.1%}"
    return Prediction(
        name="dimension",
        value=value,
        null=null,
        sentence=f"The first axis holds {value:.1%} of the points' variance ({against}).",
        finding=_finding(value, null, built=built),
    )


def _stability(modes: Modes) -> Prediction:
    tau = modes.time_constants
    first = float(tau[:, 0].median())
    second = _second(modes)
    grows = int(modes.growing[:, 0].sum())
    against = "it has no second" if second is None else f"the second {second:.3g}"
    ratio = "" if not second or first == torch.inf else f", {first / second:.3g} times"
    return Prediction(
        name="stability",
        value=first,
        null=second,
        sentence=f"The slowest mode's median time constant is {first:.3g} steps "
        f"({against}{ratio}); it grows at {grows} of {len(modes)} points.",
        finding="by definition",
    )


def _second(modes: Modes) -> float | None:
    """Median time constant of the mode after the slowest, a complex pair counting as one."""
    place = modes.oscillating[:, 0].long() + 1
    if int(place.max()) >= modes.eigenvalues.shape[-1]:
        return None
    return float(modes.time_constants.gather(-1, place[:, None]).median())


def _aligned(name: str, what: str, alignment: Alignment | None, *, built: bool) -> Prediction:
    if alignment is None:
        return Prediction(
            name=name,
            value=None,
            null=None,
            sentence=f"The alignment of {what} cannot be measured: one of them is not known.",
            finding="not known",
        )
    return Prediction(
        name=name,
        value=alignment.median,
        null=alignment.null_high,
        sentence=f"The median |cos| of {what} is {alignment.median:.2f} "
        f"(directions of the visited states: median {alignment.null_median:.2f}, "
        f"95 % below {alignment.null_high:.2f}; at random: median "
        f"{alignment.isotropic_median:.2f}).",
        finding=_finding(alignment.median, alignment.null_high, built=built),
    )
