"""Hand-built networks whose rules and attractors are known exactly, and small trained ones."""

from rnnscope.synthetic.attractors import (
    Attractor,
    bistable,
    discrete_ring,
    flip_flop,
    fold_ghost,
    half_line,
    leaky_line,
    line_model,
    lstm_integrator,
    relu_ring,
    ring,
    simplex,
    simplex_model,
    single_root,
)
from rnnscope.synthetic.bifurcations import (
    Oscillation,
    Unfolding,
    hysteresis,
    imperfect_pitchfork,
    rotor,
    turning_plane,
    twisted_ring,
    uniform_drive,
)
from rnnscope.synthetic.lexicon import lexicon_network
from rnnscope.synthetic.planted import SPURIOUS, Planted, PlantedRule, planted_network
from rnnscope.synthetic.toy_corpora import categorical_corpus, ordered_corpus
from rnnscope.synthetic.trained import TrainedFlipFlop, flip_flop_trials, train_flip_flop

__all__ = [
    "SPURIOUS",
    "Attractor",
    "Oscillation",
    "Planted",
    "PlantedRule",
    "TrainedFlipFlop",
    "Unfolding",
    "bistable",
    "categorical_corpus",
    "discrete_ring",
    "flip_flop",
    "flip_flop_trials",
    "fold_ghost",
    "half_line",
    "hysteresis",
    "imperfect_pitchfork",
    "leaky_line",
    "lexicon_network",
    "line_model",
    "lstm_integrator",
    "ordered_corpus",
    "planted_network",
    "relu_ring",
    "ring",
    "rotor",
    "simplex",
    "simplex_model",
    "single_root",
    "train_flip_flop",
    "turning_plane",
    "twisted_ring",
    "uniform_drive",
]
