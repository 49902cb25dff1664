"""The public figures: every panel of both papers, as a function that returns Axes."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import rnnscope as rs
from rnnscope import figures

RANDOM = np.random.default_rng(0)
PHRASES = [
    SimpleNamespace(text=f"{name} {k}", class_name=name, importance=float(k + 1))
    for name in ("negative", "positive")
    for k in range(12)
]
GIVEN = {
    "heat_map": (["a", "$x$", "<b>"], {"gamma": [1.0, -2.0, 0.5], "beta": [0.1, -0.2, 0.3]}),
    "top_phrases": (PHRASES,),
    "accuracy_table": (
        {"Yelp": {"LSTM": 0.95, "gamma": 0.86}, "SST": {"LSTM": None, "gamma": 1.0}},
    ),
    "unit_traces": (RANDOM.normal(size=(200, 12)),),
    "chosen_points": (RANDOM.normal(size=(30, 2)), np.linspace(-1, 1, 30), [3, 15, 27]),
}


def test_every_name_is_there_and_says_what_it_draws():
    assert rs.figures is figures
    for name in figures.__all__:
        assert inspect.getdoc(getattr(figures, name))


@pytest.mark.parametrize("name", GIVEN)
def test_a_figure_returns_axes_its_own_or_those_given(name):
    draw = getattr(figures, name)
    before = dict(mpl.rcParams)
    own = draw(*GIVEN[name])
    assert isinstance(own, Axes)
    assert own.has_data()
    given = Figure().add_subplot()
    assert draw(*GIVEN[name], ax=given) is given
    assert given.has_data()
    assert dict(mpl.rcParams) == before


def test_a_heat_map_shades_each_score_and_names_the_words():
    ax = figures.heat_map(*GIVEN["heat_map"])
    shades = [image.get_array().ravel().tolist() for image in ax.images]
    assert shades == list(map(list, GIVEN["heat_map"][1].values()))
    assert [label.get_text() for label in ax.get_xticklabels()] == GIVEN["heat_map"][0]
    with pytest.raises(rs.DataError, match="one score a word"):
        figures.heat_map(["a"], {"gamma": [1.0, 2.0]})


def test_top_phrases_are_the_largest_of_each_class():
    ax = figures.top_phrases(PHRASES, shown=3)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["negative 11", "negative 10", "negative 9"] + [
        f"positive {k}" for k in (11, 10, 9)
    ]


def test_an_accuracy_table_writes_every_share_and_what_is_missing():
    ax = figures.accuracy_table(*GIVEN["accuracy_table"])
    assert sorted(note.get_text() for note in ax.texts) == ["100.0", "86.0", "95.0", "–"]


def test_traces_are_of_the_units_that_vary_most():
    states = RANDOM.normal(size=(200, 12)) * np.arange(12)
    ax = figures.unit_traces(states, shown=50)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f"unit {k}" for k in range(4, 12)
    ]
    assert max(len(line.get_xdata()) for line in ax.lines) == 50
    with pytest.raises(rs.DataError, match="one of the state's"):
        figures.unit_traces(states, units=[12])


def test_chosen_points_stand_where_they_were_given():
    xy, theta, rows = GIVEN["chosen_points"]
    ax = figures.chosen_points(xy, theta, rows)
    np.testing.assert_allclose(ax.collections[1].get_offsets(), xy[rows])
    assert [note.get_text() for note in ax.texts] == [
        f"θ = {theta[k]:+.2f}".replace("-", "−") for k in rows
    ]
