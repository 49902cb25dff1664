"""The faults: each gives, one after the other, how a case ended and what it was.

Ends: "old" or "new" (whole), "same" (contents unchanged), "refused" (a documented error), "edited"
(other valid contents of a list that people edit), "LOST" (anything else).
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fault_formats import Format, digest

import rnnscope as rs

End = tuple[str, str]
DISTURBING = ("open", "os.", "shutil.", "ctypes.", "tempfile.")
"""Audit events before which a kill is tried."""

KILLED = ("model", "phrase table")
"""Formats of which processes are killed in earnest: one written by Python, one by a library."""

_watch: Callable[[str], None] | None = None


def _hook(event: str, _: tuple[Any, ...]) -> None:
    if _watch is not None and event.startswith(DISTURBING):
        _watch(event)


sys.addaudithook(_hook)


def tree(folder: Path) -> str:
    """A digest of everything in a folder, links and pipes by their kind."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(f"{path.relative_to(folder)}|{path.lstat().st_mode}".encode())
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 2**30:
            found.update(path.read_bytes())
    return found.hexdigest()


def kills(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """The folder as a kill before each of the system's calls would leave it, and real kills."""
    global _watch
    known = _known(form, place)
    work, kept = place / "work", place / "kept"
    work.mkdir()
    form.save(0, work / form.path)
    moments: dict[str, Path] = {}
    count = 0

    def watch(event: str) -> None:
        global _watch
        nonlocal count
        _watch, saved = None, _watch
        count += 1
        state = tree(work)
        if state not in moments:
            moments[state] = kept / str(count)
            shutil.copytree(work, moments[state], symlinks=True)
        _watch = saved

    _watch = watch
    try:
        form.save(1, work / form.path)
    finally:
        _watch = None
    for moment in moments.values():
        yield _old_or_new(form, moment / form.path, known, f"after a kill in {moment.name}")
        form.save(1, moment / form.path)
        left = [p.name for p in moment.iterdir() if p.name != form.path]
        again = _old_or_new(form, moment / form.path, known, "saved again after a kill")
        yield again if not left or again[0] == "LOST" else ("new", "")
    for _ in range(count - len(moments)):
        yield "old", "a moment at which the folder was as at another one"
    if not arguments.short and form.name in KILLED:
        yield from _real_kills(form, place, known)


CHILD = """
import sys, tempfile
from pathlib import Path
sys.path.insert(0, {here!r})
with tempfile.TemporaryDirectory() as scratch:
    form = next(f for f in fault_formats.formats(Path(scratch)) if f.name == {name!r})
    k = 0
    print("ready", flush=True)
    while True:
        form.save(k % 2, Path({path!r}))
        k += 1
"""


def _real_kills(form: Format, place: Path, known: dict[str, str], times: int = 25) -> Iterator[End]:
    rng = random.Random(form.name)
    path = place / "real" / form.path
    path.parent.mkdir()
    form.save(0, path)
    code = CHILD.format(here=str(Path(__file__).parent), name=form.name, path=str(path))
    for _ in range(times):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.01, 0.4))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        yield _old_or_new(form, path, known, "a process killed")


def _known(form: Format, place: Path) -> dict[str, str]:
    known = {}
    for k, name in enumerate(("old", "new")):
        path = place / f"as-{name}" / form.path
        path.parent.mkdir()
        form.save(k, path)
        known[digest(form.load(path))] = name
    assert len(known) == 2, form.name
    return known


def _old_or_new(form: Format, path: Path, known: dict[str, str], what: str) -> End:
    try:
        return known.get(digest(form.load(path)), "LOST"), what
    except Exception as error:
        return "LOST", f"{what}: {type(error).__name__}: {str(error)[:300]}"


