"""The state space as a view that can be turned, zoomed and asked: drawn by bokeh, inlined.

The library lies in the page compressed and is started by the page's own script when the view is
opened. What is drawn comes from the columns the page holds for its figure, so that nothing is
embedded twice; here only the look of each group is described.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, PAPER, class_colour
from rnnscope.report.reading import class_names, index_of
from rnnscope.report.tables import Columns

TARGET = "state-space-view"
_NAME = re.compile(r'"(?:p\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
SHAPES = {"manifold": "circle", "continuum": "square", "root": "star", "ghost": "x"}
NAMES = {"manifold": "manifold point", "continuum": "point of a continuum"}
TIPS = (("", "@kind"), ("class", "@class"), ("document", "@document"), ("example", "@example"),
        ("word", "@word: @token"))  # fmt: skip


def installed() -> bool:
    """Whether bokeh is there."""
    return find_spec("bokeh") is not None


@cache
def bokeh_source() -> str:
    """The source of BokehJS, licence included, as the installed bokeh brings it."""
    import bokeh

    return (Path(bokeh.__file__).parent / "server/static/js/bokeh.min.js").read_text("utf-8")


@cache
def packed_source() -> str:
    """The same, compressed, in signs that can stand in a page."""
    return base64.b64encode(gzip.compress(bokeh_source().encode(), 9, mtime=0)).decode("ascii")


def state_space_view(account: dict[str, Any], columns: Columns) -> str:
    """The description of the view as JSON: groups of rows, how each is drawn, and the plot.

    Args:
        account: what ``docs/account.md`` describes.
        columns: the figure's, of ``figure_columns``.
    """
    from bokeh.core.types import ID
    from bokeh.embed import json_item
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    plot = figure(
        height=520, sizing_mode="stretch_width", output_backend="canvas", match_aspect=True,
        tools="pan,wheel_zoom,box_zoom,reset", active_scroll=None, toolbar_location="above",
        background_fill_color=None, border_fill_color=None, outline_line_color=None,
    )  # fmt: skip
    plot.toolbar.logo = None
    groups = []
    for number, (match, look) in enumerate(_groups(account, columns)):
        source = ColumnDataSource({name: [] for name in columns}, name=f"group-{number}")
        groups.append({"source": source.name, "match": match})
        label = look.pop("label")
        if look.pop("line", False):
            plot.line(
                "x", "y", source=source, color=look["color"], line_width=1.5, legend_label=label
            )
        plot.scatter("x", "y", source=source, legend_label=label, **look)
    plot.add_tools(HoverTool(tooltips=list(TIPS), point_policy="snap_to_data", attachment="left"))
    plot.legend.update(
        click_policy="hide", background_fill_color=PAPER, background_fill_alpha=0.85,
        border_line_color=FAINT, label_text_color=INK, label_text_font_size="12px", padding=6,
        glyph_height=16, label_height=16, spacing=1,
    )  # fmt: skip
    plot.add_layout(plot.legend[0], "below")
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.update(
            axis_label_text_color=INK, major_label_text_color=MUTED, axis_line_color=MUTED,
            major_tick_line_color=MUTED, minor_tick_line_color=None, axis_label=" ",
            axis_label_text_font_style="normal",
        )  # fmt: skip
    plot.grid.grid_line_color = FAINT
    plot.grid.grid_line_alpha = 0.4
    shares = account["figures"]["state_space"].get("axes_variance") or []
    made = json.dumps({
        "target": TARGET, "figure": "state_space", "groups": groups, "shares": shares,
        "item": json_item(plot, ID(TARGET)),
    }, separators=(",", ":"))  # fmt: skip
    return _renumbered(made)


def _renumbered(made: str) -> str:
    """The same with names that depend on nothing but the order: bokeh counts over the process, and
    names a document at random."""
    places: dict[str, str] = {}
    return _NAME.sub(lambda found: places.setdefault(found[0], f'"p{len(places)}"'), made)


def _groups(
    account: dict[str, Any], columns: Columns
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What to draw, back to front: which rows, and how."""
    names = class_names(account)
    held = sorted(
        {
            (kind, label, example or 0)
            for kind, label, example in zip(
                columns["kind"], columns["class"], columns["example"], strict=True
            )
        },
        key=str,
    )
    order = ["visited state", "final state", *SHAPES, "path"]
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for kind, label, example in sorted(held, key=lambda one: (order.index(one[0]), one[2])):
        colour = class_colour(index_of(names, label)) if label is not None else MUTED
        match: dict[str, Any] = {"kind": kind, "class": label}
        match |= {"example": example} if example else {}
        if kind == "visited state":
            look: dict[str, Any] = {"size": 3, "color": FAINT, "alpha": 0.6, "label": "on the way"}
        elif kind == "final state":
            name = f"ends {label}" if label is not None else "final state"
            look = {"size": 5, "color": colour, "alpha": 0.5, "label": name}
        elif kind == "path":
            colour = colour if label is not None else CLASSES[0]
            look = {"size": 5, "color": colour, "line": True, "label": f"example {example}"}
        else:
            size = 14 if kind == "root" else 6
            look = {
                "size": size,
                "marker": SHAPES[kind],
                "color": INK,
                "label": NAMES.get(kind, kind),
            }
        found.append((match, look))
    return found
