"""What was computed for the explorer, kept in the run's folder for the next time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from rnnscope.dynamics import FixedPoints, Modes, load_result, save_result
from rnnscope.errors import RnnscopeError
from rnnscope.rules import RuleList
from rnnscope.storage import new_folder

NOTE = "kept.json"
"""In the folder, what it was computed from."""

Say = Callable[[str], None]
Found = tuple[Tensor, RuleList | None, FixedPoints | None, Modes | None, dict[str, str]]
"""Probabilities of the corpus, rules, points, their modes, and what does not apply."""


def keep(folder: Path, key: str, found: Found, say: Say) -> None:
    """Write what was found; a run that cannot be written to is explored all the same."""
    probabilities, rules, points, modes, left_out = found
    dynamics = {} if points is None else {"points": points, "modes": modes}
    try:
        with new_folder(folder, marker=NOTE, what="what an explorer kept") as draft:
            save_result({"probabilities": probabilities, **dynamics}, draft / "found")
            if rules is not None:
                rules.export(draft / "rules.json")
            note = {"key": key, "left_out": left_out, "rules": rules is not None}
            (draft / NOTE).write_text(json.dumps(note, indent=1), encoding="utf-8")
    except (OSError, RnnscopeError) as error:
        say(f"not kept for the next time: {str(error).splitlines()[0]}")


def kept(folder: Path, key: str, say: Say) -> Found | None:
    """What an earlier opening kept, if it is of this network, text and options."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        if note["key"] != key:
            return None
        found = load_result(folder / "found")
        rules = RuleList.load(folder / "rules.json") if note["rules"] else None
        points, modes = found.get("points"), found.get("modes")
        return found["probabilities"], rules, points, modes, dict(note["left_out"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        say(f"computed anew: {str(error).splitlines()[0]}")
        return None
