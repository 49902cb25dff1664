"""Guards around heavy numerical calls. Whatever they change is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """The same for numpy, scipy and scikit-learn.

    A regression on sparse counts spends its time on vectors, which two threads go through no
    faster, and several times slower where another process has the other core.
    """
    with threadpool_limits(1):
        yield
