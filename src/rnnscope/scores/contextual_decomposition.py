"""Contextual decomposition of words and phrases (Murdoch, Liu & Yu 2018).

The state of an LSTM is split into what is relevant, R, the phrase's, and what is not, I:
h = h_R + h_I and c = c_R + c_I. For n in i, f, g, with act_n its nonlinearity,

r_n = V_n h_R + [t in phrase] W_n x_t
q_n = V_n h_I + [t not in phrase] W_n x_t
R_n = 1/2 (act(r + b) - act(b) + act(r + q + b) - act(q + b))
I_n = 1/2 (act(q + b) - act(b) + act(r + q + b) - act(r + b))
B_n = act(b)                                            R_n + I_n + B_n = act_n(r + q + b)

c_R' = R_i (R_g + B_g) + B_i R_g + [t in phrase] B_i B_g + (R_f + B_f) c_R
c_I' = c' - c_R'
h_R' = o * 1/2 (tanh(c_R') + tanh(c') - tanh(c_I'))
h_I' = h' - h_R'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Model
from rnnscope.numerics import flushed_denormals, own_precision
from rnnscope.scores.decomposed_run import Decomposer, Spans
from rnnscope.scores.drives import Drives, drives_of, words_at_once
from rnnscope.scores.inputs import require_room
from rnnscope.scores.lstm_tape import is_plain_lstm
from rnnscope.scores.score import Score
from rnnscope.scores.word_scores import Batch, require_finite

BiasConvention = Literal["inclusive", "reference-2018"]
CONVENTIONS: tuple[BiasConvention, ...] = ("inclusive", "reference-2018")

BATCH_TOKENS = 4096
"""Padded words run at once: small enough to stay in the processor's cache."""

SPANS_AT_ONCE = 8192


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseDecomposition:
    """The logits of documents, split for one phrase of each.

    Args:
        spans: (phrases, 3), the document, the first word and the word after the last.
        relevant: (phrases, classes), the phrase's part of each logit.
        irrelevant: (phrases, classes), the rest, output bias left out.
        logits: (phrases, classes), the document's, output bias included.
        bias: (classes,), the output bias.
    """

    spans: np.ndarray
    relevant: Tensor
    irrelevant: Tensor
    logits: Tensor
    bias: Tensor

    @property
    def completeness(self) -> float:
        """Largest |relevant + irrelevant - (logit - bias)|."""
        error = self.relevant + self.irrelevant - (self.logits - self.bias)
        return float(error.abs().max()) if len(error) else 0.0

    def __len__(self) -> int:
        return len(self.spans)


