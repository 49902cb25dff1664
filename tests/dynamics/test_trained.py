"""Trained sentiment networks whose roots are known; skipped where the larger data sets are not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rnnscope.cells import GRU, LSTM, Cell, Vanilla
from rnnscope.dynamics import Outcome, find_fixed_points, fit_manifold, linearize


def network(shared: Path, name: str) -> tuple[Cell, torch.Tensor]:
    """The cell and the states it visits."""
    data = load_file(shared / "bench" / "dynamics" / f"{name}.safetensors")
    W, V = data["rnn.weight_ih_l0"], data["rnn.weight_hh_l0"]
    b, a = data["rnn.bias_ih_l0"].clone(), data["rnn.bias_hh_l0"]
    if name.startswith("gru"):
        gates = 2 * V.shape[1]
        b[:gates] += a[:gates]
        return GRU(W=W, V=V, b=b, a=a[gates:]), data["seeds"]
    kind = LSTM if name.startswith("lstm") else Vanilla
    return kind(W=W, V=V, b=b + a), data["seeds"]


def test_vanilla_long_has_two_spirals_and_a_repeller(shared):
    cell, seeds = network(shared, "vanilla_long")
    points = find_fixed_points(cell, seeds[::64])
    assert len(points.roots) == 3
    assert set(points.outcomes) == {Outcome.ROOT}
    modes = linearize(cell, points.roots)
    assert sorted(modes.stable.tolist()) == [False, True, True]
    assert modes.oscillating[modes.stable][:, 0].all()
    assert len(points.manifold) == 0


def test_gru_line_has_one_root_and_a_slow_manifold(shared):
    cell, seeds = network(shared, "gru_line")
    points = find_fixed_points(cell, seeds[::64])
    assert len(points.roots) == 1
    modes = linearize(cell, points.roots)
    assert float(modes.radius[0]) == pytest.approx(0.9994, abs=1e-4)
    assert len(points.manifold) > 8
    line = fit_manifold(points)
    assert float(line.variance[0]) > 0.9


def test_lstm_short_has_two_nodes_and_a_saddle(shared):
    cell, seeds = network(shared, "lstm_short")
    points = find_fixed_points(cell, seeds[::64])
    modes = linearize(cell, points.roots)
    assert sorted(modes.unstable_count.tolist()) == [0, 0, 1]
