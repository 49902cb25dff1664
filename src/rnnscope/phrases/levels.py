"""Equal n-grams brought together, length by length.

Every n-gram is a (n-1)-gram and one more word, so its exact key is one number: the code of the
(n-1)-gram and the word. Key and position packed into one 64-bit number sort as values, several
times faster than an argsort and stable by construction. No hash decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from rnnscope.phrases.words import Words, append_word

HINTS = 1 << 24
"""Buckets that rule n-grams out before they are sorted; a power of two."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """The n-grams of one length, in the order of their words' indices.

    Args:
        length: n.
        positions: every occurrence, by n-gram, and within an n-gram in the order of the text.
        starts: (G + 1,), where each n-gram's occurrences start; the last is their number.
        columns: the packed words of each n-gram, (G,) each.
    """

    length: int
    positions: np.ndarray
    starts: np.ndarray
    columns: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def counts(self) -> np.ndarray:
        """(G,) occurrences."""
        return np.diff(self.starts)

    @property
    def groups(self) -> np.ndarray:
        """The n-gram of each occurrence."""
        return np.repeat(np.arange(len(self)), self.counts)

    def any(self, flags: np.ndarray) -> np.ndarray:
        """(G,): whether some occurrence stands at a flagged position."""
        return np.logical_or.reduceat(flags[self.positions], self.starts[:-1])

    def take(self, keep: np.ndarray) -> Level:
        """The n-grams where the mask is true."""
        if keep.all():
            return self
        counts = self.counts
        return Level(
            length=self.length,
            positions=self.positions[np.repeat(keep, counts)],
            starts=np.concatenate([[0], np.cumsum(counts[keep])]),
            columns=[column[keep] for column in self.columns],
        )

    def parts(self, occurrences: int) -> Iterator[Level]:
        """The level in order, cut between n-grams into parts of about so many occurrences."""
        cuts = np.searchsorted(self.starts, np.arange(0, self.starts[-1], occurrences))
        cuts = np.unique(np.append(cuts, len(self)))
        for first, stop in pairwise(cuts):
            low, high = self.starts[first], self.starts[stop]
            yield Level(
                length=self.length,
                positions=self.positions[low:high],
                starts=self.starts[first : stop + 1] - low,
                columns=[column[first:stop] for column in self.columns],
            )

    def rows_in(self, wanted: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Which n-grams are among the wanted: (their indices here, their rows there)."""
        names = [name for name in wanted.columns if name.startswith("key_")]
        here = pl.DataFrame(dict(zip(names, self.columns, strict=True))).with_row_index("here")
        found = here.join(wanted.select(names).with_row_index("there"), on=names).sort("here")
        return found["here"].to_numpy(), found["there"].to_numpy()


def levels(
    words: Words,
    longest: int,
    *,
    flagged: Callable[[int], np.ndarray] | None = None,
    least: int = 1,
    only: Sequence[pl.DataFrame] | None = None,
) -> Iterator[Level]:
    """The n-grams of 1, 2, .. ``longest`` known words, with all their occurrences.

    Args:
        words: where.
        longest: n at most.
        flagged: of each length, (N,): keep n-grams with an occurrence at a flagged position. The
            two (n-1)-grams in an n-gram that is kept must be kept.
        least: keep those that occur so often.
        only: keep the n-grams whose keys are in the frame of their length; again, with their
            parts.
    """
    size = words.origin.size
    pruned = flagged is not None or only is not None or least > 1
    code = np.full(len(words) + 1, -1, dtype=np.int32)
    columns: list[np.ndarray] = []
    at = np.flatnonzero(words.reach > 0)
    for length in range(1, longest + 1):
        if only is not None and length > len(only):
            return
        at = at[words.reach[at] >= length]
        if pruned and length > 1:
            at = at[(code[at] >= 0) & (code[at + 1] >= 0)]
        flags = None if flagged is None else flagged(length)
        keys = words.ids[at + (length - 1)].astype(np.int64)
        if length > 1:
            keys += code[at].astype(np.int64) * size
        if flags is not None:
            near = _hinted(keys, flags[at])
            at, keys = at[near], keys[near]
        if not len(at):
            return
        positions, starts, first = _sorted(keys, at, len(words))
        parents = [column[first // size] for column in columns]
        level = Level(
            length=length,
            positions=positions,
            starts=starts,
            columns=append_word(parents, first % size, length - 1, words.origin),
        )
        keep = level.counts >= least
        if flags is not None:
            keep &= level.any(flags)
        if only is not None:
            member = np.zeros(len(level), dtype=bool)
            member[level.rows_in(only[length - 1])[0]] = True
            keep &= member
        level = level.take(keep)
        if not len(level):
            return
        code.fill(-1)
        code[level.positions] = level.groups
        columns = list(level.columns)
        yield level


def _sorted(
    keys: np.ndarray, at: np.ndarray, total: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions by (key, position), where each key starts, and the different keys in order."""
    bits = total.bit_length()
    if int(keys.max()).bit_length() + bits <= 64:
        both = keys.view(np.uint64) << np.uint64(bits)
        both |= at.view(np.uint64)
        both.sort()
        positions = (both & np.uint64((1 << bits) - 1)).view(np.int64)
        both >>= np.uint64(bits)
        ordered = both.view(np.int64)
    else:
        order = np.argsort(keys, kind="stable")
        positions, ordered = at[order], keys[order]
    new = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    starts = np.concatenate([[0], new, [len(ordered)]])
    return positions, starts, ordered[starts[:-1]]


def _hinted(keys: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """Where a key may be that of a flagged position: never wrongly no."""
    # Fibonacci hashing; keys that share a bucket by chance are told apart by the sort that follows.
    buckets = (keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    hit = np.zeros(HINTS, dtype=bool)
    hit[buckets[flags]] = True
    return hit[buckets]
