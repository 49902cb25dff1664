"""The finished parts of an account in a directory, for a call that was stopped to go on from."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from rnnscope.account.attempt import attempt
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.dynamics.input_names import input_name
from rnnscope.dynamics.packing import Classes
from rnnscope.dynamics.saving import read_result, write_result
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model
from rnnscope.storage import as_path, digest_of, new_file, require_writable, settled

FORMAT = 1
SETTINGS = "settings.json"

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Keeps each part of one account when it is done.

    Args:
        folder: of this account alone; None to keep nothing.
        classes: what a part may consist of.
    """

    folder: Path | None
    classes: Classes

    @classmethod
    def of(cls, directory: str | Path | None, settings: dict[str, Any], classes: Classes) -> Parts:
        """Those of the account that these settings make, in a folder named after their digest.

        Raises:
            UsageError: the directory cannot be made or written to.
        """
        if directory is None:
            return cls(folder=None, classes=classes)
        folder = as_path(directory) / digest_of(settings)[:12]
        require_writable(folder)
        try:
            new_file(folder / SETTINGS, json.dumps(settings, indent=1))
        except OSError as error:
            raise UsageError(
                "The parts of an account are kept in a directory with room for them.",
                got=f"{folder}: {error}",
            ) from error
        return cls(folder=folder, classes=classes)

    def keep(self, name: str, make: Callable[[], Part], left_out: dict[str, str]) -> Part:
        """A part as it was kept; made and kept where it was not.

        Args:
            name: of the part, one a folder can have.
            make: makes it, and says in ``left_out`` what of it does not apply.
            left_out: told the same when the part was kept.

        Raises:
            NotApplicable: as ``make``; nothing is kept then.
            DataError: what was kept is damaged.
            UsageError: there is no room.
        """
        if self.folder is None:
            return make()
        place = settled(self.folder / name)
        if place.exists():
            found = self._kept(place)
            left_out |= found["left_out"]
            return found["part"]
        before = dict(left_out)
        part = make()
        new = {key: why for key, why in left_out.items() if before.get(key) != why}
        # What holds code of the user's cannot be kept, and is made again if it must be.
        with suppress(NotApplicable):
            write_result({"part": part, "left_out": new}, place, self.classes)
        return part

    def attempt(self, name: str, make: Callable[[], Part], left_out: dict[str, str]) -> Part | None:
        """``keep``; None where the part does not apply, which ``left_out`` then says."""
        return attempt(left_out, name, lambda: self.keep(name, make, left_out))

    def _kept(self, place: Path) -> dict[str, Any]:
        try:
            return read_result(place, self.classes)
        except (DataError, UsageError) as error:
            raise DataError(
                "A kept part of an account must be as it was written.",
                got=f"{place}: {error.got}",
                fix="remove that directory; the part is made again",
            ) from error


def settings_of(
    model: Model, material: Material, visited: Material, options: ExplainOptions
) -> dict[str, Any]:
    """All that decides what an account says, JSON-safe."""
    words = model.vocabulary
    told = None if words is None else [words.words, words.unknown, words.padding, words.tokenizer]
    return {
        "format": FORMAT,
        "rnnscope": installed_version(),
        "model": model.fingerprint,
        "classes": list(model.classes),
        "vocabulary": digest_of(told),
        "trained_on": [model.record.get("data"), model.record.get("data_fingerprint")],
        "text": material.fingerprint,
        "visited": visited.fingerprint,
        "options": input_name(options),
    }


def installed_version() -> str:
    """Of this package."""
    try:
        return version("rnnscope")
    except PackageNotFoundError:
        return "unknown"
