"""Guards around heavy numerical calls. Whatever they change is put back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from threadpoolctl import threadpool_limits


def denormals_are_flushed() -> bool:
    """Whether this thread treats denormal numbers as zero."""
    return bool((torch.tensor([1e-310], dtype=torch.float64) * 1.0).item() == 0.0)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat denormal numbers as zero inside, and as before after.

    Saturated gates make denormal gradients, and arithmetic on those is many times slower. The
    processor's flag belongs to the calling thread: see ``single_thread`` for work that torch
    would spread over several.
    """
    before = denormals_are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch compute on the calling thread alone inside, and on as many as before after.

    The products of a small recurrent network are too small to share: waiting for a second thread
    costs about what it saves, and far more on a busy machine. The results also no longer depend
    on the number of cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def products_are_full() -> bool:
    """Whether products of float32 are made in float32, and not in TF32 or bfloat16."""
    precisions = _precisions()
    if isinstance(precisions, str):
        return precisions == "highest"
    return all(value in ("none", "ieee") for value in precisions)


@contextmanager
def own_precision(device: torch.device) -> Iterator[None]:
    """Compute in the dtype of the weights, whatever automatic mixed precision is around."""
    with torch.autocast(device.type, enabled=False):
        yield


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Products of float32 in float32 inside, also on a GPU; no automatic mixed precision.

    Where rounding decides, a product that keeps three digits decides wrongly. The switches are the
    process's: the first thread in sets them, the last one out puts them back.
    """
    with _inside:
        if not _before:
            _before.append(_precisions())
            _put(["ieee"] * len(_switches()) or "highest")
        _before.append(None)
    try:
        with own_precision(device):
            yield
    finally:
        with _inside:
            _before.pop()
            if len(_before) == 1:
                _put(_before.pop())


_inside = threading.Lock()
_before: list[Any] = []
"""The precisions that the user chose, then one entry for each thread that is inside."""


def _precisions() -> list[str] | str:
    switches = _switches()
    if not switches:
        return torch.get_float32_matmul_precision()
    return [switch.fp32_precision for switch in switches]


def _put(precisions: list[str] | str) -> None:
    if isinstance(precisions, str):
        torch.set_float32_matmul_precision(precisions)
        return
    for switch, value in zip(_switches(), precisions, strict=True):
        switch.fp32_precision = value


def _switches() -> list[Any]:
    """What says how products of float32 are made, one a backend; none before torch 2.9."""
    backends = [getattr(torch.backends, name, None) for name in ("cuda", "mkldnn")]
    products = [getattr(backend, "matmul", None) for backend in backends]
    return [one for one in products if hasattr(one, "fp32_precision")]


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """The same for numpy, scipy and scikit-learn.

    A regression on sparse counts spends its time on vectors, which two threads go through no
    faster, and several times slower where another process has the other core.
    """
    with threadpool_limits(1):
        yield
