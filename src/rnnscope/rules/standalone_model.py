"""What an exported Python file does with a phrase model.

``phrase_model_file`` writes the model, the tokenizer's source, this one from the line ``COPIED``
on, and the two functions of ``standalone`` that read documents; it may use nothing but Python
itself.
"""

from __future__ import annotations

from rnnscope.rules.standalone import _words

CLASSES: tuple[str, ...] = ("",)
BIAS: tuple[float, ...] = (0.0,)
PHRASES: tuple[tuple[tuple[str, ...], tuple[float, ...]], ...] = ()

COPIED = "# The weights of all occurrences add up."
# The weights of all occurrences add up.

import json  # noqa: E402, F401
import sys  # noqa: E402, F401
from collections import Counter  # noqa: E402
from collections.abc import Iterable  # noqa: E402


def _index() -> tuple[dict[tuple[str, ...], int], dict[str, set[int]]]:
    numbers: dict[tuple[str, ...], int] = {}
    starts: dict[str, set[int]] = {}
    for number, (phrase, _) in enumerate(PHRASES):
        numbers[phrase] = number
        starts.setdefault(phrase[0], set()).add(len(phrase))
    return numbers, starts


# The number of each phrase; for each first word the lengths of its phrases.
_NUMBERS, _STARTS = _index()


def _occurrences(words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Every occurrence of a phrase as its number and its position, in order."""
    return sorted(
        (number, position)
        for position, word in enumerate(words)
        for length in _STARTS.get(word, ())
        # What is left of the document may be shorter, and another phrase.
        if position + length <= len(words)
        and (number := _NUMBERS.get(words[position : position + length])) is not None
    )


def _logits(found: list[tuple[int, int]]) -> list[float]:
    """The evidence for each class, added in the order of the phrases, the bias last."""
    sums = [0.0] * len(CLASSES)
    for number, times in Counter(number for number, _ in found).items():
        for k, weight in enumerate(PHRASES[number][1]):
            sums[k] += times * weight
    return [total + bias for total, bias in zip(sums, BIAS, strict=True)]


def _best(logits: list[float]) -> str:
    """The class of the most evidence; of equals the first."""
    return CLASSES[logits.index(max(logits))]


def predict(document: str | Iterable[str]) -> str:
    """The name of the class of a text, or of a sequence of words."""
    return _best(_logits(_occurrences(_words(document))))


def explain(document: str | Iterable[str]) -> dict[str, object]:
    """The class, the evidence for each, and every phrase that adds to it, the most telling first.

    A phrase comes with its position, from 0, and its weight for each class.
    """
    found = _occurrences(_words(document))
    logits = _logits(found)

    def telling(occurrence: tuple[int, int]) -> tuple[float, int]:
        weights = PHRASES[occurrence[0]][1]
        return min(weights) - max(weights), occurrence[1]

    return {
        "class": _best(logits),
        "logits": dict(zip(CLASSES, logits, strict=True)),
        "phrases": [
            {
                "phrase": list(PHRASES[number][0]),
                "position": position,
                "weights": dict(zip(CLASSES, PHRASES[number][1], strict=True)),
            }
            for number, position in sorted(found, key=telling)
        ],
    }
