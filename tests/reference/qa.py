"""Question answering, word by word: scores of an answer's position, and pattern matching."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np


def lstm_states(x, W, V, b):
    """The gates and memories of an LSTM, one step at a time; gates stacked i, f, g, o."""
    n = V.shape[1]
    h, c = np.zeros(n), np.zeros(n)
    steps = []
    for row in x:
        z = W @ row + V @ h + b
        i, f, o = (1 / (1 + np.exp(-z[k * n : (k + 1) * n])) for k in (0, 1, 3))
        g = np.tanh(z[2 * n : 3 * n])
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append({"i": i, "f": f, "g": g, "o": o, "c": c, "h": h})
    return steps


def forward_scores(x, W, V, b, P, t, method):
    """(t + 1, classes): each word's term of P h_t; gamma by the sum of e_{k,t} in the paper."""
    steps = lstm_states(x[: t + 1], W, V, b)
    o = steps[t]["o"]
    found = []
    total = np.zeros(V.shape[1])
    before = np.zeros(V.shape[1])
    for j in range(t + 1):
        if method == "beta":
            now = steps[j]["c"]
        else:
            e = steps[j]["i"] * steps[j]["g"]
            for k in range(j + 1, t + 1):
                e = e * steps[k]["f"]
            total = total + e
            now = total
        found.append(P @ (o * (np.tanh(now) - np.tanh(before))))
        before = now
    return np.array(found)


def position_scores(x, directions, P, t, method):
    """(T, classes) of both directions: the second reads from the end."""
    n = directions[0][1].shape[1]
    values = np.zeros((len(x), len(P)))
    values[: t + 1] += forward_scores(x, *directions[0], P[:, :n], t, method)
    if len(directions) == 2:
        back = forward_scores(x[::-1], *directions[1], P[:, n:], len(x) - 1 - t, method)
        values[t:] += back[::-1]
    return values


def lstm_output(x, directions, t):
    """h_t of both directions."""
    parts = [lstm_states(x, *directions[0])[t]["h"]]
    if len(directions) == 2:
        parts.append(lstm_states(x[::-1], *directions[1])[len(x) - 1 - t]["h"])
    return np.concatenate(parts)


def pattern_ends(words, pattern, gap):
    """All last positions of a pattern (no placeholders), by trying every choice of positions."""
    places = [[p for p, w in enumerate(words) if w == part] for part in pattern]
    return sorted(
        {
            chosen[-1]
            for chosen in product(*places)
            if all(0 < b - a <= gap + 1 for a, b in pairwise(chosen))
        }
    )


def answer_after(words, end, candidates, within):
    """The first candidate place at the end or at most so many words after it, or None."""
    return next((p for p in range(end, min(len(words), end + within + 1)) if p in candidates), None)


def softmax_of_entities(logits, entities):
    """The probability of each entity by its largest log-odds, beside "no answer" with 0."""
    best = {}
    for z, e in zip(logits, entities, strict=True):
        best[e] = max(best.get(e, -math.inf), z)
    total = 1 + sum(math.exp(z) for z in best.values())
    return {e: math.exp(z) / total for e, z in best.items()}
