"""Fixed points under a moving input: folds, pitchforks, period doublings, turning ones."""

from __future__ import annotations

import json
from math import acosh, cos, pi, sin, sqrt

import pytest
import torch

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.dynamics.bifurcation import continue_in_input
from rnnscope.dynamics.fold import locate_fold
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.pseudo_arclength import correct, tangent, trace
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import from_torch
from rnnscope.synthetic.bifurcations import hysteresis, imperfect_pitchfork, uniform_drive
from tests.helpers import WORDS, random_module

ONE = torch.ones(1, dtype=torch.float64)


def kinds(branch):
    return [(event.kind, event.s) for event in sorted(branch.bifurcations, key=lambda e: e.s)]


def is_root(cell, direction, branch):
    """Every state of the branch, by the cell's own step."""
    x = branch.s[:, None] * direction
    return (cell.step(x, branch.states) - branch.states).norm(dim=-1).max() < 1e-13


@pytest.mark.parametrize("gain", [1.3, 2.0])
def test_a_bistable_unit_folds_where_its_slope_is_one(gain):
    net = hysteresis(gain=gain, bias=0.01)
    for start in range(3):
        branch = continue_in_input(net.cell, net.roots[start], net.direction)
        assert is_root(net.cell, net.direction, branch)
        found = sorted(branch.folds, key=lambda fold: fold.s)
        assert [fold.s for fold in found] == pytest.approx(net.fold_inputs.tolist(), abs=1e-12)
        assert all(fold.exact for fold in found)
        for fold, state in zip(found, net.fold_states, strict=True):
            torch.testing.assert_close(fold.state, state, atol=1e-9, rtol=0)
        # One branch through all three roots: two attract, the one between does not.
        at_zero = branch.at(0.0)
        torch.testing.assert_close(
            at_zero.sort(dim=0).values, net.roots.sort(dim=0).values, atol=5e-3, rtol=0
        )


def test_the_unstable_part_lies_between_the_folds():
    net = hysteresis()
    branch = continue_in_input(net.cell, net.roots[0], net.direction)
    slope = 2.0 * (1 - branch.states[:, 0] ** 2)
    assert torch.equal(branch.stable, slope < 1)
    assert branch.leading[branch.unstable == 1].real.min() > 1
    assert "2 x fold" in branch.sentence
    assert branch.ends == ("s reached -1.", "s reached 1.")


@pytest.mark.parametrize(
    ("turn", "kind", "growing"),
    [(0.0, "branch point", 1), (pi, "period doubling", 1), (1.0, "Neimark-Sacker", 2)],
)
def test_where_like_units_come_apart(turn, kind, growing):
    net = uniform_drive(gain=1.4, turn=turn)
    branch = continue_in_input(net.cell, net.roots[0], net.direction, span=(-1.5, 1.5))
    at = acosh(sqrt(1.4))
    assert [name for name, _ in kinds(branch)] == [kind, kind]
    assert [s for _, s in kinds(branch)] == pytest.approx([-at, at], abs=1e-7)
    # The units stay alike on this branch, at tanh(s).
    expected = torch.tanh(branch.s)[:, None].expand_as(branch.states)
    torch.testing.assert_close(branch.states, expected, atol=1e-12, rtol=0)
    assert int(branch.unstable.max()) == growing
    critical = branch.bifurcations[0].eigenvalue
    assert abs(abs(critical) - 1) < 1e-6
    if kind == "Neimark-Sacker":
        assert abs(critical.real - cos(1.0)) < 1e-5
        assert abs(abs(critical.imag) - sin(1.0)) < 1e-5


