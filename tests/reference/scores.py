"""beta and gamma as Murdoch & Szlam write them, one word and one unit at a time, from the gates.

gamma is computed from the sum of the terms e_{k,T}, never from the product form that the library
uses: an error that telescopes away in a sum still shows here.
"""

from __future__ import annotations

import math

import torch

from tests.reference.cells import dot


def memory_and_gates(direction, inputs):
    """In reading order: memory[0..T] (first the initial one), and the gates of each step."""
    cell = direction.cell
    state = direction.start
    memories, gates = [memory_of(cell, state)], []
    for x in inputs:
        x = torch.tensor(x, dtype=cell.dtype)
        opened = cell.gates(x, state)
        state = cell.step(x, state)
        gates.append({name: value.tolist() for name, value in opened.items()})
        memories.append(memory_of(cell, state))
    return memories, gates


def memory_of(cell, state):
    return (state[cell.hidden_size :] if cell.kind.startswith("lstm") else state).tolist()


def expose(cell, memory, gates):
    if not cell.kind.startswith("lstm"):
        return list(memory)
    shown = [o * math.tanh(c) for o, c in zip(gates["o"], memory, strict=True)]
    return [dot(row, shown) for row in cell.R] if cell.kind == "lstm_projected" else shown


def partial_memories(cell, method, memories, gates, t):
    """S_{-1}, S_0, .., S_t: the memory at step t as read after each word."""
    if method == "beta":
        return memories[: t + 2]
    kept = {"gru": "z", "gru_reset_first": "z", "ugrnn": "u"}.get(cell.kind, "f")
    n = len(memories[0])

    def term(k):  # e_{k,t}; k = -1 is the initial memory
        result = []
        for u in range(n):
            if k < 0:
                written = memories[0][u]
            elif cell.kind.startswith("lstm"):
                written = gates[k]["i"][u] * gates[k]["g"][u]
            else:
                candidate = gates[k]["g" if cell.kind == "ugrnn" else "n"][u]
                written = (1 - gates[k][kept][u]) * candidate
            for j in range(k + 1, t + 1):
                written *= gates[j][kept][u]
            result.append(written)
        return result

    sums, total = [], [0.0] * n
    for k in range(-1, t + 1):
        total = [a + b for a, b in zip(total, term(k), strict=True)]
        sums.append(total)
    return sums


def word_scores(model, method, ids):
    """(words x classes), and the initial state's term, for one document."""
    inputs = [[float(v) for v in model.embedding[k]] for k in ids]
    top = model.layers[-1]
    if len(model.layers) > 1:
        trajectory = model.trajectory([list(ids)])
        below = torch.cat([run.outputs for run in trajectory.layers[-2]], dim=-1)[0]
        inputs = below.tolist()
    length, classes = len(ids), len(model.readout.weight)
    scores = [[0.0] * classes for _ in ids]
    initial = [0.0] * classes
    offset = 0
    for direction in top.directions:
        cell = direction.cell
        n = cell.hidden_size
        order = list(range(length))
        if direction.reverse:
            order.reverse()
        memories, gates = memory_and_gates(direction, [inputs[t] for t in order])
        outputs = [expose(cell, memories[t + 1], gates[t]) for t in range(length)]
        for t in range(length):
            share = shares(model, direction, outputs, t, n, length)
            if not any(share):
                continue
            sums = partial_memories(cell, method, memories, gates, t)
            shown = [expose(cell, memory, gates[t]) for memory in sums]
            for k in range(t + 2):
                before = shown[k - 1] if k else [0.0] * n
                change = [w * (a - b) for w, a, b in zip(share, shown[k], before, strict=True)]
                for c in range(classes):
                    value = dot(model.readout.weight[c][offset : offset + n], change)
                    if k == 0:
                        initial[c] += value
                    else:
                        scores[order[k - 1]][c] += value
        offset += n
    return scores, initial


def shares(model, direction, outputs, t, n, length):
    """The weight of each unit's state at reading step t in the pooled state."""
    if model.pooling == "last":
        return [1.0 if t == length - 1 else 0.0] * n
    if model.pooling == "mean":
        return [1.0 / length] * n
    text_order = range(length - 1, -1, -1) if direction.reverse else range(length)
    result = []
    for u in range(n):
        best = max(text_order, key=lambda k: outputs[k][u])
        result.append(1.0 if best == t else 0.0)
    return result
