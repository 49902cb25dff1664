"""A search that was stopped, to go on with: what the shards so far led to, in one file.

The file is replaced whole or not at all. It is held to the network, the options, and the seeds: a
digest goes on from shard to shard, so that of all seeds before needs no more than the last one's.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rnnscope.dynamics.systems import System
from rnnscope.errors import DataError, UsageError
from rnnscope.models.fingerprint import choices_of, fingerprint_of
from rnnscope.storage import DAMAGE, as_path, digest_of, new_file, require_writable, weighed
from rnnscope.study.many_roots import ManyRoots, joined

FORMAT = 1
SHARE = 0.05
"""Of the time that saving may take."""

ARRAYS = ("roots", "isolation", "proved", "basin_sizes", "manifold")


class SearchFile:
    """The file of one search.

    Args:
        path: the file; None to keep nothing.
        work: what must be equal for a search to go on, JSON-safe.

    Attributes:
        found: what the shards that are done led to; None before the first.
        shards: how many are done.

    Raises:
        UsageError: the path cannot be written to, or holds the search of another network, or one
            with other options.
        DataError: it holds something else, or the file is damaged.
    """

    def __init__(self, path: str | Path | None, work: dict[str, Any]) -> None:
        self.path = None if path is None else as_path(path)
        self.work = work | {"format": FORMAT}
        self.found: ManyRoots | None = None
        self.shards, self.seen = 0, ""
        self._cost, self._at = 0.0, perf_counter()
        if self.path is not None:
            require_writable(self.path.absolute().parent)
        if self.path is not None and self.path.exists():
            self._read(self.path)
        self._saved = self._kept = self.shards
        self._seen = self.seen

    def known(self, k: int, seen: str) -> bool:
        """Whether the shard of this number is done.

        Args:
            seen: the digest of all seeds up to its end.

        Raises:
            DataError: the seeds are not those that were searched.
        """
        if k + 1 == self._kept and seen != self._seen:
            raise self._others(f"others among the first {k + 1} shards")
        return k < self._kept

    def require_all(self, given: int) -> None:
        """Hold the number of shards that came against those that were done before.

        Raises:
            DataError: fewer came.
        """
        if given < self._kept:
            raise self._others(f"{given} shards of {self._kept}")

    def add(self, found: ManyRoots, seen: str) -> None:
        """Take in what the next shard led to."""
        self.found = found if self.found is None else joined(self.found, found)
        self.shards, self.seen = self.shards + 1, seen
        if (perf_counter() - self._at) * SHARE >= self._cost:
            self.save()

    def save(self) -> None:
        """Write what is new."""
        if self.path is None or self.found is None or self._saved == self.shards:
            return
        begun = perf_counter()
        arrays = {name: getattr(self.found, name).contiguous() for name in ARRAYS}
        facts = {
            "work": self.work,
            "shards": self.shards,
            "seen": self.seen,
            "to_none": self.found.to_none,
            "outcomes": self.found.outcomes,
            "seeds": self.found.seeds,
        }
        facts["sha256"] = fingerprint_of(digest_of(facts), arrays)
        new_file(self.path, save(arrays, {"search": json.dumps(facts)}))
        self._saved, self._at = self.shards, perf_counter()
        self._cost = self._at - begun

    def _others(self, got: str) -> DataError:
        return DataError(
            "A search goes on with the same seeds in the same order.",
            expected=f"those that {self.path} was begun with",
            got=got,
            fix="name another path, or remove that file to begin anew",
        )

    def _read(self, path: Path) -> None:
        try:
            with safe_open(weighed(path), framework="pt") as file:
                facts = json.loads((file.metadata() or {})["search"])
                arrays = {name: file.get_tensor(name) for name in ARRAYS}
            work, digest = facts["work"], facts.pop("sha256")
            if digest != fingerprint_of(digest_of(facts), arrays):
                raise ValueError("the contents are not those that were written")
            found = ManyRoots(
                **arrays,
                to_none=facts["to_none"],
                outcomes=facts["outcomes"],
                seeds=facts["seeds"],
            )
        except (*DAMAGE, SafetensorError) as error:
            raise DataError(
                "A search is kept in a file of its own.",
                expected="a new path, or a file that find_on wrote",
                got=f"{path}: {type(error).__name__}: {str(error)[:200]}",
                fix="name another path; nothing was written",
            ) from error
        if work != self.work:
            differing = [name for name in self.work if work.get(name) != self.work[name]]
            raise UsageError(
                "A search goes on with the same network, input and options.",
                expected=f"those that {path} was begun with",
                got=f"another {', '.join(differing)}",
                fix="name another path, or remove that file to begin anew",
            )
        self.found, self.shards, self.seen = found, facts["shards"], facts["seen"]


def identity_of(system: System) -> str:
    """A digest of what is searched: which part of which network, and every weight."""
    cell = system.cell
    parts = (system.name, system.layer, system.direction, system.fingerprint, cell.kind)
    return fingerprint_of(repr(parts) + choices_of(cell), cell.parameters)


def seen_with(before: str, seeds: Tensor) -> str:
    """The digest of all seeds up to the end of these, given that of those before them."""
    return fingerprint_of(before, {"seeds": seeds})
