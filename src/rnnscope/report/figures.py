"""The figures of the page: one function a panel, each from the account's dictionary to Axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from rnnscope.report import text
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, NEUTRAL, PAPER
from rnnscope.report.panel import DENSE, coordinates, legend_below, marker, panel
from rnnscope.report.plane import sentence_paths, state_space
from rnnscope.report.reading import class_names
from rnnscope.report.story_figures import (
    evidence_path,
    integration,
    slow_alignment,
    two_stories,
    valence_pushes,
)

__all__ = [
    "agreement",
    "eigenvalues",
    "evidence_path",
    "integration",
    "positions",
    "pushes",
    "sentence_paths",
    "slow_alignment",
    "state_space",
    "time_constants",
    "two_stories",
    "valence_pushes",
]


@panel("eigenvalues", 4.6, 3.8)
def eigenvalues(account: dict[str, Any], ax: Axes) -> None:
    """Every eigenvalue at the reference point, against the unit circle."""
    values = coordinates(account["figures"]["eigenvalues"]["reference"])
    size = np.hypot(*values.T)
    turn = np.linspace(0, 2 * np.pi, 181)
    ax.axhline(0, color=FAINT, lw=0.7, zorder=0)
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    ax.plot(np.cos(turn), np.sin(turn), color=MUTED, lw=1, zorder=1)
    grows = size > 1
    ax.scatter(*values[~grows].T, s=16, facecolor="none", edgecolor=INK, lw=0.9, zorder=3)
    ax.scatter(*values[grows].T, s=26, marker="D", color=INK, lw=0, zorder=3)
    reach = max(1.12, 1.08 * float(size.max()))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="real part", ylabel="imaginary part")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    handles = [Line2D([], [], color=MUTED, lw=1, label="unit circle")]
    handles.append(marker("decays", "o", INK, 4, fill="none"))
    if grows.any():
        handles.append(marker("grows", "D", INK, 4))
    legend_below(ax, handles, columns=3)


@panel("time_constants", 4.6, 3.8)
def time_constants(account: dict[str, Any], ax: Axes) -> None:
    """The three slowest time constants at every point, by its position along the manifold."""
    held = account["figures"]["time_constants"]
    # A manifold of one point has no length: its position is null, and it stands in the middle.
    position = np.nan_to_num(np.array(held["position"], dtype=float))
    tau = np.array(held["tau"], dtype=float).reshape(len(position), -1)
    ax.set_yscale("log")
    finite = tau[np.isfinite(tau) & (tau > 0)]
    low, high = (finite.min(), finite.max()) if finite.size else (1.0, 10.0)
    ceiling = high * max(2.0, (high / low) ** 0.12)
    handles: list[Any] = []
    looks = (("slowest", "o", INK), ("second", "s", MUTED), ("third", "^", NEUTRAL))
    for column, (name, shape, colour) in zip(range(tau.shape[1]), looks, strict=False):
        series = tau[:, column]
        shown = np.isfinite(series) & (series > 0)
        face = colour if column == 0 else "none"
        ax.scatter(
            position[shown], series[shown], s=14, marker=shape, facecolor=face, edgecolor=colour,
            lw=0.8, zorder=3, rasterized=len(series) > DENSE,
        )  # fmt: skip
        endless = ~np.isfinite(series)
        ax.scatter(
            position[endless], np.full(endless.sum(), ceiling), s=14, marker=shape,
            facecolor=face, edgecolor=colour, lw=0.8, zorder=3,
        )  # fmt: skip
        handles.append(marker(name, shape, colour, 4, fill=face))
    if not np.isfinite(tau).all():
        ax.axhline(ceiling, color=FAINT, lw=0.7, zorder=1)
        ax.annotate(
            "∞", (1.0, ceiling), xycoords=("axes fraction", "data"), xytext=(3, 0),
            textcoords="offset points", va="center", color=MUTED, fontsize=10,
        )  # fmt: skip
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.number(float(value))))
    if high / low > 20:
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.yaxis.set_minor_formatter(FuncFormatter(_sparse))
    ax.grid(axis="y", which="major")
    ax.set(xlabel="position along the manifold (−1 to 1)", ylabel="time constant (steps)")
    legend_below(ax, handles, columns=3)


@panel("pushes", 4.6, 4.2)
def pushes(account: dict[str, Any], ax: Axes) -> None:
    """The words with the largest push along the slow mode, in either direction."""
    words = sorted(account["figures"]["pushes"], key=lambda row: row["push"])
    values = np.array([row["push"] for row in words], dtype=float)
    spread = np.array([row.get("spread") or 0 for row in words], dtype=float)
    two = len(class_names(account)) == 2
    colours = [CLASSES[int(value > 0)] if two else NEUTRAL for value in values]
    rows = np.arange(len(words))
    ax.barh(rows, values, color=colours, height=0.68, alpha=0.8)
    ax.errorbar(values, rows, xerr=spread, fmt="none", ecolor=INK, elinewidth=0.8)
    ax.axvline(0, color=MUTED, lw=0.7)
    rated = any(row.get("rating") is not None for row in words)
    for place, row in enumerate(words):
        # The word stands on the empty side of zero, next to its bar.
        side = 1 if values[place] > 0 else -1
        base = side * min(0.0, side * values[place] - spread[place])
        ax.annotate(
            text.token(row["word"], 18, count=False), (base, place), xytext=(-4 * side, 0),
            textcoords="offset points", ha="right" if side > 0 else "left", va="center",
            fontsize=8, parse_math=False, annotation_clip=False,
        )  # fmt: skip
        if rated:
            ax.annotate(
                text.signed(row.get("rating")), (1, place), xycoords=("axes fraction", "data"),
                xytext=(30, 0), textcoords="offset points", ha="right", va="center",
                fontsize=8, color=MUTED, annotation_clip=False,
            )  # fmt: skip
    if rated:
        ax.annotate(
            "rated", (1, len(words)), xycoords=("axes fraction", "data"), xytext=(30, 0),
            textcoords="offset points", ha="right", va="center", fontsize=8, color=MUTED,
            annotation_clip=False,
        )  # fmt: skip
    ax.set(yticks=[], ylim=(-0.7, len(words) - 0.3), xlabel="push along the slow mode")
    ax.spines["left"].set_visible(False)


@panel("positions", 4.6, 4.2)
def positions(account: dict[str, Any], ax: Axes) -> None:
    """Where rated texts end along the slow mode, against their human rating."""
    held = account["figures"]["positions"]
    x = np.asarray(held["valence"], dtype=float)
    y = np.asarray(held["position"], dtype=float)
    kept = np.isfinite(x) & np.isfinite(y)
    ax.axhline(0, color=FAINT, lw=0.7, zorder=0)
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    ax.scatter(x[kept], y[kept], s=10, color=INK, alpha=0.4, lw=0, rasterized=len(x) > DENSE)
    ax.set(xlabel="human rating", ylabel="final position on the slow mode")


@panel("agreement", 4.6, 2.6)
def agreement(account: dict[str, Any], ax: Axes) -> float:
    """Agreement with the network and accuracy of each description, with 95 % intervals."""
    rows = list(reversed(account["fidelity"]))
    looks = (("agreement", "o", INK, INK, 0.13), ("accuracy", "s", MUTED, PAPER, -0.13))
    handles: list[Any] = []
    for key, shape, colour, fill, shift in looks:
        for place, row in enumerate(rows):
            if row.get(key) is None:
                continue
            bounds = (row.get("intervals") or {}).get(key)
            if bounds and None not in bounds:
                ax.plot([100 * bound for bound in bounds], [place + shift] * 2, color=colour, lw=1)
            ax.plot(100 * row[key], place + shift, shape, color=colour, mfc=fill, ms=5)
        if any(row.get(key) is not None for row in rows):
            meaning = "agrees with the network" if key == "agreement" else "agrees with the labels"
            handles.append(marker(meaning, shape, colour, 5, fill=fill))
    for place, row in enumerate(rows):
        ax.annotate(
            text.token(text.label(row["name"]), 24, count=False), (0, place),
            xycoords=("axes fraction", "data"), xytext=(-6, 0), textcoords="offset points",
            ha="right", va="center", fontsize=9, parse_math=False, annotation_clip=False,
        )  # fmt: skip
    ax.set(yticks=[], ylim=(-0.6, len(rows) - 0.4), xlim=(0, 101), xlabel="% of judged documents")
    ax.grid(axis="x")
    legend_below(ax, handles, columns=2)
    return max(2.6, 1.1 + 0.32 * len(rows))


def _sparse(value: float, _: int) -> str:
    """A label at 2 and 5 of each decade, where one decade is all there is."""
    digit = round(value / 10 ** np.floor(np.log10(value)))
    return text.number(float(value)) if digit in (2, 5) else ""
