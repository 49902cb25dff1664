"""The result of every score: one log-importance per word and class, and its completeness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.notebook import LIMIT, html_table
from rnnscope.numerics import own_precision
from rnnscope.progress import told


@dataclass(frozen=True, kw_only=True, eq=False)
class DocumentScores:
    """The scores of one document.

    Args:
        tokens: its words (or positions, for a model without words).
        values: (words, classes), natural log: ``values[j, i] = log beta_{i,j}``.
        initial: (classes,), what a non-zero initial state adds; no word's.
        logits: (classes,), the network's, output bias included.
        bias: (classes,), the output bias; no word's.
    """

    tokens: tuple[str, ...]
    values: Tensor
    initial: Tensor
    logits: Tensor
    bias: Tensor

    @property
    def contrast(self) -> Tensor:
        """(words,): log beta_1 - log beta_0; sums to the difference of the logits minus biases."""
        return contrast(self.values)

    @property
    def completeness(self) -> float:
        """Largest |sum of scores - (logit - bias)| over the classes."""
        total = self.values.sum(dim=0) + self.initial
        return float((total - (self.logits - self.bias)).abs().max())

    def __repr__(self) -> str:
        shown = zip(self.tokens, self.values.tolist(), strict=True)
        return "\n".join(
            f"{token:20s} " + " ".join(f"{value:+8.4f}" for value in row) for token, row in shown
        )

    def _repr_html_(self) -> str:
        classes = self.values.shape[-1]
        rows = [
            (word, *values.tolist()) for word, values in zip(self.tokens, self.values, strict=True)
        ]
        head = ("word", *(f"class {k}" for k in range(classes)))
        return html_table(f"Scores of {len(self.tokens):,} words", rows, head=head)


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """How well a method's scores add up to what they decompose, over a corpus.

    Args:
        error: largest |sum of scores - (logit - bias)|.
        relative: the same, each document's over max(1, its sum of absolute scores).
        documents: how many were looked at.
    """

    error: float
    relative: float
    documents: int

    def to_dict(self) -> dict[str, float]:
        """JSON-safe."""
        return {"error": self.error, "relative": self.relative, "documents": self.documents}


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Scores of some documents: ``values`` (B, T, classes) in text order, zero in the padding."""

    indices: Tensor
    values: Tensor
    initial: Tensor
    logits: Tensor