class ContextualDecomposition(Score):
    """The part of each class's logit that a word, or a phrase, brings in (CD).

    The score of a word is the relevant part of the logit for the phrase of that word alone; see
    ``score_phrase`` for longer ones. Relevant and irrelevant part add up to logit - bias, always.

    Not accounted for: the output gate is not split; what a phrase does through the others' gates
    is shared out evenly. The scores of a document's words do not add up to its logit, since the
    words' interactions belong to no one word (``completeness`` refuses). An initial state is
    irrelevant, as every word outside the phrase is.

    For one LSTM layer, in one direction or both, and for a stack that reads in one direction: the
    input of an upper layer is split as the lower layer's output is, and its biases' product
    belongs to the phrase at the phrase's own positions. A pooled state is split as its states are:
    averaged, or unit by unit at the position of the whole state's maximum.

    Args:
        model: the network, with a readout.
        bias: to whom the product of the biases, ``B_i B_g``, belongs at the words of the phrase.
            "inclusive": to the phrase at each of them, so that of a whole document nothing is
            irrelevant. "reference-2018": to the phrase except at its last word, as the authors'
            published code has it.

    Raises:
        UsageError: no such convention.
        NotApplicable: a cell other than the plain LSTM, or several layers in two directions.
    """

    name: ClassVar[str] = "contextual decomposition"
    complete: ClassVar[bool] = False

    def __init__(self, model: Model, *, bias: BiasConvention = "inclusive") -> None:
        super().__init__(model)
        if bias not in CONVENTIONS:
            raise UsageError(
                "The bias convention must be known.",
                expected=" or ".join(map(repr, CONVENTIONS)),
                got=repr(bias),
            )
        _require_lstm(model)
        self.bias: BiasConvention = bias
        both = len(model.layers[0].directions)
        with torch.no_grad():
            self._runs = [
                Decomposer([layer.directions[k] for layer in model.layers], model.pooling)
                for k in range(both)
            ]

    @property
    def options(self) -> dict[str, Any]:
        return {"bias": self.bias}

    def batches(self, documents: Iterable[Any]) -> Iterator[Batch]:
        encoded = self.model.encode(documents)
        for drives in drives_of(
            self.model, encoded, tokens=words_at_once(self.model, BATCH_TOKENS)
        ):
            count, steps = len(drives.lengths), int(drives.lengths[0])
            inside = torch.arange(steps, device=drives.lengths.device) < drives.lengths[:, None]
            doc, start = inside.nonzero(as_tuple=True)
            relevant, logits = self._decompose(drives, doc, start, start + 1)
            values = logits.new_zeros(count, steps, logits.shape[1])
            values[doc, start] = relevant
            yield Batch(
                indices=drives.indices,
                values=values,
                initial=torch.zeros_like(logits),
                logits=logits,
            )

    def score_phrase(self, document: Any, start: int, stop: int) -> PhraseDecomposition:
        """Split one document's logits for the phrase ``document[start:stop]``.

        Raises:
            DataError: a document that the model cannot read, or a phrase outside it.
        """
        return self.score_phrases([document], [(0, start, stop)])

    def score_phrases(
        self, documents: Iterable[Any], spans: Sequence[tuple[int, int, int]] | np.ndarray
    ) -> PhraseDecomposition:
        """Split documents' logits for many phrases.

        Args:
            documents: token lists, texts, index arrays or vectors.
            spans: (document, start, stop) of each phrase: its words are ``start`` to ``stop - 1``.

        Raises:
            DataError: a document that the model cannot read, or a phrase outside its document.
            ModelError: numbers beyond those that the model's dtype holds.
        """
        self._require_documents(documents)
        encoded = self.model.encode(documents)
        require_room(self.model, encoded)
        wanted = _checked(spans, [len(document) for document in encoded])
        bias = self.model.require_readout().bias
        relevant = bias.new_empty(len(wanted), len(bias), device="cpu")
        logits = torch.empty_like(relevant)
        used = np.unique(wanted[:, 0])
        with own_precision(bias.device):
            for drives in drives_of(
                self.model,
                [encoded[k] for k in used],
                tokens=words_at_once(self.model, BATCH_TOKENS),
            ):
                place = np.full(len(encoded), -1)
                place[used[drives.indices.numpy()]] = np.arange(len(drives.indices))
                rows = np.flatnonzero(place[wanted[:, 0]] >= 0)
                for first in range(0, len(rows), SPANS_AT_ONCE):
                    own = rows[first : first + SPANS_AT_ONCE]
                    doc = torch.as_tensor(place[wanted[own, 0]], device=bias.device)
                    bounds = torch.as_tensor(wanted[own, 1:], device=bias.device)
                    found, whole = self._decompose(drives, doc, bounds[:, 0], bounds[:, 1])
                    require_finite(found, whole)
                    relevant[own], logits[own] = found.cpu(), whole[doc].cpu()
        bias = bias.detach().cpu()
        return PhraseDecomposition(
            spans=wanted,
            relevant=relevant,
            irrelevant=logits - bias - relevant,
            logits=logits,
            bias=bias,
        )

    @torch.no_grad()
    def _decompose(
        self, drives: Drives, doc: Tensor, start: Tensor, stop: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The phrases' parts of the logits, (phrases, classes), and the logits, (B, classes)."""
        readout, pooled, relevant = self.model.require_readout(), [], []
        lengths, inclusive = drives.lengths, self.bias == "inclusive"
        with flushed_denormals():
            for k, run in enumerate(self._runs):
                first, last = start, stop
                if self.model.layers[0].directions[k].reverse:
                    first, last = lengths[doc] - stop, lengths[doc] - start
                spans = Spans(doc=doc, start=first, stop=last, last_written=inclusive)
                known = run.run(drives, k)
                seen, where = run.pooled(known, lengths)
                pooled.append(seen)
                relevant.append(run.relevant(drives, k, known, spans, where))
        logits = torch.cat(pooled, dim=-1) @ readout.weight.mT + readout.bias
        return torch.cat(relevant, dim=-1) @ readout.weight.mT, logits


def _require_lstm(model: Model) -> None:
    for layer in model.layers:
        for direction in layer.directions:
            if not is_plain_lstm(direction.cell):
                raise NotApplicable(
                    "Contextual decomposition is defined for the gates of the plain LSTM.",
                    expected="LSTM layers without projection",
                    got=model.architecture,
                    fix="use CellDecomposition, IntegratedGradients or Occlusion",
                )
    if len(model.layers) > 1 and any(len(layer.directions) > 1 for layer in model.layers):
        raise NotApplicable(
            "Contextual decomposition of several layers is defined in one reading direction: "
            "from two, every position of an upper layer is partly the phrase's.",
            expected="one layer, or layers that read in one direction",
            got=model.architecture,
            fix="use IntegratedGradients or Occlusion",
        )


def _checked(spans: Any, lengths: list[int]) -> np.ndarray:
    """(phrases, 3) whole numbers that name phrases of these documents."""
    try:
        wanted = np.asarray(spans)
    except ValueError:  # rows of different lengths
        wanted = np.asarray("rows of different lengths")
    if wanted.size == 0:
        return np.zeros((0, 3), dtype=np.int64)
    if wanted.ndim != 2 or wanted.shape[1] != 3 or wanted.dtype.kind not in "iu":
        raise DataError(
            "A phrase is a document, its first word and the word after its last.",
            expected="whole numbers (phrases, 3)",
            got=f"shape {wanted.shape} of {wanted.dtype}",
        )
    for doc, start, stop in wanted.tolist():
        if not 0 <= doc < len(lengths):
            raise DataError(
                "A phrase belongs to one of the documents.",
                expected=f"0 to {len(lengths) - 1}",
                got=f"document {doc}",
            )
        if not 0 <= start < stop <= lengths[doc]:
            raise DataError(
                "A phrase is one word or more inside its document.",
                expected=f"0 <= start < stop <= {lengths[doc]}",
                got=f"words {start} to {stop} of document {doc}",
            )
    return wanted.astype(np.int64)
