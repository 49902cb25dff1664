"""What the figures share: their signature, their refusal, their legends."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from rnnscope.errors import NotApplicable
from rnnscope.report import text
from rnnscope.report.reading import reason
from rnnscope.report.svg import styled

Draw = Callable[[dict[str, Any], Axes], float | None]
"""Draws on the axes, and may say how high the figure should be."""
DENSE = 1500
"""Markers beyond which a scatter is stored as an image: as vectors it would weigh more."""


def panel(name: str, width: float, height: float) -> Callable[[Draw], Callable[..., Axes]]:
    """Give a drawing function the common signature, look and refusal."""

    def decorate(draw: Draw) -> Callable[..., Axes]:
        @wraps(draw)
        def figure(account: dict[str, Any], ax: Axes | None = None) -> Axes:
            if not has_data(account, name):
                raise NotApplicable(
                    f"There is nothing to draw for {text.label(name)}: {reason(account, name)}"
                )
            with styled():
                if ax is not None:
                    draw(account, ax)
                    return ax
                own = Figure(figsize=(width, height), layout="constrained")
                better = draw(account, own.add_subplot())
                own.set_figheight(better or height)
            return own.axes[0]

        return figure

    return decorate


def has_data(account: dict[str, Any], name: str) -> bool:
    """Whether the account holds what a panel shows."""
    if name == "agreement":
        return bool(account.get("fidelity"))
    if name == "two_stories":
        return bool(((account.get("join") or {}).get("words") or {}).get("list"))
    drawn = account.get("figures") or {}
    if name in ("integration", "slow_alignment"):
        return bool((drawn.get("integration") or {}).get("xy"))
    if name == "sentence_paths":
        return bool((drawn.get("state_space") or {}).get("paths"))
    held = drawn.get(name)
    filled = held.values() if isinstance(held, dict) else [held]
    return any(bool(item) for item in filled)


def coordinates(value: Any) -> np.ndarray:
    """Pairs as an (n, 2) array, whether they stand alone or under ``xy``."""
    pairs = value.get("xy") if isinstance(value, dict) else value
    return np.array(pairs if pairs is not None else [], dtype=float).reshape(-1, 2)


def marker(name: str, marker: str, colour: str, size: float, fill: str | None = None) -> Line2D:
    """An entry of a legend."""
    # A label that starts with an underscore would be left out of the legend.
    name = f" {name}" if name.startswith("_") else name
    look = {"mfc": colour if fill is None else fill, "mec": colour, "ms": size}
    return Line2D([], [], ls="none", marker=marker, label=name, **look)


def legend_below(ax: Axes, handles: list[Any], *, columns: int) -> None:
    """A legend under the axis label, at a distance in points."""
    legend = ax.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns,
        bbox_transform=offset_copy(ax.transAxes, ax.get_figure(root=True), 0, -30, "points"),
        borderaxespad=0, columnspacing=1.2, handletextpad=0.4, handlelength=1.4,
    )  # fmt: skip
    for label in legend.get_texts():
        label.set_parse_math(False)
