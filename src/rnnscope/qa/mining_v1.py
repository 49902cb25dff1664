"""Patterns with gaps, as in the first version of Murdoch & Szlam (2017).

Of each question with an answer at word t, the important words up to t in the forward direction,
i_1 < ... < i_r, give

    answer-based   every suffix i_j .. i_r
    contextual     where i_r = t, every suffix i_j .. i_{r-1} too
    location       "beginning of document", where the answer is the first word and important

and those found in enough questions make a forest, in which a pattern's child has one word more in
front. Trees come by the count of the root over the count of its word in all documents; in a tree
the children come before their parent, by count over the count of their first word.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from rnnscope.qa.options import PatternOptions
from rnnscope.qa.pattern import START, Pattern
from rnnscope.qa.reading import Reading
from rnnscope.qa.scores import AnswerScores

Words = tuple[str, ...]


def important(scores: AnswerScores, options: PatternOptions) -> np.ndarray:
    """(words,), which words are important for the answer, forward direction alone."""
    forward = scores.forward
    if scores.method == "gradient":
        norms = forward[:, 0]
        kept = norms >= options.gradient_threshold * norms.max(initial=0)
        return kept & (np.arange(len(norms)) <= scores.place) & (norms > 0)
    return forward[:, 1] - forward[:, 0] > np.log(options.word_threshold)


def patterns_of(scores: AnswerScores, options: PatternOptions) -> set[Words]:
    """The patterns that one answer gives."""
    places = np.flatnonzero(important(scores, options)).tolist()
    words = [scores.words[k] for k in places]
    found = {tuple(words[j:]) for j in range(len(words))}
    if places and places[-1] == scores.place:
        found |= {tuple(words[j:-1]) for j in range(len(words) - 1)}
        if scores.place == 0:
            found.add((START,))
    return {pattern for pattern in found if len(pattern) <= options.max_length}


def in_forest_order(
    counts: Mapping[Words, int], occurrences: Mapping[str, int]
) -> Iterator[tuple[Words, float]]:
    """The patterns in the order of the forest, each with the ratio that placed it."""
    children: dict[Words, list[Words]] = defaultdict(list)
    roots = []
    for words in counts:
        if len(words) == 1:
            roots.append(words)
        else:
            children[words[1:]].append(words)

    def ratio(words: Words) -> float:
        return counts[words] / max(occurrences.get(words[0], 0), 1)

    def visit(words: Words) -> Iterator[tuple[Words, float]]:
        for child in sorted(children[words], key=lambda w: (-ratio(w), w)):
            yield from visit(child)
        yield words, ratio(words)

    for root in sorted(roots, key=lambda w: (-ratio(w), w)):
        yield from visit(root)


def mine_v1(
    reading: Reading,
    scores: Iterable[AnswerScores | None],
    of: np.ndarray,
    names: tuple[str, ...],
    options: PatternOptions,
) -> list[Pattern]:
    """The patterns of each category, in order.

    Args:
        reading: the questions.
        scores: of each question's answer.
        of: (questions,), the index of each question's category.
        names: the categories.
    """
    counts: list[Counter[Words]] = [Counter() for _ in names]
    for k, found in zip(of.tolist(), scores, strict=True):
        if found is not None:
            counts[k].update(patterns_of(found, options))
    occurrences: list[Counter[str]] = [Counter() for _ in names]
    for pair, question in enumerate(reading.question.tolist()):
        occurrences[of[question]].update((START, *reading.words[pair]))
    patterns: list[Pattern] = []
    for k, name in enumerate(names):
        kept = {w: n for w, n in counts[k].items() if n >= options.min_count}
        ordered = list(in_forest_order(kept, occurrences[k]))
        patterns += [
            Pattern(words=words, category=name, score=ratio, count=kept[words])
            for words, ratio in ordered[: options.max_patterns]
        ]
    return patterns