def disk_full(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """Writing fails after some bytes; what is saved must still be the old."""
    known = _known(form, place)
    path = place / "work" / form.path
    path.parent.mkdir()
    form.save(0, path)
    sizes = [p.stat().st_size for p in _files(path)]
    limits = sorted({0, 1, *(s // 2 for s in sizes), *(s - 1 for s in sizes)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in limits[:: 2 if arguments.short else 1]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            form.save(1, path)
            ended = ""
        except (rs.RnnscopeError, OSError):
            ended = "refused"
        except Exception as error:
            ended = f"LOST: {type(error).__name__}: {error}"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if ended.startswith("LOST"):
            yield "LOST", ended
            continue
        found = _old_or_new(form, path, known, f"a file stopped at {limit} bytes")
        yield ("LOST", found[1]) if ended and found[0] == "new" else found
        if [p.name for p in path.parent.iterdir()] != [form.path]:
            yield "LOST", "something was left behind"


def truncated(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """Each file cut at several places."""

    def cuts(data: bytes) -> Iterator[bytes]:
        size = len(data)
        places = {0, 1, size // 2, size - 1} if arguments.short else _places(size)
        for at in sorted(places):
            yield data[:at]

    yield from _damaged(form, place, cuts)


def _places(size: int) -> set[int]:
    return {0, 1, 7, 8, 9, size - 9, size - 2, size - 1, *(size * k // 10 for k in range(1, 10))}


def flipped(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """One bit of a file."""
    rng = random.Random(arguments.seed)

    def flips(data: bytes) -> Iterator[bytes]:
        for _ in range(12 if arguments.short else 100):
            changed = bytearray(data)
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            yield bytes(changed)

    yield from _damaged(form, place, flips)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


def _damaged(
    form: Format, place: Path, changes: Callable[[bytes], Iterator[bytes]]
) -> Iterator[End]:
    """Each file with other bytes."""

    def written(whole: bytes) -> Iterator[tuple[str, Callable[[Path], object]]]:
        for data in changes(whole):
            yield f"with {len(data)} bytes", partial(Path.write_bytes, data=data)

    yield from _changed(form, place, written)


def _loaded(form: Format, path: Path, right: str, what: str, seconds: float = 20) -> End:
    """Load a damaged thing: refused, or the same; and nothing written."""
    before, started = tree(path.parent), time.perf_counter()
    try:
        ended = "same" if digest(form.load(path)) == right else "edited"
        if ended == "edited" and not form.edited:
            return "LOST", f"{what}: other contents"
    except rs.RnnscopeError:
        ended = "refused"
    except Exception as error:
        return "LOST", f"{what}: {type(error).__name__}: {str(error)[:200]}"
    if tree(path.parent) != before:
        return "LOST", f"{what}: something was written"
    if time.perf_counter() - started > seconds:
        return "LOST", f"{what}: more than {seconds} s"
    return ended, what


def links(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """A link to itself, a device, a pipe in the place of each file."""

    def loop(file: Path) -> None:
        file.symlink_to(file)

    def device(file: Path) -> None:
        file.symlink_to("/dev/zero")

    yield from _replaced(form, place, {"a loop": loop, "a device": device, "a pipe": os.mkfifo})


def bombs(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """Files that would take all memory."""

    def nested(file: Path) -> None:
        file.write_text("[" * 100_000)

    def sparse(file: Path) -> None:
        with file.open("wb") as stream:
            stream.truncate(2**40)

    def header(file: Path) -> None:
        file.write_bytes(struct.pack("<Q", 2**60) + b"{}")

    yield from _replaced(form, place, {"nested": nested, "2^40 bytes": sparse, "header": header})


def _replaced(
    form: Format, place: Path, changes: dict[str, Callable[[Path], None]]
) -> Iterator[End]:
    """Something else in the place of each file."""
    yield from _changed(form, place, lambda whole: ((f"is {n}", c) for n, c in changes.items()))


def _changed(
    form: Format,
    place: Path,
    changes: Callable[[bytes], Iterator[tuple[str, Callable[[Path], object]]]],
) -> Iterator[End]:
    """Each file gone and made anew by each change, then put back; at last all is as it was."""
    path, right = _saved(form, place)
    for file in _files(path):
        whole = file.read_bytes()
        for what, change in changes(whole):
            file.unlink(missing_ok=True)
            change(file)
            yield _loaded(form, path, right, f"{file.name} {what}")
            file.unlink()
        file.write_bytes(whole)
    assert digest(form.load(path)) == right


def _saved(form: Format, place: Path) -> tuple[Path, str]:
    path = place / "work" / form.path
    path.parent.mkdir()
    form.save(0, path)
    return path, digest(form.load(path))


def traversal(form: Format, place: Path, arguments: Namespace) -> Iterator[End]:
    """A description whose files lie elsewhere, for the formats that list theirs."""
    path, right = _saved(form, place)
    secret = place / "work" / "secret.parquet"
    secret.write_bytes(b"secret")
    for file in _files(path):
        text = file.read_bytes()
        if b'"files"' not in text:
            continue
        for name in (b"../secret.parquet", str(secret).encode(), b"a/../../secret.parquet"):
            sha = hashlib.sha256(b"secret").hexdigest().encode()
            file.write_bytes(
                text.replace(b'"files": {', b'"files": {"' + name + b'": "' + sha + b'",')
            )
            yield _loaded(form, path, right, name.decode())
        file.write_bytes(text)


KINDS = {
    "kill": kills,
    "disk full": disk_full,
    "truncated": truncated,
    "bit flips": flipped,
    "links": links,
    "bombs": bombs,
    "traversal": traversal,
}
