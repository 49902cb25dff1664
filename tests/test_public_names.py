"""The public page: every public name, nothing else. Changing this list changes the public API."""

from __future__ import annotations

import rnnscope

PUBLIC = [
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
    "Trajectory",
    "TrainingError",
    "TrainingOptions",
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


def test_the_list_of_public_names():
    assert sorted(rnnscope.__all__) == sorted(PUBLIC)


def test_every_public_name_is_there_and_documented():
    for name in rnnscope.__all__:
        value = getattr(rnnscope, name)
        assert value.__doc__ or isinstance(value, dict), name
