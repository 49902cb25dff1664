"""The statistics of each n-gram over its occurrences, as sums that can be added.

With s the log-ratio of an occurrence (the sum of log beta_i against the others over its words),
r its sum of log beta_i, d a document with n_d occurrences whose s sum to S_d:

count_i, documents_i   occurrences, and documents that hold one, by the network's class
ratio_i, raw_i         sum of exp(s_i), sum of exp(r_i); times 2 to the power of ratio_scale_i,
                       raw_scale_i where some score is so large that exp might overflow
log_i, square_i        sum of s_i, of s_i squared
cluster_i, cross_i     sum over documents of S_d squared, of n_d S_d; pairs: of n_d squared
strength_ratio, _raw   the largest, over occurrences and classes, of the weakest word's score

For two classes s_0 = -s_1, so log_0, square_0 and the like are not kept. Scores without a sign
have one s and no exp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from rnnscope.phrases.levels import Level
from rnnscope.phrases.words import Origin, Words

LARGEST = 600.0
"""Sums of logs up to here have an exp that can be added a billion times in float64."""

OCCURRENCES = 1 << 19
"""Occurrences summed at a time: what that takes is handed back and used again."""

WORTH_COMPILING = 200_000
"""Occurrences from which one compiled pass saves more than it takes to load."""

COUNTS = ("count_", "documents_", "pairs")
LARGEST_OF = ("strength_",)


def compared(origin: Origin) -> list[int]:
    """The classes whose log-ratio sums are kept."""
    if not origin.signed:
        return [0]
    classes = len(origin.classes)
    return [1] if classes == 2 else list(range(classes))


def product_names(origin: Origin) -> list[str]:
    """The columns that hold sums of exp."""
    if not origin.signed:
        return []
    return [f"{kind}_{k}" for kind in ("ratio", "raw") for k in range(len(origin.classes))]


def columns_of(origin: Origin, length: int) -> dict[str, Any]:
    """Every column of a table's frame and its type, but the scales."""
    classes = range(len(origin.classes))
    chosen = compared(origin)
    names: dict[str, Any] = dict.fromkeys(origin.keys(length), pl.UInt64)
    names |= {f"{kind}_{k}": pl.UInt32 for kind in ("count", "documents") for k in classes}
    names |= dict.fromkeys(product_names(origin), pl.Float64)
    for kind in ("log", "square", "cluster", "cross"):
        names |= {f"{kind}_{k}": pl.Float64 for k in chosen}
    names["pairs"] = pl.UInt64
    return names | {f"strength_{test}": pl.Float64 for test in ("ratio", "raw")}


def group_sums(words: Words, level: Level, *, whole: Words | None = None) -> Iterator[pl.DataFrame]:
    """The statistics of every n-gram of a level, one row each, in its order, part by part.

    Args:
        words: where the n-grams are.
        level: which.
        whole: what the words are windows of; all its parts are summed alike.
    """
    chosen = compared(words.origin)
    kept = slice(chosen[0], chosen[0] + len(chosen))
    overflows = (words if whole is None else whole).peak * level.length > LARGEST
    size = len(level.positions if whole is None else whole)
    compiled = None
    if not overflows and size >= WORTH_COMPILING:
        compiled = _compiled()
    summed = _plain if compiled is None else compiled
    for part in level.parts(OCCURRENCES):
        arrays = summed(words, part, kept, overflows)
        yield _frame(words.origin, part, kept.start, arrays)


def _frame(origin: Origin, level: Level, first: int, arrays: tuple[Any, ...]) -> pl.DataFrame:
    counts, documents, products, scales, *moments, pairs, strength = arrays
    held = dict(zip(origin.keys(level.length), level.columns, strict=True))
    held |= {f"count_{k}": column for k, column in enumerate(counts)}
    held |= {f"documents_{k}": column for k, column in enumerate(documents)}
    for k, name in enumerate(product_names(origin)):
        held[name] = products[k]
        if scales is not None:
            held[scale_name(name)] = scales[k]
    for name, columns in zip(("log", "square", "cluster", "cross"), moments, strict=True):
        held |= {f"{name}_{first + k}": column for k, column in enumerate(columns)}
    held |= {"pairs": pairs, "strength_ratio": strength[0], "strength_raw": strength[1]}
    kinds = columns_of(origin, level.length)
    return pl.DataFrame(
        {name: pl.Series(values, dtype=kinds.get(name, pl.Int32)) for name, values in held.items()}
    )


def scale_name(name: str) -> str:
    """The column of the exponents of a column of sums of exp."""
    kind, k = name.rsplit("_", 1)
    return f"{kind}_scale_{k}"


def _plain(words: Words, level: Level, kept: slice, overflows: bool) -> tuple[Any, ...]:
    """In numpy, an array at a time."""
    positions, starts = level.positions, level.starts[:-1]
    groups, total = level.groups, len(level)
    classes = len(words.origin.classes)
    halves = [
        [words.logs(positions + k, test) for k in range(level.length)] for test in ("ratio", "raw")
    ]
    weakest = [np.minimum.reduce(half).max(axis=1) for half in halves]
    strength = [np.maximum.reduceat(rows, starts) for rows in weakest]
    ratio, raw = (np.sum(half, axis=0) for half in halves)
    owner = words.owner[positions]
    cells = groups * classes + words.predictions[owner]
    new = np.append(True, (owner[1:] != owner[:-1]) | (groups[1:] != groups[:-1]))
    heads = np.flatnonzero(new)
    s = np.ascontiguousarray(ratio[:, kept])
    within = np.add.reduceat(s, heads, axis=0)
    size = np.diff(np.append(heads, len(positions)))
    blocks = np.searchsorted(heads, starts)
    products = scales = None
    if words.origin.signed:
        sums = np.concatenate([ratio, raw], axis=1)
        top = np.maximum.reduceat(sums, starts, axis=0)
        # Powers of two: moving one changes no digit.
        scales = np.where(np.abs(top) <= LARGEST, 0, np.ceil(top / np.log(2))).astype(np.int32)
        scaled = np.exp(sums - scales[groups] * np.log(2))
        products = np.add.reduceat(scaled, starts, axis=0).T
        scales = scales.T if overflows else None
    return (
        np.bincount(cells, minlength=total * classes).reshape(-1, classes).T,
        np.bincount(cells[heads], minlength=total * classes).reshape(-1, classes).T,
        products,
        scales,
        np.add.reduceat(s, starts, axis=0).T,
        np.add.reduceat(s * s, starts, axis=0).T,
        np.add.reduceat(within * within, blocks, axis=0).T,
        np.add.reduceat(within * size[:, None], blocks, axis=0).T,
        np.add.reduceat(size * size, blocks),
        strength,
    )


@cache
def _compiled() -> Callable[..., tuple[Any, ...]] | None:
    """The same in one pass, where numba is there."""
    try:
        from rnnscope.phrases.compiled import group_sums as compiled
    except ImportError:
        return None
    return compiled
