"""Training of question networks by the pieces of the reference trainer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.data import Vocabulary, bucketed
from rnnscope.errors import DataError, UsageError
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.qa.corpus import QuestionCorpus
from rnnscope.qa.model import QuestionModel, encode
from rnnscope.qa.network import VERSIONS, Example, QuestionNetwork, Scored, loss_of
from rnnscope.qa.reading import ENTITY, MOST_ASKED, NUMBER, Reading, asked
from rnnscope.training.network import Noise
from rnnscope.training.options import TrainingOptions
from rnnscope.training.run import Run

__all__ = ["train_question_model"]

DEFAULTS = TrainingOptions(
    units=64,
    embedding=64,
    dropout=0.2,
    word_dropout=0.02,
    learning_rate=8e-3,
    averaging=0.98,
    batch=16,
    clip=1.0,
    epochs=10,
    min_count=5,
)
"""The defaults of question networks; ``architecture`` is always "lstm"."""


def train_question_model(
    corpus: QuestionCorpus,
    options: TrainingOptions | None = None,
    *,
    version: str = "final",
    bidirectional: bool = True,
    documents: int = 4,
    directory: str | Path | None = None,
    progress: bool = False,
    **changes: Any,
) -> QuestionModel:
    """Train a network that answers questions (Murdoch & Szlam 2017, v1 or final).

    Args:
        corpus: its "train" and "validation" splits are used; without a validation split, or
            without splits, every tenth question validates.
        options: see ``TrainingOptions``, with the defaults of this module; ``changes`` are put
            over them, e.g. ``units=32``.
        version: "v1" or "final"; see ``rnnscope.qa.network``.
        bidirectional: whether documents are read in both directions. v1 always is.
        documents: of a question with more documents so many are learnt from: one that holds a
            right answer and the first of the others.
        directory: where finished epochs are checkpointed and the model is saved, as
            ``directory/model``; a killed run goes on from there.
        progress: show a bar.

    Returns:
        the model with its training record; ``validation_accuracy`` is hits@1.

    Raises:
        UsageError: no such version, another architecture, an option out of range.
        DataError: no question to train on whose answer stands in its documents.
    """
    options = TrainingOptions.of(options or DEFAULTS, changes)
    if version not in VERSIONS:
        raise UsageError(
            "A question network has a version.", expected=" or ".join(VERSIONS), got=repr(version)
        )
    if options.architecture != "lstm" or documents < 1:
        raise UsageError(
            "A question network is an LSTM that reads a document or more.",
            got=f"architecture={options.architecture!r}, documents={documents}",
        )
    fitted, held_out = _parts(corpus)
    fitted = fitted.where(fitted.answerable)
    if not len(fitted) or not len(held_out):
        raise DataError(
            "Training needs questions whose answers stand in their documents.",
            expected="some to train on and some to validate",
            got=f"{len(fitted)} and {len(held_out)}",
        )
    started = time.perf_counter()
    with flushed_denormals(), single_thread():
        run = QuestionRun(options, fitted, held_out, version, bidirectional, documents)
        state = run.go(None if directory is None else Path(directory), show=progress)
        network = run.averaged.cpu()
    record = {
        "source": f"trained by rnnscope on {corpus.name}",
        "version": version,
        "options": options.to_dict(),
        "data": corpus.name,
        "data_fingerprint": corpus.fingerprint,
        "questions": {"train": len(fitted), "validation": len(held_out)},
        **state.record,
        "seconds": round(time.perf_counter() - started, 2),
    }
    model = QuestionModel.of(network, run.vocabulary, record)
    if directory is not None:
        model.save(Path(directory) / "model")
    return model


class QuestionRun(Run):
    """The reference trainer's run, on questions: epochs, averaging, checkpoints are its own."""

    fitted: Any
    held_out: Any
    network: Any
    averaged: Any

    def __init__(
        self,
        options: TrainingOptions,
        fitted: QuestionCorpus,
        held_out: QuestionCorpus,
        version: str,
        bidirectional: bool,
        documents: int,
    ) -> None:
        self.options, self.classes = options, 0
        reading = Reading.of(fitted)
        self.vocabulary = vocabulary_of(reading, options.min_count)
        examples = [
            _fewer(e, documents, np.random.default_rng([options.seed, k]))
            for k, e in enumerate(encode(reading, self.vocabulary))
        ]
        self.fitted = examples, np.zeros(len(examples), dtype=np.int64)
        checked = encode(Reading.of(held_out), self.vocabulary)
        self.held_out = checked, np.zeros(len(checked), dtype=np.int64)
        self.batch_tokens = max(1, round(options.batch * sum(map(len, examples)) / len(examples)))
        self.unknown = self.vocabulary.index(ENTITY)
        self.identity = {
            **{k: v for k, v in options.to_dict().items() if k not in ("epochs", "patience")},
            "version": version,
            "bidirectional": bidirectional,
            "documents": documents,
            "training data": fitted.fingerprint,
            "validation data": held_out.fingerprint,
        }
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(options.seed)
            self.network = QuestionNetwork(
                version=version,
                words=len(self.vocabulary),
                width=options.embedding,
                units=options.units,
                bidirectional=bidirectional or version == "v1",
            )
        self.network.to(options.device)
        self.averaged = deepcopy(self.network)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )

    def _logits(self, network: Any, documents: Sequence[Any], noise: Noise | None) -> Any:
        return network(list(documents), noise)

    def _loss(self, logits: Any, labels: np.ndarray) -> Tensor:
        return loss_of(logits)

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        """The loss and hits@1."""
        examples = self.held_out[0]
        loss, right = 0.0, 0
        for batch in bucketed([len(e) for e in examples], tokens=4 * self.batch_tokens):
            scored = self.averaged([examples[k] for k in batch])
            loss += float(loss_of(scored)) * len(batch)
            right += _hits(scored)
        return loss / len(examples), right / len(examples)


