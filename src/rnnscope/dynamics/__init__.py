"""The network as a dynamical system: fixed points, linearization, modes, the line attractor."""

from rnnscope.dynamics.arc_length import ArcLength, arc_length
from rnnscope.dynamics.class_effects import (
    ClassEffects,
    LexiconAgreement,
    class_effects,
    lexicon_agreement,
)
from rnnscope.dynamics.delayed_effects import DelayedEffects, delayed_effects
from rnnscope.dynamics.dimension import Dimension, estimate_dimension
from rnnscope.dynamics.find import find_fixed_points
from rnnscope.dynamics.input_effects import (
    SubspaceProjections,
    WordProjections,
    instantaneous_effects,
    subspace_projections,
    word_projections,
)
from rnnscope.dynamics.inputs import HeldInput
from rnnscope.dynamics.linearization import linearize
from rnnscope.dynamics.manifold import Manifold, fit_manifold
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.nulls import Alignment
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.position import SlowPosition, slow_position
from rnnscope.dynamics.separability import Separability, word_separability
from rnnscope.dynamics.untrained import UntrainedBaseline, untrained_baseline, untrained_networks
from rnnscope.dynamics.verdict import (
    LineAttractorVerdict,
    Prediction,
    line_attractor_verdict,
)
from rnnscope.dynamics.word_classes import WordClasses

__all__ = [
    "Alignment",
    "ArcLength",
    "ClassEffects",
    "DelayedEffects",
    "Dimension",
    "FixedPointOptions",
    "FixedPoints",
    "HeldInput",
    "LexiconAgreement",
    "LineAttractorVerdict",
    "Manifold",
    "Modes",
    "Outcome",
    "Points",
    "Prediction",
    "Separability",
    "SlowPosition",
    "SubspaceProjections",
    "UntrainedBaseline",
    "WordClasses",
    "WordProjections",
    "arc_length",
    "class_effects",
    "delayed_effects",
    "estimate_dimension",
    "find_fixed_points",
    "fit_manifold",
    "instantaneous_effects",
    "lexicon_agreement",
    "line_attractor_verdict",
    "linearize",
    "slow_position",
    "subspace_projections",
    "untrained_baseline",
    "untrained_networks",
    "word_projections",
    "word_separability",
]
