"""Word scores: how much each word moves each class."""

from rnnscope.scores.beta_and_gamma import beta_and_gamma
from rnnscope.scores.cell_decomposition import CellDecomposition
from rnnscope.scores.cell_difference import CellDifference
from rnnscope.scores.changes import NOTHING, Reading, read_changes
from rnnscope.scores.contextual_decomposition import ContextualDecomposition, PhraseDecomposition
from rnnscope.scores.gradient import GradientNorm, GradientTimesInput
from rnnscope.scores.integrated_gradients import (
    IntegratedGradients,
    IntegratedScores,
    QuadratureOutcome,
)
from rnnscope.scores.leave_one_out import LeaveOneOut
from rnnscope.scores.occlusion import Occlusion
from rnnscope.scores.replacements import Replacements, word_gradients
from rnnscope.scores.score import Score
from rnnscope.scores.word_scores import (
    Completeness,
    DocumentScores,
    WordScores,
    against_others,
    contrast,
)

__all__ = [
    "NOTHING",
    "CellDecomposition",
    "CellDifference",
    "Completeness",
    "ContextualDecomposition",
    "DocumentScores",
    "GradientNorm",
    "GradientTimesInput",
    "IntegratedGradients",
    "IntegratedScores",
    "LeaveOneOut",
    "Occlusion",
    "PhraseDecomposition",
    "QuadratureOutcome",
    "Reading",
    "Replacements",
    "Score",
    "WordScores",
    "against_others",
    "beta_and_gamma",
    "contrast",
    "read_changes",
    "word_gradients",
]
