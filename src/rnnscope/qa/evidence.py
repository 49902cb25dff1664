"""The evidence model: every pattern that matches votes, with weights refitted to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from rnnscope.arguments import checked
from rnnscope.errors import DataError
from rnnscope.numerics import single_blas_thread
from rnnscope.qa.answers import Answers
from rnnscope.qa.corpus import QuestionCorpus
from rnnscope.qa.entities import is_number
from rnnscope.qa.matching import Texts
from rnnscope.qa.pattern import Pattern
from rnnscope.qa.pattern_list import PatternList
from rnnscope.qa.reading import Reading

__all__ = ["PatternEvidence"]

FIRST, TITLE = "<first candidate>", "<first word>"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ballot:
    """The candidates of one category's questions, and what speaks for each.

    Args:
        X: (candidates, features), sparse.
        question: (candidates,), rising.
        entity: of each candidate.
        pair, place: (candidates,), where it first stands.
    """

    X: Any
    question: np.ndarray
    entity: tuple[str, ...]
    pair: np.ndarray
    place: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class PatternEvidence:
    """Adds up the weights of all patterns that match, whatever their order.

    A candidate's sum is over the patterns of the question's category that give it somewhere in the
    question's documents, plus a weight for its type (is it a number, a film, ...), and for being
    a document's first candidate or first word. The largest sum answers; where equal, the candidate
    that stands first.

    Attributes:
        patterns: the list whose patterns vote.
        weights: of each category, the weight of each pattern in the list's order, then of each
            feature in ``types``.
        types: the entity types with a weight, and the two features of place.
    """

    patterns: PatternList
    weights: tuple[np.ndarray, ...]
    types: tuple[str, ...]

    @classmethod
    @checked
    def fit(cls, patterns: PatternList, answers: Answers, *, penalty: float = 1.0) -> Self:
        """Fit the weights to a network's answers.

        Maximises, category by category, the mean log-probability of the answers that are plausible
        to the network, under a softmax over the candidates of each question, less ``penalty`` / 2
        times the squared weights.

        Args:
            patterns: as ``mine_patterns`` gives them.
            answers: the network's, to questions such as those that the patterns were mined from.

        Raises:
            DataError: no answer to fit to.
        """
        if not answers.given.any():
            raise DataError("Evidence is weighed by a network's answers.", got="no answer")
        reading = answers.reading
        kinds = sorted({_kind(reading, e) for e in reading.corpus.entities if e} | {"number"})
        types = (*kinds, FIRST, TITLE)
        of = patterns.categories.of(reading)
        fitted = []
        for k, category in enumerate(patterns.categories.names):
            own = [p for p in patterns.patterns if p.category == category]
            ballot = _ballot(
                patterns, own, types, reading, np.flatnonzero(of[reading.question] == k)
            )
            fitted.append(_fit(ballot, answers.plausible, penalty))
        return cls(patterns=patterns, weights=tuple(fitted), types=types)

    def answer(self, corpus: QuestionCorpus | Reading) -> Answers:
        """Answer every question; one without a candidate by ""."""
        reading = corpus if isinstance(corpus, Reading) else Reading.of(corpus)
        count = len(reading.question_words)
        pair, place, probability = np.full(count, -1), np.full(count, -1), np.zeros(count)
        of = self.patterns.categories.of(reading)
        for k, category in enumerate(self.patterns.categories.names):
            own = [p for p in self.patterns.patterns if p.category == category]
            pairs = np.flatnonzero(of[reading.question] == k)
            if not len(pairs):
                continue
            ballot = _ballot(self.patterns, own, self.types, reading, pairs)
            total = np.round(ballot.X @ self.weights[k], 9)
            for a, b in _groups(ballot.question):
                best = a + int(np.argmax(total[a:b]))
                row = ballot.question[a]
                pair[row], place[row] = ballot.pair[best], ballot.place[best]
                probability[row] = 1 / np.exp(total[a:b] - total[best]).sum()
        return Answers.of(reading, pair, place, probability)

    def to_dict(self) -> dict[str, Any]:
        """The weights by category, JSON-safe."""
        found: dict[str, Any] = {}
        for category, weights in zip(self.patterns.categories.names, self.weights, strict=True):
            own = [p.text for p in self.patterns.patterns if p.category == category]
            values = [float(w) for w in weights]
            found[category] = dict(zip([*own, *self.types], values, strict=True))
        return found


def _kind(reading: Reading, entity: str) -> str:
    return "number" if is_number(entity) else reading.corpus.entities.get(entity, "")


def _ballot(
    patterns: PatternList,
    own: Sequence[Pattern],
    types: tuple[str, ...],
    reading: Reading,
    pairs: np.ndarray,
) -> _Ballot:
    number: dict[tuple[int, str], int] = {}
    pair_of: list[int] = []
    place_of: list[int] = []
    slots: list[int] = []
    more: set[tuple[int, int]] = set()
    column = {name: len(own) + k for k, name in enumerate(types)}
    for pair in pairs.tolist():
        question = int(reading.question[pair])
        for j, t in enumerate(reading.places[pair].tolist()):
            entity = reading.token(pair, t)
            row = number.setdefault((question, entity), len(number))
            slots.append(row)
            if row == len(pair_of):
                pair_of.append(pair)
                place_of.append(t)
                kind = column.get(_kind(reading, entity))
                if kind is not None:
                    more.add((row, kind))
            if j == 0:
                more.add((row, column[FIRST]))
            if t == 0:
                more.add((row, column[TITLE]))
    texts = Texts.of(reading, pairs)
    slot = np.array(slots, dtype=np.int64)
    rows = [np.array([r for r, _ in more], dtype=np.int64)]
    columns = [np.array([c for _, c in more], dtype=np.int64)]
    for k, pattern in enumerate(own):
        found = texts.matches(pattern, gap=patterns.gap, within=patterns.within)
        voted = np.unique(slot[found.slot])
        rows.append(voted)
        columns.append(np.full(len(voted), k))
    r, c = np.concatenate(rows), np.concatenate(columns)
    X = csr_matrix((np.ones(len(r)), (r, c)), shape=(len(number), len(own) + len(types)))
    return _Ballot(
        X=X,
        question=np.array([q for q, _ in number], dtype=np.int64),
        entity=tuple(e for _, e in number),
        pair=np.array(pair_of, dtype=np.int64),
        place=np.array(place_of, dtype=np.int64),
    )


def _fit(ballot: _Ballot, answers: Sequence[frozenset[str]], penalty: float) -> np.ndarray:
    """The weights of one category."""
    X, question = ballot.X, ballot.question
    width = X.shape[1]
    chosen = np.array(
        [e in answers[q] for q, e in zip(question.tolist(), ballot.entity, strict=True)], dtype=bool
    )
    starts = np.array([a for a, _ in _groups(question)], dtype=np.int64)
    if not chosen.any():
        return np.zeros(width)
    sizes = np.diff(np.append(starts, len(question)))
    count = np.repeat(np.add.reduceat(chosen.astype(np.float64), starts), sizes)
    share = chosen / np.maximum(count, 1)
    target = X.T @ share

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total = X @ w
        total = total - np.repeat(np.maximum.reduceat(total, starts), sizes)
        mass = np.exp(total)
        sums = np.repeat(np.add.reduceat(mass, starts), sizes)
        value = -float(share @ (total - np.log(sums))) + penalty / 2 * float(w @ w)
        gradient = X.T @ np.where(count > 0, mass / sums, 0.0) - target + penalty * w
        return value, gradient

    with single_blas_thread():
        found = minimize(
            loss, np.zeros(width), jac=True, method="L-BFGS-B", options={"maxiter": 200}
        )
    return np.asarray(found.x)


def _groups(question: np.ndarray) -> list[tuple[int, int]]:
    """Where each question's candidates begin and end."""
    if not len(question):
        return []
    starts = np.flatnonzero(np.diff(question, prepend=question[0] - 1))
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(question)], strict=True))
