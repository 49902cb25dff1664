"""How far a network is a line attractor: the hypothesis's predictions, measured beside nulls.

The four predictions of Maheswaranathan et al. 2019, and what stands in for each:

1  the fixed points form a line along the readout     dimension, visited, readout
2  they are marginally stable in one direction        stability
3  words of either class push apart                   separability, classifier
4  along the line                                     integration, tangent
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from rnnscope.dynamics.manifold import Manifold
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.prediction import Prediction, beside, interval_of, judge
from rnnscope.dynamics.resampling import bootstrap
from rnnscope.dynamics.separability import word_separability
from rnnscope.dynamics.shape_findings import (
    Drawn,
    dimension,
    integration,
    readout,
    tangent,
    visited,
)
from rnnscope.dynamics.untrained import UntrainedBaseline, second_time_constant
from rnnscope.dynamics.word_classes import WordClasses
from rnnscope.dynamics.word_findings import classifier, separability
from rnnscope.errors import UsageError
from rnnscope.models import Model
from rnnscope.notebook import html_table

__all__ = ["LineAttractorVerdict", "Prediction", "line_attractor_verdict"]

DRAWS = 200
"""Bootstrap samples behind each interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LineAttractorVerdict:
    """The predictions, and what they rest on.

    Attributes:
        sentence: the finding, with its figures.
        dimension: variance share of the first axis, against points drawn with the covariance of
            the visited states.
        stability: median time constant of the slowest mode, against that of the second and, where
            it is given, that of untrained networks.
        integration: median |cos| of r_1 with m, against drawn directions.
        tangent: median |cos| of r_1 with the manifold's own direction at the point, against drawn
            directions. Not in the paper: where the line is bent, this is what integration means.
        readout: |cos| of m with the readout, against drawn directions.
        ghost_share: share of the seeds that ghosts were found from. No evidence either way: at a
            ghost J has an eigenvalue 1 by construction.
        growing_share: share of the linearized points whose slowest mode grows, |lambda| > 1.
        visited: variance share of the visited states' first axis, against that in untrained
            networks; None where none were given.
        separability: share of pairs of a positive and a negative word in the right order along
            l_1, against shuffled labels; None without words.
        classifier: accuracy of a linear classifier of ``J_inp x`` on words left out of its fit,
            against shuffled labels; None without words.
    """

    sentence: str
    dimension: Prediction
    stability: Prediction
    integration: Prediction
    tangent: Prediction
    readout: Prediction
    ghost_share: float
    growing_share: float
    visited: Prediction | None = None
    separability: Prediction | None = None
    classifier: Prediction | None = None

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """All that were asked for, in the order of the paper's argument."""
        every = (
            self.dimension,
            self.visited,
            self.readout,
            self.stability,
            self.separability,
            self.classifier,
            self.integration,
            self.tangent,
        )
        return tuple(one for one in every if one is not None)

    def found(self, finding: str) -> tuple[str, ...]:
        """The names of the predictions of which this was found."""
        return tuple(one.name for one in self.predictions if one.finding == finding)

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "sentence": self.sentence,
            "predictions": {p.name: p.summary() for p in self.predictions},
            "ghost_share": self.ghost_share,
            "growing_share": self.growing_share,
        }

    def __repr__(self) -> str:
        return "\n  ".join([self.sentence, *(p.sentence for p in self.predictions)])

    def _repr_html_(self) -> str:
        rows = [(p.name, p.value, p.null, p.finding, p.sentence) for p in self.predictions]
        head = ("prediction", "measured", "held against", "exceeds it", "in words")
        return html_table(self.sentence, rows, head=head)


