"""The network as a dynamical system: fixed points, linearization, modes, the line attractor."""

from rnnscope.dynamics.find import find_fixed_points
from rnnscope.dynamics.input_effects import WordProjections, word_projections
from rnnscope.dynamics.inputs import HeldInput
from rnnscope.dynamics.linearization import linearize
from rnnscope.dynamics.manifold import Manifold, fit_manifold
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.nulls import Alignment
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.position import SlowPosition, slow_position
from rnnscope.dynamics.verdict import (
    LineAttractorVerdict,
    Prediction,
    line_attractor_verdict,
)

__all__ = [
    "Alignment",
    "FixedPointOptions",
    "FixedPoints",
    "HeldInput",
    "LineAttractorVerdict",
    "Manifold",
    "Modes",
    "Outcome",
    "Points",
    "Prediction",
    "SlowPosition",
    "WordProjections",
    "find_fixed_points",
    "fit_manifold",
    "line_attractor_verdict",
    "linearize",
    "slow_position",
    "word_projections",
]
