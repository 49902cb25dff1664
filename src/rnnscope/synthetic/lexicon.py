"""A hand-built LSTM that adds up the weights of the words it knows."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from rnnscope.cells import LSTM
from rnnscope.data import Vocabulary
from rnnscope.models import Direction, Layer, Model, Readout

OPEN = 40.0
"""Pre-activation at which a sigmoid gate is open to the last bit of a float64."""


def lexicon_network(
    weights: Mapping[str, float], *, unknown: float = 0.0, gain: float = 0.05
) -> Model:
    """An LSTM of one unit whose memory is the sum of its words' weights.

    All gates are open to rounding, so ``c_T = sum_j tanh(gain * weight_j)`` and the logit is
    ``tanh(c_T) / gain``: nearly the sum of the weights while that stays well below ``1 / gain``.
    Every word's score is known: with forget gates at one, beta and gamma are equal,
    ``(tanh(c_j) - tanh(c_{j-1})) / gain``.

    Args:
        weights: each word's weight for the class "positive".
        unknown: the weight of every other word.
        gain: how far a weight of one moves the memory.

    Returns:
        A float64 model with the classes "negative" and "positive".
    """
    words = ("<unk>", *weights)
    values = torch.tensor([[unknown], *([w] for w in weights.values())], dtype=torch.float64)
    W = torch.tensor([[0.0], [0.0], [gain], [0.0]], dtype=torch.float64)
    b = torch.tensor([OPEN, OPEN, 0.0, OPEN], dtype=torch.float64)
    cell = LSTM(W=W, V=torch.zeros(4, 1, dtype=torch.float64), b=b)
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=values,
        vocabulary=Vocabulary.of(words),
        readout=Readout.of(torch.full((1, 1), 1 / gain, dtype=torch.float64)),
        classes=("negative", "positive"),
        record={"source": "hand-built lexicon network"},
    )
