"""The compiled steps of the LSTM, where they can be had."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

TILE = 256
"""Rows whose gates are computed and used before the next: they stay in the processor's cache."""


def kernels_for(tensor: torch.Tensor) -> Any | None:
    """The module of compiled steps, or None without numba or for arrays not of its kind."""
    if tensor.device.type != "cpu" or tensor.dtype != torch.float32:
        return None
    return _compiled()


@lru_cache(maxsize=1)
def _compiled() -> Any | None:
    try:
        from rnnscope.scores import lstm_kernels_numba
    except ImportError:
        return None
    return lstm_kernels_numba
