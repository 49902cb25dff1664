"""A digest of weights, by which networks and parts of them are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def fingerprint_of(described: str, weights: Mapping[str, Tensor]) -> str:
    """A digest of a description and of every weight: its name, shape, dtype and bits."""
    digest = hashlib.sha256(described.encode("utf-8", "backslashreplace"))
    for name, weight in sorted(weights.items()):
        array = weight.detach().cpu().contiguous()
        digest.update(f"{name}|{tuple(array.shape)}|{array.dtype}".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
