"""The parity certificate: how far our equations are from the module they were read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnscope.errors import ModelError

if TYPE_CHECKING:
    from rnnscope.models.model import Model

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 1e-1}
"""Largest difference that a certificate accepts, times max(1, largest value)."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How far our equations are from the user's module, on the documents named.

    Args:
        states: largest absolute difference of any hidden output, at any position and layer top.
        logits: the same for the logits; None when the module's own forward could not be run.
        documents: how many documents were compared; ``words``: how many positions.
        tolerance: what was allowed, relative to max(1, largest value).
        output: what the module's forward returns: logits, log-probabilities or probabilities.
        data: which documents: "yours", or "random" when none were given.
        note: what could not be checked, and why; empty when all was.
    """

    states: float
    logits: float | None
    documents: int
    words: int
    tolerance: float
    output: str = "logits"
    data: str = "yours"
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Run a module in eval mode without gradients, and leave it exactly as it was."""
    modes = {part: part.training for part in module.modules()}
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    try:
        module.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        for part, training in modes.items():
            part.training = training
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                if name in buffers and not torch.equal(buffer, buffers[name]):
                    buffer.copy_(buffers[name])


def states_difference(
    model: Model, recurrent: nn.RNNBase, documents: Sequence[np.ndarray], tolerance: float
) -> float:
    """Run torch's own recurrent module beside our equations, one document at a time.

    Raises:
        ModelError: they differ by more than the tolerance; names the first step and unit.
    """
    worst = 0.0
    for row, document in enumerate(documents):
        inputs = _embedded(model, document)
        with undisturbed(recurrent):
            own = inputs.to(next(recurrent.parameters()).dtype)
            batched = own[None] if recurrent.batch_first else own[:, None]
            theirs = recurrent(batched)[0].reshape(len(document), -1).to(inputs.dtype)
        top = model.trajectory([document]).layers[-1]
        ours = torch.cat([run.outputs for run in top], dim=-1)[0]
        gap = (ours - theirs).abs()
        worst = max(worst, float(gap.max()))
        limit = tolerance * max(1.0, float(theirs.abs().max()))
        if not float(gap.max()) <= limit:
            step, unit = divmod(int((gap > limit).flatten().int().argmax()), gap.shape[1])
            raise ModelError(
                "Our equations must give the states of the module they were read from.",
                expected=f"a difference of at most {limit:.1e}",
                got=f"{float(gap.max()):.3e}; first at document {row}, step {step}, unit {unit} "
                "of the top layer",
                fix="report this with the module's class; pass tolerance= to accept the difference",
            )
    return worst


def module_outputs(
    module: nn.Module,
    documents: Sequence[np.ndarray],
    *,
    batch_first: bool,
    forward: Callable[[nn.Module, Tensor], Any] | None,
    dtype: torch.dtype,
    device: torch.device,
) -> list[Tensor]:
    """What the module's own forward gives for each document, one at a time, unpadded.

    Raises:
        Exception: whatever the module's forward raises; the caller says so in the certificate.
    """
    results = []
    for document in documents:
        ids = torch.as_tensor(document, device=device)
        ids = ids if ids.ndim == 1 else ids.to(dtype)
        batched = ids[None] if batch_first else ids[:, None]
        with undisturbed(module):
            raw = forward(module, batched) if forward else _call(module, batched, len(document))
        results.append(_first_tensor(raw).detach().clone())
    return results


def match_output(theirs: Tensor, ours: Tensor, *, one_logit: bool) -> tuple[str, float]:
    """Which function of our logits (classes,) the module returns, and the difference left."""
    theirs = theirs.to(ours.dtype).reshape(-1)
    if one_logit:
        logit = (ours[1] - ours[0]).reshape(1)
        forms = {"logits": logit, "probabilities": torch.sigmoid(logit)}
    else:
        forms = {
            "logits": ours,
            "log-probabilities": torch.log_softmax(ours, dim=-1),
            "probabilities": torch.softmax(ours, dim=-1),
        }
    gaps = {
        name: float((form - theirs).abs().max()) if form.shape == theirs.shape else float("inf")
        for name, form in forms.items()
    }
    best = min(gaps, key=lambda name: gaps[name])
    return best, gaps[best]


def _embedded(model: Model, document: np.ndarray) -> Tensor:
    if model.embedding is None:
        return torch.as_tensor(document, dtype=model.dtype, device=model.device)
    return model.embedding[torch.as_tensor(document, device=model.device)]


def _call(module: nn.Module, batched: Tensor, length: int) -> Any:
    required = [
        p
        for p in signature(module.forward).parameters.values()
        if p.default is Parameter.empty
        and p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) == 2 and "len" in required[1].name.lower():
        return module(batched, torch.tensor([length]))
    return module(batched)


def _first_tensor(value: Any) -> Tensor:
    while isinstance(value, tuple | list) and value:
        value = value[0]
    if isinstance(value, dict) and value:
        value = value.get("logits", next(iter(value.values())))
    if not isinstance(value, Tensor) or not value.numel():
        raise TypeError(f"its forward returned {type(value).__name__}, not a tensor of outputs")
    return value