def test_the_side_branches_of_a_pitchfork_cross_the_middle_one_and_do_not_fold():
    """The fold's equations nearly hold there, which once passed for a fold located to rounding."""
    net = uniform_drive(gain=1.4)
    at = acosh(sqrt(1.4))
    for root in net.roots[1:]:
        branch = continue_in_input(net.cell, root, net.direction, span=(-1.5, 1.5))
        assert branch.closed
        assert branch.folds == ()
        assert [kind for kind, _ in kinds(branch)] == ["branch point", "branch point"]
        assert [s for _, s in kinds(branch)] == pytest.approx([-at, at], abs=1e-4)


def test_a_pitchfork_is_two_folds_once_a_unit_is_favoured():
    net = imperfect_pitchfork()
    favoured = continue_in_input(net.cell, net.roots[0], net.direction, span=(-1.0, 1.0))
    assert favoured.bifurcations == ()
    assert favoured.stable.all()
    # The other two roots make a closed branch, with a fold at either end.
    start = torch.tensor([-0.9, 0.9], dtype=torch.float64)
    for _ in range(2000):
        start = net.cell.step(torch.zeros(1, dtype=torch.float64), start)
    assert float((start - net.roots[0]).norm()) > 0.1
    other = continue_in_input(net.cell, start, net.direction, span=(-1.0, 1.0))
    assert other.closed
    assert sorted(fold.s for fold in other.folds) == pytest.approx(
        sorted(net.fold_inputs.tolist()), abs=1e-10
    )


def test_nothing_happens_on_a_branch_of_a_contracting_network():
    V = 0.5 * torch.eye(3, dtype=torch.float64)
    cell = Vanilla(W=torch.ones(3, 1, dtype=torch.float64), V=V, b=torch.zeros(3).double())
    branch = continue_in_input(cell, torch.zeros(3).double(), ONE, span=(-2.0, 3.0))
    assert branch.bifurcations == ()
    assert branch.stable.all()
    assert float(branch.s.min()) == pytest.approx(-2.0)
    assert float(branch.s.max()) == pytest.approx(3.0)
    assert "nothing happens" in branch.sentence
    json.dumps(branch.summary())


def test_towards_a_word_s_is_one_at_the_word():
    model = from_torch(random_module("gru", units=5, seed=3), vocabulary=WORDS)
    h = torch.zeros(5, dtype=torch.float64)
    zero = torch.zeros(model.cell.input_size, dtype=torch.float64)
    for _ in range(3000):
        h = model.cell.step(zero, h)
    word = model.vocabulary.words[3]
    branch = continue_in_input(model, h, word, span=(0.0, 1.0))
    assert branch.name == word
    x = model.embedding[3].double()
    last = branch.states[-1]
    torch.testing.assert_close(model.cell.step(x, last), last, atol=1e-12, rtol=0)


def test_it_is_the_same_branch_from_both_ends():
    net = hysteresis()
    ahead = continue_in_input(net.cell, net.roots[0], net.direction)
    behind = continue_in_input(net.cell, net.roots[2], -net.direction)
    assert [s for _, s in kinds(ahead)] == pytest.approx(
        sorted(-s for _, s in kinds(behind)), abs=1e-10
    )


def test_the_folds_of_a_callable_cell():
    """The second derivative of the fold's equations comes of any differentiable step."""
    cell = Autodiff(
        function=lambda x, h: torch.tanh(2 * h + 0.1 + x),
        inputs=1,
        states=1,
        like=torch.zeros((), dtype=torch.float64),
    )
    net = hysteresis(others=0)
    branch = continue_in_input(cell, net.roots[0], ONE)
    assert sorted(fold.s for fold in branch.folds) == pytest.approx(
        net.fold_inputs.tolist(), abs=1e-12
    )


