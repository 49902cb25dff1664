"""How sure the first principal axis of a set of points is: its share and direction over bootstrap
samples of the points."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnnscope.dynamics.resampling import resamples
from rnnscope.numerics import single_thread

AXES = 24
"""Leading axes of the whole set within which each sample's first axis is sought."""

MOST = 4096
"""Points resampled at most; more would only narrow the interval."""


def drawn_axes(states: Tensor, *, draws: int, rng: int) -> tuple[Tensor, Tensor]:
    """The first principal axis of bootstrap samples of points (n, N).

    Returns:
        its share of each sample's variance, nan where the sample does not vary, (draws,); the axis
        itself, of either sign, (draws, N).
    """
    rows = np.random.default_rng(rng).permutation(len(states))[:MOST]
    X = states[torch.from_numpy(np.sort(rows))]
    X = X - X.mean(0)
    picked = torch.from_numpy(resamples(len(X), draws, rng=rng))
    weights = torch.zeros(draws, len(X), dtype=X.dtype)
    weights.scatter_add_(1, picked, torch.ones_like(picked, dtype=X.dtype)).div_(len(X))
    with single_thread():
        _, _, Vh = torch.linalg.svd(X, full_matrices=False)
        Vh = Vh[:AXES]
        scores, size = X @ Vh.mT, len(Vh)
        products = (scores[:, :, None] * scores[:, None, :]).reshape(len(X), -1)
        mean = weights @ X
        within = mean @ Vh.mT
        covariance = (weights @ products).reshape(draws, size, size)
        covariance = covariance - within[:, :, None] * within[:, None, :]
        total = weights @ X.square().sum(-1) - mean.square().sum(-1)
        values, vectors = torch.linalg.eigh(covariance)
    share = torch.where(total > 1e-300, values[:, -1] / total, torch.nan)
    return share, vectors[..., -1] @ Vh
