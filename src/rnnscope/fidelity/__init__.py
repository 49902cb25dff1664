"""Fidelity: one judge for every description of a network, and for every word score."""

from rnnscope.fidelity.baselines import BagOfNgrams, BagOfWords, Majority
from rnnscope.fidelity.compare import Comparison, compare
from rnnscope.fidelity.deletion import Deletion, DeletionLevel, deletion
from rnnscope.fidelity.edits import CounterfactualEdits, counterfactual_edits, edited_words
from rnnscope.fidelity.frontier import Frontier, FrontierPoint, frontier
from rnnscope.fidelity.judge import Description, Fidelity, judge
from rnnscope.fidelity.phrase_sentiment import (
    PhraseCorrelation,
    PhraseCorrelationRow,
    phrase_correlation,
    summed_scores,
)
from rnnscope.fidelity.random_weights import randomised
from rnnscope.fidelity.randomisation import (
    RandomisationTest,
    RandomisedStage,
    randomisation_test,
)
from rnnscope.fidelity.ranks import RankAgreement, rank_agreement
from rnnscope.fidelity.trees import Span, Tree, TreePhrase, read_tree, sentences, tree_phrases

__all__ = [
    "BagOfNgrams",
    "BagOfWords",
    "Comparison",
    "CounterfactualEdits",
    "Deletion",
    "DeletionLevel",
    "Description",
    "Fidelity",
    "Frontier",
    "FrontierPoint",
    "Majority",
    "PhraseCorrelation",
    "PhraseCorrelationRow",
    "RandomisationTest",
    "RandomisedStage",
    "RankAgreement",
    "Span",
    "Tree",
    "TreePhrase",
    "compare",
    "counterfactual_edits",
    "deletion",
    "edited_words",
    "frontier",
    "judge",
    "phrase_correlation",
    "randomisation_test",
    "randomised",
    "rank_agreement",
    "read_tree",
    "sentences",
    "summed_scores",
    "tree_phrases",
]
