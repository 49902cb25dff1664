"""Each framework's cell, step by step, from its published equations and in its own gate order.

Loops over units with plain numbers; nothing of rnnscope is used.
"""

from __future__ import annotations

import math

import numpy as np


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def product(matrix, vector, row):
    """Entry ``row`` of ``matrix @ vector``."""
    return sum(float(matrix[row][k]) * float(vector[k]) for k in range(len(vector)))


def dense(kernel, vector, column):
    """Entry ``column`` of ``vector @ kernel``, a kernel of (inputs, outputs)."""
    return sum(float(vector[k]) * float(kernel[k][column]) for k in range(len(vector)))


def keras_lstm(xs, kernel, recurrent, bias):
    """Gates i, f, c, o in columns."""
    n = len(recurrent)
    h, c = [0.0] * n, [0.0] * n
    for x in xs:
        z = [dense(kernel, x, j) + dense(recurrent, h, j) + float(bias[j]) for j in range(4 * n)]
        c = [sigmoid(z[n + j]) * c[j] + sigmoid(z[j]) * math.tanh(z[2 * n + j]) for j in range(n)]
        h = [sigmoid(z[3 * n + j]) * math.tanh(c[j]) for j in range(n)]
    return np.array(h)


def keras_gru(xs, kernel, recurrent, bias, *, reset_after):
    """Gates z, r, h in columns; bias (2, 3n) where the reset acts after the product."""
    n = len(recurrent)
    h = [0.0] * n
    outer = bias[0] if reset_after else bias
    for x in xs:
        a = [dense(kernel, x, j) + float(outer[j]) for j in range(3 * n)]
        extra = bias[1] if reset_after else [0.0] * (3 * n)
        z = [sigmoid(a[j] + dense(recurrent, h, j) + float(extra[j])) for j in range(n)]
        r = [sigmoid(a[n + j] + dense(recurrent, h, n + j) + float(extra[n + j])) for j in range(n)]
        if reset_after:
            inner = [
                r[j] * (dense(recurrent, h, 2 * n + j) + float(extra[2 * n + j])) for j in range(n)
            ]
        else:
            reset = [r[j] * h[j] for j in range(n)]
            inner = [dense(recurrent, reset, 2 * n + j) for j in range(n)]
        h = [z[j] * h[j] + (1 - z[j]) * math.tanh(a[2 * n + j] + inner[j]) for j in range(n)]
    return np.array(h)


def keras_rnn(xs, kernel, recurrent, bias):
    n = len(recurrent)
    h = [0.0] * n
    for x in xs:
        h = [
            math.tanh(dense(kernel, x, j) + dense(recurrent, h, j) + float(bias[j]))
            for j in range(n)
        ]
    return np.array(h)


def flax_lstm(xs, p):
    n = len(p["hi"]["bias"])
    h, c = [0.0] * n, [0.0] * n
    for x in xs:

        def gate(name, x=x, h=h):
            return [
                dense(p[f"i{name}"]["kernel"], x, j)
                + dense(p[f"h{name}"]["kernel"], h, j)
                + float(p[f"h{name}"]["bias"][j])
                for j in range(n)
            ]

        i, f, g, o = gate("i"), gate("f"), gate("g"), gate("o")
        c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(n)]
        h = [sigmoid(o[j]) * math.tanh(c[j]) for j in range(n)]
    return np.array(h)


def flax_gru(xs, p):
    n = len(p["in"]["bias"])
    h = [0.0] * n
    for x in xs:
        r, z, new = [], [], []
        for j in range(n):
            of_x = {
                g: dense(p[f"i{g}"]["kernel"], x, j) + float(p[f"i{g}"]["bias"][j]) for g in "rzn"
            }
            of_h = {g: dense(p[f"h{g}"]["kernel"], h, j) for g in "rzn"}
            r.append(sigmoid(of_x["r"] + of_h["r"]))
            z.append(sigmoid(of_x["z"] + of_h["z"]))
            new.append(math.tanh(of_x["n"] + r[j] * (of_h["n"] + float(p["hn"]["bias"][j]))))
        h = [(1 - z[j]) * new[j] + z[j] * h[j] for j in range(n)]
    return np.array(h)


