"""Trained flip-flops: they do the task, and the search finds their memories and saddles."""

from __future__ import annotations

import pytest
import torch

from rnnscope.dynamics import find_fixed_points, linearize
from rnnscope.errors import UsageError
from rnnscope.synthetic import flip_flop_trials, train_flip_flop

KINDS = ("vanilla", "gru", "lstm")


@pytest.fixture(scope="session")
def networks():
    made = {}

    def network(kind):
        if kind not in made:
            made[kind] = train_flip_flop(kind)
        return made[kind]

    return network


def test_trials_remember_the_last_pulse_of_each_channel():
    generator = torch.Generator().manual_seed(0)
    inputs, targets = flip_flop_trials(5, steps=30, bits=2, generator=generator)
    assert set(inputs.flatten().tolist()) == {-1.0, 0.0, 1.0}
    for trial in range(5):
        for bit in range(2):
            held = None
            for step in range(30):
                pulse = float(inputs[trial, step, bit])
                held = pulse if pulse else held
                assert float(targets[trial, step, bit]) == held


@pytest.mark.parametrize("kind", KINDS)
def test_the_task_is_learned(networks, kind):
    network = networks(kind)
    assert network.accuracy > 0.99
    assert network.error < 0.05
    assert network.losses[-1] < network.losses[0] / 5


@pytest.mark.parametrize("kind", KINDS)
def test_each_memory_holds_without_input(networks, kind):
    network = networks(kind)
    said = network.outputs(network.held(2000))
    assert torch.equal(said.sign(), network.memories)
    assert (said - network.memories).abs().max() < 0.5


def between(states):
    """Mixtures of every two of these states."""
    one, other = torch.triu_indices(len(states), len(states), 1)
    share = torch.linspace(0.2, 0.8, 7, dtype=torch.float64)[:, None, None]
    return (share * states[one] + (1 - share) * states[other]).flatten(0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_finds_a_stable_point_for_each_memory_and_saddles_between(networks, kind):
    network = networks(kind)
    seeds = torch.cat([network.visited(100), between(network.held())])
    points = find_fixed_points(network.cell, seeds)
    modes = linearize(network.cell, points.roots)
    said = network.outputs(points.roots.states)
    assert torch.bincount(modes.unstable_count).tolist() == [8, 12, 6, 1]
    # A bit is held or undecided; every combination of these is one root, as in the cube built by
    # hand: memories, then the middles of edges and faces, then the centre.
    bits = torch.where(said.abs() < 0.5, 0.0, said.sign())
    assert torch.equal((bits == 0).sum(-1), modes.unstable_count)
    assert len(torch.unique(bits, dim=0)) == 27
    stable = points.roots.states[modes.stable]
    apart = (stable[:, None] - network.held()).norm(dim=-1)
    assert apart.amin(-1).max() < 1e-9


def test_visited_states_alone_lead_to_every_memory(networks):
    network = networks("gru")
    points = find_fixed_points(network.cell, network.visited(100))
    stable = points.roots.states[linearize(network.cell, points.roots).stable]
    assert len(torch.unique(network.outputs(stable).sign(), dim=0)) == 8


@pytest.mark.parametrize("kind", ["ugrnn", "gru_reset_first"])
def test_a_seed_repeats_and_nothing_else_is_touched(kind):
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    options = {"units": 4, "bits": 2, "iterations": 3, "batch": 4, "steps": 6}
    one, same = (train_flip_flop(kind, rng=5, **options) for _ in range(2))
    other = train_flip_flop(kind, rng=6, **options)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    for name, weight in one.cell.parameters.items():
        assert torch.equal(weight, same.cell.parameters[name])
        assert not weight.requires_grad
    assert not torch.equal(one.cell.parameters["V"], other.cell.parameters["V"])
    assert one.error == same.error
    with torch.no_grad():
        assert train_flip_flop(kind, rng=5, **options).losses == one.losses


@pytest.mark.parametrize("wrong", [{"kind": "cnn"}, {"units": 0}, {"iterations": 0}])
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(UsageError, match="expected"):
        train_flip_flop(**wrong)
