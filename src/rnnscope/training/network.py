"""The trainable network: embedding -> one recurrent layer -> last state -> linear readout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.cells import GRU, LSTM, UGRNN, Cell, ResetFirstGRU, Vanilla
from rnnscope.data import Vocabulary
from rnnscope.models import Direction, Layer, Model, Readout, from_torch
from rnnscope.training.options import TrainingOptions

TORCH: dict[str, type[nn.RNN | nn.GRU | nn.LSTM]] = {
    Vanilla.kind: nn.RNN,
    GRU.kind: nn.GRU,
    LSTM.kind: nn.LSTM,
}
OURS: dict[str, type[UGRNN | ResetFirstGRU]] = {
    UGRNN.kind: UGRNN,
    ResetFirstGRU.kind: ResetFirstGRU,
}
KEEPING_GATE = {"ugrnn": 0, "gru": 1, "gru_reset_first": 1, "lstm": 1}
"""Which of the stacked gates keeps the memory."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What is dropped in training, by a generator of its own.

    Args:
        words: share of the words read as the unknown word.
        entries: share of the entries of a vector set to zero.
        unknown: row of the unknown word.
        generator: on the network's device.
    """

    words: float
    entries: float
    unknown: int
    generator: torch.Generator

    def on_words(self, ids: Tensor) -> Tensor:
        """Word indices of any shape, some of them unknown."""
        drawn = torch.rand(ids.shape, generator=self.generator, device=ids.device)
        return ids.masked_fill(drawn < self.words, self.unknown)

    def on_entries(self, vectors: Tensor) -> Tensor:
        """Vectors with the same mean, some of their entries zero."""
        kept = torch.empty_like(vectors).bernoulli_(1 - self.entries, generator=self.generator)
        return vectors * kept.div_(1 - self.entries)


class CellLayer(nn.Module):
    """One of our own cells as a layer, for architectures that torch does not have."""

    def __init__(self, kind: str, width: int, units: int) -> None:
        super().__init__()
        self.equations = OURS[kind]
        rows = len(self.equations.gate_names) * units
        bound = units**-0.5
        self.W = nn.Parameter(torch.empty(rows, width).uniform_(-bound, bound))
        self.V = nn.Parameter(torch.empty(rows, units).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.zeros(rows))

    def cell(self) -> Cell:
        """The equations on the present weights."""
        return self.equations(W=self.W, V=self.V, b=self.b)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Time-major: (T, B, width) -> outputs (T, B, units) and the last state."""
        cell = self.cell()
        state = cell.initial_state(x.shape[1])
        outputs = []
        for drive in cell.drive(x).unbind(0):
            state = cell.update(cell.activate(drive, state), state)
            outputs.append(state)
        return torch.stack(outputs), state


class Network(nn.Module):
    """What the reference trainer trains. Two classes share one logit."""

    def __init__(self, options: TrainingOptions, words: int, classes: int) -> None:
        super().__init__()
        kind, width, units = options.architecture, options.embedding, options.units
        self.embedding = nn.Embedding(words, width)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.recurrent: nn.RNNBase | CellLayer = (
            TORCH[kind](width, units) if kind in TORCH else CellLayer(kind, width, units)
        )
        self._open_the_memory(kind, units)
        self.readout = nn.Linear(units, 1 if classes == 2 else classes)

    def forward(self, ids: Tensor, lengths: Tensor, noise: Noise | None = None) -> Tensor:
        """Time-major padded word indices (T, B), lengths (B,) -> logits (B, 1 or classes)."""
        inputs = self.embedding(noise.on_words(ids) if noise else ids)
        states, _ = self.recurrent(noise.on_entries(inputs) if noise else inputs)
        last = states[lengths - 1, torch.arange(len(lengths), device=ids.device)]
        return self.readout(noise.on_entries(last) if noise else last)

    @torch.no_grad()
    def centre(self, counts: Tensor) -> None:
        """Move the mean word vector into the bias, which changes no logit.

        An input held at zero is then the average word, so that the dynamics there are those that
        the text drives the network through.

        Args:
            counts: how often each word stands in the training text, (words,).
        """
        table = self.embedding.weight
        weight, bias = self._input_map()
        mean = counts.to(table.dtype) @ table / counts.sum()
        bias += weight @ mean
        table -= mean

    def export(
        self, vocabulary: Vocabulary, classes: tuple[str, ...], documents: list[np.ndarray]
    ) -> Model:
        """The model under study; torch's own kernels are certified on ``documents``."""
        if not isinstance(self.recurrent, CellLayer):
            return from_torch(
                self,
                vocabulary=vocabulary,
                pooling="last",
                classes=classes,
                documents=documents,
                forward=lambda module, ids: module(ids, torch.tensor([len(ids)])),
            )
        cell = self.recurrent.cell().map(lambda weight: weight.detach().clone())
        return Model(
            layers=(Layer(directions=(Direction(cell=cell),)),),
            embedding=self.embedding.weight.detach().clone(),
            vocabulary=vocabulary,
            readout=Readout.of(
                self.readout.weight.detach().clone(), self.readout.bias.detach().clone()
            ),
            classes=classes,
        )

    def _input_map(self) -> tuple[Tensor, Tensor]:
        """The weights on the word vectors and the bias beside them, gates stacked."""
        if isinstance(self.recurrent, CellLayer):
            return self.recurrent.W, self.recurrent.b
        parameter = self.recurrent.get_parameter
        return parameter("weight_ih_l0"), parameter("bias_ih_l0")

    @torch.no_grad()
    def _open_the_memory(self, kind: str, units: int) -> None:
        """Start with a memory that lasts.

        Gates that keep what is held (forget bias +1: Jozefowicz et al. 2015), and where there is
        no such gate a recurrence that preserves norms (Le et al. 2015, Arjovsky et al. 2016).
        """
        if kind in KEEPING_GATE:
            start = KEEPING_GATE[kind] * units
            self._input_map()[1][start : start + units] += 1
        else:
            nn.init.orthogonal_(self.recurrent.get_parameter("weight_hh_l0"))
