"""The tables and heat maps of Murdoch & Szlam 2017 as figures: sentences by several scores, the top
phrases, and accuracies by method and data set or category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize

from rnnscope.errors import DataError
from rnnscope.report import text
from rnnscope.report.drawing import array, colour_of, drawing
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, PAPER

SIDES = LinearSegmentedColormap.from_list("paper sides", [CLASSES[0], PAPER, CLASSES[1]])
SHARES = LinearSegmentedColormap.from_list("shares", [PAPER, CLASSES[1]])


@drawing(8.0, 2.2)
def heat_map(ax: Axes, tokens: Sequence[str], scores: Mapping[str, Any]) -> None:
    """One sentence by several scores, a row each (Table 6 and the appendix of v1).

    Blue speaks for class 1 and orange for class 0; each score is shaded against its own largest.

    Args:
        tokens: the words.
        scores: for each method the words' scores, class 1 against class 0, (words,).

    Raises:
        DataError: a score of another length, or no words.
    """
    rows = {name: array(values).astype(float).ravel() for name, values in scores.items()}
    for name, values in rows.items():
        if len(values) != len(tokens) or not len(tokens):
            raise DataError(
                "A heat map has one score a word.",
                expected=f"{len(tokens)} scores, one word or more",
                got=f"{name}: {len(values)}",
            )
    for place, values in enumerate(rows.values()):
        reach = float(np.abs(values).max()) or 1.0
        scale = Normalize(-reach, reach)
        ax.imshow(
            values[None], cmap=SIDES, norm=scale, aspect="auto",
            extent=(-0.5, len(tokens) - 0.5, place + 0.45, place - 0.45), zorder=2,
        )  # fmt: skip
        for k, value in enumerate(values.tolist()):
            if value < 0:  # a second sign beside the colour
                ax.plot([k - 0.3, k + 0.3], [place + 0.33] * 2, color=INK, lw=0.8, ls=":", zorder=3)
    ax.set(xlim=(-0.5, len(tokens) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), [text.token(name, 24, count=False) for name in rows],
                  parse_math=False)  # fmt: skip
    shown = [text.token(token, 14, count=False) for token in tokens]
    ax.set_xticks(range(len(tokens)), shown, rotation=45, ha="left", parse_math=False)
    ax.tick_params(length=0, labelcolor=INK, top=True, labeltop=True, bottom=False,
                   labelbottom=False)  # fmt: skip
    for spine in ax.spines.values():
        spine.set_visible(False)


@drawing(5.0, 4.2)
def top_phrases(
    ax: Axes,
    phrases: Sequence[Any],
    classes: Sequence[str] = ("negative", "positive"),
    *,
    shown: int = 10,
) -> None:
    """The phrases of largest importance S for each class, the largest on top (final, top phrases).

    Args:
        phrases: of ``mine_phrases``, rules of a rule list, or anything with ``text``,
            ``class_name`` and ``importance``.
        classes: names of the classes.
        shown: phrases of each class.
    """
    classes = tuple(classes)
    rows: list[Any] = []
    for name in classes:
        own = [one for one in phrases if one.class_name == name]
        rows += sorted(own, key=lambda one: -one.importance)[:shown]
    for place, one in enumerate(rows):
        ax.barh(place, one.importance, color=colour_of(one.class_name, classes), height=0.7)
        ax.annotate(
            text.number(float(one.importance)), (one.importance, place), xytext=(3, 0),
            textcoords="offset points", va="center", fontsize=7, color=MUTED,
        )  # fmt: skip
    names = [text.token(one.text, 30, count=False) for one in rows]
    ax.set_yticks(range(len(rows)), names, parse_math=False)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel="importance S")
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.margins(x=0.12)


@drawing(5.6, 3.6)
def accuracy_table(ax: Axes, values: Mapping[str, Mapping[str, float | None]]) -> None:
    """Accuracies by method (across) and data set or category (down), shaded (Tables 1, 3 and 4).

    Args:
        values: for each data set or category, by method the share that is right, 0 to 1, or None.
    """
    rows = list(values)
    columns = list(dict.fromkeys(name for row in values.values() for name in row))
    for y, row in enumerate(rows):
        known = [value for value in values[row].values() if value is not None]
        for x, column in enumerate(columns):
            value = values[row].get(column)
            if value is None:
                ax.text(x, y, "–", ha="center", va="center", color=MUTED)
                continue
            ax.imshow([[value]], cmap=SHARES, vmin=0, vmax=1, aspect="auto", zorder=1,
                      extent=(x - 0.48, x + 0.48, y + 0.46, y - 0.46))  # fmt: skip
            ax.text(
                x, y, f"{100 * value:.1f}", ha="center", va="center", fontsize=8, zorder=3,
                color=PAPER if value > 0.6 else INK,
                fontweight="bold" if value == max(known) else "normal",
            )  # fmt: skip
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.set_xticks(range(len(columns)), [text.token(c, 18, count=False) for c in columns],
                  parse_math=False)  # fmt: skip
    ax.set_yticks(range(len(rows)), [text.token(r, 28, count=False) for r in rows],
                  parse_math=False)  # fmt: skip
    ax.tick_params(length=0, labelcolor=INK, top=True, labeltop=True, bottom=False,
                   labelbottom=False)  # fmt: skip
    ax.set_facecolor(FAINT)
    for spine in ax.spines.values():
        spine.set_visible(False)
