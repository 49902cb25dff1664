"""Labels as they are found in files and frames, turned into class indices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnscope.errors import DataError, UsageError

__all__ = ["Labels", "check_classes", "is_missing"]

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN (also spelled out in a file), pandas' NA, or an
    empty string."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return isinstance(value, str) and value.strip().lower() in ("", "nan")


def check_classes(classes: Sequence[str] | None) -> tuple[str, ...] | None:
    """The names of the classes as a tuple; UsageError unless they are two or more, all different.

    Names may be given as whole numbers, since labels often are.
    """
    if classes is None:
        return None
    names = tuple(str(name) for name in classes)
    if isinstance(classes, str) or len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "Classes are two or more different names, in the order of the network's outputs.",
            got=repr(classes),
        )
    return names


class Labels:
    """Collects the labels of rows, one by one.

    With `classes`, a label is the name of a class or, where no class is named by a number, its
    index. Without, every distinct label is a class: in numerical order where all are whole
    numbers, in alphabetical order otherwise. Rows with no label (None, NaN, empty, or -1 where
    that is not a class) are allowed only if every row is one. Where rows come in chunks
    (`streaming`) the distinct labels are not known in time, and the classes must be given.
    """

    def __init__(
        self, classes: tuple[str, ...] | None, where: str, *, streaming: bool = False
    ) -> None:
        self.classes = classes
        self._where, self._streaming = where, streaming
        self._labelled: bool | None = None
        self._found: list[str] = []
        self._index = {} if classes is None else {name: row for row, name in enumerate(classes)}
        self._by_number = not any(map(_WHOLE.fullmatch, self._index))

    def add(self, value: Any, row: int) -> None:
        """Note the label of `row`; DataError names the row of one that does not fit."""
        name = self._name(value, row)
        if self._labelled is None:
            self._labelled = name is not None
        if (name is not None) != self._labelled:
            raise DataError(
                "Either every row has a label or none has.",
                got=f"{'a' if name is not None else 'no'} label ({value!r}) in row {row} of"
                f" {self._where}, unlike the rows before it",
                fix="Leave out the unlabelled rows; where -1 is a class, name it in classes=.",
            )
        if name is None:
            return
        if self._streaming and self.classes is None:
            raise UsageError(
                "Labels that are read in chunks need the names of all classes.",
                got=f"labels in {self._where} and no classes",
                fix='Pass classes=("negative", "positive"), or whatever they are.',
            )
        self._found.append(name)

    def _name(self, value: Any, row: int) -> str | None:
        if isinstance(value, np.generic):
            value = value.item()
        if is_missing(value):
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, str | int):
            raise DataError(
                "Labels are names or whole numbers.",
                got=f"{value!r} ({type(value).__name__}) in row {row} of {self._where}",
                fix="Pass graded ratings as valence=.",
            )
        # Frames write whole numbers as 1.0 where a column has gaps, and files keep what they wrote.
        name = re.sub(r"^([+-]?[0-9]{1,18})\.0+$", r"\1", str(value).strip())
        if name == "-1" and "-1" not in self._index:
            return None
        if self.classes is None or name in self._index:
            return name
        if self._by_number and _WHOLE.fullmatch(name) and 0 <= int(name) < len(self.classes):
            return self.classes[int(name)]
        raise DataError(
            "Labels are among the classes.",
            expected=", ".join(self.classes),
            got=f"{name!r} in row {row} of {self._where}",
        )

    def take(self) -> tuple[np.ndarray | None, tuple[str, ...]]:
        """The labels noted since the last call, as class indices, and the classes.

        Raises:
            DataError: the classes were not given and all labels are the same.
        """
        if not self._found:
            return None, ()
        classes = self.classes or self._distinct()
        index = {name: row for row, name in enumerate(classes)}
        labels = np.array([index[name] for name in self._found], dtype=np.int64)
        self._found = []
        return labels, classes

    def _distinct(self) -> tuple[str, ...]:
        names = sorted(set(self._found))
        if len(names) < 2:
            raise DataError(
                "A labelled corpus has two or more classes.",
                got=f"only the label {names[0]!r} in {self._where}",
                fix="Check the label column and limit=; or name all classes in classes=.",
            )
        if all(map(_WHOLE.fullmatch, names)):
            names.sort(key=int)
        return tuple(names)
