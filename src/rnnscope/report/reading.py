"""Reading an account: classes by name or index, and the reason for what is not there."""

from __future__ import annotations

from typing import Any

_WORDS = ("scores", "words", "rules", "classifier")
_RELATED = {
    "state_space": ("dynamics",),
    "sentence_paths": ("state_space", "examples", *_WORDS, "dynamics"),
    "eigenvalues": ("modes", "dynamics"),
    "time_constants": ("manifold", "modes", "dynamics"),
    "two_stories": ("two stories", "word pushes", "modes", "dynamics", *_WORDS),
    "valence_pushes": ("word effects", "word classes", "modes", "dynamics"),
    "integration": ("slow position", "manifold", "modes", "dynamics"),
    "slow_alignment": ("slow position", "manifold", "modes", "dynamics"),
    "way": ("examples", "manifold", "modes", "dynamics"),
    "pushes": ("word pushes", "modes", "dynamics", *_WORDS),
    "positions": ("valence", "slow position", "manifold", "modes", "dynamics"),
    "verdict": ("manifold", "modes", "dynamics"),
    "agreement": ("fidelity", "rules", "classifier"),
    "fidelity": ("rules", "classifier", "words"),
    "rules": ("phrases", *_WORDS),
    "phrase model": ("phrases", *_WORDS),
    "examples": _WORDS,
    "scores": _WORDS,
    "gamma": _WORDS,
    "beta": _WORDS,
    "accuracy": ("labels", "classifier", "rules"),
}
"""Under which other names of ``not_applied`` the reason for a missing part may stand."""


def class_names(account: dict[str, Any]) -> list[str]:
    """The names of the classes; empty for a network that has none."""
    for part in ("model", "data"):
        classes = (account.get(part) or {}).get("classes")
        if isinstance(classes, list) and classes:
            return [str(name) for name in classes]
    return []


def index_of(names: list[str], value: Any) -> int | None:
    """The index of a class given by index or by name; None if it is unknown."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < len(names) else None
    return names.index(value) if value in names else None


def name_of(names: list[str], value: Any) -> str:
    """The name of a class given by index or by name."""
    index = index_of(names, value)
    return str(value) if index is None else names[index]


def reason(account: dict[str, Any], name: str) -> str:
    """Why something is missing, as far as the account says."""
    reasons = account.get("not_applied") or {}
    for key in (name, f"figures.{name}", f"dynamics.{name}", *_RELATED.get(name, ())):
        if key in reasons:
            return str(reasons[key])
    for key, sentence in reasons.items():
        if name in str(key):
            return str(sentence)
    return "It was not measured for this network."
