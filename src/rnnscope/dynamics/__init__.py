"""The network as a dynamical system: fixed points, linearization, modes, the line attractor."""

from rnnscope.dynamics.approximation import (
    OneStepError,
    RolloutError,
    one_step_error,
    rollout_error,
)
from rnnscope.dynamics.arc_length import ArcLength, arc_length
from rnnscope.dynamics.basins import FlowCheck
from rnnscope.dynamics.bifurcation import continue_in_input
from rnnscope.dynamics.branch import Bifurcation, Branch
from rnnscope.dynamics.by_direction import find_fixed_points_by_direction
from rnnscope.dynamics.charts import (
    Chart,
    balanced_chart,
    principal_chart,
    slow_chart,
    with_directions,
    with_readout,
)
from rnnscope.dynamics.class_effects import (
    ClassEffects,
    LexiconAgreement,
    class_effects,
    lexicon_agreement,
)
from rnnscope.dynamics.continua import Continuum, find_continua
from rnnscope.dynamics.cycles import Cycles, find_cycles
from rnnscope.dynamics.delayed_effects import DelayedEffects, delayed_effects
from rnnscope.dynamics.dimension import Dimension, estimate_dimension
from rnnscope.dynamics.drawn_seeds import Box, Drawn, Runs
from rnnscope.dynamics.fates import Fate, LongRun
from rnnscope.dynamics.find import find_fixed_points
from rnnscope.dynamics.input_effects import (
    SubspaceProjections,
    WordProjections,
    instantaneous_effects,
    subspace_projections,
    word_projections,
)
from rnnscope.dynamics.inputs import HeldInput
from rnnscope.dynamics.linear_rnn import LinearOptions, train_linear_rnn
from rnnscope.dynamics.linearization import linearize
from rnnscope.dynamics.long_run import long_run
from rnnscope.dynamics.lyapunov import LyapunovSpectrum, lyapunov_spectrum
from rnnscope.dynamics.manifold import Manifold, fit_manifold
from rnnscope.dynamics.mode_group import ModeGroup
from rnnscope.dynamics.modes import Modes
from rnnscope.dynamics.modifiers import Modifiers, find_modifiers
from rnnscope.dynamics.nonnormality import NonNormality, non_normality
from rnnscope.dynamics.nulls import Alignment
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.outcome import Outcome
from rnnscope.dynamics.paths import StatePath, follow
from rnnscope.dynamics.piecewise_linear import linearized_network
from rnnscope.dynamics.plane import StatePlane
from rnnscope.dynamics.points import FixedPoints, Points
from rnnscope.dynamics.position import SlowPosition, slow_position
from rnnscope.dynamics.propagation import (
    FiniteTimeGrowth,
    finite_time_growth,
    pull_back,
    push_forward,
)
from rnnscope.dynamics.reduced import fit_chart, reduced_model
from rnnscope.dynamics.relaxation import Development, Relaxation, development, relax
from rnnscope.dynamics.rest import Rest
from rnnscope.dynamics.saving import load_result, save_result
from rnnscope.dynamics.sensitivity import answer_gradients
from rnnscope.dynamics.separability import Separability, word_separability
from rnnscope.dynamics.slow_curve import CurveRoot, SlowCurve
from rnnscope.dynamics.slow_surface import SlowSurface, SurfaceRoot
from rnnscope.dynamics.stability import Stability
from rnnscope.dynamics.stand_in import StandIn
from rnnscope.dynamics.step_jacobians import Jacobians, jacobians, map_jacobians, trajectory_modes
from rnnscope.dynamics.subspaces import (
    GroupLink,
    link_groups,
    matrix_groups,
    mode_groups,
    principal_angles,
)
from rnnscope.dynamics.systems import System, study_system
from rnnscope.dynamics.trace_curve import trace_slow_curve
from rnnscope.dynamics.trace_surface import trace_slow_surface
from rnnscope.dynamics.track_breaks import Break
from rnnscope.dynamics.tracking import ModeTracks, track_modes
from rnnscope.dynamics.unstable_directions import Connection, follow_unstable
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
    "Bifurcation",
    "Box",
    "Branch",
    "Break",
    "Chart",
    "ClassEffects",
    "Connection",
    "Continuum",
    "CurveRoot",
    "Cycles",
    "DelayedEffects",
    "Development",
    "Dimension",
    "Drawn",
    "Fate",
    "FiniteTimeGrowth",
    "FixedPointOptions",
    "FixedPoints",
    "FlowCheck",
    "GroupLink",
    "HeldInput",
    "Jacobians",
    "LexiconAgreement",
    "LineAttractorVerdict",
    "LinearOptions",
    "LongRun",
    "LyapunovSpectrum",
    "Manifold",
    "ModeGroup",
    "ModeTracks",
    "Modes",
    "Modifiers",
    "NonNormality",
    "OneStepError",
    "Outcome",
    "Points",
    "Prediction",
    "Relaxation",
    "Rest",
    "RolloutError",
    "Runs",
    "Separability",
    "SlowCurve",
    "SlowPosition",
    "SlowSurface",
    "Stability",
    "StandIn",
    "StatePath",
    "StatePlane",
    "SubspaceProjections",
    "SurfaceRoot",
    "System",
    "UntrainedBaseline",
    "WordClasses",
    "WordProjections",
    "answer_gradients",
    "arc_length",
    "balanced_chart",
    "class_effects",
    "continue_in_input",
    "delayed_effects",
    "development",
    "estimate_dimension",
    "find_continua",
    "find_cycles",
    "find_fixed_points",
    "find_fixed_points_by_direction",
    "find_modifiers",
    "finite_time_growth",
    "fit_chart",
    "fit_manifold",
    "follow",
    "follow_unstable",
    "instantaneous_effects",
    "jacobians",
    "lexicon_agreement",
    "line_attractor_verdict",
    "linearize",
    "linearized_network",
    "link_groups",
    "load_result",
    "long_run",
    "lyapunov_spectrum",
    "map_jacobians",
    "matrix_groups",
    "mode_groups",
    "non_normality",
    "one_step_error",
    "principal_angles",
    "principal_chart",
    "pull_back",
    "push_forward",
    "reduced_model",
    "relax",
    "rollout_error",
    "save_result",
    "slow_chart",
    "slow_position",
    "study_system",
    "subspace_projections",
    "trace_slow_curve",
    "trace_slow_surface",
    "track_modes",
    "train_linear_rnn",
    "trajectory_modes",
    "untrained_baseline",
    "untrained_networks",
    "with_directions",
    "with_readout",
    "word_projections",
    "word_separability",
]
