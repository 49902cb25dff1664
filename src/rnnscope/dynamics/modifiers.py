"""Modifiers: words that change what the next word does, and the directions they move the state in.

h_m = h* + (I - P) (F(h*, x_m) - F(h*, 0))
strength_m = ||(J_inp(h_m) - J_inp(h*)) X|| / ||J_inp(h*) X||,    X the probe words' vectors

At a point h* a word moves the state to h_m; where the network reads other words differently from
there, it is a modifier ("not", "very"). P takes out the movement along the line that the network
adds up along, so that a strong word is not one only because pushes depend on where the line is. The
displacements of the strongest span the modifier subspace (Maheswaranathan & Sussillo 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.charts import Chart
from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.seeds import checked_states
from rnnscope.dynamics.visited import one_system
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.progress import told

PROBES = 64
"""Words that the change of reading is measured on, where none are named."""

CHUNK = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Modifiers(ShowsItself):
    """V words by how much they change the reading of others.

    Attributes:
        words: their names; row numbers where the model has no vocabulary.
        strength: (V,), 0 for a word after which others are read as before.
        displacements: h_m - h*, (V, N).
        state: h*, (N,).
    """

    words: tuple[str, ...]
    strength: Tensor
    displacements: Tensor
    state: Tensor

    def __len__(self) -> int:
        return len(self.words)

    def strongest(self, count: int = 20) -> list[tuple[str, float]]:
        """The strongest modifiers, the first the strongest."""
        rows = self.strength.argsort(descending=True, stable=True)[:count].tolist()
        return [(self.words[row], float(self.strength[row])) for row in rows]

    def directions(self, size: int, *, count: int = 50) -> Tensor:
        """The principal directions of the strongest modifiers' displacements, (N, size).

        Args:
            size: how many.
            count: modifiers used.

        Raises:
            UsageError: more directions than modifiers or than the state has.
        """
        moved = self.displacements[self.strength.argsort(descending=True, stable=True)[:count]]
        if not 1 <= size <= min(moved.shape):
            raise UsageError(
                "Directions are those of displacements.",
                expected=f"1 to {min(moved.shape)}",
                got=str(size),
            )
        with heavy():
            return torch.linalg.svd(moved, full_matrices=False).Vh[:size].mT

    def __repr__(self) -> str:
        first = ", ".join(f"{word} {value:.2g}" for word, value in self.strongest(5))
        return f"Modifiers among {len(self)} words: {first}"


def find_modifiers(
    model: Model,
    state: Tensor,
    words: Sequence[str] | None = None,
    *,
    probes: Sequence[str] | None = None,
    beside: Chart | None = None,
) -> Modifiers:
    """Rank words by how much they change what the next word does, at one state.

    Args:
        model: with words and one recurrent system; not changed.
        state: h*, (N,), such as a point of the manifold.
        words: those to rank; None for the whole vocabulary.
        probes: the words read next; None for 64 with the largest immediate effect at h*.
        beside: a chart of the line, whose coordinates P takes out; None for P = 0.

    Raises:
        NotApplicable: the model has no embedding, or reads in two directions.
        UsageError: a word is not in the vocabulary.
        DataError: a state of another width.

    Source:
        Maheswaranathan & Sussillo 2020
    """
    model = one_system(model)
    if model.embedding is None:
        raise NotApplicable(
            "Modifiers are words.", expected="a model with an embedding", got="one without"
        )
    cell, table = study_cell(model), model.embedding.detach()
    h = checked_states(state, cell)[0]
    zero = torch.zeros(cell.input_size, dtype=torch.float64)
    rows = _rows(model, words)
    with torch.no_grad(), heavy():
        still, here = cell.step(zero, h), cell.J_inp(zero, h)
        if probes is None:
            effect = torch.linalg.vector_norm(table @ here.mT, dim=-1)
            X = table[effect.argsort(descending=True, stable=True)[:PROBES]]
        else:
            X = table[_rows(model, probes)]
        there, strengths = [], []
        for some in told(rows.split(CHUNK), "looking for modifiers", unit="word", size=len):
            moved = cell.step(table[some], h.expand(len(some), -1)) - still
            if beside is not None:
                moved = moved - (moved @ beside.left.mT) @ beside.right.mT
            change = (cell.J_inp(zero.expand(len(some), -1), h + moved) - here) @ X.mT
            there.append(moved)
            strengths.append(torch.linalg.matrix_norm(change))
        scale = torch.linalg.matrix_norm(here @ X.mT)
    names = None if model.vocabulary is None else model.vocabulary.words
    return Modifiers(
        words=tuple(str(k) if names is None else names[k] for k in rows.tolist()),
        strength=torch.cat(strengths) / scale,
        displacements=torch.cat(there),
        state=h,
    )


def _rows(model: Model, words: Sequence[str] | None) -> Tensor:
    """Rows of the embedding, of every word where none are named."""
    if words is None:
        return torch.arange(len(model.embedding))  # type: ignore[arg-type]
    known = () if model.vocabulary is None else model.vocabulary.words
    places = {word: row for row, word in enumerate(known)}
    missing = [word for word in words if word not in places]
    if missing:
        raise UsageError(
            "Words must be in the vocabulary.",
            expected=f"among its {len(places)} words",
            got=", ".join(map(repr, missing[:5])),
        )
    return torch.tensor([places[word] for word in words])
