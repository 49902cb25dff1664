"""What an exported Python file does with its patterns.

``PatternList.export`` writes the patterns, the categories, and this from the line ``COPIED`` on,
which may therefore use nothing but Python itself.
"""

from __future__ import annotations

CATEGORIES: dict[str, dict[str, float]] = {"": {}}
GAP, WITHIN, OCCURRENCE = 0, 5, "first"
PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = ()

COPIED = "# Matching: of the question's category, the first pattern that matches answers."
# Matching: of the question's category, the first pattern that matches answers.

import json  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterable, Mapping  # noqa: E402

_NUMBER = re.compile(r"[+-]?\d+(?:[.,:]\d+)*")
_State = list[tuple[int, int, int]]


def _words(text: str | Iterable[str]) -> list[str]:
    words = text.split() if isinstance(text, str) else list(text)
    if all(isinstance(word, str) for word in words):
        return words
    raise TypeError("A question or document is a text, or a sequence of words.")


def category(question: str | Iterable[str]) -> str:
    """The category of a question, by its words and pairs of words."""
    words = _words(question)
    pairs = zip(["<start>", *words], [*words, "<end>"], strict=True)
    parts = [*words, *(f"{a} {b}" for a, b in pairs)]
    best, most = "", float("-inf")
    for name, weights in CATEGORIES.items():
        total = weights.get("", 0.0) + sum((weights.get(part, 0.0) for part in parts), 0.0)
        if total > most:
            best, most = name, total
    return best


def explain(
    question: str | Iterable[str],
    documents: Iterable[str | Iterable[str]],
    entities: Mapping[str, str] | Iterable[str],
    candidates: Iterable[str] | None = None,
) -> dict[str, object]:
    """The answer to a question, the pattern that gave it and where it matched.

    Texts are cut at blanks, so that an entity is one word; ``entities`` are all that are known,
    with their types where patterns ask for types; ``candidates`` are those that may be answers.
    """
    asked, texts = _words(question), [_words(document) for document in documents]
    if isinstance(entities, str) or isinstance(candidates, str):
        raise TypeError("Entities and candidates are several.")
    known = dict(entities) if isinstance(entities, Mapping) else dict.fromkeys(entities, "")
    inside = {word for text in texts for word in text}
    named = [word for word in dict.fromkeys(asked) if word in known and word in inside]
    stands = {word: f"<asked{min(k, 2) + 1}>" for k, word in enumerate(named)}
    allowed = set(known if candidates is None else candidates) - set(named)
    kind = category([stands.get(word, word) for word in asked])
    read = [
        _Text([stands.get(w, w) for w in t], text=t, known=known, allowed=allowed) for t in texts
    ]
    for rank, (of, words) in enumerate(PATTERNS):
        if of != kind:
            continue
        for number, text in enumerate(read):
            found = text.matches(words)
            if found:
                first, last, place = found[0 if OCCURRENCE == "first" else -1]
                return {
                    "answer": texts[number][place],
                    "category": kind,
                    "pattern": " ".join(words),
                    "rank": rank,
                    "document": number,
                    "first": first,
                    "last": last,
                    "place": place,
                }
    return {"answer": "", "category": kind, "pattern": None, "rank": -1}


def answer(
    question: str | Iterable[str],
    documents: Iterable[str | Iterable[str]],
    entities: Mapping[str, str] | Iterable[str],
    candidates: Iterable[str] | None = None,
) -> str:
    """The answer to a question; "" where no pattern matches. Arguments as of ``explain``."""
    return str(explain(question, documents, entities, candidates)["answer"])


class _Text:
    """A document as patterns read it, with its ends."""

    def __init__(
        self, words: list[str], *, text: list[str], known: Mapping[str, str], allowed: set[str]
    ) -> None:
        self.words = ["<start>", *words, "<end>"]
        self.known = known
        self.candidates = [k for k, word in enumerate(text, 1) if word in allowed]
        self.states: dict[tuple[str, ...], _State] = {}

    def matches(self, words: tuple[str, ...]) -> list[tuple[int, int, int]]:
        """First word, last word and answer of every match, by rising last word."""
        found = self._state(words)
        if not any(_kind(word) is not None for word in words):
            found = [(last, first, self._after(last)) for last, first, _ in found]
            found = [one for one in found if one[2] >= 0 and one[2] - one[0] <= WITHIN]
        return [(first - 1, last - 1, place - 1) for last, first, place in found]

    def _after(self, last: int) -> int:
        return next((place for place in self.candidates if place >= last), -1)

    def _positions(self, word: str) -> list[int]:
        kind = _kind(word)
        if kind == "":
            return self.candidates
        if kind is not None:
            return [k for k in self.candidates if self._type(self.words[k]) == kind]
        if word == "<entity>":
            return [k for k, w in enumerate(self.words) if w in self.known]
        if word == "<number>":
            return [k for k, w in enumerate(self.words) if _NUMBER.fullmatch(w)]
        return [k for k, w in enumerate(self.words) if w == word]

    def _type(self, word: str) -> str:
        return "number" if _NUMBER.fullmatch(word) else self.known.get(word, "")

    def _state(self, words: tuple[str, ...]) -> _State:
        """Where the words can end, with their first word's place and their answer's, or -1."""
        if words in self.states:
            return self.states[words]
        here = self._positions(words[-1])
        slot = _kind(words[-1]) is not None
        if len(words) == 1:
            found = [(k, k, k if slot else -1) for k in here]
        else:
            anywhere = words[-2] == "..."
            before = self._state(words[: -2 if anywhere else -1])
            found, next_one = [], 0
            for k in here:
                while next_one < len(before) and before[next_one][0] < k:
                    next_one += 1
                if not next_one:
                    continue
                # The nearest end before it decides whether it is near enough.
                last, first, place = before[next_one - 1]
                if anywhere or k - last <= GAP + 1:
                    found.append((k, first, max(k if slot else -1, place)))
        self.states[words] = found
        return found


def _kind(word: str) -> str | None:
    if word == "<answer>":
        return ""
    return word[8:-1] if word.startswith("<answer:") and word.endswith(">") else None


def main() -> int:
    """Answers questions from standard input: one JSON object a line, named as of ``explain``."""
    for line in sys.stdin:
        if line.strip():
            sys.stdout.write(json.dumps(explain(**json.loads(line))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
