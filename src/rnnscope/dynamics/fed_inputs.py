"""What the data feeds in: the inputs a held input is compared with.

distance   ||x - mean|| / spread,  spread^2 = sum_k w_k ||x_k - mean||^2
outside    ||x - mean|| > max_k <x_k - mean, u>,  u = (x - mean) / ||x - mean||

The second is a plane with every fed input on one side and x on the other, so x is no average of fed
inputs. It proves that x lies outside; an x that passes may still lie between them where no data is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.data import Corpus
from rnnscope.dynamics.drawn_seeds import Box, Drawn, Runs
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.seeds import is_states, trajectories_in
from rnnscope.dynamics.systems import Network, System

AT_ONCE = 2**24
"""Pairs of inputs compared at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FedInputs:
    """The R different inputs that the data feeds in, or that it could. float64 on the CPU.

    Attributes:
        vectors: (R, input_size).
        weights: the share of each, (R,), sum 1.
        what: what they are, in words.
    """

    vectors: Tensor
    weights: Tensor
    what: str

    @classmethod
    def of_vectors(cls, vectors: Tensor, what: str) -> FedInputs:
        """All vectors (R, input_size) alike."""
        vectors = vectors.detach().to("cpu", torch.float64)
        return cls(
            vectors=vectors,
            weights=torch.full((len(vectors),), 1 / len(vectors), dtype=torch.float64),
            what=what,
        )

    @classmethod
    def of_table(cls, table: Tensor, counts: Tensor, what: str) -> FedInputs:
        """Rows of a table (words, input_size), each as often as counted; those never fed are no
        part."""
        seen = counts > 0
        counts = counts[seen].to(torch.float64)
        vectors = table.detach().to("cpu", torch.float64)[seen]
        return cls(vectors=vectors, weights=counts / counts.sum(), what=what)

    @cached_property
    def mean(self) -> Tensor:
        """Their mean, (input_size,)."""
        return self.weights @ self.vectors

    @cached_property
    def spread(self) -> float:
        """Their root-mean-square distance to the mean; 0 where they are all alike to rounding."""
        spread = float((self.weights @ (self.vectors - self.mean).square().sum(-1)).sqrt())
        return spread if spread > 1e-12 * float(norm(self.vectors).max()) else 0.0

    def distance(self, x: Tensor) -> Tensor | None:
        """How far inputs (..., input_size) are from the mean, in spreads; None without a spread."""
        return norm(x - self.mean) / self.spread if self.spread else None

    def reach(self, x: Tensor) -> Tensor:
        """How many times as far from the mean as any fed input in their own direction inputs
        (S, input_size) are, (S,): above 1 outside, inf where no fed input goes that way at all."""
        different, rows = torch.unique(x, dim=0, return_inverse=True)
        away = different - self.mean
        size = norm(away)
        directions = away / size.clamp_min(1e-300)[:, None]
        chunk = max(1, AT_ONCE // len(self.vectors))
        centred = self.vectors - self.mean
        farthest = torch.cat([(d @ centred.mT).amax(-1) for d in directions.split(chunk)])
        rounding = 1e-9 * (self.spread + float(norm(self.mean)))
        reach = torch.where(farthest > rounding, size / farthest.clamp_min(1e-300), torch.inf)
        return torch.where(size <= rounding, 0.0, reach)[rows]

    def nearest(self, x: Tensor) -> float | None:
        """The distance from one input (input_size,) to the nearest fed one, in spreads."""
        return float(norm(self.vectors - x).min()) / self.spread if self.spread else None


def fed_inputs(model: Network, seeds: Any) -> FedInputs | None:
    """The inputs on the corpus, vectors or runs that seeds come from; None where not known.

    An iterator is not used up for it: vectors that can be read only once are not known.
    """
    system = System.of(model)
    if isinstance(seeds, Box | Drawn):
        return None if seeds.source is None else fed_inputs(system, seeds.source)
    if trajectories := trajectories_in(seeds):
        return _outputs_below(map(system.visits_of, trajectories))
    if isinstance(seeds, Iterator) or is_states(system, seeds):
        return None
    if not system.reads_data:
        if isinstance(seeds, Runs):
            return _outputs_below(system.run_on_arrays(seeds.documents(system.input_width)))
        return _outputs_below(system.visits(seeds))
    if isinstance(seeds, Runs):
        padded, lengths = seeds.padded(system.cell.input_size)
        inside = torch.arange(padded.shape[1]) < lengths[:, None]
        return FedInputs.of_vectors(padded[inside], "the inputs of the runs")
    # Without a corpus, "the mean" of a model's words is that of its vocabulary.
    if system.model is None or not (system.embedding is None or isinstance(seeds, Corpus)):
        return None
    encoded = system.model.encode(seeds)
    if not encoded:
        return None
    read = torch.as_tensor(np.concatenate(encoded))
    if system.embedding is None:
        return FedInputs.of_vectors(read, "the inputs of the documents")
    counts = torch.bincount(read, minlength=len(system.embedding))
    return FedInputs.of_table(system.embedding, counts, "the words of the corpus")


def words_read(system: System) -> FedInputs | None:
    """The vocabulary's words, all alike, but for the special ones; None where it reads no words."""
    table = system.embedding
    if table is None:
        return None
    counts = torch.ones(len(table))
    vocabulary = system.vocabulary
    if vocabulary is not None and len(vocabulary) > 2:
        for word in (vocabulary.unknown, vocabulary.padding):
            if word is not None:
                counts[vocabulary.index(word)] = 0
    return FedInputs.of_table(table, counts, "the words of the vocabulary")


def _outputs_below(visits: Iterator[Any]) -> FedInputs | None:
    parts = [
        one.inputs[torch.arange(one.inputs.shape[1]) < one.lengths.cpu()[:, None]].cpu()
        for one in visits
        if one.inputs is not None
    ]
    if not parts:
        return None
    return FedInputs.of_vectors(torch.cat(parts), "what the layer below puts out on the data")
