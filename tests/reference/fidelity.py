"""The definitions again, word by word and slowly, without anything of the package."""

from __future__ import annotations

import math
from collections import Counter


def planted_contrast(words, phrases, *, negators=(), window=0, bias=0.0):
    """The sum of the weights, as if the memory were exactly linear."""
    total = bias
    for end in range(1, len(words) + 1):
        matching = [p for p in phrases if tuple(words[max(0, end - len(p)) : end]) == p]
        if not matching:
            continue
        weight = phrases[max(matching, key=len)]
        for back in range(1, window + 1):
            at = end - 1 - back
            if at >= 0 and words[at] in negators:
                weight = -weight
                break
        total += weight
    return total


def kappa(given, reference):
    count = len(given)
    observed = sum(a == b for a, b in zip(given, reference, strict=True)) / count
    of_given, of_reference = Counter(given), Counter(reference)
    expected = sum(of_given[k] * of_reference[k] for k in of_reference) / count**2
    return (observed - expected) / (1 - expected)


def balanced(given, reference):
    shares = []
    for label in sorted(set(reference)):
        inside = [a == b for a, b in zip(given, reference, strict=True) if b == label]
        shares.append(sum(inside) / len(inside))
    return sum(shares) / len(shares)


def ngrams_held(documents, longest, least):
    """{n-gram: documents that hold it}, for those in enough documents."""
    held = {}
    for row, words in enumerate(documents):
        for start in range(len(words)):
            for stop in range(start + 1, min(start + longest, len(words)) + 1):
                held.setdefault(tuple(words[start:stop]), set()).add(row)
    return {ngram: rows for ngram, rows in held.items() if len(rows) >= least}


def occurrences(documents, ngram):
    return sum(
        tuple(words[start : start + len(ngram)]) == ngram
        for words in documents
        for start in range(len(words))
    )


def softmax(logits):
    top = max(logits)
    raised = [math.exp(z - top) for z in logits]
    return [value / sum(raised) for value in raised]


def deletion_drops(probabilities, words, scores, label, percent):
    """(without the words, with them alone) for one document; ``probabilities`` of one word list."""
    count = min(len(words) - 1, math.ceil(round(percent * len(words), 6) / 100))
    top = sorted(range(len(words)), key=lambda j: -scores[j])[:count]
    own = probabilities(words)[label]
    gone = [w for j, w in enumerate(words) if j not in top]
    alone = [w for j, w in enumerate(words) if j in top]
    return own - probabilities(gone)[label], own - probabilities(alone)[label]


def against_others(logits, label):
    others = [z for k, z in enumerate(logits) if k != label]
    return logits[label] - sum(others) / len(others)


def leave_one_out(logits, words, label):
    whole = against_others(logits(words), label)
    return [
        whole - against_others(logits(words[:j] + words[j + 1 :]), label) for j in range(len(words))
    ]


def auc(values, changed):
    won = pairs = 0.0
    for a, inside in zip(values, changed, strict=True):
        for b, other in zip(values, changed, strict=True):
            if inside and not other:
                pairs += 1
                won += 1.0 if a > b else 0.5 if a == b else 0.0
    return won / pairs


def undominated(points):
    """Which (size, agreement) no other point beats in one and equals or beats in the other."""
    return [
        not any(s <= size and a >= agreement and (s < size or a > agreement) for s, a in points)
        for size, agreement in points
    ]
