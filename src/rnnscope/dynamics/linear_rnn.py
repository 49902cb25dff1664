"""A linear recurrent network trained directly: ``h' = V h + W x + b``, read out linearly.

What a network does beyond adding up its words, with or without leaks and turns, shows against it:
Maheswaranathan et al. 2019 found it about 3 points less accurate than their LSTM. It learns from
the labels or from the network's own logits, on training text, and is judged as any description.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnnscope.cells.cell import AffineCell, Gates
from rnnscope.data import bucketed, pad
from rnnscope.dynamics.stand_in import StandIn
from rnnscope.dynamics.visited import one_system
from rnnscope.errors import DataError, TrainingError, UsageError
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.progress import told

MEMORY = 20.0
"""Steps that the untrained network remembers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearRNN(AffineCell):
    """``h' = V h + W x + b``. ``W`` (n, d), ``V`` (n, n), ``b`` (n)."""

    kind: ClassVar[str] = "linear"
    gate_names: ClassVar[tuple[str, ...]] = ("h",)

    def activate(self, drive: Tensor, state: Tensor) -> dict[str, Tensor]:
        return {"h": drive + state @ self.V.mT}

    def update(self, gates: Gates, state: Tensor) -> Tensor:
        del state
        return gates["h"]

    def J_rec(self, x: Tensor, state: Tensor) -> Tensor:
        self._check(x, state)
        batch = torch.broadcast_shapes(x.shape[:-1], state.shape[:-1])
        return self.V.expand(*batch, -1, -1)

    def J_inp(self, x: Tensor, state: Tensor) -> Tensor:
        self._check(x, state)
        batch = torch.broadcast_shapes(x.shape[:-1], state.shape[:-1])
        return self.W.expand(*batch, -1, -1)


@dataclass(frozen=True, kw_only=True)
class LinearOptions:
    """How a linear RNN is trained.

    Attributes:
        units: its width; None for as many as the network's output has.
        epochs: passes over the documents at most.
        patience: passes without a better validation loss before it stops.
        batch: documents a step, for documents of average length.
        learning_rate: Adam's.
        clip: largest norm of the gradient.
        validation: share of the documents put aside to choose the pass.
        rng: seed of weights, order and choice.
    """

    units: int | None = None
    epochs: int = 6
    patience: int = 1
    batch: int = 64
    learning_rate: float = 2e-3
    clip: float = 1.0
    validation: float = 0.1
    rng: int = 0

    def __post_init__(self) -> None:
        least = {"epochs": 1, "patience": 1, "batch": 1, "units": 1}
        for name, low in least.items():
            value = getattr(self, name)
            if (value is not None or name != "units") and not (
                isinstance(value, int) and value >= low
            ):
                raise UsageError(
                    f"The option {name} must be a whole number above 0.", got=repr(value)
                )
        for name in ("learning_rate", "clip"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 < value < float("inf")):
                raise UsageError(f"The option {name} must be above 0.", got=repr(value))
        if not 0 < self.validation < 1:
            raise UsageError(
                "The share put aside lies between 0 and 1.", got=f"validation={self.validation}"
            )


def train_linear_rnn(
    model: Model,
    documents: Iterable[Any],
    labels: Sequence[int] | np.ndarray | None = None,
    *,
    options: LinearOptions | None = None,
    **changes: Any,
) -> StandIn:
    """Train a linear RNN on a network's answers, or on labels, in its place.

    Its words start from the network's embedding, and are trained too.

    Args:
        model: the network; with words or vectors and a readout of its last state. Not changed.
        documents: training text.
        labels: the class of each; None to learn from the network's probabilities.
        options: see ``LinearOptions``; keyword options are put over them.

    Raises:
        DataError: fewer than two documents, or labels that do not fit.
        NotApplicable: the network has no readout of a last state, or reads in two directions.
        TrainingError: the loss is not a number.
        UsageError: an unknown option.

    Source:
        Maheswaranathan et al. 2019
    """
    model = one_system(model)
    model.require_readout()
    try:
        settings = replace(options or LinearOptions(), **changes)
    except TypeError as error:
        raise UsageError("A linear RNN has no such option.", got=str(error)) from error
    encoded = model.encode(documents)
    if len(encoded) < 2:
        raise DataError("Training takes two documents or more.", got=str(len(encoded)))
    targets = _targets(model, encoded, labels).float()
    with flushed_denormals(), single_thread():
        trained = _Training(model, settings).run(encoded, targets)
    return StandIn(
        model=trained,
        width=trained.cell.state_size,
        size=sum(weight.numel() for weight in trained.weights().values()),
        name=f"linear RNN of {trained.cell.state_size} units",
    )


