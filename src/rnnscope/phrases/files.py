"""Results as directories: one JSON description and the Parquet files it lists, with digests."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from rnnscope.errors import DataError, UsageError

FORMAT = 1


@contextmanager
def new_folder(path: str | Path, kind: str) -> Iterator[Path]:
    """A draft beside the path that takes its place at the end, whole or not at all.

    Raises:
        UsageError: the path holds something that is not a result of the same kind.
    """
    target = Path(path).resolve()
    if target.exists() and not (
        target.is_dir() and ((target / f"{kind}.json").is_file() or not any(target.iterdir()))
    ):
        raise UsageError(
            "A result is saved to its own directory.",
            expected=f"a new or empty directory, or one that holds saved {kind}",
            got=f"{target}, which holds something else",
            fix="name another path; nothing was written",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}-", dir=target.parent))
    try:
        yield draft
        draft.chmod(0o755)
        old = None
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}-", dir=target.parent))
            target.rename(old / "old")
        draft.rename(target)
        if old is not None:
            shutil.rmtree(old)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def describe(folder: Path, kind: str, description: dict[str, Any]) -> None:
    """Write the description, with the digest of every other file."""
    files = {file.name: _digest(file) for file in sorted(folder.glob("*.parquet"))}
    text = json.dumps({"format": FORMAT, "kind": kind, **description, "files": files}, indent=1)
    (folder / f"{kind}.json").write_text(text, encoding="utf-8")


def description_of(path: str | Path, kind: str) -> dict[str, Any]:
    """The description of a saved result whose files are all as they were written.

    Raises:
        UsageError: there is none at the path.
        DataError: a file is damaged, missing, of a later format or of another kind.
    """
    folder = Path(path)
    if not (folder / f"{kind}.json").is_file():
        raise UsageError(
            f"There must be saved {kind} at the path.",
            expected=f"a directory with {kind}.json",
            got=f"{folder}",
        )
    with reading(folder):
        found = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
        if found["format"] != FORMAT or found["kind"] != kind:
            raise DataError(
                "The format must be one this version reads.",
                expected=f"format {FORMAT} of {kind}",
                got=f"format {found['format']} of {found['kind']}",
                fix="install a newer rnnscope",
            )
        for name, digest in found["files"].items():
            if _digest(folder / name) != digest:
                raise DataError(
                    "A saved file must be as it was written.",
                    got=f"another digest of {folder / name}",
                    fix="the file is damaged or from another result; make it again",
                )
        return found


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Whatever goes wrong while a result is read, said as one sentence."""
    try:
        yield
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(
            "A saved result must be readable.",
            got=f"{type(error).__name__}: {str(error)[:120]} in {folder}",
            fix="the files are damaged; make them again",
        ) from error


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
