"""What an exported Python file does with its rules.

``export`` writes the rules, the tokenizer's source, and this one from the line ``COPIED`` on, which
may therefore use nothing but Python itself.
"""

from __future__ import annotations

from rnnscope.data.tokenizer import tokenize

CLASSES: tuple[str, ...] = ("",)
DEFAULT = 0
TOKENIZER = "words"
RULES: tuple[tuple[tuple[str, ...], int], ...] = ()

COPIED = "# Matching: the first phrase that occurs decides."
# Matching: the first phrase that occurs decides.

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterable  # noqa: E402


def _index() -> tuple[dict[tuple[str, ...], int], dict[str, tuple[int, set[int]]]]:
    ranks: dict[tuple[str, ...], int] = {}
    starts: dict[str, tuple[int, set[int]]] = {}
    for rank, (phrase, _) in enumerate(RULES):
        ranks[phrase] = rank
        starts.setdefault(phrase[0], (rank, set()))[1].add(len(phrase))
    return ranks, starts


# The rank of each phrase; for each first word the lowest rank and the lengths of its phrases.
_RANKS, _STARTS = _index()
_NO_START: tuple[int, set[int]] = (len(RULES), set())


def _words(document: str | Iterable[str]) -> tuple[str, ...]:
    if not isinstance(document, str):
        words = tuple(document)
        if all(isinstance(word, str) for word in words):
            return words
        raise TypeError("A document is a text or a sequence of words.")
    if TOKENIZER != "words":
        raise TypeError("These rules were mined with a tokenizer that is not stored: give words.")
    return tuple(tokenize(document))


def _first(words: tuple[str, ...]) -> tuple[int, int]:
    """The lowest rank that occurs and the first position where it does; (-1, -1) if none."""
    best, where = len(RULES), -1
    for position, word in enumerate(words):
        lowest, lengths = _STARTS.get(word, _NO_START)
        if lowest < best:
            for length in lengths:
                rank = _RANKS.get(words[position : position + length], best)
                if rank < best:
                    best, where = rank, position
    return (best, where) if where >= 0 else (-1, -1)


def predict(document: str | Iterable[str]) -> str:
    """The name of the class of a text, or of a sequence of words."""
    rank, _ = _first(_words(document))
    return CLASSES[DEFAULT if rank < 0 else RULES[rank][1]]


def explain(document: str | Iterable[str]) -> dict[str, object]:
    """Which rule decided, and where: class, phrase, rank and position, both from 0.

    Where no phrase occurs and the default is given, the phrase is None, the others -1.
    """
    rank, position = _first(_words(document))
    phrase, label = RULES[rank] if rank >= 0 else (None, DEFAULT)
    return {
        "class": CLASSES[label],
        "phrase": None if phrase is None else list(phrase),
        "rank": rank,
        "position": position,
    }


def main() -> None:
    """Read texts from standard input, one a line; write the class of each, or why it is that."""
    reasons = sys.argv[1:] == ["--explain"]
    if sys.argv[1:] and not reasons:
        sys.exit(f"usage: python {sys.argv[0]} [--explain] < texts, one a line")
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if reasons:
            shown = json.dumps(explain(text))
        else:
            name = predict(text)
            shown = name if name.isprintable() else ascii(name)
        sys.stdout.buffer.write(shown.encode("utf-8") + b"\n")


if __name__ == "__main__":
    main()
