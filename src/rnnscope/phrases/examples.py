"""Where phrases stand in the text: their strongest and weakest occurrences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import polars as pl

from rnnscope.phrases.levels import Level, levels
from rnnscope.phrases.phrases import EXAMPLE_COLUMNS, EXAMPLES, Phrases
from rnnscope.phrases.words import Origin, Words
from rnnscope.scores import WordScores

AROUND = 8
"""Words shown on either side of a phrase."""


def find_examples(
    phrases: Phrases, shards: Iterable[WordScores], rows: np.ndarray | None
) -> pl.DataFrame:
    """The examples of every phrase, by phrase: the strongest first, then the weakest first.

    Args:
        phrases: what to look for.
        shards: where; documents are counted through all of them.
        rows: a mask of the documents that were mined, for a single shard.
    """
    found = [pl.DataFrame(schema=EXAMPLE_COLUMNS)]
    before = 0
    wanted: _Wanted | None = None
    for scores in shards:
        words = Words.of(scores, signed=phrases.options.signed, rows=rows)
        wanted = wanted or _Wanted(phrases, words.origin)
        for level in levels(words, len(wanted.parts), only=wanted.parts):
            found.append(_of_level(words, scores, level, wanted, before))
        before += len(scores)
        found = [_strongest(pl.concat(found))]
    return found[0]


def with_examples(phrases: Phrases, scores: WordScores) -> Phrases:
    """The same phrases, whose examples are looked for in these scores when first asked for."""
    return replace(phrases, find=lambda found: find_examples(found, [scores], None))


class _Wanted:
    """The keys of the phrases and of all their parts, which lead to them."""

    def __init__(self, phrases: Phrases, origin: Origin) -> None:
        self.classes = phrases.class_index
        rows: dict[int, list[int]] = {}
        for row, words in enumerate(phrases.words):
            rows.setdefault(len(words), []).append(row)
        index = (
            None if origin.vocabulary is None else {w: k for k, w in enumerate(origin.vocabulary)}
        )
        ids = {
            length: np.array(
                [[int(w) if index is None else index[w] for w in phrases.words[r]] for r in which]
            )
            for length, which in rows.items()
        }
        self.rows = {length: np.array(which) for length, which in rows.items()}
        self.phrases = {n: _keys(origin, words) for n, words in ids.items()}
        self.parts = [
            _keys(
                origin,
                np.concatenate(
                    [
                        words[:, start : start + n]
                        for length, words in ids.items()
                        for start in range(length - n + 1)
                    ]
                ),
            ).unique()
            for n in range(1, max(ids, default=0) + 1)
        ]


def _keys(origin: Origin, ids: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(dict(zip(origin.keys(ids.shape[1]), origin.pack(ids), strict=True)))


def _of_level(
    words: Words, scores: WordScores, level: Level, wanted: _Wanted, before: int
) -> pl.DataFrame:
    n = level.length
    if n not in wanted.phrases:
        return pl.DataFrame(schema=EXAMPLE_COLUMNS)
    here, there = level.rows_in(wanted.phrases[n])
    phrase_of = np.full(len(level), -1)
    phrase_of[here] = wanted.rows[n][there]
    phrase = phrase_of[level.groups]
    positions, phrase = level.positions[phrase >= 0], phrase[phrase >= 0]
    sums = np.sum([words.logs(positions + k, "ratio") for k in range(n)], axis=0)
    labels = wanted.classes[phrase] if words.origin.signed else np.zeros(len(phrase), dtype=int)
    owner = words.owner[positions]
    rows = pl.DataFrame(
        {
            "phrase": phrase,
            "side": np.full(len(phrase), "for"),
            "document": words.documents[owner],
            "position": positions - words.starts[owner],
            "log_ratio": sums[np.arange(len(phrase)), labels],
        }
    )
    rows = _strongest(rows)
    texts = [scores.tokens[k] for k in rows["document"]]
    at = rows["position"].to_list()
    near = [" ".join(t[max(0, p - AROUND) : p]) for t, p in zip(texts, at, strict=True)]
    past = [" ".join(t[p + n : p + n + AROUND]) for t, p in zip(texts, at, strict=True)]
    return rows.with_columns(
        pl.col("document") + before,
        pl.Series("before", near, dtype=pl.String),
        pl.Series("after", past, dtype=pl.String),
    ).select([pl.col(name).cast(kind) for name, kind in EXAMPLE_COLUMNS.items()])


def _strongest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each phrase the strongest, then the weakest of the rest, weakest first."""
    by = ["phrase", "log_ratio", "document", "position"]
    ordered = rows.sort(by, descending=[False, True, False, False]).with_columns(
        rank=pl.int_range(pl.len()).over("phrase")
    )
    strong = ordered.filter(pl.col("rank") < EXAMPLES).with_columns(side=pl.lit("for"))
    rest = ordered.filter(pl.col("rank") >= EXAMPLES).sort(by)
    weak = (
        rest.with_columns(rank=pl.int_range(pl.len()).over("phrase"))
        .filter(pl.col("rank") < EXAMPLES)
        .with_columns(side=pl.lit("against"))
    )
    both = pl.concat([strong, weak])
    return both.sort("phrase", pl.col("side") == "against", "rank").drop("rank")
