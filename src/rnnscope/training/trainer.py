"""The reference trainer: small, fast and dependable, so that there is always a network to study."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnscope.arguments import require_device
from rnnscope.data import Corpus, Vocabulary, load_corpus, tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.storage import require_writable
from rnnscope.training.options import TrainingOptions
from rnnscope.training.run import Run
from rnnscope.training.word_vectors import WordVectors

CERTIFIED_ON = 64
"""Validation documents on which torch's kernels and our equations are compared."""


def train(
    corpus: Corpus,
    options: TrainingOptions | None = None,
    *,
    directory: str | Path | None = None,
    progress: bool = False,
    vectors: Mapping[str, np.ndarray] | None = None,
    **changes: Any,
) -> Model:
    """Train a reference network on a labelled corpus.

    Length-bucketed, padded, time-major batches; Adam; a running average of the weights, kept as it
    was after the epoch with the best validation accuracy. The mean word vector of the training
    text is moved into the bias, so an input held at zero is the average word. The global random
    state, the thread count and the denormal flag are left as they were.

    Args:
        corpus: with labels. Its "train" and "validation" splits are used; without a validation
            split 10 % of the training documents validate, without any splits 20 %, drawn by seed.
        options: see ``TrainingOptions``; ``changes`` are put over them, e.g. ``units=32``.
        directory: where each finished epoch is checkpointed and the model is saved (as
            ``directory/model``); a run that was killed goes on from there and ends with the same
            weights.
        progress: show a bar with loss, accuracy and rate.
        vectors: word -> vector, what the embedding starts from; its words are added to the
            vocabulary. Where the embedding is wider, the other columns start at random.

    Returns:
        The model, with its training record; saved when a directory is given.

    Raises:
        DataError: a corpus without labels, or with fewer than two classes.
        UsageError: the device cannot be used here; vectors wider than the embedding; a directory
            that cannot be written to.
        TrainingError: the loss is not a number, or the checkpoint is damaged or of another run.
    """
    options = TrainingOptions.of(options, changes)
    corpus = load_corpus(corpus)
    folder = None if directory is None else Path(directory)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageError(
            "A run is kept in a directory.",
            expected="a new directory, or that of a run to go on with",
            got=f"{folder}, which is a file",
        )
    _require_classes(corpus)
    require_device(options.device)
    fitted, held_out = _parts(corpus, options.seed)
    start = None if vectors is None else WordVectors.of(vectors)
    vocabulary = Vocabulary.build(
        fitted.documents, min_count=options.min_count, tokenizer=_tokenizer_of(fitted)
    )
    if start is not None:
        known = set(vocabulary.words)
        added = tuple(word for word in start.words if word not in known)
        vocabulary = replace(vocabulary, words=(*vocabulary.words, *added))
    if folder is not None:
        require_writable(folder)
    started = time.perf_counter()
    with flushed_denormals(), single_thread():
        run = Run(options, fitted, held_out, vocabulary, start)
        state = run.go(folder, show=progress)
        network = run.averaged.cpu()
        words = torch.from_numpy(np.concatenate(run.fitted[0]))
        network.centre(torch.bincount(words, minlength=len(vocabulary)))
        model = network.export(vocabulary, corpus.classes, run.held_out[0][:CERTIFIED_ON])
    record = {
        "source": f"trained by rnnscope on {corpus.name}",
        "options": options.to_dict(),
        "data": corpus.name,
        "data_fingerprint": corpus.fingerprint,
        "documents": {"train": len(fitted), "validation": len(held_out)},
        **state.record,
        "seconds": round(time.perf_counter() - started, 2),
    }
    model = replace(model, record=record)
    if folder is not None:
        model.save(folder / "model")
    return model


def _require_classes(corpus: Corpus) -> None:
    if corpus.labels is None:
        raise DataError(
            "Training needs a label for each document.",
            expected="a corpus with labels",
            got=f"{corpus.name}: no labels",
            fix="name the column: load_corpus(path, label='...')",
        )
    if len(corpus.classes) < 2:
        raise DataError(
            "Training needs something to tell apart.",
            expected="two classes or more",
            got=f"{corpus.name}: {', '.join(corpus.classes) or 'none'}",
        )


def _parts(corpus: Corpus, seed: int) -> tuple[Corpus, Corpus]:
    """What is trained on, and what validates."""
    if corpus.splits is None:
        divided = corpus.split_by_seed(fraction=0.8, seed=seed)
        return divided.split("train"), divided.split("test")
    fitted = corpus.split("train")
    if corpus.has_split("validation"):
        return fitted, corpus.split("validation")
    divided = fitted.split_by_seed(fraction=0.9, seed=seed)
    return divided.split("train"), divided.split("test")


def _tokenizer_of(corpus: Corpus, sample: int = 100) -> str:
    """Whether new texts can be cut the way the corpus was, judged on its first documents."""
    documents = corpus.documents[:sample]
    texts = [" ".join(d) for d in documents] if corpus.texts is None else corpus.texts[:sample]
    same = all(tuple(tokenize(t)) == d for t, d in zip(texts, documents, strict=True))
    return "words" if same else "custom"
