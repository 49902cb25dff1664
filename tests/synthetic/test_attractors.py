"""Hand-built attractors: their stated answers hold, by their own equations."""

from __future__ import annotations

import pytest
import torch

from rnnscope.synthetic import attractors as built

WITH_ROOTS = {
    "leaky_line": built.leaky_line(),
    "bistable": built.bistable(),
    "flip_flop": built.flip_flop(),
    "fold_ghost": built.fold_ghost(),
    "fold_ghost_other_side": built.fold_ghost(gain=3.0, past=0.1),
    "single_root": built.single_root(),
}
WITH_CONTINUA = {
    "half_line": built.half_line(),
    "half_line_16": built.half_line(units=16, contraction=0.25),
    "lstm_line": built.lstm_integrator(),
    "lstm_plane": built.lstm_integrator(units=5, kept=2),
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
