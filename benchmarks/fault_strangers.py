"""Files of strangers: archives and packed texts that mean harm."""

from __future__ import annotations

import gzip
import io
import resource
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fault_kinds import End, tree

import rnnscope as rs


def strange_archives(folder: Path) -> Iterator[End]:
    """Archives for ``from_weights`` and ``from_keras``: bombs, and members that lead out."""
    cases: list[tuple[str, dict[str, bytes], Callable[[Path], Any]]] = []
    array = _npy(np.zeros(2))
    for name in ("../x.npy", "/etc/x.npy", "a/../../x.npy", "C:\\x.npy"):
        cases.append(("npz", {name: array}, rs.from_weights))
        cases.append(("keras", {name: b"{}", "config.json": b"{}"}, rs.from_keras))
    cases.append(("npz", {"w.npy": _npy(np.zeros(2**24))}, rs.from_weights))
    cases.append(("keras", {"config.json": b" " * 2**26}, rs.from_keras))
    cases.append(("keras", {"config.json": b"[" * 100_000}, rs.from_keras))
    cases.append(("npz", {"w.npy": _npy_of_size((2**50,))}, rs.from_weights))
    for ending, members, read in cases:
        place = Path(tempfile.mkdtemp(dir=folder)) / "in"
        place.mkdir()
        with zipfile.ZipFile(place / f"file.{ending}", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        yield _refused(lambda read=read, p=place, e=ending: read(p / f"file.{e}"), place.parent)


def strange_texts(folder: Path) -> Iterator[End]:
    """Packed questions that unpack to thousands of times their size."""
    place = Path(tempfile.mkdtemp(dir=folder)) / "in"
    place.mkdir()
    (place / "q.jsonl").write_bytes(gzip.compress(b" " * 2**28))
    yield _refused(lambda: rs.load_questions(place / "q.jsonl"), place.parent)


def _refused(call: Callable[[], Any], around: Path) -> End:
    before, most = tree(around), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        call()
    except rs.RnnscopeError as error:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most) / 1024
        if tree(around) != before:
            return "LOST", "something was written"
        return ("refused", "") if grown < 200 else ("LOST", f"{grown:.0f} MB: {error}")
    except Exception as error:
        return "LOST", f"{type(error).__name__}: {error}"
    return "LOST", "it was read"


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npy_of_size(shape: tuple[int, ...]) -> bytes:
    """The header of an array of that shape, and none of its numbers."""
    return _npy(np.zeros(2)).replace(b"(2,), }         ", f"({shape[0]},), }}".encode())


STRANGERS = {"archives": strange_archives, "packed text": strange_texts}
