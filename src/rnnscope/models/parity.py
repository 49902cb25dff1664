"""Parity: a module and our equations run side by side, and the largest difference between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnscope.errors import ModelError
from rnnscope.models.certificate import Certificate
from rnnscope.models.locate import first_difference
from rnnscope.models.model import Model
from rnnscope.models.trajectory import POOLINGS
from rnnscope.models.undisturbed import undisturbed
from rnnscope.progress import told

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 1e-1}
"""Largest difference that a certificate accepts, times max(1, largest value)."""


def states_difference(
    model: Model, recurrent: nn.RNNBase, documents: Sequence[np.ndarray], tolerance: float
) -> float:
    """Run torch's own recurrent module beside our equations, one document at a time.

    Raises:
        ModelError: they differ by more than the tolerance; names the first layer, step and gate.
    """
    worst = 0.0
    for row, document in enumerate(told(documents, "certifying states")):
        inputs = embedded(model, document)
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
            raise ModelError(
                "Our equations must give the states of the module they were read from.",
                expected=f"a difference of at most {limit:.1e}",
                got=f"{float(gap.max()):.3e} at document {row}; first in "
                + first_difference(recurrent, model.layers, own, limit),
                fix="rounding may add up over long documents: read module.double(), or pass "
                "tolerance=",
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
    for document in told(documents, "certifying logits"):
        ids = torch.as_tensor(document, device=device)
        ids = ids if ids.ndim == 1 else ids.to(dtype)
        batched = ids[None] if batch_first else ids[:, None]
        with undisturbed(module):
            raw = (
                forward(module, batched) if forward else call_module(module, batched, len(document))
            )
        results.append(first_tensor(raw).detach().clone())
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
            "probabilities of each class alone": torch.sigmoid(ours),
        }
    gaps = {
        name: float((form - theirs).abs().max()) if form.shape == theirs.shape else float("inf")
        for name, form in forms.items()
    }
    best = min(gaps, key=lambda name: gaps[name])
    return best, gaps[best]


def certify_logits(
    model: Model,
    module: nn.Module,
    stack: nn.RNNBase,
    encoded: list[np.ndarray],
    certificate: Certificate,
    pooling: str | None,
    forward: Callable[[nn.Module, Tensor], Any] | None,
) -> Model:
    """Hold the module's own outputs against ours, for the pooling given or for each there is.

    A batch of one is given as (1, T) or (T, 1), whichever fits: a module may turn its input
    whatever its recurrent part's ``batch_first`` says.
    """
    fits: list[_Fit] = []
    failures: list[Exception] = []
    natural = stack.batch_first
    for batch_first in (natural,) if forward else (natural, not natural):
        try:
            theirs = module_outputs(
                module,
                encoded,
                batch_first=batch_first,
                forward=forward,
                dtype=next(stack.parameters()).dtype,
                device=model.device,
            )
        except Exception as error:
            if forward is not None:
                raise ModelError(
                    "The forward given must run the module on a batch of one and return a tensor.",
                    expected="forward(module, batch) -> logits",
                    got=f"{type(error).__name__}: {error}",
                ) from error
            failures.append(error)
            continue
        fits += [_fit(replace(model, pooling=p), encoded, theirs) for p in POOLINGS]
    if not fits:
        error = failures[0]
        if pooling is None:
            raise ModelError(
                "Where the module's own forward cannot be run, the pooling must be given.",
                expected="pooling='last', 'mean' or 'max', or forward= to say how to run it",
                got=f"{type(error).__name__}: {error}",
                fix="e.g. forward=lambda module, ids: module(ids, mask)",
            ) from error
        note = f"the module's own forward could not be run ({type(error).__name__}: {error})"
        return replace(model, certificate=replace(certificate, note=note))
    best = min((f for f in fits if pooling in (None, f.pooling)), key=lambda f: f.excess)
    close = max(3 * best.excess, 16 * torch.finfo(model.dtype).eps)
    alike = {f.pooling for f in fits if f.excess <= min(close, certificate.tolerance)}
    if pooling is None and len(alike) > 1:
        raise ModelError(
            "The documents must tell one pooling from another.",
            expected="documents of several words",
            got=f"documents on which {' and '.join(sorted(alike))} agree",
            fix="pass pooling=, or longer documents=",
        )
    if not best.excess <= certificate.tolerance:
        fitting = [f.pooling for f in fits if f.excess <= certificate.tolerance]
        shape = f"; its output has shape {best.shape}" if best.gap == float("inf") else ""
        raise ModelError(
            "Our equations must give the logits of the module they were read from.",
            expected=f"a difference of at most {certificate.tolerance:.1e} x max(1, largest logit)",
            got=f"{best.gap:.3e} at document {best.row} with pooling {best.pooling!r}, though the "
            f"recurrent part alone agrees to {certificate.states:.1e}{shape}",
            fix=f"pass pooling={fitting[0]!r}, which agrees"
            if fitting
            else _where(module, stack, model, encoded[best.row], forward),
        )
    certificate = replace(certificate, logits=best.gap, output=best.output)
    return replace(model, pooling=best.pooling, certificate=certificate)


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """How close one pooling comes to the module's outputs, at the document where it is worst."""

    pooling: str
    gap: float
    excess: float
    output: str
    row: int
    shape: tuple[int, ...]


