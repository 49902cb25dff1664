"""The comparison methods of word scores, one document and one word at a time, in plain floats."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from tests.reference.cells import dot, sigm
from tests.reference.models import run_model


def logits_of_vectors(model, vectors):
    """The logits of one document given as vectors, by the loops of reference.models."""
    table = torch.tensor([[float(v) for v in x] for x in vectors], dtype=model.dtype)
    direct = replace(model, embedding=table.reshape(len(vectors), -1), vocabulary=None)
    return run_model(direct, range(len(vectors)))[2]


def vectors_of(model, ids):
    return [[float(v) for v in model.embedding[k]] for k in ids]


def slope(model, vectors, j, d, step=1e-5):
    """d logits / d x_j[d], by the five-point difference."""

    def moved(amount):
        changed = [list(x) for x in vectors]
        changed[j][d] += amount
        return logits_of_vectors(model, changed)

    near, far = (moved(step), moved(-step)), (moved(2 * step), moved(-2 * step))
    parts = zip(*near, *far, strict=True)
    return [(8 * (a - b) - (c - e)) / (12 * step) for a, b, c, e in parts]


def gradient_times_input(model, ids):
    """(words, classes)"""
    vectors = vectors_of(model, ids)
    result = []
    for j, x in enumerate(vectors):
        slopes = [slope(model, vectors, j, d) for d in range(len(x))]
        result.append([dot(x, [s[c] for s in slopes]) for c in range(len(slopes[0]))])
    return result


def gradient_norm(model, ids):
    """(words, classes): the norm of the gradient of each class's probability."""
    vectors = vectors_of(model, ids)
    logits = logits_of_vectors(model, vectors)
    largest = max(logits)
    powers = [math.exp(z - largest) for z in logits]
    p = [v / sum(powers) for v in powers]
    result = []
    for j, x in enumerate(vectors):
        slopes = [slope(model, vectors, j, d) for d in range(len(x))]
        row = []
        for i in range(len(p)):
            by_unit = [p[i] * (s[i] - dot(p, s)) for s in slopes]
            row.append(math.sqrt(dot(by_unit, by_unit)))
        result.append(row)
    return result


def integrated_gradients(model, ids, baseline, points=16):
    """(words, classes), by the midpoint rule: not the rule that the library uses."""
    vectors = vectors_of(model, ids)
    width, classes = len(baseline), len(model.readout.bias)
    result = [[0.0] * classes for _ in ids]
    for k in range(points):
        a = (k + 0.5) / points
        here = [[b + a * (v - b) for v, b in zip(x, baseline, strict=True)] for x in vectors]
        for j, x in enumerate(vectors):
            for d in range(width):
                for c, s in enumerate(slope(model, here, j, d)):
                    result[j][c] += s * (x[d] - baseline[d]) / points
    return result


def occlusion(model, ids, baseline):
    """(words, classes)"""
    vectors = vectors_of(model, ids)
    whole = logits_of_vectors(model, vectors)
    result = []
    for j in range(len(ids)):
        changed = [baseline if k == j else x for k, x in enumerate(vectors)]
        after = logits_of_vectors(model, changed)
        result.append([a - b for a, b in zip(whole, after, strict=True)])
    return result


def leave_one_out(model, ids):
    """(words, classes); of an empty document the readout sees the state before the first word."""
    vectors = vectors_of(model, ids)
    whole = logits_of_vectors(model, vectors)
    result = []
    for j in range(len(ids)):
        rest = vectors[:j] + vectors[j + 1 :]
        if rest:
            after = logits_of_vectors(model, rest)
        else:
            directions = model.layers[-1].directions
            seen = [float(v) for d in directions for v in d.cell.output(d.start)]
            weight, bias = model.readout.weight, model.readout.bias
            after = [dot(w, seen) + float(b) for w, b in zip(weight, bias, strict=True)]
        result.append([a - b for a, b in zip(whole, after, strict=True)])
    return result