def vocabulary_of(reading: Reading, min_count: int) -> Vocabulary:
    """The words that occur often enough, a document counting once, and the placeholders."""
    special = (ENTITY, NUMBER, *(asked(k) for k in range(MOST_ASKED)))
    read = dict.fromkeys(reading.document.tolist())
    texts = [*reading.question_words, *(reading.corpus.documents[k] for k in read)]
    built = Vocabulary.build(texts, min_count=min_count, tokenizer="custom")
    more = tuple(word for word in special if word not in built)
    return replace(built, words=(*built.words, *more))


def _fewer(example: Example, most: int, random: np.random.Generator) -> Example:
    """At most so many documents, one with a right answer among them."""
    if len(example.documents) <= most:
        return example
    right = [k for k, good in enumerate(example.right) if good.any()]
    first = right[int(random.integers(len(right)))] if right else 0
    rest = [int(k) for k in random.permutation(len(example.documents)) if k != first]
    kept = sorted([first, *rest[: most - 1]])
    return Example(
        question=example.question,
        documents=tuple(example.documents[k] for k in kept),
        places=tuple(example.places[k] for k in kept),
        entities=tuple(example.entities[k] for k in kept),
        right=tuple(example.right[k] for k in kept),
    )


def _hits(scored: Scored) -> int:
    question, contrast = scored.question.cpu().numpy(), scored.contrast.cpu().numpy()
    right = scored.right.cpu().numpy()
    bounds = np.searchsorted(question, np.arange(scored.questions + 1))
    return sum(bool(right[a + int(np.argmax(contrast[a:b]))]) for a, b in pairwise(bounds) if a < b)


def _parts(corpus: QuestionCorpus) -> tuple[QuestionCorpus, QuestionCorpus]:
    if corpus.has_split("train") and corpus.has_split("validation"):
        return corpus.split("train"), corpus.split("validation")
    used = corpus.split("train") if corpus.has_split("train") else corpus
    return (
        used.having(q for k, q in enumerate(used.questions) if k % 10 != 9),
        used.having(q for k, q in enumerate(used.questions) if k % 10 == 9),
    )
