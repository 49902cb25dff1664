"""How much each document word moves the score of the word at an answer's position.

With P the readout and t the position (Murdoch & Szlam 2017, v1):

beta      P (o_t * (tanh c_j - tanh c_{j-1}))
gamma     P (o_t * (tanh(prod_{k=j+1..t} f_k c_j) - tanh(prod_{k=j..t} f_k c_{j-1})))
gradient  || d (log-odds at t) / d x_j ||, x_j the word's vector

in the log domain, j <= t for the forward direction; the backward one reads from the end, so that
there j >= t. beta and gamma of both directions add up to the logits less the output bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from rnnscope.data import bucketed, pad
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models.layers import Run, flip, run
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.progress import told
from rnnscope.qa.answers import Answers
from rnnscope.qa.model import QuestionModel
from rnnscope.qa.reading import Reading, known_words
from rnnscope.scores.memory import last_terms

__all__ = ["AnswerScores", "score_answers"]

Method = Literal["beta", "gamma", "gradient"]
METHODS: tuple[str, ...] = get_args(Method)
BATCH_TOKENS = 8_192
WINDOW_ROWS = 2_048


@dataclass(frozen=True, kw_only=True, eq=False)
class AnswerScores:
    """The scores of one document's words for the answer at one place.

    Attributes:
        words: the document as it is read.
        place: the answer's position.
        forward, backward: (words, 2), what each word adds to the logits of "not the answer" and
            "the answer" through each direction; 0 where that direction has not read it yet. For
            gradients (words, 1), all in ``forward``.
        bias, logits: (2,).
    """

    words: tuple[str, ...]
    place: int
    forward: np.ndarray
    backward: np.ndarray
    bias: np.ndarray
    logits: np.ndarray
    method: str

    @property
    def values(self) -> np.ndarray:
        """(words,), log-importance for the answer against "not the answer"; norms of gradients
        are as they are."""
        both = self.forward + self.backward
        return both[:, 0] if both.shape[1] == 1 else both[:, 1] - both[:, 0]

    @property
    def completeness(self) -> float:
        """How far the scores are from adding up to the logits less the bias, at most.

        Raises:
            NotApplicable: norms of gradients add up to nothing.
        """
        if self.method == "gradient":
            raise NotApplicable("Norms of gradients are no terms of a sum.", got=self.method)
        total = (self.forward + self.backward).sum(axis=0)
        return float(np.abs(total - (self.logits - self.bias)).max())


def score_answers(
    model: QuestionModel, answers: Answers, *, method: str = "gamma"
) -> list[AnswerScores | None]:
    """Score every word of the document that holds each answer; None where there is no answer.

    Args:
        model: the network.
        answers: where the answers stand, its own or others'.
        method: "beta", "gamma" or "gradient".

    Raises:
        UsageError: no such method.
    """
    check_method(method)
    reading = answers.reading
    given = np.flatnonzero(answers.given)
    pairs, places = answers.pair[given], answers.place[given]
    found: list[AnswerScores | None] = [None] * len(answers)
    lengths = [len(reading.words[int(k)]) for k in pairs]
    bias = model.readout.bias.numpy()
    with flushed_denormals(), single_thread():
        batches = bucketed(lengths, tokens=BATCH_TOKENS)
        for batch in told(batches, "scoring", total=len(lengths), unit="answer", size=len):
            parts = _by_pair(model, reading, pairs[batch], places[batch], method)
            for k, (forward, backward, logits) in zip(batch, parts, strict=True):
                found[int(given[k])] = AnswerScores(
                    words=reading.words[int(pairs[k])],
                    place=int(places[k]),
                    forward=forward,
                    backward=backward,
                    bias=bias,
                    logits=logits,
                    method=method,
                )
    return found


def score_windows(
    model: QuestionModel, reading: Reading, pairs: Sequence[int], *, method: str, reach: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Scores of the words next to every candidate of some pairs.

    Args:
        method: "beta" or "gamma".
        reach: words before and after.

    Yields:
        for each pair with a candidate, in any order: the pair; (candidates, reach + 1), the
        contrasts through the forward direction of the words up to the candidate, itself last; and
        through the backward direction from the candidate on, itself first. 0 beyond the ends.
    """
    chosen = [int(k) for k in pairs if len(reading.places[int(k)])]
    lengths = [len(reading.words[k]) for k in chosen]
    with torch.no_grad(), flushed_denormals(), single_thread():
        batches = bucketed(lengths, tokens=BATCH_TOKENS)
        for batch in told(batches, "scoring", total=len(lengths), size=len):
            rows = [chosen[int(k)] for k in batch]
            runs = _runs(model, reading, rows)
            counts = [len(reading.places[k]) for k in rows]
            owner = torch.as_tensor(np.repeat(np.arange(len(rows)), counts))
            places = torch.as_tensor(np.concatenate([reading.places[k] for k in rows]))
            parts = []
            for one, weight in zip(runs, _weights(model), strict=True):
                terms = _terms(one, owner, places, reach + 1, method)[:, 1:] @ weight.mT
                parts.append((terms[..., 1] - terms[..., 0]).numpy())
            if len(parts) == 1:
                parts.append(np.zeros_like(parts[0]))
            bounds = np.concatenate([[0], np.cumsum(counts)])
            for k, a, b in zip(rows, bounds, bounds[1:], strict=False):
                yield k, parts[0][a:b], parts[1][a:b, ::-1]


