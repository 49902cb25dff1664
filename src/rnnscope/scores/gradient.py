"""Scores from the gradient by the word's vector.

gradient norm      ``|| d p_i / d x_j ||``          (Alikaniotis et al. 2016; Murdoch & Szlam 2017)
gradient x input   ``x_j . d logit_i / d x_j``      (Denil et al. 2015; Shrikumar et al. 2017)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnnscope.models import Model
from rnnscope.models.streaming import split_by_length
from rnnscope.numerics import flushed_denormals
from rnnscope.scores.backpropagation import Network, Pass, input_slope
from rnnscope.scores.drives import STRETCH, Drives, drives_of, flip_time, words_at_once, zero_drive
from rnnscope.scores.lstm_kernels import kernels_for
from rnnscope.scores.score import Score
from rnnscope.scores.stretches import gradients_stream, map_gradients
from rnnscope.scores.word_scores import Batch


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A batch of one document: which it is, and its length, each (1,)."""

    indices: Tensor
    lengths: Tensor


class GradientScore(Score):
    """What the scores from one gradient a class share."""

    complete: ClassVar[bool] = False

    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        return self._batches(documents, None)

    def _target_batches(self, encoded: Any, targets: Tensor) -> Iterator[Batch]:
        return self._batches(encoded, targets)

    def _batches(self, documents: Iterable[Any], targets: Tensor | None) -> Iterator[Batch]:
        encoded = self.model.encode(documents)
        network, steps = Network(self.model), words_at_once(self.model, STRETCH)
        short, long = list(range(len(encoded))), list[int]()
        if self._streams:
            short, long = split_by_length(encoded, steps)
        for drives in drives_of(self.model, [encoded[k] for k in short], tokens=steps):
            drives = replace(drives, indices=torch.tensor(short)[drives.indices])
            with flushed_denormals(), torch.no_grad():
                batch = self._batch(network.run(drives), targets)
            yield batch
        for k in long:
            with flushed_denormals(), torch.no_grad():
                batch = self._long(encoded[k], k, targets, steps)
            yield batch

    def _long(self, document: np.ndarray, k: int, targets: Tensor | None, steps: int) -> Batch:
        """One very long document, in the memory of a stretch of so many steps."""
        logits = self.model.logits([document])
        one = Row(indices=torch.tensor([k]), lengths=torch.tensor([len(document)]))
        rows, spread = self._rows(logits, one, targets)
        values = rows.new_zeros(len(document), rows.shape[1])

        def take(place: Tensor, inputs: Tensor, gradients: Tensor) -> None:
            values[place] += self._of_gradients(inputs, gradients).mT

        map_gradients(self.model, document, rows[0], steps, take)
        own = chosen(logits, one, targets)
        values = (values @ spread.mT)[None] if spread is not None else values[None]
        return _scored(one, values, own)

    @property
    def _streams(self) -> bool:
        """Whether a very long document is read in the memory of a stretch."""
        return gradients_stream(self.model)

    @abstractmethod
    def _rows(
        self, logits: Tensor, drives: Drives | Row, targets: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(B, K, H): what is differentiated, by the pooled state, and how it gives the classes."""

    @staticmethod
    @abstractmethod
    def _of_gradients(inputs: Tensor, gradients: Tensor) -> Tensor:
        """The scores (K, T) of inputs (T, width) with gradients (K, T, width)."""

    @abstractmethod
    def _batch(self, passed: Pass, targets: Tensor | None) -> Batch: ...


class GradientTimesInput(GradientScore):
    """The gradient of each class's logit by the word's vector, dotted with that vector.

    To first order, what the logit loses when the word's vector is shrunk to zero. Captum's
    InputXGradient, summed over the vector.

    Exact: for a network that is linear in its inputs, the scores add up to the change from zero
    vectors. Not accounted for: everything beyond first order, so saturated gates hide a word's
    effect, and the scores of a document add up to nothing in particular (``completeness``
    refuses); a word whose vector is zero scores zero.
    """

    name: ClassVar[str] = "gradient x input"

    def _batch(self, passed: Pass, targets: Tensor | None) -> Batch:
        drives = passed.drives
        direction, spread = self._rows(passed.logits, drives, targets)
        base = [zero_drive(d.cell) for d in self.model.layers[0].directions]
        values = gradient_times_change(passed, direction, base)
        return _scored(drives, values @ spread.mT, chosen(passed.logits, drives, targets))

    def _rows(
        self, logits: Tensor, drives: Drives | Row, targets: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        coefficients, spread = class_rows(self.model, drives, targets)
        return coefficients @ self.model.require_readout().weight, spread

    @staticmethod
    def _of_gradients(inputs: Tensor, gradients: Tensor) -> Tensor:
        return (inputs * gradients).sum(dim=-1)


class GradientNorm(GradientScore):
    """The Euclidean norm of the gradient of each class's probability by the word's vector.

    How far the probability moves with the word's vector, whichever way. A norm is never negative
    and says nothing of a class: for two classes the norms are equal, since one probability is one
    minus the other. To give a word or phrase a class take the network's own prediction where it
    occurs, or the sign of ``GradientTimesInput``, and say which. In the score of a phrase the
    norms are summed, not multiplied, and divided by the largest of their document (Murdoch &
    Szlam 2017): ``values`` are the norms themselves.

    Not accounted for: direction, and everything beyond first order; a confident network has small
    gradients everywhere. The scores add up to nothing (``completeness`` refuses).
    """

    name: ClassVar[str] = "gradient norm"
    of_logits: ClassVar[bool] = False

    def _batch(self, passed: Pass, targets: Tensor | None) -> Batch:
        drives = passed.drives
        rows, _ = self._rows(passed.logits, drives, targets)
        values = self._norms(passed, rows)
        return _scored(drives, values, chosen(passed.logits, drives, targets))

    @property
    def _streams(self) -> bool:
        # Of two directions the gradients add up before their norm is taken.
        return super()._streams and len(self.model.layers[0].directions) == 1

    @staticmethod
    def _of_gradients(inputs: Tensor, gradients: Tensor) -> Tensor:
        return gradients.norm(dim=-1)

    def _rows(
        self, logits: Tensor, drives: Drives | Row, targets: Tensor | None
    ) -> tuple[Tensor, None]:
        classes = logits.shape[1]
        probabilities = torch.softmax(logits, dim=-1)
        eye = torch.eye(classes, dtype=probabilities.dtype, device=probabilities.device)
        slopes = probabilities[:, :, None] * (eye - probabilities[:, None, :])
        if classes == 2:
            slopes = slopes[:, 1:]
        elif targets is not None:
            rows = torch.arange(len(slopes), device=slopes.device)
            slopes = slopes[rows, _of(drives, targets)].unsqueeze(1)
        return slopes @ self.model.require_readout().weight, None

    def _norms(self, passed: Pass, direction: Tensor) -> Tensor:
        """(B, T, K)"""
        return input_gradients(passed, direction).norm(dim=-1).transpose(0, 1)


def _scored(of: Drives | Row, values: Tensor, logits: Tensor) -> Batch:
    """Scores (B, T, K) or (B, T, 1), the same for every class, with nothing before the words."""
    return Batch(
        indices=of.indices,
        values=values.expand(-1, -1, logits.shape[1]),
        initial=torch.zeros_like(logits),
        logits=logits,
    )


def input_gradients(passed: Pass, direction: Tensor) -> Tensor:
    """The gradients of K scalars by the words' vectors, in the order of the text: (T, B, K, width).

    Args:
        passed: a run on the documents themselves.
        direction: (B, K, H), the scalars' gradients by the pooled state.
    """
    bottom = passed.network.model.layers[0].directions
    slopes = [input_slope(d).mT for d in bottom]
    shape = (len(passed.active) - 1, passed.active[0], direction.shape[1], len(slopes[0].mT))
    found = [direction.new_zeros(shape) for _ in bottom]

    def take(k: int, t: int, delta: Tensor) -> None:
        found[k][t, : len(delta)] = delta @ slopes[k]

    passed.backward(direction, take)
    total = torch.zeros_like(found[0])
    for d, gradient in zip(bottom, found, strict=True):
        total += flip_time(gradient, passed.lengths) if d.reverse else gradient
    return total


def gradient_times_change(
    passed: Pass, direction: Tensor, base: list[Tensor], weights: Tensor | None = None
) -> Tensor:
    """``<gradient, x - x'>`` of each word, in the order of the text: (B, T, K).

    Args:
        passed: a run on P points for each document.
        direction: (R, K, H), the scalars' gradients by the pooled state.
        base: for each direction of the lowest layer, the drive of x'.
        weights: (P,) weights of the points; their weighted sum is taken.
    """
    drives, points, classes = passed.drives, passed.points, direction.shape[1]
    steps, documents = len(passed.active) - 1, len(drives.lengths)
    bottom = passed.network.model.layers[0].directions
    kernels = kernels_for(direction)
    found = [direction.new_zeros(steps, documents, points, classes) for _ in bottom]

    def take(k: int, t: int, delta: Tensor) -> None:
        count = len(delta) // points
        if kernels is not None:
            kernels.dot_change(
                delta.view(count, points * classes, -1).numpy(),
                drives.tables[k].numpy(),
                drives.rows[k][t, :count].numpy(),
                base[k].numpy(),
                found[k][t, :count].view(count, points * classes).numpy(),
            )
            return
        change = drives.at(k, t, count).sub_(base[k]).unsqueeze(-1)
        product = delta.view(count, points * classes, -1) @ change
        found[k][t, :count] = product.view(count, points, classes)

    passed.backward(direction, take)
    total = torch.zeros_like(found[0])
    for d, values in zip(bottom, found, strict=True):
        total += flip_time(values, drives.lengths) if d.reverse else values
    if weights is not None:
        total *= weights[:, None]
    return total.sum(dim=2).transpose(0, 1)


def class_rows(model: Model, drives: Drives | Row, targets: Tensor | None) -> tuple[Tensor, Tensor]:
    """The scalars to differentiate, as weights of the logits, and how they give the classes.

    Returns:
        (B, K, classes) and (scores, K): one scalar for each class, or for each document's target
        alone; one is enough where the network has a single logit.
    """
    readout, documents = model.require_readout(), len(drives.lengths)
    eye = torch.eye(len(readout.bias), dtype=model.dtype, device=model.device)
    if targets is not None:
        return eye[_of(drives, targets)].unsqueeze(1), eye[:1, :1]
    if readout.one_logit:
        return eye[1:].expand(documents, 1, 2), torch.stack([-eye[1, 1:], eye[1, 1:]])
    return eye.expand(documents, *eye.shape), eye


def _of(drives: Drives | Row, targets: Tensor) -> Tensor:
    return targets[drives.indices].to(drives.lengths.device)


def chosen(logits: Tensor, drives: Drives | Row, targets: Tensor | None) -> Tensor:
    if targets is None:
        return logits
    return logits.gather(1, _of(drives, targets)[:, None])
