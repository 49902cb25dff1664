"""Every way to change one word of a sentence that the page shows, as one batch of versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import UsageError
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.scores import NOTHING, read_changes, word_gradients

PROPOSED = 6
"""Replacements shown each way of a word that is looked at; twice as many are tried."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """Versions of a sentence of T words, each with one word changed.

    Args:
        versions: their word indices.
        removed: which versions leave each word out, (T,).
        blanked: which put a vector of zeros in its place, (T,).
        swaps: (place, version) of each swap of a word with the next.
        swapped: (place, word, version) of each replacement.
    """

    versions: list[np.ndarray]
    removed: np.ndarray
    blanked: np.ndarray
    swaps: list[tuple[int, int]]
    swapped: list[tuple[int, str, int]]

    def to_dict(self, probabilities: Tensor) -> dict[str, Any]:
        """What the network says of each version, (versions, classes)."""
        rows = np.round(probabilities.cpu().numpy(), 5).tolist()
        return {
            "remove": [rows[k] for k in self.removed],
            "swap": [{"position": j, "probabilities": rows[k]} for j, k in self.swaps],
            "replace": [
                {"position": j, "word": word, "probabilities": rows[k]}
                for j, word, k in self.swapped
            ],
        }


def every_change(
    exhibit: Exhibit, words: list[str], document: np.ndarray, gradients: Tensor
) -> Changes:
    """Each word removed, swapped with the next, and replaced by the word that should raise, and
    the one that should lower, the shown class most.

    Args:
        exhibit: the network.
        words: the sentence.
        document: the same as word indices.
        gradients: of the shown class by each word's vector.
    """
    versions: list[np.ndarray] = []

    def add(version: np.ndarray) -> int:
        versions.append(version)
        return len(versions) - 1

    places = range(len(document))
    removed = np.array([add(np.delete(document, j)) for j in places])
    blanked = np.array([add(put(document, j, NOTHING)) for j in places])
    swaps = [(j, add(moved(document, j, j + 1))) for j in places[:-1]]
    proposed = _proposals(exhibit, words, document, gradients, list(places), 1)
    swapped = [
        (j, exhibit.word(index), add(put(document, j, index)))
        for j, indices in zip(places, proposed, strict=True)
        for index in indices.tolist()
    ]
    return Changes(
        versions=versions, removed=removed, blanked=blanked, swaps=swaps, swapped=swapped
    )


def look_at_word(
    exhibit: Exhibit, text: str, position: int, replacement: str | None = None
) -> dict[str, Any]:
    """What the network would say with one word anywhere else, and with others in its place.

    Args:
        exhibit: the network.
        text: the sentence.
        position: the word's place, from 0.
        replacement: a text of one or more words to put in its place as well.

    Raises:
        UsageError: no word stands there.
        DataError: a sentence, or a replacement, that the network cannot read.
    """
    words = exhibit.words_of(text)
    if not 0 <= position < len(words):
        raise UsageError(
            "A word of the sentence is named by its place.",
            expected=f"0 to {len(words) - 1}",
            got=str(position),
        )
    model = exhibit.model
    (document,) = model.encode([words])
    gradients = word_gradients(model, document, exhibit.shown)
    (indices,) = _proposals(exhibit, words, document, gradients, [position], 2 * PROPOSED)
    targets = [k for k in range(len(document)) if k != position]
    versions = [np.delete(document, position)]
    versions += [moved(document, position, k) for k in targets]
    versions += [put(document, position, index) for index in indices.tolist()]
    typed: list[str] = []
    if replacement is not None:
        typed = exhibit.words_of(replacement)
        own = model.encode([typed])[0]
        versions.append(np.concatenate([document[:position], own, document[position + 1 :]]))
    found = torch.softmax(read_changes(model, document, versions).changed.double(), dim=-1)
    rows = np.round(found.cpu().numpy(), 5).tolist()
    after = 1 + len(targets)
    replaced = [
        {"word": exhibit.word(index), "probabilities": row}
        for index, row in zip(indices.tolist(), rows[after:], strict=False)
    ]
    # The proposals were ranked to first order; what is shown is in the order of what they do.
    replaced.sort(key=lambda one: -one["probabilities"][exhibit.shown])
    if len(replaced) > 2 * PROPOSED:
        replaced = replaced[:PROPOSED] + replaced[-PROPOSED:]
    return {
        "position": position,
        "remove": rows[0],
        "move": [
            {"to": k, "probabilities": row} for k, row in zip(targets, rows[1:], strict=False)
        ],
        "replace": replaced,
        "typed": {"words": typed, "probabilities": rows[-1]} if typed else None,
    }


def put(document: np.ndarray, place: int, word: int) -> np.ndarray:
    """The document with another word in a place."""
    changed = document.astype(np.int64)
    changed[place] = word
    return changed


def moved(document: np.ndarray, place: int, to: int) -> np.ndarray:
    """The document with the word of one place at another; those between close up."""
    return np.insert(np.delete(document, place), to, document[place])


def _proposals(
    exhibit: Exhibit,
    words: list[str],
    document: np.ndarray,
    gradients: Tensor,
    places: list[int],
    count: int,
) -> list[np.ndarray]:
    """Of the words that the corpus has between the same neighbours; where those are few, of all."""
    replacements, numbers = exhibit.replacements
    allowed = np.empty((len(places), len(numbers)), dtype=bool)
    for row, j in enumerate(places):
        before = words[j - 1] if j else None
        after = words[j + 1] if j + 1 < len(words) else None
        allowed[row] = exhibit.search.between(before, after)[numbers]
        if allowed[row].sum() < 4 * count:
            allowed[row] = True
    return replacements.propose(document[places], gradients[places], count, allowed)
