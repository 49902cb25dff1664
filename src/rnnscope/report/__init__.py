"""One self-contained page, and its figures, drawn from an account's dictionary alone."""

from rnnscope.report.figures import (
    agreement,
    eigenvalues,
    positions,
    pushes,
    sentence_paths,
    state_space,
    time_constants,
)
from rnnscope.report.page import render

__all__ = [
    "agreement",
    "eigenvalues",
    "positions",
    "pushes",
    "render",
    "sentence_paths",
    "state_space",
    "time_constants",
]
