"""One palette for figures, heat strips and tables, told apart in every common colour blindness."""

from __future__ import annotations

INK, MUTED, FAINT, PAPER = "#1b1f27", "#5d6675", "#c3c8d1", "#fdfdfc"
NEUTRAL = "#767d89"
"""For what is against a class when there are more than two."""
CLASSES = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Class 0 first: orange speaks for class 0 and blue for class 1 wherever a score has a sign."""

_DARK = {
    INK: "#e9ebef",
    MUTED: "#a3abb8",
    FAINT: "#474d58",
    PAPER: "#14171c",
    NEUTRAL: "#8d95a3",
    CLASSES[0]: "#ff9142",
    CLASSES[1]: "#4fa9ea",
    CLASSES[2]: "#3ec99b",
    CLASSES[3]: "#e39bc6",
    CLASSES[4]: "#f2bd4d",
    CLASSES[5]: "#9ad3f6",
}
_NAMES = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "faint",
    PAPER: "paper",
    NEUTRAL: "neutral",
    **{colour: f"class-{index}" for index, colour in enumerate(CLASSES)},
}


def class_colour(index: int | None) -> str:
    """The colour of a class; grey for a class that is not known."""
    return NEUTRAL if index is None or index < 0 else CLASSES[index % len(CLASSES)]


def variable(colour: str) -> str | None:
    """How the page's style sheet names a colour of the palette."""
    name = _NAMES.get(colour.lower())
    return None if name is None else f"rgb(var(--{name}))"


def declarations(*, dark: bool) -> str:
    """The palette as CSS custom properties: three numbers each, so that opacity can be added."""
    return "".join(
        f"--{name}:{_triplet(_DARK[colour] if dark else colour)};"
        for colour, name in _NAMES.items()
    )


def hexes(*, dark: bool) -> dict[str, str]:
    """The palette by the names of the custom properties."""
    return {name: _DARK[colour] if dark else colour for colour, name in _NAMES.items()}


def _triplet(colour: str) -> str:
    return " ".join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