def contextual_decomposition(model, ids, start, stop, convention="inclusive"):
    """(relevant, irrelevant) parts of each logit, bias left out; both sides by their own rule."""
    relevant, irrelevant = [], []
    inputs_R = [[0.0] * model.input_size for _ in ids]
    inputs_I = [list(inputs_R[0]) for _ in ids]
    for t, x in enumerate(vectors_of(model, ids)):
        (inputs_R if start <= t < stop else inputs_I)[t] = x
    for layer in model.layers:
        sides = [
            _decompose(d, inputs_R, inputs_I, start, stop, convention) for d in layer.directions
        ]
        inputs_R = [[v for side in sides for v in side[0][t]] for t in range(len(ids))]
        inputs_I = [[v for side in sides for v in side[1][t]] for t in range(len(ids))]
    seen_R, seen_I, offset = [], [], 0
    for direction in model.layers[-1].directions:
        n = direction.cell.hidden_size
        for u in range(offset, offset + n):
            own, rest = [row[u] for row in inputs_R], [row[u] for row in inputs_I]
            if model.pooling == "mean":
                seen_R.append(sum(own) / len(ids))
                seen_I.append(sum(rest) / len(ids))
                continue
            t = 0 if direction.reverse else len(ids) - 1
            if model.pooling == "max":
                whole = [a + b for a, b in zip(own, rest, strict=True)]
                t = whole.index(max(whole))
            seen_R.append(own[t])
            seen_I.append(rest[t])
        offset += n
    for w in model.readout.weight:
        relevant.append(dot(w, seen_R))
        irrelevant.append(dot(w, seen_I))
    return relevant, irrelevant


def _decompose(direction, inputs_R, inputs_I, start, stop, convention):
    """h_R and h_I after each word, in the order of the text."""
    cell = direction.cell
    n = cell.hidden_size
    first = [float(v) for v in direction.start]
    h_R, c_R, h_I, c_I = [0.0] * n, [0.0] * n, first[:n], first[n:]
    order = list(range(len(inputs_R)))
    if direction.reverse:
        order.reverse()
    phrase = [t for t in order if start <= t < stop]
    writes = phrase if convention == "inclusive" else phrase[:-1]
    all_R, all_I = [None] * len(order), [None] * len(order)
    for t in order:
        x_R, x_I = inputs_R[t], inputs_I[t]
        new = {"h_R": [], "c_R": [], "h_I": [], "c_I": []}
        for u in range(n):
            R, rest, B = {}, {}, {}
            for q, (gate, act) in enumerate((("i", sigm), ("f", sigm), ("g", math.tanh))):
                row = q * n + u
                b = float(cell.b[row])
                r = dot(cell.V[row], h_R) + dot(cell.W[row], x_R)
                s = dot(cell.V[row], h_I) + dot(cell.W[row], x_I)
                R[gate] = (act(r + b) - act(b) + act(r + s + b) - act(s + b)) / 2
                rest[gate] = (act(s + b) - act(b) + act(r + s + b) - act(r + b)) / 2
                B[gate] = act(b)
            both = B["i"] * B["g"]
            now_R = R["i"] * (R["g"] + B["g"]) + B["i"] * R["g"]
            now_R += (both if t in writes else 0.0) + (R["f"] + B["f"]) * c_R[u]
            now_I = rest["i"] * (R["g"] + rest["g"] + B["g"]) + (R["i"] + B["i"]) * rest["g"]
            now_I += 0.0 if t in writes else both
            now_I += (R["f"] + rest["f"] + B["f"]) * c_I[u] + rest["f"] * c_R[u]
            row = 3 * n + u
            x = [a + b for a, b in zip(x_R, x_I, strict=True)]
            h = [a + b for a, b in zip(h_R, h_I, strict=True)]
            o = sigm(dot(cell.W[row], x) + dot(cell.V[row], h) + float(cell.b[row]))
            t_R, t_I, whole = math.tanh(now_R), math.tanh(now_I), math.tanh(now_R + now_I)
            new["c_R"].append(now_R)
            new["c_I"].append(now_I)
            new["h_R"].append(o * (t_R + whole - t_I) / 2)
            new["h_I"].append(o * (t_I + whole - t_R) / 2)
        h_R, c_R, h_I, c_I = new["h_R"], new["c_R"], new["h_I"], new["c_I"]
        all_R[t], all_I[t] = h_R, h_I
    return all_R, all_I