class WordScores(Sequence[DocumentScores]):
    """The scores of a corpus, one ``DocumentScores`` per document.

    Computed batch by batch when first looked at, then kept as one flat array.

    Attributes:
        method: the name of the method.
        model: a short description of the network and its fingerprint.
        classes: the names of the classes.
        tokens: each document's words as they came.
        encoded: the documents as the model read them.
        ids: each document's word indices, or None for a model without words.
        vocabulary: the model's, or None.
    """

    def __init__(
        self,
        *,
        method: str,
        model: Any,
        tokens: Sequence[tuple[str, ...]],
        encoded: Sequence[np.ndarray],
        batches: Callable[[], Iterator[Batch]],
    ) -> None:
        self.method = method
        self.fingerprint: str = model.fingerprint
        self.classes: tuple[str, ...] = model.classes
        self.vocabulary = model.vocabulary
        self.bias: Tensor = model.require_readout().bias.detach().cpu()
        self.tokens = tuple(tokens)
        self.ids = None if model.embedding is None else tuple(encoded)
        self.offsets = np.concatenate([[0], np.cumsum([len(d) for d in encoded], dtype=np.int64)])
        self.encoded = encoded
        self._device, self._batches = model.device, batches

    @cached_property
    def _flat(self) -> tuple[Tensor, Tensor, Tensor]:
        """values (words, classes), initial (documents, classes), logits (documents, classes)."""
        classes = len(self.classes)
        values = self.bias.new_empty(int(self.offsets[-1]), classes)
        initial = self.bias.new_empty(len(self), classes)
        logits = self.bias.new_empty(len(self), classes)
        with own_precision(self._device):
            parts = told(self._batches(), "scoring", total=len(self), size=_documents)
            for batch in parts:
                require_finite(batch.values, batch.initial, batch.logits)
                rows = batch.indices
                starts = torch.as_tensor(self.offsets)[rows]
                lengths = torch.as_tensor(self.offsets)[rows + 1] - starts
                steps = torch.arange(batch.values.shape[1])
                inside = steps < lengths[:, None]
                values[(starts[:, None] + steps)[inside]] = batch.values.cpu()[inside]
                initial[rows], logits[rows] = batch.initial.cpu(), batch.logits.cpu()
        return values, initial, logits

    @property
    def arrays(self) -> tuple[Tensor, Tensor, Tensor]:
        """What is computed: values (words, classes), initial and logits (documents, classes)."""
        return self._flat

    def take(self, values: Tensor, initial: Tensor, logits: Tensor) -> None:
        """Arrays that were computed before, in place of computing them.

        Raises:
            DataError: they are not of these documents' shapes.
        """
        classes = len(self.classes)
        expected = [(int(self.offsets[-1]), classes), *[(len(self), classes)] * 2]
        got = [tuple(array.shape) for array in (values, initial, logits)]
        if got != expected:
            raise DataError(
                "Scores are those of the documents they are given to.",
                expected=f"values, initial and logits of {expected}",
                got=str(got),
            )
        self.__dict__["_flat"] = values, initial, logits

    @property
    def values(self) -> Tensor:
        """All scores in one array, (words of all documents, classes); see ``offsets``."""
        return self._flat[0]

    @property
    def logits(self) -> Tensor:
        """The network's logits, (documents, classes)."""
        return self._flat[2]

    @property
    def predictions(self) -> np.ndarray:
        """The network's class of each document."""
        return self.logits.argmax(dim=-1).numpy()

    @property
    def completeness(self) -> Completeness:
        """How well the scores add up, over all documents."""
        values, initial, logits = self._flat
        if not len(self):
            return Completeness(error=0.0, relative=0.0, documents=0)
        owner = torch.as_tensor(np.repeat(np.arange(len(self)), np.diff(self.offsets)))
        total = torch.zeros_like(logits).index_add_(0, owner, values) + initial
        size = torch.zeros_like(logits).index_add_(0, owner, values.abs())
        error = (total - (logits - self.bias)).abs()
        return Completeness(
            error=float(error.max()),
            relative=float((error / size.clamp(min=1)).max()),
            documents=len(self),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: the scores, computed first; the way to compute them stays here."""
        _ = self._flat
        return {**self.__dict__, "_batches": None}

    @overload
    def __getitem__(self, index: int) -> DocumentScores: ...
    @overload
    def __getitem__(self, index: slice) -> list[DocumentScores]: ...
    def __getitem__(self, index: int | slice) -> DocumentScores | list[DocumentScores]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        values, initial, logits = self._flat
        return DocumentScores(
            tokens=self.tokens[row],
            values=values[self.offsets[row] : self.offsets[row + 1]],
            initial=initial[row],
            logits=logits[row],
            bias=self.bias,
        )

    def __repr__(self) -> str:
        return f"WordScores({self.method}, {len(self)} documents, {self.offsets[-1]} words)"

    def _repr_html_(self) -> str:
        shown = [self[row] for row in range(min(len(self), LIMIT))]
        rows = [
            (row, " ".join(one.tokens)[:80], self.classes[int(one.logits.argmax())],
             one.tokens[int(against_others(one.values).abs().amax(-1).argmax())])
            for row, one in enumerate(shown)
            if one.tokens
        ]  # fmt: skip
        head = ("document", "text", "network's class", "word of largest score")
        return html_table(repr(self), rows, head=head)


def _documents(batch: Batch) -> int:
    return len(batch.indices)


def require_finite(*parts: Tensor) -> None:
    """Hold what was computed against overflow.

    Raises:
        ModelError: one is infinite or no number.
    """
    if not all(bool(torch.isfinite(part).all()) for part in parts):
        raise ModelError(
            "Scores and logits must be finite numbers.",
            expected=f"sums within {torch.finfo(parts[0].dtype).max:.0e}",
            got=f"an overflow in {str(parts[0].dtype).removeprefix('torch.')}",
            fix="look for a weight or an input that is far too large, or score "
            "model.to(torch.float64)",
        )


def shards(documents: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Consecutive lists of at most ``size`` documents, each taken when it is asked for.

    Raises:
        UsageError: ``size`` is no whole number above 0.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UsageError("A shard holds at least one document.", expected=">= 1", got=repr(size))
    if isinstance(documents, str) or not isinstance(documents, Iterable):
        raise DataError(
            "Documents come one after the other.",
            expected="an iterable of token lists or texts",
            got=type(documents).__name__,
        )
    waiting = iter(documents)
    while part := list(islice(waiting, size)):
        yield part


def contrast(values: Tensor) -> Tensor:
    """Class 1 minus class 0 along the last axis.

    Raises:
        NotApplicable: there are not two classes.
    """
    if values.shape[-1] != 2:
        raise NotApplicable(
            "The contrast is between two classes.",
            expected="two classes",
            got=f"{values.shape[-1]}",
            fix="use against_others, which compares each class with the mean of the others",
        )
    return values[..., 1] - values[..., 0]


def against_others(values: Tensor) -> Tensor:
    """Each class against the mean of the others in the log domain, same shape.

    ``s_i = log beta_i - mean_{k != i} log beta_k``. Adding one vector to every row of the readout,
    which changes no probability, does not change it; for two classes it is the paper's ratio.

    Raises:
        NotApplicable: there is one class.
    """
    classes = values.shape[-1]
    if classes < 2:
        raise NotApplicable(
            "A class is compared with the others.", expected="two classes or more", got=f"{classes}"
        )
    return (values - values.mean(dim=-1, keepdim=True)) * (classes / (classes - 1))
