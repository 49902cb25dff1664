"""Every wrong input has a sentence that says what was expected, what came and what to do."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.data import Corpus
from rnnscope.dynamics import (
    FixedPointOptions,
    Outcome,
    Runs,
    find_cycles,
    find_fixed_points,
    fit_manifold,
    linearize,
)
from rnnscope.dynamics.options import SOLVER_NAMES
from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.models import from_torch
from rnnscope.numerics import denormals_are_flushed
from rnnscope.synthetic import attractors as built
from tests.helpers import WORDS, random_cell, random_documents, random_module

LIKE = torch.zeros((), dtype=torch.float64)


def scalar(step):
    """A cell of one number from ``step(h)``."""
    return Autodiff(function=lambda x, h: step(h) + 0 * x, inputs=1, states=1, like=LIKE)


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


def test_a_step_that_remembers_its_calls_is_refused():
    calls = []

    def counting(h):
        calls.append(1)
        return 0.5 * h + 0.01 * len(calls)

    with pytest.raises(ModelError, match="function of the state"):
        find_fixed_points(scalar(counting), torch.zeros(3, 1))


# Seeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seeds", "got"),
    [
        (np.zeros((2, 4), dtype=complex), "complex128"),
        (torch.zeros(2, 4, dtype=torch.complex64), "complex64"),
        ([[1j, 0, 0, 0]], "complex128"),
        (np.array([["a", "b", "c", "d"]]), "<U1"),
        (np.array([[object(), 1, 2, 3]], dtype=object), "object"),
        (np.zeros((2, 4), dtype="datetime64[s]"), "datetime64"),
    ],
    ids=["complex", "complex tensor", "complex list", "words", "objects", "dates"],
)
def test_states_that_are_no_real_numbers(seeds, got):
    with pytest.raises(DataError, match=rf"(?s)real numbers.*{got}"):
        find_fixed_points(random_cell("gru"), seeds)


def test_the_width_of_a_stack_is_explained():
    model = from_torch(random_module("gru", layers=2), vocabulary=WORDS)
    with pytest.raises(DataError, match=r"(?s)\(states, 10\).*layers joined"):
        find_fixed_points(model, torch.zeros(3, 5))


def test_indices_in_an_array_are_not_taken_for_documents_silently():
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    with pytest.raises(DataError, match="documents of word indices come as a list"):
        find_fixed_points(model, np.zeros((3, 7), dtype=int))


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        ([["good"], []], "document 1 is empty"),
        ([""], "document 0 is empty"),
        (iter([]), "one seed or more"),
        (Corpus(documents=()), "one seed or more"),
        ("good film", r"wrap it: \[text\]"),
        (3, "come as a list"),
        ([["good", "unheard"], ["good", 3]], "document 1"),
    ],
    ids=["empty", "empty text", "nothing", "empty corpus", "one text", "a number", "mixed"],
)
def test_documents_that_give_no_seeds(documents, sentence):
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    with pytest.raises(DataError, match=sentence):
        find_fixed_points(model, documents)


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_one_seed_is_enough(kind):
    cell = random_cell(kind)
    state = torch.full((1, cell.state_size), 0.1, dtype=torch.float64)
    points = find_fixed_points(cell, state)
    assert len(points) == len(points.outcomes) == 1
    assert points.scale == pytest.approx(float(state.norm()))
    alone = find_fixed_points(cell, torch.zeros(1, cell.state_size))
    assert alone.scale == 1
    assert np.isfinite(alone.summary()["scale"])


def test_a_seed_far_beyond_the_others_changes_no_verdict():
    cell = built.single_root().cell
    near = torch.zeros(4, 6, dtype=torch.float64)
    far = torch.cat([near, torch.full((1, 6), 1e12, dtype=torch.float64)])
    points = find_fixed_points(cell, far)
    assert points.outcomes[:4] == find_fixed_points(cell, near).outcomes


# Networks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        lambda h: h + 1,
        lambda h: h + 1 + h.abs(),
        lambda h: h + torch.exp(h),
        lambda h: 2 * h + torch.where(h > -1, 3.0, -3.0),
    ],
    ids=["moves on", "runs away", "comes to rest at infinity", "jumps over its root"],
)
def test_a_map_without_fixed_points_has_none(step):
    seeds = torch.linspace(-2, 2, 12, dtype=torch.float64)[:, None]
    points = find_fixed_points(scalar(step), seeds)
    assert len(points.roots) == len(points.continua) == len(points.ghosts) == 0
    assert set(points.outcomes) <= {Outcome.NOT_CONVERGED, Outcome.DIVERGED}
    assert (points.basin < 0).all()
    for seed in range(12):
        assert points.sentence(seed)


def test_an_expanding_network_without_fixed_points():
    """h' = relu(2 h + 1) lies above h wherever it is not 0."""
    eye = torch.eye(3, dtype=torch.float64)
    cell = Vanilla(
        W=torch.zeros(3, 1, dtype=torch.float64), V=2 * eye, b=eye.sum(0), nonlinearity="relu"
    )
    points = find_fixed_points(cell, np.random.default_rng(0).random((12, 3)))
    assert not {Outcome.ROOT, Outcome.CONTINUUM} & set(points.outcomes)
    assert len(points.roots) == len(points.continua) == 0
    assert (points.basin < 0).all()


