"""The reference trainer."""

from rnnscope.training.options import ARCHITECTURES, Architecture, TrainingOptions
from rnnscope.training.trainer import train

__all__ = ["ARCHITECTURES", "Architecture", "TrainingOptions", "train"]
