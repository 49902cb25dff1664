"""Which other word, in the place of one of a text, would change the decision most.

To first order the logit difference z changes by ``(x' - x_j) . dz / dx_j`` when the word x_j gives
way to x' (Ebrahimi et al. 2018). That ranks the whole vocabulary for every place at once; what a
proposal really does is measured by running it (``read_changes``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import NotApplicable
from rnnscope.models import Model
from rnnscope.numerics import flushed_denormals
from rnnscope.scores.backpropagation import Network
from rnnscope.scores.drives import drives_of
from rnnscope.scores.gradient import input_gradients
from rnnscope.scores.word_scores import against_others


@torch.no_grad()
def word_gradients(model: Model, document: np.ndarray, class_index: int) -> Tensor:
    """The gradient, by each word's vector, of a class's logit against the others', (T, width).

    Its product with the word's own vector is that class's ``GradientTimesInput`` against the
    others.

    Args:
        model: the network, with a readout that is linear in the states.
        document: word indices, (T,).
        class_index: the class.
    """
    readout = model.require_readout()
    direction = against_others(readout.weight.mT).mT[class_index][None, None]
    (drives,) = drives_of(model, [document], tokens=max(1, len(document)))
    with flushed_denormals():
        passed = Network(model).run(drives)
        return input_gradients(passed, direction)[:, 0, 0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacements:
    """Words that may stand in the place of another.

    Args:
        words: their indices in the vocabulary, (V,).
        vectors: (V, width).
    """

    words: np.ndarray
    vectors: Tensor

    @classmethod
    def of(cls, model: Model, words: np.ndarray) -> Self:
        """These words of a network's vocabulary.

        Raises:
            NotApplicable: the network reads vectors.
        """
        if model.embedding is None:
            raise NotApplicable(
                "A word is replaced in a network that reads words.", got=model.architecture
            )
        rows = torch.as_tensor(words, device=model.device)
        return cls(words=np.asarray(words), vectors=model.embedding[rows])

    def propose(
        self, document: np.ndarray, gradients: Tensor, count: int, allowed: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """For each place the words that should raise z most, then those that should lower it most.

        Args:
            document: word indices, (T,).
            gradients: of z by each word's vector, (T, width).
            count: words for each way.
            allowed: (T, V), which words may stand in which place; all when None.

        Returns:
            for each place at most 2 ``count`` word indices, the strongest first each way; fewer
            where fewer words are allowed. The word that stands there is never proposed.
        """
        change = (gradients @ self.vectors.mT).cpu().numpy()
        may = np.ones(change.shape, dtype=bool) if allowed is None else allowed.copy()
        may &= document[:, None] != self.words
        proposed = []
        for row, free in zip(change, may, strict=True):
            places = np.flatnonzero(free)
            values = row[places]
            each = min(count, len(places) // 2)
            if not each:
                proposed.append(self.words[places])
                continue
            low = np.argpartition(values, each - 1)[:each]
            high = np.argpartition(-values, each - 1)[:each]
            chosen = [high[np.argsort(-values[high])], low[np.argsort(values[low])]]
            proposed.append(self.words[places[np.concatenate(chosen)]])
        return proposed
