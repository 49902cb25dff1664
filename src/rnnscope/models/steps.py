"""The steps of a model that make its logits more than a linear function of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnscope.cells import Steps, Transformed
from rnnscope.models.trajectory import POOLINGS

if TYPE_CHECKING:
    from rnnscope.models.model import Model


def steps_of(model: Model) -> dict[str, list[Any]]:
    """Every pointwise step's kind and options, by where it stands; empty where there is none."""
    places: dict[str, Steps] = {"head": model.head} if model.head else {}
    if model.attention is not None:
        places[f"attention, scale {model.attention.scale}"] = model.attention.steps
    for k, layer in enumerate(model.layers):
        for direction in layer.directions:
            if isinstance(direction.cell, Transformed):
                places[f"layer {k}{' backward' * direction.reverse}"] = direction.cell.steps
    return {
        place: [(step.kind, sorted(step.options.items())) for step in steps]
        for place, steps in places.items()
    }


def between(model: Model) -> str:
    """In words, what stands between the states and the logits."""
    parts = [] if model.pooling in POOLINGS else [f"pooling {model.pooling!r}"]
    parts += [f"{place}: {len(steps)} steps" for place, steps in steps_of(model).items()]
    return "; ".join(parts)
