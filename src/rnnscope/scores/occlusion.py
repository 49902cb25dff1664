"""Occlusion: what a class's logit loses when one word gives way to a baseline.

values_{j,i} = logit_i(x) - logit_i(x with x_j replaced)      (Zeiler & Fergus 2014; Li et al. 2016)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnnscope.models import Model
from rnnscope.numerics import flushed_denormals
from rnnscope.scores.drives import Drives, drives_of, flip_time, words_at_once
from rnnscope.scores.inputs import baseline_vector
from rnnscope.scores.score import Score
from rnnscope.scores.suffixes import Variants, system_of
from rnnscope.scores.word_scores import Batch

BATCH_TOKENS = 4096
"""Padded words, and so variants, run at once: small enough to stay in the processor's cache."""


class ChangedWord(Score):
    """What the scores from changing one word at a time share.

    The states before a word are not those after it: only the words from the changed one on are
    run again, all changes of a batch together. A network of several layers that reads in two
    directions is run anew for each word, since its upper layers see the change everywhere.

    Not terms of a sum: two words that back each other up both lose nothing, so the scores of a
    document add up to nothing in particular (``completeness`` refuses).
    """

    complete: ClassVar[bool] = False
    _base: Tensor | None
    """The vector put in a word's place; None to leave the word out."""

    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        encoded = self.model.encode(documents)
        run = self._suffixes if self._one_pass else self._anew
        for drives in drives_of(
            self.model, encoded, tokens=words_at_once(self.model, BATCH_TOKENS)
        ):
            with flushed_denormals(), torch.no_grad():
                batch = run(drives, encoded)
            yield batch

    @property
    def _one_pass(self) -> bool:
        layers = self.model.layers
        return len(layers) == 1 or all(len(layer.directions) == 1 for layer in layers)

    @cached_property
    def _systems(self) -> list[tuple]:
        """(system, start, base drive, whether reversed) of each direction of the network."""
        bottom = self.model.layers[0].directions
        bases = [None if self._base is None else d.cell.drive(self._base) for d in bottom]
        if len(self.model.layers) == 1:
            parts = zip(bottom, bases, strict=True)
            return [(system_of(d.cell), d.start, base, d.reverse) for d, base in parts]
        start = torch.cat([layer.directions[0].start for layer in self.model.layers])
        return [(system_of(self.model.cell), start, bases[0], bottom[0].reverse)]

    def _suffixes(self, drives: Drives, encoded: list[np.ndarray]) -> Batch:
        del encoded
        readout, pooled, drops = self.model.require_readout(), [], []
        for k, (system, start, base, reverse) in enumerate(self._systems):
            variants = Variants(system, start, drives, k, base, self.model.pooling)
            pooled.append(variants.pooled())
            drop = pooled[-1] - variants.changed()
            drops.append(flip_time(drop, drives.lengths) if reverse else drop)
        values = torch.cat(drops, dim=-1) @ readout.weight.mT
        padding = torch.arange(len(values), device=values.device)[:, None] >= drives.lengths
        values = values.masked_fill(padding.unsqueeze(-1), 0)
        logits = torch.cat(pooled, dim=-1) @ readout.weight.mT + readout.bias
        return Batch(
            indices=drives.indices,
            values=values.transpose(0, 1),
            initial=torch.zeros_like(logits),
            logits=logits,
        )

    def _anew(self, drives: Drives, encoded: list[np.ndarray]) -> Batch:
        documents = [encoded[k] for k in drives.indices.tolist()]
        model = self._model_with_base
        logits = self.model.logits(documents)
        values = logits.new_zeros(len(documents), int(drives.lengths[0]), logits.shape[1])
        for row, document in enumerate(documents):
            if self._base is None and len(document) == 1:
                values[row, 0] = logits[row] - self._empty_logits()[0]
                continue
            # All the variants of a long document at once would need the square of its length.
            room = words_at_once(self.model, BATCH_TOKENS)
            at_once = max(1, 4 * room // len(document))
            for first in range(0, len(document), at_once):
                places = range(first, min(first + at_once, len(document)))
                changed = model.logits([self._change(document, j) for j in places])
                values[row, places.start : places.stop] = logits[row] - changed
        return Batch(
            indices=drives.indices, values=values, initial=torch.zeros_like(logits), logits=logits
        )

    @cached_property
    def _model_with_base(self) -> Model:
        """The model with the baseline vector as one more word."""
        if self.model.embedding is None or self._base is None:
            return self.model
        table = torch.cat([self.model.embedding, self._base[None]])
        return replace(self.model, embedding=table, vocabulary=None)

    def _change(self, document: np.ndarray, j: int) -> np.ndarray:
        if self._base is None:
            return np.delete(document, j, axis=0)
        changed = np.array(document)
        words = self.model.embedding
        changed[j] = self._base.cpu().numpy() if words is None else len(words)
        return changed

    def _empty_logits(self) -> Tensor:
        readout = self.model.require_readout()
        ends = [d.cell.output(d.start) for d in self.model.layers[-1].directions]
        return (readout.weight @ torch.cat(ends) + readout.bias)[None]


class Occlusion(ChangedWord):
    """The drop of each class's logit when one word's vector is replaced by a baseline.

    Exact: it is an intervention, run on the network itself. Not accounted for: the other words,
    which stay; the replaced text may be unlike any that the network was trained on.

    Args:
        model: the network, with a readout.
        baseline: "zero" (a vector of zeros), "mean" (of the embedding's rows), "unknown" (the
            unknown word's), or a vector.

    Raises:
        UsageError: an unknown baseline.
        NotApplicable: a baseline that this network does not have.
    """

    name: ClassVar[str] = "occlusion"

    def __init__(self, model: Model, *, baseline: Any = "zero") -> None:
        super().__init__(model)
        self._base = baseline_vector(model, baseline)

    @property
    def options(self) -> dict[str, Any]:
        return {"baseline": self._base}
