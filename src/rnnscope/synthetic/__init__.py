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

__all__ = [
    "bistable",
    "flip_flop",
    "fold_ghost",
    "half_line",
    "leaky_line",
    "lexicon_network",
    "line_model",
    "lstm_integrator",
    "single_root",
]
