"""From a model to a verdict: manifold, word pushes, slow positions, on a line known exactly."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from rnnscope.dynamics import (
    find_fixed_points,
    fit_manifold,
    line_attractor_verdict,
    linearize,
    slow_position,
    word_projections,
)
from rnnscope.dynamics.seeds import draw_visited
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.synthetic import attractors as built

GOOD, BAD = ["good", "very_good", "the"], ["bad", "very_bad", "the"]


def documents(count=60, seed=0):
    rng = torch.Generator().manual_seed(seed)
    words = ["the", "good", "bad", "very_good", "very_bad"]
    return [
        [words[k] for k in torch.randint(5, (int(n),), generator=rng)]
        for n in torch.randint(1, 12, (count,), generator=rng)
    ]


@pytest.fixture(scope="module")
def study():
    model = built.line_model()
    points = find_fixed_points(model, documents(), count=80)
    modes = linearize(model, points)
    return model, points, modes, fit_manifold(points, modes)


def test_documents_give_seeds_on_the_line(study):
    _, points, _, _ = study
    assert len(points) == 80
    assert len(points.continua) == 80
    assert points.held.distance == pytest.approx(0.0, abs=1e-12)


def test_the_line_is_one_dimensional_and_along_the_readout(study):
    _, points, modes, line = study
    assert line.variance[0] > 0.98
    assert line.participation < 1.1
    assert line.readout is not None
    assert line.modes is not None
    assert line.modes.median > 0.95
    assert len(line) == len(modes) == len(points.line_states)
    assert line.axis.norm() == pytest.approx(1)
    assert line.axis @ points.readout > 0
    assert float(line.position.min()) == -1
    assert float(line.position.max()) == 1
    both = torch.stack([line.coordinate(line.states), line.position])
    assert torch.corrcoef(both)[0, 1] == pytest.approx(1)


def test_slow_modes_are_marginal_and_the_rest_fast(study):
    _, _, modes, _ = study
    assert (modes.time_constants[:, 0] > 1e10).all()
    assert modes.time_constants[:, 1].median() == pytest.approx(1.4427, rel=1e-3)


def test_words_push_as_built(study):
    model, _, modes, _ = study
    pushes = word_projections(model, modes)
    by_word = dict(zip(pushes.words, pushes.mean.tolist(), strict=True))
    assert by_word["the"] == pytest.approx(0, abs=1e-12)
    assert by_word["good"] == pytest.approx(-by_word["bad"])
    assert by_word["very_good"] > by_word["good"] > 0
    assert pushes.strongest(1)[0][0] in ("very_good", "very_bad")
    few = word_projections(model, modes, ["bad", "good"])
    assert few.words == ("bad", "good")
    torch.testing.assert_close(few.mean, pushes.mean[[2, 1]])
    assert "very_" in repr(pushes)
    with pytest.raises(UsageError, match="'nice'"):
        word_projections(model, modes, ["nice"])
    with pytest.raises(NotApplicable, match="embedding"):
        word_projections(model.cell, modes)


def test_slow_position_orders_documents_as_their_words_sum(study):
    model, _, modes, line = study
    texts = documents(30, seed=5)
    found = slow_position(model, modes, line, texts)
    value = {"the": 0.0, "good": 0.1, "bad": -0.1, "very_good": 0.3, "very_bad": -0.3}
    true = torch.tensor([sum(value[w] for w in text) for text in texts], dtype=torch.float64)
    centred, expected = found.values - found.values.mean(), true - true.mean()
    cosine = centred @ expected / (centred.norm() * expected.norm())
    assert cosine > 0.999999
    assert torch.equal(found.reference, modes.states[found.point])


def test_verdict_measures_and_keeps_ghosts_out(study):
    _, points, modes, line = study
    verdict = line_attractor_verdict(points, modes, line)
    summary = json.loads(json.dumps(verdict.summary()))
    assert summary["ghost_share"] == 0
    names = {"dimension", "stability", "integration", "tangent", "readout"}
    assert set(summary["predictions"]) == names
    assert all(p.sentence for p in verdict.predictions)
    assert verdict.dimension.value == pytest.approx(float(line.variance[0]))
    assert "80 points of continua" in verdict.sentence
    assert len(repr(verdict).splitlines()) == 6
    json.dumps(line.summary())


def test_a_bent_line_is_followed_where_its_main_axis_is_not(study):
    """Points on a half circle with r_1 along it: r_1 agrees with the curve, not with the axis."""
    _, points, modes, _ = study
    angle = torch.linspace(0, torch.pi, 60, dtype=torch.float64)
    size = modes.states.shape[-1]
    states = torch.zeros(60, size, dtype=torch.float64)
    states[:, 0], states[:, 1] = angle.cos(), angle.sin()
    tangent = torch.zeros(60, size, 1, dtype=torch.complex128)
    tangent[:, 0, 0], tangent[:, 1, 0] = -angle.sin() + 0j, angle.cos() + 0j
    bent_modes = replace(
        modes, states=states, right=tangent, eigenvalues=modes.eigenvalues[:1].expand(60, -1)
    )
    continua = replace(points.continua, states=states)
    bent = replace(points, continua=continua, seeds=states + 0.01)
    line = fit_manifold(bent, bent_modes)
    assert line.tangents.median > 0.999
    assert line.modes.median < 0.8


def test_ghosts_are_no_part_of_the_line():
    attractor = built.fold_ghost()
    points = find_fixed_points(attractor.cell, attractor.seeds(40), slow_time=2.0)
    assert len(points.ghosts) == 1
    apart = (points.line_states - points.ghosts.states).norm(dim=-1)
    assert (apart > 1e-6).all()


def test_a_single_point_has_no_axis():
    attractor = built.single_root()
    points = find_fixed_points(attractor.cell, attractor.seeds(10))
    with pytest.raises(NotApplicable, match="two or more"):
        fit_manifold(points)


def test_a_manifold_without_readout_or_modes():
    attractor = built.half_line()
    seeds = attractor.seeds(30).abs()
    line = fit_manifold(find_fixed_points(attractor.cell, seeds))
    assert line.readout is None
    assert line.modes is None
    torch.testing.assert_close(line.axis, torch.full((4,), 0.5, dtype=torch.float64))
    assert line.variance[0] == pytest.approx(1)


def test_embedding_finds_the_order_along_a_curve():
    attractor = built.lstm_integrator()
    c = torch.linspace(-2, 2, 40, dtype=torch.float64)[:, None]
    seeds = attractor.continuum(c)
    line = fit_manifold(find_fixed_points(attractor.cell, torch.cat([seeds, seeds])))
    assert line.embedded_correlation > 0.99
    torch.testing.assert_close(line.embedded_position[:40], line.embedded_position[40:])


def test_flip_flop_roots_fill_three_dimensions():
    attractor = built.flip_flop()
    points = find_fixed_points(attractor.cell, attractor.seeds(300))
    modes = linearize(attractor.cell, points)
    line = fit_manifold(points, modes)
    assert line.participation > 2.5
    verdict = line_attractor_verdict(points, modes, line)
    assert verdict.dimension.value < 0.5
    assert verdict.growing_share > 0.5


def test_the_input_can_be_a_word_or_the_mean():
    model = built.line_model()
    pushed = find_fixed_points(model, documents(10), "good", count=10)
    assert pushed.held.name == "good"
    assert pushed.held.distance > 0
    assert len(pushed.continua) == len(pushed.roots) == 0
    mean = find_fixed_points(model, documents(10), "mean", count=10)
    assert len(mean.continua) == 10


def test_a_trajectory_gives_its_visited_states():
    model = built.line_model()
    points = find_fixed_points(model, model.trajectory(documents(5)), count=1000)
    assert len(points) == sum(map(len, documents(5)))


def test_visited_states_are_spread_over_documents():
    model = built.line_model()
    texts = [["the"] * 50, ["good"], ["bad"], ["very_good"]]
    drawn = draw_visited(model.trajectories(texts), count=4, rng=0)
    assert len(torch.unique(drawn.round(decimals=6), dim=0)) == 4
    again = draw_visited(model.trajectories(texts), count=4, rng=0)
    assert torch.equal(drawn, again)
    assert len(draw_visited(model.trajectories(texts), count=1000, rng=0)) == 53


def test_no_documents():
    with pytest.raises(ValueError, match="At least one"):
        find_fixed_points(built.line_model(), [])
