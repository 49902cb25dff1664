"""The network under study: its equations in the open, its answers, its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import LSTM
from rnnscope.data import Vocabulary, bucketed
from rnnscope.errors import ModelError, UsageError
from rnnscope.models import Direction, Layer, Readout
from rnnscope.notebook import ShowsItself
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.qa.answers import Answers
from rnnscope.qa.corpus import QuestionCorpus
from rnnscope.qa.network import VERSIONS, Example, QuestionNetwork
from rnnscope.qa.reading import Reading, known_words

__all__ = ["QuestionModel"]

BATCH_TOKENS = 8_192
PLAUSIBLE = 0.2
"""Of the answer's probability, what another entity has that is an answer too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionModel(ShowsItself):
    """A network that answers questions by an entity of their documents; see ``network``.

    Attributes:
        version: "v1" or "final".
        embedding: (words, width).
        vocabulary: its words.
        question: the layer that reads the question, two directions.
        document: the layer that reads the document, one direction or two; its inputs are a word's
            vector and then the question's state.
        readout: two classes, "not the answer" and "the answer". The one number of "final" is read
            as two classes of -w/2 and w/2.
        record: where it came from, JSON-safe.
    """

    version: str
    embedding: Tensor
    vocabulary: Vocabulary
    question: Layer
    document: Layer
    readout: Readout
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        width = self.embedding.shape[1]
        q, d = self.question.output_size, self.document.directions[0].cell.input_size
        if self.version not in VERSIONS or len(self.vocabulary) != len(self.embedding):
            raise ModelError(
                "A question network is of a known version, with one vector a word.",
                expected=f"{' or '.join(VERSIONS)}, {len(self.vocabulary)} vectors",
                got=f"{self.version!r}, {len(self.embedding)} vectors",
            )
        if d != width + q or self.readout.weight.shape[1] != self.document.output_size:
            raise ModelError(
                "The parts of a question network fit together.",
                expected=f"documents read {width} + {q} numbers a word",
                got=f"{d}",
            )

    @classmethod
    def of(
        cls, network: QuestionNetwork, vocabulary: Vocabulary, record: dict[str, Any]
    ) -> QuestionModel:
        """From a trained network, whose weights are copied."""
        return cls(
            version=network.version,
            embedding=network.embedding.weight.detach().clone(),
            vocabulary=vocabulary,
            question=_layer(network.question),
            document=_layer(network.document),
            readout=Readout.of(
                network.readout.weight.detach().clone(), network.readout.bias.detach().clone()
            ),
            record=record,
        )

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights."""
        return self.embedding.dtype

    @cached_property
    def network(self) -> QuestionNetwork:
        """The same equations in torch's kernels, which are faster; equal to rounding."""
        with torch.random.fork_rng(devices=[]):
            network = QuestionNetwork(
                version=self.version,
                words=len(self.embedding),
                width=self.embedding.shape[1],
                units=self.question.directions[0].cell.hidden_size,
                bidirectional=len(self.document.directions) == 2,
            ).to(self.dtype)
        with torch.no_grad():
            network.embedding.weight.copy_(self.embedding)
            for layer, modules in (
                (self.question, network.question),
                (self.document, network.document),
            ):
                for direction, module in zip(layer.directions, modules, strict=True):
                    cell: Any = direction.cell
                    module.get_parameter("weight_ih_l0").copy_(cell.W)
                    module.get_parameter("weight_hh_l0").copy_(cell.V)
                    module.get_parameter("bias_ih_l0").copy_(cell.b)
                    module.get_parameter("bias_hh_l0").zero_()
            weight, bias = self.readout.weight, self.readout.bias
            if self.readout.one_logit:
                weight, bias = (weight[1:] - weight[:1]), (bias[1:] - bias[:1])
            network.readout.weight.copy_(weight)
            network.readout.bias.copy_(bias)
        return network.requires_grad_(False)

    def examples(self, reading: Reading, *, limit: int | None = None) -> list[Example]:
        """Each question as the network reads it.

        Args:
            reading: the questions and their documents.
            limit: read at most so many documents of a question, the first ones.
        """
        return encode(reading, self.vocabulary, limit=limit)

    def answer(self, corpus: QuestionCorpus | Reading) -> Answers:
        """The entity with the highest probability for every question, and where it stands.

        A question without a candidate is answered by "" with probability 0.
        """
        reading = corpus if isinstance(corpus, Reading) else Reading.of(corpus)
        examples = self.examples(reading)
        count = len(examples)
        pair, place = np.full(count, -1), np.full(count, -1)
        probability, contrasts = np.zeros(count), np.full(count, np.nan)
        plausible: list[frozenset[str]] = [frozenset()] * count
        with torch.no_grad(), flushed_denormals(), single_thread():
            for batch in bucketed([len(e) for e in examples], tokens=BATCH_TOKENS):
                chosen = [examples[k] for k in batch]
                scored = self.network(chosen)
                first = np.cumsum([0, *(len(e.documents) for e in chosen)])
                documents, places = scored.document.numpy(), scored.place.numpy()
                for row, at, p, c, good in _best(scored, self.version):
                    k = int(batch[row])
                    start = int(reading.pairs_of[k][0]) - int(first[row])
                    pair[k], place[k] = start + int(documents[at]), int(places[at])
                    probability[k], contrasts[k] = p, c
                    plausible[k] = frozenset(
                        reading.token(start + int(documents[j]), int(places[j])) for j in good
                    )
        return Answers.of(reading, pair, place, probability, contrasts, plausible)

    def save(self, path: str | Path) -> Path:
        """Write the network to a directory; ``load_question_model`` reads it back equal."""
        from rnnscope.qa.saving import save_question_model

        return save_question_model(self, path)

    def __repr__(self) -> str:
        both = "bidirectional " if len(self.document.directions) == 2 else ""
        units = self.document.directions[0].cell.hidden_size
        return f"QuestionModel({self.version}, {both}lstm({units}), {len(self.vocabulary):,} words)"


