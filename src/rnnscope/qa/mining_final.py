"""Runs of words next to the answer, as in the final version of Murdoch & Szlam (2017).

The words next to each of the network's answers, as long as each is important, before it by the
forward direction and after it by the backward one, are candidates; entities in them are
placeholders. S of a candidate is, over all its occurrences next to any entity, right or not,

    mean of exp(sum of the words' scores for the answer) / mean of exp(... for "not the answer")

which for scores that are contrasts is the mean of exp(sum of contrasts). Sums of norms take the
place of exp for gradients, over the network's answers alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from rnnscope.qa.answers import Answers
from rnnscope.qa.entities import is_number
from rnnscope.qa.matching import Matches, Texts, one_per_question
from rnnscope.qa.model import QuestionModel
from rnnscope.qa.options import PatternOptions
from rnnscope.qa.pattern import ANSWER, ANYTHING, END, START, Pattern, generalised, typed_slot
from rnnscope.qa.reading import Reading
from rnnscope.qa.scores import AnswerScores, score_windows
from rnnscope.statistics import wilson

Words = tuple[str, ...]
SIDE = 3
"""Words on one side of a run that reaches to both sides of the answer, at most."""


def candidates_of(
    scores: AnswerScores, reading: Reading, pair: int, options: PatternOptions
) -> dict[Words, float]:
    """The candidate patterns that one answer gives, and the sum of their words' scores.

    Args:
        scores: of the answer.
        reading, pair: where it is from.
    """
    place, values = scores.place, _values(scores)
    least = (
        options.gradient_threshold
        if scores.method == "gradient"
        else float(np.log(options.word_threshold))
    )
    strong = values > least
    known = reading.corpus.entities
    entities = [word in known for word in scores.words]
    numbers = [options.numbers and is_number(word) for word in scores.words]
    words = generalised(scores.words, entities, numbers)
    padded = [START, *words, END]
    before = _run(strong[:place][::-1], options.bridge)
    after = _run(strong[place + 1 :], options.bridge)
    before, after = min(before, options.max_length), min(after, options.max_length)
    kind = "number" if is_number(scores.words[place]) else known.get(scores.words[place], "")
    wanted = options.numbers if kind == "number" else options.types
    slots = [ANSWER, *([typed_slot(kind)] if kind and wanted else [])]
    found: dict[Words, float] = {}
    # The ends of the document go with the words next to them.
    most_before = before + (before == place and before < options.max_length)
    most_after = after + (after == len(words) - 1 - place and after < options.max_length)
    for left in range(most_before + 1):
        for right in range(most_after + 1):
            both = left > 0 and right > 0
            if both and (left > SIDE or right > SIDE):
                continue
            inside = values[max(0, place - left) : place + right + 1].sum()
            for slot in slots:
                if left + right or slot != ANSWER:
                    run = (
                        *padded[place + 1 - left : place + 1],
                        slot,
                        *padded[place + 2 : place + 2 + right],
                    )
                    found[run] = float(inside)
    title = reading.token(pair, 0) == reading.token(pair, place)
    if options.located and title:
        found |= _located(words, strong, values, place, options)
    return found


def _located(
    words: Sequence[str],
    strong: np.ndarray,
    values: np.ndarray,
    place: int,
    options: PatternOptions,
) -> dict[Words, float]:
    """Runs of important words away from the answer, with the answer at the document's start."""
    found: dict[Words, float] = {}
    marks = strong.copy()
    marks[0] = False
    start = 1
    while start < len(words):
        if not marks[start]:
            start += 1
            continue
        length = max(1, _run(marks[start:], options.bridge))
        for a in range(start, start + length):
            for b in range(a + 1, min(a + options.max_length, start + length) + 1):
                found[(START, ANSWER, ANYTHING, *words[a:b])] = float(values[a:b].sum())
        start += length
    return found


