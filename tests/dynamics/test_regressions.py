"""Bugs found by use, each with the case that showed it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnscope.cells import Autodiff, Vanilla
from rnnscope.dynamics import (
    Outcome,
    find_fixed_points,
    fit_manifold,
    line_attractor_verdict,
    linearize,
)
from rnnscope.errors import UsageError
from rnnscope.models import Direction, Layer, Model, Readout, from_torch
from rnnscope.synthetic import line_model
from tests.helpers import WORDS, random_module


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("bias", [6.0, 8.0, 10.0, 14.0])
def test_the_better_a_memory_is_the_more_of_it_is_found(bias):
    """A drift slower than the residual that the projection left was taken for no drift."""
    lstm = torch.nn.LSTM(2, 8)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.zero_()
        lstm.bias_hh_l0[8:16] = bias
    seeds = torch.randn(20, 16, generator=rng()) * 0.3
    points = find_fixed_points(from_torch(lstm).cell, seeds)
    assert len(points.manifold) >= 19
    assert len(points.ghosts) == 0


def test_a_uniform_drift_is_no_ghost():
    """Where q is constant every point is stationary and none is a minimum."""
    double = torch.zeros((), dtype=torch.float64)
    cell = Autodiff(function=lambda x, h: h + 1, inputs=3, states=4, like=double)
    points = find_fixed_points(cell, torch.randn(10, 4, generator=rng()))
    assert len(points.ghosts) == 0
    assert Outcome.GHOST not in points.outcomes


def test_documents_of_equal_length_are_not_states():
    model = from_torch(torch.nn.GRU(3, 4))
    documents = [np.random.default_rng(k).normal(size=(5, 3)) for k in range(6)]
    assert len(find_fixed_points(model, documents, count=12)) == 12
    words = from_torch(random_module("gru", units=4), vocabulary=WORDS)
    assert len(find_fixed_points(words, [[1, 2, 3, 4], [2, 3, 4, 5]], count=7)) == 7


def test_a_torch_module_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match="from_torch"):
        find_fixed_points(torch.nn.GRU(3, 4), torch.zeros(1, 4))


def contraction(slowest=0.96, units=16):
    """h' = tanh(V h) with one stable root at 0 and one eigenvalue near one: no line attractor."""
    Q, _ = torch.linalg.qr(torch.randn(units, units, generator=rng(1), dtype=torch.float64))
    values = torch.linspace(0.5, 0.1, units, dtype=torch.float64)
    values[0] = slowest
    zeros = torch.zeros(units, 1, dtype=torch.float64)
    return Vanilla(W=zeros, V=Q @ torch.diag(values) @ Q.T, b=zeros[:, 0])


def test_what_holds_by_construction_is_no_finding():
    """The projection leaves the slow direction alone, so its points lie along it in any network."""
    seeds = 0.3 * torch.randn(60, 16, generator=rng(), dtype=torch.float64)
    cell = contraction()
    points = find_fixed_points(cell, seeds)
    assert len(points.manifold) > 20
    modes = linearize(cell, points)
    verdict = line_attractor_verdict(points, modes, fit_manifold(points, modes))
    for prediction in (verdict.dimension, verdict.integration, verdict.tangent):
        assert prediction.finding == "by construction"
    assert verdict.stability.value < 30


def test_an_exact_line_whose_null_is_the_line_itself_cannot_be_told():
    model = line_model()
    words = [w for w in model.vocabulary.words if not w.startswith("<")]
    generator = np.random.default_rng(0)
    documents = [[words[k] for k in generator.integers(0, len(words), 9)] for _ in range(40)]
    points = find_fixed_points(model, documents, count=60)
    modes = linearize(model, points)
    verdict = line_attractor_verdict(points, modes, fit_manifold(points, modes))
    assert len(points.continua) > 0
    assert verdict.dimension.finding == "cannot tell"
    assert verdict.growing_share == 0


def test_the_readouts_zero_weights_count():
    """Only what no readout could see is left out: a weight that happens to be zero is seen."""
    axis = torch.tensor([0.6, 0.8, 0.0, 0.0], dtype=torch.float64)
    identity = torch.eye(4, dtype=torch.float64)
    V = torch.outer(axis, axis) + 0.2 * (identity - torch.outer(axis, axis))
    zeros = torch.zeros(4, 1, dtype=torch.float64)
    cell = Vanilla(W=zeros, V=V, b=zeros[:, 0], nonlinearity="relu")
    weight = torch.tensor([[1.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    model = Model(layers=(Layer(directions=(Direction(cell=cell),)),), readout=Readout.of(weight))
    along = torch.linspace(0.5, 2, 30, dtype=torch.float64)
    noise = 0.05 * torch.rand(30, 4, generator=rng(), dtype=torch.float64)
    points = find_fixed_points(model, along[:, None] * axis + noise)
    line = fit_manifold(points)
    assert points.sees.all()
    assert line.readout.median == pytest.approx(0.6, abs=0.02)
    # A random direction of four dimensions: the squared cosine is Beta(1/2, 3/2).
    assert line.readout.isotropic_median == pytest.approx(0.4040, abs=1e-3)
    # Directions drawn from states that lie along the axis lie along it too.
    assert line.readout.null_median == pytest.approx(0.6, abs=0.05)


def test_the_held_inputs_distance_is_from_the_texts_own_mean():
    import rnnscope as rs

    model = from_torch(random_module("gru"), vocabulary=WORDS)
    corpus = rs.load_corpus([["good", "good", "bad"], ["good", "film"]])
    found = find_fixed_points(model, corpus, "mean", count=3).held
    rows = [WORDS.index(w) for d in corpus for w in d]
    vectors = model.embedding[rows]
    torch.testing.assert_close(found.vector, vectors.mean(0))
    assert found.distance == pytest.approx(0, abs=1e-12)
    zero = find_fixed_points(model, corpus, "zero", count=3).held.distance
    spread = (vectors - vectors.mean(0)).square().sum(1).mean().sqrt()
    assert zero == pytest.approx(float(vectors.mean(0).norm() / spread))
