"""One network, laid out to be explored: all that an answer is computed from, held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnnscope.account.material import Material
from rnnscope.data import Corpus
from rnnscope.dynamics import FixedPoints, Modes, StatePlane
from rnnscope.errors import DataError, NotApplicable
from rnnscope.models import Model
from rnnscope.phrases import PhraseSearch
from rnnscope.rules import RuleList
from rnnscope.scores import Replacements

MAX_WORDS = 200
"""Words of a sentence at most."""

LEAST_COUNT = 5
"""Occurrences of a word in the corpus before it is proposed in the place of another."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sites:
    """The fixed points of a network, of every kind, in one list.

    Args:
        points: how they were found.
        kinds: each one's kind, (P,).
        rows: its row among those of its kind, (P,).
        modes: the linearization at each; its states are theirs.
        plane: in which they are shown.
        pushes: each vocabulary word's mean push along the slow mode, (V,); None where that mode
            is nowhere real.
        visited: the states after each word of the text that the search started from, (W, N).
        document, position: of which text, and which word of it, each of those states is, (W,).
        texts: those texts.
    """

    points: FixedPoints
    kinds: tuple[str, ...]
    rows: np.ndarray
    modes: Modes
    plane: StatePlane
    pushes: np.ndarray | None
    visited: Tensor
    document: np.ndarray
    position: np.ndarray
    texts: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.kinds)

    @cached_property
    def states(self) -> Tensor:
        """(P, N), in the dtype of the visited states."""
        return self.modes.states.to(self.visited.dtype)


@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibit:
    """A network with its text, rules and fixed points. Made by ``open_run``.

    Args:
        name: of the run.
        model: the network.
        material: the text it is studied on.
        corpus: all of that text.
        probabilities: the network's on each document of the corpus, (documents, classes).
        rules: the rule list; None where there is none.
        sites: the fixed points; None where they do not apply.
        left_out: what does not apply, and why.
    """

    name: str
    model: Model
    material: Material
    corpus: Corpus
    probabilities: Tensor
    rules: RuleList | None
    sites: Sites | None
    left_out: dict[str, str]

    @property
    def shown(self) -> int:
        """The class that scores and curves speak for: of two, the second."""
        return 1

    def words_of(self, text: str) -> list[str]:
        """A sentence cut into the network's words.

        Raises:
            DataError: no words, or too many, or one that the vocabulary cannot place.
        """
        words = self.model.tokenize(text)
        if not words or len(words) > MAX_WORDS:
            raise DataError(
                "A sentence has words, and not too many to look at.",
                expected=f"1 to {MAX_WORDS} words",
                got=f"{len(words):,}" if words else "none",
                fix="" if not words else "explore a part of it",
            )
        self.model.encode([words])
        return words

    def word(self, index: int) -> str:
        """A word of the vocabulary."""
        vocabulary = self.model.vocabulary
        return str(index) if vocabulary is None else vocabulary.decode([index])[0]

    @cached_property
    def search(self) -> PhraseSearch:
        """The corpus, to be searched for phrases."""
        return PhraseSearch.of(self.corpus.documents)

    @cached_property
    def replacements(self) -> tuple[Replacements, np.ndarray]:
        """The words that may be proposed, and each one's number in ``search``."""
        vocabulary = self.model.vocabulary
        if vocabulary is None:
            raise NotApplicable("Words are proposed out of a vocabulary.")
        special = {vocabulary.unknown, vocabulary.padding}
        often = self.search.counts >= LEAST_COUNT
        pairs = [
            (vocabulary.index(word), number)
            for word, number in self.search.numbers.items()
            if often[number]
            and word in vocabulary
            and word not in special
            and any(map(str.isalnum, word))
        ]
        ids, numbers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return Replacements.of(self.model, ids), numbers

    @cached_property
    def labels(self) -> list[str] | None:
        """The true class of each document of the corpus by name; None without labels."""
        if self.corpus.labels is None:
            return None
        return [self.corpus.classes[k] for k in self.corpus.labels.tolist()]

    @cached_property
    def background(self) -> Tensor:
        """Where the visited texts end in the plane, (texts, 2)."""
        if self.sites is None:
            return torch.empty(0, 2)
        ends = np.flatnonzero(np.append(np.diff(self.sites.document) != 0, True))
        return self.sites.plane.project(self.sites.visited[torch.as_tensor(ends)])

    @cached_property
    def end_classes(self) -> np.ndarray:
        """The network's class of each of those texts, (texts,)."""
        return self.model.predict([] if self.sites is None else self.sites.texts)
