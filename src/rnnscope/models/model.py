"""The model under study: embedding (or raw vectors) -> stack of cells -> pooling -> readout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from rnnscope.arguments import check_fields
from rnnscope.cells import Cell, Stack, Steps, Transformed
from rnnscope.data import Vocabulary, bucketed, tokenize
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models.attention import Attention
from rnnscope.models.certificate import Certificate
from rnnscope.models.checks import check_parts
from rnnscope.models.encoding import encode_documents
from rnnscope.models.fingerprint import choices_of, fingerprint_of
from rnnscope.models.layers import Layer, Readout
from rnnscope.models.running import final_states_of, logits_of, run_batch
from rnnscope.models.steps import between, steps_of
from rnnscope.models.streaming import (
    STRETCH,
    states_in_stretches,
    steps_at_once,
)
from rnnscope.models.trajectory import POOLINGS, Trajectory
from rnnscope.notebook import ShowsItself


@dataclass(frozen=True, kw_only=True, eq=False)
class Model(ShowsItself):
    """A recurrent network, with its equations in the open. Weights are copies: nothing is shared.

    Args:
        layers: the recurrent layers, lowest first.
        embedding: (words, width), row k for word k of the vocabulary; None for raw vectors.
        vocabulary: the words; None when documents are given as indices or vectors.
        readout: the linear layer that gives the logits; None for a bare recurrent network.
        pooling: what the readout sees: the "last" state, the "mean" or the "max" over positions,
            or what "attention" gives; several side by side are joined by "+", as "last+max".
        head: what the pooled vector passes through before the readout, in order.
        attention: how much each position counts, of the pooling "attention".
        classes: the classes' names.
        certificate: how far our equations are from the module they were read from.
        record: where the network came from (training record, data fingerprint), JSON-safe.

    Raises:
        ModelError: parts that do not fit together, or weights that are not finite.
    """

    layers: tuple[Layer, ...]
    embedding: Tensor | None = None
    vocabulary: Vocabulary | None = None
    readout: Readout | None = None
    pooling: str = "last"
    head: Steps = ()
    attention: Attention | None = None
    classes: tuple[str, ...] = ()
    certificate: Certificate | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
        check_parts(self)
        if self.readout is not None and not self.classes:
            names = tuple(str(k) for k in range(len(self.readout.bias)))
            object.__setattr__(self, "classes", names)

    # Running -------------------------------------------------------------------------------

    def trajectories(
        self, documents: Iterable[Any], *, gates: bool = False, batch_tokens: int = STRETCH
    ) -> Iterator[Trajectory]:
        """Run the model, batch by batch of similar lengths.

        Args:
            documents: token lists, texts, index arrays, (T, width) vectors, or a corpus.
            gates: keep the gates too.
            batch_tokens: padded words run at once, at most; fewer within a ``memory_budget``.

        Yields:
            One trajectory per batch; its ``indices`` say which documents it holds.
        """
        encoded = self.encode(documents)
        tokens = steps_at_once(self, gates=gates, most=batch_tokens)
        for batch in bucketed([len(document) for document in encoded], tokens=tokens):
            yield run_batch(self, [encoded[k] for k in batch], batch, gates=gates)

    def trajectory(self, documents: Iterable[Any], *, gates: bool = False) -> Trajectory:
        """Run the model on all documents as one batch, in their order. For small inputs."""
        encoded = self.encode(documents)
        if not encoded:
            raise DataError("A trajectory needs at least one document.", got="none")
        return run_batch(self, encoded, np.arange(len(encoded)), gates=gates)

    def logits(self, documents: Iterable[Any]) -> Tensor:
        """The class logits, bias included, (documents, classes), in the documents' order.

        A document of more than 16,384 steps (fewer within a ``memory_budget``) is run a stretch
        at a time, in the memory of one.
        """
        readout = self.require_some_readout()
        return logits_of(self, readout, self.encode(documents))

    def probabilities(self, documents: Iterable[Any]) -> Tensor:
        """The class probabilities, (documents, classes)."""
        return torch.softmax(self.logits(documents), dim=-1)

    def predict(self, documents: Iterable[Any]) -> np.ndarray:
        """The index of the most probable class of each document, (documents,)."""
        return self.logits(documents).argmax(dim=-1).cpu().numpy()

    def final_states(self, documents: Iterable[Any]) -> Tensor:
        """The state after the last word of each document, (documents, state_size), in their order.

        Raises:
            NotApplicable: the network reads in two directions.
        """
        return final_states_of(self, self.encode(documents))

    def stretches(self, document: Any, *, steps: int = STRETCH) -> Iterator[Tensor]:
        """The states after each word of one document that need not fit in memory.

        Args:
            document: a token list, a text, an index array or (T, width) vectors.
            steps: words at a time.

        Yields:
            The joint states of all layers, (steps, state_size), part after part in order; equal to
            those of ``trajectory`` to rounding.

        Raises:
            NotApplicable: the network reads in two directions.
            DataError: a document that the model cannot read.
            UsageError: fewer than one step.
        """
        if not isinstance(steps, int) or steps < 1:
            raise UsageError("A stretch has a step or more.", expected=">= 1", got=repr(steps))
        _ = self.cell
        (encoded,) = self.encode([document])
        yield from states_in_stretches(self, encoded, steps)

    # Documents -----------------------------------------------------------------------------

    def encode(self, documents: Iterable[Any]) -> list[np.ndarray]:
        """Each document as indices (T,), or as vectors (T, width) for a model without words.

        Raises:
            DataError: an empty document, an unknown word without an unknown token, an index out
                of range, a vector of another width; the message names the document.
        """
        return encode_documents(self, documents)

    def tokenize(self, text: str) -> list[str]:
        """Cut a text the way the model's vocabulary was cut."""
        if self.vocabulary is not None and self.vocabulary.tokenizer != "words":
            raise DataError(
                "This model's tokenizer is not the built-in one and is not stored with it.",
                expected="token lists",
                got="a text",
                fix="tokenize it as in training and pass the tokens",
            )
        return tokenize(text)

    # Parts ---------------------------------------------------------------------------------

    @property
    def cell(self) -> Cell:
        """The dynamical system: the one cell, or the stack of layers as one system.

        Raises:
            NotApplicable: the network reads in two directions and is two systems.
        """
        if any(len(layer.directions) > 1 for layer in self.layers):
            raise NotApplicable(
                "A bidirectional network is two dynamical systems, one for each direction.",
                expected="a network that reads in one direction",
                got="a bidirectional layer",
                fix="study model.layers[k].directions[0].cell and [1].cell apart",
            )
        cells = tuple(layer.directions[0].cell for layer in self.layers)
        return cells[0] if len(cells) == 1 else Stack(layers=cells)

    @property
    def contrast(self) -> Tensor | None:
        """The readout's direction in the pooled space, (H,): class 1 minus class 0, or for more
        classes the first principal direction of the centred readout rows. None where the readout
        is not linear in the states."""
        if self.readout is None or not self.linear:
            return None
        weight = self.readout.weight
        if len(weight) == 2:
            return weight[1] - weight[0]
        return torch.linalg.svd(weight - weight.mean(dim=0), full_matrices=False).Vh[0]

    @property
    def linear(self) -> bool:
        """Whether the logits are a linear function of the states, pooled in one of the plain ways,
        and each layer reads the layer below as it is."""
        return not steps_of(self) and self.pooling in POOLINGS

    def require_readout(self) -> Readout:
        """The readout, linear in the states, or a sentence on why there is none."""
        readout = self.require_some_readout()
        if not self.linear:
            raise NotApplicable(
                "This needs a readout that is linear in the states.",
                expected="states, pooled as last, mean or max, and one linear layer on them",
                got=between(self),
                fix="its states, logits and fixed points can be studied all the same",
            )
        return readout

    def require_some_readout(self) -> Readout:
        """The readout of the pooled vector, whatever stands before it; or why there is none."""
        if self.readout is None:
            raise NotApplicable(
                "This network has no readout, so it gives no class and no score.",
                expected="a linear layer from the states to the classes",
                got="a bare recurrent network",
                fix="build the model with readout=",
            )
        return self.readout

    @property
    def architecture(self) -> str:
        """In words, e.g. ``lstm(64)`` or ``2-layer bidirectional gru(128)``."""
        directions, layers = self.layers[0].directions, len(self.layers)
        depth = f"{layers}-layer " if layers > 1 else ""
        both = "bidirectional " if directions[-1].reverse else ""
        cell = directions[0].cell
        cell = cell.inner if isinstance(cell, Transformed) else cell
        return f"{depth}{both}{cell.kind}({cell.hidden_size})"

    @property
    def input_size(self) -> int:
        """Width of the vectors that the first layer reads."""
        return self.layers[0].directions[0].cell.input_size

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights."""
        return self.layers[0].directions[0].cell.dtype

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.layers[0].directions[0].cell.device

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Self:
        """This model with its weights in another dtype or on another device."""

        def move(weight: Tensor) -> Tensor:
            return weight.to(dtype=dtype, device=device)

        return replace(
            self,
            layers=tuple(layer.map(move) for layer in self.layers),
            embedding=None if self.embedding is None else move(self.embedding),
            readout=None if self.readout is None else self.readout.map(move),
            head=tuple(step.map(move) for step in self.head),
            attention=None if self.attention is None else self.attention.map(move),
        )

    def weights(self) -> dict[str, Tensor]:
        """Every weight by name, as it is saved."""
        named: dict[str, Tensor] = {}
        if self.embedding is not None:
            named["embedding"] = self.embedding
        for k, layer in enumerate(self.layers):
            for direction in layer.directions:
                prefix = f"layer{k}.{'backward' if direction.reverse else 'forward'}"
                named |= {f"{prefix}.{n}": w for n, w in direction.cell.parameters.items()}
                if direction.initial is not None:
                    named[f"{prefix}.initial"] = direction.initial
        for k, step in enumerate(self.head):
            named |= {f"head{k}.{name}": weight for name, weight in step.parameters.items()}
        for k, step in enumerate(() if self.attention is None else self.attention.steps):
            named |= {f"attention{k}.{name}": weight for name, weight in step.parameters.items()}
        if self.readout is not None:
            named |= {"readout.weight": self.readout.weight, "readout.bias": self.readout.bias}
        return named

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the architecture and every weight; equal models have equal fingerprints."""
        steps = "" if self.linear else repr(steps_of(self))
        cells = (direction.cell for layer in self.layers for direction in layer.directions)
        told = "".join(map(choices_of, cells))
        return fingerprint_of(f"{self.architecture}|{self.pooling}{steps}{told}", self.weights())

    def save(self, path: str | Path) -> Path:
        """Write the model to a directory (safetensors + JSON); see ``rnnscope.load``."""
        from rnnscope.models.saving import save_model

        return save_model(self, path)

    def describe(self) -> dict[str, Any]:
        """What a report says of the model, JSON-safe."""
        return {
            "architecture": self.architecture,
            "units": self.layers[-1].directions[0].cell.hidden_size,
            "input_width": self.input_size,
            "pooling": self.pooling,
            "classes": list(self.classes),
            "vocabulary": None if self.vocabulary is None else len(self.vocabulary),
            "parameters": sum(weight.numel() for weight in self.weights().values()),
            "dtype": str(self.dtype).removeprefix("torch."),
            "fingerprint": self.fingerprint,
            "certificate": None if self.certificate is None else self.certificate.to_dict(),
            "record": self.record,
        }

    def __repr__(self) -> str:
        rows = None if self.embedding is None else len(self.embedding)
        words = "raw vectors" if rows is None else f"{rows} words"
        known = "" if self.certificate is not None else ", not certified"
        return f"Model({self.architecture}, {words}, {self.pooling} state, {self.classes}{known})"

    @property
    def certified(self) -> str:
        """How far the equations are from the original, in words; or that nobody has looked."""
        if self.certificate is not None:
            return str(self.certificate)
        return (
            "not certified: no original was run beside these equations; hand it over when reading "
            "the file, predict=..., or read the module itself with from_torch"
        )
