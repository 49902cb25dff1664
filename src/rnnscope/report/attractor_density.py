"""Where the states of each class lie: Figure 2b of Maheswaranathan et al. 2019."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.ndimage import gaussian_filter

from rnnscope.report.drawing import array, arrow, axis_names, colour_of, drawing, pairs, same_length
from rnnscope.report.palette import INK, MUTED, PAPER
from rnnscope.report.panel import legend_below, marker

MASS = (0.9, 0.5)
"""Shares of a class's states that the shades of its density hold."""
_CELLS = 90


@drawing(5.0, 4.0)
def state_density(
    ax: Axes,
    xy: Any,
    labels: Any = None,
    classes: Sequence[str] = ("negative", "positive"),
    *,
    paths: Sequence[Any] = (),
    readout: Any = None,
    offset: float | None = None,
    shares: Any = None,
) -> None:
    """Where the states of each class lie, with example paths and the readout (Figure 2b).

    The shades of a class hold 50 and 90 % of its states.

    Args:
        xy: states in the plane, (n, 2).
        labels: their classes, (n,); None where not known.
        classes: names of the classes.
        paths: trajectories in the plane, (T, 2) each, from their start on.
        readout: the readout's contrast in the plane, (2,); or one direction a class, (K, 2).
        offset: what the readout gives at the plane's origin; its zero line is then drawn.
        shares: the two axes' shares of the variance.
    """
    xy, classes = pairs(xy), tuple(classes)
    labels = np.full(len(xy), -1) if labels is None else array(labels).astype(int)
    same_length(states=xy, labels=labels)
    handles: list[Any] = []
    around = np.concatenate([xy, *map(pairs, paths)])
    low, high = around.min(0), around.max(0)
    room = 0.15 * (high - low).max()
    frame = np.stack([low - room, high + room])
    for label in np.unique(labels):
        name = classes[label] if 0 <= label < len(classes) else ""
        colour = colour_of(name, classes)
        _shade(ax, xy[labels == label], frame, colour)
        handles.append(
            Patch(
                facecolor=colour,
                alpha=0.5,
                lw=0,
                label=f"{name} documents" if name else "visited states",
            )
        )
    for k, path in enumerate(map(pairs, paths)):
        ax.plot(*path.T, color=(INK, MUTED)[k % 2], lw=0.8, zorder=5)
        ax.plot(*path[0], "o", mfc=PAPER, mec=INK, mew=1, ms=5, zorder=6)
        ax.plot(*path[-1], "o", mfc=INK, mec=PAPER, mew=0.8, ms=6, zorder=6)
    if len(paths):
        handles.append(Line2D([], [], color=INK, lw=1, label="example path"))
        handles.append(marker("start", "o", INK, 5, fill=PAPER))
        handles.append(marker("end", "o", INK, 5))
    ax.update_datalim(frame)
    ax.set_aspect("equal", adjustable="datalim")
    directions = None if readout is None else array(readout).astype(float)
    if directions is not None and directions.ndim == 2:
        ax.apply_aspect()
        size = 0.22 * float(np.ptp([ax.get_xlim(), ax.get_ylim()], axis=1).max())
        longest = float(np.linalg.norm(directions, axis=-1).max()) or 1.0
        for name, own in zip(classes, directions, strict=True):
            part = float(np.linalg.norm(own)) / longest
            arrow(ax, own, f"readout of {name}", start=xy.mean(0), size=size * part)
    elif directions is not None:
        _readout(ax, directions, offset, xy, handles)
    axis_names(ax, shares)
    legend_below(ax, handles, columns=3)


def _shade(ax: Axes, xy: np.ndarray, frame: np.ndarray, colour: str) -> None:
    """Two shades of a smoothed density, which hold ``MASS`` of the states; few states as dots."""
    if len(xy) < 30:
        ax.scatter(*xy.T, s=12, color=colour, alpha=0.6, lw=0, zorder=2)
        return
    edges = [np.linspace(low, high, _CELLS + 1) for low, high in frame.T.tolist()]
    count, *_ = np.histogram2d(*xy.T, bins=edges)
    # Scott's rule: the spread of the states over n^(1/6), in cells.
    spread = xy.std(0) / len(xy) ** (1 / 6) / [edge[1] - edge[0] for edge in edges]
    smooth = gaussian_filter(count, np.clip(spread, 0.8, 8))
    ranked = np.sort(smooth.ravel())[::-1]
    mass = ranked.cumsum() / ranked.sum()
    levels = [ranked[min(np.searchsorted(mass, share), len(mass) - 1)] for share in MASS]
    middle = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
    for level, alpha in zip(levels, (0.25, 0.35), strict=True):
        if smooth.max() > level:
            bounds = [level, smooth.max()]
            ax.contourf(*middle, smooth.T, bounds, colors=[colour], alpha=alpha, zorder=2)
            ax.contour(*middle, smooth.T, [level], colors=[colour], linewidths=0.8, zorder=3)


def _readout(
    ax: Axes, readout: np.ndarray, offset: float | None, xy: np.ndarray, handles: list[Any]
) -> None:
    """The readout's direction as an arrow from its zero line, and that line."""
    length = float(readout @ readout)
    if not length:
        return
    ax.apply_aspect()
    limits = np.array([ax.get_xlim(), ax.get_ylim()])
    reach = float(np.ptp(limits, axis=1).max())
    start = xy.mean(0)
    if offset is not None:
        foot = start - (start @ readout + offset) / length * readout
        across = np.array([-readout[1], readout[0]]) / length**0.5
        if ((limits[:, 0] < foot) & (foot < limits[:, 1])).all():
            start = foot
        look = {"color": MUTED, "lw": 1.2, "ls": (0, (5, 3)), "zorder": 4}
        # As an artist that takes no part in finding the limits.
        ends = np.stack([foot - 99 * reach * across, foot + 99 * reach * across])
        ax.add_artist(Line2D(*ends.T, **look))
        handles.append(Line2D([], [], label="readout = 0", **look))
    arrow(ax, readout, "readout", start=start, size=0.16 * reach)
