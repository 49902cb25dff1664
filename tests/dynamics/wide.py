"""Networks wide enough for the matrix-free roads, whose answers are known."""

from __future__ import annotations

import torch

from rnnscope.cells import GRU, LSTM, Vanilla
from rnnscope.dynamics.problem import Problem

WIDTH = 100


def rotation(n, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(n, n, generator=rng, dtype=torch.float64)).Q


def wide_leaky_line(slow=0.995, n=WIDTH):
    """``h' = tanh(V h)``: eigenvalue ``slow`` along the first column of Q, from .7 down to -.3
    along the others; one stable root, at 0."""
    Q = rotation(n)
    values = torch.linspace(-0.3, 0.7, n, dtype=torch.float64)
    values[0] = slow
    V = Q @ torch.diag(values) @ Q.mT
    zeros = torch.zeros(n, dtype=torch.float64)
    return Vanilla(W=torch.zeros(n, 1, dtype=torch.float64), V=V, b=zeros), Q


def wide_bistable(n=WIDTH, gain=1.5):
    """Grows along one direction until tanh holds it: two stable roots, and a saddle at 0."""
    cell, Q = wide_leaky_line(slow=gain, n=n)
    return cell, Q


def wide_random(kind="gru", n=WIDTH, scale=0.7, seed=0):
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return scale * torch.randn(*shape, generator=rng, dtype=torch.float64)

    gates = {"gru": 3, "lstm": 4}[kind]
    weights = {
        "W": normal(gates * n, 2),
        "V": normal(gates * n, n) / n**0.5,
        "b": normal(gates * n),
    }
    return GRU(**weights, a=normal(n)) if kind == "gru" else LSTM(**weights)


def at_zero(cell):
    return Problem(cell=cell, x=torch.zeros(cell.input_size, dtype=torch.float64))


def normal(*shape, seed=1):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64)