def check_method(method: str) -> None:
    """Raise UsageError for an unknown method."""
    if method not in METHODS:
        raise UsageError(
            "An answer is scored by a known method.", expected=", ".join(METHODS), got=repr(method)
        )


def _by_pair(
    model: QuestionModel, reading: Reading, pairs: np.ndarray, places: np.ndarray, method: str
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    lengths = [len(reading.words[int(k)]) for k in pairs]
    where = torch.as_tensor(places)
    owner = torch.arange(len(pairs))
    with torch.no_grad():
        runs = _runs(model, reading, [int(k) for k in pairs])
        pooled = torch.cat([one.outputs[owner, where] for one in runs], dim=-1)
        logits = (pooled @ model.readout.weight.mT + model.readout.bias).numpy()
        if method == "gradient":
            norms = _gradients(model, reading, pairs, where)
            nothing = [np.zeros((n, 1), dtype=norms.dtype) for n in lengths]
            return [(norms[k, :n, None], nothing[k], logits[k]) for k, n in enumerate(lengths)]
        parts = []
        for one, weight in zip(runs, _weights(model), strict=True):
            longest = max(lengths)
            terms = _terms(one, owner, where, longest, method)[:, 1:] @ weight.mT
            parts.append(_in_text(terms, one, where, longest).numpy())
    if len(parts) == 1:
        parts.append(np.zeros_like(parts[0]))
    return [(parts[0][k, :n], parts[1][k, :n], logits[k]) for k, n in enumerate(lengths)]


def _runs(model: QuestionModel, reading: Reading, pairs: Sequence[int]) -> list[Run]:
    """What each direction does on these documents, its gates kept."""
    joined, lengths = _inputs(model, reading, pairs)
    return [
        run(direction, direction.cell.drive(joined), lengths, gates=True)
        for direction in model.document.directions
    ]


def _inputs(model: QuestionModel, reading: Reading, pairs: Sequence[int]) -> tuple[Tensor, Tensor]:
    def ids(words: tuple[str, ...]) -> np.ndarray:
        return model.vocabulary.encode(list(known_words(words, model.vocabulary, reading.corpus)))

    padded, lengths = pad([ids(reading.words[int(k)]) for k in pairs])
    questions = [ids(reading.question_words[int(reading.question[int(k)])]) for k in pairs]
    asked = model.network.embed_question(questions)
    x = model.embedding[torch.as_tensor(padded)]
    return model.network.join(x, asked), torch.as_tensor(lengths)


def _weights(model: QuestionModel) -> tuple[Tensor, ...]:
    sizes = [direction.cell.hidden_size for direction in model.document.directions]
    return model.readout.weight.split(sizes, dim=1)


def _terms(one: Run, owner: Tensor, places: Tensor, reach: int, method: str) -> Tensor:
    """(N, 1 + reach, n): the terms of the outputs at N places of the last ``reach`` steps that
    led there, in reading order; first what came before them."""
    cell, lengths = one.direction.cell, one.lengths
    states = cell.memory(one.states)
    gates = one.gates
    if one.direction.reverse:
        states = flip(states, lengths)
        gates = {name: flip(gate, lengths) for name, gate in gates.items()}
        places = lengths[owner] - 1 - places
    start = cell.memory(one.direction.start).expand(len(states), reach, -1)
    # Steps before the first write nothing and keep everything.
    memory = torch.cat([start, states], dim=1)
    filled = {
        name: torch.cat([torch.ones_like(gate[:, :1]).expand(-1, reach, -1), gate], dim=1)
        for name, gate in gates.items()
    }
    window = torch.arange(reach + 1)
    parts = []
    for k in range(0, len(places), WINDOW_ROWS):
        rows = owner[k : k + WINDOW_ROWS, None]
        at = places[k : k + WINDOW_ROWS, None] + window
        now = {name: gate[rows, at[:, 1:]] for name, gate in filled.items()}
        parts.append(last_terms(cell, memory[rows, at], now, forgets=method == "gamma"))
    return torch.cat(parts)


def _in_text(terms: Tensor, one: Run, places: Tensor, reach: int) -> Tensor:
    """(B, T, classes): windows of ``reach`` = T steps laid back over the text."""
    steps = torch.arange(reach)
    if one.direction.reverse:
        # The last step of the window is the answer's own, the one before it the word after it.
        index = reach - 1 - (steps - places[:, None])
    else:
        index = reach - 1 - (places[:, None] - steps)
    inside = (index >= 0) & (index < reach)
    rows = torch.arange(len(terms))[:, None]
    found = terms[rows, index.clamp(0, reach - 1)]
    return found * inside.unsqueeze(-1)


def _gradients(
    model: QuestionModel, reading: Reading, pairs: np.ndarray, places: Tensor
) -> np.ndarray:
    joined, lengths = _inputs(model, reading, [int(k) for k in pairs])
    width = model.embedding.shape[1]
    with torch.enable_grad():
        x = joined[..., :width].clone().requires_grad_()
        h = model.network.read(torch.cat([x, joined[..., width:]], dim=-1), lengths)
        at = h[torch.arange(len(places)), places]
        weight = model.readout.weight[1] - model.readout.weight[0]
        (gradient,) = torch.autograd.grad((at @ weight).sum(), x)
    return gradient.norm(dim=-1).numpy()
