"""What the figures of one network's attractor are drawn from, projected and sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rnnscope.errors import DataError, NotApplicable
from rnnscope.numerics import single_thread
from rnnscope.report.drawing import array

DRAWS = 2000
"""Directions drawn for each null."""


class HasStates(Protocol):
    """Points of one kind."""

    @property
    def states(self) -> Any: ...


class PointsLike(Protocol):
    """What ``find_fixed_points`` gives, as far as it is drawn."""

    @property
    def seeds(self) -> Any: ...
    @property
    def readout(self) -> Any: ...
    @property
    def roots(self) -> HasStates: ...
    @property
    def ghosts(self) -> HasStates: ...


class ModesLike(Protocol):
    """What ``linearize`` gives, as far as it is drawn."""

    @property
    def states(self) -> Any: ...
    @property
    def eigenvalues(self) -> Any: ...
    @property
    def right(self) -> Any: ...
    @property
    def left(self) -> Any: ...
    @property
    def J_inp(self) -> Any: ...
    @property
    def held(self) -> Any: ...
    @property
    def cell(self) -> Any: ...
    @property
    def simple_points(self) -> Any: ...


class LineLike(Protocol):
    """What ``fit_manifold`` gives, as far as it is drawn."""

    @property
    def states(self) -> Any: ...
    @property
    def center(self) -> Any: ...
    @property
    def axis(self) -> Any: ...
    @property
    def variance(self) -> Any: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class AttractorMaterial:
    """What is known of one network. Arrays or tensors; N is the width of the state.

    Attributes:
        points: the fixed points.
        modes: their linearization.
        line: the manifold they form.
        states: visited states, (n, N); the seeds of the search when None.
        labels: the classes of their documents, (n,); None where not known.
        classes: names of the classes.
        readouts: the readout's weights in the state's coordinates, one row a class, (K, N), for
            three classes or more; for two the contrast in ``points.readout`` is drawn.
        paths: example trajectories, (T, N) each.
        offset: the readout's contrast at the zero state, its bias; None where not known.
        untrained: states that an untrained network of this kind visits on the same data, (m, N).
        words: for each class of words ("negative", "neutral", "positive") their inputs, (V, d).
        errors: for each approximation its relative one-step errors; see ``linear_error``.
        relaxation: speeds without input, (S, T); see ``relaxation``.
        rng: seed of the directions drawn for the nulls.

    Raises:
        DataError: an array that does not fit the state's width, or labels for other states.
    """

    points: PointsLike
    modes: ModesLike
    line: LineLike
    states: Any = None
    labels: Any = None
    classes: Sequence[str] = ("negative", "positive")
    readouts: Any = None
    paths: Sequence[Any] = ()
    offset: float | None = None
    untrained: Any = None
    words: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, Any] = field(default_factory=dict)
    relaxation: Any = None
    rng: int = 0

    def __post_init__(self) -> None:
        width = array(self.points.seeds).shape[-1]
        given = {name: getattr(self, name) for name in ("states", "untrained", "readouts")}
        given |= {f"paths[{k}]": path for k, path in enumerate(self.paths)}
        for name, states in given.items():
            if states is None or (array(states).ndim == 2 and array(states).shape[-1] == width):
                continue
            raise DataError(
                f"The figures need {name} in the network's own state space.",
                expected=f"(n, {width})",
                got=str(array(states).shape),
                fix="a state of an LSTM is h and c joined",
            )
        if self.readouts is not None and len(array(self.readouts)) != len(self.classes):
            raise DataError(
                "The readout has one row a class.",
                expected=f"{len(self.classes)} rows for {', '.join(self.classes)}",
                got=str(len(array(self.readouts))),
            )
        if self.labels is not None and len(array(self.labels)) != len(self.visited):
            raise DataError(
                "Each visited state that is drawn has one label.",
                expected=f"{len(self.visited)} labels, one for each of the states",
                got=str(len(array(self.labels))),
            )
        for name, inputs in self.words.items():
            found, wanted = array(inputs), len(array(self.modes.held.vector))
            if found.ndim != 2 or not len(found) or found.shape[-1] != wanted:
                raise DataError(
                    f"The inputs of the {name} words must fit the cell.",
                    expected=f"(words, {wanted}) with one word or more",
                    got=str(found.shape),
                )

    @property
    def visited(self) -> np.ndarray:
        """The visited states that are drawn, (n, N)."""
        return array(self.points.seeds if self.states is None else self.states)

    @cached_property
    def plane(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Center (N,), first two principal axes (2, N) and shares of the visited states; the first
        axis points where the readout does."""
        center, axes, shares = principal(self.visited)
        axes = np.concatenate([axes, np.zeros_like(axes)])[:2] if len(axes) < 2 else axes[:2]
        along = self.line.axis if self.points.readout is None else self.points.readout
        return center, axes * [[-1.0 if axes[0] @ array(along) < 0 else 1.0], [1.0]], shares

    def project(self, states: Any) -> np.ndarray:
        """States (n, N) in the plane, (n, 2)."""
        center, axes, _ = self.plane
        return (array(states) - center) @ axes.T

    def turn(self, directions: Any) -> np.ndarray:
        """Directions (..., N) in the plane, (..., 2)."""
        return array(directions) @ self.plane[1].T

    @cached_property
    def theta(self) -> np.ndarray:
        """Position of each linearized point along the manifold, -1 to 1, (P,)."""
        ends, own = (
            (array(states) - array(self.line.center)) @ array(self.line.axis)
            for states in (self.line.states, self.modes.states)
        )
        return np.clip(2 * (own - ends.min()) / np.ptp(ends) - 1, -1, 1)

    @cached_property
    def chosen(self) -> list[int]:
        """Rows of the linearized points near the two ends and in the middle; distinct ones."""
        order = np.argsort(self.theta, kind="stable")
        places = np.abs(self.theta[order][:, None] - [-0.8, 0.0, 0.8]).argmin(0)
        return [int(order[place]) for place in np.unique(places)]

    @cached_property
    def spectra(self) -> np.ndarray:
        """Every eigenvalue at the chosen points, by falling modulus, (len(chosen), N)."""
        values, states = array(self.modes.eigenvalues), array(self.modes.states)
        if values.shape[-1] == states.shape[-1]:
            return values[self.chosen]
        cell, x = self.modes.cell, self.modes.held.vector
        found = []
        for row in self.chosen:
            J = array(cell.J_rec(x[None], self.modes.states[row][None]))[0]
            with single_thread():
                every = np.linalg.eigvals(J)
            found.append(every[np.argsort(-np.abs(every), kind="stable")])
        return np.stack(found)

    @cached_property
    def simple(self) -> np.ndarray:
        """Rows of the points whose slowest mode is real and well defined."""
        rows = array(self.modes.simple_points).astype(int)
        if not len(rows):
            raise NotApplicable(
                "The slowest mode is a complex pair or repeated at every point, "
                "so there is no single direction r₁."
            )
        return rows

    @cached_property
    def first_right(self) -> np.ndarray:
        """r_1 at the simple points, along the readout or else along the axis, (S, N)."""
        return self._signs[:, None] * np.real(array(self.modes.right)[self.simple, :, 0])

    @cached_property
    def first_left(self) -> np.ndarray:
        """l_1 at the simple points, with the sign of r_1, (S, N)."""
        return self._signs[:, None] * np.real(array(self.modes.left)[self.simple, 0])

    @cached_property
    def _signs(self) -> np.ndarray:
        right = np.real(array(self.modes.right)[self.simple, :, 0])
        if self.points.readout is not None:
            return np.ones(len(right))  # as linearize has chosen it
        return np.where(right @ array(self.line.axis) < 0, -1.0, 1.0)

    def pushes(self) -> dict[str, np.ndarray]:
        """Mean of ``l_1^T J_inp (x - x*)`` over each class of words at each simple point, (S,)."""
        J = array(self.modes.J_inp)[self.simple]
        rows = (self.first_left[:, None] @ J)[:, 0]
        held = array(self.modes.held.vector)
        return {name: rows @ (array(x).mean(0) - held) for name, x in self.words.items()}

    def effects(self, row: int) -> dict[str, np.ndarray]:
        """``J_inp (x - x*)`` of each class of words at one point, in the plane, (V, 2)."""
        J, held = array(self.modes.J_inp)[row], array(self.modes.held.vector)
        return {name: self.turn((array(x) - held) @ J.T) for name, x in self.words.items()}

    def alignments(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """``|r_1^T m|`` at each simple point, and the same for two kinds of random directions."""
        axis = array(self.line.axis)
        random = np.random.default_rng(self.rng)
        seeds = array(self.points.seeds)
        like_states = random.normal(size=(DRAWS, len(seeds))) @ (seeds - seeds.mean(0))
        nulls = {
            "drawn like the visited states": like_states,
            "drawn at random": random.normal(size=(DRAWS, len(axis))),
        }
        return np.abs(self.first_right @ axis), {
            name: np.abs(drawn @ axis) / np.maximum(np.linalg.norm(drawn, axis=-1), 1e-300)
            for name, drawn in nulls.items()
        }


def time_constants(eigenvalues: Any) -> tuple[np.ndarray, np.ndarray]:
    """``|1 / ln |lambda||`` in steps, and whether it is a time of growth."""
    size = np.abs(array(eigenvalues))
    with np.errstate(divide="ignore"):
        return np.abs(1 / np.log(size)), size > 1


def principal(states: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Center, principal axes as rows and shares of the variance of states (n, N)."""
    states = array(states).astype(float)
    center = states.mean(0)
    with single_thread():
        _, sigma, axes = np.linalg.svd(states - center, full_matrices=False)
    return center, axes, sigma**2 / max(float((sigma**2).sum()), 1e-300)
