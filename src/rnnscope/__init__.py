"""rnnscope: reverse engineer a trained recurrent network.

Hand it a trained RNN, GRU or LSTM and data; get back, measured, the rules it follows and the
dynamical system it runs. The names on this page are the public ones; everything else is private.
"""

from rnnscope.account import Account, ExplainOptions, explain
from rnnscope.cells import (
    CELLS,
    GRU,
    LSTM,
    UGRNN,
    Autodiff,
    Cell,
    ResetFirstGRU,
    Stack,
    Vanilla,
)
from rnnscope.data import Corpus, Vocabulary, load_corpus, stream_corpus, tokenize
from rnnscope.dynamics import (
    FixedPointOptions,
    FixedPoints,
    LineAttractorVerdict,
    Manifold,
    Modes,
    Outcome,
    Points,
    find_fixed_points,
    fit_manifold,
    line_attractor_verdict,
    linearize,
    slow_position,
    word_projections,
)
from rnnscope.errors import (
    DataError,
    ModelError,
    NotApplicable,
    RnnscopeError,
    TrainingError,
    UsageError,
)
from rnnscope.fidelity import BagOfWords, Fidelity, Majority, judge
from rnnscope.models import (
    Certificate,
    Direction,
    Layer,
    Model,
    Readout,
    Trajectory,
    from_torch,
    load,
)
from rnnscope.phrases import Phrase, PhraseOptions, Phrases, mine_phrases
from rnnscope.rules import Firing, Rule, RuleList
from rnnscope.scores import CellDecomposition, CellDifference, Score, WordScores
from rnnscope.statistics import Estimate
from rnnscope.training import TrainingOptions, train

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "UGRNN",
    "Account",
    "Autodiff",
    "BagOfWords",
    "Cell",
    "CellDecomposition",
    "CellDifference",
    "Certificate",
    "Corpus",
    "DataError",
    "Direction",
    "Estimate",
    "ExplainOptions",
    "Fidelity",
    "Firing",
    "FixedPointOptions",
    "FixedPoints",
    "Layer",
    "LineAttractorVerdict",
    "Majority",
    "Manifold",
    "Model",
    "ModelError",
    "Modes",
    "NotApplicable",
    "Outcome",
    "Phrase",
    "PhraseOptions",
    "Phrases",
    "Points",
    "Readout",
    "ResetFirstGRU",
    "RnnscopeError",
    "Rule",
    "RuleList",
    "Score",
    "Stack",
    "TrainingError",
    "TrainingOptions",
    "Trajectory",
    "UsageError",
    "Vanilla",
    "Vocabulary",
    "WordScores",
    "explain",
    "find_fixed_points",
    "fit_manifold",
    "from_torch",
    "judge",
    "line_attractor_verdict",
    "linearize",
    "load",
    "load_corpus",
    "mine_phrases",
    "slow_position",
    "stream_corpus",
    "tokenize",
    "train",
    "word_projections",
]