def renn(xs, p, kind, *, forget_bias=1.0, gate_bias=0.0):
    """renn's cells: a linear RNN ``A x + W h + b`` for each gate."""
    start = [float(v) for v in p["initial_state"]]
    n = len(start) // 2 if kind == "lstm" else len(start)
    h, c = start[:n], start[n:]

    def linear(name, x, h, j):
        gate = p[name]
        return product(gate["A"], x, j) + product(gate["W"], h, j) + float(gate["b"][j])

    for x in xs:
        if kind == "vanilla":
            h = [math.tanh(linear("weights", x, h, j)) for j in range(n)]
        elif kind == "ugrnn":
            u = [sigmoid(linear("update_gate", x, h, j) + gate_bias) for j in range(n)]
            g = [math.tanh(linear("cell_state", x, h, j)) for j in range(n)]
            h = [u[j] * h[j] + (1 - u[j]) * g[j] for j in range(n)]
        elif kind == "gru":
            u = [sigmoid(linear("update_gate", x, h, j) + gate_bias) for j in range(n)]
            r = [sigmoid(linear("reset_gate", x, h, j)) for j in range(n)]
            reset = [r[j] * h[j] for j in range(n)]
            g = [math.tanh(linear("cell_state", x, reset, j)) for j in range(n)]
            h = [u[j] * h[j] + (1 - u[j]) * g[j] for j in range(n)]
        else:
            f = [sigmoid(linear("forget_gate", x, h, j) + forget_bias) for j in range(n)]
            i = [sigmoid(linear("update_gate", x, h, j)) for j in range(n)]
            o = [sigmoid(linear("output_gate", x, h, j)) for j in range(n)]
            g = [math.tanh(linear("cell_state", x, h, j)) for j in range(n)]
            c = [f[j] * c[j] + i[j] * g[j] for j in range(n)]
            h = [o[j] * math.tanh(c[j]) for j in range(n)]
    return np.array(h)


def tensorflow_lstm(xs, kernel, bias, *, forget_bias=1.0):
    """BasicLSTMCell: columns i, j, f, o of one kernel for x and h joined."""
    n = len(bias) // 4
    h, c = [0.0] * n, [0.0] * n
    for x in xs:
        joined = [*x, *h]
        z = [dense(kernel, joined, j) + float(bias[j]) for j in range(4 * n)]
        c = [
            c[j] * sigmoid(z[2 * n + j] + forget_bias) + sigmoid(z[j]) * math.tanh(z[n + j])
            for j in range(n)
        ]
        h = [math.tanh(c[j]) * sigmoid(z[3 * n + j]) for j in range(n)]
    return np.array(h)


def tensorflow_gru(xs, gates, gates_bias, candidate, candidate_bias):
    """GRUCell: columns r, u of one kernel, and the candidate of x and r * h joined."""
    n = len(candidate_bias)
    h = [0.0] * n
    for x in xs:
        joined = [*x, *h]
        z = [sigmoid(dense(gates, joined, j) + float(gates_bias[j])) for j in range(2 * n)]
        reset = [*x, *(z[j] * h[j] for j in range(n))]
        g = [math.tanh(dense(candidate, reset, j) + float(candidate_bias[j])) for j in range(n)]
        h = [z[n + j] * h[j] + (1 - z[n + j]) * g[j] for j in range(n)]
    return np.array(h)


def onnx_lstm(xs, W, R, B):
    """Gates i, o, f, c; B is Wb and Rb joined."""
    n = R.shape[1]
    h, c = [0.0] * n, [0.0] * n
    for x in xs:
        z = [
            product(W, x, j) + product(R, h, j) + float(B[j]) + float(B[4 * n + j])
            for j in range(4 * n)
        ]
        c = [
            sigmoid(z[2 * n + j]) * c[j] + sigmoid(z[j]) * math.tanh(z[3 * n + j]) for j in range(n)
        ]
        h = [sigmoid(z[n + j]) * math.tanh(c[j]) for j in range(n)]
    return np.array(h)


def onnx_gru(xs, W, R, B, *, linear_before_reset):
    """Gates z, r, h."""
    n = R.shape[1]
    h = [0.0] * n
    for x in xs:
        a = [product(W, x, j) + float(B[j]) for j in range(3 * n)]
        e = [float(B[3 * n + j]) for j in range(3 * n)]
        z = [sigmoid(a[j] + product(R, h, j) + e[j]) for j in range(n)]
        r = [sigmoid(a[n + j] + product(R, h, n + j) + e[n + j]) for j in range(n)]
        if linear_before_reset:
            inner = [r[j] * (product(R, h, 2 * n + j) + e[2 * n + j]) for j in range(n)]
        else:
            reset = [r[j] * h[j] for j in range(n)]
            inner = [product(R, reset, 2 * n + j) + e[2 * n + j] for j in range(n)]
        h = [(1 - z[j]) * math.tanh(a[2 * n + j] + inner[j]) + z[j] * h[j] for j in range(n)]
    return np.array(h)
