"""Flip-flops learned, not built: a small trainer for the classical task (Sussillo & Barak 2013).

Each channel gets rare pulses, +1 or -1; each output is to hold the sign of its channel's
last pulse. The network answers at every step. Trained with Adam on the cell's own equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from rnnscope.cells import CELLS, Cell
from rnnscope.errors import UsageError
from rnnscope.models import Readout

GATES = {"vanilla": 1, "ugrnn": 2, "gru": 3, "gru_reset_first": 3, "lstm": 4}
PULSES = 0.1
"""Chance of a pulse in a channel at a step."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedFlipFlop:
    """A network that learned the flip-flop task. float64 on the CPU.

    Attributes:
        cell: its cell; reads (bits,) inputs.
        readout: its outputs are ``weight @ output(h) + bias``, one a bit.
        losses: mean squared error of each training step.
        error: mean squared error on fresh trials.
        accuracy: share of those outputs with the right sign.
    """

    cell: Cell
    readout: Readout
    losses: tuple[float, ...]
    error: float
    accuracy: float

    @property
    def bits(self) -> int:
        """Number of channels."""
        return len(self.readout.bias)

    @property
    def memories(self) -> Tensor:
        """What the outputs should be, every combination once, (2^bits, bits)."""
        return torch.tensor(list(product((-1.0, 1.0), repeat=self.bits)), dtype=torch.float64)

    def states(self, inputs: Tensor) -> Tensor:
        """The states that inputs (B, T, bits) lead through from zero, (B, T, state_size)."""
        with torch.no_grad():
            return _run(self.cell, inputs)

    def outputs(self, states: Tensor) -> Tensor:
        """What the network says in states (..., state_size), (..., bits)."""
        return self.cell.output(states) @ self.readout.weight.mT + self.readout.bias

    def held(self, steps: int = 1000) -> Tensor:
        """Where each of the ``memories`` leads: one pulse in every channel, then no input for so
        many steps, (2^bits, state_size)."""
        quiet = torch.zeros(2**self.bits, steps, self.bits, dtype=torch.float64)
        return self.states(torch.cat([self.memories[:, None], quiet], dim=1))[:, -1]

    def visited(self, count: int = 512, *, rng: int = 0) -> Tensor:
        """States of fresh trials, drawn at random, (count, state_size)."""
        generator = torch.Generator().manual_seed(rng)
        inputs, _ = flip_flop_trials(64, steps=64, bits=self.bits, generator=generator)
        states = self.states(inputs)[:, 16:].flatten(0, 1)
        return states[torch.randperm(len(states), generator=generator)[:count]]


def flip_flop_trials(
    count: int, *, steps: int, bits: int = 3, pulses: float = PULSES, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Pulses and what is to be remembered of them, each (count, steps, bits), float64.

    Every channel starts with a pulse.
    """
    shape = (count, steps, bits)
    fires = torch.rand(shape, generator=generator, dtype=torch.float64) < pulses
    fires[:, 0] = True
    signs = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    last = torch.where(fires, torch.arange(steps)[:, None], 0).cummax(1).values
    return (fires * signs).double(), signs.gather(1, last).double()


def train_flip_flop(
    kind: str = "gru",
    *,
    bits: int = 3,
    units: int = 16,
    iterations: int = 300,
    batch: int = 32,
    steps: int = 32,
    rate: float = 0.01,
    rng: int = 0,
) -> TrainedFlipFlop:
    """Train a network on the flip-flop task; the same seed gives the same network.

    Leaves the global random state and the number of threads alone.

    Args:
        kind: "vanilla", "ugrnn", "gru", "gru_reset_first" or "lstm".
        bits: channels.
        units: units of the cell.
        iterations: training steps, each on a fresh batch of trials.
        batch: trials a batch.
        steps: length of a trial.
        rate: learning rate of Adam; falls to 0 along a cosine.
        rng: seed of weights and trials.

    Raises:
        UsageError: an unknown kind, or a count below 1.

    Source:
        Sussillo & Barak 2013
    """
    if kind not in GATES:
        raise UsageError(
            "A flip-flop is trained for a known architecture.",
            expected=", ".join(GATES),
            got=repr(kind),
        )
    sizes = {"bits": bits, "units": units, "iterations": iterations, "batch": batch, "steps": steps}
    for name, value in sizes.items():
        if value < 1:
            raise UsageError(
                f"Training needs {name} of 1 or more.", expected="1 or more", got=str(value)
            )
    generator = torch.Generator().manual_seed(rng)
    cell, weight = _fresh(kind, bits=bits, units=units, generator=generator)
    bias = torch.zeros(bits, dtype=torch.float64)
    parameters = [*cell.parameters.values(), weight, bias]
    for parameter in parameters:
        parameter.requires_grad_()
    adam = torch.optim.Adam(parameters, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, iterations)
    losses: list[float] = []
    # A caller's no_grad would leave nothing to learn from.
    with torch.enable_grad():
        for _ in range(iterations):
            inputs, targets = flip_flop_trials(batch, steps=steps, bits=bits, generator=generator)
            states = _run(cell, inputs)
            loss = (cell.output(states) @ weight.mT + bias - targets).square().mean()
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            adam.step()
            schedule.step()
            losses.append(float(loss.detach()))
    trained = TrainedFlipFlop(
        cell=cell.map(Tensor.detach),
        readout=Readout(weight=weight.detach(), bias=bias.detach()),
        losses=tuple(losses),
        error=torch.nan,
        accuracy=torch.nan,
    )
    return _tested(trained, generator)


def _tested(trained: TrainedFlipFlop, generator: torch.Generator) -> TrainedFlipFlop:
    """The same, with its error on fresh trials, twice as long as those it learned from."""
    inputs, targets = flip_flop_trials(64, steps=64, bits=trained.bits, generator=generator)
    outputs = trained.outputs(trained.states(inputs))
    return TrainedFlipFlop(
        cell=trained.cell,
        readout=trained.readout,
        losses=trained.losses,
        error=float((outputs - targets).square().mean()),
        accuracy=float((outputs.sign() == targets).double().mean()),
    )


def _run(cell: Cell, inputs: Tensor) -> Tensor:
    """States along inputs (B, T, d) from zero, (B, T, state_size)."""
    h = cell.initial_state(len(inputs))
    states = []
    for drive in cell.drive(inputs).unbind(1):
        h = cell.update(cell.activate(drive, h), h)
        states.append(h)
    return torch.stack(states, dim=1)


def _fresh(kind: str, *, bits: int, units: int, generator: torch.Generator) -> tuple[Cell, Tensor]:
    """An untrained cell and readout: normal weights, scaled by what they sum over."""

    def normal(rows: int, columns: int) -> Tensor:
        draw = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
        return draw / columns**0.5

    rows = GATES[kind] * units
    weights = {
        "W": normal(rows, bits),
        "V": normal(rows, units),
        "b": torch.zeros(rows, dtype=torch.float64),
    }
    if kind == "gru":
        weights["a"] = torch.zeros(units, dtype=torch.float64)
    return CELLS[kind](**weights), normal(bits, units)
