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


def occurrences(documents, betas, *, longest, skip=()):
    """{n-gram: [(document, position, s, r, weakest s, weakest r)]}, per class, in text order."""
    found = defaultdict(list)
    for row, (words, rows) in enumerate(zip(documents, betas, strict=True)):
        compared = [compare(values) for values in rows]
        for length in range(1, longest + 1):
            for start in range(len(words) - length + 1):
                part = range(start, start + length)
                if any(words[t] in skip for t in part):
                    continue
                classes = range(len(rows[0]))
                found[tuple(words[start : start + length])].append(
                    (
                        row,
                        start,
                        [math.fsum(compared[t][i] for t in part) for i in classes],
                        [math.fsum(rows[t][i] for t in part) for i in classes],
                        max(min(compared[t][i] for t in part) for i in classes),
                        max(min(rows[t][i] for t in part) for i in classes),
                    )
                )
    return found


def statistics(seen, predictions, classes):
    """The sums of one n-gram's occurrences."""
    by_document = defaultdict(list)
    for row, _, s, *_ in seen:
        by_document[row].append(s)
    result = {
        "count": [sum(predictions[o[0]] == k for o in seen) for k in range(classes)],
        "documents": [sum(predictions[d] == k for d in by_document) for k in range(classes)],
        "pairs": sum(len(group) ** 2 for group in by_document.values()),
        "strength_ratio": max(o[4] for o in seen),
        "strength_raw": max(o[5] for o in seen),
    }
    for k in range(classes):
        totals = [(len(g), math.fsum(s[k] for s in g)) for g in by_document.values()]
        result[f"ratio_{k}"] = math.fsum(math.exp(o[2][k]) for o in seen)
        result[f"raw_{k}"] = math.fsum(math.exp(o[3][k]) for o in seen)
        result[f"log_{k}"] = math.fsum(o[2][k] for o in seen)
        result[f"square_{k}"] = math.fsum(o[2][k] ** 2 for o in seen)
        result[f"cluster_{k}"] = math.fsum(total**2 for _, total in totals)
        result[f"cross_{k}"] = math.fsum(n * total for n, total in totals)
    return result


def clustered_error(seen, k):
    """The standard error of the mean of s_k, clustered by document; None for one document."""
    mean = math.fsum(o[2][k] for o in seen) / len(seen)
    residuals = defaultdict(list)
    for row, _, s, *_ in seen:
        residuals[row].append(s[k] - mean)
    count = len(residuals)
    if count == 1:
        return None
    square = math.fsum(math.fsum(group) ** 2 for group in residuals.values())
    return math.sqrt(square * count / (count - 1)) / len(seen)


def maximal(documents, betas, *, threshold, longest, skip=()):
    """The candidates that no longer candidate of the same occurrence and class contains."""
    bar = math.log(threshold)
    found = set()
    for words, rows in zip(documents, betas, strict=True):
        compared = [compare(values) for values in rows]
        for i in range(len(rows[0])):
            strong = {
                (start, stop)
                for start in range(len(words))
                for stop in range(start + 1, min(start + longest, len(words)) + 1)
                if all(compared[t][i] > bar and words[t] not in skip for t in range(start, stop))
            }
            for a, b in strong:
                if not any((c, d) != (a, b) and c <= a and b <= d for c, d in strong):
                    found.add(tuple(words[a:b]))
    return found
