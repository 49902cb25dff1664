"""Running a user's module and leaving it as it was."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

SHELVES = ("_parameters", "_buffers", "_modules")


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Run a module in eval mode without gradients, and leave it exactly as it was.

    What its forward keeps on itself is put back too: attributes, buffers, training modes, and the
    states of torch's, NumPy's and Python's random numbers. What it changes in place in an object
    it holds, such as a list, is its own doing and stays.
    """
    parts = list(module.modules())
    kept: list[dict[str, Any]] = [dict(vars(part)) for part in parts]
    shelves = [{name: dict(vars(part)[name]) for name in SHELVES} for part in parts]
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    python, generator = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        module.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            # torch says of a projected LSTM that it runs without oneDNN: no news to the user.
            warnings.filterwarnings("ignore", "LSTM with projections")
            yield
    finally:
        random.setstate(python)
        np.random.set_state(generator)  # noqa: NPY002
        for part, attributes, shelf in zip(parts, kept, shelves, strict=True):
            own = vars(part)
            for name in [name for name in own if name not in attributes]:
                del own[name]
            own.update(attributes)
            for name, before in shelf.items():
                own[name].clear()
                own[name].update(before)
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                if name in buffers and not torch.equal(buffer, buffers[name]):
                    buffer.copy_(buffers[name])
