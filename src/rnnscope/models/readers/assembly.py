"""A model put together part by part, in the order in which data flows through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells import Activation, Affine, Pointwise, Steps, affine_of, through
from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, ModelError
from rnnscope.models.attention import Attention
from rnnscope.models.certificate import Certificate
from rnnscope.models.folding import between, finished, onto_lowest, turned
from rnnscope.models.layers import Layer, Readout
from rnnscope.models.model import Model
from rnnscope.models.parity import TOLERANCE, match_output
from rnnscope.progress import showing, told

Predict = Callable[[np.ndarray], Any]
"""The original network, run on one document: indices (T,) or vectors (T, width) -> its output."""


class Assembly:
    """The parts so far. Each method takes the next part in the direction of the data."""

    def __init__(self) -> None:
        self.table: Tensor | None = None
        self.layers: tuple[Layer, ...] = ()
        self.pooling: str | None = None
        self.attention: Attention | None = None
        self.before: Steps = ()
        self.after: Steps = ()
        self.head: Steps = ()
        self.backwards = False
        self.closed = False
        """Whether the logits were made probabilities, after which nothing may come."""

    def embed(self, table: Tensor) -> None:
        """The rows of the words; nothing may stand before it."""
        if self.table is not None or self.layers or self.before:
            raise ModelError("A network reads its words once, at its beginning.", got="twice")
        self.table = table

    def recur(self, layer: Layer) -> None:
        """A recurrent layer on top of what is there."""
        self._refuse_if_closed()
        if self.pooling is not None:
            raise ModelError("A recurrent layer reads a sequence.", got="one after a pooling")
        if self.layers:
            lower, upper = between(self.layers[-1], self.after, (layer,))
            self.layers, self.after = (*self.layers[:-1], lower, *upper), ()
            return
        if self.before and self.table is not None:
            self.table = through(self.before, self.table)
        elif self.before:
            fold = affine_of(self.before)
            if fold is None:
                raise ModelError(
                    "Before the recurrence, vectors may pass through linear layers only.",
                    got=", ".join(step.kind for step in self.before),
                    fix="apply these steps to the data and leave them out of the network",
                )
            (layer,) = onto_lowest((layer,), fold)
        self.layers, self.before = (layer,), ()

    def apply(self, step: Pointwise) -> None:
        """A step of one vector: before, between or after the layers, or after the pooling."""
        self._refuse_if_closed()
        if not self.layers:
            self.before = (*self.before, step)
        elif self.pooling is None:
            self.after = (*self.after, step)
        else:
            self.head = (*self.head, step)

    def pool(self, pooling: str) -> None:
        """What is kept of the sequence."""
        self._refuse_if_closed()
        if self.pooling is not None:
            raise ModelError("A sequence is pooled once.", got=f"{self.pooling}, then {pooling}")
        self.pooling = pooling

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise ModelError("A softmax ends a network.", got="one that something reads")

    def model(
        self,
        *,
        source: str,
        vocabulary: Vocabulary | None = None,
        classes: Sequence[str] = (),
        record: dict[str, Any] | None = None,
    ) -> Model:
        """The model of all parts; its last linear layer is the readout.

        Raises:
            ModelError: no recurrent layer, or parts that do not fit together.
        """
        if not self.layers:
            raise ModelError("A network needs a recurrent part.", got=f"none in {source}")
        pooling, head, readout = self.pooling or "last", self.head, None
        steps = self.after
        if self.pooling is None:
            # No pooling: an output at every position, of which the last is the network's.
            steps, head = (), self.after
        shape = ""
        if head and isinstance(head[-1], Activation) and head[-1].name == "sigmoid":
            head, shape = head[:-1], "sigmoid"
        if head and isinstance(head[-1], Affine):
            last = head[-1]
            head, readout = head[:-1], Readout.of(last.weight, last.bias)
        elif shape:
            head = (*head, Activation(name=shape))
        layers, head, readout = finished(self.layers, steps, pooling, head, readout)
        if self.backwards:
            layers = tuple(turned(layer) for layer in layers)
        return Model(
            layers=layers,
            embedding=self.table,
            vocabulary=vocabulary,
            readout=readout,
            pooling=pooling,
            head=head,
            attention=self.attention,
            classes=tuple(map(str, classes)) if readout is not None else (),
            record={"source": source, **(record or {})},
        )


def held_against(
    model: Model,
    predict: Predict | None,
    documents: Iterable[Any] | None,
    tolerance: float | None = None,
    *,
    progress: bool = False,
) -> Model:
    """The model with a certificate, where its original can be run.

    Args:
        model: as it was read.
        predict: the original; None where it cannot be run here, and then nothing is certified.
        documents: yours; random ones when None.
        tolerance: largest accepted difference relative to max(1, largest value); by default 1e-10
            in float64 and 1e-4 in float32.
        progress: a bar on standard error.

    Raises:
        ModelError: a difference above the tolerance; names the document.
    """
    if predict is None:
        return model
    with showing(progress):
        return _held_against(model, predict, documents, tolerance)


def _held_against(
    model: Model, predict: Predict, documents: Iterable[Any] | None, tolerance: float | None
) -> Model:
    encoded = random_documents(model) if documents is None else model.encode(documents)
    if not encoded:
        raise DataError("A certificate needs documents to compare on.", got="an empty list")
    allowed = TOLERANCE[model.dtype] if tolerance is None else tolerance
    worst, form = 0.0, "logits"
    ours = model.logits(encoded) if model.readout is not None else None
    for row, document in enumerate(told(encoded, "certifying")):
        theirs = _run(predict, document)
        if ours is None:
            found = model.trajectory([document]).pooled[0]
            gap = float((found - theirs).abs().max())
        else:
            one = model.require_some_readout().one_logit
            theirs = theirs[-(1 if one else len(model.classes)) :]
            form, gap = match_output(theirs, ours[row].to(torch.float64), one_logit=one)
        worst = max(worst, gap)
        scale = max(1.0, float(theirs.abs().max()))
        if not gap <= allowed * scale:
            raise ModelError(
                "Our equations must give the outputs of the network they were read from.",
                expected=f"a difference of at most {allowed * scale:.1e}",
                got=f"{gap:.3e} at document {row} of {len(document)} steps",
                fix="an option of the framework may be missing, such as forget_bias or "
                "reset_first; padding must not be part of a document",
            )
    certificate = Certificate(
        states=worst if ours is None else None,
        logits=None if ours is None else worst,
        documents=len(encoded),
        words=sum(map(len, encoded)),
        tolerance=allowed,
        output=form,
        data="random" if documents is None else "yours",
    )
    return replace(model, certificate=certificate)


def _run(predict: Predict, document: np.ndarray) -> Tensor:
    """The original's output on one document, flat, in float64."""
    try:
        found = predict(document.copy())
        if isinstance(found, Tensor):
            return found.detach().cpu().to(torch.float64).reshape(-1)
        return torch.from_numpy(np.asarray(found).astype(np.float64)).reshape(-1)
    except Exception as error:
        raise ModelError(
            "The original given must run on one document and return its output.",
            expected="predict(indices or vectors of one document) -> array",
            got=f"{type(error).__name__}: {str(error)[:200]}",
        ) from error


def random_documents(model: Model) -> list[np.ndarray]:
    """Documents of several lengths, without row 0, which a network may take for padding."""
    rng = np.random.default_rng(0)
    lengths = (1, 2, 3, 5, 8, 13, 21)
    if model.embedding is None:
        return [rng.normal(size=(length, model.input_size)) for length in lengths]
    rows = len(model.embedding)
    return [rng.integers(min(1, rows - 1), rows, size=length) for length in lengths]
