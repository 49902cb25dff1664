"""Networks that compute something else have another fingerprint."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rnnscope.cells import Affine, Autodiff, Norm, Stack, Transformed
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.models.fingerprint import choices_of
from tests.helpers import random_cell


def model_of(cell):
    weight = torch.ones(2, cell.hidden_size, dtype=cell.dtype)
    readout = Readout.of(weight, weight[:, 0])
    return Model(layers=(Layer(directions=(Direction(cell=cell),)),), readout=readout)


def test_relu_is_not_tanh():
    """Bug: both had the same fingerprint, as their weights are the same."""
    tanh = random_cell("vanilla", d=4, n=4)
    relu = replace(tanh, nonlinearity="relu")
    assert model_of(tanh).fingerprint != model_of(relu).fingerprint
    assert choices_of(Stack(layers=(tanh, relu))) != choices_of(Stack(layers=(relu, tanh)))


@pytest.mark.parametrize("kind", ["vanilla", "ugrnn", "gru", "gru_reset_first", "lstm"])
def test_what_a_cell_is_by_default_is_not_told(kind):
    assert choices_of(random_cell(kind)) == ""
    named = replace(random_cell("vanilla"), nonlinearity="".join(["ta", "nh"]))
    assert choices_of(named) == ""


def test_what_is_inside_is_told():
    cell = random_cell("gru")
    ones = torch.ones(4, dtype=cell.dtype)
    told = {
        choices_of(Transformed(inner=cell, steps=(Norm(weight=ones, bias=ones, eps=eps),)))
        for eps in (1e-5, 1e-3, 1e-2)
    }
    assert len(told) == 3
    step = Affine(weight=torch.eye(4, dtype=cell.dtype), bias=0 * ones)
    assert choices_of(Transformed(inner=cell, steps=(step,))) == ""


def test_a_callable_is_known_by_its_name():
    def one(x, h):
        return h / 2

    def other(x, h):
        return h / 3

    told = {choices_of(Autodiff(function=f, inputs=1, states=2)) for f in (one, other)}
    assert len(told) == 2
