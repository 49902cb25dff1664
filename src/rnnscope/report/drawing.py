"""A drawing: called, it makes a figure of its own; ``on`` axes, it is a part of another.

No figure is known to pyplot, and no setting of matplotlib's stays changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from textwrap import fill
from typing import Any, Concatenate, Generic, ParamSpec

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from rnnscope.errors import DataError, NotApplicable
from rnnscope.report.palette import CLASSES, INK, MUTED, PAPER, class_colour
from rnnscope.report.svg import styled

P = ParamSpec("P")

ALONG = LinearSegmentedColormap.from_list("along", [CLASSES[0], "#cfc9c0", CLASSES[1]])
"""Position from -1 to 1: the colours of class 0 and class 1, towards which the readout reads it."""
NO_SIDES = colormaps["cividis"]
"""The same where the ends belong to no class."""
HALO = (withStroke(linewidth=2.4, foreground=PAPER),)


class Drawing(Generic[P]):
    """A function that draws on axes, as a figure or as a part of one.

    Attributes:
        draw: the function; its first argument is the axes.
        size: width and height of the figure in inches.
    """

    def __init__(
        self, draw: Callable[Concatenate[Axes, P], None], size: tuple[float, float]
    ) -> None:
        update_wrapper(self, draw)
        signature = inspect.signature(draw)
        kept = list(signature.parameters.values())[1:]
        given = inspect.Parameter("ax", inspect.Parameter.KEYWORD_ONLY, default=None)
        rest = [one for one in kept if one.kind is inspect.Parameter.VAR_KEYWORD]
        kept = [one for one in kept if one not in rest]
        self.__signature__ = signature.replace(
            parameters=[*kept, given, *rest], return_annotation=Axes
        )
        self.draw = draw
        self.size = size

    def __call__(self, *args: P.args, **keywords: P.kwargs) -> Axes:
        """The drawing on the axes given as ``ax``, or on those of a figure of its own."""
        ax: Any = keywords.pop("ax", None)
        if ax is not None:
            self.on(ax, *args, **keywords)
            return ax
        return self.figure(*args, **keywords).axes[0]

    def figure(self, *args: P.args, **keywords: P.kwargs) -> Figure:
        """The drawing as a figure."""
        with styled():
            figure = blank(*self.size)
            self.draw(figure.add_subplot(), *args, **keywords)
            return finished(figure)

    def on(self, ax: Axes, *args: P.args, **keywords: P.kwargs) -> None:
        """The drawing on these axes."""
        with styled():
            self.draw(ax, *args, **keywords)


def drawing(
    width: float, height: float
) -> Callable[[Callable[Concatenate[Axes, P], None]], Drawing[P]]:
    """Make a function that draws on axes a ``Drawing`` of this size in inches."""
    return lambda draw: Drawing(draw, (width, height))


def blank(width: float, height: float) -> Figure:
    """An empty figure."""
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    figure.set_layout_engine("constrained", h_pad=0.08, w_pad=0.08)
    return figure


def finished(figure: Figure) -> Figure:
    """The figure with everything in place: ticks take their look from the style of the moment
    in which they are first drawn, and later that is the user's."""
    figure.draw_without_rendering()
    return figure


def array(values: Any) -> np.ndarray:
    """Numbers from a tensor, an array or a list."""
    detached = values.detach() if hasattr(values, "detach") else values
    return np.asarray(detached)


def pairs(values: Any) -> np.ndarray:
    """Points of a plane, (n, 2)."""
    return array(values).astype(float).reshape(-1, 2)


def same_length(**arrays: np.ndarray) -> None:
    """Hold arrays that are drawn together against each other.

    Raises:
        DataError: they differ in length.
        NotApplicable: they are empty.
    """
    counts = {name: len(values) for name, values in arrays.items()}
    if len(set(counts.values())) > 1:
        raise DataError(
            "What is drawn together has one row a point.",
            expected="arrays of one length",
            got=", ".join(f"{name}: {count}" for name, count in counts.items()),
        )
    if not all(counts.values()):
        raise NotApplicable(f"There is nothing to draw: no {' and no '.join(counts)}.")


def class_of(name: str, classes: tuple[str, ...]) -> int | None:
    """The class that a name speaks for; of two classes, "negative" and "positive" are the first
    and the second whatever their names. None for what is none of them."""
    if name in classes:
        return classes.index(name)
    sides = ("negative", "positive")
    return sides.index(name) if len(classes) == 2 and name in sides else None


def colour_of(name: str, classes: tuple[str, ...]) -> str:
    """A class's colour; grey for what is none of the classes."""
    return class_colour(class_of(name, classes))


def arrow(ax: Axes, direction: Any, label: str, *, start: Any = (0.0, 0.0), size: float) -> None:
    """An arrow of this length in data units, with a label at its head."""
    direction = array(direction).astype(float)
    length = float(np.hypot(*direction))
    if not length:
        return
    start, unit = array(start).astype(float), direction / length
    end = start + size * unit
    ax.annotate(
        "", tuple(end), tuple(start), zorder=8, annotation_clip=False,
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4, "shrinkA": 0, "shrinkB": 0,
                    "path_effects": HALO},
    )  # fmt: skip
    ax.annotate(
        label, tuple(end), xytext=tuple(6 * unit), textcoords="offset points",
        ha="left" if unit[0] > 0.3 else "right" if unit[0] < -0.3 else "center",
        va="bottom" if unit[1] > 0.3 else "top" if unit[1] < -0.3 else "center",
        fontsize=8, color=INK, zorder=9, path_effects=HALO,
    )  # fmt: skip


def along(classes: Any) -> Colormap:
    """The colours of positions along the manifold of a network with these classes."""
    return ALONG if len(classes) == 2 else NO_SIDES


def axis_names(ax: Axes, shares: Any = None) -> None:
    """Labels of a plane of two principal axes, with their shares of the variance."""
    shares = [] if shares is None else array(shares).tolist()
    for axis, place in ((ax.xaxis, 0), (ax.yaxis, 1)):
        part = f" ({shares[place]:.0%} of var.)" if len(shares) > place else ""
        axis.set_label_text(f"principal axis {place + 1}{part}")


def nothing(ax: Axes, sentence: str) -> None:
    """Empty axes that say why."""
    ax.set_axis_off()
    ax.text(
        0.5, 0.5, fill(sentence, 38), transform=ax.transAxes, ha="center", va="center",
        color=MUTED, fontsize=8,
    )  # fmt: skip
