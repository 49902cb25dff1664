"""Trees with a label on every phrase, as in the Stanford Sentiment Treebank (Socher et al. 2013).

"(3 (2 It) (4 (2 's) (4 great)))": a label, then a word or further trees. Parentheses in the text
are written -LRB- and -RRB-, slashes and stars with a backslash before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rnnscope.errors import DataError

ESCAPES = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}

_PART = re.compile(r"\(|\)|[^\s()]+")


class Span(NamedTuple):
    """The words ``start`` to ``stop - 1`` of a sentence, and what the phrase was labelled."""

    start: int
    stop: int
    label: int


class TreePhrase(NamedTuple):
    """A phrase of one of many sentences."""

    sentence: int
    start: int
    stop: int
    label: int

    @property
    def length(self) -> int:
        """Its words."""
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One sentence.

    Args:
        words: in order, escapes undone.
        spans: every labelled phrase, words too, each after its parts; the whole sentence last.
    """

    words: tuple[str, ...]
    spans: tuple[Span, ...]

    @property
    def label(self) -> int:
        """The whole sentence's."""
        return self.spans[-1].label


def read_tree(text: str) -> Tree:
    """Read one tree.

    Raises:
        DataError: the text is no tree with a whole number at every node; the message says where.
    """
    words: list[str] = []
    spans: list[Span] = []
    open_nodes: list[tuple[int, int]] = []
    wants_label = ended = False
    for part in _PART.finditer(text):
        token, at = part.group(), part.start()
        if ended:
            raise _fault("text after its end", text, at)
        if wants_label:
            if not token.lstrip("-").isdecimal():
                raise _fault("no whole number after '('", text, at)
            open_nodes.append((len(words), int(token)))
            wants_label = False
        elif token == "(":
            wants_label = True
        elif not open_nodes:
            raise _fault(f"{token!r} outside of any parentheses", text, at)
        elif token == ")":
            start, label = open_nodes.pop()
            if start == len(words):
                raise _fault("a phrase without words", text, at)
            spans.append(Span(start, len(words), label))
            ended = not open_nodes
        else:
            words.append(_unescaped(token))
    if not ended:
        raise _fault("parentheses that are not closed", text, len(text))
    return Tree(words=tuple(words), spans=tuple(spans))


def tree_phrases(
    trees: Iterable[Tree], *, whole_sentences: bool = False, single_words: bool = True
) -> list[TreePhrase]:
    """Every labelled phrase of many sentences.

    Args:
        trees: the sentences.
        whole_sentences: also the sentence itself, on whose label a network may have been trained.
        single_words: also phrases of one word.
    """
    return [
        TreePhrase(row, *span)
        for row, tree in enumerate(trees)
        for span in tree.spans
        if (whole_sentences or span.stop - span.start < len(tree.words))
        and (single_words or span.stop - span.start > 1)
    ]


def sentences(trees: Sequence[Tree]) -> list[list[str]]:
    """The words of each sentence."""
    return [list(tree.words) for tree in trees]


def _unescaped(token: str) -> str:
    return ESCAPES.get(token, token.replace("\\/", "/").replace("\\*", "*"))


def _fault(what: str, text: str, at: int) -> DataError:
    return DataError(
        "A tree is a label and a word, or a label and further trees, in parentheses.",
        expected="(3 (2 It) (4 works))",
        got=f"{what}, at character {at} of {text[:60]!r}",
    )