def test_a_ghost_is_all_that_is_left_of_two_roots():
    """h' = h + h^2 + 1 never rests; it is slowest at 0."""
    points = find_fixed_points(scalar(lambda h: h + h * h + 1), torch.ones(3, 1))
    assert (len(points.roots), len(points.ghosts)) == (0, 1)
    assert points.ghosts.states.abs().max() < 1e-6
    assert "no fixed point" in points.sentence(0)


def test_a_callable_of_weights_that_are_not_finite():
    points = find_fixed_points(scalar(lambda h: h * torch.nan), torch.ones(3, 1))
    assert set(points.outcomes) == {Outcome.NOT_FINITE}
    assert "not finite" in points.sentence(0)


def test_seeds_from_which_the_step_overflows_are_told_apart():
    points = find_fixed_points(
        scalar(lambda h: 0.5 * h + (h > 5) * torch.exp(h)), torch.tensor([[0.5], [800.0]])
    )
    assert points.outcomes == (Outcome.ROOT, Outcome.NOT_FINITE)


def test_weights_of_one_layer_that_are_not_finite_are_named_with_it():
    model = from_torch(random_module("gru", layers=2), vocabulary=WORDS)
    model.layers[1].directions[0].cell.W[0, 0] = torch.inf
    with pytest.raises(ModelError, match=r"1 that are not, in layer1\.W"):
        find_fixed_points(model, random_documents())


@pytest.mark.parametrize("seeds", [torch.zeros(2, 5), Runs(inputs=np.zeros((1, 1, 4)))])
def test_two_directions_without_a_choice(seeds):
    model = from_torch(random_module("gru", bidirectional=True), vocabulary=WORDS)
    with pytest.raises(NotApplicable, match="two dynamical systems"):
        find_fixed_points(model, seeds)


def test_a_tolerance_that_no_dtype_at_hand_resolves_says_so():
    with pytest.raises(UsageError, match=r"(?s)tolerance.*at least 4\.93e-32.*float64"):
        find_fixed_points(random_cell("gru"), torch.zeros(1, 4), tolerance=1e-33)
    # What float32 could not resolve is no fault: the search runs in float64.
    cell = random_cell("gru", dtype=torch.float32)
    points = find_fixed_points(cell, torch.zeros(1, 4), tolerance=1e-28)
    assert points.terminals.dtype == torch.float64
    assert points.roots.finder_q.max() <= 1e-28


def test_every_way_in_refuses_what_is_not_finite_or_too_wide():
    cell = random_cell("gru")
    for work in (find_fixed_points, linearize, find_cycles):
        with pytest.raises(DataError, match=r"(?s)\(states, 4\).*\(7, 5\)"):
            work(cell, torch.zeros(7, 5))
        with pytest.raises(DataError, match="1 rows that are not: 1"):
            work(cell, [[0.0] * 4, [0.0, np.inf, 0.0, 0.0]])
    cell.b[2] = torch.inf
    for work in (find_fixed_points, linearize, find_cycles):
        with pytest.raises(ModelError, match=r"(?s)finite numbers.*1 that are not, in b"):
            work(cell, torch.zeros(1, 4))


