"""The sums of an n-gram in one pass over its occurrences. Needs numba; ``sums`` does without."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit  # pyright: ignore[reportMissingImports]

from rnnscope.phrases.levels import Level
from rnnscope.phrases.words import Words

BLOCK = 1024
"""Occurrences that are loaded at a time: they stay in the nearest cache."""


def group_sums(words: Words, level: Level, kept: slice, signed: bool) -> tuple[Any, ...]:
    """See ``sums``: counts, documents, products, no scales, logs, squares, and so on."""
    groups, classes = len(level), len(words.origin.classes)
    width = kept.stop - kept.start
    counts = np.zeros((classes, groups), dtype=np.uint32)
    documents = np.zeros((classes, groups), dtype=np.uint32)
    products = np.zeros((2 * classes if signed else 0, groups))
    moments = np.zeros((4, width, groups))
    pairs = np.zeros(groups, dtype=np.uint64)
    strength = np.full((2, groups), -np.inf)
    # What decides a branch is gathered first: a branch that waits for a far load costs ten times
    # the load.
    owner = words.owner[level.positions]
    _sum(
        level.length,
        level.positions,
        level.starts,
        owner,
        words.predictions[owner],
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
def _fill(terms, loaded, weakest, base, length, positions, values, signed):
    """The occurrences from base on: strengths, log-ratios, exp of log-ratios, exp of logs."""
    classes = values.shape[1]
    factor = classes / (classes - 1) if signed else 1.0
    exps = 2 + classes
    size = min(len(terms), len(positions) - base)
    # Loads alone first, so that the processor has many under way at once.
    for j in range(size):
        p = positions[base + j]
        for t in range(length):
            for k in range(classes):
                loaded[j, t * classes + k] = values[p + t, k]
    for j in range(size):
        for k in range(classes):
            terms[j, 2 + k] = 0.0
            weakest[0, k] = weakest[1, k] = np.inf
        for t in range(length):
            mean = 0.0
            if signed:
                for k in range(classes):
                    mean += loaded[j, t * classes + k]
                mean /= classes
            for k in range(classes):
                alone = loaded[j, t * classes + k]
                against = (alone - mean) * factor
                terms[j, 2 + k] += alone
                weakest[0, k] = against if against < weakest[0, k] else weakest[0, k]
                weakest[1, k] = alone if alone < weakest[1, k] else weakest[1, k]
        mean = 0.0
        for k in range(classes):
            mean += terms[j, 2 + k] / classes if signed else 0.0
        for half in range(2):
            terms[j, half] = weakest[half, 0]
            for k in range(1, classes):
                if weakest[half, k] > terms[j, half]:
                    terms[j, half] = weakest[half, k]
        for k in range(classes):
            alone = terms[j, 2 + k]
            against = (alone - mean) * factor
            terms[j, 2 + k] = against
            if signed:
                terms[j, exps + classes + k] = np.exp(alone)
                if classes > 2:
                    terms[j, exps + k] = np.exp(against)
        if signed and classes == 2:  # exp(a - b) without another exp
            terms[j, exps] = terms[j, exps + 2] / terms[j, exps + 3]
            terms[j, exps + 1] = terms[j, exps + 3] / terms[j, exps + 2]


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
    terms = np.empty((BLOCK, 2 + 3 * classes))
    loaded = np.empty((BLOCK, length * classes))
    weakest = np.empty((2, classes))
    base = -BLOCK
    within = np.zeros(kept)
    product = np.zeros((2, len(products)))
    log, square, cluster, cross = np.zeros((4, 2, kept))
    for g in range(len(starts) - 1):
        start, stop = starts[g], starts[g + 1]
        if stop - start == 1:  # most n-grams occur once
            if start == base + BLOCK:
                base = start
                _fill(terms, loaded, weakest, base, length, positions, values, signed)
            j = start - base
            counts[label[start], g] = documents[label[start], g] = pairs[g] = 1
            strength[0, g], strength[1, g] = terms[j, 0], terms[j, 1]
            for k in range(kept):
                s = terms[j, first + k]
                moments[0, k, g] = moments[3, k, g] = s
                moments[1, k, g] = moments[2, k, g] = s * s
            for k in range(len(products)):
                products[k, g] = terms[j, exps + k]
            continue
        product[:] = 0.0
        log[:] = 0.0
        square[:] = 0.0
        cluster[:] = 0.0
        cross[:] = 0.0
        within[:] = 0.0
        seen = 0
        document = owner[start]
        documents[label[start], g] += np.uint32(1)
        for r in range(start, stop):
            if r == base + BLOCK:
                base = r
                _fill(terms, loaded, weakest, base, length, positions, values, signed)
            j = r - base
            if owner[r] != document:
                for k in range(kept):
                    _add(cluster, k, within[k] * within[k])
                    _add(cross, k, seen * within[k])
                    within[k] = 0.0
                pairs[g] += np.uint64(seen * seen)
                seen = 0
                document = owner[r]
                documents[label[r], g] += np.uint32(1)
            seen += 1
            counts[label[r], g] += np.uint32(1)
            for half in range(2):
                if terms[j, half] > strength[half, g]:
                    strength[half, g] = terms[j, half]
            for k in range(kept):
                s = terms[j, first + k]
                within[k] += s
                _add(log, k, s)
                _add(square, k, s * s)
            for k in range(len(products)):
                _add(product, k, terms[j, exps + k])
        pairs[g] += np.uint64(seen * seen)
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
