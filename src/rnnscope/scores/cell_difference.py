"""beta, the cell difference (Murdoch & Szlam 2017).

beta_{i,j} = exp( W_i ( o_T * (tanh(c_j) - tanh(c_{j-1})) ) )
exp(W_i h_T) = prod_j beta_{i,j}
"""

from __future__ import annotations

from typing import ClassVar

from rnnscope.scores.memory import MemoryScore


class CellDifference(MemoryScore):
    """The change of the cell's memory at each word, read out by the last output gate (beta).

    ``values[j, i] = W_i (o_T * (tanh(c_j) - tanh(c_{j-1})))`` for an LSTM; for any other cell the
    difference of its states, ``W_i (h_j - h_{j-1})``.

    Of a pooled readout each state that is read out is split so, and a projected LSTM is read
    through its projection: ``W_i R`` in the place of ``W_i``. ``beta_and_gamma`` gives both scores
    for one run of the network.

    Exact: the scores of a document, with the initial state's term, sum to logit - bias.
    Not accounted for: what the network forgets between a word and the end of the document, which
    is why beta names more words than gamma; and the gates read earlier words, whose influence is
    charged to the word at which the memory changes.
    """

    name: ClassVar[str] = "beta (cell difference)"
    forgets: ClassVar[bool] = False
