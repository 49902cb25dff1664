"""Where a worker computes."""

from __future__ import annotations

import torch


def gpu() -> str | None:
    """A GPU where this process has one."""
    return "cuda" if torch.cuda.is_available() else None