def line_attractor_verdict(
    points: FixedPoints,
    modes: Modes,
    line: Manifold | None,
    *,
    model: Model | None = None,
    words: WordClasses | None = None,
    untrained: UntrainedBaseline | None = None,
    rng: int = 0,
) -> LineAttractorVerdict:
    """Hold a network against the line-attractor hypothesis.

    Measured at manifold points, continua and roots only, never at ghosts. Manifold points are seeds
    moved until only their slow directions are left. So wherever one direction is slower than
    ``slow_time``, they form a line along r_1 in any network: that they do is no evidence, and is
    said to be by construction. What can fail is how slow that direction is, how far apart from the
    next, whether the line runs along the readout, and whether words push along it.

    A finding is "yes" only where the whole interval lies above every null.

    Args:
        points: what ``find_fixed_points`` gave.
        modes: ``linearize(model, points)``.
        line: ``fit_manifold(points, modes)``; None where the points are one.
        model: the network, for its words.
        words: positive and negative words, for the third prediction.
        untrained: what networks that have learned nothing show, as a further null.
        rng: seed of intervals and nulls.

    Raises:
        UsageError: words without the model.

    Source:
        Maheswaranathan et al. 2019
    """
    if words is not None and model is None:
        raise UsageError(
            "Words push a network through its embedding.",
            expected="model= with words=",
            got="words alone",
        )
    ghosts = float(points.ghosts.count.sum()) / len(points)
    drawn = None if line is None else Drawn.of(line, draws=DRAWS, rng=rng)
    built = len(points.manifold) > 0
    across = readout(line, points, drawn, untrained)
    stability = _stability(modes, untrained, rng)
    told = None
    if words is not None and model is not None:
        told = word_separability(model, modes, words, draws=DRAWS, rng=rng)
    verdict = LineAttractorVerdict(
        sentence="",
        dimension=dimension(line, drawn, untrained, built=built),
        stability=stability,
        integration=integration(line, modes, drawn, untrained, built=built),
        tangent=tangent(line, untrained, built=built, draws=DRAWS, rng=rng),
        readout=across,
        ghost_share=ghosts,
        growing_share=float(modes.growing[:, 0].double().mean()),
        visited=None if untrained is None else visited(points, untrained, draws=DRAWS, rng=rng),
        separability=None if told is None else separability(told, untrained),
        classifier=None if told is None else classifier(told, untrained),
    )
    parts = [_found(points), stability.sentence, across.sentence]
    if verdict.separability is not None:
        parts.append(verdict.separability.sentence)
    if words is not None or untrained is not None:
        parts.append(_in_all(verdict))
    return replace(verdict, sentence=" ".join(parts))


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


def _in_all(verdict: LineAttractorVerdict) -> str:
    """Which predictions exceed their nulls, which do not, and which say nothing."""
    told = [
        f"{label} ({', '.join(verdict.found(finding))})"
        for finding, label in (
            ("yes", "above every null"),
            ("no", "not above their nulls"),
            ("by construction", "so by construction, which is no evidence"),
            ("by definition", "so by definition, which is no evidence"),
            ("cannot tell", "whose null leaves nothing to exceed"),
            ("not known", "not measured"),
        )
        if verdict.found(finding)
    ]
    return f"Predictions: {'; '.join(told)}."


def _stability(modes: Modes, untrained: UntrainedBaseline | None, rng: int) -> Prediction:
    tau = modes.time_constants
    slow = tau[:, 0].numpy()
    first = bootstrap(_median, slow, draws=DRAWS, rng=rng)
    second = second_time_constant(tau, modes.oscillating)
    grows = int(modes.growing[:, 0].sum())
    against = "it has no second" if second is None else f"the second {second:.3g}"
    ratio = "" if not second or first.value == torch.inf else f", {first.value / second:.3g} times"
    nulls = {} if second is None else {"second mode": second}
    finding, beyond = "by definition", ""
    other = None if untrained is None else untrained.high("time_constant")
    if untrained is not None and other is not None:
        nulls["untrained"] = other
        beyond = f"; untrained networks: 95 % below {other:.3g}"
        finding = judge(first, {"untrained": other}, built=False, ceiling=torch.inf)
        apart = untrained.high("time_ratio")
        # Slow in every direction is no line: the slow one must stand apart from the next as well.
        if finding == "yes" and apart is not None and second:
            low = first.low if first.low == first.low else first.value
            finding = "yes" if low / second > apart else "no"
    return Prediction(
        name="stability",
        value=first.value,
        null=second,
        sentence=f"The slowest mode's median time constant is {first.value:.3g}"
        f"{beside(first, '.3g')} steps ({against}{ratio}{beyond}); it grows at {grows} of "
        f"{len(modes)} points.",
        finding=finding,
        interval=interval_of(first),
        nulls=nulls,
    )


def _median(values: Any) -> float:
    return float(torch.from_numpy(values).median())
