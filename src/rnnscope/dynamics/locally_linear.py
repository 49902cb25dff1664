"""Positions along a curve of points by a 1-D locally linear embedding (Roweis & Saul 2000)."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import rankdata
from sklearn.manifold import LocallyLinearEmbedding
from torch import Tensor

LEAST_EMBEDDED = 20
"""Distinct points below which no locally linear embedding is made."""

MOST = 1500
"""Points it is fitted to, since its work grows with their cube; others follow their neighbours."""


def locally_linear(states: Tensor, position: Tensor, scale: float) -> Tensor | None:
    """theta by a 1-D locally linear embedding, in the direction of ``position``.

    Made of distinct points: copies would be each other's only neighbours. None for too few.
    """
    _, place = torch.unique((states / (1e-6 * scale)).round(), dim=0, return_inverse=True)
    count = int(place.max()) + 1
    if count < LEAST_EMBEDDED:
        return None
    first = torch.full((count,), len(states)).scatter_reduce(
        0, place, torch.arange(len(states)), reduce="amin"
    )
    points = states[first].numpy()
    sample = np.sort(np.random.default_rng(0).permutation(count)[:MOST])
    model = LocallyLinearEmbedding(
        n_neighbors=min(12, count - 1), n_components=1, eigen_solver="dense", random_state=0
    ).fit(points[sample])
    embedding = model.embedding_ if len(sample) == count else model.transform(points)
    theta = torch.from_numpy(np.ascontiguousarray(embedding[:, 0]))[place]
    theta = to_unit_interval(theta) if theta.max() > theta.min() else torch.zeros_like(theta)
    return -theta if rank_correlation(position, theta) < 0 else theta


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's; 0 where either does not vary."""
    ranks = [rankdata(v.numpy()) for v in (a, b)]
    centred = [r - r.mean() for r in ranks]
    length = float(np.linalg.norm(centred[0]) * np.linalg.norm(centred[1]))
    return float(centred[0] @ centred[1]) / length if length > 0 else 0.0


def to_unit_interval(values: Tensor) -> Tensor:
    """Scaled to run from -1 to 1; they must differ."""
    low, high = values.min(), values.max()
    return 2 * (values - low) / (high - low) - 1
