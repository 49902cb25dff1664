"""The networks of a study side by side, drawn from plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from rnnscope.report import text
from rnnscope.report.drawing import drawing
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, PAPER
from rnnscope.report.panel import legend_below

Row = dict[str, Any]
SHAPES = ("o", "s", "^", "D", "v")


@drawing(6.4, 3.6)
def study_accuracies(ax: Axes, networks: Sequence[Row]) -> None:
    """Accuracy of every network, one dot a seed, beside the bag of words of its data set.

    Args:
        networks: rows with ``data``, ``architecture``, ``accuracy`` and ``bag_of_words``.
    """
    data, handles = _dots(ax, networks, {"accuracy": ""})
    for place, name in enumerate(data):
        rows = [row for row in networks if row["data"] == name]
        words = [row["bag_of_words"] for row in rows if row["bag_of_words"] is not None]
        if words:
            ax.plot([place - 0.42, place + 0.42], [words[0]] * 2, color=MUTED, lw=1.4, zorder=1)
    ax.set(ylabel="accuracy on held-out documents")
    handles.append(Line2D([], [], color=MUTED, lw=1.4, label="bag of words"))
    legend_below(ax, handles, columns=min(5, len(handles)))


@drawing(6.4, 3.6)
def study_measures(
    ax: Axes,
    networks: Sequence[Row],
    measures: Mapping[str, str],
    *,
    label: str,
    log: bool = False,
    zero: bool = False,
) -> None:
    """One to three measures of every network, one dot a seed, by data set and cell.

    Args:
        networks: rows with ``data``, ``architecture`` and the measures.
        measures: names of columns and what they are called; the first is drawn filled, the second
            hollow, the third as a bar.
        label: of the vertical axis.
        log: a logarithmic axis.
        zero: mark 0.
    """
    _, handles = _dots(ax, networks, measures)
    if log:
        ax.set_yscale("log")
        low, high = ax.get_ylim()
        # A decade at least, so that it has a number to read.
        middle, half = (low * high) ** 0.5, max((high / low) ** 0.5, 10**0.55)
        ax.set_ylim(middle / half, middle * half)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.number(float(value))))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(axis="y", which="major")
    if zero:
        ax.axhline(0, color=MUTED, lw=0.8, zorder=1)
    ax.set(ylabel=label)
    if len(measures) > 1:
        handles += [
            Line2D([], [], ls="", ms=5.5, label=title, **_mark(k, INK, "o"))
            for k, title in enumerate(measures.values())
        ]
    legend_below(ax, handles, columns=len(handles))


def _dots(
    ax: Axes, rows: Sequence[Row], measures: Mapping[str, str]
) -> tuple[list[str], list[Line2D]]:
    """The names along the horizontal axis, and a legend of the cells."""
    data = list(dict.fromkeys(row["data"] for row in rows))
    cells = list(dict.fromkeys(row["architecture"] for row in rows))
    for place, name in enumerate(data):
        for k, cell in enumerate(cells):
            own = [r for r in rows if (r["data"], r["architecture"]) == (name, cell)]
            x = place + (k - (len(cells) - 1) / 2) * 0.8 / max(1, len(cells))
            spread = np.linspace(-0.03, 0.03, len(own)) if len(own) > 1 else np.zeros(len(own))
            for order, measure in enumerate(measures):
                values = [np.nan if r[measure] is None else r[measure] for r in own]
                mark = _mark(order, CLASSES[k % 6], SHAPES[k % 5])
                ax.plot(x + spread, values, ls="none", ms=5.5, zorder=3, **mark)
    ax.set_xticks(range(len(data)), [name.replace("_", " ") for name in data])
    ax.set(xlim=(-0.55, len(data) - 0.45))
    handles = [
        Line2D([], [], ls="", ms=5.5, label=cell, **_mark(0, CLASSES[k % 6], SHAPES[k % 5]))
        for k, cell in enumerate(cells)
    ]
    return data, handles


def _mark(order: int, colour: Any, shape: str) -> dict[str, Any]:
    """Filled, hollow, or a bar."""
    if order == 0:
        return {"marker": shape, "mfc": colour, "mec": INK, "mew": 0.5}
    if order == 1:
        return {"marker": shape, "mfc": PAPER, "mec": colour, "mew": 1.4}
    return {"marker": "_", "mec": colour, "mew": 2.0}


FINDINGS = LinearSegmentedColormap.from_list("findings", [PAPER, CLASSES[1]])


@drawing(6.4, 4.2)
def study_findings(ax: Axes, predictions: Sequence[Row]) -> None:
    """Of how many networks each prediction of the line attractor exceeds its nulls.

    Args:
        predictions: rows with ``data``, ``architecture``, ``prediction`` and ``finding``.
    """
    groups = list(dict.fromkeys((row["data"], row["architecture"]) for row in predictions))
    names = list(dict.fromkeys(row["prediction"] for row in predictions))
    for y, group in enumerate(groups):
        for x, name in enumerate(names):
            found = [
                row["finding"]
                for row in predictions
                if (row["data"], row["architecture"]) == group and row["prediction"] == name
            ]
            judged = [one for one in found if one in ("yes", "no", "cannot tell")]
            if not judged:
                ax.text(x, y, "–", ha="center", va="center", color=MUTED, fontsize=8)
                continue
            holds = sum(one == "yes" for one in judged)
            share = holds / len(judged)
            ax.add_patch(_square(x, y, FINDINGS(0.12 + 0.68 * share) if holds else PAPER))
            colour = PAPER if share > 0.7 else INK
            ax.text(
                x, y, f"{holds}/{len(judged)}", ha="center", va="center", color=colour, fontsize=8
            )
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    ax.set_yticks(range(len(groups)), [f"{data}  {cell}" for data, cell in groups])
    ax.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(groups) - 0.5, -0.5))
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _square(x: float, y: float, colour: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, facecolor=colour, edgecolor=FAINT, lw=0.6)
