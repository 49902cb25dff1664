"""Two inputs that are held fixed have two names, and one input has one."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from rnnscope.dynamics import Rest
from rnnscope.dynamics.input_names import input_name

VECTOR = [0.1, 0.2, 0.3]


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_numbers_are_told_by_every_digit(kind):
    other = [*VECTOR[:2], 0.3000001]
    assert input_name(kind(VECTOR)) != input_name(kind(other))
    assert input_name(kind(VECTOR)) == input_name(kind(list(VECTOR)))


def test_a_layer_at_rest_under_another_input():
    """Bug: the printed form of a tensor has four digits, so both were taken for one."""
    a, b = (
        Rest(inputs=torch.tensor([0.123456, x], dtype=torch.float64)) for x in (0.1, 0.10000001)
    )
    assert repr(a) == repr(b)
    assert input_name(a) != input_name(b)
    assert input_name(Rest(inputs="zero")) != input_name(Rest(inputs="zero", steps=7))


def test_names_are_json():
    held = (
        "zero",
        ["good", "bad"],
        VECTOR,
        torch.ones(2, dtype=torch.bfloat16),
        Rest(inputs=VECTOR),
    )
    told = [input_name(one) for one in held]
    assert json.loads(json.dumps(told)) == told
    assert told[:2] == ["zero", ["good", "bad"]]
