"""Points, slow directions and words in the plane of the visited states: Figures 2c, 4a and 4b of
Maheswaranathan et al. 2019.

Every function draws plain arrays, already projected on the plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from rnnscope.report.drawing import (
    ALONG,
    HALO,
    array,
    arrow,
    axis_names,
    class_of,
    colour_of,
    drawing,
    pairs,
    same_length,
)
from rnnscope.report.palette import FAINT, INK, MUTED, PAPER
from rnnscope.report.panel import DENSE, legend_below, marker


@drawing(5.2, 3.9)
def points_in_plane(
    ax: Axes,
    xy: Any,
    theta: Any,
    *,
    marks: Mapping[str, Any] | None = None,
    states: Any = None,
    shares: Any = None,
    point_shares: Any = None,
    colours: Colormap = ALONG,
) -> None:
    """Fixed and slow points coloured by their position along the manifold (Figure 2c).

    Args:
        xy: points in the plane, (P, 2).
        theta: their positions, -1 to 1, (P,).
        marks: other points by name ("root", "ghost"), (n, 2) each.
        states: visited states in the plane, drawn faintly behind.
        shares: the two axes' shares of the variance.
        point_shares: shares of the points' own variance by principal axis; an inset.
        colours: of the positions.
    """
    xy, theta = pairs(xy), array(theta).astype(float)
    same_length(points=xy, theta=theta)
    handles: list[Any] = []
    drawn_places = [xy]
    if states is not None:
        behind = pairs(states)
        ax.scatter(*behind.T, s=3, color=FAINT, lw=0, zorder=1, rasterized=len(behind) > DENSE)
        handles.append(marker("visited state", "o", FAINT, 3))
        drawn_places.append(behind)
    # Ends last: they are what the colours tell apart.
    order = np.argsort(np.abs(theta), kind="stable")
    drawn = ax.scatter(
        *xy[order].T, c=theta[order], cmap=colours, vmin=-1, vmax=1, s=22, edgecolor=INK,
        linewidth=0.3, zorder=3, rasterized=len(xy) > DENSE,
    )  # fmt: skip
    handles.append(marker("fixed or slow point", "o", INK, 5, fill=FAINT))
    for name, places in (marks or {}).items():
        other = pairs(places)
        if len(other):
            shape, size = {"root": ("*", 170), "ghost": ("x", 28)}.get(name, ("s", 24))
            look = {"marker": shape, "s": size, "lw": 1.1, "zorder": 4}
            # Hollow: a root is one of the coloured points.
            hollow = {"color": INK} if shape == "x" else {"facecolor": "none", "edgecolor": INK}
            ax.scatter(*other.T, **look, **hollow)
            handles.append(marker(name, shape, INK, 6, fill="none"))
            drawn_places.append(other)
    ax.set_aspect("equal", adjustable="datalim")
    axis_names(ax, shares)
    bar = ax.figure.colorbar(drawn, ax=ax, ticks=[-1, 0, 1], shrink=0.7, pad=0.02)
    bar.set_label("position θ")
    bar.outline.set_visible(False)  # type: ignore[union-attr]
    if point_shares is not None:
        _inset(ax, array(point_shares).astype(float), np.concatenate(drawn_places))
    legend_below(ax, handles, columns=3)


@drawing(4.6, 4.0)
def slow_directions(
    ax: Axes,
    xy: Any,
    directions: Any,
    theta: Any,
    *,
    shares: Any = None,
    colours: Colormap = ALONG,
    shown: int = 60,
) -> None:
    """The slowest direction r_1 at points of the manifold (Figure 4b).

    A dash is as long as the part of r_1 that lies in the plane; the key is a whole one.

    Args:
        xy: points in the plane, (P, 2).
        directions: r_1 in the plane, of a unit vector, (P, 2).
        theta: the points' positions, -1 to 1, (P,).
        shares: the two axes' shares of the variance.
        colours: of the positions.
        shown: points drawn at most, evenly along theta.
    """
    xy, directions, theta = pairs(xy), pairs(directions), array(theta).astype(float)
    same_length(points=xy, directions=directions, theta=theta)
    order = np.argsort(theta, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(shown, len(order))).astype(int))]
    ax.scatter(*xy.T, s=5, color=FAINT, lw=0, zorder=1)
    extent = float(np.ptp(xy, axis=0).max()) or 1.0
    half = 0.06 * extent * directions[chosen]
    dashes = LineCollection(
        np.stack([xy[chosen] - half, xy[chosen] + half], 1).tolist(), cmap=colours,
        array=theta[chosen], lw=1.6, zorder=3, clim=(-1, 1),
    )  # fmt: skip
    ax.add_collection(dashes)
    ax.scatter(*xy[chosen].T, s=9, c=theta[chosen], cmap=colours, vmin=-1, vmax=1, lw=0.3,
               edgecolor=INK, zorder=4)  # fmt: skip
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.12)
    axis_names(ax, shares)
    handles = [
        marker("point", "o", FAINT, 4),
        Line2D([], [], color=MUTED, lw=1.6, label="r₁, its part in the plane"),
    ]
    legend_below(ax, handles, columns=2)


@drawing(4.4, 4.2)
def word_effects(
    ax: Axes,
    effects: Mapping[str, Any],
    left: Any,
    classes: Sequence[str] = ("negative", "positive"),
    *,
    title: str = "",
) -> None:
    """What words do at once at one point, ``J_inp x``, centred there (Figure 4a).

    Args:
        effects: for each class of words their effects in the plane, (V, 2).
        left: l_1 in the plane, (2,): along it a push lasts.
        classes: names of the classes; words of no class are grey.
        title: what to write above.
    """
    classes = tuple(classes)
    every = {name: pairs(values) for name, values in effects.items()}
    for name, xy in every.items():
        same_length(**{f"{name} words": xy})
    reach = 1.15 * max((np.abs(xy).max() for xy in every.values()), default=1.0) or 1.0
    ax.axhline(0, color=FAINT, lw=0.7, zorder=0)
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    handles: list[Any] = []
    for name, xy in every.items():
        colour, shape = colour_of(name, classes), _shape(name, classes)
        ax.scatter(
            *xy.T,
            s=9 if shape == "D" else 12,
            marker=shape,
            color=colour,
            alpha=0.4,
            lw=0,
            zorder=2,
        )
        handles.append(marker(name, shape, colour, 4))
    for name, xy in every.items():
        look = {"mfc": colour_of(name, classes), "mec": INK, "mew": 1.2, "ms": 8, "zorder": 6}
        ax.plot(*xy.mean(0), _shape(name, classes), **look)
    handles.append(marker("mean", "o", INK, 7, fill=PAPER))
    arrow(ax, left, "ℓ₁", size=0.75 * reach)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="effect along principal axis 1", ylabel="along principal axis 2")
    if title:
        ax.set_title(title, fontsize=9)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, symmetric=True))
    legend_below(ax, handles, columns=4)


def _shape(name: str, classes: tuple[str, ...]) -> str:
    """A second sign beside the colour."""
    place = class_of(name, classes)
    return "D" if place is None else "os^vP*"[place % 6]


def _inset(ax: Axes, shares: np.ndarray, taken: np.ndarray) -> None:
    """Cumulative variance of the points, in the emptiest corner."""
    ax.apply_aspect()
    seen = ax.transAxes.inverted().transform(ax.transData.transform(taken))
    corners = np.array([(0.1, 0.6), (0.68, 0.6), (0.1, 0.12), (0.68, 0.12)])
    # Its title stands above it, its numbers left of it.
    low, high = corners - 0.08, np.add(corners, (0.32, 0.42))
    crowd = ((seen[:, None] > low) & (seen[:, None] < high)).all(-1).sum(0)
    corner = corners[int(np.argmin(crowd))].tolist()
    inset = ax.inset_axes((*corner, 0.28, 0.28), zorder=6)
    shown = 100 * shares[:8].cumsum()
    inset.plot(np.arange(1, len(shown) + 1), shown, "o-", color=INK, ms=2.5, lw=1)
    inset.set(ylim=(0, 105), xlim=(0.5, 8.5), yticks=[0, 50, 100], xticks=[1, 4, 8])
    inset.tick_params(labelsize=6, length=2, pad=1)
    inset.set_title("% variance\nof the points", fontsize=6, pad=2, path_effects=HALO)
    inset.patch.set(facecolor=PAPER, alpha=0.85)
