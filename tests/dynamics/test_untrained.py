"""Networks that have learned nothing: their weights, and what they show."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from rnnscope.dynamics import UntrainedBaseline, untrained_baseline, untrained_networks
from rnnscope.errors import UsageError
from rnnscope.models import from_torch
from tests.dynamics import line_networks as ln
from tests.helpers import WORDS, random_documents, random_module


def test_permuted_weights_keep_their_values_and_lose_their_places():
    model = ln.line_network(count=10)
    before = {name: weight.clone() for name, weight in model.weights().items()}
    first, second = untrained_networks(model, 2, how="permuted")
    for name, weight in first.weights().items():
        old = before[name]
        assert weight.shape == old.shape
        assert torch.equal(model.weights()[name], old)
        if name != "readout.weight" and float(old.std()) > 0:
            torch.testing.assert_close(weight.flatten().sort().values, old.flatten().sort().values)
            assert not torch.equal(weight, old)
            assert not torch.equal(weight, second.weights()[name])
    row = first.readout.weight
    torch.testing.assert_close(row[0], -row[1])
    torch.testing.assert_close(row[1].sort().values, before["readout.weight"][1].sort().values)


def test_fresh_weights_are_those_of_torch():
    (fresh,) = untrained_networks(ln.random_gru(units=64), 1)
    V = fresh.cell.V
    assert float(V.abs().max()) <= 64**-0.5
    assert float(V.std()) == pytest.approx((1 / 64 / 3) ** 0.5, rel=0.05)
    assert float(fresh.embedding.std()) == pytest.approx(1, rel=0.05)
    again, other = (untrained_networks(ln.random_gru(units=64), 1, rng=k)[0] for k in (0, 1))
    assert torch.equal(fresh.cell.V, again.cell.V)
    assert not torch.equal(fresh.cell.V, other.cell.V)


@pytest.mark.parametrize("kind", ["lstm", "vanilla"])
def test_every_architecture(kind):
    model = from_torch(random_module(kind, classes=3), vocabulary=WORDS)
    for how in ("fresh", "permuted"):
        (network,) = untrained_networks(model, 1, how=how)
        assert network.architecture == model.architecture
        assert torch.isfinite(network.logits(random_documents(5))).all()


def test_a_baseline_measures_each_network():
    model = ln.line_network(count=20)
    documents = ln.documents(model, 40)
    baseline = untrained_baseline(
        untrained_networks(model, 2), iter(documents), words=ln.classes(20), count=32
    )
    assert len(baseline) == 2
    assert baseline.high("time_constant") < 10
    assert baseline.high("visited_variance") < 0.6
    assert baseline.median("visited_participation") > 2
    assert 0.2 < baseline.median("accuracy") < 0.8
    json.dumps(baseline.summary(), allow_nan=False)
    assert baseline.counts[0]["root"] >= 1
    again = untrained_baseline(
        untrained_networks(model, 2), documents, words=ln.classes(20), count=32
    )
    assert baseline.summary() == again.summary()


def test_the_line_itself_as_its_own_baseline():
    """The figures are those of the network, whatever it is."""
    model = ln.line_network(count=20)
    own = untrained_baseline(model, ln.documents(model, 60), words=ln.classes(20), count=60)
    assert own.high("time_constant") == pytest.approx(198, rel=0.05)
    assert own.high("points_variance") > 0.99
    assert own.high("readout") > 0.99
    assert own.high("integration") > 0.99
    assert own.high("auc") > 0.99
    assert repr(own) == "UntrainedBaseline of 1 networks"


def test_one_network_more_stays_below_the_bound_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        drawn = np.exp(rng.normal(size=5))
        figures = {
            "time_constant": tuple(drawn[:4]),
            "auc": (math.nan, 0.5),
            "accuracy": (math.nan,),
        }
        baseline = UntrainedBaseline(figures=figures, counts=({},) * 4)
        inside.append(drawn[4] < baseline.high("time_constant"))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)
    assert baseline.high("auc") == baseline.median("auc") == 0.5
    assert baseline.high("accuracy") is baseline.median("accuracy") is None


def test_bad_input():
    model = ln.line_network(count=5)
    with pytest.raises(UsageError, match="architecture"):
        untrained_networks(model.cell)
    with pytest.raises(UsageError, match="fresh"):
        untrained_networks(model, how="zero")
    with pytest.raises(UsageError, match="count=0"):
        untrained_networks(model, 0)
    with pytest.raises(UsageError, match="one or more"):
        untrained_baseline([], ln.documents(model, 5))
