"""The model under study: its parts, its trajectories, reading it from torch, saving it."""

from rnnscope.models.certificate import Certificate
from rnnscope.models.layers import Direction, Layer, Readout, Run
from rnnscope.models.model import Model
from rnnscope.models.readers import from_keras, from_onnx, from_weights
from rnnscope.models.saving import load
from rnnscope.models.torch_modules import from_torch
from rnnscope.models.trajectory import POOLINGS, Pooling, Trajectory

__all__ = [
    "POOLINGS",
    "Certificate",
    "Direction",
    "Layer",
    "Model",
    "Pooling",
    "Readout",
    "Run",
    "Trajectory",
    "from_keras",
    "from_onnx",
    "from_torch",
    "from_weights",
    "load",
]
