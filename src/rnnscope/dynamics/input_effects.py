"""What words do to the state in one step: ``J_inp (x - x*)``, and its part along a mode,
``l_a^T J_inp (x - x*)``, or in a slow subspace, ``P J_inp (x - x*)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.linalg import norm
from rnnscope.dynamics.modes import Modes
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Model
from rnnscope.notebook import LIMIT, html_table


@dataclass(frozen=True, kw_only=True, eq=False)
class WordProjections:
    """The push of each of V words along one mode, over the points where it is real.

    Attributes:
        words: their names; row numbers where the model has no vocabulary.
        mean: over points, (V,).
        spread: standard deviation over points, (V,).
        projections: each point's, (points, V).
        points: rows of the modes that were used, (points,).
        mode: which mode, 0 for the slowest.
    """

    words: tuple[str, ...]
    mean: Tensor
    spread: Tensor
    projections: Tensor
    points: Tensor
    mode: int = 0

    def __len__(self) -> int:
        return len(self.words)

    def strongest(self, count: int = 10) -> list[tuple[str, float]]:
        """The words with the largest mean push in either direction, the largest first."""
        rows = self.mean.abs().argsort(descending=True, stable=True)[:count].tolist()
        return [(self.words[row], float(self.mean[row])) for row in rows]

    def __repr__(self) -> str:
        first = ", ".join(f"{word} {value:+.3g}" for word, value in self.strongest(5))
        return f"WordProjections of {len(self)} words at {len(self.points)} points: {first}"

    def _repr_html_(self) -> str:
        rows = [
            (self.words[row], self.mean[row], self.spread[row])
            for row in self.mean.abs().argsort(descending=True, stable=True)[:LIMIT].tolist()
        ]
        title = f"Pushes of {len(self):,} words along mode {self.mode}, the largest first"
        return html_table(title, rows, head=("word", "mean push", "spread over points"))


@dataclass(frozen=True, kw_only=True, eq=False)
class SubspaceProjections:
    """The push of each of V words in the span of the slowest modes.

    Attributes:
        words: their names.
        coordinates: in the orthonormal basis of each point's subspace, (points, V, size).
        basis: those bases, real, (points, N, size).
        mean: mean length over points, (V,).
        spread: its standard deviation, (V,).
        points: rows of the modes that were used, (points,).
    """

    words: tuple[str, ...]
    coordinates: Tensor
    basis: Tensor
    mean: Tensor
    spread: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.words)

    @property
    def effects(self) -> Tensor:
        """The pushes as vectors of the state space, (points, V, N)."""
        return self.coordinates @ self.basis.mT


def word_projections(
    model: Model, modes: Modes, words: Sequence[str] | None = None, *, mode: int = 0
) -> WordProjections:
    """The input projection of every word, or of those named, on a mode.

    The push is that of the word instead of the input held fixed, ``x - x*``; at zero input it is
    ``l_a^T J_inp x``. Where no readout fixes the sign of r_a, it is that of the first point.

    Args:
        model, modes: the network and its linearization.
        words: some of the vocabulary; all of it when None.
        mode: which of the kept modes, 0 for the slowest. Modes are counted at each point by
            |lambda|, so those of similar size may change places between points.

    Raises:
        NotApplicable: the model has no embedding, or the mode is nowhere real.
        UsageError: a word is not in the vocabulary, or the mode was not kept.

    Source:
        Maheswaranathan et al. 2019
    """
    names, x = word_inputs(model, modes, words)
    if not 0 <= mode < modes.count:
        raise UsageError(
            "Projections are on kept modes.", expected=f"0 to {modes.count - 1}", got=str(mode)
        )
    points = (~modes.oscillating[:, mode] & ~modes.ill_defined[:, mode]).nonzero().squeeze(-1)
    if not len(points):
        raise NotApplicable(
            "A projection on the slow mode needs a real, well-defined slow mode."
            if mode == 0
            else f"A projection on mode {mode} needs it to be real and well defined.",
            expected="at least one point where the mode is real",
            got=f"a complex pair or a repeated eigenvalue at all {len(modes)} points",
            fix="use subspace_projections, the push in the span of several modes",
        )
    pushes = projected(modes, points, x, mode)
    return WordProjections(
        words=names,
        mean=pushes.mean(0),
        spread=pushes.std(0, correction=0),
        projections=pushes,
        points=points,
        mode=mode,
    )


def subspace_projections(
    model: Model, modes: Modes, words: Sequence[str] | None = None, *, size: int = 2
) -> SubspaceProjections:
    """The part of each word's effect that lies in the span of the slowest modes, along the others.

    What complex pairs and near-repeated eigenvalues still allow, where single modes mean nothing.

    Args:
        model, modes: the network and its linearization.
        words: some of the vocabulary; all of it when None.
        size: modes in the span. Points at which that would cut a complex pair are left out.

    Raises:
        NotApplicable: the model has no embedding, or a pair is cut at every point.
        UsageError: a word is not in the vocabulary, or more modes than were kept.
    """
    names, x = word_inputs(model, modes, words)
    if not 1 <= size <= modes.count:
        raise UsageError(
            "A slow subspace is spanned by kept modes.",
            expected=f"1 to {modes.count} modes",
            got=str(size),
        )
    whole = ~(modes.eigenvalues[:, size - 1].imag > 0)
    whole &= torch.isfinite(modes.left[:, :size]).flatten(1).all(-1)
    points = whole.nonzero().squeeze(-1)
    if not len(points):
        raise NotApplicable(
            "A slow subspace holds complex pairs whole.",
            expected=f"a point where the first {size} modes cut no pair",
            got="none",
            fix="ask for one mode more or fewer",
        )
    right, left = modes.right[points, :, :size], modes.left[points, :size]
    second = (modes.eigenvalues[points, :size].imag < 0)[:, None, :]
    basis = torch.linalg.qr(torch.where(second, right.imag, right.real)).Q
    effect = (right @ (left @ modes.J_inp[points].to(left.dtype))).real
    coordinates = x @ (basis.mT @ effect).mT
    length = norm(coordinates)
    return SubspaceProjections(
        words=names,
        coordinates=coordinates,
        basis=basis,
        mean=length.mean(0),
        spread=length.std(0, correction=0),
        points=points,
    )


def instantaneous_effects(
    model: Model, modes: Modes, words: Sequence[str] | None = None, *, points: Tensor | None = None
) -> Tensor:
    """``J_inp (x - x*)`` of words at each point, or at some rows of the points, (P, V, N).

    Raises:
        NotApplicable: the model has no embedding.
        UsageError: a word is not in the vocabulary.
    """
    _, x = word_inputs(model, modes, words)
    return x @ (modes.J_inp if points is None else modes.J_inp[points]).mT


def projected(modes: Modes, points: Tensor, x: Tensor, mode: int = 0) -> Tensor:
    """``l_a^T J_inp x`` of inputs (V, d) at points where the mode is real, (points, V)."""
    left = modes.left[points, mode].real
    pushes = (left[:, None, :] @ modes.J_inp[points]).squeeze(1) @ x.mT
    if modes.readout is None:
        r = modes.right[points, :, mode].real
        pushes = pushes * torch.where(r @ r[0] < 0, -1.0, 1.0)[:, None]
    return pushes


def word_inputs(
    model: Model, modes: Modes, words: Sequence[str] | None
) -> tuple[tuple[str, ...], Tensor]:
    """The words' names, and their inputs less the one held fixed, (V, d) float64."""
    if isinstance(model, Cell) or model.embedding is None:
        raise NotApplicable(
            "Words push the network through their embeddings.",
            expected="a model with an embedding",
            got="none",
            fix="use modes.input_projection with the inputs themselves",
        )
    rows, names = _rows(model, len(model.embedding), words)
    x = model.embedding[rows].detach().to("cpu", torch.float64)
    return names, x - modes.held.common


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
