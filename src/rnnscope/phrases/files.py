"""Results as directories: one JSON description and the Parquet files it lists, with digests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from rnnscope import storage
from rnnscope.errors import DataError, UsageError
from rnnscope.storage import (
    DAMAGE,
    as_path,
    digest_of,
    digest_of_file,
    read_description,
    settled,
)

FORMAT = 1


@contextmanager
def new_folder(path: str | Path, kind: str) -> Iterator[Path]:
    """A draft beside the path that takes its place at the end, whole or not at all.

    Raises:
        UsageError: the path holds something that is not a result of the same kind, or cannot be
            written to.
    """
    try:
        with storage.new_folder(path, marker=f"{kind}.json", what=f"saved {kind}") as draft:
            yield draft
    except (OSError, pl.exceptions.ComputeError) as error:
        raise UsageError(
            "A result is saved to a path that can be written, with room for it.",
            got=f"{str(path)[:80]}: {error}",
        ) from error


def describe(folder: Path, kind: str, description: dict[str, Any], *, digests: bool = True) -> None:
    """Write the description, with the digest of every other file unless it is to go soon."""
    named = sorted(folder.glob("*.parquet")) if digests else []
    files = {file.name: digest_of_file(file) for file in named}
    whole = {"format": FORMAT, "kind": kind, **description, "files": files}
    text = json.dumps({**whole, "description_sha256": digest_of(whole)}, indent=1)
    (folder / f"{kind}.json").write_text(text, encoding="utf-8")


def description_of(path: str | Path, kind: str) -> dict[str, Any]:
    """The description of a saved result whose files are all as they were written.

    Raises:
        UsageError: there is none at the path.
        DataError: a file is damaged, missing, of a later format or of another kind.
    """
    folder = settled(as_path(path))
    if not (folder / f"{kind}.json").is_file():
        raise UsageError(
            f"There must be saved {kind} at the path.",
            expected=f"a directory with {kind}.json",
            got=f"{folder}",
        )
    with reading(folder):
        found = read_description(folder / f"{kind}.json")
        if found["format"] != FORMAT or found["kind"] != kind:
            raise DataError(
                "The format must be one this version reads.",
                expected=f"format {FORMAT} of {kind}",
                got=f"format {found['format']} of {found['kind']}",
                fix="install a newer rnnscope",
            )
        for name, digest in found["files"].items():
            if Path(name).name != name:
                raise DataError(
                    "A saved file lies beside its description.",
                    expected="a name without a folder",
                    got=f"{name!r:.80} in {folder}",
                )
            if digest_of_file(folder / name) != digest:
                raise DataError(
                    "A saved file must be as it was written.",
                    got=f"another digest of {folder / name}",
                    fix="the file is damaged or from another result; make it again",
                )
        stored = found.pop("description_sha256", None)
        if stored is not None and stored != digest_of(found):
            raise DataError(
                "A saved description must be as it was written.",
                got=f"another digest of what {folder / f'{kind}.json'} says",
                fix="the file is damaged or was edited; make it again",
            )
        return found


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Whatever goes wrong while a result is read, said as one sentence."""
    try:
        yield
    except DataError:
        raise
    except (*DAMAGE, pl.exceptions.PolarsError) as error:
        raise DataError(
            "A saved result must be readable.",
            got=f"{type(error).__name__}: {str(error)[:120]} in {folder}",
            fix="the files are damaged; make them again",
        ) from error
