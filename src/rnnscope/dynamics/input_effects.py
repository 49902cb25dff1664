"""What words do to the slow mode: ``l_1^T J_inp (x - x*)``, one step's push along r_1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.modes import Modes
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class WordProjections:
    """The push of each of V words along the slow mode, over the points where it is real.

    Attributes:
        words: their names; row numbers where the model has no vocabulary.
        mean: over points, (V,).
        spread: standard deviation over points, (V,).
        projections: each point's, (points, V).
        points: rows of the modes that were used, (points,).
    """

    words: tuple[str, ...]
    mean: Tensor
    spread: Tensor
    projections: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.words)

    def strongest(self, count: int = 10) -> list[tuple[str, float]]:
        """The words with the largest mean push in either direction, the largest first."""
        rows = self.mean.abs().argsort(descending=True, stable=True)[:count].tolist()
        return [(self.words[row], float(self.mean[row])) for row in rows]

    def __repr__(self) -> str:
        first = ", ".join(f"{word} {value:+.3g}" for word, value in self.strongest(5))
        return f"WordProjections of {len(self)} words at {len(self.points)} points: {first}"


def word_projections(
    model: Model, modes: Modes, words: Sequence[str] | None = None
) -> WordProjections:
    """The input projection of every word, or of those named, on the slowest mode.

    The push is that of the word instead of the input held fixed, ``x - x*``; at zero input it is
    ``l_1^T J_inp x``. Where no readout fixes the sign of r_1, it is that of the first point.

    Raises:
        NotApplicable: the model has no embedding, or its slowest mode is nowhere real.
        UsageError: a word is not in the vocabulary.

    Source:
        Maheswaranathan et al. 2019
    """
    if isinstance(model, Cell) or model.embedding is None:
        raise NotApplicable(
            "Words push the network through their embeddings.",
            expected="a model with an embedding",
            got="none",
            fix="use modes.input_projection with the inputs themselves",
        )
    rows, names = _rows(model, len(model.embedding), words)
    points = modes.simple_points
    if not len(points):
        raise NotApplicable(
            "A projection on the slow mode needs a real, well-defined slow mode.",
            expected="at least one point where the slowest mode is real",
            got=f"a complex pair or a repeated eigenvalue at all {len(modes)} points",
            fix="read modes.effects(x) in the slow subspace, modes.slow_basis(2)",
        )
    x = model.embedding[rows].detach().to("cpu", torch.float64) - modes.held.vector
    left = modes.left[points, 0].real
    pushes = (left[:, None, :] @ modes.J_inp[points]).squeeze(1) @ x.mT
    if modes.readout is None:
        r = modes.right[points, :, 0].real
        pushes = pushes * torch.where(r @ r[0] < 0, -1.0, 1.0)[:, None]
    return WordProjections(
        words=names,
        mean=pushes.mean(0),
        spread=pushes.std(0, correction=0),
        projections=pushes,
        points=points,
    )


def _rows(
    model: Model, count: int, words: Sequence[str] | None
) -> tuple[list[int], tuple[str, ...]]:
    """Rows of the embedding and names for them."""
    if words is None:
        rows = list(range(count))
        return rows, tuple(map(str, rows)) if model.vocabulary is None else model.vocabulary.words
    known: tuple[str, ...] = () if model.vocabulary is None else model.vocabulary.words
    places = {word: row for row, word in enumerate(known)}
    missing = [word for word in words if word not in places]
    if missing:
        raise UsageError(
            "Words must be in the vocabulary.",
            expected=f"among its {len(places)} words",
            got=", ".join(map(repr, missing[:5])),
        )
    return [places[word] for word in words], tuple(words)
