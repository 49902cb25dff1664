"""Both systems of a bidirectional network, each with its own seeds and its own result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rnnscope.dynamics.find import find_fixed_points
from rnnscope.dynamics.points import FixedPoints
from rnnscope.dynamics.systems import directions_of, study_system
from rnnscope.errors import UsageError
from rnnscope.models import Model


def find_fixed_points_by_direction(
    model: Model, seeds: Any, inputs: Any = "zero", *, layer: int = 0, **options: Any
) -> dict[str, FixedPoints]:
    """Find the fixed points of each direction that a network reads in.

    Args:
        model: a network; one that reads in one direction gives one result.
        seeds: what ``find_fixed_points`` takes: from documents or runs each direction gets the
            states that it visits itself, the backward one reading from the end. Or seeds for each,
            by direction.
        inputs: the input held fixed, the same for both directions; or one for each, by direction.
        layer: which layer. The lowest reads what the network reads; an upper one is held at a
            vector, "zero", "mean" or ``Rest(...)``, see ``study_system``.
        options: as for ``find_fixed_points``.

    Returns:
        The result of each direction: "forward", "backward".

    Raises:
        UsageError: not a model, no such layer, or seeds or inputs for other directions.
        DataError, ModelError, NotApplicable: as ``find_fixed_points``.
    """
    if not isinstance(model, Model):
        raise UsageError(
            "Only a model reads in a direction.",
            expected="a rnnscope Model",
            got=type(model).__name__,
            fix="give a cell to find_fixed_points",
        )
    directions = directions_of(model)
    seeds = list(seeds) if isinstance(seeds, Iterator) else seeds
    results: dict[str, FixedPoints] = {}
    for direction in directions:
        system: Any = study_system(model, layer=layer, direction=direction)
        results[direction] = find_fixed_points(
            system,
            _own(seeds, direction, directions, "Seeds"),
            _own(inputs, direction, directions, "Inputs"),
            **options,
        )
    return results


def _own(given: Any, direction: str, directions: list[str], what: str) -> Any:
    """What belongs to one direction: the same for all, or by direction."""
    if not isinstance(given, Mapping):
        return given
    if set(given) != set(directions):
        raise UsageError(
            f"{what} by direction are given for each direction.",
            expected=" and ".join(map(repr, directions)),
            got=", ".join(map(repr, given)) or "none",
        )
    return given[direction]
