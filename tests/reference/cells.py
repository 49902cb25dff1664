"""Each cell's equations, one unit at a time, in plain Python floats. Slow on purpose."""

from __future__ import annotations

import math


def sigm(a: float) -> float:
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def dot(row, vector) -> float:
    return sum(float(a) * float(b) for a, b in zip(row, vector, strict=True))


def vanilla(cell, x, h):
    phi = math.tanh if cell.nonlinearity == "tanh" else (lambda a: max(a, 0.0))
    return [phi(dot(cell.W[k], x) + dot(cell.V[k], h) + float(cell.b[k])) for k in range(len(h))]


def ugrnn(cell, x, h):
    n = len(h)
    new = []
    for k in range(n):
        u = sigm(dot(cell.W[k], x) + dot(cell.V[k], h) + float(cell.b[k]))
        g = math.tanh(dot(cell.W[n + k], x) + dot(cell.V[n + k], h) + float(cell.b[n + k]))
        new.append(u * h[k] + (1 - u) * g)
    return new


def gru(cell, x, h):
    n = len(h)
    new = []
    for k in range(n):
        r = sigm(dot(cell.W[k], x) + dot(cell.V[k], h) + float(cell.b[k]))
        z = sigm(dot(cell.W[n + k], x) + dot(cell.V[n + k], h) + float(cell.b[n + k]))
        inner = r * (dot(cell.V[2 * n + k], h) + float(cell.a[k]))
        c = math.tanh(dot(cell.W[2 * n + k], x) + float(cell.b[2 * n + k]) + inner)
        new.append(z * h[k] + (1 - z) * c)
    return new


def gru_reset_first(cell, x, h):
    n = len(h)
    r = [sigm(dot(cell.W[k], x) + dot(cell.V[k], h) + float(cell.b[k])) for k in range(n)]
    rh = [r[k] * h[k] for k in range(n)]
    new = []
    for k in range(n):
        z = sigm(dot(cell.W[n + k], x) + dot(cell.V[n + k], h) + float(cell.b[n + k]))
        c = dot(cell.W[2 * n + k], x) + dot(cell.V[2 * n + k], rh) + float(cell.b[2 * n + k])
        new.append(z * h[k] + (1 - z) * math.tanh(c))
    return new


def lstm(cell, x, state):
    n = len(state) // 2
    h, c = state[:n], state[n:]
    new_h, new_c = [], []
    for k in range(n):
        pre = [
            dot(cell.W[q * n + k], x) + dot(cell.V[q * n + k], h) + float(cell.b[q * n + k])
            for q in range(4)
        ]
        i, f, g, o = sigm(pre[0]), sigm(pre[1]), math.tanh(pre[2]), sigm(pre[3])
        memory = f * c[k] + i * g
        new_c.append(memory)
        new_h.append(o * math.tanh(memory))
    return new_h + new_c


def lstm_projected(cell, x, state):
    p, n = len(cell.R), len(cell.R[0])
    h, c = state[:p], state[p:]
    new_c, shown = [], []
    for k in range(n):
        pre = [
            dot(cell.W[q * n + k], x) + dot(cell.V[q * n + k], h) + float(cell.b[q * n + k])
            for q in range(4)
        ]
        i, f, g, o = sigm(pre[0]), sigm(pre[1]), math.tanh(pre[2]), sigm(pre[3])
        memory = f * c[k] + i * g
        new_c.append(memory)
        shown.append(o * math.tanh(memory))
    return [dot(row, shown) for row in cell.R] + new_c


STEPS = {
    "vanilla": vanilla,
    "ugrnn": ugrnn,
    "gru": gru,
    "gru_reset_first": gru_reset_first,
    "lstm": lstm,
    "lstm_projected": lstm_projected,
}
