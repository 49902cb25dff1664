"""A whole network, one word and one unit at a time, in plain Python floats."""

from __future__ import annotations

from tests.reference.cells import STEPS, dot


def run_direction(direction, inputs):
    """The states after each word, in the order of the text."""
    cell = direction.cell
    order = list(range(len(inputs)))
    if direction.reverse:
        order.reverse()
    state = [float(v) for v in direction.start]
    states = [None] * len(inputs)
    for t in order:
        state = STEPS[cell.kind](cell, inputs[t], state)
        states[t] = state
    return states


def run_model(model, ids):
    """(states of each direction of the top layer, pooled, logits) for one document."""
    inputs = [[float(v) for v in model.embedding[k]] for k in ids]
    for layer in model.layers:
        states = [run_direction(d, inputs) for d in layer.directions]
        n = [d.cell.hidden_size for d in layer.directions]
        inputs = [
            [v for s, width in zip(states, n, strict=True) for v in s[t][:width]]
            for t in range(len(ids))
        ]
    steps = range(len(ids))
    if model.pooling == "last":
        ends = [0 if d.reverse else len(ids) - 1 for d in model.layers[-1].directions]
        pooled = [v for s, w, t in zip(states, n, ends, strict=True) for v in s[t][:w]]
    elif model.pooling == "mean":
        pooled = [sum(inputs[t][k] for t in steps) / len(ids) for k in range(sum(n))]
    else:
        pooled = [max(inputs[t][k] for t in steps) for k in range(sum(n))]
    weight, bias = model.readout.weight, model.readout.bias
    return states, pooled, [dot(w, pooled) + float(b) for w, b in zip(weight, bias, strict=True)]