@pytest.mark.parametrize("solver", SOLVER_NAMES)
def test_no_solver_finds_a_fixed_point_where_there_is_none(solver):
    """``h' = relu(1.5 h + 1)`` is above h everywhere."""
    one = torch.ones(2, dtype=torch.float64)
    cell = Vanilla(W=one[:, None], V=1.5 * torch.diag(one), b=one, nonlinearity="relu")
    seeds = torch.rand(4, 2, generator=torch.Generator().manual_seed(0))
    points = find_fixed_points(cell, seeds, solver=solver)
    for found in (points.roots, points.continua, points.ghosts, points.manifold):
        assert len(found) == 0
    assert set(points.outcomes) <= {Outcome.NOT_CONVERGED, Outcome.DIVERGED}
    for k in range(4):
        assert points.sentence(k).startswith(points.outcomes[k].sentence)
    with pytest.raises(NotApplicable, match=r"(?s)where the data goes.*4 (not_converged|diverged)"):
        linearize(cell, points)


def test_one_seed_is_enough_for_all_that_follows():
    network = built.leaky_line()
    points = find_fixed_points(network.cell, network.seeds(1))
    modes = linearize(network.cell, points)
    line = fit_manifold(points, modes)
    assert len(line) == len(modes) == len(points.line_states) >= 1
    assert torch.isfinite(line.axis).all()
    assert line.variance_null is None


# What is left behind ------------------------------------------------------------------------


@contextmanager
def nothing_changes(*tensors):
    """Whatever happens inside, the process and these arrays are as before after."""

    def now():
        return (
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            denormals_are_flushed(),
            torch.get_default_dtype(),
            torch.random.get_rng_state().numpy().tobytes(),
            np.random.get_state()[1].tobytes(),  # noqa: NPY002
            [tensor.detach().numpy().tobytes() for tensor in tensors],
        )

    before = now()
    yield
    assert now() == before


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_the_users_model_arrays_and_process_are_left_alone(kind, two_threads):
    module = random_module(kind, dtype=torch.float32)
    model = from_torch(module, vocabulary=WORDS)
    seeds = torch.rand(6, model.cell.state_size, generator=torch.Generator().manual_seed(0))
    vectors = torch.rand(6, 4, generator=torch.Generator().manual_seed(1))
    with nothing_changes(seeds, vectors, *module.parameters(), *model.weights().values()):
        for inputs in ("good", vectors):
            points = find_fixed_points(model, seeds, inputs)
        linearize(model, points.seeds[:2], "good")
        points.seeds.zero_()
        points.held.vector.zero_()
    assert model.dtype == torch.float32


def interrupted(at):
    """A cell whose step is interrupted at its ``at``-th call; and the list of its calls."""
    calls = []
    V = 1.5 * torch.eye(3, dtype=torch.float64)

    def step(x, h):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return torch.tanh(h @ V.to(h.dtype) + x.sum(-1, keepdim=True))

    return Autodiff(function=step, inputs=2, states=3, like=LIKE), V, calls


def test_a_callable_with_float64_weights_of_its_own():
    V = torch.eye(2, dtype=torch.float64) / 2
    cell = Autodiff(function=lambda x, h: torch.tanh(h @ V + x), inputs=2, states=2, like=LIKE)
    assert len(find_fixed_points(cell, torch.ones(2, 2)).roots) == 1


def test_an_interrupted_search_leaves_nothing_behind(two_threads):
    """Wherever the interrupt comes."""
    seeds = 2 * torch.rand(6, 3, generator=torch.Generator().manual_seed(0)) - 1
    x = torch.zeros(2)
    cell, _, calls = interrupted(0)
    made = len(calls)
    find_fixed_points(cell, seeds, x)
    total = len(calls)
    assert total > 50
    for at in np.unique(np.linspace(made + 1, total, 14).astype(int)).tolist():
        cell, V, calls = interrupted(at)
        with nothing_changes(seeds, x, V):
            with pytest.raises(KeyboardInterrupt):
                find_fixed_points(cell, seeds, x)
            assert len(calls) >= at


def test_after_an_interrupt_the_same_search_gives_the_same_result():
    seeds = torch.full((2, 3), 0.3)
    whole, _, _ = interrupted(0)
    cell, _, _ = interrupted(60)
    with pytest.raises(KeyboardInterrupt):
        find_fixed_points(cell, seeds)
    again, known = find_fixed_points(cell, seeds), find_fixed_points(whole, seeds)
    assert torch.equal(again.terminals, known.terminals)
    assert again.outcomes == known.outcomes


def test_one_seed_may_be_a_plain_list():
    points = find_fixed_points(random_cell("gru"), [0.0, 0.1, 0.2, 0.3])
    assert len(points) == 1
