"""Hand-built networks whose fixed points are known: what a tool must find, and must not."""

from rnnscope.synthetic.attractor import SATURATED, Attractor
from rnnscope.synthetic.flip_flops import bistable, flip_flop
from rnnscope.synthetic.integrators import (
    PUSH,
    half_line,
    line_model,
    lstm_integrator,
    simplex,
    simplex_model,
)
from rnnscope.synthetic.isolated import fold_ghost, leaky_line, single_root
from rnnscope.synthetic.rings import discrete_ring, relu_ring, ring

__all__ = [
    "PUSH",
    "SATURATED",
    "Attractor",
    "bistable",
    "discrete_ring",
    "flip_flop",
    "fold_ghost",
    "half_line",
    "leaky_line",
    "line_model",
    "lstm_integrator",
    "relu_ring",
    "ring",
    "simplex",
    "simplex_model",
    "single_root",
]
