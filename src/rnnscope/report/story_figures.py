"""Panels of the account's page that tell both stories side by side: words, slow directions, and
sentences on their way along the line."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from rnnscope.errors import NotApplicable
from rnnscope.report import text
from rnnscope.report.attractor_histograms import alignment, input_projections
from rnnscope.report.attractor_plane import slow_directions
from rnnscope.report.drawing import HALO, along
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, PAPER, class_colour
from rnnscope.report.panel import panel
from rnnscope.report.reading import class_names, index_of, reason
from rnnscope.report.svg import styled

SIDES = LinearSegmentedColormap.from_list("sides", [CLASSES[0], "#cfc9c0", CLASSES[1]])
NAMED_WORDS = 9
SHADES = 5
"""Shades of each side."""
NAMED_MOVES = 5
"""Words named along a sentence's way: those that move it most."""


@panel("two_stories", 5.6, 4.4)
def two_stories(account: dict[str, Any], ax: Axes) -> None:
    """Each word's score against its push along the slow mode, coloured by what its absence does."""
    rows = account["join"]["words"]["list"]
    x, y, effect = (np.array([row[key] for row in rows]) for key in ("score", "push", "effect"))
    size = np.sqrt([row["count"] for row in rows])
    reach = float(np.quantile(np.abs(effect), 0.98)) or 1.0
    scale = Normalize(-reach, reach)
    ax.axhline(0, color=FAINT, lw=0.7, zorder=0)
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    # A few shades and sizes: as many as can be told apart, and marks that share a look weigh less.
    shade = np.round(np.clip(effect / reach, -1, 1) * SHADES) / SHADES
    large = np.digitize(size, [4.0, 10.0])
    for level in np.unique(shade).tolist():
        for step in np.unique(large).tolist():
            these = (shade == level) & (large == step)
            ax.scatter(
                x[these], y[these], color=SIDES(scale(level * reach)), s=(12, 34, 90)[step],
                lw=0.3, edgecolor=PAPER, zorder=3,
            )  # fmt: skip
    bar = ax.get_figure(root=True).colorbar(  # type: ignore[union-attr]
        ScalarMappable(scale, SIDES), ax=ax, shrink=0.7, pad=0.02
    )
    bar.set_label("output changes by, without the word", fontsize=8)
    bar.outline.set_visible(False)  # type: ignore[union-attr]
    names = class_names(account)
    towards = f" (+: {text.token(names[1], 14, count=False)})" if len(names) == 2 else ""
    method = account["join"]["words"].get("method") or ""
    ax.set_xlabel(f"mean score by {method}{towards}", parse_math=False)
    ax.set_ylabel("push along the slow mode")
    _name_some(ax, x, y, [row["word"] for row in rows])


def _name_some(ax: Axes, x: np.ndarray, y: np.ndarray, words: list[str]) -> None:
    """Names of the words that lie furthest out, as far as they do not run into each other."""
    spread = [max(float(np.abs(v).max()), 1e-12) for v in (x, y)]
    order = np.argsort(-(np.abs(x) / spread[0] + np.abs(y) / spread[1]), kind="stable")
    taken: list[np.ndarray] = []
    for k in order.tolist():
        place = np.array([x[k] / spread[0], y[k] / spread[1]])
        if np.abs(place).sum() < 1.15:
            return  # in the crowd, where a name would lie on other words' marks
        if any(abs(place[0] - t[0]) < 0.35 and abs(place[1] - t[1]) < 0.09 for t in taken):
            continue
        taken.append(place)
        ax.annotate(
            text.token(words[k], 14, count=False), (x[k], y[k]),
            xytext=(-6, 3) if place[0] > 0 else (6, -3), textcoords="offset points",
            ha="right" if place[0] > 0 else "left", va="center", fontsize=8, parse_math=False,
            zorder=5,
        )  # fmt: skip
        if len(taken) >= 2 * NAMED_WORDS:
            return


@panel("valence_pushes", 4.6, 3.8)
def valence_pushes(account: dict[str, Any], ax: Axes) -> None:
    """The mean push of positive, negative and neutral words along the slow mode, over points."""
    classes = class_names(account)
    input_projections.on(ax, account["figures"]["valence_pushes"], classes)


