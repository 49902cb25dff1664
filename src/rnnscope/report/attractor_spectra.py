"""Variance, eigenvalues and time constants: Figures 2a and 3 of Maheswaranathan et al. 2019."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from rnnscope.report import text
from rnnscope.report.drawing import ALONG, array, blank, drawing, finished, same_length
from rnnscope.report.palette import FAINT, INK, MUTED, NEUTRAL, PAPER
from rnnscope.report.panel import DENSE, legend_below, marker
from rnnscope.report.svg import styled

LINES = ((INK, "-", "o"), (MUTED, (0, (4, 2)), "s"), (NEUTRAL, (0, (1, 1.5)), "^"))


@drawing(4.4, 3.6)
def variance_curve(ax: Axes, shares: Mapping[str, Any], *, shown: int = 20) -> None:
    """Cumulative variance by principal axis, for each of several sets of states (Figure 2a).

    Args:
        shares: for each set ("trained", "untrained", "fixed points") its axes' shares, largest
            first.
        shown: axes shown.
    """
    handles: list[Any] = []
    for (name, values), look in zip(shares.items(), _looks(len(shares)), strict=True):
        colour, style, shape = look
        curve = 100 * array(values).astype(float)[:shown].cumsum()
        places = np.arange(1, len(curve) + 1)
        ax.plot(places, curve, color=colour, ls=style, marker=shape, ms=3.5, lw=1.3)
        handles.append(
            Line2D([], [], color=colour, ls=style, marker=shape, ms=3.5, lw=1.3, label=name)
        )
    ax.axhline(90, color=FAINT, lw=0.7, zorder=0)
    ax.annotate(
        "90 %", (1, 90), xycoords=("axes fraction", "data"), xytext=(2, 0), va="center",
        textcoords="offset points", color=MUTED, fontsize=7, annotation_clip=False,
    )  # fmt: skip
    ax.set(xlabel="principal axes", ylabel="variance held (%)", ylim=(0, 103))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    legend_below(ax, handles, columns=3)


@drawing(3.6, 3.8)
def spectrum(ax: Axes, values: Any, *, title: str = "", colour: Any = INK) -> None:
    """The eigenvalues at one point against the unit circle (Figure 3b).

    Args:
        values: all of them, complex, (N,).
        title: what to write above.
        colour: of the eigenvalues.
    """
    found = array(values).astype(complex)
    xy = np.stack([np.real(found), np.imag(found)], -1)
    turn = np.linspace(0, 2 * np.pi, 181)
    ax.axhline(0, color=FAINT, lw=0.7, zorder=0)
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    ax.plot(np.cos(turn), np.sin(turn), color=MUTED, lw=1, zorder=1)
    grows = np.abs(found) > 1
    ax.scatter(*xy[~grows].T, s=12, facecolor="none", edgecolor=colour, lw=0.8, zorder=3)
    ax.scatter(*xy[grows].T, s=30, marker="D", color=colour, edgecolor=INK, lw=0.6, zorder=4)
    reach = max(1.12, 1.08 * float(np.abs(found).max(initial=0)))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="real part", ylabel="imaginary part")
    for axis in (ax.xaxis, ax.yaxis):
        if reach < 2:
            axis.set_ticks([-1, 0, 1])
        else:
            axis.set_major_locator(MaxNLocator(4, symmetric=True))
    if title:
        ax.set_title(title, fontsize=9)
    handles = [Line2D([], [], color=MUTED, lw=1, label="unit circle")]
    handles.append(marker("decays", "o", INK, 4, fill="none"))
    if grows.any():
        handles.append(marker("grows", "D", INK, 4))
    legend_below(ax, handles, columns=3)


def spectra(values: Any, theta: Any) -> Figure:
    """The eigenvalues at several points side by side (Figure 3b).

    Args:
        values: complex, (P, N).
        theta: the points' positions along the manifold, -1 to 1, (P,).
    """
    values, theta = array(values), array(theta).astype(float)
    same_length(eigenvalues=values, theta=theta)
    with styled():
        figure = blank(3.2 * len(values), 3.7)
        axes = figure.subplots(1, len(values), squeeze=False)[0]
        for ax, row, place in zip(axes, values, theta, strict=True):
            spectrum.on(ax, row, title=at(place), colour=INK)
        for ax in axes[1:]:
            ax.set_ylabel("")
        return finished(figure)


@drawing(4.6, 3.8)
def slow_time_constants(ax: Axes, theta: Any, tau: Any, grows: Any = None) -> None:
    """The slowest time constants at every point, by its position (Figure 3c).

    Args:
        theta: positions along the manifold, -1 to 1, (P,).
        tau: the slowest ones in steps, slowest first, inf where a mode neither grows nor decays,
            (P, k), k up to 3.
        grows: whether each is a time of growth, (P, k).
    """
    theta, tau = array(theta).astype(float), array(tau).astype(float)
    same_length(theta=theta, tau=tau)
    grows = np.zeros(tau.shape, bool) if grows is None else array(grows).astype(bool)
    ceiling = _ceiling(ax, tau)
    handles: list[Any] = []
    names = ("slowest", "second", "third")
    for column, (name, look) in enumerate(zip(names, LINES, strict=True)):
        if column >= tau.shape[1]:
            break
        colour, _, shape = look
        shown = tau[:, column] > 0
        height = np.where(np.isfinite(tau[:, column]), tau[:, column], ceiling)
        for chosen, face in ((~grows[:, column], colour), (grows[:, column], PAPER)):
            kept = shown & chosen
            ax.scatter(
                theta[kept], height[kept], s=14 + 7 * column, marker=shape, facecolor=face,
                edgecolor=colour, lw=0.9, zorder=5 - column, rasterized=len(theta) > DENSE,
            )  # fmt: skip
        handles.append(marker(name, shape, colour, 4))
    if grows.any():
        handles.append(marker("hollow: grows", "o", INK, 4, fill=PAPER))
    ax.set(xlabel="position θ along the manifold", xlim=(-1.08, 1.08))
    ax.set_ylabel("time constant (steps)")
    legend_below(ax, handles, columns=4)


@drawing(4.6, 3.8)
def all_time_constants(
    ax: Axes, tau: Any, theta: Any, grows: Any = None, *, colours: Colormap = ALONG
) -> None:
    """Every time constant at a few points, slowest first (Figure 3d).

    Args:
        tau: in steps, (P, N); zeros (modes gone after one step) are not shown.
        theta: the points' positions, -1 to 1, (P,).
        grows: whether each is a time of growth, (P, N).
        colours: of the positions.
    """
    tau, theta = array(tau).astype(float), array(theta).astype(float)
    same_length(tau=tau, theta=theta)
    grows = np.zeros(tau.shape, bool) if grows is None else array(grows).astype(bool)
    ceiling = _ceiling(ax, tau)
    handles: list[Any] = []
    for k, (row, place) in enumerate(zip(tau, theta, strict=True)):
        colour, shape = colours((place + 1) / 2), "os^vDP"[k % 6]
        ranks, height = np.arange(1, len(row) + 1), np.where(np.isfinite(row), row, ceiling)
        size = 12 + 7 * (len(tau) - 1 - k)
        look = {"s": size, "marker": shape, "edgecolor": INK, "lw": 0.5, "zorder": 3 + k}
        for chosen, face in ((~grows[k], [colour]), (grows[k], PAPER)):
            kept = chosen & (row > 0)
            ax.scatter(ranks[kept], height[kept], facecolor=face, **look)
        handles.append(marker(at(place), shape, INK, 4, fill=colour))
    if grows.any():
        handles.append(marker("hollow: grows", "o", INK, 4, fill=PAPER))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text.number(float(value))))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="mode, slowest first", ylabel="time constant (steps)")
    legend_below(ax, handles, columns=4)


def at(theta: float) -> str:
    """A point's name by its position."""
    return f"θ = {round(theta, 2) + 0.0:+.2f}".replace("-", "−").replace("+0.00", "0")


