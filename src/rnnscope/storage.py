"""Writing to disk so that a kill at any moment leaves the old or the new, never half of one.

A result is written beside its place, flushed to the disk, and put there in one step. On Linux a
folder changes places with the old one in one system call; elsewhere there is a moment in which
neither is there, after which ``settled`` puts the old one back.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnscope.errors import UsageError

DESCRIPTION_BYTES = 2**30
"""The most bytes of a description; it may hold a vocabulary."""

EXCHANGE = 2
"""renameat2's flag for two paths that change places."""


@contextmanager
def new_folder(path: str | Path, *, marker: str, what: str) -> Iterator[Path]:
    """A draft that takes the path's place at the end, whole or not at all.

    Args:
        path: a new or empty folder, or one with the marker in it, which is replaced.
        marker: the file by which a folder of this kind is known.
        what: what it holds, for the error.

    Raises:
        UsageError: the path holds something else; nothing is written.
        OSError: it cannot be written.
    """
    target = settled(as_path(path).resolve())
    if target.exists() and not may_replace(target, marker):
        raise UsageError(
            "A result is saved to its own directory.",
            expected=f"a new or empty directory, or one that holds {what}",
            got=f"{target}, which holds something else",
            fix="name another path; nothing was written",
        )
    if _stands_in(target):
        raise UsageError(
            "A result takes the place of its directory, so no process may be at work in there.",
            expected="another directory than the working one",
            got=str(target),
            fix="name a directory inside it",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    prefix = f".{target.name[:40]}.{os.getpid()}-"
    draft = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        yield draft
        draft.chmod(0o755)
        for file in draft.iterdir():
            _flush(file)
        _flush(draft)
        put_in_place(draft, target)
        _flush(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError)
"""What comes of reading a file that is damaged, or that another hand wrote; beside it, errors of
the format's own library."""


def as_path(path: Any) -> Path:
    """A path that can be looked at.

    Raises:
        UsageError: no path, one that no file system takes, or that of a root.
    """
    try:
        found = Path(path)
        found.exists()
        if not found.resolve().name:
            raise ValueError("a root has no name")
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        raise UsageError(
            "A path must be one that a file system takes.",
            expected="a string or a Path",
            got=f"{str(path)[:60]!r} ({type(path).__name__}): {error}"[:200],
        ) from error
    return found


def require_writable(folder: Path) -> None:
    """Make a folder that hours of work will be kept in, before they are spent.

    Raises:
        UsageError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            "Work is kept in a directory that can be written to.",
            expected="a new directory, or one of yours",
            got=f"{folder}: {error}",
        ) from error


def new_file(path: Path, content: str | bytes, *, errors: str = "strict") -> None:
    """Write a file, text as UTF-8, whole or not at all; a link stays one, a mode stays as it was.

    Raises:
        OSError: it cannot be written.
        ValueError: the text has no UTF-8.
    """
    data = content.encode("utf-8", errors) if isinstance(content, str) else content
    path = path.resolve()
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.{os.getpid()}-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _stands_in(folder: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(folder)
    except OSError:
        return False


def may_replace(path: Path, marker: str) -> bool:
    """Whether a folder is one of ours, or empty."""
    return path.is_dir() and ((path / marker).is_file() or not any(path.iterdir()))


def put_in_place(draft: Path, target: Path) -> None:
    """Put a finished draft in place of the target, which ends in the draft's place."""
    if not target.exists():
        try:
            draft.rename(target)
            return
        except OSError:
            if not target.exists():
                raise
            # Another process was first: its folder is replaced, as it would be a moment later.
    if _exchange(draft, target):
        return
    old = _kept_aside(target)
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    try:
        draft.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def settled(path: Path) -> Path:
    """The path, after what a killed writer had moved aside is back."""
    if not path.name:
        return path
    old = _kept_aside(path)
    if not path.exists() and old.is_dir():
        with contextlib.suppress(OSError):
            old.rename(path)
    return path


def weighed(file: Path, most: int | None = None) -> Path:
    """The file, where it is a regular one with no more than the machine's memory could hold.

    Args:
        file: a file, or a link to one.
        most: bytes, where less is enough for what it holds.

    Raises:
        ValueError: a device, a pipe or a directory, or more bytes.
        OSError: it cannot be read.
    """
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{file.name} is no regular file")
    most = memory_of_the_machine() if most is None else most
    if found.st_size > most:
        raise ValueError(f"{file.name} has {found.st_size:,} bytes, more than {most:,}")
    return file


def read_whole(file: Path, most: int | None = None) -> bytes:
    """The bytes of a file that is ``weighed``."""
    return weighed(file, most).read_bytes()


def memory_of_the_machine() -> int:
    """Bytes; 2**40 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 2**40


def read_description(file: Path) -> Any:
    """A JSON description of ours.

    Raises:
        ValueError: no JSON, nested too deep, or above 1 GiB.
        OSError: it cannot be read.
    """
    try:
        return json.loads(read_whole(file, DESCRIPTION_BYTES))
    except RecursionError as error:
        raise ValueError(f"{file.name} is nested too deep") from error


def digest_of(value: Any) -> str:
    """A digest of a JSON-safe value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def digest_of_file(file: Path) -> str:
    """A digest of a file's bytes, read in parts."""
    with weighed(file).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _kept_aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _sweep(target: Path) -> None:
    """Remove the drafts of writers that were killed."""
    for draft in target.parent.glob(f".{_plain(target.name[:40])}.*-*"):
        owner = draft.name.removeprefix(f".{target.name[:40]}.").split("-")[0]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(draft, ignore_errors=True)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _plain(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _flush(path: Path) -> None:
    """To the disk, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _exchange(a: Path, b: Path) -> bool:
    """Let two paths change places in one step; False where the system cannot."""
    call = _renameat2()
    if call is None:
        return False
    here = -100  # AT_FDCWD
    return call(here, os.fsencode(a), here, os.fsencode(b), EXCHANGE) == 0


def _renameat2() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
