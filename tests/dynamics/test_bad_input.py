"""Every wrong input has a sentence that says what was expected, what came and what to do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope.cells import Autodiff
from rnnscope.dynamics import FixedPointOptions, find_fixed_points
from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.synthetic import attractors as built
from tests.helpers import random_cell


def test_wrong_width_names_both_numbers():
    with pytest.raises(DataError, match=r"(?s)\(states, 4\).*\(7, 5\)"):
        find_fixed_points(random_cell("gru"), torch.zeros(7, 5))
    with pytest.raises(DataError, match=r"h and c joined"):
        find_fixed_points(random_cell("lstm"), torch.zeros(7, 4))


def test_seeds_that_are_not_finite_are_named_by_row():
    seeds = np.zeros((5, 4))
    seeds[[1, 3], 2] = np.nan
    with pytest.raises(DataError, match=r"2 rows that are not: 1, 3"):
        find_fixed_points(random_cell("gru"), seeds)


@pytest.mark.parametrize("seeds", [torch.zeros(0, 4), [], np.zeros((2, 3, 4))])
def test_no_seeds_or_no_table(seeds):
    with pytest.raises((DataError, UsageError)):
        find_fixed_points(random_cell("gru"), seeds)


def test_weights_that_are_not_finite_are_named():
    cell = random_cell("gru")
    cell.V[0, 0] = torch.nan
    with pytest.raises(ModelError, match="1 that are not, in V"):
        find_fixed_points(cell, torch.zeros(1, 4))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("tolerance", 1e-40),
        ("fast_tolerance", 1e-30),
        ("count", 0),
        ("slow_time", -1.0),
        ("max_steps", float("nan")),
        ("near", "far"),
    ],
)
def test_options_out_of_range(option, value):
    with pytest.raises(UsageError, match=option):
        FixedPointOptions(**{option: value})


def test_an_unknown_option_is_named():
    with pytest.raises(UsageError, match="tol_q"):
        find_fixed_points(random_cell("gru"), torch.zeros(1, 4), tol_q=1)


def test_documents_for_a_bare_cell():
    with pytest.raises(UsageError, match="reads no documents"):
        find_fixed_points(random_cell("gru"), [["a", "b"]])


def test_words_and_means_need_an_embedding():
    with pytest.raises(NotApplicable, match="embedding"):
        find_fixed_points(random_cell("gru"), torch.zeros(1, 4), "mean")


def test_an_unknown_word_gets_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'good'"):
        find_fixed_points(built.line_model(), torch.zeros(1, 8), "godo")


@pytest.mark.parametrize(
    "inputs", [[1.0], np.zeros((1, 1, 3)), np.zeros((1, 2)), [1.0, np.nan, 0.0]]
)
def test_input_vectors_that_do_not_fit(inputs):
    with pytest.raises(DataError, match=r"\(3,\) or \(seeds, 3\), finite"):
        find_fixed_points(random_cell("gru"), torch.zeros(1, 4), inputs)


def test_an_input_of_the_wrong_type():
    with pytest.raises(UsageError, match="object"):
        find_fixed_points(random_cell("gru"), torch.zeros(1, 4), object())


def test_a_noisy_step_is_refused():
    def noisy(x, h):
        return 0.5 * h + 0.01 * torch.randn_like(h) + 0 * x

    cell = Autodiff(function=noisy, inputs=1, states=1, like=torch.zeros((), dtype=torch.float64))
    with pytest.raises(ModelError, match="dropout"):
        find_fixed_points(cell, torch.zeros(3, 1))


def test_one_seed_may_be_a_plain_list():
    points = find_fixed_points(random_cell("gru"), [0.0, 0.1, 0.2, 0.3])
    assert len(points) == 1
