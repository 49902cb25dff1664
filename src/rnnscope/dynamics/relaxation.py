"""Relaxation: how a network comes to rest when the input stops.

v_t = ||h_{t+1} - h_t|| / ||h_t||,    h_{t+1} = F(h_t, x*),  h_0 a state visited on text

On a network that integrates, v falls to a small value within a few steps and stays there: the fast
directions die away, the slow ones hold the state where it is (Maheswaranathan et al. 2019).
Beside it: the same ratio while the network reads. And over training: dimension grows, speed falls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.fed_inputs import fed_inputs
from rnnscope.dynamics.inputs import HeldInput, hold_input, study_cell
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.seeds import gather_seeds
from rnnscope.dynamics.visited import one_system, visited_steps
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.numerics import single_thread
from rnnscope.progress import told

AT_REST = 0.01
"""A state that moves by less than this part of its length in a step is nearly at rest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Relaxation(ShowsItself):
    """How S states move once the input is held.

    Attributes:
        speed: v_t of each state in each step, (S, steps); inf where a state of length 0 moves.
        states: where they are after the last step, (S, N).
        reading: v of steps that the network takes while it reads, (R,); None without documents.
        held: the input held fixed.
    """

    speed: Tensor
    states: Tensor
    reading: Tensor | None
    held: HeldInput

    def __len__(self) -> int:
        return len(self.speed)

    @property
    def median(self) -> Tensor:
        """The median speed in each step, (steps,)."""
        return self.speed.median(0).values

    def at_rest(self, threshold: float = AT_REST) -> Tensor:
        """The share of states slower than ``threshold`` in each step, (steps,)."""
        return (self.speed < threshold).to(torch.float64).mean(0)

    def steps_to_rest(self, threshold: float = AT_REST) -> Tensor:
        """Steps after which each state stays slower than ``threshold``, (S,); -1 for never."""
        moving = ~(self.speed < threshold)
        after_last = self.speed.shape[-1] - moving.flip(-1).to(torch.int8).argmax(-1)
        steps = torch.where(moving.any(-1), after_last, 0)
        return torch.where(moving[:, -1], -1, steps)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        steps = self.speed.shape[-1]
        shown = sorted({1, min(10, steps), steps})
        course = ", ".join(f"{float(self.median[t - 1]):.2%} in step {t}" for t in shown)
        rest = self.steps_to_rest()
        text = (
            f"With the input held at {self.held.name!r} the median of {len(self)} states moves by "
            f"{course} of its length; {int((rest >= 0).sum())} come to rest (below {AT_REST:.0%})"
        )
        if (rest >= 0).any():
            text += f", half of those within {int(rest[rest >= 0].median())} steps"
        if self.reading is not None:
            text += f". While it reads, a step is {float(self.reading.median()):.2%} of its length"
        return text + "."

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "states": len(self),
            "input": self.held.name,
            "median_speed": [float(v) if torch.isfinite(v) else None for v in self.median],
            "share_at_rest": self.at_rest().tolist(),
            "median_speed_reading": None if self.reading is None else float(self.reading.median()),
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return self.sentence


