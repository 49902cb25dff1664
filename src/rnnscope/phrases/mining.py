"""Phrase extraction (Murdoch & Szlam 2017).

Candidates: contiguous runs of words whose importance for one class exceeds c, and every part of
such a run, up to five words. Then, over *all* occurrences of a candidate in the corpus,

S_i(w_1..w_k) = mean over occurrences of prod_l beta_i / (geometric mean of the others' beta)
S(w) = max_i S_i(w),  C(w) = argmax_i S_i(w)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.phrases.examples import find_examples
from rnnscope.phrases.importance import select
from rnnscope.phrases.levels import levels
from rnnscope.phrases.options import PhraseOptions
from rnnscope.phrases.phrases import Phrases
from rnnscope.phrases.rows import add_frames, empty_frame
from rnnscope.phrases.sums import group_sums
from rnnscope.phrases.table import PhraseTable, predicted_by
from rnnscope.phrases.words import Origin, Words, run_lengths
from rnnscope.progress import told
from rnnscope.scores import WordScores


def mine_phrases(
    scores: WordScores | PhraseTable | Iterable[WordScores],
    *,
    splits: Sequence[str] | np.ndarray | None = None,
    **options: object,
) -> Phrases:
    """Mine the phrases that are consistently important to the network.

    A word the model's vocabulary does not know ends a run: the network cannot tell it from any
    other unknown word.

    Args:
        scores: the word scores of a corpus; or of its shards, a collection that can be gone
            through twice (it is gone through once more when examples are asked for), of which one
            at a time is looked at; or a ``PhraseTable``, which gives the same phrases without
            examples.
        splits: the part of each document ("train", ...), where the option ``split`` picks one.
        options: fields of ``PhraseOptions``: word_threshold, max_length, min_count, test,
            importance, runs, min_importance, max_phrases, split.

    Returns:
        The phrases, most important first. Empty when no word passes the threshold.

    Raises:
        NotApplicable: the network reads vectors, not words; an option that a table cannot answer.
        UsageError: an option that does not exist or is out of range; scores of another kind.
        DataError: scores that are not finite; shards of different networks or methods.
    """
    chosen = PhraseOptions.checked(**options)
    if isinstance(scores, PhraseTable):
        return _from_table(scores, chosen)
    rows = _rows(scores, splits, chosen)
    if isinstance(scores, WordScores):
        words = Words.of(scores, signed=chosen.signed, rows=rows)
        frames = list(_candidates(words, chosen))
        origin, predicted = words.origin, predicted_by(words)
        shards: Iterable[WordScores] = [scores]
    else:
        shards = _require_shards(scores)
        origin, predicted, frames = _from_shards(shards, chosen)

    def find(phrases: Phrases) -> pl.DataFrame:
        return find_examples(phrases, shards, rows)

    return select(frames, origin, predicted, chosen, find)


def _candidates(words: Words, options: PhraseOptions) -> Iterator[pl.DataFrame]:
    """Length by length, the statistics of the candidates over all their occurrences."""
    strong, whole = _runs(words, options)
    found = levels(words, options.max_length, flagged=strong, least=options.min_count)
    for level in told(found, "mining", total=options.max_length, unit="length"):
        frame = pl.concat(group_sums(words, level))
        yield frame if whole is None else frame.filter(level.any(whole(level.length)))


def _from_shards(
    shards: Iterable[WordScores], options: PhraseOptions
) -> tuple[Origin, np.ndarray, list[pl.DataFrame]]:
    """Once through for the candidates of all, once more for their statistics."""
    origin: Origin | None = None
    names: list[list[pl.DataFrame]] = [[] for _ in range(options.max_length)]
    for shard in told(shards, "mining", unit="shard"):
        words = Words.of(shard, signed=options.signed)
        if origin is not None:
            origin.require_same(words.origin)
        origin = words.origin
        strong, whole = _runs(words, options)
        for level in levels(words, options.max_length, flagged=strong):
            keys: dict[str, Any] = dict(zip(origin.keys(level.length), level.columns, strict=True))
            keys["whole"] = True if whole is None else level.any(whole(level.length))
            names[level.length - 1] = [
                _union(origin, [*names[level.length - 1], pl.DataFrame(keys)])
            ]
    if origin is None:
        raise DataError("Phrases are mined from one shard of scores or more.", got="none")
    wanted = [frames[0] for frames in names if frames]
    frames = [empty_frame(origin, k + 1) for k in range(len(wanted))]
    predicted = np.zeros(len(origin.classes), dtype=np.int64)
    for shard in told(shards, "mining again", unit="shard"):
        words = Words.of(shard, signed=options.signed)
        predicted += predicted_by(words)
        for level in levels(words, len(wanted), only=wanted):
            k = level.length - 1
            frames[k] = add_frames([frames[k], *group_sums(words, level)], origin, level.length)
    kept = [
        frame.join(keys.filter("whole"), on=origin.keys(k), how="semi")
        for k, (frame, keys) in enumerate(zip(frames, wanted, strict=True), 1)
    ]
    return origin, predicted, kept


def _union(origin: Origin, frames: list[pl.DataFrame]) -> pl.DataFrame:
    keys = [name for name in frames[0].columns if name != "whole"]
    return pl.concat(frames).group_by(keys).agg(pl.col("whole").any()).sort(keys)


def _from_table(table: PhraseTable, options: PhraseOptions) -> Phrases:
    if options.runs == "maximal":
        raise NotApplicable(
            "A table does not know which runs are maximal: that depends on the words beside them.",
            expected="runs='parts'",
            fix="mine from the word scores",
        )
    if options.signed != table.origin.signed:
        raise NotApplicable(
            "Norms are summed from a table of norms.",
            expected=f"PhraseTable.of(scores, signed={options.signed})",
            got=f"a table with signed={table.origin.signed}",
        )
    if options.split is not None:
        raise NotApplicable(
            "A table holds no single documents.", fix="make the table from one part's scores"
        )
    if options.max_length > table.max_length:
        raise UsageError(
            "A table holds n-grams up to its own length.",
            expected=f"max_length <= {table.max_length}",
            got=str(options.max_length),
        )
    strong = pl.col(f"strength_{options.test}") > options.log_threshold
    frames = [table.lazy(k).filter(strong).collect() for k in range(1, options.max_length + 1)]
    return select(frames, table.origin, table.predicted, options, None)


Flags = Callable[[int], np.ndarray]


def _runs(words: Words, options: PhraseOptions) -> tuple[Flags, Flags | None]:
    """Of each length, where a part of a run starts; and where one that is whole does."""
    passing = words.passing(options.test, options.log_threshold)
    runs = [run_lengths(flags, words.owner) for flags in passing]
    longest = np.max(runs, axis=0)

    def strong(length: int) -> np.ndarray:
        return longest >= length

    if options.runs == "parts":
        return strong, None
    heads = []
    for flags in passing:
        head = flags.copy()
        head[1:] &= ~flags[:-1] | (words.owner[1:] != words.owner[:-1])
        heads.append(head)

    def whole(length: int) -> np.ndarray:
        if length == options.max_length:
            return longest >= length
        return np.any([h & (r == length) for h, r in zip(heads, runs, strict=True)], axis=0)

    return strong, whole


def _rows(scores: Any, splits: Any, options: PhraseOptions) -> np.ndarray | None:
    """Which documents stand in the part that was asked for."""
    if options.split is None:
        return None
    if splits is None or not isinstance(scores, WordScores) or len(splits) != len(scores):
        raise UsageError(
            "A part is mined where each document's part is given.",
            expected="mine_phrases(scores, splits=corpus.splits, split=...), one for each document",
            got="no splits" if splits is None else f"{len(splits)} splits",
        )
    rows = np.asarray(splits) == options.split
    if not rows.any():
        raise UsageError(
            "Some document must stand in the part that is mined.",
            expected=" or ".join(sorted({repr(str(s)) for s in splits})),
            got=repr(options.split),
        )
    return rows


def _require_shards(scores: Any) -> Iterable[WordScores]:
    if isinstance(scores, Iterator):
        raise UsageError(
            "Shards are gone through twice.",
            expected="a list, or an object whose iter() starts anew",
            got=f"{type(scores).__name__}, which can be gone through once",
        )
    if not isinstance(scores, Iterable) or isinstance(scores, str):
        raise UsageError(
            "Phrases are mined from word scores.",
            expected="what CellDecomposition(model).score(corpus) gives",
            got=type(scores).__name__,
        )
    if isinstance(scores, Sequence) and len({id(shard) for shard in scores}) < len(scores):
        raise DataError(
            "Shards are of different documents.",
            got="the same shard twice",
            fix="name each shard once, or its documents count double",
        )
    return scores
