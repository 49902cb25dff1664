"""The trainable networks of Murdoch & Szlam (2017) that answer questions by an entity.

Both read the question with a bidirectional LSTM, whose last states h_q are joined to the vector of
every document word, and the document with an LSTM of one or two directions. Each position t gives

v1      two numbers P h_t and Q h_t: p_t = exp(P h_t) / (exp(P h_t) + exp(Q h_t)) is the
        probability that the entity at t is an answer; learnt position by position.
final   one number P h_t; the probability of an entity is the softmax, over the entities of the
        question's documents and "no answer", whose number is 0, of its largest one; learnt entity
        by entity. Without that 0 a constant could be added to all numbers, and how much a word
        speaks for an answer rather than for none would mean nothing.

The answer is the entity with the highest probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.data import pad
from rnnscope.models.layers import flip
from rnnscope.training.network import Noise

Version = Literal["v1", "final"]
VERSIONS: tuple[str, ...] = get_args(Version)


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A question as word indices, with its documents.

    Args:
        question: (words,).
        documents: (words,) each.
        places: of each document, its candidates' positions.
        entities: of each document, a number for the entity at each of these positions; the same
            entity has one number in all documents.
        right: of each document, which of them are right answers.
    """

    question: np.ndarray
    documents: tuple[np.ndarray, ...]
    places: tuple[np.ndarray, ...]
    entities: tuple[np.ndarray, ...]
    right: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        """Padded words of its documents."""
        return max(1, len(self.documents) * max(map(len, self.documents), default=0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """The candidate positions of a batch of questions.

    Args:
        logits: (positions, 2), of "not the answer" and of "the answer"; (positions, 1) of the
            latter alone.
        question: (positions,), which question each is of.
        entity: (positions,), which entity; different for different questions.
        right: (positions,), whether it is a right answer.
        document, place: (positions,), where it stands: a document of the batch, a word.
        questions: how many there are.
    """

    logits: Tensor
    question: Tensor
    entity: Tensor
    right: Tensor
    document: Tensor
    place: Tensor
    questions: int

    @property
    def contrast(self) -> Tensor:
        """(positions,): log-odds of being the answer."""
        if self.logits.shape[1] == 1:
            return self.logits[:, 0]
        return self.logits[:, 1] - self.logits[:, 0]


class QuestionNetwork(nn.Module):
    """What is trained; torch's own LSTM kernels, one for each direction."""

    def __init__(
        self, *, version: str, words: int, width: int, units: int, bidirectional: bool
    ) -> None:
        super().__init__()
        self.version, self.units = version, units
        self.embedding = nn.Embedding(words, width)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.question = nn.ModuleList(nn.LSTM(width, units) for _ in range(2))
        directions = 2 if bidirectional else 1
        self.document = nn.ModuleList(nn.LSTM(width + 2 * units, units) for _ in range(directions))
        self.readout = nn.Linear(directions * units, 2 if version == "v1" else 1)
        with torch.no_grad():
            for lstm in [*self.question, *self.document]:
                lstm.get_parameter("bias_ih_l0")[units : 2 * units] += 1

    def forward(self, examples: list[Example], noise: Noise | None = None) -> Scored:
        """Score every candidate of every example."""
        asked = self.embed_question([e.question for e in examples], noise)
        owner = np.repeat(np.arange(len(examples)), [len(e.documents) for e in examples])
        documents = [d for e in examples for d in e.documents]
        index = _index(examples)
        device = self.embedding.weight.device
        where = torch.as_tensor(index, device=device)
        if not documents:
            return Scored(
                logits=self.readout.weight.new_zeros(0, len(self.readout.bias)),
                **_columns(where),
                questions=len(examples),
            )
        ids, lengths = pad(documents)
        words = torch.as_tensor(ids, device=device)
        x = self.embedding(noise.on_words(words) if noise else words)
        x = noise.on_entries(x) if noise else x
        joined = self.join(x, asked[torch.as_tensor(owner, device=device)])
        h = self.read(joined, torch.as_tensor(lengths, device=device))
        chosen = h[where[0], where[1]]
        return Scored(
            logits=self.readout(noise.on_entries(chosen) if noise else chosen),
            **_columns(where),
            questions=len(examples),
        )

    def embed_question(self, questions: list[np.ndarray], noise: Noise | None = None) -> Tensor:
        """h_q, (B, 2 units): the last states of both directions."""
        ids, lengths = pad(questions)
        device = self.embedding.weight.device
        words = torch.as_tensor(ids, device=device)
        x = self.embedding(noise.on_words(words) if noise else words)
        size = torch.as_tensor(lengths, device=device)
        rows = torch.arange(len(size), device=device)
        states = []
        for k, lstm in enumerate(self.question):
            h, _ = lstm((flip(x, size) if k else x).transpose(0, 1))
            states.append(h[size - 1, rows])
        return torch.cat(states, dim=-1)

    def join(self, x: Tensor, asked: Tensor) -> Tensor:
        """x_t || h_q: (B, T, width) and (B, 2 units) -> (B, T, width + 2 units)."""
        return torch.cat([x, asked.unsqueeze(1).expand(-1, x.shape[1], -1)], dim=-1)

    def read(self, joined: Tensor, lengths: Tensor) -> Tensor:
        """h_t of a padded batch, (B, T, directions * units)."""
        states = []
        for k, lstm in enumerate(self.document):
            h, _ = lstm((flip(joined, lengths) if k else joined).transpose(0, 1))
            states.append(flip(h.transpose(0, 1), lengths) if k else h.transpose(0, 1))
        return torch.cat(states, dim=-1)


def loss_of(scored: Scored) -> Tensor:
    """v1: mean over candidate positions of -log p(right or not). final: mean over questions of the
    mean over their right entities of -log p, so that all of them are learnt."""
    if not len(scored.logits):
        return scored.logits.sum()
    if scored.logits.shape[1] == 2:
        return nn.functional.cross_entropy(scored.logits, scored.right.long())
    best, question, right = by_entity(scored)
    total = torch.logaddexp(
        _logsumexp(best, question, scored.questions), best.new_zeros(scored.questions)
    )
    count = torch.zeros_like(total).index_add(0, question, right.to(total.dtype))
    good = torch.zeros_like(total).index_add(0, question, best * right) / count.clamp(min=1)
    known = count > 0
    return (total - good)[known].mean() if bool(known.any()) else best.sum() * 0


def by_entity(scored: Scored) -> tuple[Tensor, Tensor, Tensor]:
    """Of each entity: its largest log-odds, its question, whether it is right."""
    names, where = torch.unique(scored.entity, return_inverse=True)
    best = scored.contrast.new_full((len(names),), -torch.inf)
    best = best.scatter_reduce(0, where, scored.contrast, "amax")
    question = torch.zeros_like(names).scatter_(0, where, scored.question)
    right = torch.zeros_like(names, dtype=torch.bool).scatter_(0, where, scored.right)
    return best, question, right


def _logsumexp(values: Tensor, group: Tensor, groups: int) -> Tensor:
    top = values.new_full((groups,), -torch.inf).scatter_reduce(0, group, values, "amax").detach()
    safe = torch.where(torch.isfinite(top), top, torch.zeros_like(top))
    total = torch.zeros_like(safe).index_add(0, group, torch.exp(values - safe[group]))
    return safe + total.log()


def _index(examples: list[Example]) -> np.ndarray:
    """(5, positions): document, place, question, entity, right."""
    parts: list[np.ndarray] = [np.zeros((5, 0), dtype=np.int64)]
    document = first = 0
    for row, example in enumerate(examples):
        most = 0
        for places, entities, right in zip(
            example.places, example.entities, example.right, strict=True
        ):
            count = len(places)
            parts.append(
                np.stack(
                    [
                        np.full(count, document),
                        places,
                        np.full(count, row),
                        first + entities,
                        right.astype(np.int64),
                    ]
                ).astype(np.int64)
            )
            most = max(most, int(entities.max(initial=-1)) + 1)
            document += 1
        first += most
    return np.concatenate(parts, axis=1)


def _columns(where: Tensor) -> dict[str, Any]:
    return {
        "document": where[0],
        "place": where[1],
        "question": where[2],
        "entity": where[3],
        "right": where[4].bool(),
    }
