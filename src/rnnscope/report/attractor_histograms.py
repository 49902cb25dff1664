"""Pushes of words, alignments and errors: Figures 4c, 4d and 5 of Maheswaranathan et al. 2019."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from rnnscope.report import text
from rnnscope.report.drawing import array, class_of, colour_of, drawing, same_length
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, NEUTRAL
from rnnscope.report.panel import legend_below

NULLS = ((MUTED, (0, (4, 2))), (NEUTRAL, (0, (1, 1.5))), (INK, (0, (6, 2, 1, 2))))


@drawing(4.6, 3.6)
def input_projections(
    ax: Axes,
    projections: Mapping[str, Any],
    classes: Sequence[str] = ("negative", "positive"),
    *,
    bins: int = 40,
) -> None:
    """The mean push of each class of words along the slow mode, over points (Figure 4c).

    Args:
        projections: for each class of words the mean of ``l_1^T J_inp x`` at each point, (P,).
        classes: names of the classes; words of no class are grey.
        bins: of the histogram, shared.
    """
    classes = tuple(classes)
    every = {name: array(values).astype(float).ravel() for name, values in projections.items()}
    same_length(**{f"{name} words": values for name, values in every.items()})
    edges = np.histogram_bin_edges(np.concatenate([*every.values(), [0.0]]), bins).tolist()
    handles: list[Any] = []
    for name, values in every.items():
        colour = colour_of(name, classes)
        hatch = "////" if class_of(name, classes) is None else ""
        weights = _percent(values)
        ax.hist(values, edges, weights=weights, color=colour, alpha=0.35, zorder=3)
        look: dict[str, Any] = {"histtype": "step", "lw": 1.2, "hatch": hatch, "zorder": 4}
        ax.hist(values, edges, weights=weights, color=colour, **look)
        shown = f"{name}, mean {text.number(float(values.mean()))}"
        handles.append(Patch(facecolor=(colour, 0.35), edgecolor=colour, hatch=hatch, label=shown))
    ax.axvline(0, color=MUTED, lw=0.8, zorder=2)
    ax.set(xlabel="mean push along the slow mode, ℓ₁ᵀ J x", ylabel="points (%)")
    legend_below(ax, handles, columns=2)


@drawing(4.6, 3.6)
def alignment(
    ax: Axes, values: Any, nulls: Mapping[str, Any] | None = None, *, bins: int = 30
) -> None:
    """How far r_1 points along the main axis m, beside what chance gives (Figure 4d).

    Args:
        values: ``|r_1^T m|`` at each point, (P,).
        nulls: the same for directions drawn at random, by how they were drawn.
        bins: of the histogram, from 0 to 1.
    """
    edges = np.linspace(0, 1, bins + 1).tolist()
    values = np.abs(array(values).astype(float).ravel())
    same_length(points=values)
    ax.hist(values, edges, weights=_percent(values), color=CLASSES[1], alpha=0.75, zorder=3)
    shown = f"r₁, median {np.median(values):.2f}"
    handles: list[Any] = [Patch(color=CLASSES[1], alpha=0.75, label=shown)]
    for k, (name, drawn) in enumerate((nulls or {}).items()):
        null = np.abs(array(drawn).astype(float).ravel())
        colour, style = NULLS[k % len(NULLS)]
        look: dict[str, Any] = {"color": colour, "ls": style, "lw": 1.4}
        ax.hist(null, edges, weights=_percent(null), histtype="step", zorder=4, **look)
        handles.append(Line2D([], [], label=f"{name}, median {np.median(null):.2f}", **look))
    ax.set(xlabel="|r₁ᵀ m|", ylabel="share of each (%)", xlim=(0, 1))
    legend_below(ax, handles, columns=1)


@drawing(4.8, 3.8)
def linear_error(ax: Axes, errors: Mapping[str, Any], *, bins: int = 40) -> None:
    """One step by the linearization against the true step, beside baselines (Figure 5).

    The first is filled; an error of 1 is as large as the state itself.

    Args:
        errors: by name ("nearest point", "no change", "no input") the relative errors
            ``||h_true - h_lin|| / ||h_true||`` of steps of held-out documents, (n,).
        bins: of the histogram, shared, of equal ratio.
    """
    every = {name: array(values).astype(float).ravel() for name, values in errors.items()}
    every = {name: values[np.isfinite(values)] for name, values in every.items()}
    same_length(steps=np.concatenate([*every.values(), np.empty(0)]))
    positive = np.concatenate([values[values > 0] for values in every.values()])
    positive = positive if len(positive) else np.ones(1)
    # The smallest thousandth is gathered in the first bin, and so are exact steps.
    low, high = np.quantile(positive, 0.001), positive.max()
    edges = np.geomspace(low, max(high, 1.001 * low), bins + 1).tolist()
    handles: list[Any] = []
    for k, (name, values) in enumerate(every.items()):
        shown, weights = np.clip(values, edges[0], edges[-1]), _percent(values)
        middle = f"{name}, median {np.median(values):.1%}" if len(values) else name
        if k == 0:
            ax.hist(shown, edges, weights=weights, color=CLASSES[1], alpha=0.6, zorder=3)
            handles.append(Patch(color=CLASSES[1], alpha=0.6, label=middle))
            continue
        colour, style = NULLS[(k - 1) % len(NULLS)]
        look: dict[str, Any] = {"color": colour, "ls": style, "lw": 1.4}
        ax.hist(shown, edges, weights=weights, histtype="step", zorder=4, **look)
        handles.append(Line2D([], [], label=middle, **look))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="error of one step, relative to the state", ylabel="steps (%)")
    legend_below(ax, handles, columns=1)


@drawing(4.6, 3.6)
def relaxation(ax: Axes, speeds: Any) -> None:
    """How visited states slow down when the input stops (appendix).

    Args:
        speeds: ``||h_{t+1} - h_t|| / ||h_t||`` without input, (S, T) for T steps of S states.
    """
    speeds = array(speeds).astype(float)
    same_length(states=speeds)
    steps = np.arange(speeds.shape[1])
    # On a logarithmic axis a state at rest lies at the smallest speed that is seen.
    moving = speeds[np.isfinite(speeds) & (speeds > 0)]
    bounds = (moving.min(), moving.max()) if moving.size else (1e-16, 1.0)
    speeds = np.clip(speeds, *bounds)
    low, middle, high = np.quantile(speeds, [0.05, 0.5, 0.95], axis=0)
    ax.fill_between(steps, low, high, color=FAINT, alpha=0.6, lw=0, zorder=2)
    ax.plot(steps, middle, color=INK, lw=1.4, zorder=3)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.number(float(value))))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="y", which="major")
    ax.set(xlabel="steps without input", ylabel="change in a step, relative to the state")
    handles = [
        Line2D([], [], color=INK, lw=1.4, label="median"),
        Patch(color=FAINT, alpha=0.6, label="5 to 95 % of the states"),
    ]
    legend_below(ax, handles, columns=2)


def _percent(values: np.ndarray) -> np.ndarray:
    return np.full(len(values), 100 / max(1, len(values)))
