"""Words and the rows of the embedding they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from rnnscope.errors import DataError, UsageError

__all__ = ["Vocabulary"]

_UNKNOWN = ("<unk>", "[UNK]", "<UNK>", "<oov>", "<OOV>", "UNK", "unk")
_PADDING = ("<pad>", "[PAD]", "<PAD>", "PAD", "pad")
_TOKENIZERS = ("words", "custom")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A fixed list of words: word k is row k of the embedding.

    Attributes:
        words: the V words, all different.
        unknown: the word that stands for every word that is not listed, or None.
        padding: the word that fills short sequences up, or None.
        tokenizer: "words" where texts are split by `tokenize`, "custom" where the user's own
            tokenizer made the words.

    Raises:
        DataError: no words, a word that is not a string, or one that stands twice.
        UsageError: `unknown` or `padding` is not among the words, or no such tokenizer.
    """

    words: tuple[str, ...]
    unknown: str | None = None
    padding: str | None = None
    tokenizer: str = "words"

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        if not self.words:
            raise DataError("A vocabulary needs at least one word.", got="an empty list")
        for row, word in enumerate(self.words):
            if not isinstance(word, str):
                raise DataError(
                    "Every word of a vocabulary is a string.",
                    got=f"{word!r} ({type(word).__name__}) at row {row}",
                )
        if len(self._rows) != len(self.words):
            first: dict[str, int] = {}
            for row, word in enumerate(self.words):
                if word in first:
                    raise DataError(
                        "Every word stands once in a vocabulary.",
                        got=f"{word!r} at row {first[word]} and again at row {row}",
                        fix="Remove one of the two rows, from the embedding as well.",
                    )
                first[word] = row
        for role, word in (("unknown", self.unknown), ("padding", self.padding)):
            if word is not None and word not in self._rows:
                raise UsageError(
                    f"The {role} word stands in the vocabulary.", got=f"{word!r}, not listed"
                )
        if self.tokenizer not in _TOKENIZERS:
            raise UsageError(
                "A vocabulary names the tokenizer that made its words.",
                expected=" or ".join(map(repr, _TOKENIZERS)),
                got=repr(self.tokenizer),
            )

    @classmethod
    def build(
        cls,
        documents: Iterable[Sequence[str]],
        *,
        min_count: int = 2,
        max_size: int | None = None,
        unknown: str | None = "<unk>",
        padding: str | None = "<pad>",
        tokenizer: str = "words",
    ) -> Vocabulary:
        """Count the words of `documents` and list the frequent ones.

        The order is: padding, unknown, then by falling count, equal counts by the word itself.

        Args:
            documents: token sequences, such as a `Corpus`.
            min_count: rarer words are left out.
            max_size: at most so many words, padding and unknown included; None for no limit.
            unknown: the word for everything left out; None for none.
            padding: the word that fills sequences up; None for none.
            tokenizer: "words" or "custom", recorded.

        Raises:
            UsageError: `min_count` or `max_size` is too small.
            DataError: no word is left, or a token is not a string.
        """
        special = [word for word in (padding, unknown) if word is not None]
        if min_count < 1 or (max_size is not None and max_size <= len(special)):
            raise UsageError(
                "A vocabulary must have room for words.",
                expected=f"min_count >= 1 and max_size > {len(special)}",
                got=f"min_count={min_count}, max_size={max_size}",
            )
        counts: Counter[str] = Counter()
        for document in documents:
            counts.update(document)
        for word in special:
            counts.pop(word, None)
        kept = [word for word, count in counts.items() if count >= min_count]
        for word in kept:
            if not isinstance(word, str):
                raise DataError(
                    "Documents are sequences of strings.",
                    got=f"the token {word!r} ({type(word).__name__})",
                )
        if not kept:
            raise DataError(
                "A vocabulary needs at least one word.",
                got=f"no word that occurs {min_count} times or more",
                fix="Lower min_count, or pass more documents.",
            )
        kept.sort(key=lambda word: (-counts[word], word))
        words = (*special, *kept)[:max_size]
        return cls(words=words, unknown=unknown, padding=padding, tokenizer=tokenizer)

    @classmethod
    def of(
        cls,
        words: Vocabulary | Mapping[str, int] | Sequence[str],
        *,
        tokenizer: str = "words",
    ) -> Vocabulary:
        """A vocabulary from a list of words, a word -> row mapping, or a vocabulary (as it is).

        The unknown and the padding word are recognised by their usual spellings, such as `<unk>`
        and `[PAD]`; the bare spellings `unk`, `UNK`, `pad` and `PAD` count at row 0 or 1 only,
        because elsewhere they are more likely to be words.

        Raises:
            DataError: a mapping that is not one-to-one onto 0..V-1, or repeated words.
            UsageError: something that is neither list, tuple, mapping nor vocabulary.
        """
        if isinstance(words, Vocabulary):
            return words
        if isinstance(words, Mapping):
            listed = _by_row(words)
        elif isinstance(words, Sequence) and not isinstance(words, str | bytes):
            listed = tuple(words)
        else:
            raise UsageError(
                "A vocabulary is given as words in the order of the embedding's rows.",
                expected="a list or tuple of strings, or a dict from word to row",
                got=type(words).__name__,
            )
        return cls(
            words=listed,
            unknown=_recognise(listed, _UNKNOWN),
            padding=_recognise(listed, _PADDING),
            tokenizer=tokenizer,
        )

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def knows(self, word: str) -> bool:
        """Whether `word` has a row of its own that stands for it: not the unknown or padding."""
        return word in self._rows and word not in (self.unknown, self.padding)

    def index(self, word: str) -> int:
        """The row of `word`, or that of the unknown word; DataError where there is neither."""
        return int(self.encode([word])[0])

    def encode(self, tokens: Sequence[str]) -> np.ndarray:
        """The rows of `tokens`: int64, shape (T,).

        Raises:
            DataError: a token that is no string, or one that is not listed where the vocabulary
                has no unknown word; the message names its position, counted from 0.
        """
        if isinstance(tokens, str):
            raise DataError("Words are encoded from a sequence of tokens.", got="one string")
        if not isinstance(tokens, Sequence | np.ndarray) or getattr(tokens, "ndim", 1) == 0:
            raise DataError(
                "Words are encoded from a sequence of tokens.", got=type(tokens).__name__
            )
        rows, fallback = self._rows, self._rows.get(cast(str, self.unknown))
        found = [rows.get(token, fallback) if isinstance(token, str) else None for token in tokens]
        if None in found:
            self._refuse(found.index(None), tokens[found.index(None)])
        return np.array(found, dtype=np.int64)

    def _refuse(self, position: int, token: object) -> None:
        if not isinstance(token, str):
            raise DataError(
                "Tokens are strings.",
                got=f"{token!r} ({type(token).__name__}) at position {position}",
            )
        raise DataError(
            "This vocabulary has no word for unknown words.",
            expected=f"one of its {len(self)} words",
            got=f"{token!r} at position {position}",
            fix="Name an unknown word of the vocabulary, or leave this word out.",
        )

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words of the rows `ids`; DataError names the position of a row that is not there."""
        words: list[str] = []
        for position, row in enumerate(ids):
            if not 0 <= row < len(self.words):
                raise DataError(
                    "Rows count from 0 to the size of the vocabulary less one.",
                    expected=f"0..{len(self) - 1}",
                    got=f"{row} at position {position}",
                )
            words.append(self.words[row])
        return words

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary as JSON-safe values; `from_dict` reads them back."""
        return {
            "words": list(self.words),
            "unknown": self.unknown,
            "padding": self.padding,
            "tokenizer": self.tokenizer,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_dict` wrote; DataError where `words` is missing."""
        if not isinstance(values.get("words"), list | tuple):
            raise DataError("A saved vocabulary has a list of words.", got=f"{sorted(values)}")
        return cls(
            words=tuple(values["words"]),
            unknown=values.get("unknown"),
            padding=values.get("padding"),
            tokenizer=values.get("tokenizer", "words"),
        )

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}


def _by_row(rows: Mapping[str, int]) -> tuple[str, ...]:
    holder: dict[int, str] = {}
    for word, row in rows.items():
        if isinstance(row, bool) or not isinstance(row, int | np.integer):
            raise DataError("A word maps to a row number.", got=f"{word!r}: {row!r}")
        if int(row) in holder:
            raise DataError(
                "Every row belongs to one word.",
                got=f"row {row} for both {holder[int(row)]!r} and {word!r}",
            )
        holder[int(row)] = word
    missing = next((row for row in range(len(holder)) if row not in holder), None)
    if missing is not None:
        raise DataError(
            "The rows of a word -> row mapping run from 0 without a gap.",
            expected=f"the rows 0..{len(holder) - 1}",
            got=f"no word for row {missing}",
        )
    return tuple(holder[row] for row in range(len(holder)))


def _recognise(words: tuple[str, ...], spellings: tuple[str, ...]) -> str | None:
    for spelling in spellings:
        place = words if spelling[0] in "<[" else words[:2]
        if spelling in place:
            return spelling
    return None
