"""The network as a dynamical system: fixed points, linearization, modes, the line attractor."""

from rnnscope.dynamics.arc_length import ArcLength, arc_length
from rnnscope.dynamics.class_effects import (
    ClassEffects,
    LexiconAgreement,
    class_effects,
    lexicon_agreement,
)
from rnnscope.dynamics.continua import Continuum, find_continua
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
from rnnscope.dynamics.lyapunov import LyapunovSpectrum, lyapunov_spectrum
from rnnscope.dynamics.manifold import Manifold, fit_manifold
from rnnscope.dynamics.mode_group import ModeGroup
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.nonnormality import NonNormality, non_normality
from rnnscope.dynamics.nulls import Alignment
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.paths import StatePath, follow
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.position import SlowPosition, slow_position
from rnnscope.dynamics.propagation import (
    FiniteTimeGrowth,
    finite_time_growth,
    pull_back,
    push_forward,
)
from rnnscope.dynamics.separability import Separability, word_separability
from rnnscope.dynamics.stability import Stability
from rnnscope.dynamics.step_jacobians import Jacobians, jacobians, map_jacobians, trajectory_modes
from rnnscope.dynamics.subspaces import (
    GroupLink,
    link_groups,
    matrix_groups,
    mode_groups,
    principal_angles,
)
from rnnscope.dynamics.track_breaks import Break
from rnnscope.dynamics.tracking import ModeTracks, track_modes
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
    "Break",
    "ClassEffects",
    "Continuum",
    "DelayedEffects",
    "Dimension",
    "FiniteTimeGrowth",
    "FixedPointOptions",
    "FixedPoints",
    "GroupLink",
    "HeldInput",
    "Jacobians",
    "LexiconAgreement",
    "LineAttractorVerdict",
    "LyapunovSpectrum",
    "Manifold",
    "ModeGroup",
    "ModeTracks",
    "Modes",
    "NonNormality",
    "Outcome",
    "Points",
    "Prediction",
    "Separability",
    "SlowPosition",
    "Stability",
    "StatePath",
    "SubspaceProjections",
    "UntrainedBaseline",
    "WordClasses",
    "WordProjections",
    "arc_length",
    "class_effects",
    "delayed_effects",
    "estimate_dimension",
    "find_continua",
    "find_fixed_points",
    "finite_time_growth",
    "fit_manifold",
    "follow",
    "instantaneous_effects",
    "jacobians",
    "lexicon_agreement",
    "line_attractor_verdict",
    "linearize",
    "link_groups",
    "lyapunov_spectrum",
    "map_jacobians",
    "matrix_groups",
    "mode_groups",
    "non_normality",
    "principal_angles",
    "pull_back",
    "push_forward",
    "slow_position",
    "subspace_projections",
    "track_modes",
    "trajectory_modes",
    "untrained_baseline",
    "untrained_networks",
    "word_projections",
    "word_separability",
]