def _ceiling(ax: Axes, tau: np.ndarray) -> float:
    """A logarithmic axis for these time constants; where infinite ones are drawn, marked there."""
    finite = tau[np.isfinite(tau) & (tau > 0)]
    low, high = (finite.min(), finite.max()) if finite.size else (1.0, 10.0)
    ceiling = float(high * max(2.0, (high / low) ** 0.12))
    ax.set_yscale("log")
    # A decade at least, so that it has a number to read.
    floor = min(low / 1.5, ceiling / 15)
    ax.set_ylim(floor, 1.5 * (high if np.isfinite(tau).all() else ceiling))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.number(float(value))))
    if high / low > 20:
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.yaxis.set_minor_formatter(FuncFormatter(_sparse))
    ax.grid(axis="y", which="major")
    if not np.isfinite(tau).all():
        ax.axhline(ceiling, color=FAINT, lw=0.7, zorder=1)
        ax.annotate(
            "∞", (1.0, ceiling), xycoords=("axes fraction", "data"), xytext=(3, 0),
            textcoords="offset points", va="center", color=MUTED, fontsize=10,
            annotation_clip=False,
        )  # fmt: skip
    return ceiling


def _sparse(value: float, _: int) -> str:
    """A label at 2 and 5 of each decade, where one decade is all there is."""
    digit = value / 10 ** np.floor(np.log10(value))
    return text.number(float(value)) if min(abs(digit - 2), abs(digit - 5)) < 1e-6 else ""


def _looks(count: int) -> Sequence[tuple[str, Any, str]]:
    return [LINES[k % len(LINES)] for k in range(count)]