def mine_final(
    model: QuestionModel,
    answers: Answers,
    scores: Sequence[AnswerScores | None],
    of: np.ndarray,
    names: tuple[str, ...],
    options: PatternOptions,
) -> dict[str, list[Pattern]]:
    """The patterns of each category, in order, where the "first" and where the "last" match in a
    document gives the answer.

    Args:
        model: the network.
        answers: its answers to the questions to mine.
        scores: of each answer.
        of: (questions,), the index of each question's category.
        names: the categories.
    """
    reading = answers.reading
    counts: list[Counter[Words]] = [Counter() for _ in names]
    sums: list[dict[Words, list[float]]] = [defaultdict(list) for _ in names]
    for row, found in enumerate(scores):
        if found is not None:
            given = candidates_of(found, reading, int(answers.pair[row]), options)
            counts[of[row]].update(given.keys())
            for words, total in given.items():
                sums[of[row]][words].append(total)
    patterns: dict[str, list[Pattern]] = {"first": [], "last": []}
    for k, name in enumerate(names):
        kept = {w: n for w, n in counts[k].items() if n >= options.min_count}
        pairs = np.flatnonzero(of[reading.question] == k)
        if not kept or not len(pairs):
            continue
        texts = Texts.of(reading, pairs)
        windows = None if options.method == "gradient" else _windows(model, texts, options)
        listed = []
        for words, count in kept.items():
            pattern = Pattern(words=words, category=name)
            matches = texts.matches(pattern, gap=options.words_between, within=options.within)
            if not len(matches.pair):
                continue
            if windows is not None and ANYTHING not in words:
                score = _importance(matches, windows, options)
            elif windows is not None:
                score = float(np.mean(np.exp(np.minimum(sums[k][words], 30))))
            else:
                score = float(np.mean(sums[k][words]))
            found = {o: _support(reading, answers, matches, o) for o in patterns}
            listed.append((words, count, score, found))
        for occurrence, kept_ones in patterns.items():
            kept_ones += _ordered(listed, occurrence, name, options)
    return patterns


def _ordered(
    listed: Sequence[tuple[Words, int, float, dict[str, tuple[int, int]]]],
    occurrence: str,
    name: str,
    options: PatternOptions,
) -> list[Pattern]:
    def key(
        one: tuple[Words, int, float, dict[str, tuple[int, int]]],
    ) -> tuple[float, float, Words]:
        words, _, score, found = one
        supported = options.order == "supported"
        return (-float(wilson(*found[occurrence])[0]) if supported else 0.0, -score, words)

    patterns = []
    for words, count, score, found in sorted(listed, key=key)[: options.max_patterns]:
        right, seen = found[occurrence]
        patterns.append(
            Pattern(words=words, category=name, score=score, count=count, precision=right / seen)
        )
    return patterns


def _support(
    reading: Reading, answers: Answers, matches: Matches, occurrence: str
) -> tuple[int, int]:
    """Questions whose deciding match is plausible to the network, and questions with a match."""
    asked, at = one_per_question(reading, matches, last=occurrence == "last")
    same = sum(
        reading.token(int(matches.pair[j]), int(matches.place[j])) in answers.plausible[q]
        for q, j in zip(asked.tolist(), at.tolist(), strict=True)
    )
    return same, len(asked)


def _windows(
    model: QuestionModel, texts: Texts, options: PatternOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Running sums of the contrasts before and after each candidate of the texts: column l holds
    those of the l words next to it; the candidate's own, of both directions, is in the first."""
    reach = options.max_length
    reading = texts.reading
    counts = np.array([len(reading.places[int(k)]) for k in texts.pairs])
    start = dict(zip(texts.pairs.tolist(), (np.cumsum(counts) - counts).tolist(), strict=True))
    before = np.zeros((int(counts.sum()), reach + 1), dtype=np.float64)
    after = np.zeros_like(before)
    scored = score_windows(model, reading, texts.pairs.tolist(), method=options.method, reach=reach)
    for pair, forward, backward in scored:
        rows = slice(start[pair], start[pair] + len(forward))
        before[rows] = np.cumsum(forward[:, ::-1], axis=1)
        after[rows] = np.cumsum(backward, axis=1)
    return before, after


def _importance(
    matches: Matches, windows: tuple[np.ndarray, np.ndarray], options: PatternOptions
) -> float:
    left = np.clip(matches.place - matches.first, 0, options.max_length)
    right = np.clip(matches.last - matches.place, 0, options.max_length)
    total = windows[0][matches.slot, left] + windows[1][matches.slot, right]
    return float(np.mean(np.exp(np.minimum(total, 30))))


def _values(scores: AnswerScores) -> np.ndarray:
    """Contrasts; norms divided by the document's largest."""
    values = scores.values
    if scores.method == "gradient":
        return values / max(float(values.max(initial=0)), 1e-30)
    return values


def _run(strong: np.ndarray, bridge: int) -> int:
    """How many stand before the first false one; so many false ones are passed over."""
    weak = np.flatnonzero(~strong)
    return int(weak[bridge]) if len(weak) > bridge else len(strong)
