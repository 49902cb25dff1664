"""The diagrams show what the branches and curves hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope.cells import Autodiff
from rnnscope.dynamics import continue_in_input, find_fixed_points, trace_slow_curve
from rnnscope.errors import UsageError
from rnnscope.report import bifurcation_diagram, drift_along
from rnnscope.synthetic import hysteresis


def test_a_bifurcation_diagram_holds_every_point_and_marks_the_folds():
    net = hysteresis()
    branch = continue_in_input(net.cell, net.roots[0], net.direction)
    unit = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    axes = bifurcation_diagram.figure(branch, direction=unit, label="unit 0").axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) > 2]
    dashed = [line for line in lines if line.get_linestyle() != "-"]
    assert len(lines) == 3
    assert len(dashed) == 1
    heights = np.concatenate([np.asarray(line.get_ydata()) for line in lines])
    assert set(branch.states[:, 0].tolist()) <= set(heights.tolist())
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    found = sorted(float(line.get_xdata()[0]) for line in marks)
    assert found == pytest.approx(net.fold_inputs.tolist())
    assert axes.get_ylabel() == "unit 0"
    with pytest.raises(UsageError):
        bifurcation_diagram.figure([])


def test_drift_along_a_curve_marks_what_attracts():
    def step(x, h):
        u, z = h[..., :1], h[..., 1:]
        return torch.cat([u + 0.01 * (u - u**3), z / 2], -1) + x

    like = torch.zeros((), dtype=torch.float64)
    cell = Autodiff(function=step, inputs=2, states=2, like=like)
    seeds = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points = find_fixed_points(cell, 2.4 * seeds - 1.2)
    curve = trace_slow_curve(cell, points)
    axes = drift_along.figure(curve).axes[0]
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    filled = [mark.get_markerfacecolor() == mark.get_markeredgecolor() for mark in marks]
    assert filled == [True, False, True]
    places = [float(mark.get_xdata()[0]) for mark in marks]
    assert places == pytest.approx([root.position / curve.scale for root in curve.roots])
