"""A result as a directory: ``result.json`` and ``arrays.safetensors``. Loading executes no code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_arrays
from safetensors.torch import save as save_arrays

from rnnscope.dynamics.packing import CLASSES, Classes, Packed, pack, unpack
from rnnscope.errors import DataError, RnnscopeError, UsageError
from rnnscope.storage import (
    DAMAGE,
    digest_of,
    new_folder,
    read_description,
    read_whole,
    settled,
)

FORMAT = 1
ARRAYS, DESCRIPTION = "arrays.safetensors", "result.json"


def save_result(result: Any, folder: str | Path) -> Path:
    """Write a result of the dynamics half to a directory of its own, whole or not at all.

    Args:
        result: fixed points, points, modes, a manifold, or any other result; or a list, tuple or
            dict of results. An array that stands in two fields is written once.
        folder: a new or empty directory, or one that holds a saved result, which is replaced.

    Returns:
        The directory, resolved.

    Raises:
        UsageError: the path holds something else, or cannot be written.
        NotApplicable: the result holds code, such as a cell made from a callable.
    """
    return write_result(result, folder, CLASSES)


def write_result(result: Any, folder: str | Path, classes: Classes) -> Path:
    """``save_result`` of a result that may hold these classes."""
    packed = pack(result, classes)
    path = _resolved(folder)
    arrays = save_arrays(packed.arrays)
    description = {
        "format": FORMAT,
        "kind": type(result).__name__,
        "arrays_sha256": hashlib.sha256(arrays).hexdigest(),
        "result_sha256": digest_of(packed.value),
        "result": packed.value,
    }
    text = json.dumps(description, allow_nan=False)
    try:
        with new_folder(path, marker=DESCRIPTION, what="a saved result") as draft:
            (draft / ARRAYS).write_bytes(arrays)
            (draft / DESCRIPTION).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from error
    return path


def load_result(folder: str | Path) -> Any:
    """Read a result that ``save_result`` wrote. Never executes code.

    Args:
        folder: the directory, or either file in it.

    Raises:
        UsageError: there is no saved result at the path.
        DataError: the files are damaged, of a later format, or do not belong together.
    """
    return read_result(folder, CLASSES)


def read_result(folder: str | Path, classes: Classes) -> Any:
    """``load_result`` of a result that may hold these classes."""
    path = _resolved(folder)
    path = path.parent if path.name in (ARRAYS, DESCRIPTION) and not path.is_dir() else path
    if not (path / DESCRIPTION).is_file():
        there = "nothing there"
        if path.is_dir():
            there = ", ".join(sorted(one.name for one in path.iterdir())[:6]) or "nothing in it"
        elif path.exists():
            there = "a file that is no part of a saved result"
        raise UsageError(
            "There must be a saved result at the path.",
            expected=f"a directory with {DESCRIPTION} and {ARRAYS}",
            got=f"{path}: {there}",
            fix="save one with save_result(result, folder)",
        )
    try:
        description = read_description(path / DESCRIPTION)
        arrays = read_whole(path / ARRAYS)
        if description["format"] != FORMAT:
            raise DataError(
                "The format of a saved result must be one that this version reads.",
                expected=f"format {FORMAT}",
                got=f"format {description['format']!r} in {path / DESCRIPTION}",
                fix="install a newer rnnscope",
            )
        _hold_against(description["arrays_sha256"], hashlib.sha256(arrays).hexdigest(), ARRAYS)
        _hold_against(description["result_sha256"], digest_of(description["result"]), DESCRIPTION)
        return unpack(Packed(value=description["result"], arrays=load_arrays(arrays)), classes)
    except DataError:
        raise
    except (*DAMAGE, SafetensorError) as error:
        raise DataError(
            "A saved result must be readable.",
            expected=f"{DESCRIPTION} and {ARRAYS} as rnnscope wrote them",
            got=f"{path}: {type(error).__name__}: {str(error)[:200]}",
            fix="the files are damaged; make the result again and save it",
        ) from error


def _hold_against(expected: Any, got: str, name: str) -> None:
    if got != expected:
        raise DataError(
            "The files of a saved result must be as they were written, and belong together.",
            expected=f"the digest that {DESCRIPTION} has",
            got=f"another digest of what is in {name}",
            fix="the file is damaged or from another result; save it again",
        )


def _resolved(folder: str | Path) -> Path:
    try:
        path = settled(Path(folder).expanduser().resolve())
        path.exists()
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise _unwritable(folder, error) from error
    return path


def _unwritable(folder: Any, error: Exception) -> RnnscopeError:
    return UsageError(
        "A saved result's directory must be one that can be used.",
        expected="a path, with room for the arrays",
        got=f"{str(folder)[:80]!r}: {error}",
    )
