"""Fidelity: one judge for every description of a network."""

from rnnscope.fidelity.baselines import BagOfWords, Majority
from rnnscope.fidelity.judge import Description, Fidelity, judge

__all__ = ["BagOfWords", "Description", "Fidelity", "Majority", "judge"]