def encode(reading: Reading, vocabulary: Vocabulary, *, limit: int | None = None) -> list[Example]:
    """Each question of a reading as word indices; see ``QuestionModel.examples``."""
    if limit is not None and limit < 1:
        raise UsageError("At least one document of a question is read.", got=f"limit={limit}")
    corpus = reading.corpus

    def ids(words: tuple[str, ...]) -> np.ndarray:
        return vocabulary.encode(list(known_words(words, vocabulary, corpus)))

    found = []
    for row, words in enumerate(reading.question_words):
        pairs = reading.pairs_of[row][:limit]
        numbers: dict[str, int] = {}
        entities = [
            np.array(
                [numbers.setdefault(reading.token(k, t), len(numbers)) for t in reading.places[k]],
                dtype=np.int64,
            )
            for k in pairs
        ]
        found.append(
            Example(
                question=ids(words),
                documents=tuple(ids(reading.words[k]) for k in pairs),
                places=tuple(reading.places[k] for k in pairs),
                entities=tuple(entities),
                right=tuple(reading.right(k) for k in pairs),
            )
        )
    return found


def _best(scored: Any, version: str) -> list[tuple[int, int, float, float, np.ndarray]]:
    """Of each question with a candidate: its best position, p and the log-odds there, and the
    positions that are plausible too."""
    contrast, question = scored.contrast.double().numpy(), scored.question.numpy()
    entity = scored.entity.numpy()
    found = []
    bounds = np.searchsorted(question, np.arange(scored.questions + 1))
    for row, (a, b) in enumerate(pairwise(bounds)):
        if a == b:
            continue
        at = a + int(np.argmax(contrast[a:b]))
        if version == "v1":
            p = 1 / (1 + np.exp(-contrast[at]))
            chance = 1 / (1 + np.exp(-contrast[a:b]))
        else:
            tops = np.full(int(entity[a:b].max()) + 1 - int(entity[a:b].min()), -np.inf)
            np.maximum.at(tops, entity[a:b] - entity[a:b].min(), contrast[a:b])
            p = 1 / (np.exp(-contrast[at]) + np.exp(tops - contrast[at]).sum())
            chance = p * np.exp(contrast[a:b] - contrast[at])
        good = a + np.flatnonzero(chance >= PLAUSIBLE * p)
        found.append((row, at, float(p), float(contrast[at]), good))
    return found


def _layer(modules: Any) -> Layer:
    directions = []
    for k, module in enumerate(modules):
        get = module.get_parameter
        cell = LSTM(
            W=get("weight_ih_l0").detach().clone(),
            V=get("weight_hh_l0").detach().clone(),
            b=(get("bias_ih_l0") + get("bias_hh_l0")).detach().clone(),
        )
        directions.append(Direction(cell=cell, reverse=k == 1))
    return Layer(directions=tuple(directions))
