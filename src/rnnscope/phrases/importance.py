"""S of each candidate, and what is known of it (Murdoch & Szlam 2017)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from rnnscope.phrases.options import PhraseOptions
from rnnscope.phrases.phrases import ARRAYS, Phrases, interval_factor
from rnnscope.phrases.sums import compared, scale_name
from rnnscope.phrases.words import Origin


def select(
    frames: list[pl.DataFrame],
    origin: Origin,
    predicted: np.ndarray,
    options: PhraseOptions,
    find: Callable[[Phrases], pl.DataFrame] | None,
) -> Phrases:
    """The candidates that are frequent and important enough, most important first.

    Args:
        frames: the candidates of each length from 1 with their sums.
        origin: what the sums are of.
        predicted: (classes,), documents by the network's class.
        options: what is kept and how S is taken.
        find: finds the examples.
    """
    words: list[tuple[str, ...]] = []
    parts: list[dict[str, np.ndarray]] = []
    classes = len(origin.classes)
    for length, frame in enumerate(frames, 1):
        counts = pl.sum_horizontal(pl.col(f"count_{k}").cast(pl.Int64) for k in range(classes))
        part = frame.filter(counts >= options.min_count)
        arrays = _arrays(part, origin, options)
        best = arrays["log_importance"].max(axis=1, initial=-np.inf)
        # NaN, no interval, is not kept.
        floor = np.log(options.min_importance) if options.min_importance else -np.inf
        keep = best >= floor
        ids = origin.unpack([part[key].to_numpy() for key in origin.keys(length)], length)
        words += origin.spell(ids[keep])
        parts.append({name: array[keep] for name, array in arrays.items()})
    held = {
        name: np.concatenate([part[name] for part in parts])
        if parts
        else np.empty((0, classes), dtype=float if "count" not in name else int)
        for name in ARRAYS
    }
    order = _order(words, held)[: options.max_phrases]
    return Phrases(
        words=tuple(words[k] for k in order),
        classes=origin.classes,
        predicted=predicted,
        method=origin.method,
        fingerprint=origin.fingerprint,
        options=options,
        tokenizer=origin.tokenizer,
        find=find,
        **{name: array[order] for name, array in held.items()},
    )


def _order(words: list[tuple[str, ...]], held: dict[str, np.ndarray]) -> np.ndarray:
    if not words:
        return np.empty(0, dtype=int)
    alphabetical = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), dtype=int)
    rank[alphabetical] = np.arange(len(words))
    counts = held["class_counts"].sum(axis=1)
    return np.lexsort((rank, -counts, -held["log_importance"].max(axis=1)))


def _arrays(frame: pl.DataFrame, origin: Origin, options: PhraseOptions) -> dict[str, np.ndarray]:
    """What ``Phrases`` holds of these candidates."""
    classes = len(origin.classes)
    chosen = compared(origin)

    def columns(kind: str, names: list[int]) -> np.ndarray:
        return np.stack([frame[f"{kind}_{k}"].to_numpy() for k in names], axis=1)

    counts = columns("count", list(range(classes))).astype(np.int64)
    documents = columns("documents", list(range(classes))).astype(np.int64)
    held, total = documents.sum(axis=1)[:, None], counts.sum(axis=1)[:, None]
    mean = columns("log", chosen) / total
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = columns("square", chosen) - total * mean**2
        variance = np.where(total > 1, centred.clip(min=0) / (total - 1), np.nan)
        # sum over documents of (S_d - n_d * mean)^2, from the sums that add up.
        between = columns("cluster", chosen) - 2 * mean * columns("cross", chosen)
        between = between + mean**2 * frame["pairs"].to_numpy()[:, None].astype(float)
        error = np.sqrt(between.clip(min=0) * (held / (held - 1))) / total
        error = np.where(held > 1, error, np.nan)
    if not origin.signed:
        sign = _majority(documents)
        mean, variance, error = sign * mean, variance * sign**2, error * np.abs(sign)
    elif len(chosen) < classes:
        mean = np.concatenate([-mean, mean], axis=1)
        variance, error = (np.repeat(a, 2, axis=1) for a in (variance, error))
    return {
        "log_importance": _log_importance(frame, total, mean, error, held, options),
        "class_counts": counts,
        "document_counts": documents,
        "mean": mean,
        "variance": variance,
        "standard_error": error,
    }


def _log_importance(
    frame: pl.DataFrame,
    total: np.ndarray,
    mean: np.ndarray,
    error: np.ndarray,
    held: np.ndarray,
    options: PhraseOptions,
) -> np.ndarray:
    """(phrases, classes), log S_i."""
    if options.importance in ("mean_log", "sum"):
        return mean
    if options.importance == "lower_bound":
        return mean - interval_factor(held) * error
    kind = "ratio" if options.importance == "mean_ratio" else "raw"
    sums = []
    for k in range(mean.shape[1]):
        name = f"{kind}_{k}"
        log_sum = np.log(frame[name].to_numpy())
        if scale_name(name) in frame.columns:
            log_sum = log_sum + frame[scale_name(name)].to_numpy() * np.log(2)
        sums.append(log_sum)
    means = np.stack(sums, axis=1) - np.log(total)
    if kind == "ratio":
        return means
    return means - (means.sum(axis=1, keepdims=True) - means) / (means.shape[1] - 1)


def _majority(documents: np.ndarray) -> np.ndarray:
    """(phrases, classes): 1 at the class of most documents, -1 shared out over the others."""
    classes = documents.shape[1]
    sign = np.full(documents.shape, -1.0 / (classes - 1))
    sign[np.arange(len(documents)), documents.argmax(axis=1)] = 1.0
    return sign
