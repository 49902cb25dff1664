"""Where followed modes meet, exchange their vectors, begin, end or cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np

from rnnscope.dynamics.mode_overlap import Complex, Vectors, mode_overlap

Kind = Literal[
    "begins", "ends", "weak", "repeated", "collision", "split", "crossing", "avoided crossing"
]

WIDE = 3.0
"""An avoided crossing is looked at between places where the gap is this many times its least."""

CLEAR = 1.5
"""... and is one only if the gap widens at least this much to either side."""


@dataclass(frozen=True, kw_only=True)
class Break:
    """Something that happens to tracks between two neighbouring points.

    Attributes:
        kind: "begins" or "ends": a track does so inside the manifold; "weak": the vectors hardly
            overlap, linked by eigenvalue; "repeated": the same, because an eigenvalue is repeated;
            "collision": two real modes become a pair; "split": a pair becomes two real modes;
            "crossing": two real eigenvalues change places, vectors kept; "avoided crossing": two
            eigenvalues turn away from each other and exchange vectors.
        link: the first of the two points, in the order followed.
        tracks: which.
        sentence: in words.
    """

    kind: Kind
    link: int
    tracks: tuple[int, ...]
    sentence: str


@dataclass(kw_only=True, eq=False)
class Track:
    """One mode while it is followed: what it is at each point from ``start`` on, and the vectors
    that the next point is compared with, ``vague`` where only those of a repeated eigenvalue are
    known."""

    start: int
    right: Complex
    left: Complex
    vague: bool
    columns: list[int] = field(default_factory=list)
    values: list[complex] = field(default_factory=list)
    rights: list[Complex] = field(default_factory=list)
    lefts: list[Complex] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)

    def add(self, column: int, value: complex, right: Complex, left: Complex) -> None:
        self.columns.append(column)
        self.values.append(complex(value))
        self.rights.append(right)
        self.lefts.append(left)

    @property
    def value(self) -> complex:
        """The eigenvalue at the last point reached."""
        return self.values[-1]

    @property
    def stop(self) -> int:
        """The point after the last one reached."""
        return self.start + len(self.columns)

    def at(self, i: int) -> complex:
        return self.values[i - self.start]


def find_breaks(tracks: Sequence[Track], size: int, position: Sequence[float]) -> tuple[Break, ...]:
    """All of them over ``size`` points, in the order of their links."""
    found = [
        *_ends(tracks, size, position),
        *_weak(tracks, position),
        *_collisions(tracks, position),
        *_meetings(tracks, position),
    ]
    return tuple(sorted(found, key=lambda one: (one.link, one.tracks, one.kind)))


def _where(link: int, position: Sequence[float]) -> str:
    first, second = position[link], position[link + 1]
    return f"Between points {link} and {link + 1} (at {first:.4g} and {second:.4g})"


def _ends(tracks: Sequence[Track], size: int, position: Sequence[float]) -> Iterator[Break]:
    for k, track in enumerate(tracks):
        why = "no mode kept at the other point is the same"
        if track.start > 0:
            link = track.start - 1
            text = (
                f"{_where(link, position)} track {k} begins at {_number(track.values[0])}; {why}."
            )
            yield Break(kind="begins", link=link, tracks=(k,), sentence=text)
        if track.stop < size:
            link = track.stop - 1
            text = f"{_where(link, position)} track {k} ends at {_number(track.value)}; {why}."
            yield Break(kind="ends", link=link, tracks=(k,), sentence=text)


def _weak(tracks: Sequence[Track], position: Sequence[float]) -> Iterator[Break]:
    for k, track in enumerate(tracks):
        for step, kind in enumerate(track.weak):
            link = track.start + step
            head = f"{_where(link, position)} track {k}, at {_number(track.values[step])},"
            overlap = f"overlap {track.quality[step]:.2g}"
            if kind == "repeated":
                text = f"{head} has a repeated eigenvalue, whose vectors are arbitrary ({overlap})."
                yield Break(kind="repeated", link=link, tracks=(k,), sentence=text)
            elif kind == "weak":
                text = f"{head} is linked by its eigenvalue alone ({overlap})."
                yield Break(kind="weak", link=link, tracks=(k,), sentence=text)


def _collisions(tracks: Sequence[Track], position: Sequence[float]) -> Iterator[Break]:
    for k, track in enumerate(tracks):
        for link in range(track.start, track.stop - 1):
            a, b = track.at(link), track.at(link + 1)
            if (a.imag == 0) == (b.imag == 0):
                continue
            meet = a.imag == 0
            pair, point = (b, link + 1) if meet else (a, link)
            partner = _conjugate(tracks, k, point)
            if partner is not None and partner < k and _covers(tracks[partner], link):
                continue
            who: tuple[int, ...] = (k,) if partner is None else tuple(sorted((k, partner)))
            names = f"track{'s' * (len(who) > 1)} {' and '.join(map(str, who))}"
            plane = f"a pair {pair.real:.4g} ± {abs(pair.imag):.2g}i"
            text = (
                f"{names}, real, meet and become {plane}: past it they are one plane"
                if meet
                else f"{names}, {plane}, come apart into real modes"
            )
            yield Break(
                kind="collision" if meet else "split",
                link=link,
                tracks=who,
                sentence=f"{_where(link, position)} {text}.",
            )


def _conjugate(tracks: Sequence[Track], k: int, point: int) -> int | None:
    value = tracks[k].at(point).conjugate()
    for j, other in enumerate(tracks):
        if j != k and other.start <= point < other.stop and other.at(point) == value:
            return j
    return None


def _covers(track: Track, link: int) -> bool:
    return track.start <= link and link + 1 < track.stop


def _meetings(tracks: Sequence[Track], position: Sequence[float]) -> Iterator[Break]:
    """Crossings and avoided crossings of each two tracks, over the points that both reach."""
    for j, k in combinations(range(len(tracks)), 2):
        a, b = tracks[j], tracks[k]
        start, stop = max(a.start, b.start), min(a.stop, b.stop)
        if stop - start < 2:
            continue
        x: Complex = np.array(a.values[start - a.start : stop - a.start], dtype=np.complex128)
        y: Complex = np.array(b.values[start - b.start : stop - b.start], dtype=np.complex128)
        apart: Complex = x - y
        real = (x.imag == 0) & (y.imag == 0)
        for i in _sign_changes(apart.real, real):
            values = _number(x[i]), _number(y[i])
            text = (
                f"{_where(start + i, position)} the eigenvalues of tracks {j} and {k} cross near "
                f"{values[0]} and {values[1]}, each with its vectors; a crossing avoided within "
                "this distance would look the same"
            )
            yield Break(kind="crossing", link=start + i, tracks=(j, k), sentence=f"{text}.")
        if (x.imag < 0).any() or (y.imag < 0).any() or (real != real[0]).any():
            continue
        for least in _exchanges(a, b, np.abs(apart), start):
            link = min(start + least, len(position) - 2)
            text = (
                f"{_where(link, position)} the eigenvalues of tracks {j} and {k} avoid each other, "
                f"{abs(apart[least]):.2g} apart, and exchange vectors"
            )
            yield Break(kind="avoided crossing", link=link, tracks=(j, k), sentence=f"{text}.")


def _sign_changes(apart: np.ndarray, real: np.ndarray) -> Iterator[int]:
    """The points after which the difference of two real eigenvalues has another sign."""
    last: int | None = None
    for i, (difference, both) in enumerate(zip(apart.tolist(), real.tolist(), strict=True)):
        if not both:
            last = None
        elif difference != 0:
            if last is not None and (apart[last] > 0) != (difference > 0):
                yield last
            last = i


def _exchanges(a: Track, b: Track, gap: np.ndarray, start: int) -> Iterator[int]:
    """Where the gap of two tracks is least and each has the other's vectors past it."""
    for m in range(1, len(gap) - 1):
        if not (0 < gap[m] < gap[m - 1] and gap[m] <= gap[m + 1]):
            continue
        first, last = m, m
        while first > 0 and gap[first] < WIDE * gap[m] and gap[first - 1] >= gap[first]:
            first -= 1
        while last + 1 < len(gap) and gap[last] < WIDE * gap[m] and gap[last + 1] >= gap[last]:
            last += 1
        if min(gap[first], gap[last]) < CLEAR * gap[m]:
            continue
        s = mode_overlap(_both(a, b, start + first), _both(a, b, start + last))
        if s[0, 1] + s[1, 0] > s[0, 0] + s[1, 1]:
            yield m


def _both(a: Track, b: Track, i: int) -> Vectors:
    p, q = i - a.start, i - b.start
    return Vectors(
        right=np.stack([a.rights[p], b.rights[q]], axis=-1), left=np.stack([a.lefts[p], b.lefts[q]])
    )


def _number(value: complex) -> str:
    if value.imag == 0:
        return f"{value.real:.4g}"
    return f"{value.real:.4g} {'+' if value.imag > 0 else '-'} {abs(value.imag):.3g}i"
