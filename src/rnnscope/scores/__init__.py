"""Word scores: how much each word moves each class."""

from rnnscope.scores.cell_decomposition import CellDecomposition
from rnnscope.scores.cell_difference import CellDifference
from rnnscope.scores.score import Score
from rnnscope.scores.word_scores import (
    Completeness,
    DocumentScores,
    WordScores,
    against_others,
    contrast,
)

__all__ = [
    "CellDecomposition",
    "CellDifference",
    "Completeness",
    "DocumentScores",
    "Score",
    "WordScores",
    "against_others",
    "contrast",
]
