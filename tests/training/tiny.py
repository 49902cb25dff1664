"""A language that a small network learns in seconds: one word of a text tells its class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from rnnscope.data import Corpus
from rnnscope.training import TrainingOptions

FILLERS = tuple("abcdefgh")
TELLING = ("good", "bad", "odd")


def corpus(documents=400, *, classes=2, seed=0, splits=True, name="tiny"):
    """Texts of 3 to 12 words, of which one names the class."""
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=documents)
    texts = []
    for label in labels:
        words = list(random.choice(FILLERS, size=random.integers(2, 12)))
        words.insert(int(random.integers(len(words) + 1)), TELLING[label])
        texts.append(tuple(map(str, words)))
    places = np.resize(["train", "train", "train", "validation", "test"], documents)
    return Corpus(
        documents=tuple(texts),
        labels=labels,
        classes=TELLING[:classes],
        splits=places if splits else None,
        name=name,
    )


def unlearnable(documents=400):
    """Texts whose labels mean nothing, on which validation soon stops getting better."""
    known = corpus(documents)
    return replace(known, labels=np.random.default_rng(1).permutation(known.labels))


def options(**changes):
    """Options for a run of a second or less."""
    defaults = {
        "units": 8,
        "embedding": 8,
        "batch": 32,
        "epochs": 2,
        "learning_rate": 0.02,
        "dropout": 0.2,
        "word_dropout": 0.0,
    }
    return TrainingOptions(**{**defaults, **changes})


def same_weights(first, second):
    """Whether two models are equal bit for bit."""
    one, other = first.weights(), second.weights()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def accuracy(model, corpus):
    """The share of documents that the model reads right."""
    return float(np.mean(model.predict(corpus.documents) == corpus.labels))
