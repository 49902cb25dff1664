"""The state space in a plane: where documents end, the certified points, sentences on their way."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, ScaledTranslation

from rnnscope.report import text
from rnnscope.report.palette import INK, MUTED, PAPER, class_colour
from rnnscope.report.panel import DENSE, coordinates, legend_below, marker, panel
from rnnscope.report.reading import class_names, index_of

KINDS = {
    "manifold": ("manifold point", ".", 14),
    "continuum": ("continuum", "s", 20),
    "root": ("root", "*", 90),
    "ghost": ("ghost", "x", 22),
}
_SHAPE = 1.35
SHOWN = 6
"""More paths than this hide the states behind them."""


@panel("state_space", 4.6, 4.0)
def state_space(account: dict[str, Any], ax: Axes) -> None:
    """Final states by class and points by kind; a dashed box where the sentence paths lie."""
    held = account["figures"]["state_space"]
    handles = _draw_plane(account, ax)
    ax.set_aspect("equal", adjustable="datalim")
    box = _box(held)
    if box is not None:
        (left, low), (width, height) = box[0], box[1] - box[0]
        look = {"fill": False, "ec": MUTED, "lw": 0.9, "ls": (0, (3, 2)), "zorder": 3}
        ax.add_patch(Rectangle((left, low), width, height, **look))
        handles.append(Line2D([], [], color=MUTED, lw=0.9, ls=(0, (3, 2)), label="sentence paths"))
    ax.apply_aspect()
    _draw_readout(ax, held.get("readout"), coordinates(held.get("states")))
    legend_below(ax, handles, columns=3)


@panel("sentence_paths", 4.6, 4.0)
def sentence_paths(account: dict[str, Any], ax: Axes) -> None:
    """The ways of the example sentences, word by word, over the same plane."""
    held = account["figures"]["state_space"]
    handles = _draw_plane(account, ax)
    box = _box(held)
    if box is not None:
        ax.set(xlim=box[:, 0], ylim=box[:, 1])
    ax.set_aspect("equal")
    ax.apply_aspect()
    _draw_paths(ax, held["paths"], account, class_names(account))
    handles.append(marker("start", "o", INK, 5, fill=PAPER))
    handles.append(Line2D([], [], color=MUTED, lw=1.2, label="path of example n"))
    legend_below(ax, handles, columns=3)


def _draw_plane(account: dict[str, Any], ax: Axes) -> list[Any]:
    """Final states and points, and the labels of the axes; the entries of the legend."""
    held = account["figures"]["state_space"]
    names = class_names(account)
    handles: list[Any] = []
    states = held.get("states") or {}
    xy = coordinates(states)
    classes = [index_of(names, value) for value in states.get("class") or [None] * len(xy)]
    for index in sorted(set(classes), key=lambda value: -1 if value is None else value):
        rows = np.array([value == index for value in classes], dtype=bool)
        look = {"color": class_colour(index), "alpha": 0.45, "lw": 0, "zorder": 2}
        ax.scatter(*xy[rows].T, s=9, rasterized=len(xy) > DENSE, **look)
        name = "" if index is None else text.token(names[index], 14, count=False)
        handles.append(marker(f"ends {name}" if name else "final state", "o", look["color"], 4))
    for kind, (name, shape, size) in KINDS.items():
        points = coordinates((held.get("points") or {}).get(kind))
        if len(points):
            edge = {} if shape == "x" else {"edgecolor": PAPER, "linewidth": 0.4}
            look = {"s": size, "marker": shape, "color": INK, "zorder": 4, **edge}
            ax.scatter(*points.T, rasterized=len(points) > DENSE, **look)
            handles.append(marker(name, shape, INK, 5))
    shares = [text.percent(share) for share in held.get("axes_variance") or []]
    for axis, place in ((ax.xaxis, 0), (ax.yaxis, 1)):
        part = f" ({shares[place]} of the variance)" if len(shares) > place else ""
        axis.set_label_text(f"principal axis {place + 1}{part}")
        axis.set_major_locator(MaxNLocator(6))
    return handles


def _box(held: dict[str, Any]) -> np.ndarray | None:
    """Lower left and upper right of the paths, with a margin, in the shape of the figure."""
    ways = [coordinates(path) for path in (held.get("paths") or [])[:SHOWN]]
    corners = np.concatenate(ways) if ways else np.empty((0, 2))
    if not len(corners):
        return None
    low, high = corners.min(0), corners.max(0)
    around = np.concatenate([corners, coordinates(held.get("states"))])
    least = 0.05 * float(np.ptp(around, axis=0).max()) or 1.0
    size = 1.25 * np.maximum(high - low, least)
    size = np.maximum(size, size[::-1] * [_SHAPE, 1 / _SHAPE])
    centre = (low + high) / 2
    return np.stack([centre - size / 2, centre + size / 2])


def _draw_paths(
    ax: Axes, paths: list[dict[str, Any]], account: dict[str, Any], names: list[str]
) -> None:
    """Each path from a hollow start to a filled end, with the number of its example."""
    examples = (account.get("scores") or {}).get("examples") or []
    ends, numbers = [], []
    for path in paths[:SHOWN]:
        xy = np.array(path["xy"], dtype=float).reshape(-1, 2)
        if not len(xy):
            continue
        place = path.get("example")
        example = examples[place] if place is not None and place < len(examples) else {}
        colour = class_colour(index_of(names, example.get("predicted")))
        long = len(xy) > 60
        if not long:
            ax.plot(*xy.T, color=PAPER, lw=2.6, alpha=0.7, zorder=5)
        ax.plot(*xy.T, color=colour, lw=0.8 if long else 1.2, zorder=6)
        ax.plot(*xy[0], "o", mfc=PAPER, mec=INK, mew=1, ms=5, zorder=7)
        ax.plot(*xy[-1], "o", mfc=colour, mec=PAPER, mew=0.8, ms=6, zorder=7)
        ends.append(xy[-1])
        numbers.append("" if place is None else str(place + 1))
    if ends:
        _number_ends(ax, np.array(ends), numbers)


def _number_ends(ax: Axes, ends: np.ndarray, numbers: list[str]) -> None:
    """A number beside each end; numbers that would overlap are pushed apart."""
    to_display = ax.transData
    anchor = to_display.transform(ends)
    scale = ax.get_figure(root=True).dpi / 72  # type: ignore[union-attr]
    offsets = np.tile([0.0, 13.0 * scale], (len(ends), 1))
    gap = 14.0 * scale
    for _ in range(60):
        place = anchor + offsets
        apart = place[:, None] - place[None]
        distance = np.hypot(*np.moveaxis(apart, -1, 0)) + 1e-9
        close = (distance < gap) & ~np.eye(len(ends), dtype=bool)
        if not close.any():
            break
        # Coinciding labels have no direction to part in; their order gives them one.
        angle = np.arange(len(ends)) * 2.4
        tie = np.stack([np.cos(angle), np.sin(angle)], -1)
        unit = apart / distance[..., None] + 0.2 * (tie[:, None] - tie[None])
        overlap = ((gap - distance) * close)[..., None]
        offsets += 0.3 * (overlap * unit).sum(1)
    for end, offset, number in zip(ends, offsets / scale, numbers, strict=True):
        ax.annotate(
            number, end, xytext=tuple(offset), textcoords="offset points", ha="center",
            va="center", fontsize=8, fontweight="bold", color=INK, zorder=9,
            bbox={"boxstyle": "circle,pad=0.22", "fc": PAPER, "ec": MUTED, "lw": 0.7},
            arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.6},
        )  # fmt: skip


def _draw_readout(ax: Axes, readout: Any, states: np.ndarray) -> None:
    """A compass in the emptiest corner: the direction along which the decision is read."""
    direction = readout.get("xy") if isinstance(readout, dict) else readout
    if not direction or None in direction or not np.hypot(*direction):
        return
    unit = np.array(direction, dtype=float) / np.hypot(*direction)
    corners = np.array([[0.12, 0.88], [0.88, 0.88], [0.12, 0.12], [0.88, 0.12]])
    centre = corners[0]
    if len(states):
        seen = ax.transAxes.inverted().transform(ax.transData.transform(states))
        crowd = [(np.hypot(*(seen - corner).T) < 0.25).sum() for corner in corners]
        centre = corners[int(np.argmin(crowd))]
    # The box need not be square: the arrow keeps its direction in points, not in box fractions.
    figure = ax.get_figure(root=True)
    frame = Affine2D().scale(1 / 72) + figure.dpi_scale_trans  # type: ignore[union-attr]
    frame += ScaledTranslation(float(centre[0]), float(centre[1]), ax.transAxes)  # type: ignore
    ax.annotate(
        "", tuple(18 * unit), tuple(-18 * unit), xycoords=frame, textcoords=frame, zorder=8,
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    away = -1 if centre[1] > 0.5 else 1
    ax.annotate(
        "readout", (0, away * (9 + 18 * abs(unit[1]))), xycoords=frame, ha="center", va="center",
        fontsize=8, color=INK, zorder=8,
    )  # fmt: skip