def _fit(model: Model, encoded: list[np.ndarray], theirs: list[Tensor]) -> _Fit:
    one = model.require_readout().one_logit
    ours = model.logits(encoded)
    pairs = [match_output(a, b, one_logit=one) for a, b in zip(theirs, ours, strict=True)]
    row = int(np.argmax([gap for _, gap in pairs]))
    output, gap = pairs[row]
    scale = max(1.0, *(float(out.abs().max()) for out in theirs))
    return _Fit(
        pooling=model.pooling,
        gap=gap,
        excess=gap / scale,
        output=output,
        row=row,
        shape=tuple(theirs[row].shape),
    )


def _where(
    module: nn.Module,
    stack: nn.RNNBase,
    model: Model,
    document: np.ndarray,
    forward: Callable[[nn.Module, Tensor], Any] | None,
) -> str:
    """Where a module's own forward leaves our equations: before, in or after the recurrence."""
    fed: list[tuple[Any, ...]] = []
    watch = stack.register_forward_pre_hook(lambda _, inputs: fed.append(inputs))
    try:
        for batch_first in (stack.batch_first, not stack.batch_first):
            try:
                module_outputs(
                    module,
                    [document],
                    batch_first=batch_first,
                    forward=forward,
                    dtype=next(stack.parameters()).dtype,
                    device=model.device,
                )
            except Exception:
                continue
    finally:
        watch.remove()
    ours = embedded(model, document)
    gaps = []
    for inputs in fed:
        given = inputs[0].data if isinstance(inputs[0], PackedSequence) else inputs[0]
        given = given.reshape(-1, given.shape[-1])
        if given.shape == ours.shape:
            gaps.append((given - ours.to(given.dtype)).abs().amax(dim=-1))
    if fed and not any(float(gap.max()) <= 1e-4 for gap in gaps):
        first = "" if not gaps else f" from step {int((gaps[0] > 1e-4).int().argmax())} on"
        return (
            "the difference lies before the recurrence: its forward feeds the recurrent part other "
            f"inputs than the embedding's rows{first}; {_between(module, model)}"
        )
    starts = [inputs[1] for inputs in fed if len(inputs) > 1 and inputs[1] is not None]
    flat = [part for start in starts for part in (start if isinstance(start, tuple) else (start,))]
    if any(bool(part.abs().max() > 0) for part in flat):
        return (
            "the difference lies in the recurrence: its forward starts from an initial state that "
            "is not zero, which is not read from a module yet"
        )
    return f"the difference lies between the states and the logits: {_between(module, model)}"


def _between(module: nn.Module, model: Model) -> str:
    """A guess at what a module does that our readout does not."""
    known = (nn.RNNBase, nn.Embedding, nn.Linear, nn.Dropout)
    others = sorted(
        f"{name} ({type(part).__name__})"
        for name, part in module.named_modules()
        if part is not module and not isinstance(part, known) and not list(part.children())
    )
    if others:
        return "it also has " + ", ".join(others) + ", which our equations leave out"
    if model.architecture.count("bidirectional"):
        return (
            "a bidirectional module may take outputs[:, -1], where the backward direction has read "
            "one word only; its last state is hidden[-1]: torch.cat([hidden[-2], hidden[-1]], -1)"
        )
    return f"its forward does more than pool the states and apply one linear layer; {model!r}"


def embedded(model: Model, document: np.ndarray) -> Tensor:
    if model.embedding is None:
        return torch.as_tensor(document, dtype=model.dtype, device=model.device)
    return model.embedding[torch.as_tensor(document, device=model.device)]


def call_module(module: nn.Module, batched: Tensor, length: int) -> Any:
    required = [
        p
        for p in signature(module.forward).parameters.values()
        if p.default is Parameter.empty
        and p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) == 2 and "len" in required[1].name.lower():
        return module(batched, torch.tensor([length]))
    return module(batched)


def first_tensor(value: Any) -> Tensor:
    while isinstance(value, tuple | list) and value:
        value = value[0]
    if isinstance(value, dict) and value:
        value = value.get("logits", next(iter(value.values())))
    if not isinstance(value, Tensor) or not value.numel():
        raise TypeError(f"its forward returned {type(value).__name__}, not a tensor of outputs")
    return value
