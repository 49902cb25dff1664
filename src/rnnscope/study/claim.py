"""Who works on a folder: one process, on any machine that sees it.

A claim is a file that is created or not at all, and touched while its owner lives. One that was not
touched for long, or whose process is gone from this machine, is stale: it is renamed away, which
only one of several that try can do, and the folder is free again.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "claim.json"
BEAT = 5.0
"""Seconds between two touches."""

STALE = 120.0
"""Seconds without a touch after which a claim is stale."""


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Hold the folder while the body runs; False where another process holds it."""
    token = uuid.uuid4().hex
    path = folder / NAME
    if not _take(path, token):
        yield False
        return
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, token, stop), daemon=True)
    beat.start()
    try:
        yield True
    finally:
        stop.set()
        beat.join()
        if _token(path) == token:
            path.unlink(missing_ok=True)


def holder(folder: Path) -> str | None:
    """Who works on a folder, in words; None where nobody does."""
    path = folder / NAME
    if not path.exists() or _is_stale(path):
        return None
    told = _read(path)
    return f"process {told.get('process')} on {told.get('machine')}"


def _take(path: Path, token: str) -> bool:
    for _ in range(2):
        draft = path.with_name(f".{path.name}.{token}")
        draft.write_text(
            json.dumps({"process": os.getpid(), "machine": socket.gethostname(), "token": token})
        )
        try:
            # A link appears with its contents or not at all, and never over another.
            os.link(draft, path)
            return True
        except FileExistsError:
            if not _is_stale(path):
                return False
        finally:
            draft.unlink(missing_ok=True)
        gone = path.with_name(f".{path.name}.{token}.stale")
        try:
            path.rename(gone)
        except FileNotFoundError:
            continue
        if not _is_stale(gone):
            # Another took it between the look and the renaming: give it back.
            with suppress(FileExistsError):
                os.link(gone, path)
            gone.unlink(missing_ok=True)
            return False
        gone.unlink(missing_ok=True)
    return False


def _is_stale(path: Path) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    told = _read(path)
    here = told.get("machine") == socket.gethostname()
    # A process of the same number may live that is another.
    return age > STALE or (here and not _alive(told.get("process")))


def _alive(process: object) -> bool:
    if not isinstance(process, int) or process < 1:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _beat(path: Path, token: str, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        if _token(path) != token:
            return
        try:
            os.utime(path)
        except FileNotFoundError:
            return


def _token(path: Path) -> str | None:
    token = _read(path).get("token")
    return token if isinstance(token, str) else None


def _read(path: Path) -> dict[str, object]:
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
