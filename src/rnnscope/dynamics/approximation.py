"""How far the linear approximations of a network hold: for one step, and step after step.

e = ||h_true - h_lin|| / ||h_true||

with h_lin from the linearization at the nearest point (Maheswaranathan et al. 2019, about 10 % over
test documents, where rollouts of many steps diverge). Beside it what needs no linearization: the
state left as it is, and the network's own step without the word. An approximation that does no
better than those says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.piecewise_linear import PiecewiseLinear, gathered_points, thinned
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.visited import one_system, visited_steps
from rnnscope.errors import DataError, UsageError
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.progress import told


@dataclass(frozen=True, kw_only=True, eq=False)
class OneStepError(ShowsItself):
    """Errors e of S single steps on text, each from the state that the network was in.

    Attributes:
        error: of the linearization at the nearest point, (S,).
        no_change: of the state left as it is, (S,).
        no_input: of the network's own step with the input held fixed instead of the word, (S,).
        distance: from the state to that point, (S,).
        nearest: its row, (S,).
        points: how many points there were to choose from.
        by_kind: the error at the nearest root, manifold point or continuum point alone, where
            there are such points, each (S,).
    """

    error: Tensor
    no_change: Tensor
    no_input: Tensor
    distance: Tensor
    nearest: Tensor
    points: int
    by_kind: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.error)

    @property
    def columns(self) -> dict[str, Tensor]:
        """All errors by name."""
        return {
            "nearest point": self.error,
            **{f"nearest {kind} alone": error for kind, error in self.by_kind.items()},
            "no change": self.no_change,
            "no input": self.no_input,
        }

    @property
    def sentence(self) -> str:
        """The finding in words."""
        parts = [f"{float(error.mean()):.1%} ({name})" for name, error in self.columns.items()]
        return f"Mean error of one step over {len(self)} steps: {', '.join(parts)}."

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "steps": len(self),
            "points": self.points,
            "errors": {name: _figures(error) for name, error in self.columns.items()},
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return self.sentence


def one_step_error(
    model: Model,
    points: Any,
    documents: Iterable[Any],
    inputs: Any = None,
    *,
    count: int = 2000,
    rng: int = 0,
) -> OneStepError:
    """The error of the linearization at the nearest point, over steps drawn from documents.

    Args:
        model: with one recurrent system; not changed.
        points: what ``find_fixed_points`` gave, one kind of it, modes, or states (P, N); of more
            than 256 as many are used, evenly spaced.
        documents: the text.
        inputs: the input held fixed; None for the one the points were found under, or zero.
        count: steps drawn.
        rng: seed of the draw.

    Raises:
        NotApplicable: no points; two directions.
        DataError: no documents, or states of another width.

    Source:
        Maheswaranathan et al. 2019
    """
    model = one_system(model)
    cell = study_cell(model)
    states, held = gathered_points(model, points, inputs)
    steps = visited_steps(model, documents, count=count, rng=rng)
    linear = PiecewiseLinear.at(cell, thinned(states), held.common)
    kinds = {}
    if isinstance(points, FixedPoints):
        roots = points.roots.states[points.roots.inside]
        named = {"root": roots, "continuum": points.continua.states}
        named["manifold point"] = points.manifold.states
        kinds = {kind: some for kind, some in named.items() if len(some)}
    with torch.no_grad(), heavy():
        after = linear.step(steps.inputs, steps.before)
        silent = cell.step(held.common.expand(len(steps), -1), steps.before)
        by_kind = {
            kind: relative_error(
                steps.after,
                PiecewiseLinear.at(cell, thinned(some), held.common).step(
                    steps.inputs, steps.before
                ),
            )
            for kind, some in kinds.items()
        }
    nearest = linear.nearest(steps.before)
    return OneStepError(
        error=relative_error(steps.after, after),
        no_change=relative_error(steps.after, steps.before),
        no_input=relative_error(steps.after, silent),
        distance=norm(steps.before - linear.centers[nearest]),
        nearest=nearest,
        points=len(linear),
        by_kind=by_kind if len(by_kind) > 1 else {},
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class RolloutError(ShowsItself):
    """Errors e of S rollouts on text, by the number of steps since the true state.

    Attributes:
        switched: each step by the linearization nearest to where the rollout is, (S, steps).
        single: all steps by the linearization nearest to the start, (S, steps).
        no_change: of the state at the start, (S, steps).
        no_input: of the network run with the input held fixed instead of the words, (S, steps).
        points: how many points there were to choose from.
    """

    switched: Tensor
    single: Tensor
    no_change: Tensor
    no_input: Tensor
    points: int

    def __len__(self) -> int:
        return len(self.switched)

    @property
    def columns(self) -> dict[str, Tensor]:
        """All errors by name."""
        return {
            "switched": self.switched,
            "single": self.single,
            "no change": self.no_change,
            "no input": self.no_input,
        }

    @property
    def sentence(self) -> str:
        """The finding in words."""
        steps = self.switched.shape[-1]
        parts = [
            f"{float(error[:, -1].median()):.1%} ({name})" for name, error in self.columns.items()
        ]
        return f"Median error after {steps} steps of {len(self)} rollouts: {', '.join(parts)}."

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe: the median by the number of steps."""
        return {
            "rollouts": len(self),
            "points": self.points,
            "median": {
                name: [float(e) if torch.isfinite(e) else None for e in error.median(0).values]
                for name, error in self.columns.items()
            },
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return self.sentence


def rollout_error(
    model: Model,
    points: Any,
    documents: Iterable[Any],
    inputs: Any = None,
    *,
    steps: int = 50,
    count: int = 200,
    rng: int = 0,
) -> RolloutError:
    """The error of many steps in a row, from states drawn from documents.

    Args:
        model, points, documents, inputs: as for ``one_step_error``.
        steps: how many; documents with fewer words are left out.
        count: rollouts, one a document at most.
        rng: seed of the draw.

    Raises:
        NotApplicable, DataError: as for ``one_step_error``; no document is long enough.
        UsageError: ``steps`` or ``count`` below 1.
    """
    if steps < 1 or count < 1:
        raise UsageError(
            "A rollout has a step or more.",
            expected="steps >= 1 and count >= 1",
            got=f"steps={steps}, count={count}",
        )
    model = one_system(model)
    cell = study_cell(model)
    states, held = gathered_points(model, points, inputs)
    linear = PiecewiseLinear.at(cell, thinned(states), held.common)
    true, read = _stretches(model, documents, steps=steps, count=count, rng=rng)
    start = true[:, 0]
    nearest = linear.nearest(start)
    silence = held.common.expand(len(start), -1)
    switched, single, quiet = start, start, start
    errors: dict[str, list[Tensor]] = {"switched": [], "single": [], "no_change": []}
    errors["no_input"] = []
    with torch.no_grad(), heavy():
        for t in told(range(steps), "rolling out", unit="step"):
            x, now = read[:, t], true[:, t + 1]
            switched = linear.step(x, switched)
            single = linear.from_points(nearest, x, single)
            quiet = cell.step(silence, quiet)
            found = {"switched": switched, "single": single, "no_change": start, "no_input": quiet}
            for name, h in found.items():
                errors[name].append(relative_error(now, h))
    columns = {name: torch.stack(parts, dim=-1) for name, parts in errors.items()}
    return RolloutError(**columns, points=len(linear))


def relative_error(true: Tensor, given: Tensor) -> Tensor:
    """``||h_true - h|| / ||h_true||``, (...): 0 where they are equal, inf where h overflowed."""
    apart = torch.nan_to_num(norm(true - given), nan=torch.inf, posinf=torch.inf)
    return torch.where(apart == 0, 0.0, apart / norm(true))


def _stretches(
    model: Model, documents: Iterable[Any], *, steps: int, count: int, rng: int
) -> tuple[Tensor, Tensor]:
    """True states (S, steps + 1, N) and what was read between them (S, steps, d)."""
    encoded = [document for document in model.encode(documents) if len(document) > steps]
    if not encoded:
        raise DataError(
            "A rollout needs a document that is long enough.",
            expected=f"a document of more than {steps} words",
            got="none",
            fix="take fewer steps",
        )
    generator = torch.Generator().manual_seed(rng)
    chosen = torch.randperm(len(encoded), generator=generator)[:count].tolist()
    documents = [encoded[k] for k in chosen]
    starts = [int(torch.randint(len(d) - steps, (1,), generator=generator)) for d in documents]
    true, read = [], []
    for trajectory in model.trajectories(documents):
        visited = trajectory.states  # joined anew each time that it is asked for
        for row, k in enumerate(trajectory.indices.tolist()):
            rows = slice(starts[k], starts[k] + steps + 1)
            true.append(visited[row, rows])
            words = torch.as_tensor(documents[k][starts[k] + 1 : starts[k] + steps + 1])
            read.append(words if model.embedding is None else model.embedding[words])
    return torch.stack(true).detach(), torch.stack(read).detach().to(torch.float64)


def _figures(error: Tensor) -> dict[str, float]:
    low, median, high = torch.quantile(error, error.new_tensor([0.05, 0.5, 0.95])).tolist()
    return {"mean": float(error.mean()), "median": median, "low": low, "high": high}
