"""Relaxation without input, and development over training."""

from __future__ import annotations

import json

import pytest
import torch

from rnnscope.dynamics.relaxation import development, participation_ratio, relax
from rnnscope.errors import DataError, UsageError
from rnnscope.models import from_torch
from rnnscope.synthetic import attractors as built
from tests.helpers import WORDS, random_documents, random_module


def test_speeds_are_those_of_plain_iteration():
    attractor = built.leaky_line()
    seeds = attractor.seeds(6)
    found = relax(attractor.cell, seeds, steps=8)
    zero = torch.zeros(attractor.cell.input_size, dtype=torch.float64)
    for k, h in enumerate(seeds):
        for t in range(8):
            after = attractor.cell.step(zero, h)
            assert float(found.speed[k, t]) == pytest.approx(float((after - h).norm() / h.norm()))
            h = after
        torch.testing.assert_close(found.states[k], h)


def test_an_integrator_comes_to_rest_at_once_and_a_contraction_goes_on_falling():
    line = built.lstm_integrator()
    on = line.continuum(torch.full((5, line.dimension), 0.7, dtype=torch.float64))
    still = relax(line.cell, on, steps=10)
    assert (still.steps_to_rest() == 0).all()
    moving = relax(built.leaky_line(slow=0.9, fast=0.5).cell, torch.ones(3, 6) * 0.3, steps=10)
    assert (moving.steps_to_rest() == -1).all()
    assert "come to rest" in moving.sentence
    json.dumps(moving.summary())


def test_reading_moves_more_than_resting():
    model = from_torch(random_module("gru", units=4), vocabulary=WORDS)
    documents = random_documents(30)
    found = relax(model, documents, documents=documents, steps=20)
    assert float(found.reading.median()) > float(found.median[-1])


def test_participation_counts_equal_directions():
    rng = torch.Generator().manual_seed(0)
    cloud = torch.randn(20_000, 3, generator=rng, dtype=torch.float64)
    assert participation_ratio(cloud) == pytest.approx(3, rel=0.01)
    line = cloud[:, :1] @ torch.ones(1, 5, dtype=torch.float64)
    assert participation_ratio(line) == pytest.approx(1)


def test_development_has_a_row_for_every_checkpoint():
    models = {
        name: from_torch(random_module("gru", units=4, seed=k), vocabulary=WORDS)
        for k, name in enumerate(("early", "late"))
    }
    found = development(models, random_documents(20), steps=5)
    assert found.names == ("early", "late")
    assert len(found.summary()) == 2
    assert (found.participation >= 1).all()


def test_bad_input():
    with pytest.raises(UsageError):
        relax(built.leaky_line().cell, torch.zeros(1, 6), steps=0)
    with pytest.raises(DataError):
        development([], random_documents(2))