def relax(
    model: Model | Cell,
    seeds: Any,
    inputs: Any = "zero",
    *,
    documents: Iterable[Any] | None = None,
    steps: int = 100,
    count: int = 256,
    rng: int = 0,
) -> Relaxation:
    """Stop the input and watch.

    Args:
        model: a model or a bare cell; not changed.
        seeds: documents (``count`` visited states are drawn), a trajectory, or states (S, N).
        inputs: the input held fixed: "zero", "mean", a word, or a vector.
        documents: text on which to measure the speed while reading, for comparison.
        steps: how many to take.
        count: states drawn from documents, and steps drawn from ``documents``.
        rng: seed of the draws.

    Raises:
        DataError: seeds of the wrong width, not finite, or none.
        UsageError: ``steps`` below 1; an unknown word; documents for a bare cell.
        ModelError: weights that are not finite.

    Source:
        Maheswaranathan et al. 2019
    """
    if steps < 1:
        raise UsageError("Relaxation takes a step or more.", expected="steps >= 1", got=str(steps))
    cell = study_cell(model)
    held = hold_input(model, cell, inputs, fed_inputs(model, seeds))
    h = gather_seeds(model, cell, seeds, count=count, rng=rng)
    reading = None
    if documents is not None:
        read = visited_steps(one_system(model), documents, count=count, rng=rng)
        reading = relative_speed(read.before, read.after)
    problem = Problem(cell=cell, x=held.vector)
    speeds: list[Tensor] = []
    with heavy():
        for _ in told(range(steps), "relaxing", unit="step"):
            after = problem.step(h)
            speeds.append(relative_speed(h, after))
            h = after
    return Relaxation(speed=torch.stack(speeds, dim=-1), states=h, reading=reading, held=held)


def relative_speed(before: Tensor, after: Tensor) -> Tensor:
    """``||h' - h|| / ||h||``, (...): 0 where nothing moves, inf where a state of length 0 does."""
    moved = norm(after - before)
    return torch.where(moved == 0, 0.0, moved / norm(before))


@dataclass(frozen=True, kw_only=True, eq=False)
class Development:
    """What training does to dimension and speed, one entry a checkpoint, in the order given.

    Attributes:
        names: of the checkpoints.
        participation: participation ratio (sum v)^2 / sum v^2 of the visited states, (C,).
        speed: median relative speed in the last step without input, (C,).
        first_speed: that in the first step, (C,).
    """

    names: tuple[str, ...]
    participation: Tensor
    speed: Tensor
    first_speed: Tensor

    def __len__(self) -> int:
        return len(self.names)

    def summary(self) -> list[dict[str, Any]]:
        """One row a checkpoint, JSON-safe."""
        table = zip(
            self.names,
            self.participation.tolist(),
            self.first_speed.tolist(),
            self.speed.tolist(),
            strict=True,
        )
        return [
            {"name": name, "participation": p, "first_speed": first, "speed": last}
            for name, p, first, last in table
        ]


def development(
    checkpoints: Mapping[str, Model] | Iterable[Model],
    documents: Iterable[Any],
    *,
    steps: int = 30,
    count: int = 512,
    rng: int = 0,
) -> Development:
    """Dimension of the visited states and speed without input, checkpoint by checkpoint.

    Args:
        checkpoints: the network at several times of its training, by name or in order.
        documents: the text that each reads, the same for all.
        steps: steps without input.
        count: states drawn.
        rng: seed of the draw, the same for all.

    Raises:
        DataError: no checkpoint.
    """
    if isinstance(checkpoints, Mapping):
        named: dict[str, Model] = {str(name): model for name, model in checkpoints.items()}
    else:
        named = {str(k): model for k, model in enumerate(checkpoints)}
    if not named:
        raise DataError("Development is seen over checkpoints.", expected="one or more", got="none")
    texts = list(documents)
    dimensions, firsts, lasts = [], [], []
    for model in told(list(named.values()), "checkpoints", unit="checkpoint"):
        states = gather_seeds(model, study_cell(model), texts, count=count, rng=rng)
        speed = relax(model, states, steps=steps).median
        dimensions.append(participation_ratio(states))
        firsts.append(float(speed[0]))
        lasts.append(float(speed[-1]))
    return Development(
        names=tuple(named),
        participation=torch.tensor(dimensions, dtype=torch.float64),
        speed=torch.tensor(lasts, dtype=torch.float64),
        first_speed=torch.tensor(firsts, dtype=torch.float64),
    )


def participation_ratio(states: Tensor) -> float:
    """``(sum v)^2 / sum v^2`` of the variances v along the principal axes; nan for one point."""
    with single_thread():
        v = torch.linalg.svdvals(states - states.mean(0)) ** 2
    return float(v.sum() ** 2 / (v**2).sum())