def test_a_fold_is_located_from_afar_and_refused_where_there_is_none():
    net = hysteresis()
    problem = Problem(cell=net.cell, x=torch.zeros(1, dtype=torch.float64))
    near = net.fold_states[1] + 0.05
    fold = locate_fold(problem, net.direction, near, float(net.fold_inputs[1]) - 0.05)
    assert fold is not None
    assert fold.simple
    assert fold.s == pytest.approx(float(net.fold_inputs[1]), abs=1e-13)
    # At a pitchfork J - I is singular, but the input does not push along what is left over.
    drive = uniform_drive(gain=1.4)
    at = acosh(sqrt(1.4))
    state = torch.full((2,), torch.tanh(torch.tensor(at).double()).item()).double()
    problem = Problem(cell=drive.cell, x=torch.zeros(1, dtype=torch.float64))
    found = locate_fold(problem, drive.direction, state, at)
    assert found is None or not found.simple


def test_a_circle_is_followed_round_to_its_start():
    class Circle:
        def __call__(self, u):
            return (u @ u - 1)[None], 2 * u[None]

        def tolerance(self, u):
            return 1e-13

    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    first = torch.tensor([0.0, 1.0], dtype=torch.float64)
    found = trace(Circle(), start, first, step=0.1, most=500, leaves=lambda u, t: "")
    assert found.closed
    assert (found.points.norm(dim=-1) - 1).abs().max() < 1e-12
    length = float(found.points.diff(dim=0).norm(dim=-1).sum())
    assert length == pytest.approx(2 * pi, rel=2e-3)
    off = torch.tensor([0.8, 0.5], dtype=torch.float64)
    assert correct(Circle(), off, torch.tensor([-0.5, 0.8]).double()).norm() == pytest.approx(
        1.0, abs=1e-12
    )
    turned = tangent(
        Circle(), torch.tensor([0.0, 1.0]).double(), torch.tensor([-1.0, 0.1]).double()
    )
    torch.testing.assert_close(turned, torch.tensor([-1.0, 0.0]).double())


def test_what_is_no_start_of_a_branch():
    net = hysteresis()
    with pytest.raises(DataError, match="starts from a fixed point"):
        continue_in_input(net.cell, torch.full((3,), 0.6).double(), ONE)
    with pytest.raises(DataError):
        continue_in_input(net.cell, torch.zeros(2).double(), ONE)
    with pytest.raises(DataError, match="one state"):
        continue_in_input(net.cell, net.roots, ONE)
    with pytest.raises(UsageError, match="length"):
        continue_in_input(net.cell, net.roots[0], torch.zeros(1).double())
    with pytest.raises(UsageError, match="span"):
        continue_in_input(net.cell, net.roots[0], ONE, span=(0.5, 1.0))
    with pytest.raises(UsageError, match="steps"):
        continue_in_input(net.cell, net.roots[0], ONE, step=0.0)
    model = from_torch(random_module("gru", units=3), vocabulary=WORDS)
    with pytest.raises(UsageError):
        continue_in_input(model, torch.zeros(3), "no such word")
    with pytest.raises(NotApplicable):
        continue_in_input(net.cell, net.roots, ONE, torch.zeros(3, 1))


def test_an_exact_line_has_no_one_branch():
    line = Vanilla(
        W=torch.tensor([[0.0], [1.0]]).double(),
        V=torch.tensor([[1.0, 0.0], [0.0, 0.5]]).double(),
        b=torch.zeros(2).double(),
        nonlinearity="relu",
    )
    with pytest.raises(NotApplicable, match="one curve"):
        continue_in_input(line, torch.tensor([0.7, 0.0]).double(), ONE)


def test_the_model_is_as_before():
    model = from_torch(random_module("gru", units=4, seed=1), vocabulary=WORDS)
    before = {name: weight.clone() for name, weight in model.cell.parameters.items()}
    h = torch.zeros(4, dtype=torch.float64)
    for _ in range(3000):
        h = model.cell.step(torch.zeros(model.cell.input_size).double(), h)
    kept = h.clone()
    state = torch.get_rng_state()
    continue_in_input(model, h, torch.ones(model.cell.input_size), span=(0.0, 0.2))
    assert torch.equal(h, kept)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], w) for name, w in model.cell.parameters.items())
