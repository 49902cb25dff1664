"""Opening files that may be hostile: nothing is run, nothing read that was not weighed first."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

from rnnscope.errors import ModelError, UsageError

MAX_BYTES = 4 * 2**30
"""The most that a file may hold, unpacked, if the caller says nothing else."""

JSON_BYTES = 64 * 2**20
"""The most of a description in JSON; real ones have kilobytes."""

RATIO = 1_000
"""A member of an archive that unpacks to more than this many times its size is a bomb."""


def regular_file(path: str | Path, max_bytes: int) -> Path:
    """The path, where it is a file of at most ``max_bytes``.

    Raises:
        UsageError: there is none, it is a folder, a pipe or a device, or it cannot be looked at.
        ModelError: it is larger.
    """
    try:
        found = Path(path)
        status = found.stat()
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            "There must be a file at the path.",
            expected="a file that can be read",
            got=f"{str(path)[:80]!r}: {type(error).__name__}",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(
            "A network is read from a file.",
            expected="a regular file",
            got=f"{found} is a {'folder' if found.is_dir() else 'device or pipe'}",
        )
    check_size(status.st_size, max_bytes, str(found))
    return found


def check_size(size: int, max_bytes: int, what: str) -> None:
    """Refuse what would take more than ``max_bytes``, before it is read.

    Raises:
        ModelError: it would.
    """
    if not 0 <= size <= max_bytes:
        raise ModelError(
            "What a file unpacks to must stay within the limit.",
            expected=f"at most {max_bytes:,} bytes",
            got=f"{size:,} bytes of {what}",
            fix="raise max_bytes= if you trust the file",
        )


def parse_json(data: bytes | str, what: str) -> Any:
    """JSON of a bounded size and depth.

    Raises:
        ModelError: it is larger, nested too deeply, or no JSON.
    """
    check_size(len(data), JSON_BYTES, what)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(what, error) from error


class Archive:
    """A zip file, whose members are read into memory and never written to disk.

    Args:
        path: the file.
        max_bytes: what all members read may unpack to, each.

    Raises:
        ModelError: no zip file, or one that holds the same name twice.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path, self.max_bytes = path, max_bytes
        try:
            with zipfile.ZipFile(path) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged(str(path), error) from error
        self.members = {info.filename: info for info in infos}
        if len(self.members) != len(infos):
            raise ModelError(
                "An archive holds each name once.",
                got=f"{len(infos) - len(self.members)} names twice in {path}",
            )

    def read(self, name: str) -> bytes:
        """One member.

        Raises:
            ModelError: it is not there, is a link, unpacks to too much, or is damaged.
        """
        info = self.members.get(name)
        if info is None:
            raise ModelError(
                "The archive must hold what the format says.",
                expected=name,
                got=f"{self.path} with {', '.join(list(self.members)[:6]) or 'nothing'}",
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ModelError(
                "A member of an archive must be a file.", got=f"{name}, a link, in {self.path}"
            )
        check_size(info.file_size, self.max_bytes, f"{name} in {self.path}")
        if info.file_size > RATIO * max(info.compress_size, 1):
            raise ModelError(
                "A member of an archive must not unpack to a thousand times its size.",
                got=f"{info.compress_size:,} bytes that unpack to {info.file_size:,}: {name}",
            )
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(info) as stream:
                # One byte more than it says: what the directory says may be a lie.
                data = io.BytesIO(stream.read(info.file_size + 1)).getvalue()
        except Exception as error:  # zlib, lzma and zipfile each have their own
            raise damaged(f"{name} in {self.path}", error) from error
        if len(data) != info.file_size:
            raise damaged(f"{name} in {self.path}", ValueError("another size than it says"))
        return data


def damaged(what: str, error: Exception) -> ModelError:
    """The sentence on a file that is not what its name says."""
    return ModelError(
        "A file must be whole and of the format that its name says.",
        got=f"{what}: {type(error).__name__}: {str(error)[:200]}",
        fix="the file is truncated or damaged; fetch or save it again",
    )


def needs(package: str, extra: str, what: str) -> UsageError:
    """The sentence on a package that opens a format and is not installed."""
    return UsageError(
        f"{what} are opened with {package}.",
        expected=f"{package} installed",
        got="it is not",
        fix=f"pip install 'rnnscope[{extra}]'",
    )
