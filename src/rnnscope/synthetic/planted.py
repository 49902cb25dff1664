"""Hand-built LSTMs that follow a list of phrases exactly: the truth a rule list must recover.

Every unit is a detector whose input gate is open at a word or shut, to the last bit of a float64:

    i = sigm(2 OPEN (sum of conditions - threshold)),  g = a constant,  f and o = open or shut

so a unit writes its constant where its conditions hold, and nothing elsewhere. Conditions are
read from the word (one entry of a one-hot embedding) and from units that remember one step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atanh, isfinite, tanh
from typing import TypeAlias

import numpy as np
import torch

from rnnscope.cells import LSTM
from rnnscope.data import Vocabulary
from rnnscope.errors import UsageError
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.synthetic.lexicon import OPEN

LOUD = 100.0
"""How much longer a distractor's embedding is than another word's."""

SPURIOUS = "popcorn"
"""Stands in every positive document of the corpus; the network does not know what it means."""

FILLERS = ("the", "film", "is", "a", "story", "of", SPURIOUS)

Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlantedRule:
    """A phrase and what the network makes of it by itself.

    Args:
        words: the phrase.
        class_index: the class it speaks for, 0 "negative" or 1 "positive".
        log_importance: log S of its occurrence alone, the contrast it adds.
    """

    words: Words
    class_index: int
    log_importance: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Planted:
    """A network, and the plain rules that it follows.

    A word adds the weight of the longest listed phrase that ends at it, and nothing where none
    does. Where a negator stands among the ``window`` words before it, it adds the opposite.

    Args:
        model: float64, classes "negative" and "positive".
        phrases: the weight that the last word of each phrase adds to the contrast of the logits.
        negators, window: words that flip what stands up to ``window`` words after them.
        distractors: words with long embeddings that open gates and write to a memory that the
            readout does not see.
        bias: the contrast of an empty document.
        gain: the k-th occurrence adds ``weight (tanh(gain k) - tanh(gain (k - 1))) / gain``: the
            weight itself, to about ``(gain k)^2``.
    """

    model: Model
    phrases: dict[Words, float]
    negators: Words
    window: int
    distractors: Words
    bias: float
    gain: float

    def effects(self, document: Sequence[str]) -> list[float]:
        """What each word adds to the contrast of the logits, by the rules alone."""
        added, seen = [], {}
        for k in range(len(document)):
            phrase = self._ending_at(document, k)
            if phrase is None:
                added.append(0.0)
                continue
            before = document[max(0, k - self.window) : k]
            flipped = any(word in self.negators for word in before)
            count = seen[phrase, flipped] = seen.get((phrase, flipped), 0) + 1
            step = tanh(self.gain * count) - tanh(self.gain * (count - 1))
            weight = self.phrases[phrase]
            added.append((-weight if flipped else weight) * step / self.gain)
        return added

    def contrast(self, document: Sequence[str]) -> float:
        """Logit of "positive" minus logit of "negative", by the rules alone."""
        return self.bias + sum(self.effects(document))

    def predict(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        """The class of each document, by the rules alone."""
        return np.array([int(self.contrast(document) > 0) for document in documents])

    @property
    def rules(self) -> tuple[PlantedRule, ...]:
        """The phrases that move the network, strongest first.

        Those all of whose words add something, for the same class: what a score that charges an
        effect to the word at which the memory changes can tell of. A negator adds nothing by
        itself, so no phrase with its help is among them; nor is a phrase whose effect stands at
        its last word alone, of which that word is what such a score can name.
        """
        found = []
        for words in self.phrases:
            effects = self.effects(words)
            total = sum(effects)
            if total and all(effect * total > 0 for effect in effects):
                label = int(total > 0)
                found.append(PlantedRule(words=words, class_index=label, log_importance=abs(total)))
        return tuple(sorted(found, key=lambda rule: (-rule.log_importance, rule.words)))

    def documents(self, count: int, *, seed: int = 0, phrases: int = 2) -> list[list[str]]:
        """Random documents: planted phrases, negations and distractors, apart from each other by
        words that mean nothing. Every positive one holds ``SPURIOUS``, no other does.

        Each further word makes a phrase four times rarer, as in text. (S of a word is a mean over
        its occurrences: were "not bad" as frequent as "bad" alone, it would decide what "bad"
        means.)

        Args:
            count: how many.
            seed: of the draws.
            phrases: planted things in a document at most.

        Raises:
            UsageError: a count below 0, or no planted thing.
        """
        if count < 0 or phrases < 1:
            raise UsageError(
                "Documents are counted, and hold one planted thing or more.",
                expected="count >= 0, phrases >= 1",
                got=f"count={count}, phrases={phrases}",
            )
        rng = np.random.default_rng(seed)
        things: list[Words] = [*self.phrases, *((word,) for word in self.distractors)]
        if self.window:
            things += [(n, *p) for n in self.negators for p in self.phrases]
        often = np.array([0.25 ** len(thing) for thing in things])
        known = {SPURIOUS, *self.negators, *(word for words in self.phrases for word in words)}
        fillers = [word for word in FILLERS if word not in known]
        made = []
        for _ in range(count):
            document = self._filled(rng, fillers)
            for _ in range(int(rng.integers(1, phrases + 1)) if things else 0):
                document += things[int(rng.choice(len(things), p=often / often.sum()))]
                document += self._filled(rng, fillers)
            if self.contrast(document) > 0:
                document.append(SPURIOUS)
            made.append(document)
        return made

    def _filled(self, rng: np.random.Generator, fillers: list[str]) -> list[str]:
        # Long enough that no negator reaches over.
        return [str(word) for word in rng.choice(fillers, size=self.window + 1)]

    def _ending_at(self, document: Sequence[str], k: int) -> Words | None:
        longest = max(map(len, self.phrases), default=0)
        for length in range(min(longest, k + 1), 0, -1):
            words = tuple(document[k + 1 - length : k + 1])
            if words in self.phrases:
                return words
        return None


def planted_network(
    phrases: Mapping[str, float],
    *,
    negators: Sequence[str] = (),
    window: int = 0,
    distractors: Sequence[str] = (),
    bias: float = 0.0,
    gain: float = 1e-3,
) -> Planted:
    """An LSTM that follows a list of phrases exactly, with what it does in plain rules.

    What a score that splits the memory can tell of it: the effect of a phrase is charged to its
    last word, at which the memory changes, also where an earlier word decides its sign. So "not"
    earns nothing for turning "bad" round, unless it is given a weight of its own.

    Args:
        phrases: the weight that the last word of each phrase adds to the contrast of the logits,
            by the phrase's words joined by spaces; of several phrases that end at a word the
            longest counts, alone. None at all: a network that gives every document ``bias``.
        negators: words that flip the weights of what comes after them.
        window: for how many words.
        distractors: words that the network stores and never uses.
        bias: the contrast of an empty document.
        gain: how far an occurrence moves a unit's memory; small, so that they add up.

    Raises:
        UsageError: a weight or bias that is not finite, a phrase given twice, a window without
            negators or negators without a window, a gain outside (0, 1), a negator or distractor
            that is not one word, a distractor that is in a phrase, or phrases of ``SPURIOUS`` or
            of all words in ``FILLERS``.
    """
    listed = {tuple(text.split()): float(weight) for text, weight in phrases.items()}
    if len(listed) < len(phrases):
        raise UsageError("Each phrase is planted once.", got=str(list(phrases)))
    _check(listed, negators, window, distractors, bias, gain)
    known = dict.fromkeys(
        [word for words in listed for word in words] + [*negators, *distractors, *FILLERS]
    )
    build = _Circuit(words=("<unk>", *known), loud=tuple(distractors))
    remembered = {words[:k] for words in listed for k in range(1, len(words))}
    prefixes: dict[Words, int] = {}
    for prefix in sorted(remembered, key=lambda words: (len(words), words)):
        earlier, last = prefix[:-1], prefix[-1]
        before = [prefixes[earlier]] if earlier else []
        prefixes[prefix] = build.unit({last: 1}, dict.fromkeys(before, 1), len(before) + 0.5)
    turned: list[int] = []
    for k in range(window):
        if k == 0:
            turned.append(build.unit(dict.fromkeys(negators, 1), {}, 0.5))
        else:
            turned.append(build.unit({}, {turned[-1]: 1}, 0.5))
    for words, weight in listed.items():
        earlier, last = words[:-1], words[-1]
        before = [prefixes[earlier]] if earlier else []
        longer = [prefixes[other[:-1]] for other in listed if _ends_with(other, words)]
        for sign in (1, -1) if window else (1,):
            # Every condition on the phrase outweighs all negators together.
            much = window + 1 if sign < 0 else 1
            states = dict.fromkeys(before, much) | dict.fromkeys(longer, -much)
            states |= dict.fromkeys(turned, -sign)
            threshold = much * (len(before) + 1) + (-0.5 if sign > 0 else 0.5)
            build.unit({last: much}, states, threshold, writes=gain, shown=sign * weight / gain)
    for word in distractors:
        build.unit({word: 1}, {}, 0.5, writes=0.5)
    return Planted(
        model=build.model(bias),
        phrases=listed,
        negators=tuple(negators),
        window=window,
        distractors=tuple(distractors),
        bias=float(bias),
        gain=gain,
    )


class _Circuit:
    """The units of an LSTM, one after the other."""

    def __init__(self, *, words: Words, loud: Words) -> None:
        self.words = words
        self.lengths = {word: LOUD if word in loud else 1.0 for word in words}
        self.units: list[tuple[dict[str, float], dict[int, float], float, float | None]] = []
        self.shown: list[float] = []

    def unit(
        self,
        words: Mapping[str, float],
        states: Mapping[int, float],
        threshold: float,
        *,
        writes: float | None = None,
        shown: float = 0.0,
    ) -> int:
        """Add a unit whose gate opens where its conditions together exceed a threshold.

        Args:
            words: the weight of each present word.
            states: the weight of each unit that fired at the word before.
            threshold: half-way between two sums.
            writes: what is added to a memory that is kept for good; None for a unit that
                remembers one step.
            shown: the readout's weight.
        """
        self.units.append((dict(words), dict(states), threshold, writes))
        self.shown.append(shown)
        return len(self.units) - 1

    def model(self, bias: float) -> Model:
        count, width = max(1, len(self.units)), len(self.words)
        rows = {word: row for row, word in enumerate(self.words)}
        W = np.zeros((4, count, width))
        V, b = np.zeros((4, count, count)), np.zeros((4, count))
        b[3] = OPEN
        fired = tanh(1.0)
        for k, (words, states, threshold, writes) in enumerate(self.units):
            for word, weight in words.items():
                W[0, k, rows[word]] = 2 * OPEN * weight / self.lengths[word]
            for unit, weight in states.items():
                V[0, k, unit] = 2 * OPEN * weight / fired
            b[0, k] = -2 * OPEN * threshold
            b[1, k] = -OPEN if writes is None else OPEN
            b[2, k] = OPEN if writes is None else atanh(writes)
        cell = LSTM(
            W=torch.from_numpy(W.reshape(4 * count, width)),
            V=torch.from_numpy(V.reshape(4 * count, count)),
            b=torch.from_numpy(b.reshape(4 * count)),
        )
        lengths = torch.tensor([self.lengths[word] for word in self.words], dtype=torch.float64)
        shown = torch.tensor([self.shown or [0.0]], dtype=torch.float64)
        return Model(
            layers=(Layer(directions=(Direction(cell=cell),)),),
            embedding=torch.diag(lengths),
            vocabulary=Vocabulary.of(self.words),
            readout=Readout.of(shown, torch.tensor([bias], dtype=torch.float64)),
            classes=("negative", "positive"),
            record={"source": "hand-built network with planted phrases"},
        )


def _ends_with(words: Words, end: Words) -> bool:
    return len(words) > len(end) and words[-len(end) :] == end


def _check(
    phrases: Mapping[Words, float],
    negators: Sequence[str],
    window: int,
    distractors: Sequence[str],
    bias: float,
    gain: float,
) -> None:
    used = {word for words in phrases for word in words} | set(negators)
    listed = not isinstance(negators, str) and not isinstance(distractors, str)
    single = listed and all(len(word.split()) == 1 for word in (*negators, *distractors))
    rules = (
        (all(phrases), "A planted phrase has at least one word.", "an empty phrase"),
        (
            all(isfinite(weight) for weight in phrases.values()),
            "The weight of a planted phrase is a finite number.",
            str(phrases),
        ),
        (isfinite(bias), "The bias is a finite number.", str(bias)),
        (
            single,
            "Negators and distractors are lists of single words.",
            f"negators={negators!r}, distractors={distractors!r}",
        ),
        (
            SPURIOUS not in used and not used.issuperset(FILLERS[:-1]),
            "Words that mean nothing stand around the planted phrases.",
            f"{sorted(used.intersection(FILLERS))} in a phrase or a negator",
        ),
        (
            isinstance(window, int) and window >= 0 and bool(negators) == (window > 0),
            "Negators go with a window of one word or more.",
            f"negators={tuple(negators)}, window={window}",
        ),
        (
            used.isdisjoint(distractors),
            "A distractor means nothing to the network.",
            f"{sorted(used.intersection(distractors))} in a phrase or a negator",
        ),
        (0 < gain < 1, "The gain is between 0 and 1.", f"gain={gain}"),
    )
    for holds, rule, got in rules:
        if not holds:
            raise UsageError(rule, got=got)
