"""Numbers and words, written for people."""

from __future__ import annotations

import re
from math import inf
from typing import Any

NONE = "–"
_SPACE = "\N{NO-BREAK SPACE}"
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_CONTROL = re.compile(r"[\x00-\x1f\u202a-\u202e\u2066-\u2069]")
_EXPONENT = re.compile(r"e([+-])0+")


def clean(text: str) -> str:
    """Without the characters that neither HTML nor XML can hold."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def token(text: Any, limit: int = 40, *, count: bool = True) -> str:
    """A word as it can be shown in a line.

    Control characters, and those that would turn the direction of the text around them, are
    written out; a word of blanks is made visible; an overlong one is cut.

    Args:
        text: the word.
        limit: characters shown.
        count: say how long a word that was cut is.
    """
    full = str(text)
    if not full.strip():
        return "␣" * max(1, len(full[:limit]))
    cut = f"… ({len(full):,} characters)" if count else "…"
    shown = full if len(full) <= limit else full[:limit] + cut
    return clean(_CONTROL.sub(_written, shown))


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def number(value: Any) -> str:
    """Three significant digits, thousands separated, powers of ten only where they help."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    size = abs(value)
    if 0 < size < 1e-3 or size >= 1e7:
        text = _EXPONENT.sub(r"e\1", f"{value:.1e}").replace("e+", "e").replace(".0e", "e")
    elif isinstance(value, int) or size >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "−")


def signed(value: Any) -> str:
    """A score: two decimals, the sign always shown."""
    return NONE if value is None else f"{value:+.2f}".replace("-", "−")


def fixed(value: Any) -> str:
    """Two decimals, for columns and correlations."""
    return NONE if value is None else f"{value:.2f}".replace("-", "−")


def percent(value: Any) -> str:
    """A share as per cent."""
    if value is None:
        return NONE
    scaled = 100 * value
    text = f"{scaled:.0f}" if scaled in (0, 100) else f"{scaled:.1f}"
    return f"{text}{_SPACE}%"


def measure(value: Any, unit: str) -> str:
    """A number with its unit."""
    if value is None:
        return "not finite" if unit in ("steps", "words") else NONE
    match unit:
        case "share":
            return percent(value)
        case "correlation":
            return fixed(value)
        case "steps":
            return f"{number(value)}{_SPACE}{'step' if value == 1 else 'steps'}"
        case "words":
            return f"{number(round(value) if 10 <= value < inf else value)}{_SPACE}words"
        case "ratio":
            return f"{number(value)}{_SPACE}times"
        case "count":
            return number(int(value) if float(value).is_integer() else value)
    return number(value)


def interval(bounds: Any, unit: str = "share") -> str:
    """A 95 % interval, lower to upper; empty without one."""
    if not bounds or any(bound is None for bound in bounds):
        return ""
    low, high = bounds
    if unit == "share":
        return f"{100 * low:.1f} to {percent(high)}"
    plain = "correlation" if unit == "correlation" else ""
    return f"{measure(low, plain)} to {measure(high, plain)}"


def label(name: str) -> str:
    """A key as words: ``bag_of_words`` becomes "bag of words"."""
    return str(name).replace("_", " ")


def plain(value: Any) -> str:
    """Any setting as one line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{label(key)} {plain(item)}" for key, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or "none"
    if value is None or value == "":
        return "none"
    return number(value) if isinstance(value, (int, float)) else str(value)
