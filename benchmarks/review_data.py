"""The review corpora of the rules benchmark, read from the folder RNNSCOPE_SHARED."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import rnnscope as rs
from rnnscope.data import Corpus, tokenize

CLASSES = ("negative", "positive")
LONGEST = 400
"""Words of an IMDB or Yelp review that are read: its last ones, where the verdict stands."""


def shared() -> Path:
    """The folder of data sets: RNNSCOPE_SHARED, or ``shared`` beside the checkout."""
    default = Path(__file__).resolve().parent.parent.parent / "shared"
    return Path(os.environ.get("RNNSCOPE_SHARED", default)) / "data"


def sst2(*, phrases: bool = True) -> Corpus:
    """Stanford Sentiment Treebank, two classes; training also on the labelled phrases."""
    parts = [_read("sst2", split) for split in ("train", "dev", "test")]
    if phrases:
        table = pl.read_parquet(shared() / "sst5" / "phrases_train.parquet")
        table = table.filter(pl.col("label") != 2)
        extra = table["text"].to_list(), (table["label"] > 2).cast(pl.Int64).to_numpy()
        parts[0] = parts[0][0] + extra[0], np.concatenate([parts[0][1], extra[1]])
    name = "sst2" + (" with phrases" if phrases else "")
    return _corpus(name, parts, cut=lambda text: text.lower().split())


def glove(corpus: Corpus) -> dict[str, np.ndarray]:
    """GloVe 6B, 50 dimensions, for the words of a corpus."""
    known = set().union(*corpus.documents)
    words = pl.read_parquet(shared() / "glove_6b_50d" / "words.parquet")["word"].to_list()
    vectors = np.load(shared() / "glove_6b_50d" / "vectors.npy").astype(np.float32)
    return {word: vectors[k] for k, word in enumerate(words) if word in known}


def imdb() -> Corpus:
    """Large Movie Review data set; the last 10 % of the shuffled training part validates."""
    texts, labels = _read("imdb", "train")
    order = np.random.default_rng(7).permutation(len(texts))
    cut = round(0.9 * len(order))
    parts = [([texts[k] for k in rows], labels[rows]) for rows in (order[:cut], order[cut:])]
    return _corpus("imdb", [*parts, _read("imdb", "test")])


def imdb_texts() -> list[str]:
    """The 25,000 training reviews, in a fixed random order."""
    texts, _ = _read("imdb", "train")
    return [texts[k] for k in np.random.default_rng(7).permutation(len(texts))]


def imdb_sentences(count: int, seed: int = 0) -> list[tuple[str, ...]]:
    """Sentences of 4 to 35 words drawn from IMDB's training reviews, without labels."""
    found, words = [], []
    for document in imdb().split("train").documents:
        for word in document:
            words.append(word)
            if word in ".!?":
                if 4 <= len(words) <= 35:
                    found.append(tuple(words))
                words = []
    chosen = np.random.default_rng(seed).choice(len(found), min(count, len(found)), replace=False)
    return [found[k] for k in chosen]


def yelp() -> Corpus:
    """Yelp reviews, one or two stars against four or five."""
    parts = [_read("yelp_reviews", split) for split in ("train", "dev", "test")]
    return _corpus("yelp", parts)


def _read(name: str, split: str) -> tuple[list[str], np.ndarray]:
    table = pl.read_parquet(shared() / name / f"{split}.parquet")
    table = table.filter(pl.col("label") >= 0)
    texts = [text.replace("<br />", " ") for text in table["text"].to_list()]
    return texts, table["label"].cast(pl.Int64).to_numpy()


def last_words(text: str) -> list[str]:
    """The words of a review that are read."""
    return tokenize(text)[-LONGEST:]


def _corpus(
    name: str,
    parts: list[tuple[list[str], np.ndarray]],
    cut: Callable[[str], list[str]] = last_words,
) -> Corpus:
    documents, labels, splits = [], [], []
    for split, (texts, classes) in zip(("train", "validation", "test"), parts, strict=True):
        for text, label in zip(texts, classes.tolist(), strict=True):
            words = cut(text)
            if words:
                documents.append(tuple(words))
                labels.append(label)
                splits.append(split)
    return rs.load_corpus(
        Corpus(
            documents=tuple(documents),
            labels=np.array(labels),
            classes=CLASSES,
            splits=np.array(splits),
            name=name,
        )
    )
