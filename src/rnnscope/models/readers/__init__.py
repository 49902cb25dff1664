"""Readers of other frameworks' files. None of them imports the framework, and none runs code."""

from rnnscope.models.readers.keras import from_keras
from rnnscope.models.readers.onnx import from_onnx
from rnnscope.models.readers.weights import from_weights

__all__ = ["from_keras", "from_onnx", "from_weights"]
