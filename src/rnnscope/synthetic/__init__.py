"""Hand-built networks whose rules and attractors are known exactly."""

from rnnscope.synthetic.attractors import (
    bistable,
    flip_flop,
    fold_ghost,
    half_line,
    leaky_line,
    line_model,
    lstm_integrator,
    single_root,
)
from rnnscope.synthetic.lexicon import lexicon_network
from rnnscope.synthetic.planted import SPURIOUS, Planted, PlantedRule, planted_network

__all__ = [
    "SPURIOUS",
    "Planted",
    "PlantedRule",
    "bistable",
    "flip_flop",
    "fold_ghost",
    "half_line",
    "leaky_line",
    "lexicon_network",
    "line_model",
    "lstm_integrator",
    "planted_network",
    "single_root",
]
