"""Hand-built attractors: their stated answers hold, by their own equations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import root

from rnnscope.errors import UsageError
from rnnscope.synthetic import attractors as built

KINDS = ("vanilla", "ugrnn", "gru", "gru_reset_first", "lstm")
WITH_ROOTS = {
    "leaky_line": built.leaky_line(),
    "bistable": built.bistable(),
    "flip_flop": built.flip_flop(),
    "fold_ghost": built.fold_ghost(),
    "fold_ghost_other_side": built.fold_ghost(gain=3.0, past=0.1),
    "single_root": built.single_root(),
    "ring": built.ring(),
    "relu_ring": built.relu_ring(),
    "relu_ring_8": built.relu_ring(units=8, inhibition=0.3),
    "discrete_ring": built.discrete_ring(),
    "discrete_ring_10": built.discrete_ring(units=10, gain=1.5),
    **{f"flip_flop_{kind}": built.flip_flop(kind=kind) for kind in KINDS},
    **{f"flip_flop_{kind}_wide": built.flip_flop(kind=kind, bits=2, copies=3) for kind in KINDS},
}
WITH_CONTINUA = {
    "half_line": built.half_line(),
    "half_line_16": built.half_line(units=16, contraction=0.25),
    "lstm_line": built.lstm_integrator(),
    "lstm_plane": built.lstm_integrator(units=5, kept=2),
    "ring": built.ring(units=5, pull=0.3, rng=2),
    "relu_ring": built.relu_ring(),
    "relu_ring_8": built.relu_ring(units=8, inhibition=0.3),
}


def step(attractor, h):
    x = torch.zeros(len(h), attractor.cell.input_size, dtype=torch.float64)
    return attractor.cell.step(x, h)


def jacobian(attractor, h):
    x = torch.zeros(len(h), attractor.cell.input_size, dtype=torch.float64)
    return attractor.cell.J_rec(x, h)


@pytest.mark.parametrize("name", WITH_ROOTS)
def test_roots_are_fixed_and_as_unstable_as_stated(name):
    attractor = WITH_ROOTS[name]
    roots = attractor.roots
    torch.testing.assert_close(step(attractor, roots), roots, atol=2e-15, rtol=0)
    values = torch.linalg.eigvals(jacobian(attractor, roots))
    assert ((values.abs() > 1).sum(-1) == attractor.unstable).all()
    if len(attractor.eigenvalues):
        found = values.real.sort(-1, descending=True).values
        torch.testing.assert_close(found, attractor.eigenvalues, atol=1e-13, rtol=0)


def test_flip_flop_has_every_combination_once():
    attractor = built.flip_flop(bits=3)
    assert len(attractor.roots) == 27
    assert torch.bincount(attractor.unstable).tolist() == [8, 12, 6, 1]
    assert len(torch.unique(attractor.roots, dim=0)) == 27


@pytest.mark.parametrize("name", WITH_CONTINUA)
def test_continua_are_fixed_points_to_the_last_bits(name):
    attractor = WITH_CONTINUA[name]
    along = torch.linspace(0.05, 1.5, 40, dtype=torch.float64)[:, None]
    h = attractor.continuum(along.expand(-1, attractor.dimension))
    torch.testing.assert_close(step(attractor, h), h, atol=1e-15, rtol=0)
    sigma = torch.linalg.svdvals(jacobian(attractor, h) - torch.eye(h.shape[-1]))
    assert ((sigma < 1e-12).sum(-1) == attractor.dimension).all()
    values = torch.linalg.eigvals(jacobian(attractor, h)).real.sort(-1, descending=True).values
    expected = attractor.continuum_eigenvalues.expand_as(values)
    torch.testing.assert_close(values, expected, atol=1e-13, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_pulses_set_the_bits_they_are_given_to(kind):
    attractor = built.flip_flop(kind=kind)
    memories = attractor.roots[attractor.unstable == 0]
    start, aim = torch.cartesian_prod(torch.arange(8), torch.arange(8)).T
    bits = attractor.cell.memory(memories[aim]).sign()
    h = attractor.cell.step(bits, memories[start])
    for _ in range(150):
        h = attractor.cell.step(torch.zeros_like(bits), h)
    torch.testing.assert_close(h, memories[aim], atol=1e-13, rtol=0)


def test_ring_pieces_join_and_close():
    attractor = built.relu_ring()
    angle = torch.linspace(0, 2 * torch.pi, 20001, dtype=torch.float64)[:, None]
    h = attractor.continuum(angle)
    assert (h[1:] - h[:-1]).norm(dim=-1).max() < 1e-3
    torch.testing.assert_close(h[0], h[-1], atol=1e-14, rtol=0)
    assert len(torch.unique(h > 1e-3, dim=0)) == 12  # two active units at the corners
    bump = torch.atan2(h @ attractor.cell.W[:, 1], h @ attractor.cell.W[:, 0])
    turned = torch.atan2(angle[:, 0].sin(), angle[:, 0].cos())
    assert ((bump - turned).cos() > 0.99).all()


def test_the_relu_ring_has_no_other_fixed_points():
    """Each set of active units has a linear map of its own: solve all of them."""
    attractor = built.relu_ring()
    V, b = attractor.cell.V, attractor.cell.b
    eye = torch.eye(6, dtype=torch.float64)
    isolated, ring_pieces, ring_corners = [], 0, 0
    for active in itertools.product((0.0, 1.0), repeat=6):
        mask = torch.tensor(active, dtype=torch.float64)
        A = eye - mask[:, None] * V
        h = torch.linalg.pinv(A, rtol=1e-10) @ (mask * b)
        if (A @ h - mask * b).norm() > 1e-9:
            continue
        _, sigma, Vh = torch.linalg.svd(A)
        free = Vh[sigma < 1e-10]
        for direction in free:
            along = torch.linspace(-2, 2, 401, dtype=torch.float64)
            h = (h.reshape(-1, 1, 6) + along[:, None] * direction).reshape(-1, 6)
        h = h.reshape(-1, 6)
        fits = ((h @ V + b > 1e-9) == (mask > 0)).all(-1)
        if not fits.any():
            continue
        angle = torch.atan2(*(h[fits] @ attractor.cell.W).flip(-1).unbind(-1))
        apart = (h[fits] - attractor.continuum(angle[:, None])).norm(dim=-1)
        if apart.max() > 1e-9:
            isolated.append(h[0])
        elif len(free):
            ring_pieces += 1
        else:
            ring_corners += 1
    assert (ring_pieces, ring_corners) == (6, 6)
    assert len(isolated) == 1
    torch.testing.assert_close(isolated[0], attractor.roots[0], atol=1e-14, rtol=0)


def test_everything_near_the_smooth_ring_goes_to_it():
    attractor = built.ring()
    h = attractor.seeds(200)
    for _ in range(200):
        h = step(attractor, h)
    circle = attractor.continuum(
        torch.linspace(0, 2 * torch.pi, 4001, dtype=torch.float64)[:, None]
    )
    assert torch.cdist(h, circle).amin(-1).max() < 1e-3
    torch.testing.assert_close(step(attractor, h), h, atol=1e-14, rtol=0)


def test_the_discrete_ring_settles_in_its_nodes_only():
    attractor = built.discrete_ring()
    assert torch.bincount(attractor.unstable).tolist() == [6, 6, 1]
    h = attractor.seeds(200)
    for _ in range(300):
        h = step(attractor, h)
    nodes = attractor.roots[attractor.unstable == 0]
    assert (h[:, None] - nodes).norm(dim=-1).amin(-1).max() < 1e-12


def test_the_discrete_ring_has_no_other_roots():
    """``tanh(V h)`` depends on two numbers, so a fine grid of starts in them finds every root."""
    attractor = built.discrete_ring()
    angles = torch.atan2(attractor.cell.W[:, 1], attractor.cell.W[:, 0]).numpy()
    axes = np.stack([np.cos(angles), np.sin(angles)])

    def move(z):
        return axes @ np.tanh(2.0 * z @ axes) / 3 - z

    found = set()
    for start in itertools.product(np.linspace(-1.1, 1.1, 15), repeat=2):
        answer = root(move, start, tol=1e-13)
        if answer.success and np.abs(move(answer.x)).max() < 1e-11:
            found.add(tuple(np.round(answer.x, 6) + 0.0))
    assert len(found) == len(attractor.roots)


@given(st.integers(2, 8))
def test_simplex_corners_are_as_far_apart_as_can_be(corners):
    found = built.simplex(corners)
    eye = torch.eye(corners, dtype=torch.float64)
    expected = (eye - 1 / corners) / (1 - 1 / corners)
    torch.testing.assert_close(found @ found.mT, expected, atol=1e-14, rtol=0)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_simplex_model_counts_its_words(classes):
    model = built.simplex_model(classes=classes)
    names = model.classes
    documents = [[name, "the", name, names[0]] for name in names] + [["the"], [f"very_{names[1]}"]]
    logits = model.logits(documents)
    assert logits[:classes].argmax(-1).tolist() == list(range(classes))
    torch.testing.assert_close(logits[classes], torch.zeros(classes, dtype=torch.float64))
    memory = built.PUSH * torch.stack(
        [built.simplex(classes)[[k, k, 0]].sum(0) for k in range(classes)]
    )
    expected = memory.tanh() @ built.simplex(classes).mT
    torch.testing.assert_close(logits[:classes], expected, atol=1e-14, rtol=0)
    cell = model.layers[0].directions[0].cell
    states = torch.cat([memory.tanh() / 2, memory], dim=-1)
    h = torch.zeros(classes, cell.state_size, dtype=torch.float64)
    h[:, : classes - 1], h[:, 6 : 5 + classes] = states.chunk(2, dim=-1)
    x = torch.zeros(classes, cell.input_size, dtype=torch.float64)
    torch.testing.assert_close(cell.step(x, h), h, atol=1e-15, rtol=0)
    values = torch.linalg.eigvals(cell.J_rec(x, h)).real
    assert ((values - 1).abs() < 1e-12).sum(-1).tolist() == [classes - 1] * classes


@pytest.mark.parametrize(
    "make",
    [
        lambda: built.flip_flop(gain=1.0),
        lambda: built.flip_flop(kind="transformer"),
        lambda: built.flip_flop(keep=1.0),
        lambda: built.flip_flop(copies=0),
        lambda: built.lstm_integrator(units=2, kept=3),
        lambda: built.ring(units=1),
        lambda: built.relu_ring(units=7),
        lambda: built.relu_ring(inhibition=0.6),
        lambda: built.discrete_ring(gain=0.9),
        lambda: built.simplex_model(classes=1),
        lambda: built.simplex_model(classes=9, units=4),
    ],
)
def test_what_cannot_be_built_is_refused(make):
    with pytest.raises(UsageError, match="expected"):
        make()


@pytest.mark.parametrize("name", ["fold_ghost", "fold_ghost_other_side"])
def test_ghost_is_a_minimum_of_the_speed_that_moves(name):
    attractor = WITH_ROOTS[name]
    ghost = attractor.ghosts
    G = step(attractor, ghost) - ghost
    A = jacobian(attractor, ghost) - torch.eye(ghost.shape[-1])
    assert G.norm() > 1e-3
    torch.testing.assert_close(A[0].mT @ G[0], torch.zeros_like(G[0]), atol=1e-14, rtol=0)
    for offset in torch.eye(ghost.shape[-1], dtype=torch.float64) * 1e-3:
        for beside in (ghost + offset, ghost - offset):
            assert (step(attractor, beside) - beside).norm() > G.norm()


def test_line_model_adds_its_words_up():
    model = built.line_model()
    logits = model.logits([["good", "the", "very_good"], ["bad"], ["very_bad", "good", "bad"]])
    memory = torch.tensor([0.4, -0.1, -0.3], dtype=torch.float64)
    torch.testing.assert_close(logits[:, 1] - logits[:, 0], 2 * memory.tanh(), atol=1e-15, rtol=0)


def test_seeds_repeat_and_fill_the_cube():
    attractor = built.flip_flop()
    seeds = attractor.seeds(50, rng=3)
    assert torch.equal(seeds, attractor.seeds(50, rng=3))
    assert not torch.equal(seeds, attractor.seeds(50, rng=4))
    assert seeds.shape == (50, 3)
    assert seeds.abs().max() <= attractor.reach
