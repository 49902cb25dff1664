"""A matplotlib Axes as a compact piece of SVG that lives inside an HTML page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnscope.report.palette import FAINT, INK, MUTED, variable

STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.dpi": 150,
    "svg.fonttype": "none",
}
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"#([\w-]+)")
_HATCH = re.compile(r"url\(#([\w-]+)\)")
_DECIMALS = re.compile(r"(\.\d\d)\d+")
_FONT = re.compile(r"'DejaVu Sans'[^;]*?sans-serif|'DejaVu Sans'")


@contextmanager
def styled() -> Iterator[None]:
    """The look of the figures, whatever the caller has set; nothing stays changed afterwards."""
    with style.context(["default", STYLE]), warnings.catch_warnings():
        # The browser has glyphs that matplotlib's font lacks, and it is the browser that draws.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support")
        yield


def inline(ax: Axes, name: str, description: str, *, caption: str = "") -> Markup:
    """The figure of an Axes as inline SVG.

    Text stays text (searchable, in the page's font), colours of the palette become the page's
    own, and every id starts with ``name``.

    Args:
        ax: what a figure function gave.
        name: unique on the page; letters, digits and hyphens.
        description: what a reader who cannot see the figure is told; its title.
        caption: id of the element that describes it further.
    """
    buffer = io.StringIO()
    with styled(), style.context({"svg.hashsalt": name}):
        cast(Figure, ax.figure).savefig(buffer, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            # A style element inside inline SVG would apply to the whole page.
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    used = {
        found
        for element in root.iter()
        for key, value in element.attrib.items()
        if _local(key) in ("href", "clip-path", "style")
        for found in _REFERENCE.findall(value[:200])
    }
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _attribute(_local(key), value, name)
            for key, value in element.attrib.items()
            if _local(key) != "id" or value in used
        }
        if element.tag != "text" and not (element.text or "").strip():
            element.text = None
        element.tail = None
    _share_styles(root)
    return Markup(ElementTree.tostring(_framed(root, description, caption), encoding="unicode"))


def _framed(root: ElementTree.Element, description: str, caption: str) -> ElementTree.Element:
    attributes = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": description}
    if caption:
        attributes["aria-describedby"] = caption
    title = ElementTree.Element("title")
    title.text = description
    root.insert(0, title)
    root.attrib = {**attributes, "style": "stroke-linejoin:round;stroke-linecap:butt"}
    return root


def _share_styles(root: ElementTree.Element) -> None:
    """Marks that look alike take their look from the group they are in: it is written once."""
    for group in root.iter("g"):
        marks = group.findall("use")
        looks = {mark.get("style") for mark in marks}
        alone = len(marks) == len(group) - len(group.findall("defs"))
        if alone and len(marks) > 2:
            (look,) = looks if len(looks) == 1 else (None,)
            if look is not None and "style" not in group.attrib:
                group.set("style", look)
                for mark in marks:
                    del mark.attrib["style"]


def _attribute(key: str, value: str, name: str) -> str:
    match key:
        case "id":
            return f"{name}-{value}"
        case "href" if value.startswith("data:"):
            return value
        case "href" | "clip-path":
            return _REFERENCE.sub(rf"#{name}-\1", value)
        case "style":
            value = _HATCH.sub(rf"url(#{name}-\1)", _FONT.sub("var(--font)", value))
            return _COLOUR.sub(lambda found: variable(found[0]) or found[0], value)
        case "d" | "transform" | "x" | "y" | "points":
            return _DECIMALS.sub(r"\1", value)
    return value


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]
