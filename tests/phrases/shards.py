"""Word scores of random networks and documents, whole and cut into shards."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import torch

import rnnscope.models as models
from rnnscope.scores import CellDecomposition, WordScores
from rnnscope.scores.word_scores import Batch
from tests.helpers import WORDS, random_documents, random_module

SKIP = ("<unk>", "<pad>")


@cache  # to read a module and check that it was understood takes longer than to mine
def model_of(*, classes=2, seed=0, kind="lstm"):
    module = random_module(kind, classes=classes, seed=seed, scale=2.0)
    return models.from_torch(module, vocabulary=WORDS)


def scores_of(documents=None, *, classes=2, seed=0, count=40):
    documents = random_documents(count, seed=seed) if documents is None else documents
    return CellDecomposition(model_of(classes=classes, seed=seed)).score(documents)


def made_up(documents, values, logits, *, method="made up", seed=0):
    """Word scores with the values that a test wants, of a network that gives these logits."""
    model = model_of(classes=np.shape(values)[1], seed=seed)
    encoded = model.encode(documents) if documents else []
    starts = np.cumsum([0, *map(len, documents)])
    flat = torch.as_tensor(np.asarray(values, dtype=float))

    def batches():
        for k, (a, b) in enumerate(pairwise(starts)):
            yield Batch(
                indices=torch.tensor([k]),
                values=flat[None, a:b],
                initial=torch.zeros(1, flat.shape[1], dtype=flat.dtype),
                logits=torch.as_tensor(np.asarray(logits[k : k + 1], dtype=float)),
            )

    return WordScores(
        method=method,
        model=model,
        tokens=[tuple(d) for d in documents],
        encoded=encoded,
        batches=batches,
    )


def cut(documents, cuts):
    """The documents in consecutive parts; a part may be one document long, none is empty."""
    places = sorted({0, len(documents), *(c % len(documents) for c in cuts)})
    return [documents[a:b] for a, b in pairwise(places)]
