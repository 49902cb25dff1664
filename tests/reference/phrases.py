"""Murdoch & Szlam's phrase extraction with dictionaries and loops."""

from __future__ import annotations

import math
from collections import defaultdict


def compare(row):
    """s_i = log beta_i - mean of the others."""
    total, classes = sum(row), len(row)
    return [value - (total - value) / (classes - 1) for value in row]


def mine(documents, betas, *, threshold, longest, least, test="ratio", kind="mean_ratio", skip=()):
    """{phrase: (log S_i per class, count)}; documents are token lists, betas their log scores."""
    bar = math.log(threshold)
    candidates = set()
    for words, rows in zip(documents, betas, strict=True):
        tested = [compare(row) if test == "ratio" else row for row in rows]
        for start in range(len(words)):
            for stop in range(start + 1, min(start + longest, len(words)) + 1):
                part = range(start, stop)
                if any(words[t] in skip for t in part):
                    continue
                if any(all(tested[t][i] > bar for t in part) for i in range(len(rows[0]))):
                    candidates.add(tuple(words[start:stop]))
    sums = defaultdict(list)
    for words, rows in zip(documents, betas, strict=True):
        compared = [compare(row) for row in rows]
        used = compared if kind == "mean_ratio" else rows
        for start in range(len(words)):
            for stop in range(start + 1, min(start + longest, len(words)) + 1):
                phrase = tuple(words[start:stop])
                if phrase in candidates:
                    classes = len(rows[0])
                    sums[phrase].append(
                        [sum(used[t][i] for t in range(start, stop)) for i in range(classes)]
                    )
    found = {}
    for phrase, occurrences in sums.items():
        count = len(occurrences)
        if count < least:
            continue
        means = [
            math.log(sum(math.exp(o[i]) for o in occurrences) / count)
            for i in range(len(occurrences[0]))
        ]
        found[phrase] = (means if kind == "mean_ratio" else compare(means), count)
    return found
