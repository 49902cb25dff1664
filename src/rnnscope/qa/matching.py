"""Where patterns match: all documents at once, word by word.

The positions at which the first k words of a pattern can end follow from those of the first k - 1:
a position of word k is one of them where the nearest such position before it is near enough. Only
the nearest matters, so the result is exact, and patterns that begin alike share the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rnnscope.qa.entities import is_number
from rnnscope.qa.pattern import ANSWER, ANYTHING, END, START, Pattern, slot_kind
from rnnscope.qa.reading import ENTITY, NUMBER, Reading


@dataclass(frozen=True, kw_only=True, eq=False)
class Matches:
    """All matches of a pattern that give an answer, by rising last word.

    Args:
        pair: (matches,), the pair's index in the reading.
        place: (matches,), the answer's word.
        first, last: (matches,), the pattern's first and last word; -1 and the document's length
            are its ends.
        slot: (matches,), the answer's number among the candidates of the texts.
    """

    pair: np.ndarray
    place: np.ndarray
    first: np.ndarray
    last: np.ndarray
    slot: np.ndarray


_State = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Positions at which a beginning can end, its first word's, and its answer's or -1."""


@dataclass(kw_only=True, eq=False)
class Texts:
    """The documents of some pairs, laid end to end, ready to be matched.

    Args:
        reading: where they are from.
        pairs: (P,), which pairs.
        ids: (N,), a number for each word, the ends of documents being words too.
        owner: (N,), which of the P it belongs to.
        begin: (P,), where each begins, its ``<start>``.
        candidates, entities, numbers: rising positions.
    """

    reading: Reading
    pairs: np.ndarray
    ids: np.ndarray
    owner: np.ndarray
    begin: np.ndarray
    candidates: np.ndarray
    entities: np.ndarray
    numbers: np.ndarray
    _number: dict[str, int]
    _order: np.ndarray
    _bounds: np.ndarray
    _kinds: dict[str, np.ndarray] = field(default_factory=dict)
    _states: dict[tuple[tuple[str, ...], int], _State] = field(default_factory=dict)

    @classmethod
    def of(cls, reading: Reading, pairs: Sequence[int] | np.ndarray) -> Texts:
        """Lay out the documents of some pairs."""
        chosen = np.asarray(pairs, dtype=np.int64)
        number: dict[str, int] = {}
        flat: list[int] = []
        begin = np.zeros(len(chosen), dtype=np.int64)
        candidates: list[np.ndarray] = [np.zeros(0, dtype=np.int64)]
        for k, pair in enumerate(chosen.tolist()):
            begin[k] = len(flat)
            candidates.append(reading.places[pair] + (len(flat) + 1))
            words = (START, *reading.words[pair], END)
            flat += [number.setdefault(word, len(number)) for word in words]
        ids = np.array(flat, dtype=np.int64)
        lengths = np.diff(np.append(begin, len(flat)))
        known = reading.corpus.entities
        is_entity = np.array([word in known for word in number], dtype=bool)
        is_count = np.array([is_number(word) for word in number], dtype=bool)
        return cls(
            reading=reading,
            pairs=chosen,
            ids=ids,
            owner=np.repeat(np.arange(len(chosen)), lengths),
            begin=begin,
            candidates=np.concatenate(candidates),
            entities=np.flatnonzero(is_entity[ids]) if len(ids) else ids,
            numbers=np.flatnonzero(is_count[ids]) if len(ids) else ids,
            _number=number,
            _order=np.argsort(ids, kind="stable"),
            _bounds=np.searchsorted(np.sort(ids), np.arange(len(number) + 1)),
        )

    def positions(self, word: str) -> np.ndarray:
        """Rising positions of a word of a pattern."""
        if word == ANSWER:
            return self.candidates
        kind = slot_kind(word)
        if kind is not None:
            if kind not in self._kinds:
                self._kinds[kind] = self._of_kind(kind)
            return self._kinds[kind]
        if word == ENTITY:
            return self.entities
        if word == NUMBER:
            return self.numbers
        k = self._number.get(word)
        if k is None:
            return np.zeros(0, dtype=np.int64)
        return self._order[self._bounds[k] : self._bounds[k + 1]]

    def _of_kind(self, kind: str) -> np.ndarray:
        """The candidates of a type."""
        known = self.reading.corpus.entities
        right = np.array(
            [("number" if is_number(w) else known.get(w, "")) == kind for w in self._number],
            dtype=bool,
        )
        return self.candidates[right[self.ids[self.candidates]]]

    def matches(self, pattern: Pattern, *, gap: int, within: int) -> Matches:
        """All matches of a pattern.

        Args:
            pattern: what to match.
            gap: words between two of its words, at most; 0 for words next to each other.
            within: how far after its last word the answer may stand, where it names none.
        """
        last, first, answer = self._state(pattern.words, gap)
        if pattern.slot is None:
            k = np.searchsorted(self.candidates, last)
            inside = k < len(self.candidates)
            last, first, k = last[inside], first[inside], k[inside]
            answer = self.candidates[k]
            near = (answer - last <= within) & (self.owner[answer] == self.owner[last])
            last, first, answer = last[near], first[near], answer[near]
        owner = self.owner[answer]
        begin = self.begin[owner] + 1
        return Matches(
            pair=self.pairs[owner],
            place=answer - begin,
            first=first - begin,
            last=last - begin,
            slot=np.searchsorted(self.candidates, answer),
        )

    def _state(self, words: tuple[str, ...], gap: int) -> _State:
        key = words, gap
        if key not in self._states:
            here = self.positions(words[-1])
            answers = here if slot_kind(words[-1]) is not None else np.full(len(here), -1)
            if len(words) == 1:
                self._states[key] = here, here, answers
                return self._states[key]
            anywhere = words[-2] == ANYTHING
            last, first, answer = self._state(words[: -2 if anywhere else -1], gap)
            k = np.searchsorted(last, here) - 1
            fits = k >= 0
            here, k, answers = here[fits], k[fits], answers[fits]
            fits = self.owner[last[k]] == self.owner[here]
            if not anywhere:
                fits &= here - last[k] <= gap + 1
            here, k, answers = here[fits], k[fits], answers[fits]
            self._states[key] = here, first[k], np.maximum(answers, answer[k])
        return self._states[key]


def one_per_question(
    reading: Reading, found: Matches, *, last: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Of each question with a match, the match in its first document with one: the first there,
    or the last.

    Returns:
        the questions, rising, and the indices of the matches.
    """
    order = np.arange(len(found.pair))
    if last:
        order = order[::-1]
    order = order[np.argsort(found.pair[order], kind="stable")]
    questions, where = np.unique(reading.question[found.pair[order]], return_index=True)
    return questions, order[where]
