"""The sums of an n-gram in one pass over its occurrences. Needs numba; ``sums`` does without."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit  # pyright: ignore[reportMissingImports]

from rnnscope.phrases.levels import Level
from rnnscope.phrases.words import Words

BLOCK = 256
"""Occurrences that are loaded at a time: they stay in the nearest cache."""


def group_sums(words: Words, level: Level, kept: slice, overflows: bool) -> tuple[Any, ...]:
    """See ``sums``: counts, documents, products, no scales, logs, squares, and so on."""
    if overflows:
        raise ValueError("exp would overflow")
    groups, classes = len(level), len(words.origin.classes)
    signed = words.origin.signed
    width = kept.stop - kept.start
    # One piece of memory, which the system hands out in large pages: page by page takes longer
    # than all the sums.
    sizes = [classes, 2 * classes if signed else 0, 4 * width, 1, 2]
    whole = np.empty((sum(sizes), groups))
    numbers, products, moments, pairs, strength = np.split(whole, np.cumsum(sizes)[:-1])
    counts, documents = numbers.reshape(-1).view(np.uint32).reshape(2, classes, groups)
    numbers[:] = 0
    moments = moments.reshape(4, width, groups)
    pairs = pairs[0].view(np.uint64)
    _sum(
        level.length,
        level.positions,
        level.starts,
        words.owner,
        words.predictions,
        words.values,
        signed,
        counts,
        documents,
        products,
        moments,
        pairs,
        strength,
    )
    logs, squares, clusters, crosses = moments
    return counts, documents, products, None, logs, squares, clusters, crosses, pairs, strength


@njit(inline="always")
def _add(sums, k, value):
    """Add to a sum and carry along what rounding took (Kahan), so that a word seen a million times
    is summed as well as one seen twice."""
    term = value - sums[1, k]
    total = sums[0, k] + term
    sums[1, k] = (total - sums[0, k]) - term
    sums[0, k] = total


@njit(inline="always")
def _fill(terms, loaded, weakest, mean, document, base, length, positions, owner, values, signed):
    """The occurrences from base on, one a column: strengths, log-ratios, their exp, exp of logs."""
    classes = values.shape[1]
    factor = classes / (classes - 1) if signed else 1.0
    logs, ratios, raws = 2, 2 + classes, 2 + 2 * classes
    size = min(len(document), len(positions) - base)
    # Loads alone first, so that the processor has many under way at once; then a class at a time
    # over all occurrences, which the compiler turns into vector instructions.
    for j in range(size):
        p = positions[base + j]
        document[j] = owner[p]
        loaded[0, j] = values[p, 0]
    for k in range(classes):
        for t in range(length):
            row = loaded[t * classes + k]
            for j in range(size):
                row[j] = values[positions[base + j] + t, k]
    terms[2:, :size] = 0.0
    weakest[:, :size] = np.inf
    for t in range(length):
        mean[:size] = 0.0
        if signed:
            for k in range(classes):
                row = loaded[t * classes + k]
                for j in range(size):
                    mean[j] += row[j]
            for j in range(size):
                mean[j] /= classes
        for k in range(classes):
            row, total = loaded[t * classes + k], terms[logs + k]
            low, lowest = weakest[k], weakest[classes + k]
            for j in range(size):
                alone = row[j]
                against = (alone - mean[j]) * factor
                total[j] += alone
                low[j] = against if against < low[j] else low[j]
                lowest[j] = alone if alone < lowest[j] else lowest[j]
    terms[0, :size] = weakest[0, :size]
    terms[1, :size] = weakest[classes, :size]
    for k in range(1, classes):
        for half in range(2):
            row, best = weakest[half * classes + k], terms[half]
            for j in range(size):
                best[j] = row[j] if row[j] > best[j] else best[j]
    if not signed:
        return
    mean[:size] = 0.0
    for k in range(classes):
        row = terms[logs + k]
        for j in range(size):
            mean[j] += row[j] / classes
    for k in range(classes):
        row, raw, ratio = terms[logs + k], terms[raws + k], terms[ratios + k]
        for j in range(size):
            raw[j] = np.exp(row[j])
        for j in range(size):
            row[j] = (row[j] - mean[j]) * factor
        if classes > 2:
            for j in range(size):
                ratio[j] = np.exp(row[j])
    if classes == 2:  # exp(a - b) without another exp
        for k in range(2):
            ratio, one, other = terms[ratios + k], terms[raws + k], terms[raws + 1 - k]
            for j in range(size):
                ratio[j] = one[j] / other[j]


def _sum_loop(
    length,
    positions,
    starts,
    owner,
    label,
    values,
    signed,
    counts,
    documents,
    products,
    moments,
    pairs,
    strength,
):
    classes = values.shape[1]
    kept = moments.shape[1]
    first = 2 + classes - kept
    exps = 2 + classes
    terms = np.empty((2 + 3 * classes, BLOCK))
    loaded = np.empty((length * classes, BLOCK))
    weakest = np.empty((2 * classes, BLOCK))
    mean = np.empty(BLOCK)
    document = np.empty(BLOCK, dtype=owner.dtype)
    base = -BLOCK
    within = np.zeros(kept)
    product = np.zeros((2, len(products)))
    log, square, cluster, cross = np.zeros((4, 2, kept))
    for g in range(len(starts) - 1):
        start, stop = starts[g], starts[g + 1]
        if start == base + BLOCK:
            base = start
            _fill(
                terms,
                loaded,
                weakest,
                mean,
                document,
                base,
                length,
                positions,
                owner,
                values,
                signed,
            )
        j = start - base
        if stop - start == 1:  # most n-grams occur once
            counts[label[document[j]], g] = documents[label[document[j]], g] = pairs[g] = 1
            strength[0, g], strength[1, g] = terms[0, j], terms[1, j]
            for k in range(kept):
                s = terms[first + k, j]
                moments[0, k, g] = moments[3, k, g] = s
                moments[1, k, g] = moments[2, k, g] = s * s
            for k in range(len(products)):
                products[k, g] = terms[exps + k, j]
            continue
        product[:] = 0.0
        log[:] = 0.0
        square[:] = 0.0
        cluster[:] = 0.0
        cross[:] = 0.0
        within[:] = 0.0
        seen = 0
        held = 0
        here = document[j]
        weak, weak_alone = -np.inf, -np.inf
        r = start
        while r < stop:
            if r == base + BLOCK:
                base = r
                _fill(
                    terms,
                    loaded,
                    weakest,
                    mean,
                    document,
                    base,
                    length,
                    positions,
                    owner,
                    values,
                    signed,
                )
            low, high = r - base, min(stop - base, BLOCK)
            r = base + high
            for j in range(low, high):
                weak = terms[0, j] if terms[0, j] > weak else weak
                weak_alone = terms[1, j] if terms[1, j] > weak_alone else weak_alone
            # No more than a block is summed without carrying.
            for k in range(len(products)):
                total = 0.0
                for j in range(low, high):
                    total += terms[exps + k, j]
                _add(product, k, total)
            for k in range(kept):
                total, squares = 0.0, 0.0
                for j in range(low, high):
                    s = terms[first + k, j]
                    total += s
                    squares += s * s
                _add(log, k, total)
                _add(square, k, squares)
            for j in range(low, high):
                if document[j] != here:
                    for k in range(kept):
                        _add(cluster, k, within[k] * within[k])
                        _add(cross, k, seen * within[k])
                        within[k] = 0.0
                    held += seen * seen
                    counts[label[here], g] += np.uint32(seen)
                    documents[label[here], g] += np.uint32(1)
                    seen = 0
                    here = document[j]
                seen += 1
                for k in range(kept):
                    within[k] += terms[first + k, j]
        counts[label[here], g] += np.uint32(seen)
        documents[label[here], g] += np.uint32(1)
        pairs[g] = held + seen * seen
        strength[0, g], strength[1, g] = weak, weak_alone
        for k in range(len(products)):
            products[k, g] = product[0, k]
        for k in range(kept):
            moments[0, k, g] = log[0, k]
            moments[1, k, g] = square[0, k]
            moments[2, k, g] = cluster[0, k] + within[k] * within[k]
            moments[3, k, g] = cross[0, k] + seen * within[k]


try:
    _sum = njit(nogil=True, cache=True)(_sum_loop)
except RuntimeError:  # nowhere to keep what is compiled
    _sum = njit(nogil=True)(_sum_loop)
