"""The LSTMs of the rules benchmark: trained once, kept under runs/rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import review_data as data
import scipy.sparse as sp
from scipy.sparse.linalg import svds

import rnnscope as rs
from rnnscope.data import Corpus

DIMENSIONS = 100
WINDOW = 4

WIDE = {"embedding": 50 + DIMENSIONS, "dropout": 0.6, "word_dropout": 0.05, "patience": 2}
OPTIONS: dict[str, dict[str, Any]] = {
    "sst2": WIDE | {"units": 150, "learning_rate": 7e-4, "batch": 50, "min_count": 1, "epochs": 4},
    "imdb": {"units": 128, "embedding": 128, "batch": 64, "min_count": 5, "epochs": 4},
    "yelp": WIDE | {"units": 128, "learning_rate": 1e-3, "batch": 32, "min_count": 3, "epochs": 8},
}
FROM_VECTORS = ("sst2", "yelp")
"""Small sets start from word vectors; IMDB has text enough to learn its own."""


def corpus_of(name: str) -> Corpus:
    """What a network is trained and judged on."""
    return {"sst2": data.sst2, "imdb": data.imdb, "yelp": data.yelp}[name]()


def network_of(name: str, corpus: Corpus, seed: int, folder: Path) -> rs.Model:
    """The network of a data set and seed, trained unless it is there."""
    where = folder / f"{name}_{seed}"
    if (where / "model").exists():
        return rs.load(where / "model")
    vectors = word_vectors(corpus, folder) if name in FROM_VECTORS else None
    return rs.train(
        corpus, architecture="lstm", seed=seed, vectors=vectors, directory=where, **OPTIONS[name]
    )


def word_vectors(corpus: Corpus, folder: Path) -> dict[str, np.ndarray]:
    """GloVe (50) beside vectors from the counts of the IMDB training texts (100), for the words
    of a corpus. No labels are used."""
    glove = data.glove(corpus)
    kept = folder / "imdb_vectors.npz"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        words, table = count_vectors(data.imdb().split("train").documents)
        np.savez(kept, words=np.array(words), table=table)
    with np.load(kept) as found:
        counted = dict(zip(found["words"].tolist(), found["table"], strict=True))
    known = set().union(*corpus.documents) & (glove.keys() | counted.keys())
    empty, none = np.zeros(50, np.float32), np.zeros(DIMENSIONS, np.float32)
    return {
        word: np.concatenate([0.5 * glove.get(word, empty), 0.3 * counted.get(word, none)])
        for word in sorted(known)
    }


def count_vectors(documents: Sequence[Sequence[str]]) -> tuple[list[str], np.ndarray]:
    """Positive pointwise mutual information within four words, cut to its singular vectors
    (Levy & Goldberg 2014)."""
    counts = Counter(word for document in documents for word in document)
    words = [word for word, count in counts.most_common(40_000) if count >= 5]
    index = {word: k for k, word in enumerate(words)}
    gap = [-1] * WINDOW
    ids = np.concatenate([[*(index.get(w, -1) for w in document), *gap] for document in documents])
    size = len(words)
    near = sp.csr_matrix((size, size))
    for offset in range(1, WINDOW + 1):
        a, b = ids[:-offset], ids[offset:]
        both = (a >= 0) & (b >= 0)
        seen = np.full(int(both.sum()), 1 / offset)
        near = near + sp.coo_matrix((seen, (a[both], b[both])), shape=(size, size)).tocsr()
    near = (near + near.T).tocoo()
    total = np.asarray(near.sum(axis=1)).ravel()
    smoothed = total**0.75 / (total**0.75).sum()
    mutual = np.log(near.data / (total[near.row] * smoothed[near.col]))
    positive = mutual > 0
    table = sp.coo_matrix(
        (mutual[positive], (near.row[positive], near.col[positive])), shape=(size, size)
    )
    left, strength, _ = svds(table.tocsr().astype(np.float32), k=DIMENSIONS, random_state=0)
    vectors = left * np.sqrt(strength)
    return words, (vectors / vectors.std()).astype(np.float32)