@panel("integration", 4.6, 3.8)
def integration(account: dict[str, Any], ax: Axes) -> None:
    """The slow direction at points of the manifold, in the plane of the state space."""
    held = account["figures"]["integration"]
    slow_directions.on(
        ax, held["xy"], held["direction"], held["position"], shares=held.get("axes_variance"),
        colours=along(class_names(account)),
    )  # fmt: skip


@panel("slow_alignment", 4.6, 3.8)
def slow_alignment(account: dict[str, Any], ax: Axes) -> None:
    """How far the slow direction points along the line's axis, beside directions at random."""
    held = account["figures"]["integration"]
    alignment.on(ax, held["alignment"], held.get("nulls"))


def evidence_path(account: dict[str, Any], example: int = 0, ax: Axes | None = None) -> Axes:
    """One sentence on its way along the slow mode, word by word, with the words that move it most.

    Args:
        account: what ``docs/account.md`` describes.
        example: which of ``scores.examples``.
        ax: axes to draw on; new ones when None.

    Raises:
        NotApplicable: the account knows no way of that example.
    """
    examples = (account.get("scores") or {}).get("examples") or []
    shown = examples[example] if 0 <= example < len(examples) else {}
    if not shown.get("way"):
        raise NotApplicable(f"There is no way to draw: {reason(account, 'sentence_paths')}")
    with styled():
        if ax is None:
            # Placed by hand: finding the margins costs more than the drawing, and they are known.
            ax = Figure(figsize=(7.0, 1.9)).add_axes((0.09, 0.26, 0.81, 0.7))
        _way(account, shown, ax)
    return ax


def _way(account: dict[str, Any], shown: dict[str, Any], ax: Axes) -> None:
    way = np.array(shown["way"], dtype=float)
    tokens, names = shown["tokens"], class_names(account)
    tally = (account.get("join") or {}).get("tally") or {}
    middle = tally.get("threshold")
    low, high = float(way.min()), float(way.max())
    if middle is not None:
        low, high = min(low, middle), max(high, middle)
    room = 0.28 * (high - low) or 1.0
    ax.set(xlim=(-0.5, len(way) - 0.5), ylim=(low - room, high + room))
    if middle is not None and len(names) == 2:
        for place, (bottom, top) in enumerate(((low - room, middle), (middle, high + room))):
            ax.axhspan(bottom, top, color=CLASSES[place], alpha=0.08, lw=0)
            ax.annotate(
                text.token(names[place], 14, count=False), (1, place),
                xycoords="axes fraction", xytext=(4, 3 if place == 0 else -3),
                textcoords="offset points", ha="left", va="bottom" if place == 0 else "top",
                fontsize=8, color=CLASSES[place], parse_math=False, annotation_clip=False,
            )  # fmt: skip
        ax.axhline(middle, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=1)
    colour = class_colour(index_of(names, shown.get("predicted")))
    steps = np.arange(len(way))
    ax.plot(steps, way, color=INK, lw=1.1, drawstyle="steps-post", zorder=3)
    ax.plot(steps[:1], way[:1], "o", mfc=PAPER, mec=INK, ms=5, zorder=4)
    ax.plot(steps[1:], way[1:], ".", color=INK, ms=3.5, zorder=4)
    ax.plot(steps[-1:], way[-1:], "o", mfc=colour, mec=PAPER, ms=7, zorder=5)
    _name_moves(ax, way, tokens)
    ax.set(xlabel="words read", ylabel="slow position")


def _name_moves(ax: Axes, way: np.ndarray, tokens: list[str]) -> None:
    """The words that move the state most, beside where they move it."""
    moves = np.diff(way)
    taken: list[int] = []
    near = max(2, round(0.09 * len(way)))
    for k in np.argsort(-np.abs(moves), kind="stable").tolist():
        if k >= len(tokens) or any(abs(k - other) < near for other in taken):
            continue
        taken.append(k)
        up = moves[k] > 0
        ax.annotate(
            text.token(tokens[k], 16, count=False), (k + 1, way[k + 1]),
            xytext=(0, 5 if up else -5), textcoords="offset points", ha="center",
            va="bottom" if up else "top", fontsize=8, parse_math=False, zorder=6,
            path_effects=HALO,
        )  # fmt: skip
        if len(taken) >= NAMED_MOVES:
            return
