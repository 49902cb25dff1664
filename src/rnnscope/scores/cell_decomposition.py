"""gamma, the additive cell decomposition (Murdoch & Szlam 2017).

c_T = sum_k e_{k,T},  e_{k,T} = (prod_{j=k+1..T} f_j) * i_k * g_k
gamma_{i,j} = exp( W_i ( o_T * (tanh(sum_{k<=j} e_{k,T}) - tanh(sum_{k<j} e_{k,T})) ) )
exp(W_i h_T) = prod_j gamma_{i,j}

and sum_{k<=j} e_{k,T} = (prod_{k=j+1..T} f_k) * c_j, one reversed cumulative product.
"""

from __future__ import annotations

from typing import ClassVar

from rnnscope.models import Model
from rnnscope.scores.memory import MemoryScore


class CellDecomposition(MemoryScore):
    """What each word wrote to the memory, as much of it as is left at the end (gamma).

    For GRU and UGRNN the update gate is the forget gate and the decomposition is linear:
    ``h_T = (prod z) h_0 + sum_j (prod_{k>j} z_k) (1 - z_j) n_j``. Of a pooled readout each state
    that is read out is decomposed; for the mean of an LSTM's T states that takes T * T / 2 steps,
    because of the tanh, and one step a word for everything else.

    Exact: the scores of a document, with the initial state's term, sum to logit - bias.
    Not accounted for: the gates read earlier words, whose influence is charged to the word at
    which the memory changes; and through the tanh an earlier word sees less saturation.

    Raises:
        NotApplicable: a vanilla RNN, whose state is not a sum of one term per word.
    """

    name: ClassVar[str] = "gamma (cell decomposition)"
    forgets: ClassVar[bool] = True

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        for direction in model.layers[-1].directions:
            if not direction.cell.keeps:
                direction.cell.keep({})
