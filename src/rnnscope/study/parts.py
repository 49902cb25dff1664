"""Tables of the shards of a corpus that are still to be added up, in memory or in a folder.

A table of level L stands for ``FAN ** L`` shards, the k-th of them. As soon as those of which one
consists are all there they are added: few are open at a time, and a row is written as often as
there are levels. In a folder each is saved whole or not at all, so that work that was stopped goes
on from there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from torch import Tensor

from rnnscope.errors import DataError, UsageError
from rnnscope.phrases import PhraseTable
from rnnscope.phrases.table import saved_sum
from rnnscope.scores import Score
from rnnscope.storage import DAMAGE, as_path, digest_of, new_file, read_description
from rnnscope.study.shards import Shard, ordered

FAN = 16
"""Tables of one level that make one of the next."""

UNCHECKED = "-"
"""Stands for a shard whose documents this process does not see."""


class Parts:
    """Tables in memory, added here."""

    def __init__(self, executor: Executor | None, ahead: int) -> None:
        self.executor, self.ahead = executor, ahead
        self.held: dict[tuple[int, int], PhraseTable] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    @property
    def documents(self) -> int:
        """How many the tables at hand are of."""
        return sum(table.documents for table in self.held.values())

    def place(self, level: int, k: int) -> Path | None:
        """Where a table is to be saved; None in memory."""
        return None

    def missing(self, shards: Iterable[Shard]) -> Iterator[tuple[int, Shard]]:
        """The shards that are still to be mined, with their numbers."""
        yield from enumerate(shards)

    def add(self, level: int, k: int, table: PhraseTable) -> None:
        """Take a table in, and add up what is complete by it."""
        self.held[level, k] = table
        above = k // FAN
        ones = [(level, one) for one in range(above * FAN, (above + 1) * FAN)]
        if all(one in self.held for one in ones):
            total = self._sum([self.held[one] for one in ones], level + 1, above)
            for one in ones:
                self._drop(one)
            self.add(level + 1, above, total)

    def total(self) -> PhraseTable:
        """The sum of all, in the order of the documents."""
        first = sorted(self.held, key=lambda one: one[1] * FAN ** one[0])
        if not first:
            raise DataError("A table is made of documents.", expected="one or more", got="none")
        return self._whole([self.held[one] for one in first])

    def _sum(self, tables: list[PhraseTable], level: int, k: int) -> PhraseTable:
        return PhraseTable.merge(tables)

    def _whole(self, tables: list[PhraseTable]) -> PhraseTable:
        return PhraseTable.merge(tables)

    def _drop(self, one: tuple[int, int]) -> None:
        del self.held[one]


class PartsOnDisk(Parts):
    """Tables in a folder beside the path of the whole, added by the executor.

    The folder goes when the whole is there, and stays where the work was stopped.
    """

    def __init__(
        self,
        executor: Executor | None,
        ahead: int,
        path: str | Path,
        score: Score,
        shard: int,
        max_length: int,
    ) -> None:
        super().__init__(executor, ahead)
        self.path = as_path(path).absolute()
        self.folder = self.path.with_name(f".{self.path.name}.parts")
        self.work = {
            "score": _identity(score),
            "max_length": max_length,
            "shard": shard,
            "fan": FAN,
        }

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_up()
        self.digests = self._begun()
        for name in self.folder.glob("*-*/phrase_table.json"):
            level, k = map(int, name.parent.name.split("-"))
            self.held[level, k] = PhraseTable.scan(name.parent)
        for level, k in sorted(self.held):
            if any((up, k // FAN ** (up - level)) in self.held for up in range(level + 1, 64)):
                self._drop((level, k))
        self.kept = frozenset(self.held)
        for level, k in sorted(self.held):
            if (level, k) in self.held:
                self.add(level, k, self.held[level, k])
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None or not self.held:
            shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, level: int, k: int) -> Path:
        return self.folder / f"{level}-{k:06d}"

    def missing(self, shards: Iterable[Shard]) -> Iterator[tuple[int, Shard]]:
        levels = range(1 + max((level for level, _ in self.kept), default=0))
        with (self.folder / "documents").open("a", encoding="ascii") as file:
            k = -1
            for k, shard in enumerate(shards):
                digest = _digest(shard)
                if k >= len(self.digests):
                    file.write(f"{digest}\n")
                    file.flush()
                elif digest != self.digests[k]:
                    raise self._others(f"others in shard {k}")
                if not any((level, k // FAN**level) in self.kept for level in levels):
                    yield k, shard
        if k + 1 < len(self.digests):
            raise self._others(f"{k + 1} shards of {len(self.digests)}")

    def _sum(self, tables: list[PhraseTable], level: int, k: int) -> PhraseTable:
        return saved_sum(tables, self.place(level, k), self._work, digests=False)

    def _whole(self, tables: list[PhraseTable]) -> PhraseTable:
        return saved_sum(tables, self.path, self._work)

    def _drop(self, one: tuple[int, int]) -> None:
        super()._drop(one)
        shutil.rmtree(self.place(*one))

    def _work(self, function: Callable[..., None], jobs: Iterable[tuple[Any, ...]]) -> None:
        for _ in ordered(function, jobs, self.executor, self.ahead):
            pass

    def _take_up(self) -> None:
        """Go on where it is this work that was stopped; begin where it is not known what was."""
        file, begun = self.folder / "work.json", None
        with suppress(*DAMAGE):
            begun = read_description(file)
        if begun is not None and begun != self.work:
            raise UsageError(
                "Work that was stopped goes on with the same score and sizes.",
                expected=str(begun)[:300],
                got=str(self.work)[:300],
                fix=f"name another path, or remove {self.folder} to begin anew",
            )
        if begun is None:
            shutil.rmtree(self.folder)
        new_file(file, json.dumps(self.work))

    def _begun(self) -> list[str]:
        """Digests of the shards that were handed out before; a kill may have cut the last."""
        file, text = self.folder / "documents", ""
        with suppress(FileNotFoundError):
            text = file.read_text(encoding="ascii")
        whole = text[: text.rfind("\n") + 1]
        new_file(file, whole)
        return whole.split()

    def _others(self, got: str) -> DataError:
        return DataError(
            "Work that was stopped goes on with the same documents in the same order.",
            expected=f"those that {self.folder} was begun with",
            got=got,
            fix="name another path, or remove that folder to begin anew",
        )


def _identity(score: Score) -> str:
    """A digest of the method, its options and its network."""
    plain = {
        name: value.tolist() if isinstance(value, Tensor) else value
        for name, value in score.options.items()
    }
    return digest_of([score.name, score.model.fingerprint, plain])


def _digest(shard: Shard) -> str:
    if callable(shard):
        return UNCHECKED
    digest = hashlib.sha256()
    for document in shard:
        if isinstance(document, str | list | tuple):
            text = document if isinstance(document, str) else "\x1f".join(map(str, document))
            digest.update(text.encode("utf-8", "surrogatepass"))
        elif isinstance(document, np.ndarray):
            digest.update(document.tobytes())
        digest.update(b"\x1e")
    return digest.hexdigest()
