"""A model held against the module it was read from: every state, every logit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.errors import ModelError
from rnnscope.models.certificate import Certificate
from rnnscope.models.chain import FORMS, Chain
from rnnscope.models.layers import Layer
from rnnscope.models.locate import first_difference
from rnnscope.models.model import Model
from rnnscope.models.paths import same
from rnnscope.models.trace import Trace
from rnnscope.models.trajectory import Trajectory
from rnnscope.progress import told

Runner = Callable[[nn.Module, np.ndarray, torch.dtype], Trace]
"""How a module is run on one document in a dtype."""

BOTH = 32
"""Documents on which both precisions are compared."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The largest differences on some documents; ``logits`` None where there are none."""

    states: float | None
    logits: float | None


def certified(
    model: Model,
    chain: Chain,
    module: nn.Module,
    documents: Sequence[np.ndarray],
    certificate: Certificate,
    run: Runner,
) -> Model:
    """The model with its certificate.

    Raises:
        ModelError: a difference above the tolerance; names the first document, layer, step and
            gate. An initial state that depends on the document.
    """
    own = _dtype_of(module)
    gap = _gap(model, chain, module, documents, own, run, certificate.tolerance)
    return replace(
        model,
        certificate=replace(
            certificate,
            states=gap.states,
            logits=gap.logits,
            output=f"{chain.output}{' at every position' * chain.every_position}",
        ),
    )


def in_both_precisions(
    model: Model, chain: Chain, module: nn.Module, documents: Sequence[np.ndarray], run: Runner
) -> dict[str, dict[str, float | None]]:
    """The differences of a copy of the module and of the model, both in float32 and in float64.

    A module that cannot be copied, or does not run in another dtype, has its own alone.
    """
    found: dict[str, dict[str, float | None]] = {}
    for dtype in (torch.float32, torch.float64):
        try:
            with torch.random.fork_rng(devices=[]):
                other = copy.deepcopy(module).to(dtype)
            gap = _gap(model.to(dtype), chain, other, documents[:BOTH], dtype, run, None)
        except Exception:
            continue
        name = str(dtype).removeprefix("torch.")
        found[name] = {"states": gap.states, "logits": gap.logits}
    return found


def _gap(
    model: Model,
    chain: Chain,
    module: nn.Module,
    documents: Sequence[np.ndarray],
    dtype: torch.dtype,
    run: Runner,
    tolerance: float | None,
) -> Gap:
    states = 0.0 if chain.parts else None
    logits = None if model.readout is None else 0.0
    for row, document in enumerate(told(documents, "certifying")):
        trace = run(module, document, dtype)
        trajectory = model.trajectory([document])
        for place, (name, top) in enumerate(chain.parts):
            piece = next(piece for piece in trace.recurrent if piece.name == name)
            if chain.starts:
                _same_starts(chain.starts[place], piece.starts, name, row)
            theirs = piece.y.flip(0) if chain.backwards else piece.y
            gap, scale = _states_gap(trajectory, top, theirs)
            states = max(states or 0.0, gap)
            if tolerance is not None and not gap <= tolerance * scale:
                below = [k for _, k in chain.parts if k < top]
                own = model.layers[max(below, default=-1) + 1 : top + 1]
                x = theirs if piece.x is None else piece.x
                raise ModelError(
                    "Our equations must give the states of the module they were read from.",
                    expected=f"a difference of at most {tolerance * scale:.1e}",
                    got=f"{gap:.3e} at document {row} in {name!r}"
                    + _first(piece.part, own, x, tolerance * scale),
                    fix="rounding may add up over long documents: read module.double(), or pass "
                    "tolerance=",
                )
        if model.readout is None or logits is None:
            continue
        gap, scale = _logits_gap(model, chain, trajectory, trace.output)
        logits = max(logits, gap)
        if tolerance is not None and not gap <= tolerance * scale:
            raise ModelError(
                "Our equations must give the logits of the module they were read from.",
                expected=f"a difference of at most {tolerance * scale:.1e}",
                got=f"{gap:.3e} at document {row}, though the states agree"
                + ("" if states is None else f" to {states:.1e}"),
                fix="the difference lies between the states and the logits",
            )
    return Gap(states=states, logits=logits)


def _first(part: nn.Module | None, own: Sequence[Layer], x: Tensor, limit: float) -> str:
    return "" if part is None else "; first in " + first_difference(part, own, x, limit)


def _states_gap(trajectory: Trajectory, top: int, theirs: Tensor) -> tuple[float, float]:
    runs = trajectory.layers[top]
    cells = [one.direction.cell for one in runs]
    inner = [getattr(cell, "inner", cell) for cell in cells]
    parts = [cell.output(one.states) for cell, one in zip(inner, runs, strict=True)]
    ours = torch.cat(parts, dim=-1)[0]
    gap = float((ours - theirs.to(ours.dtype)).abs().max())
    return gap, max(1.0, float(theirs.abs().max()))


def _logits_gap(
    model: Model, chain: Chain, trajectory: Trajectory, output: Tensor
) -> tuple[float, float]:
    from rnnscope.cells import through

    readout = model.require_some_readout()
    pooled = trajectory.pooled
    if chain.every_position:
        outputs = torch.cat([one.outputs for one in trajectory.layers[-1]], dim=-1)[0]
        pooled = through(model.head, outputs)
    ours = pooled @ readout.weight.mT + readout.bias
    if readout.one_logit:
        ours = (ours[:, 1] - ours[:, 0]).unsqueeze(-1)
    forms = [form for name, form in FORMS if name == chain.output]
    theirs = output.to(ours.dtype).reshape(ours.shape)
    gaps = [float((form(ours) - theirs).abs().max()) for form in forms]
    return min(gaps), max(1.0, float(theirs.abs().max()))


def _same_starts(known: Sequence[Tensor], own: list[Tensor], name: str, row: int) -> None:
    equal = len(known) == len(own) and all(
        same(a.to(b.dtype), b) for a, b in zip(known, own, strict=True)
    )
    if not equal:
        raise ModelError(
            "A network's initial state must be the same for every document.",
            expected="no state, or one learned state",
            got=f"{name!r} starts document {row} from another one",
            fix="an initial state computed from the document is not one we have equations for",
        )


def _dtype_of(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
