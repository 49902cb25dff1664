"""Integrated gradients (Sundararajan, Taly & Yan 2017), with as many points as they need.

values_{j,i} = (x_j - x'_j) . integral_0^1 d logit_i / d x_j (x' + a (x - x')) da
sum_j values_{j,i} = logit_i(x) - logit_i(x')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import UsageError
from rnnscope.models import Model
from rnnscope.numerics import flushed_denormals
from rnnscope.scores.backpropagation import Network
from rnnscope.scores.drives import STRETCH, Drives, drives_of, words_at_once
from rnnscope.scores.gradient import chosen, class_rows, gradient_times_change
from rnnscope.scores.inputs import baseline_vector
from rnnscope.scores.score import Score
from rnnscope.scores.word_scores import Batch, WordScores


@dataclass(frozen=True, kw_only=True, eq=False)
class QuadratureOutcome:
    """What the integration reached, document by document.

    Args:
        points: (documents,) points of the last rule used.
        error: (documents,) largest ``|sum of scores - change of the logit|`` over the classes,
            each over ``max(1, |change of the logit|)``.
        converged: (documents,) whether the error is within the tolerance.
    """

    points: np.ndarray
    error: np.ndarray
    converged: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class _IntegratedBatch(Batch):
    points: int
    error: Tensor
    converged: Tensor


class IntegratedScores(WordScores):
    """Integrated gradients of a corpus, and what the integration reached.

    Completeness: ``initial`` of a document is the baseline document's logit - bias, no word's.
    """

    def __init__(self, *, batches: Callable[[], Iterator[Batch]], **rest: Any) -> None:
        super().__init__(batches=lambda: self._noted(batches()), **rest)

    def _noted(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        points = np.zeros(len(self), dtype=np.int64)
        error, converged = np.zeros(len(self)), np.zeros(len(self), dtype=bool)
        self._outcome = QuadratureOutcome(points=points, error=error, converged=converged)
        for batch in batches:
            if isinstance(batch, _IntegratedBatch):
                rows = batch.indices.numpy()
                points[rows], error[rows] = batch.points, batch.error.cpu().numpy()
                converged[rows] = batch.converged.cpu().numpy()
            yield batch

    @property
    def outcome(self) -> QuadratureOutcome:
        """Points used and error left, of each document; computed with the scores."""
        _ = self.values
        return self._outcome


class IntegratedGradients(Score):
    """Gradient x (word - baseline), averaged along the straight path from the baseline.

    The integral is Gauss-Legendre with few points first; a document is done, and leaves the
    batch, when for each class ``|sum of scores - (logit(x) - logit(x'))|`` is at most
    ``tolerance * max(1, |logit(x) - logit(x')|)``. The others go on with twice the points, to
    ``max_points`` at most. What was reached stands in ``scores.outcome``, document by document.

    Exact in the limit: the scores, with ``initial`` (the baseline document's logit - bias), add up
    to logit - bias. Not accounted for: the choice of the baseline, which decides what no word
    means; points on the path are no texts. A document that adds up within the tolerance may have
    word scores somewhat further from the integral, since errors of different words can cancel.

    Args:
        model: the network, with a readout.
        baseline: "zero" (vectors), "mean" (of the embedding's rows), "unknown" (the unknown
            word), or a vector; one for all positions.
        tolerance: see above.
        points: points of the first rule.
        max_points: points of the last rule.

    Raises:
        UsageError: an unknown baseline, a tolerance or a number of points out of range.
        NotApplicable: a baseline that this network does not have.
    """

    name: ClassVar[str] = "integrated gradients"

    def __init__(
        self,
        model: Model,
        *,
        baseline: Any = "zero",
        tolerance: float = 1e-3,
        points: int = 4,
        max_points: int = 256,
    ) -> None:
        super().__init__(model)
        if not isinstance(tolerance, Real) or not 0 < tolerance < float("inf"):
            raise UsageError(
                "A tolerance is above zero.", expected="a number", got=f"tolerance={tolerance!r}"
            )
        whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (points, max_points))
        if not whole or not 1 <= points <= max_points:
            raise UsageError(
                "The integration needs at least one point.",
                expected="whole numbers, 1 <= points <= max_points",
                got=f"points={points!r}, max_points={max_points!r}",
            )
        self.tolerance, self.points, self.max_points = tolerance, points, max_points
        self.baseline = baseline_vector(model, baseline)
        with torch.no_grad():
            self._base = [d.cell.drive(self.baseline) for d in model.layers[0].directions]

    @property
    def options(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline,
            "tolerance": self.tolerance,
            "points": self.points,
            "max_points": self.max_points,
        }

    def _result(self, tokens: list[tuple[str, ...]], encoded: list[np.ndarray]) -> WordScores:
        return IntegratedScores(
            method=self.name,
            model=self.model,
            tokens=tokens,
            encoded=encoded,
            batches=lambda: self.batches(encoded),
        )

    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        return self._batches(self.model.encode(documents), None)

    def _target_batches(self, encoded: list[np.ndarray], targets: Tensor) -> Iterator[Batch]:
        return self._batches(encoded, targets)

    def _batches(self, encoded: list[np.ndarray], targets: Tensor | None) -> Iterator[Batch]:
        network = Network(self.model)
        logits = self._logits(network, encoded, None)
        sizes, which = np.unique([len(d) for d in encoded], return_inverse=True)
        longest = {len(document): document for document in encoded}
        start = self._logits(network, [longest[size] for size in sizes.tolist()], 0.0)[which]
        open_rows, points = np.arange(len(encoded)), self.points
        while len(open_rows):
            left: list[np.ndarray] = []
            chosen_documents = [encoded[k] for k in open_rows]
            for drives in drives_of(self.model, chosen_documents, tokens=self._room // points):
                rows = torch.as_tensor(open_rows)[drives.indices]
                drives = replace(drives, indices=rows)
                batch = self._integrate(network, drives, targets, points, start[rows], logits[rows])
                done = batch.converged | (points >= self.max_points)
                left.append(rows[~done.cpu()].numpy())
                yield _only(batch, done)
            open_rows = np.sort(np.concatenate(left))
            points = min(2 * points, self.max_points)

    @property
    def _room(self) -> int:
        """Padded words, times points, at a time."""
        return words_at_once(self.model, STRETCH)

    def _logits(
        self, network: Network, encoded: list[np.ndarray], position: float | None
    ) -> Tensor:
        """The logits of documents, or of a baseline document in the place of each."""
        readout = network.readout
        found = readout.bias.new_empty(len(encoded), len(readout.bias))
        where = None if position is None else readout.bias.new_tensor([position])
        for drives in drives_of(self.model, encoded, tokens=self._room):
            with flushed_denormals():
                found[drives.indices] = network.run(drives, where, self._base).logits
        return found

    def _integrate(
        self,
        network: Network,
        drives: Drives,
        targets: Tensor | None,
        points: int,
        start: Tensor,
        end: Tensor,
    ) -> _IntegratedBatch:
        nodes, weights = np.polynomial.legendre.leggauss(points)
        where, share = (start.new_tensor(x) for x in ((nodes + 1) / 2, weights / 2))
        coefficients, spread = class_rows(self.model, drives, targets)
        direction = coefficients @ network.readout.weight
        # One long document at many points would need more memory than a batch of short ones.
        at_once = max(1, self._room // (len(drives.lengths) * int(drives.lengths[0])))
        parts = []
        with flushed_denormals(), torch.no_grad():
            for some, their in zip(where.split(at_once), share.split(at_once), strict=True):
                passed = network.run(drives, some, self._base)
                rows = direction.repeat_interleave(len(some), dim=0)
                parts.append(gradient_times_change(passed, rows, self._base, their))
            values = torch.stack(parts).sum(dim=0) @ spread.mT
        start, end = chosen(start, drives, targets), chosen(end, drives, targets)
        change = end - start
        bias = network.readout.bias.expand(len(end), -1)
        error = (values.sum(dim=1) - change).abs() / change.abs().clamp(min=1)
        error = error.amax(dim=1)
        return _IntegratedBatch(
            indices=drives.indices,
            values=values,
            initial=start - chosen(bias, drives, targets),
            logits=end,
            points=points,
            error=error,
            converged=error <= self.tolerance,
        )


def _only(batch: _IntegratedBatch, rows: Tensor) -> _IntegratedBatch:
    return replace(
        batch,
        indices=batch.indices[rows.cpu()],
        values=batch.values[rows],
        initial=batch.initial[rows],
        logits=batch.logits[rows],
        error=batch.error[rows],
        converged=batch.converged[rows],
    )
