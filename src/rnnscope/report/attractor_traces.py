"""Units over a text, and the points that others are shown at: Figures 1 and 3a of
Maheswaranathan et al. 2019."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rnnscope.errors import DataError
from rnnscope.report.drawing import ALONG, array, axis_names, drawing, pairs, same_length
from rnnscope.report.palette import FAINT, INK, MUTED, PAPER
from rnnscope.report.panel import DENSE, legend_below, marker


@drawing(5.6, 3.4)
def unit_traces(
    ax: Axes, states: Any, units: Sequence[int] | None = None, *, shown: int = 150
) -> None:
    """The activity of some units over the first words of a text (Figure 1).

    Args:
        states: the states of one document, (words, N).
        units: which; the eight that vary most when None.
        shown: words.

    Raises:
        DataError: other than (words, N), or a unit that the state does not have.
    """
    states = array(states).astype(float)
    if states.ndim != 2 or not len(states):
        raise DataError(
            "Traces are of the states of one document.", expected="(words, N)",
            got=str(states.shape),
        )  # fmt: skip
    states = states[:shown]
    if units is None:
        units = sorted(np.argsort(-states.std(axis=0), kind="stable")[:8].tolist())
    if any(not 0 <= unit < states.shape[1] for unit in units):
        raise DataError(
            "A unit is one of the state's.", expected=f"0 to {states.shape[1] - 1}",
            got=", ".join(map(str, units)),
        )  # fmt: skip
    gap = 1.15 * float(np.ptp(states[:, list(units)], axis=0).max()) or 1.0
    steps = np.arange(1, len(states) + 1)
    for place, unit in enumerate(units):
        middle = states[:, unit].mean()
        base = -place * gap
        ax.axhline(base, color=FAINT, lw=0.6, zorder=0)
        ax.plot(steps, states[:, unit] - middle + base, color=INK, lw=1.0, zorder=2)
    ax.set_yticks([-place * gap for place in range(len(units))], [f"unit {u}" for u in units])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="words read", xlim=(1, max(2, len(states))))
    ax.spines["left"].set_visible(False)


@drawing(4.6, 3.8)
def chosen_points(
    ax: Axes, xy: Any, theta: Any, chosen: Sequence[int], *, shares: Any = None
) -> None:
    """The points at which spectra and word effects are shown, among all (Figure 3a).

    Args:
        xy: points in the plane, (P, 2).
        theta: their positions, -1 to 1, (P,).
        chosen: rows of those shown.
        shares: the two axes' shares of the variance.
    """
    xy, theta = pairs(xy), array(theta).astype(float)
    same_length(points=xy, theta=theta)
    ax.scatter(*xy.T, s=10, color=FAINT, lw=0, zorder=1, rasterized=len(xy) > DENSE)
    rows = list(chosen)
    ax.scatter(
        *xy[rows].T, s=90, c=theta[rows], cmap=ALONG, vmin=-1, vmax=1, edgecolor=INK, lw=1,
        zorder=3,
    )  # fmt: skip
    for row in rows:
        ax.annotate(
            f"θ = {theta[row]:+.2f}".replace("-", "−"), tuple(xy[row]), xytext=(0, 9),
            textcoords="offset points", ha="center", fontsize=8, zorder=4,
        )  # fmt: skip
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.15)
    axis_names(ax, shares)
    handles = [marker("point", "o", FAINT, 4), marker("shown", "o", INK, 7, fill=PAPER)]
    legend_below(ax, handles, columns=2)
    ax.tick_params(labelcolor=MUTED)
