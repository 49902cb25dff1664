"""The paper's figures: what is drawn is what was given, and nothing else is touched."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure

from rnnscope.dynamics import find_fixed_points, fit_manifold, linearize
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.report.attractor_density import state_density
from rnnscope.report.attractor_figures import appendix_page, paper_figures, summary_grid
from rnnscope.report.attractor_histograms import (
    alignment,
    input_projections,
    linear_error,
    relaxation,
)
from rnnscope.report.attractor_material import AttractorMaterial, principal
from rnnscope.report.attractor_plane import points_in_plane, slow_directions, word_effects
from rnnscope.report.attractor_spectra import (
    all_time_constants,
    slow_time_constants,
    spectra,
    spectrum,
    variance_curve,
)
from rnnscope.report.palette import CLASSES, NEUTRAL
from rnnscope.synthetic import leaky_line, line_model, simplex_model

RANDOM = np.random.default_rng(0)
XY = RANDOM.normal(size=(40, 2))
THETA = np.linspace(-1, 1, 40)


def scattered(ax):
    """Every place that a scatter or a marker of the axes stands at, (n, 2)."""
    return np.concatenate([np.asarray(item.get_offsets()) for item in ax.collections])


def legend(ax):
    return [label.get_text() for label in ax.get_legend().get_texts()]


def holds(drawn, given):
    return all((np.abs(drawn - row).max(-1) < 1e-12).any() for row in given)


# One drawing at a time ------------------------------------------------------------------------


def test_variance_curve_draws_the_cumulative_shares():
    shares = {"trained": [0.7, 0.2, 0.1], "untrained": [0.4, 0.3, 0.2, 0.1]}
    (ax,) = variance_curve.figure(shares).axes
    for line, share in zip(ax.lines, shares.values(), strict=False):
        np.testing.assert_array_equal(line.get_xdata(), 1 + np.arange(len(share)))
        np.testing.assert_allclose(line.get_ydata(), 100 * np.cumsum(share))
    assert legend(ax) == ["trained", "untrained"]
    assert ax.get_xlabel()
    assert ax.get_ylim()[0] == 0


def test_density_shades_hold_the_shares_they_state():
    xy = np.random.default_rng(1).normal(size=(4000, 2)) @ [[2.0, 0.3], [0.0, 0.5]]
    figure = state_density.figure(xy, np.zeros(4000, int), ("no", "yes"))
    (ax,) = figure.axes
    lines = [item for item in ax.collections if len(item.get_linewidths()) and item.get_paths()]
    shares = []
    for item in lines:
        if item.get_facecolor().size:  # a filled shade; its outline comes after it
            continue
        path = item.get_paths()[0]
        shares.append(path.contains_points(xy).mean())
    assert sorted(shares) == pytest.approx([0.5, 0.9], abs=0.03)
    assert legend(ax) == ["no documents"]


def test_density_tells_classes_paths_and_readout():
    labels = RANDOM.integers(0, 2, size=len(XY))
    path = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, -0.5]])
    figure = state_density.figure(
        XY, labels, ("no", "yes"), paths=[path], readout=[3.0, 4.0], offset=-5.0, shares=[0.6, 0.3]
    )
    (ax,) = figure.axes
    assert legend(ax) == [
        "no documents", "yes documents", "example path", "start", "end", "readout = 0",
    ]  # fmt: skip
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path)
    for x, y in ax.lines[-1].get_xydata():
        assert 3 * x + 4 * y == pytest.approx(5, abs=1e-8)
    assert "readout" in [note.get_text() for note in ax.texts]
    assert "60%" in ax.get_xlabel()
    assert "30%" in ax.get_ylabel()
    assert ax.get_aspect() == 1


def test_density_names_a_readout_for_each_of_three_classes():
    labels = np.arange(len(XY)) % 3
    (ax,) = state_density.figure(XY, labels, ("a", "b", "c"), readout=np.eye(3)[:, :2]).axes
    said = [note.get_text() for note in ax.texts if note.get_text()]
    assert said == ["readout of a", "readout of b"]  # that of c has no part in the plane


def test_points_are_coloured_by_their_position():
    figure = points_in_plane.figure(
        XY, THETA, marks={"root": XY[:2], "ghost": XY[2:3]}, states=2 * XY, point_shares=[0.9, 0.1]
    )
    ax, bar, *_ = figure.axes
    behind, points, roots, ghosts = ax.collections
    np.testing.assert_array_equal(behind.get_offsets(), 2 * XY)
    places, values = np.asarray(points.get_offsets()), np.asarray(points.get_array())
    for place, value in zip(places, values, strict=True):
        (row,) = np.flatnonzero((place == XY).all(-1))
        assert value == THETA[row]
    assert points.get_clim() == (-1, 1)
    np.testing.assert_array_equal(roots.get_offsets(), XY[:2])
    np.testing.assert_array_equal(ghosts.get_offsets(), XY[2:3])
    assert legend(ax) == ["visited state", "fixed or slow point", "root", "ghost"]
    assert "θ" in bar.get_ylabel()
    (inset,) = ax.child_axes
    np.testing.assert_allclose(inset.lines[0].get_ydata(), [90, 100])


def test_directions_stand_at_their_points_at_one_scale():
    directions = RANDOM.normal(size=(40, 2))
    (ax,) = slow_directions.figure(XY, directions, THETA, shown=10).axes
    dashes = next(item for item in ax.collections if hasattr(item, "get_segments"))
    segments = np.array(dashes.get_segments())
    assert len(segments) == 10
    middles, spans = segments.mean(1), segments[:, 1] - segments[:, 0]
    ratios = []
    for middle, span in zip(middles, spans, strict=True):
        row = int(np.abs(XY - middle).sum(-1).argmin())
        np.testing.assert_allclose(XY[row], middle, atol=1e-12)
        ratios += list(span / directions[row])
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-8)


def test_spectrum_tells_growth_from_decay():
    values = np.array([1.1, 0.9 + 0.3j, 0.9 - 0.3j, 0.2, -0.5])
    (ax,) = spectrum.figure(values, title="here").axes
    decays, grows = ax.collections
    np.testing.assert_allclose(grows.get_offsets(), [[1.1, 0]])
    given = np.stack([values[1:].real, values[1:].imag], -1)
    np.testing.assert_allclose(decays.get_offsets(), given)
    circle = ax.lines[-1].get_xydata()
    np.testing.assert_allclose(np.hypot(*circle.T), 1)
    assert legend(ax) == ["unit circle", "decays", "grows"]
    assert ax.get_title() == "here"
    assert ax.get_xlim()[1] > 1.1


def test_spectra_are_one_for_each_point():
    values = RANDOM.normal(size=(3, 5)) / 3 + 0j
    figure = spectra(values, [-0.8, 0.0, 0.8])
    assert len(figure.axes) == 3
    for ax, row in zip(figure.axes, values, strict=True):
        assert len(scattered(ax)) == len(row)
    assert [ax.get_title() for ax in figure.axes] == ["θ = −0.80", "θ = 0", "θ = +0.80"]


def test_time_constants_stand_at_their_positions():
    tau = np.array([[100.0, 10.0, 5.0], [np.inf, 20.0, 5.0]])
    grows = np.array([[False, False, False], [False, True, False]])
    (ax,) = slow_time_constants.figure([-1.0, 1.0], tau, grows).axes
    drawn = scattered(ax)
    assert holds(drawn, [[-1, 100], [-1, 10], [-1, 5], [1, 20], [1, 5]])
    (endless,) = [place for place in drawn if place[0] == 1 and place[1] not in (20, 5)]
    assert endless[1] > 100
    assert "∞" in [note.get_text() for note in ax.texts]
    assert legend(ax) == ["slowest", "second", "third", "hollow: grows"]
    assert ax.get_yscale() == "log"


def test_all_time_constants_are_drawn_but_those_at_zero():
    tau = np.array([[50.0, 5.0, 0.0], [40.0, 4.0, 2.0]])
    (ax,) = all_time_constants.figure(tau, [-0.5, 0.5]).axes
    drawn = scattered(ax)
    assert sorted(map(tuple, drawn.tolist())) == [(1, 40), (1, 50), (2, 4), (2, 5), (3, 2)]
    assert legend(ax) == ["θ = −0.50", "θ = +0.50"]


def test_words_are_centred_with_their_means():
    effects = {"no": XY[:10] - 1, "neutral": 0.1 * XY[10:20], "yes": XY[20:30] + 1}
    (ax,) = word_effects.figure(effects, [0.0, 2.0], ("no", "yes")).axes
    for item, (name, places) in zip(ax.collections, effects.items(), strict=True):
        np.testing.assert_array_equal(item.get_offsets(), places)
        colour = {"no": CLASSES[0], "neutral": NEUTRAL, "yes": CLASSES[1]}[name]
        np.testing.assert_allclose(item.get_facecolor()[0, :3], mpl.colors.to_rgb(colour))
    means = np.array([line.get_xydata()[0] for line in ax.lines[-3:]])
    np.testing.assert_allclose(means, [places.mean(0) for places in effects.values()])
    (low, high), vertical = ax.get_xlim(), ax.get_ylim()
    assert low == -high
    assert vertical == (low, high)
    arrow = next(note for note in ax.texts if note.arrow_patch is not None)
    assert arrow.xy[0] == pytest.approx(0, abs=1e-12)
    assert arrow.xy[1] > 0


@pytest.mark.parametrize(
    ("classes", "colours"),
    [(("bad", "good"), CLASSES[:2]), (("a", "b", "c"), (NEUTRAL, NEUTRAL))],
)
def test_positive_and_negative_words_have_the_colours_of_two_classes(classes, colours):
    effects = {"negative": XY[:5], "positive": XY[5:9]}
    (ax,) = word_effects.figure(effects, [1.0, 0.0], classes).axes
    for item, colour in zip(ax.collections, colours, strict=True):
        np.testing.assert_allclose(item.get_facecolor()[0, :3], mpl.colors.to_rgb(colour))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=40))
def test_projection_histograms_count_every_point(values):
    (ax,) = input_projections.figure({"negative": values, "positive": values}).axes
    heights = [patch.get_height() for patch in ax.patches if hasattr(patch, "get_height")]
    assert sum(heights) == pytest.approx(200)
    assert legend(ax)[0].startswith("negative, mean")


def test_alignment_states_medians_of_both():
    values, null = np.array([0.9, -0.8, 0.95]), np.array([0.1, 0.2, 0.3])
    (ax,) = alignment.figure(values, {"drawn at random": null}).axes
    assert legend(ax) == ["r₁, median 0.90", "drawn at random, median 0.20"]
    heights = [patch.get_height() for patch in ax.patches if hasattr(patch, "get_height")]
    assert sum(heights) == pytest.approx(100)
    assert ax.get_xlim() == (0, 1)


def test_linear_error_keeps_exact_steps_and_leaves_out_the_overflown():
    errors = {"nearest point": [0.0, 0.01, 0.1], "no change": [0.2, 0.4, np.inf]}
    (ax,) = linear_error.figure(errors).axes
    heights = [patch.get_height() for patch in ax.patches if hasattr(patch, "get_height")]
    assert sum(heights) == pytest.approx(100)
    assert legend(ax) == ["nearest point, median 1.0%", "no change, median 30.0%"]
    assert ax.get_xscale() == "log"


def test_relaxation_draws_quantiles_over_states():
    speeds = np.abs(RANDOM.normal(size=(50, 7))) + 1e-3
    (ax,) = relaxation.figure(speeds).axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(speeds, axis=0))
    assert len(ax.lines[0].get_xdata()) == 7
    (still,) = relaxation.figure(np.zeros((3, 4))).axes
    assert np.isfinite(still.lines[0].get_ydata()).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: points_in_plane.figure(XY, THETA[:-1]),
        lambda: state_density.figure(XY, [0, 1]),
        lambda: slow_directions.figure(XY, XY[:3], THETA),
        lambda: slow_time_constants.figure(THETA, np.ones((3, 3))),
        lambda: spectra(np.ones((2, 4)), [0.0]),
    ],
)
def test_lengths_that_differ_are_named(draw):
    with pytest.raises(DataError, match="one row a point"):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: points_in_plane.figure(XY[:0], THETA[:0]),
        lambda: state_density.figure(XY[:0]),
        lambda: word_effects.figure({"good": XY[:0]}, [1, 0]),
        lambda: alignment.figure([]),
        lambda: linear_error.figure({}),
        lambda: relaxation.figure(np.empty((0, 4))),
    ],
)
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(NotApplicable, match="nothing to draw"):
        draw()


def test_a_drawing_shows_the_signature_of_its_data():
    assert list(inspect.signature(spectrum).parameters) == ["values", "title", "colour", "ax"]
    assert "Figure 3b" in spectrum.__doc__


# A network's figures --------------------------------------------------------------------------


def documents(words, *, count=60, rng=0):
    random = np.random.default_rng(rng)
    return [list(random.choice(words, size=random.integers(2, 9))) for _ in range(count)]


@pytest.fixture(scope="module")
def line():
    model = line_model()
    texts = documents(model.vocabulary.words)
    points = find_fixed_points(model, texts, count=40)
    modes = linearize(model, points)
    E = model.embedding
    return {
        "points": points,
        "modes": modes,
        "line": fit_manifold(points, modes),
        "states": model.final_states(texts),
        "labels": model.predict(texts),
        "classes": model.classes,
        "offset": 0.0,
        "paths": [model.trajectory([texts[0]]).states[0]],
        "words": {"bad": E[[2, 4]], "neutral": E[[0]], "good": E[[1, 3]]},
        "untrained": torch.eye(8),
        "errors": {"nearest point": torch.rand(50)},
        "relaxation": torch.rand(20, 6) + 0.1,
    }


ALL = {
    "unit_traces", "variance", "states", "points", "chosen_points", "spectra", "time_constants",
    "all_time_constants", "word_effects", "slow_directions", "input_projections", "alignment",
    "linear_error", "relaxation", "summary", "appendix",
}  # fmt: skip


def test_every_figure_is_made_and_nothing_global_changes(line, tmp_path):
    settings_before, figures_before = dict(mpl.rcParams), list(Gcf.figs)
    made = paper_figures(**line, name="built by hand")
    assert set(made.figures) == ALL
    assert not made.left_out
    assert all(isinstance(figure, Figure) for figure in made.figures.values())
    assert dict(mpl.rcParams) == settings_before
    assert list(Gcf.figs) == figures_before
    for figure in made.figures.values():
        for ax in figure.axes:
            assert not ax.axison or ax.get_xlabel() or ax.get_ylabel()
    assert made["summary"].axes[0].get_title(loc="left") == "built by hand"
    assert "variance" in repr(made)
    # Written with the user's settings, not ours, and without a warning.
    for name in ("states", "input_projections", "word_effects"):
        made[name].savefig(tmp_path / f"{name}.png", dpi=30)
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_what_is_not_given_is_left_out_with_a_reason(line):
    made = paper_figures(line["points"], line["modes"], line["line"])
    missing = {"unit_traces", "word_effects", "input_projections", "linear_error", "relaxation"}
    assert set(made.left_out) == missing
    assert set(made.figures) == ALL - missing
    assert "words" in made.left_out["word_effects"]
    assert all(reason in repr(made) for reason in made.left_out.values())
    with pytest.raises(UsageError, match=r"one-step errors"):
        made["linear_error"]
    with pytest.raises(UsageError, match=r"no figure 'fig 9'"):
        made["fig 9"]


def test_a_plane_has_no_single_slow_direction():
    model = simplex_model()
    texts = documents(model.vocabulary.words)
    points = find_fixed_points(model, texts, count=30)
    modes = linearize(model, points)
    made = paper_figures(
        points,
        modes,
        fit_manifold(points, modes),
        classes=model.classes,
        readouts=torch.nn.functional.pad(model.readout.weight, (0, 6)),
        words={"a": model.embedding[1:3]},
    )
    assert {"word_effects", "slow_directions", "alignment"} <= set(made.left_out)
    assert "complex pair or repeated" in made.left_out["alignment"]
    said = [note.get_text() for note in made["states"].axes[0].texts]
    assert {"readout of a", "readout of b", "readout of c"} <= set(said)


def test_the_material_holds_what_the_equations_say(line):
    material = AttractorMaterial(**line)
    modes = line["modes"]
    x = line["words"]["good"]
    for row, point in enumerate(material.simple):
        left, J = modes.left[point, 0].real, modes.J_inp[point]
        expected = float((x @ J.mT @ left).mean())
        assert material.pushes()["good"][row] == pytest.approx(expected, abs=1e-12)
    # Words push this line by tanh(x): its slope at 0 is 1, on the memory that l_1 reads.
    pushes = material.pushes()
    assert (pushes["good"] > 0).all()
    np.testing.assert_allclose(pushes["good"], -pushes["bad"], atol=1e-12)
    np.testing.assert_allclose(pushes["neutral"], 0, atol=1e-12)
    assert material.theta.min() == -1
    assert material.theta.max() == 1
    axis = line["line"].axis.numpy()
    own, nulls = material.alignments()
    expected = np.abs(modes.right[:, :, 0].real.numpy() @ axis)
    np.testing.assert_allclose(own, expected, atol=1e-12)
    assert all(drawn.min() >= 0 and drawn.max() <= 1 + 1e-12 for drawn in nulls.values())
    center, axes, shares = material.plane
    np.testing.assert_allclose(center, line["states"].mean(0).numpy())
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-12)
    covariance = np.cov(line["states"].numpy().T)
    assert shares[0] == pytest.approx(np.linalg.eigvalsh(covariance)[-1] / np.trace(covariance))
    # The first axis points where the readout does.
    assert axes[0] @ line["points"].readout.numpy() > 0


def test_shares_of_untrained_states_are_those_of_their_covariance():
    states = RANDOM.normal(size=(200, 5)) * [5, 3, 2, 1, 0.5]
    _, _, shares = principal(states)
    values = np.linalg.eigvalsh(np.cov(states.T))[::-1]
    np.testing.assert_allclose(shares, values / values.sum())


def test_every_eigenvalue_is_drawn_where_the_modes_hold_only_the_slow_ones():
    attractor = leaky_line(units=8)
    points = find_fixed_points(attractor.cell, attractor.seeds(30))
    modes = linearize(attractor.cell, points)
    few = SimpleNamespace(
        states=modes.states,
        eigenvalues=modes.eigenvalues[:, :2],
        right=modes.right[..., :2],
        left=modes.left[:, :2],
        J_inp=modes.J_inp,
        held=modes.held,
        cell=modes.cell,
        simple_points=modes.simple_points,
    )
    material = AttractorMaterial(points=points, modes=few, line=fit_manifold(points, modes))
    whole = modes.eigenvalues.numpy()[material.chosen]
    np.testing.assert_allclose(np.abs(material.spectra), np.abs(whole), atol=1e-10)


def test_summary_has_one_row_a_network_and_the_appendix_all_panels(line):
    material = AttractorMaterial(**line)
    summary = summary_grid({"first": material, "second": material})
    titles = [ax.get_title(loc="left") for ax in summary.axes]
    assert [title for title in titles if title] == ["first", "second"]
    page = appendix_page(material, title="whole")
    assert page.get_suptitle() == "whole"
    shown = [ax for ax in page.axes if ax.axison and ax.get_xlabel()]
    assert len(shown) == 14
    with pytest.raises(UsageError, match="one row a network"):
        summary_grid({})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"states": torch.zeros(4, 3)}, "states"),
        ({"untrained": torch.zeros(8)}, "untrained"),
        ({"paths": [torch.zeros(4, 3)]}, r"paths\[0\]"),
        ({"labels": [0, 1]}, "one label"),
        ({"words": {"good": torch.zeros(2, 5)}}, "good words"),
        ({"words": {"good": torch.zeros(0, 2)}}, "good words"),
        ({"readouts": torch.zeros(3, 8)}, "one row a class"),
    ],
)
def test_what_does_not_fit_the_network_is_named(line, wrong, said):
    with pytest.raises(DataError, match=said):
        AttractorMaterial(**{**line, **wrong})
