"""The verdict: a line is found, and nothing that is none passes for one."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given as drawn_by
from hypothesis import strategies as st

from rnnscope.dynamics import (
    find_fixed_points,
    fit_manifold,
    line_attractor_verdict,
    linearize,
    untrained_baseline,
    untrained_networks,
)
from rnnscope.dynamics.prediction import Prediction, judge
from rnnscope.dynamics.principal_axis import drawn_axes
from rnnscope.dynamics.resampling import resamples
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.statistics import Estimate
from rnnscope.synthetic import attractors as built
from tests.dynamics import line_networks as ln


def studied(model, words, count=80):
    documents = ln.documents(model, 120)
    points = find_fixed_points(model, documents, count=count)
    modes = linearize(model, points)
    try:
        line = fit_manifold(points, modes)
    except NotApplicable:
        line = None
    baseline = untrained_baseline(untrained_networks(model, 4), documents, words=words, count=40)
    return points, modes, line, baseline


@pytest.fixture(scope="module")
def on_a_line():
    model = ln.line_network()
    return model, *studied(model, ln.classes(60))


def test_a_line_passes(on_a_line):
    model, points, modes, line, baseline = on_a_line
    verdict = line_attractor_verdict(
        points, modes, line, model=model, words=ln.classes(60), untrained=baseline
    )
    passed = {"visited", "readout", "stability", "separability", "classifier"}
    assert set(verdict.found("yes")) == passed
    # Manifold points lie along r_1 in any network.
    assert set(verdict.found("by construction")) == {"dimension", "integration", "tangent"}
    for one in verdict.predictions:
        assert one.interval[0] <= one.value <= one.interval[1]
        assert one.nulls
        assert one.sentence
    for name in passed:
        one = getattr(verdict, name)
        assert one.interval[0] > max(one.nulls.values())
    assert "above every null (visited, readout, stability" in verdict.sentence
    json.dumps(verdict.summary(), allow_nan=False)
    assert verdict.growing_share == 0


def test_without_the_options_it_is_as_before(on_a_line):
    _, points, modes, line, _ = on_a_line
    verdict = line_attractor_verdict(points, modes, line)
    names = ["dimension", "readout", "stability", "integration", "tangent"]
    assert [one.name for one in verdict.predictions] == names
    assert verdict.separability is verdict.classifier is verdict.visited is None
    assert verdict.stability.finding == "by definition"
    assert verdict.stability.null == pytest.approx(float(modes.time_constants[:, 1].median()))


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_words_do_not_pass(on_a_line, seed):
    model, points, modes, line, _ = on_a_line
    verdict = line_attractor_verdict(
        points, modes, line, model=model, words=ln.classes(60, shuffled=seed)
    )
    assert set(verdict.found("no")) >= {"separability", "classifier"}


def test_a_contraction_does_not_pass():
    """Its words are told apart, as they are by their vectors; nothing is kept of them."""
    model = ln.line_network(slow=0.55)
    points, modes, line, baseline = studied(model, ln.classes(60))
    verdict = line_attractor_verdict(
        points, modes, line, model=model, words=ln.classes(60), untrained=baseline
    )
    assert line is None
    assert {"stability", "visited"} <= set(verdict.found("no"))
    assert {"dimension", "readout", "integration", "tangent"} == set(verdict.found("not known"))
    assert "all points are one" in verdict.dimension.sentence


@pytest.mark.parametrize("seed", range(3))
def test_a_random_gru_does_not_pass(seed):
    model = ln.random_gru(rng=100 + seed)
    points, modes, line, baseline = studied(model, ln.classes(60))
    verdict = line_attractor_verdict(
        points, modes, line, model=model, words=ln.classes(60), untrained=baseline
    )
    assert verdict.found("yes") == ()


def test_slow_in_every_direction_is_no_line():
    """Long time constants alone are not enough: the slowest must stand apart from the next."""
    model = ln.line_network(slow=0.97, fast=0.969, fastest=0.96)
    points, modes, line, baseline = studied(model, ln.classes(60), count=40)
    verdict = line_attractor_verdict(points, modes, line, untrained=baseline)
    assert verdict.stability.value > baseline.high("time_constant")
    assert verdict.stability.finding == "no"


def test_ghosts_are_counted_and_no_evidence():
    attractor = built.fold_ghost()
    points = find_fixed_points(attractor.cell, attractor.seeds(40), slow_time=2.0)
    modes = linearize(attractor.cell, points)
    verdict = line_attractor_verdict(points, modes, None)
    assert verdict.ghost_share > 0
    apart = (modes.states - points.ghosts.states).norm(dim=-1)
    assert float(apart.min()) > 1e-6


def test_saddles_are_reported_as_growing():
    attractor = built.flip_flop()
    points = find_fixed_points(attractor.cell, attractor.seeds(300))
    modes = linearize(attractor.cell, points)
    verdict = line_attractor_verdict(points, modes, fit_manifold(points, modes))
    share = float((modes.eigenvalues[:, 0].abs() > 1).double().mean())
    assert verdict.growing_share == share > 0.5
    assert verdict.dimension.finding == "no"


def test_words_need_the_model(on_a_line):
    _, points, modes, line, _ = on_a_line
    with pytest.raises(UsageError, match="model= with words="):
        line_attractor_verdict(points, modes, line, words=ln.classes(60))


def test_the_network_and_the_words_are_left_alone(on_a_line):
    model, points, modes, line, baseline = on_a_line
    before = {name: weight.clone() for name, weight in model.weights().items()}
    state = torch.random.get_rng_state()
    given = {"model": model, "words": ln.classes(60), "untrained": baseline, "rng": 3}
    first, second = (line_attractor_verdict(points, modes, line, **given) for _ in range(2))
    assert first.summary() == second.summary()
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[name], weight) for name, weight in model.weights().items())


@drawn_by(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 1))
def test_yes_means_the_whole_interval_lies_above_every_null(value, spread, null):
    estimate = Estimate(value=value, low=value - spread, high=value + spread, count=9)
    found = judge(estimate, {"null": null, "lower": null / 2}, built=False)
    assert (found == "yes") == (value - spread > null + 0.01 and null < 0.95)
    assert judge(estimate, {"null": null}, built=True) == "by construction"
    assert (
        judge(estimate, {}, built=False) == judge(None, {"null": 0.0}, built=False) == "not known"
    )


def test_a_prediction_is_json_safe():
    one = Prediction(
        name="stability",
        value=float("inf"),
        null=1.0,
        sentence="",
        finding="no",
        interval=(1.0, float("inf")),
        nulls={"a": float("nan")},
    )
    assert json.dumps(one.summary(), allow_nan=False)
    assert one.summary()["interval"] == [1.0, None]


def test_drawn_axes_are_those_of_the_drawn_points():
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    states = states * torch.arange(1, 7)
    share, axis = drawn_axes(states, draws=4, rng=5)
    for k, rows in enumerate(resamples(40, 4, rng=5)):
        drawn = states[torch.from_numpy(rows)]
        _, sigma, Vh = torch.linalg.svd(drawn - drawn.mean(0))
        expected = float(sigma[0] ** 2 / (sigma**2).sum())
        assert float(share[k]) == pytest.approx(expected)
        assert float((axis[k] @ Vh[0]).abs()) == pytest.approx(1)