def _targets(model: Model, encoded: list[np.ndarray], labels: Any) -> Tensor:
    """The probability of each class, (documents, classes)."""
    if labels is None:
        return model.probabilities(encoded)
    given = np.asarray(labels)
    classes = len(model.classes)
    fits = given.shape == (len(encoded),) and given.dtype.kind in "iu"
    if not fits or given.min() < 0 or given.max() >= classes:
        raise DataError(
            "Labels are class indices, one a document.",
            expected=f"{len(encoded)} whole numbers from 0 to {classes - 1}",
            got=f"an array of {given.dtype} in shape {given.shape}",
        )
    return torch.nn.functional.one_hot(torch.as_tensor(given.astype(np.int64)), classes)


class _Training:
    """Adam on word vectors, recurrence and readout."""

    def __init__(self, model: Model, options: LinearOptions) -> None:
        self.like, self.options = model, options
        self.generator = torch.Generator().manual_seed(options.rng)
        units = options.units or model.layers[-1].output_size
        d, classes = model.input_size, len(model.classes)

        def normal(*shape: int, scale: float) -> Tensor:
            return scale * torch.randn(*shape, generator=self.generator)

        self.weights = {
            "W": normal(units, d, scale=d**-0.5),
            "V": (1 - 1 / MEMORY) * torch.eye(units) + normal(units, units, scale=0.01),
            "b": torch.zeros(units),
            "readout": normal(classes, units, scale=units**-0.5),
            "bias": torch.zeros(classes),
        }
        if model.embedding is not None:
            self.weights["embedding"] = model.embedding.detach().float().clone()
        for weight in self.weights.values():
            weight.requires_grad_()
        self.optimizer = torch.optim.Adam(self.weights.values(), lr=options.learning_rate)

    def run(self, encoded: list[np.ndarray], targets: Tensor) -> Model:
        """Train and give the model of the best pass, in float64."""
        order = torch.randperm(len(encoded), generator=self.generator)
        aside = max(1, round(self.options.validation * len(encoded)))
        held, fitted = order[:aside].tolist(), order[aside:].tolist()
        lengths = np.array([len(document) for document in encoded])
        tokens = max(1, round(self.options.batch * lengths.mean()))
        shuffle = np.random.default_rng(self.options.rng)
        best, kept, stale = float("inf"), {}, 0
        for _ in told(range(self.options.epochs), "training the linear network", unit="epoch"):
            for batch in bucketed(lengths[fitted], tokens=tokens, shuffle=shuffle):
                rows = [fitted[k] for k in batch]
                loss = self._loss(encoded, targets, rows)
                self.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.weights.values(), self.options.clip)
                self.optimizer.step()
            with torch.no_grad():
                total = sum(
                    float(self._loss(encoded, targets, [held[k] for k in batch])) * len(batch)
                    for batch in bucketed(lengths[held], tokens=4 * tokens)
                )
            if not np.isfinite(total):
                raise TrainingError(
                    "Training goes on while the loss is a number.",
                    got=f"a validation loss of {total}",
                    fix="lower learning_rate or clip",
                )
            if total < best:
                best, stale = total, 0
                kept = {name: w.detach().double() for name, w in self.weights.items()}
            else:
                stale += 1
                if stale >= self.options.patience:
                    break
        return self._model(kept)

    def _loss(self, encoded: list[np.ndarray], targets: Tensor, rows: list[int]) -> Tensor:
        w = self.weights
        state = w["b"].new_zeros(len(rows), len(w["b"]))
        drive, lengths = self._drive([encoded[k] for k in rows])
        for t, now in enumerate(drive.unbind(0)):
            state = torch.where((lengths > t)[:, None], now + state @ w["V"].mT, state)
        logits = state @ w["readout"].mT + w["bias"]
        return torch.nn.functional.cross_entropy(logits, targets[rows])

    def _drive(self, documents: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        """``W x + b``, time first, (T, B, n), and the lengths (B,)."""
        w = self.weights
        lengths = torch.tensor([len(document) for document in documents])
        if "embedding" in w:
            ids, where = np.unique(pad(documents)[0], return_inverse=True)
            words = w["embedding"][torch.as_tensor(ids)] @ w["W"].mT + w["b"]
            table = words[torch.as_tensor(where.reshape(len(documents), -1))]
        else:
            x = torch.nn.utils.rnn.pad_sequence(
                [torch.as_tensor(d, dtype=torch.float32) for d in documents], batch_first=True
            )
            table = x @ w["W"].mT + w["b"]
        return table.transpose(0, 1), lengths

    def _model(self, w: dict[str, Tensor]) -> Model:
        cell = LinearRNN(W=w["W"], V=w["V"], b=w["b"])
        return replace(
            self.like,
            layers=(Layer(directions=(Direction(cell=cell),)),),
            embedding=w.get("embedding"),
            readout=Readout(weight=w["readout"], bias=w["bias"]),
            certificate=None,
            record={},
        )
